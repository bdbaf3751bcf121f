//! One run with a published split: rate, penalty and precision are chosen on the last fifth of its training
//! rows, then the network is fitted to all of them (Gal and Ghahramani 2016, in the form of their code).

use std::collections::BTreeMap;

use super::fit::{Watch, of_evaluation, went_to_its_end};
use super::record::{Chosen, Found, Of};
use super::splits::{Splits, TARGET};
use super::trial::{Choices, Grid, Taus};
use super::{Measure, Trial};
use crate::Spec;
use crate::average::{Average, Averaged, ensemble};
use crate::data::{Data, Matrix, Targets, Task};
use crate::error::{Error, Result};
use crate::measure::{mixture_log_likelihood, root_mean_squared_error};
use crate::model::{Fitted, Model, prepare};
use crate::thin::Rates;
use crate::train::Threads;

/// A precision to try, 1 / variance in the target's unit.
#[derive(Clone, Copy)]
enum Tau {
    /// This one.
    Is(f64),
    /// So many times that of the errors on the validation rows.
    TimesErrors(f64),
    /// What the networks predict.
    Predicted,
}

/// A network to try, and the precisions to try with it.
struct Candidate {
    rate: Option<f32>,
    l2: f32,
    taus: Vec<Tau>,
}

/// Chooses, fits and tests; nothing if the run was interrupted.
pub(super) fn fit_split(
    trial: &Trial,
    grid: &Grid,
    spec: &Spec,
    splits: &Splits,
    number: u32,
    threads: &Threads,
    watch: &mut Watch,
) -> Result<Option<Found>> {
    let (train, test) = splits.split(number as usize)?;
    let mut spec = spec.clone();
    (spec.data.target, spec.data.task, spec.data.valid) =
        (Some(TARGET.into()), Some(Task::Regression), Some(0.0));
    let (averages, by) = (&trial.averages[..], grid.average.unwrap_or(trial.averages[0]));
    let search = Search { grid, spec: &spec, splits, averages, by, threads };
    let Some(mut chosen) = search.choose(&train, watch)? else { return Ok(None) };
    if let (Some(length), Some(tau)) = (grid.length_scale, chosen.tau) {
        chosen.l2 = penalty(length, chosen.rate, &spec, train.len(), tau);
    }
    let Some(mut fitted) = search.fit(&search.data(&train)?, chosen.rate, chosen.l2, watch)? else {
        return Ok(None);
    };
    let rows = search.data(&test)?;
    let mut measures = Vec::new();
    for by in &trial.averages {
        let (rmse, likelihood) = judge(&mut fitted.model, &rows, *by, chosen.tau, threads)?;
        let values = BTreeMap::from([(Measure::Rmse, rmse), (Measure::LogLikelihood, likelihood)]);
        measures.push(Of { of: by.to_string(), values });
    }
    measures[0].values.insert(Measure::Seconds, fitted.seconds);
    let (train_rows, test_rows) = (train.len(), test.len());
    Ok(Some(Found { train_rows, test_rows, measures, chosen: Some(chosen), ..Found::default() }))
}

/// What the search for rate, penalty and precision works with.
struct Search<'a> {
    grid: &'a Grid,
    spec: &'a Spec,
    splits: &'a Splits,
    /// What the fitted network is tested by.
    averages: &'a [Average],
    /// What is chosen by.
    by: Average,
    threads: &'a Threads,
}

impl Search<'_> {
    /// Chooses by the likelihood of the last fifth of the rows; nothing if a run was interrupted.
    fn choose(&self, rows: &[usize], watch: &mut Watch) -> Result<Option<Chosen>> {
        let Self { grid, spec, splits, by, threads, .. } = *self;
        let (learned, valid) = rows.split_at(rows.len() * 4 / 5);
        let (learned, valid) = (self.data(learned)?, self.data(valid)?);
        let mut best: Option<Chosen> = None;
        for Candidate { rate, l2, taus } in candidates(grid, spec, splits, learned.rows())? {
            let Some(mut fitted) = self.fit(&learned, rate, l2, watch)? else { return Ok(None) };
            for tau in taus {
                let tau = match tau {
                    Tau::Is(tau) => Some(tau),
                    Tau::TimesErrors(factor) => {
                        let by = Average::WeightScaling;
                        let rmse = judge(&mut fitted.model, &valid, by, Some(1.0), threads)?.0;
                        Some(factor / (rmse * rmse))
                    }
                    Tau::Predicted => None,
                };
                let (_, likelihood) = judge(&mut fitted.model, &valid, by, tau, threads)?;
                if best.is_none_or(|best| likelihood > best.likelihood) {
                    best = Some(Chosen { rate, l2, tau, likelihood });
                }
            }
        }
        match best {
            None => Err(Error::spec("grid", "there is nothing to choose from")),
            best => Ok(best),
        }
    }

    /// Fits a candidate; nothing if the run was interrupted.
    fn fit(&self, data: &Data, rate: Option<f32>, l2: f32, watch: &mut Watch) -> Result<Option<Fitted>> {
        let mut spec = self.spec.clone();
        if let Some(rate) = rate {
            (spec.thin.input, spec.thin.hidden) = (rate, Rates::All(rate));
        }
        spec.train.l2 = l2;
        let prepared = prepare(data, None, &spec)?;
        let averages = self.averages.iter().chain([&self.by]);
        averages.copied().try_for_each(|by| prepared.check_average(by))?;
        let fitted = prepared.fit(self.threads, watch)?;
        Ok(went_to_its_end(&fitted.model)?.then_some(fitted))
    }

    fn data(&self, rows: &[usize]) -> Result<Data> {
        self.splits.table.select(rows).map(Data::Table)
    }
}

