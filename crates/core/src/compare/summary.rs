//! What came of a comparison.

use std::path::PathBuf;

use serde::Serialize;

use super::budget::FEWEST_EPOCHS;
use super::folder::{best_path, model_path, spec_path};
use super::record::Measured;
use super::sentence::sentence;
use super::setup::Ready;
use super::{Method, Plan, Run, Setup};
use crate::error::{Error, Result};
use crate::measure::{Estimate, Paired, holm};
use crate::model::{Evaluation, Model, Prepared};

/// What came of a comparison.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The rows of the first seed as they were prepared, and the spec that all runs have in common.
    pub prepared: Prepared,
    /// Rows of the test part.
    pub test_rows: usize,
    /// Each method that has a result for every seed, in the order of the setup.
    pub methods: Vec<Summary>,
    /// Methods with a run whose loss stopped being finite.
    pub failed: Vec<Method>,
    /// The method with the lowest mean loss on the validation rows, of those that cost the same.
    pub best: Method,
    /// What it says about what to use.
    pub sentence: String,
    /// The epochs of each method.
    pub plan: Plan,
    /// The folder that is left.
    pub folder: PathBuf,
    /// Seconds of the whole comparison.
    pub seconds: f64,
}

/// What came of a method.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The method.
    pub method: Method,
    /// What the search chose, for people.
    pub settings: String,
    /// The loss on the validation rows: nll, or rmse in the target's unit.
    pub valid_loss: Estimate,
    /// By name: the measures of the test part, then `gap`, `correlation` and `seconds`.
    pub measures: Vec<(&'static str, Option<Estimate>)>,
    /// Its test loss less that of the method that does nothing; none for that one, where it was not run, and
    /// from a single seed.
    pub against_nothing: Option<Against>,
    /// The same against the best.
    pub against_best: Option<Against>,
    /// Its runs, one for each seed.
    pub runs: Vec<Run>,
}

/// A paired test over the seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Against {
    /// The difference of the test losses.
    #[serde(flatten)]
    pub difference: Paired,
    /// Its p-value, raised for the number of methods that are tested beside it ([`holm`]).
    pub p_holm: f64,
}

impl Against {
    /// Whether the difference is more than other seeds would turn, at the level of 0.05.
    pub fn counts(&self) -> bool {
        self.p_holm < 0.05
    }
}

impl Summary {
    /// The loss on the test part.
    pub fn test_loss(&self) -> Estimate {
        self.estimate(self.loss_name()).unwrap_or(Estimate { mean: f64::NAN, standard_error: None })
    }

