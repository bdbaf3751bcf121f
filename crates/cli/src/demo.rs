//! `thinnet demo`: the built-in digits, learned with and without dropout, side by side.

use std::time::Instant;

use serde_json::{Value, json};
use thinnet::data::{Data, digits};
use thinnet::measure::Estimate;
use thinnet::model::{Evaluation, Prepared, prepare};
use thinnet::report::{Curve, Series, table};
use thinnet::thin::{Rates, ThinSpec};
use thinnet::train::{Flow, Threads, side_by_side};
use thinnet::{Error, Spec};

use crate::arguments::Demo;
use crate::{describe, progress, text};

/// Trains the networks and reports.
pub fn run(arguments: &Demo) -> anyhow::Result<()> {
    let began = Instant::now();
    let prepared = prepare(&Data::from(digits()?), None, &setting(arguments.epochs))?;
    let seeds = arguments.seeds as usize;
    let dropout = &prepared.spec.thin;
    let networks = [("standard", ThinSpec::none()), ("dropout", dropout.clone())];
    // Turn by turn, so that both networks meet the same machine.
    let runs: Vec<(u32, &ThinSpec)> =
        (0..arguments.seeds).flat_map(|seed| networks.iter().map(move |(_, thin)| (seed, thin))).collect();
    let measured = all(&prepared, &runs, arguments.threads)?;
    let results: Vec<Network> = networks
        .iter()
        .enumerate()
        .map(|(index, (name, _))| Network {
            name,
            runs: (0..seeds).map(|seed| measured[seed * networks.len() + index].clone()).collect(),
        })
        .collect();
    let test_rows = prepared.valid.as_ref().map_or(0, |valid| valid.rows());
    let meaning = meaning(&results[0], &results[1]);
    if arguments.json {
        text::print_json(&json!({
            "rows": prepared.train.rows(),
            "test_rows": test_rows,
            "seeds": seeds,
            "epochs": arguments.epochs,
            "seconds": began.elapsed().as_secs_f64(),
            "networks": results.iter().map(Network::as_json).collect::<Vec<_>>(),
            "meaning": meaning,
        }))?;
        return Ok(());
    }
    let shape = describe::shape(&prepared.spec, prepared.pipeline.input_units(), 10);
    text::print(&format!(
        "{} images of digits to learn from, {test_rows} to test with; {shape}, {} epochs, {}\n\
         standard: every unit in every step\ndropout:  drops {}\n\n{}\n{}\n{meaning}\n\n{} in all. Next: thinnet --help\n",
        prepared.train.rows(),
        arguments.epochs,
        text::counted(seeds, "seed", "seeds, mean ± standard error"),
        describe::thinning(&prepared.spec).unwrap_or_default(),
        rows(&results),
        curve(&results),
        text::seconds(began.elapsed().as_secs_f64()),
    ))?;
    Ok(())
}

/// The setting of both networks; the standard one is the same without dropout.
///
/// It was chosen on the training half alone, in three folds with two seeds each, from networks of 256 and
/// 512 units, learning rates 0.001 and 0.003, 100 and 200 epochs, and rates (input, hidden) of .1/.3, .2/.3
/// and .2/.5: the lowest negative log-likelihood with dropout of those that take a second (0.063, error
/// 1.9 %). The standard network had 0.111 and 2.4 % there, and 0.095 and 2.1 % where it was at its best,
/// with 512 units, 0.001 and 100 epochs.
fn setting(epochs: u64) -> Spec {
    let mut spec = Spec::default();
    spec.network.hidden = vec![256, 256];
    spec.thin.input = 0.1;
    spec.thin.hidden = Rates::All(0.3);
    spec.train.learning_rate = 0.003;
    spec.train.batch = Some(32);
    // Half of the rows are the test part, the same ones for every seed of a run. Nothing is chosen by them.
    spec.data.valid = Some(0.5);
    spec.train.patience = Some(0);
    spec.train.epochs = epochs;
    spec
}

/// What one run gave.
#[derive(Clone)]
struct Measured {
    train_error: f64,
    test_error: f64,
    test_nll: f64,
    seconds: f64,
    /// The test loss after each epoch.
    curve: Vec<f64>,
}

/// One of the numbers of a run.
type Pick = fn(&Measured) -> f64;

