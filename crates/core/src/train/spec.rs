//! How a network is trained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Loss, Momentum, Optimizer, Pair, Schedule, WeightAverage};
use crate::data::Task;
use crate::error::{Error, Result};

/// What the rows of each class count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "write \"equal\", \"balanced\", or a table like { yes = 5.0, no = 1.0 }")]
pub enum ClassWeights {
    /// The word `equal`: 1 each.
    #[default]
    #[serde(with = "equal")]
    Equal,
    /// The word `balanced`: all classes count the same in sum.
    Named(Balanced),
    /// A weight for each class that is named; 1 for the others.
    Each(BTreeMap<String, f32>),
}

/// The word `equal` of a variant that holds nothing.
mod equal {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("equal")
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
        match String::deserialize(from)?.as_str() {
            "equal" => Ok(()),
            other => Err(D::Error::custom(format!("{other:?} is not \"equal\""))),
        }
    }
}

/// The word `balanced`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Balanced {
    /// All classes count the same in sum.
    Balanced,
}

/// The `[train]` part of a spec. A number that is 0 switches off what it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainSpec {
    /// What is minimised. Left out: cross-entropy for classes, squared error for numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// The share of each label that is spread over all classes, from 0 to below 1.
    pub label_smoothing: f32,
    /// From which error on the Huber loss is linear, in standard deviations of the target.
    pub huber_delta: f32,
    /// What the rows of each class count.
    pub class_weights: ClassWeights,

    /// What a second network on the same rows adds to the loss.
    pub pair: Pair,

    /// The rule of the update.
    pub optimizer: Optimizer,
    /// The learning rate before its schedule.
    pub learning_rate: f32,
    /// How the learning rate changes. Left out: cosine, or constant where only minutes end the run, so that
    /// its length is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Steps over which the learning rate rises from 0.
    pub warmup: u64,
    /// The momentum of `sgd` and `nesterov`.
    pub momentum: Momentum,
    /// How much of the mean of the gradients Adam keeps.
    pub beta1: f32,
    /// How much of the mean of their squares Adam keeps.
    pub beta2: f32,
    /// What keeps Adam's divisor from 0.
    pub epsilon: f32,
    /// Decoupled weight decay of `adamw`.
    pub weight_decay: f32,

    /// The penalty on the sum of |w|, weights only.
    pub l1: f32,
    /// The penalty on half the sum of w², weights only.
    pub l2: f32,
    /// The greatest norm of a unit's incoming weights.
    pub max_norm: f32,
    /// The greatest norm of the gradient of all parameters together.
    pub clip: f32,

    /// Rows of a mini-batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// Rows of a slice: the part of a mini-batch that one thread trains, and that may share a mask.
    pub slice: usize,
    /// The most epochs.
    pub epochs: u64,
    /// The most steps.
    pub steps: u64,
    /// The most minutes. A run that they end cannot be repeated to the bit.
    pub minutes: f64,
    /// Epochs without improvement of the validation loss before the run stops and the best
    /// parameters are restored; 0 switches both off. Left out: 50 where there are validation rows, which
    /// lets the cosine schedule come to its low rates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// By how much the validation loss must fall to count as improved.
    pub min_improvement: f64,
    /// Which mean of the weights is validated, chosen and kept.
    pub weight_average: WeightAverage,
    /// Whether a temperature of the logits is fitted on the validation rows after the run.
    pub temperature: bool,
}

impl Default for TrainSpec {
    fn default() -> Self {
        Self {
            loss: None,
            label_smoothing: 0.0,
            huber_delta: 1.0,
            class_weights: ClassWeights::Equal,
            pair: Pair::None,
            optimizer: Optimizer::Adam,
            learning_rate: 0.002,
            schedule: None,
            warmup: 0,
            momentum: Momentum::Constant(0.9),
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            l1: 0.0,
            l2: 0.0,
            max_norm: 0.0,
            clip: 0.0,
            batch: None,
            slice: 64,
            epochs: 100,
            steps: 0,
            minutes: 0.0,
            patience: None,
            min_improvement: 0.0,
            weight_average: WeightAverage::None,
            temperature: false,
        }
    }
}