    /// "nll", or of a regression "rmse".
    pub fn loss_name(&self) -> &'static str {
        match self.runs.iter().find_map(|run| run.measured.as_ref()).map(|of| &of.test) {
            Some(Evaluation::Regression(_)) => "rmse",
            _ => "nll",
        }
    }

    /// One of the measures.
    pub fn estimate(&self, name: &str) -> Option<Estimate> {
        self.measures.iter().find(|(other, _)| *other == name).and_then(|(_, estimate)| *estimate)
    }

    /// Of a method with a result for every seed.
    fn of(method: Method, settings: String, runs: Vec<Run>) -> Option<Self> {
        let measured: Vec<(&Run, &Measured)> =
            runs.iter().map(|run| Some((run, run.measured.as_ref()?))).collect::<Option<_>>()?;
        let valid: Vec<f64> = measured.iter().map(|(_, of)| loss(&of.valid)).collect();
        let each: Vec<Vec<(&'static str, Option<f64>)>> =
            measured.iter().map(|(run, of)| measures(run, of)).collect();
        let of = |(place, &(name, _)): (usize, &(&'static str, Option<f64>))| {
            let values: Option<Vec<f64>> = each.iter().map(|of| of[place].1).collect();
            (name, values.and_then(|values| Estimate::of(&values)))
        };
        Some(Self {
            method,
            settings,
            valid_loss: Estimate::of(&valid)?,
            measures: each.first()?.iter().enumerate().map(of).collect(),
            against_nothing: None,
            against_best: None,
            runs,
        })
    }

    fn test_losses(&self) -> Vec<f64> {
        self.runs.iter().filter_map(|run| run.measured.as_ref()).map(|of| loss(&of.test)).collect()
    }
}

/// The loss that is chosen and tested by: nll, or rmse in the target's unit.
fn loss(evaluation: &Evaluation) -> f64 {
    match evaluation {
        Evaluation::Classification(of) => of.nll,
        Evaluation::Regression(of) => of.rmse,
    }
}

/// The measures of a run: those of the test part, then `gap`, the test loss less the training loss, both
/// of the whole network, `correlation` and `seconds`.
pub fn measures(run: &Run, of: &Measured) -> Vec<(&'static str, Option<f64>)> {
    let mut measures = match &of.test {
        Evaluation::Classification(of) => {
            vec![
                ("error", Some(of.error)),
                ("nll", Some(of.nll)),
                ("ece", Some(of.ece)),
                ("brier", Some(of.brier)),
            ]
        }
        Evaluation::Regression(of) => vec![
            ("rmse", Some(of.rmse)),
            ("log_likelihood", of.log_likelihood),
            ("coverage_90", of.coverage_90),
            ("width_90", of.width_90),
        ],
    };
    measures.extend([
        ("gap", Some(loss(&of.test) - loss(&of.train))),
        ("correlation", of.correlation),
        ("seconds", Some(run.seconds)),
    ]);
    measures
}

impl Compared {
    /// `plan` is that of the runs, beside that of the search's last rung.
    pub(super) fn new(
        setup: &Setup,
        first: &Ready,
        runs: Vec<Run>,
        (plan, searched): (Plan, &Plan),
    ) -> Result<Self> {
        let (mut methods, mut failed) = (Vec::new(), Vec::new());
        for &method in &setup.methods {
            let own: Vec<Run> = runs.iter().filter(|run| run.method == method).cloned().collect();
            let spec = own.first().map(|run| {
                let candidate = &method.candidates(&first.prepared.spec)[run.candidate];
                method.run(candidate, run.epochs, setup.members)
            });
            let settings = spec.map_or(String::new(), |spec| method.settings(&spec));
            match Summary::of(method, settings, own) {
                Some(summary) => methods.push(summary),
                None => failed.push(method),
            }
        }
        let best = best(&methods).ok_or_else(|| {
            let problem = "no method has a run for every seed whose loss stayed finite; take a lower one";
            Error::spec("train.learning_rate", problem)
        })?;
        test_all(&mut methods, best);
        Ok(Self {
            prepared: first.prepared.clone(),
            test_rows: first.test.rows(),
            sentence: hurried(&plan, searched).unwrap_or_else(|| sentence(&methods, best)),
            methods,
            failed,
            best,
            plan,
            folder: PathBuf::new(),
            seconds: 0.0,
        })
    }

    /// Where the first model of the best method is.
    pub fn best_path(&self) -> PathBuf {
        best_path(&self.folder)
    }

    /// Where the spec of a run is.
    pub fn spec_path(&self, method: Method, seed: u32) -> PathBuf {
        spec_path(&self.folder, method, seed)
    }

    /// The first model of a method.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn first_model(&self, method: Method) -> Result<Model> {
        Model::load(&model_path(&self.folder, method))
    }

    /// What came of a method, if it has a result.
    pub fn of(&self, method: Method) -> Option<&Summary> {
        self.methods.iter().find(|summary| summary.method == method)
    }
}

/// Where the runs had far fewer epochs than those by which their settings were found, or hardly any, nothing
/// can be told.
fn hurried(plan: &Plan, searched: &Plan) -> Option<String> {
    let fewest = FEWEST_EPOCHS.min(plan.most);
    let is_cut =
        |&(method, &epochs): &(&Method, &u64)| epochs < fewest || 2 * epochs < searched.epochs(*method);
    let (method, epochs) = plan.epochs.iter().find(is_cut)?;
    Some(format!(
        "The data do not tell: the machine became so much slower that {} left to a run of {method}. Run it \
         again with more minutes.",
        if *epochs == 1 { "1 epoch was".into() } else { format!("{epochs} epochs were") }
    ))
}

