//! One run of the plain kind: fit, then test each average on the same rows.

use super::record::{Found, Of, Paired};
use super::resample::{ONLY_CLASSES, resample};
use super::{Measure, Trial};
use crate::Spec;
use crate::average::{Average, Averaged};
use crate::data::{Data, Examples, Targets};
use crate::error::{Error, Result};
use crate::measure::{Classification, McNemar, largest};
use crate::model::{Evaluation, Fitted, Model, prepare};
use crate::train::{Ended, Event, Flow, Threads};

/// Hears of a run.
pub(super) type Watch<'a> = dyn FnMut(&Event) -> Flow + Send + 'a;

/// Fits and tests; nothing if the run was interrupted.
pub(super) fn fit(
    trial: &Trial,
    spec: &Spec,
    train: &Data,
    test: &Data,
    threads: &Threads,
    watch: &mut Watch,
) -> Result<Option<Found>> {
    let prepared = prepare(train, None, spec)?;
    // What could not be measured is told before the training.
    if trial.resample.is_some() && prepared.pipeline.classes().is_empty() {
        return Err(Error::spec("resample", ONLY_CLASSES));
    }
    let resampled = trial.resample.iter().map(|resampling| resampling.average);
    trial.averages.iter().copied().chain(resampled).try_for_each(|by| prepared.check_average(by))?;
    let fitted = prepared.fit(threads, watch)?;
    let model = &fitted.model;
    if !went_to_its_end(model)? {
        return Ok(None);
    }
    let examples = model.pipeline.examples(test, None)?;
    let mut found =
        Found { train_rows: model.run().training_rows, test_rows: examples.rows(), ..Found::default() };
    let mut first_classes: Option<Vec<u32>> = None;
    for by in &trial.averages {
        let (of, classes) = tested(model, &examples, *by, threads)?;
        if let (Some(first), Some(classes), Targets::Classes { labels, .. }) =
            (&first_classes, &classes, &examples.targets)
        {
            let test = McNemar::new(classes, first, labels)?;
            found.paired.push(Paired { of: by.to_string(), against: trial.averages[0].to_string(), test });
        }
        first_classes = first_classes.or(classes);
        found.measures.push(of);
    }
    let first = &mut found.measures[0].values;
    first.extend(of_training(&fitted));
    if let Some(spec) = &trial.resample {
        found.curve = resample(model, &examples, spec, threads)?;
    }
    Ok(Some(found))
}

/// Whether nobody stopped the run.
///
/// # Errors
/// [`Error::NotFinite`] if the loss went astray, even where an earlier epoch is kept.
pub(super) fn went_to_its_end(model: &Model) -> Result<bool> {
    for member in model.members() {
        match member.run.ended {
            Ended::Interrupted => return Ok(false),
            Ended::NotFinite { step, learning_rate } => return Err(Error::NotFinite { step, learning_rate }),
            Ended::Finished | Ended::Patience | Ended::Minutes => {}
        }
    }
    Ok(true)
}

/// The measures of an average on the test rows, and for classes the predicted ones.
fn tested(
    model: &Model,
    examples: &Examples,
    by: Average,
    threads: &Threads,
) -> Result<(Of, Option<Vec<u32>>)> {
    let seed = model.spec.seed;
    let of = |evaluation: &Evaluation| {
        let values = of_evaluation(evaluation).into_iter().collect();
        Of { of: by.to_string(), values }
    };
    let Targets::Classes { labels, .. } = &examples.targets else {
        return Ok((of(&model.measure(examples, by, seed, threads)?), None));
    };
    let Averaged { mean, .. } = model.average(&examples.inputs, by, seed, threads)?;
    let measured = Classification::new(&mean, labels, examples.weights.as_deref())?;
    let classes = (0..mean.rows()).map(|row| largest(mean.row(row)) as u32).collect();
    Ok((of(&Evaluation::Classification(measured)), Some(classes)))
}

/// The measures that a study knows of an evaluation.
pub(super) fn of_evaluation(evaluation: &Evaluation) -> Vec<(Measure, f64)> {
    match evaluation {
        Evaluation::Classification(of) => {
            vec![(Measure::Error, 100.0 * of.error), (Measure::Nll, of.nll), (Measure::Ece, of.ece)]
        }
        Evaluation::Regression(of) => {
            let likelihood = of.log_likelihood.map(|value| (Measure::LogLikelihood, value));
            std::iter::once((Measure::Rmse, of.rmse)).chain(likelihood).collect()
        }
    }
}

/// What the training took, and the error that it left on its rows.
fn of_training(fitted: &Fitted) -> Vec<(Measure, f64)> {
    let Fitted { model, train, seconds, .. } = fitted;
    let mut values = vec![(Measure::Seconds, *seconds)];
    if model.members().len() == 1 {
        values.push((Measure::StepMilliseconds, 1000.0 * seconds / model.run().steps as f64));
    }
    if let Evaluation::Classification(train) = train {
        values.push((Measure::TrainError, 100.0 * train.error));
    }
    values
}
