//! A model in words: its network, who is dropped, how it is trained, and how that ended.

use serde::Serialize;
use serde_json::json;
use thinnet::Spec;
use thinnet::model::{Model, Run};
use thinnet::thin::{Count, Drop, Pruned, PrunedLayer, RateSchedule, Scaling, ThinSpec};
use thinnet::train::{ClassWeights, Ended, Loss, Optimizer, Pair, TrainSpec, WeightAverage};

use crate::text;

/// The name that a spec has for something.
pub fn named(value: &impl Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_string()
}

/// 784-1024-1024-10 relu
pub fn shape(spec: &Spec, inputs: usize, outputs: usize) -> String {
    let widths: Vec<String> = spec.network.widths(inputs, outputs).iter().map(usize::to_string).collect();
    format!("{} {}", widths.join("-"), named(&spec.network.activation))
}

/// The network, or how many there are and in what they differ.
pub fn networks(spec: &Spec, inputs: usize, outputs: usize) -> String {
    let ensemble = &spec.ensemble;
    if ensemble.members == 1 {
        return shape(&spec.member(0), inputs, outputs);
    }
    let mut shapes: Vec<String> = Vec::new();
    for member in 0..ensemble.members {
        let shape = shape(&spec.member(member), inputs, outputs);
        if !shapes.contains(&shape) {
            shapes.push(shape);
        }
    }
    let turns = if shapes.len() > 1 { " by turns" } else { "" };
    let rows = if ensemble.bootstrap { ", rows drawn with replacement" } else { "" };
    let columns = match ensemble.columns {
        1.0 => String::new(),
        share => format!(", {share} of the columns each"),
    };
    format!("{} members of {}{turns}{rows}{columns}", ensemble.members, text::some_of(&shapes, 4))
}