/// Everything that is to be tried on so many training rows.
fn candidates(grid: &Grid, spec: &Spec, splits: &Splits, rows: usize) -> Result<Vec<Candidate>> {
    let rates = match &grid.rates {
        Choices::These(rates) => rates.clone(),
        Choices::Named(_) => splits.rates()?,
    };
    let rates = if rates.is_empty() { vec![None] } else { rates.into_iter().map(Some).collect() };
    let penalties = if grid.l2.is_empty() { vec![spec.train.l2] } else { grid.l2.clone() };
    let taus: Vec<Tau> = match &grid.taus {
        Some(Taus::Errors { errors }) => errors.iter().map(|&factor| Tau::TimesErrors(factor)).collect(),
        Some(Taus::Named(_)) => splits.taus()?.into_iter().map(Tau::Is).collect(),
        None => vec![Tau::Predicted],
    };
    let mut candidates = Vec::new();
    for rate in rates {
        match grid.length_scale {
            None => candidates.extend(penalties.iter().map(|&l2| Candidate { rate, l2, taus: taus.clone() })),
            Some(length) => candidates.extend(taus.iter().filter_map(|&tau| match tau {
                Tau::Is(value) => {
                    Some(Candidate { rate, l2: penalty(length, rate, spec, rows, value), taus: vec![tau] })
                }
                _ => None,
            })),
        }
    }
    Ok(candidates)
}

/// The penalty that a prior of this length scale on the weights implies: l² keep / (N tau). Theirs is a half
/// of it on the sum of w², and so is ours.
fn penalty(length: f64, rate: Option<f32>, spec: &Spec, rows: usize, tau: f64) -> f32 {
    let rate = rate.unwrap_or(spec.thin.input);
    (length * length * (1.0 - f64::from(rate)) / (rows as f64 * tau)) as f32
}

/// The root mean squared error and the log-likelihood of an average with this precision, in the target's
/// unit. By weight scaling the likelihood is that of the mixture of the members, of which most models have
/// one. Where networks predict the variance, so that there is no precision, it is that of [`Model::evaluate`].
fn judge(
    model: &mut Model,
    data: &Data,
    by: Average,
    tau: Option<f64>,
    threads: &Threads,
) -> Result<(f64, f64)> {
    let seed = model.spec.seed;
    tau.map_or(Ok(()), |tau| model.set_tau(tau))?;
    let (Some(tau), Average::WeightScaling) = (tau, by) else {
        let measured = of_evaluation(&model.evaluate(data, by, seed, threads)?);
        return match measured[..] {
            [(Measure::Rmse, rmse), (Measure::LogLikelihood, likelihood)] => Ok((rmse, likelihood)),
            _ => Err(Error::argument("average", format!("{by} has no likelihood here"))),
        };
    };
    let examples = model.pipeline.examples(data, None)?;
    let Targets::Values(targets) = examples.targets else {
        return Err(Error::argument("targets", "published splits are regressions"));
    };
    let own = |mean: Matrix| Ok(model.in_own_units(&Averaged::new(mean, None))?.mean);
    let members = model.average_members(&examples.inputs, by, seed, threads)?;
    let means = members.iter().map(|member| own(member.mean.clone())).collect::<Result<Vec<Matrix>>>()?;
    let mean = own(ensemble(members)?.mean)?;
    let targets = own(targets)?;
    let noise = [(1.0 / tau.sqrt()) as f32];
    let likelihood = mixture_log_likelihood(&means, &noise, &targets, None)?;
    Ok((root_mean_squared_error(&mean, &targets, None)?, likelihood))
}
