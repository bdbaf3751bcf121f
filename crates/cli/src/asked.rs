//! The spec that the options ask for.

use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind;
use thinnet::Spec;
use thinnet::data::{Data, DataSpec};
use thinnet::thin::Rates;

use crate::arguments::{Arguments, Columns, Fit, Rows};

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

/// Refuses to set a test part aside in data that come with one, where no mode would find it again.
pub fn check_test(data: &Path, share: f64) -> anyhow::Result<()> {
    if share > 0.0 && Data::has_parts(data) {
        anyhow::bail!(
            "{}: a folder of IDX files has a test part already, so that no other can be set aside; leave --test \
             (data.test) out",
            data.display()
        );
    }
    Ok(())
}

/// Puts what was typed in the place of what the spec says.
fn override_with(arguments: &Fit, spec: &mut Spec) {
    let Fit { columns, network, ensemble, loss, steps, .. } = arguments;
    set(&mut spec.seed, &arguments.seed);

    set_columns(&mut spec.data, columns);
    set(&mut spec.data.test, &arguments.test);

    set(&mut spec.network.hidden, &network.hidden.as_ref().map(|units| units.0.clone()));
    set(&mut spec.network.activation, &network.activation);
    set(&mut spec.network.initialise, &network.initialise);
    set(&mut spec.thin.input, &network.input_dropout);
    set(&mut spec.thin.share, &network.share);
    set(&mut spec.thin.share_rows, &network.share_rows);
    set(&mut spec.thin.scaling, &network.scaling);
    set(&mut spec.thin.drop, &network.drop);
    set(&mut spec.thin.count, &network.count);
    set(&mut spec.thin.schedule, &network.rate_schedule);
    set(&mut spec.thin.pool, &network.pool);
    set(&mut spec.thin.standout_slope, &network.standout_slope);
    set(&mut spec.thin.divergence_warmup, &network.divergence_warmup);
    set(&mut spec.thin.length_scale, &network.length_scale);
    set(&mut spec.thin.precision, &network.precision);
    fill(&mut spec.thin.masks, &network.masks);
    match network.dropout.as_ref().map(|rates| &rates.0[..]) {
        Some([rate]) => spec.thin.hidden = Rates::All(*rate),
        Some(rates) => spec.thin.hidden = Rates::Each(rates.to_vec()),
        None => {}
    }

    set(&mut spec.ensemble.members, &ensemble.members);
    set(&mut spec.ensemble.columns, &ensemble.column_share);
    spec.ensemble.bootstrap |= ensemble.bootstrap;
    if !ensemble.member_hidden.is_empty() {
        spec.ensemble.networks = ensemble.member_hidden.iter().map(|units| units.0.clone()).collect();
    }
    if !ensemble.member_activation.is_empty() {
        spec.ensemble.activations.clone_from(&ensemble.member_activation);
    }

    fill(&mut spec.train.loss, &loss.loss);
    set(&mut spec.train.huber_delta, &loss.huber_delta);
    set(&mut spec.train.label_smoothing, &loss.label_smoothing);
    set(&mut spec.train.pair, &loss.pair);
    set(&mut spec.train.class_weights, &loss.class_weights);
    set(&mut spec.train.l1, &loss.l1);
    set(&mut spec.train.l2, &loss.l2);
    set(&mut spec.train.max_norm, &loss.max_norm);
    set(&mut spec.train.clip, &loss.clip);

    set(&mut spec.train.optimizer, &steps.optimizer);
    set(&mut spec.train.learning_rate, &steps.lr);
    fill(&mut spec.train.schedule, &steps.schedule);
    set(&mut spec.train.warmup, &steps.warmup);
    set(&mut spec.train.momentum, &steps.momentum);
    set(&mut spec.train.weight_decay, &steps.weight_decay);
    set(&mut spec.train.epochs, &steps.epochs);
    set(&mut spec.train.steps, &steps.steps);
    set(&mut spec.train.minutes, &steps.minutes);
    set(&mut spec.train.slice, &steps.slice);
    set(&mut spec.train.min_improvement, &steps.min_improvement);
    set(&mut spec.train.weight_average, &steps.weight_average);
    set(&mut spec.average, &steps.average);
    spec.train.temperature |= steps.temperature;
    fill(&mut spec.train.batch, &steps.batch);
    fill(&mut spec.train.patience, &steps.patience);
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