fn measure(prepared: &Prepared, seed: u32, thin: &ThinSpec, threads: &Threads) -> thinnet::Result<Measured> {
    let mut prepared = prepared.clone();
    prepared.spec.seed = seed;
    prepared.spec.thin = thin.clone();
    let fitted = prepared.fit(threads, &mut |_| Flow::Continue)?;
    let curve = fitted.model.run().history.iter().map(|epoch| epoch.valid_loss.unwrap_or(f64::NAN)).collect();
    let (Evaluation::Classification(train), Some(Evaluation::Classification(test))) =
        (fitted.train, fitted.valid)
    else {
        return Err(Error::Machine("the digits have no classes; the program is damaged".into()));
    };
    let seconds = fitted.seconds;
    Ok(Measured { train_error: train.error, test_error: test.error, test_nll: test.nll, seconds, curve })
}

/// All runs in their order. A step of so small a network is too little for several threads, so each run
/// has one, and several run at a time.
fn all(prepared: &Prepared, runs: &[(u32, &ThinSpec)], threads: usize) -> thinnet::Result<Vec<Measured>> {
    let bar = progress::runs(runs.len());
    let lanes = Threads::new(threads)?.count();
    let measured = side_by_side(lanes, 1, runs, |threads, &(seed, thin)| {
        let measured = measure(prepared, seed, thin, threads);
        bar.inc(1);
        measured
    });
    bar.finish_and_clear();
    measured
}

/// The runs of a network, one for each seed.
struct Network<'a> {
    name: &'a str,
    runs: Vec<Measured>,
}

impl Network<'_> {
    fn of(&self, pick: Pick) -> Option<Estimate> {
        Estimate::of(&self.runs.iter().map(pick).collect::<Vec<_>>())
    }

    /// The mean test loss after each epoch.
    fn curve(&self) -> Vec<f64> {
        let epochs = self.runs.iter().map(|run| run.curve.len()).min().unwrap_or(0);
        let mean = |epoch: usize| self.runs.iter().map(|run| run.curve[epoch]).sum::<f64>();
        (0..epochs).map(|epoch| mean(epoch) / self.runs.len() as f64).collect()
    }

    fn as_json(&self) -> Value {
        let estimate = |pick| self.of(pick);
        json!({
            "name": self.name,
            "train_error": estimate(|run| run.train_error),
            "test_error": estimate(|run| run.test_error),
            "test_nll": estimate(|run| run.test_nll),
            "seconds": estimate(|run| run.seconds),
            "test_loss": self.curve(),
        })
    }
}

fn rows(networks: &[Network]) -> String {
    let shown = |network: &Network, pick: Pick, decimals: usize, unit| {
        let Some(Estimate { mean, standard_error }) = network.of(pick) else { return String::new() };
        let error = standard_error.map_or(String::new(), |error| format!(" ± {error:.decimals$}"));
        format!("{mean:.decimals$}{error}{unit}")
    };
    let row = |network: &Network| {
        vec![
            network.name.to_string(),
            shown(network, |run| 100.0 * run.train_error, 2, " %"),
            shown(network, |run| 100.0 * run.test_error, 2, " %"),
            shown(network, |run| run.test_nll, 4, ""),
            shown(network, |run| run.seconds, 2, ""),
        ]
    };
    let headers = ["network", "training error", "test error", "test nll", "seconds"];
    table(&headers, &networks.iter().map(row).collect::<Vec<_>>())
}

fn curve(networks: &[Network]) -> String {
    let curves: Vec<Vec<f64>> = networks.iter().map(Network::curve).collect();
    let series: Vec<Series> =
        networks.iter().zip(&curves).map(|(network, values)| Series { name: network.name, values }).collect();
    Curve { title: "test nll", logarithmic: true, ..Curve::default() }.draw(&series)
}

/// How a number of the dropout network compares with that of the standard network.
#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Lower,
    Higher,
    Unclear,
}

/// Seeds are pairs: both networks begin with the same weights and meet the rows in the same order. A
/// difference counts from twice its standard error on, and from one seed alone none does.
fn verdict(standard: &Network, dropout: &Network, pick: Pick) -> Verdict {
    let pairs = standard.runs.iter().zip(&dropout.runs);
    let differences: Vec<f64> = pairs.map(|(one, other)| pick(other) - pick(one)).collect();
    match Estimate::of(&differences) {
        Some(Estimate { mean, standard_error: Some(error) }) if mean < -2.0 * error => Verdict::Lower,
        Some(Estimate { mean, standard_error: Some(error) }) if mean > 2.0 * error => Verdict::Higher,
        _ => Verdict::Unclear,
    }
}