/// The method with the lowest loss on the validation rows: an ensemble, which costs several times the
/// others, only where it is alone.
fn best(methods: &[Summary]) -> Option<Method> {
    let lowest = |among: &mut dyn Iterator<Item = &Summary>| {
        let lower = |one: &&Summary, other: &&Summary| one.valid_loss.mean.total_cmp(&other.valid_loss.mean);
        among.min_by(lower).map(|summary| summary.method)
    };
    lowest(&mut methods.iter().filter(|summary| summary.method != Method::Ensemble))
        .or_else(|| lowest(&mut methods.iter()))
}

/// Tests every method against the one that does nothing and against the best.
fn test_all(methods: &mut [Summary], best: Method) {
    let [against_nothing, against_best] = [Method::Nothing, best].map(|other| tests(methods, other));
    for ((summary, nothing), best) in methods.iter_mut().zip(against_nothing).zip(against_best) {
        (summary.against_nothing, summary.against_best) = (nothing, best);
    }
}

/// The tests of every method against one of them.
fn tests(methods: &[Summary], other: Method) -> Vec<Option<Against>> {
    let partner = methods.iter().find(|summary| summary.method == other).map(Summary::test_losses);
    let test = |summary: &Summary| match &partner {
        Some(partner) if summary.method != other => Paired::new(&summary.test_losses(), partner).ok(),
        _ => None,
    };
    let differences: Vec<Option<Paired>> = methods.iter().map(test).collect();
    let p: Vec<f64> = differences.iter().flatten().map(|difference| difference.p).collect();
    let mut raised = holm(&p).into_iter();
    let against = |difference: Option<Paired>| {
        let (difference, p_holm) = (difference?, raised.next()?);
        Some(Against { difference, p_holm })
    };
    differences.into_iter().map(against).collect()
}

/// Summaries of made-up runs.
#[cfg(test)]
pub(super) mod made_up {
    use super::*;
    use crate::measure::Classification;
    use crate::train::Ended;

    fn evaluation(nll: f64) -> Evaluation {
        let reliability = Vec::new();
        let (brier, ece, auc) = (0.1, 0.05, None);
        Evaluation::Classification(Classification {
            rows: 100,
            error: 0.02,
            accuracy: 0.98,
            nll,
            brier,
            ece,
            auc,
            reliability,
        })
    }

    fn run(method: Method, seed: u32, valid: f64, test: f64) -> Run {
        let measured = Measured {
            ended: Ended::Finished,
            chosen_epoch: 3,
            history: Vec::new(),
            train: evaluation(0.0),
            valid: evaluation(valid),
            test: evaluation(test),
            correlation: Some(0.2),
        };
        let seconds = if method == Method::Ensemble { 10.0 } else { 2.0 };
        let (candidate, epochs, measured) = (0, 3, Some(measured));
        Run { method, seed, candidate, epochs, measured, rows: 300, seconds, elapsed: 0.0 }
    }

    /// Methods with the nll of their validation rows, and those of the test rows for each seed; and the best.
    pub fn summaries(of: &[(Method, f64, &[f64])]) -> (Vec<Summary>, Method) {
        let summary = |&(method, valid, tests): &(Method, f64, &[f64])| {
            let runs: Vec<Run> =
                tests.iter().zip(0..).map(|(&test, seed)| run(method, seed, valid, test)).collect();
            Summary::of(method, String::new(), runs).unwrap()
        };
        let mut methods: Vec<Summary> = of.iter().map(summary).collect();
        let best = best(&methods).unwrap();
        test_all(&mut methods, best);
        (methods, best)
    }

