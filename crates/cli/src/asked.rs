//! The spec that the options ask for.

use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind;
use thinnet::Spec;
use thinnet::data::DataSpec;
use thinnet::thin::Rates;

use crate::arguments::{Arguments, Columns, Ensemble, Fit, LossOptions, Network, Rows, Steps};

/// The spec that the options ask for.
pub fn spec(arguments: &Fit) -> anyhow::Result<Spec> {
    let mut spec = match &arguments.spec {
        Some(path) => Spec::read(path)?,
        None => Spec::default(),
    };
    override_with(arguments, &mut spec);
    check_asked(arguments.spec.as_deref(), spec.check().and_then(|()| spec.check_effects()))?;
    Ok(spec)
}

/// What cannot be used is the fault of the command line, unless the spec's file alone cannot be used either.
pub fn check_asked(file: Option<&Path>, checked: thinnet::Result<()>) -> anyhow::Result<()> {
    let Err(error) = checked else { return Ok(()) };
    file.map_or(Ok(()), Spec::check_file)?;
    Err(Arguments::command().error(ErrorKind::ValueValidation, error).into())
}

/// Puts what was typed in the place of what the spec says.
fn override_with(arguments: &Fit, spec: &mut Spec) {
    set(&mut spec.seed, &arguments.seed);
    set_columns(&mut spec.data, &arguments.columns);
    set(&mut spec.data.test, &arguments.test);
    set_network(spec, &arguments.network);
    set_ensemble(spec, &arguments.ensemble);
    set_loss(spec, &arguments.loss);
    set_steps(spec, &arguments.steps);
}

fn set_network(spec: &mut Spec, network: &Network) {
    set(&mut spec.network.hidden, &network.hidden.as_ref().map(|units| units.0.clone()));
    set(&mut spec.network.activation, &network.activation);
    set(&mut spec.network.initialise, &network.initialise);

    let thin = &mut spec.thin;
    set(&mut thin.input, &network.input_dropout);
    set(&mut thin.share, &network.share);
    set(&mut thin.share_rows, &network.share_rows);
    set(&mut thin.scaling, &network.scaling);
    set(&mut thin.drop, &network.drop);
    set(&mut thin.count, &network.count);
    set(&mut thin.schedule, &network.rate_schedule);
    set(&mut thin.pool, &network.pool);
    set(&mut thin.standout_slope, &network.standout_slope);
    set(&mut thin.divergence_warmup, &network.divergence_warmup);
    set(&mut thin.length_scale, &network.length_scale);
    set(&mut thin.precision, &network.precision);
    fill(&mut thin.masks, &network.masks);
    match network.dropout.as_ref().map(|rates| &rates.0[..]) {
        Some([rate]) => thin.hidden = Rates::All(*rate),
        Some(rates) => thin.hidden = Rates::Each(rates.to_vec()),
        None => {}
    }
}

fn set_ensemble(spec: &mut Spec, ensemble: &Ensemble) {
    set(&mut spec.ensemble.members, &ensemble.members);
    set(&mut spec.ensemble.columns, &ensemble.column_share);
    spec.ensemble.bootstrap |= ensemble.bootstrap;
    if !ensemble.member_hidden.is_empty() {
        spec.ensemble.networks = ensemble.member_hidden.iter().map(|units| units.0.clone()).collect();
    }
    if !ensemble.member_activation.is_empty() {
        spec.ensemble.activations.clone_from(&ensemble.member_activation);
    }
}

fn set_loss(spec: &mut Spec, loss: &LossOptions) {
    let train = &mut spec.train;
    fill(&mut train.loss, &loss.loss);
    set(&mut train.huber_delta, &loss.huber_delta);
    set(&mut train.label_smoothing, &loss.label_smoothing);
    set(&mut train.pair, &loss.pair);
    set(&mut train.class_weights, &loss.class_weights);
    set(&mut train.l1, &loss.l1);
    set(&mut train.l2, &loss.l2);
    set(&mut train.max_norm, &loss.max_norm);
    set(&mut train.clip, &loss.clip);
}

fn set_steps(spec: &mut Spec, steps: &Steps) {
    let train = &mut spec.train;
    set(&mut train.optimizer, &steps.optimizer);
    set(&mut train.learning_rate, &steps.lr);
    fill(&mut train.schedule, &steps.schedule);
    set(&mut train.warmup, &steps.warmup);
    set(&mut train.momentum, &steps.momentum);
    set(&mut train.weight_decay, &steps.weight_decay);
    set(&mut train.epochs, &steps.epochs);
    set(&mut train.steps, &steps.steps);
    set(&mut train.minutes, &steps.minutes);
    set(&mut train.slice, &steps.slice);
    set(&mut train.min_improvement, &steps.min_improvement);
    set(&mut train.weight_average, &steps.weight_average);
    train.temperature |= steps.temperature;
    fill(&mut train.batch, &steps.batch);
    fill(&mut train.patience, &steps.patience);
    set(&mut spec.average, &steps.average);
}

/// Puts an option, where it was typed, in the place of a field.
pub fn set<T: Clone>(field: &mut T, option: &Option<T>) {
    if let Some(value) = option {
        field.clone_from(value);
    }
}

fn fill<T: Clone>(field: &mut Option<T>, option: &Option<T>) {
    if option.is_some() {
        field.clone_from(option);
    }
}

/// Puts what was typed of the columns in the place of what the spec says.
pub fn set_columns(spec: &mut DataSpec, columns: &Columns) {
    fill(&mut spec.target, &columns.target);
    fill(&mut spec.task, &columns.task);
    fill(&mut spec.weight, &columns.weight);
    if !columns.ignore.is_empty() {
        spec.ignore.clone_from(&columns.ignore);
    }
    spec.types.extend(columns.types.iter().cloned());
    if let Some(Rows::Fraction(fraction)) = columns.valid {
        spec.valid = Some(fraction);
    }
}