/// One sentence on what the numbers say.
fn meaning(standard: &Network, dropout: &Network) -> String {
    let (error, nll): (Pick, Pick) = (|run| run.test_error, |run| run.test_nll);
    let verdicts = [verdict(standard, dropout, error), verdict(standard, dropout, nll)];
    let clause = |verdict, what: &str, from: String, to: String| match verdict {
        Verdict::Lower => format!("lowers the {what} from {from} to {to}"),
        Verdict::Higher => format!("raises the {what} from {from} to {to}"),
        Verdict::Unclear => format!("changes the {what} too little to tell ({from} and {to})"),
    };
    let mean = |network: &Network, pick| network.of(pick).map_or(f64::NAN, |estimate| estimate.mean);
    let percent = |network: &Network| text::percent(mean(network, error));
    let nats = |network: &Network| format!("{:.4}", mean(network, nll));
    let first = clause(verdicts[0], "test error", percent(standard), percent(dropout));
    let second = clause(verdicts[1], "negative log-likelihood", nats(standard), nats(dropout));
    let better = verdicts.contains(&Verdict::Lower);
    let worse = verdicts.contains(&Verdict::Higher);
    let so = match (better, worse) {
        (true, false) => {
            "what was learned by thinned networks holds better on rows that none of them has seen"
        }
        (false, true) => "here dropout costs more than it gives; lower rates or more epochs may turn that",
        (true, true) => "dropout helps by one measure and costs by the other",
        (false, false) => "more seeds would tell",
    };
    format!("Dropout {first} and {second}: {so}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(name: &'static str, errors: &[f64], nlls: &[f64]) -> Network<'static> {
        let run = |(&test_error, &test_nll): (&f64, &f64)| Measured {
            train_error: 0.0,
            test_error,
            test_nll,
            seconds: 1.0,
            curve: vec![1.0, test_nll],
        };
        Network { name, runs: errors.iter().zip(nlls).map(run).collect() }
    }

    #[test]
    fn a_row_has_means_and_standard_errors() {
        // Deviations -1, 0, 1 percent: variance 1, standard error 1 / sqrt 3.
        let table = rows(&[network("standard", &[0.01, 0.02, 0.03], &[0.5; 3])]);
        assert!(table.contains("2.00 ± 0.58 %") && table.contains("0.5000 ± 0.0000"), "{table}");
        let alone = rows(&[network("standard", &[0.02], &[0.5])]);
        assert!(alone.contains("2.00 %") && !alone.contains('±'), "{alone}");
    }

    #[test]
    fn the_sentence_follows_the_numbers() {
        let standard = network("standard", &[0.030, 0.034, 0.032], &[0.10, 0.12, 0.11]);
        let wins = network("dropout", &[0.020, 0.023, 0.024], &[0.08, 0.09, 0.09]);
        let sentence = meaning(&standard, &wins);
        assert!(
            sentence.starts_with("Dropout lowers the test error from 3.20 % to 2.23 % and lowers the"),
            "{sentence}"
        );
        assert!(sentence.contains("holds better"), "{sentence}");
        let loses = meaning(&wins, &standard);
        assert!(
            loses.contains("raises the test error from 2.23 % to 3.20 %") && loses.contains("costs"),
            "{loses}"
        );
        assert!(meaning(&standard, &standard).contains("too little to tell (3.20 % and 3.20 %)"));
        let mixed = network("dropout", &[0.020, 0.023, 0.024], &[0.20, 0.21, 0.22]);
        assert!(meaning(&standard, &mixed).contains("by one measure"));
        let once = meaning(&network("standard", &[0.5], &[1.0]), &network("dropout", &[0.1], &[0.1]));
        assert!(once.contains("more seeds would tell"), "{once}");
    }

    #[test]
    fn a_short_demo_gives_its_results_in_order() {
        let prepared = prepare(&Data::from(digits().unwrap()), None, &setting(1)).unwrap();
        let (none, some) = (ThinSpec::none(), ThinSpec { hidden: Rates::All(0.9), ..ThinSpec::default() });
        let runs = [(0, &none), (0, &some), (1, &none)];
        let (one, two) = (all(&prepared, &runs, 1).unwrap(), all(&prepared, &runs, 2).unwrap());
        for (index, (one, two)) in one.iter().zip(&two).enumerate() {
            assert_eq!((one.test_error, &one.curve), (two.test_error, &two.curve), "run {index}");
        }
        assert!(one[1].test_error > one[0].test_error && one[0].test_error != one[2].test_error);
    }
}