/// Who is dropped how often, if anyone is.
pub fn thinning(spec: &Spec) -> Option<String> {
    let thin = &spec.thin;
    if thin.drop == Drop::SparseVariational {
        let what = std::iter::once("weights, with sparse-variational noise on each".to_string());
        return Some(what.chain(settings(thin)).collect::<Vec<_>>().join(", "));
    }
    let rates = thin.rates(spec.network.hidden.len()).unwrap_or_default();
    if rates.iter().all(|&rate| rate == 0.0) {
        return None;
    }
    let (input, mut hidden) = (rates[0], rates[1..].to_vec());
    hidden.dedup();
    let hidden: Vec<String> = hidden.iter().map(f32::to_string).collect();
    // Fixed masks have a count of their own, and the rates only say where they are.
    let share = |rates: String| if thin.masks.is_some() { String::new() } else { format!("{rates} of ") };
    let parts = [
        (!hidden.is_empty()).then(|| format!("{}hidden units", share(hidden.join(", ")))),
        (input > 0.0).then(|| format!("{}inputs", share(input.to_string()))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let what = match thin.drop {
        Drop::Units => masks(thin),
        Drop::Edges if thin.share_rows > 0 => {
            format!("edges dropped with one mask for {} rows", thin.share_rows)
        }
        Drop::Edges => format!("edges dropped with one mask for each {}", named(&thin.share)),
        Drop::EdgesGaussian => "edges with the Gaussian form of dropping them, for each row".into(),
        drop => format!("{} noise, one for each {}", named(&drop), named(&thin.share)),
    };
    let all: Vec<String> = [parts.join(" and "), what].into_iter().chain(settings(thin)).collect();
    Some(all.join(", "))
}

/// Which masks units have: one mask for each slice, one of 500 masks for each slice, 4 fixed masks at scale 2
pub fn masks(thin: &ThinSpec) -> String {
    match thin.masks {
        Some(masks) => {
            format!("{} fixed masks at scale {}, which slices take in turn", masks.members, masks.scale)
        }
        None if thin.pool > 0 => format!("one of {} masks for each slice", thin.pool),
        None => format!("one mask for each {}", named(&thin.share)),
    }
}

/// What else is not as usual in the noise.
fn settings(thin: &ThinSpec) -> impl Iterator<Item = String> {
    let usual = ThinSpec::default();
    let parts = [
        (thin.count == Count::Exact).then(|| "an exact count".into()),
        (thin.schedule != RateSchedule::Constant).then(|| format!("rates {} over the run", thin.schedule)),
        (thin.scaling == Scaling::AtPrediction).then(|| "scaled at prediction".into()),
        (thin.standout_slope != usual.standout_slope).then(|| format!("slope {}", thin.standout_slope)),
        (thin.divergence_warmup > 0)
            .then(|| format!("divergence rising over {} steps", text::count(thin.divergence_warmup))),
        (thin.length_scale != usual.length_scale).then(|| format!("length scale {}", thin.length_scale)),
        (thin.precision != usual.precision).then(|| format!("precision {}", thin.precision)),
    ];
    parts.into_iter().flatten()
}

/// cross-entropy, adam, learning rate 0.001 (constant), batches of 64, slices of 64
pub fn training(spec: &Spec, training_rows: usize) -> String {
    let train = &spec.train;
    let parts = [
        train.loss.map(|loss| match loss {
            Loss::Huber => format!("huber, linear from {} deviations on", train.huber_delta),
            loss => named(&loss),
        }),
        Some(optimizer(train)),
        Some(format!("learning rate {} ({})", train.learning_rate, train.schedule_for())),
        (train.warmup > 0).then(|| format!("rising over {} steps", text::count(train.warmup))),
        Some(format!("batches of {}", train.batch_for(training_rows))),
        Some(format!("slices of {}", train.slice)),
        (train.clip > 0.0).then(|| format!("gradients of norm {} at most", train.clip)),
        class_weights(&train.class_weights),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// adam; sgd with momentum 0.9
fn optimizer(train: &TrainSpec) -> String {
    let (name, usual) = (named(&train.optimizer), TrainSpec::default());
    let of_adam = |train: &TrainSpec| (train.beta1, train.beta2, train.epsilon);
    match train.optimizer {
        Optimizer::Sgd | Optimizer::Nesterov => format!("{name} with momentum {}", train.momentum),
        _ if of_adam(train) == of_adam(&usual) => name,
        _ => format!("{name} with betas {} and {}, epsilon {}", train.beta1, train.beta2, train.epsilon),
    }
}

fn class_weights(weights: &ClassWeights) -> Option<String> {
    match weights {
        ClassWeights::Equal => None,
        ClassWeights::Named(_) => Some("balanced class weights".into()),
        ClassWeights::Each(weights) => {
            let each: Vec<String> =
                weights.iter().map(|(class, weight)| format!("{class}={weight}")).collect();
            Some(format!("class weights {}", each.join(" ")))
        }
    }
}

/// What else keeps the network from overfitting, if anything does.
pub fn penalties(spec: &Spec) -> Option<String> {
    let train = &spec.train;
    let patience = train.patience.unwrap_or(0);
    let least = match train.min_improvement {
        0.0 => String::new(),
        least => format!(" of {least}"),
    };
    let parts = [
        (train.l1 > 0.0).then(|| format!("L1 of {}", train.l1)),
        (train.l2 > 0.0).then(|| format!("L2 of {}", train.l2)),
        (train.weight_decay > 0.0 && train.optimizer == Optimizer::Adamw)
            .then(|| format!("weight decay of {}", train.weight_decay)),
        (train.max_norm > 0.0).then(|| format!("max-norm {}", train.max_norm)),
        (train.label_smoothing > 0.0).then(|| format!("label smoothing of {}", train.label_smoothing)),
        (train.pair != Pair::None).then(|| train.pair.to_string()),
        (train.weight_average != WeightAverage::None)
            .then(|| format!("mean of weights {}", train.weight_average)),
        (patience > 0).then(|| format!("early stopping after {patience} epochs without improvement{least}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Whether a model is an ensemble.
pub fn several(model: &Model) -> bool {
    model.members().len() > 1
}

/// Why a run ended, and which epoch it left.
pub fn ending(run: &Run, spec: &Spec) -> String {
    let epochs = run.epochs();
    let why = match run.ended {
        Ended::Finished => format!("The run went to its end, epoch {epochs}"),
        Ended::Patience => format!(
            "The validation loss had not improved for {} epochs, so epoch {epochs} was the last",
            spec.train.patience_for(true)
        ),
        Ended::Minutes => format!("The time was over in epoch {epochs}"),
        Ended::Interrupted => format!("You stopped the run in epoch {epochs}"),
        Ended::NotFinite { step, .. } => format!("The loss was no longer finite at step {step}"),
    };
    let kept = match (run.chosen_epoch, run.validation_rows) {
        (chosen, 1..) if chosen != epochs => {
            format!("epoch {chosen}, the best on the validation rows, is kept")
        }
        (chosen, _) => format!("epoch {chosen} is kept"),
    };
    format!("{why}; {kept}.")
}

/// What pruning left.
pub fn left(pruned: &Pruned) -> String {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let sum = |of: fn(&PrunedLayer) -> usize| pruned.layers.iter().map(of).fold(0, usize::saturating_add);
    let layers: Vec<String> = pruned.layers.iter().map(|layer| percent(layer.sparsity())).collect();
    let hidden: Vec<String> = pruned.hidden().iter().map(usize::to_string).collect();
    let units = match hidden.is_empty() {
        true => String::new(),
        false => format!(" {} hidden units are left.", hidden.join("-")),
    };
    format!(
        "Pruned: {} of {} weights are left, a sparsity of {} % ({} % by layer).{units}",
        text::count(sum(|layer| layer.kept_weights) as u64),
        text::count(sum(|layer| layer.weights) as u64),
        percent(pruned.sparsity()),
        layers.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pruning_left_is_counted_over_all_layers() {
        let layer = |weights: usize, kept_units: usize| PrunedLayer {
            weights,
            kept_weights: weights / 4,
            units: kept_units + 5,
            kept_units,
        };
        let pruned = Pruned { layers: vec![layer(3_000, 20), layer(1_000, 10)] };
        let expected = "Pruned: 1,000 of 4,000 weights are left, a sparsity of 75.0 % (75.0, 75.0 % by layer). \
                        20 hidden units are left.";
        assert_eq!(left(&pruned), expected);
        assert!(left(&Pruned { layers: vec![layer(40, 1)] }).ends_with("(75.0 % by layer)."));
    }
}