    /// A run without a result.
    pub fn failed(method: Method) -> Run {
        Run { measured: None, ..run(method, 0, 0.0, 0.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::made_up::{failed, summaries};
    use super::*;
    use crate::compare::Stage;

    #[test]
    fn the_validation_rows_choose_the_best_of_those_that_cost_the_same() {
        let tests: &[f64] = &[0.5, 0.6];
        let best = |of: &[(Method, f64)]| {
            summaries(&of.iter().map(|&(method, valid)| (method, valid, tests)).collect::<Vec<_>>()).1
        };
        use Method::{Dropout, Ensemble, L2, Nothing};
        assert_eq!(best(&[(Nothing, 0.3), (L2, 0.1), (Dropout, 0.2)]), L2);
        assert_eq!(best(&[(Nothing, 0.3), (Ensemble, 0.1)]), Nothing);
        assert_eq!(best(&[(L2, 0.1), (Dropout, 0.1)]), L2, "of equals the first");
        assert_eq!(best(&[(Ensemble, 0.1)]), Ensemble);
    }

    #[test]
    fn tests_are_paired_and_raised_within_each_family() {
        let (methods, best) = summaries(&[
            (Method::Nothing, 0.4, &[0.30, 0.34, 0.32]),
            (Method::L2, 0.3, &[0.28, 0.33, 0.30]),
            (Method::Dropout, 0.2, &[0.20, 0.23, 0.24]),
        ]);
        assert_eq!(best, Method::Dropout);
        assert!(methods[0].against_nothing.is_none() && methods[2].against_best.is_none());
        let p = |values: &[f64], partners: &[f64]| Paired::new(values, partners).unwrap().p;
        let [l2, dropout] = [&[0.28, 0.33, 0.30], &[0.20, 0.23, 0.24]].map(|of| p(of, &[0.30, 0.34, 0.32]));
        let raised = holm(&[l2, dropout]);
        let against = |summary: &Summary| summary.against_nothing.unwrap();
        assert_eq!([against(&methods[1]).p_holm, against(&methods[2]).p_holm], [raised[0], raised[1]]);
        assert!((against(&methods[2]).difference.mean + 0.29 / 3.0).abs() < 1e-12);
        assert_eq!(methods[0].against_best.unwrap().difference.mean, -against(&methods[2]).difference.mean);
    }

    #[test]
    fn measures_are_means_over_the_seeds() {
        let (methods, _) = summaries(&[(Method::L1, 0.3, &[0.2, 0.4])]);
        let estimate = |name: &str| methods[0].estimate(name).unwrap();
        assert!(
            (estimate("nll").mean - 0.3).abs() < 1e-12 && (methods[0].test_loss().mean - 0.3).abs() < 1e-12
        );
        assert!((estimate("gap").mean - 0.3).abs() < 1e-12, "nothing was lost in training");
        assert_eq!((estimate("seconds").mean, estimate("error").standard_error), (2.0, Some(0.0)));
        assert!(methods[0].estimate("rmse").is_none());
    }

    #[test]
    fn a_method_without_a_result_has_no_summary() {
        assert!(Summary::of(Method::L1, String::new(), vec![failed(Method::L1)]).is_none());
    }

    #[test]
    fn nothing_is_told_of_runs_that_were_cut_short() {
        let plan = |stage, epochs: [u64; 2]| Plan {
            stage,
            share: 1.0,
            epochs: [Method::Nothing, Method::Dropout].into_iter().zip(epochs).collect(),
            speeds: Default::default(),
            most: 300,
            elapsed: 1.0,
        };
        let searched = plan(Stage::Search(1), [80, 61]);
        assert_eq!(hurried(&plan(Stage::Runs, [40, 31]), &searched), None);
        let sentence = hurried(&plan(Stage::Runs, [40, 30]), &searched).unwrap();
        assert!(sentence.contains("30 epochs were left to a run of dropout"), "{sentence}");
        assert!(hurried(&plan(Stage::Runs, [3, 4]), &plan(Stage::Search(1), [4, 4])).is_some());
    }
}
