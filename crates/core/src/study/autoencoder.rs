//! One run of an autoencoder: its inputs are its targets (Srivastava et al. 2014, figures 7 and 8).

use std::collections::BTreeMap;

use thinnet_kernels::Isa;

use super::fit::Watch;
use super::record::{Found, Of};
use super::{Measure, Trial};
use crate::Spec;
use crate::average::{Link, average};
use crate::data::{Data, Examples, Targets};
use crate::error::{Error, Result};
use crate::measure::{Coadaptation, Effort, Subject, coadaptation, root_mean_squared_error};
use crate::model::{Prepared, prepare};
use crate::thin::{Sample, Thinning};
use crate::train::{Ended, Loss, Objective, Outcome, Threads, Trainer};

/// Trains, tests the reconstructions by each average and measures the hidden layers; nothing if the run
/// was interrupted.
pub(super) fn autoencode(
    trial: &Trial,
    spec: &Spec,
    train: &Data,
    test: &Data,
    threads: &Threads,
    watch: &mut Watch,
) -> Result<Option<Found>> {
    let mut prepared = prepare(train, None, spec)?;
    prepared.spec.train.loss = Some(Loss::Squared);
    prepared.train = mirrored(prepared.train);
    prepared.valid = prepared.valid.map(mirrored);
    trial.averages.iter().try_for_each(|&by| prepared.check_average(by))?;
    let Prepared { spec, pipeline, train, valid, .. } = prepared;
    let isa = Isa::from_environment().map_err(Error::Machine)?;
    let trainer =
        Trainer { network: &spec.network, thin: &spec.thin, train: &spec.train, seed: spec.seed, isa };
    let outcome = trainer.run(&train, valid.as_ref(), threads, watch)?;
    let Outcome { network, ended, steps, seconds, .. } = outcome;
    match ended {
        Ended::Interrupted => return Ok(None),
        Ended::NotFinite { step, learning_rate } => return Err(Error::NotFinite { step, learning_rate }),
        _ => {}
    }
    let examples = mirrored(pipeline.examples(test, None)?);
    let thinning = Thinning::new(&spec.thin, &network, spec.seed)?;
    let mut measures = Vec::new();
    for by in &trial.averages {
        let averaged =
            threads.run(|| average(isa, &network, &thinning, Link::Identity, &examples.inputs, *by))?;
        let rmse = root_mean_squared_error(&averaged.mean, &examples.inputs, None)?;
        measures.push(Of { of: by.to_string(), values: BTreeMap::from([(Measure::Rmse, rmse)]) });
    }
    let step = 1000.0 * seconds / steps as f64;
    measures[0].values.extend([(Measure::Seconds, seconds), (Measure::StepMilliseconds, step)]);
    let objective = Objective::new(&spec.train, &examples.targets)?;
    let subject = Subject { isa, network: &network, thinning: &thinning, objective };
    let effort = Effort { seed: spec.seed, ..Effort::default() };
    let layers = threads.run(|| coadaptation(&subject, &examples, &effort))?;
    let scale = |layer: &Coadaptation| f64::from(thinning.scale(layer.layer, Sample::Whole));
    measures.extend(layers.iter().map(|layer| of_layer(layer, scale(layer))));
    Ok(Some(Found { train_rows: train.rows(), test_rows: examples.rows(), measures, ..Found::default() }))
}

/// The inputs in the place of the targets.
fn mirrored(examples: Examples) -> Examples {
    let Examples { inputs, weights, .. } = examples;
    Examples { targets: Targets::Values(inputs.clone()), inputs, weights }
}

/// The measures of a layer. `scale` is what its activations are multiplied by when predicting, in the
/// paper's scaling: what a unit does itself is without it.
fn of_layer(layer: &Coadaptation, scale: f64) -> Of {
    let activity = &layer.activity;
    let known = [
        (Measure::MeanActivation, Some(activity.mean_activation / scale)),
        (Measure::Sparsity, Some(100.0 * activity.sparsity)),
        (Measure::Correlation, activity.mean_absolute_correlation),
        (Measure::EffectiveRank, activity.effective_rank),
        (Measure::Decov, Some(activity.decov / scale.powi(4))),
        (Measure::Interaction, layer.interaction.map(|interaction| interaction.mean)),
    ];
    let values = known.into_iter().filter_map(|(measure, value)| Some((measure, value?))).collect();
    Of { of: format!("layer {}", layer.layer), values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Activity;

    /// Halved activations are twice as large themselves, and their squared covariances 16 times.
    #[test]
    fn units_are_measured_before_they_are_scaled() {
        let activity = Activity {
            units: 5,
            constant_units: 0,
            mean_activation: 0.25,
            sparsity: 0.5,
            mean_absolute_correlation: Some(0.125),
            decov: 0.0625,
            effective_rank: None,
        };
        let layer = Coadaptation { layer: 2, activity, interaction: None, silenced: Vec::new() };
        let of = of_layer(&layer, 0.5);
        assert_eq!(of.of, "layer 2");
        let expected = [
            (Measure::MeanActivation, 0.5),
            (Measure::Sparsity, 50.0),
            (Measure::Correlation, 0.125),
            (Measure::Decov, 1.0),
        ];
        assert_eq!(of.values, BTreeMap::from(expected));
    }
}