impl TrainSpec {
    /// What is minimised, by default from what is learned.
    pub fn loss_for(&self, task: Task) -> Loss {
        let from_task = match task {
            Task::Classification => Loss::CrossEntropy,
            Task::Regression => Loss::Squared,
        };
        self.loss.unwrap_or(from_task)
    }

    /// The rows of a mini-batch, by default from the number of training rows.
    pub fn batch_for(&self, rows: usize) -> usize {
        let from_rows = match rows {
            0..=1024 => 32,
            1025..=8192 => 64,
            8193..=100_000 => 128,
            _ => 256,
        };
        self.batch.unwrap_or(from_rows)
    }

    /// Whether it is known beforehand after how many steps the run ends at the latest.
    pub fn length_is_known(&self) -> bool {
        self.epochs > 0 || self.steps > 0
    }

    /// How the learning rate changes, by default from whether the length of the run is known.
    pub fn schedule_for(&self) -> Schedule {
        let from_length = if self.length_is_known() { Schedule::Cosine } else { Schedule::Constant };
        self.schedule.unwrap_or(from_length)
    }

    /// The epochs to wait for an improvement, by default from whether there are validation rows.
    pub fn patience_for(&self, validates: bool) -> u64 {
        self.patience.unwrap_or(if validates { 50 } else { 0 })
    }

    /// How many outputs a network has for so many classes, or for values.
    pub fn outputs(&self, predicted: usize) -> usize {
        self.loss.map_or(predicted, |loss| loss.outputs(predicted))
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Spec`] names the first field that cannot be used.
    pub fn check(&self) -> Result<()> {
        let not_negative = [
            ("train.l1", f64::from(self.l1)),
            ("train.l2", f64::from(self.l2)),
            ("train.max_norm", f64::from(self.max_norm)),
            ("train.clip", f64::from(self.clip)),
            ("train.weight_decay", f64::from(self.weight_decay)),
            ("train.minutes", self.minutes),
            ("train.min_improvement", self.min_improvement),
        ];
        for (field, value) in not_negative {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::spec(field, format!("must be 0 or more, not {value}")));
            }
        }
        let positive = [
            ("train.learning_rate", self.learning_rate),
            ("train.huber_delta", self.huber_delta),
            ("train.epsilon", self.epsilon),
        ];
        for (field, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::spec(field, format!("must be above 0, not {value}")));
            }
        }
        let shares = [
            ("train.label_smoothing", self.label_smoothing),
            ("train.beta1", self.beta1),
            ("train.beta2", self.beta2),
        ];
        for (field, value) in shares {
            if !(0.0..1.0).contains(&value) {
                return Err(Error::spec(field, format!("must be at least 0 and below 1, not {value}")));
            }
        }
        for (field, rows) in [("train.batch", self.batch.unwrap_or(1)), ("train.slice", self.slice)] {
            if !(1..=1 << 20).contains(&rows) {
                return Err(Error::spec(field, format!("must be from 1 to {} rows, not {rows}", 1 << 20)));
            }
        }
        if !self.length_is_known() && self.minutes == 0.0 {
            return Err(Error::spec(
                "train.epochs",
                "at least one of epochs, steps and minutes must be above 0",
            ));
        }
        if let ClassWeights::Each(weights) = &self.class_weights
            && let Some((class, weight)) =
                weights.iter().find(|(_, weight)| !(**weight >= 0.0 && weight.is_finite()))
        {
            return Err(Error::spec("train.class_weights", format!("class {class} has the weight {weight}")));
        }
        self.weight_average.check(self.length_is_known())?;
        self.pair.check(self.loss)?;
        self.schedule.map_or(Ok(()), |schedule| schedule.check())?;
        self.momentum.check()
    }
}
