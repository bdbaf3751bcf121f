//! What is minimised, and its gradient by the outputs.

use serde::{Deserialize, Serialize};
use thinnet_kernels::{Isa, elementwise};

use super::TrainSpec;
use crate::data::Targets;
use crate::error::{Error, Result};

/// The losses. For several outputs, those of numbers are means over the outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Softmax over the classes, then -log of the label's probability.
    CrossEntropy,
    /// For two classes and one output: the logistic of it, then -log of the label's probability.
    BinaryCrossEntropy,
    /// (output - target)²
    Squared,
    /// |output - target|
    Absolute,
    /// Half the squared error up to delta, linear beyond it (Huber 1964).
    Huber,
}

/// A loss with its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    loss: Loss,
    smoothing: f64,
    delta: f32,
}

impl Objective {
    /// The loss of a spec, or the one that suits the targets.
    ///
    /// # Errors
    /// [`Error::Spec`] if the loss does not suit the targets.
    pub fn new(spec: &TrainSpec, targets: &Targets) -> Result<Self> {
        let (default, fits): (Loss, &[Loss]) = match targets {
            Targets::Classes { classes: 2, .. } => {
                (Loss::CrossEntropy, &[Loss::CrossEntropy, Loss::BinaryCrossEntropy])
            }
            Targets::Classes { .. } => (Loss::CrossEntropy, &[Loss::CrossEntropy]),
            Targets::Values(_) => (Loss::Squared, &[Loss::Squared, Loss::Absolute, Loss::Huber]),
        };
        let loss = spec.loss.unwrap_or(default);
        if !fits.contains(&loss) {
            let problem = match targets {
                Targets::Classes { classes, .. } => {
                    let for_two = if *classes == 2 { " or binary-cross-entropy" } else { "" };
                    format!("does not suit {classes} classes; use cross-entropy{for_two}")
                }
                Targets::Values(_) => {
                    "does not suit a regression; use squared, absolute or huber".to_string()
                }
            };
            return Err(Error::spec("train.loss", problem));
        }
        Ok(Self { loss, smoothing: f64::from(spec.label_smoothing), delta: spec.huber_delta })
    }

    /// Which loss it is.
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// How many outputs a network needs for these targets.
    pub fn outputs(&self, targets: &Targets) -> usize {
        match (targets, self.loss) {
            (Targets::Classes { .. }, Loss::BinaryCrossEntropy) => 1,
            (Targets::Classes { classes, .. }, _) => *classes,
            (Targets::Values(values), _) => values.columns(),
        }
    }

    /// The sum of the losses of some rows, each times its weight, and the gradient of it times `factor`.
    ///
    /// `outputs` and `gradients` are `[outputs, padded]` with the given number of rows in each
    /// line; row number i of them is row `rows[i]` of the targets. Gradients of padding are set to 0.
    pub(crate) fn differentiate(
        &self,
        isa: Isa,
        outputs: &[f32],
        padded: usize,
        targets: &Targets,
        rows: &[usize],
        weights: Option<&[f32]>,
        factor: f32,
        gradients: &mut [f32],
    ) -> f64 {
        let weight = |position: usize| weights.map_or(1.0, |weights| weights[rows[position]]);
        let mut total = 0.0;
        match targets {
            Targets::Classes { labels, .. } if self.loss == Loss::CrossEntropy => {
                softmax_lines(isa, outputs, padded, gradients);
                let classes = outputs.len() / padded;
                let (off, on) = (self.smoothing / classes as f64, 1.0 - self.smoothing);
                for (position, &row) in rows.iter().enumerate() {
                    let label = labels[row] as usize;
                    let column = |class: usize| outputs[class * padded + position];
                    total += f64::from(weight(position)) * self.cross_entropy(classes, label, column);
                    let factor = factor * weight(position);
                    for class in 0..classes {
                        let target = off + if class == label { on } else { 0.0 };
                        let gradient = &mut gradients[class * padded + position];
                        *gradient = (*gradient - target as f32) * factor;
                    }
                }
            }
            _ => {
                for (position, &row) in rows.iter().enumerate() {
                    let width = outputs.len() / padded;
                    for output in 0..width {
                        let at = output * padded + position;
                        let (loss, slope) = self.single(outputs[at], targets, row, output);
                        total += f64::from(weight(position)) * loss / width as f64;
                        gradients[at] = slope * factor * weight(position) / width as f32;
                    }
                }
            }
        }
        for line in gradients.chunks_exact_mut(padded) {
            line[rows.len()..].fill(0.0);
        }
        total
    }

    /// The loss of one row of outputs.
    pub(crate) fn value(&self, outputs: &[f32], targets: &Targets, row: usize) -> f64 {
        match targets {
            Targets::Classes { labels, .. } if self.loss == Loss::CrossEntropy => {
                self.cross_entropy(outputs.len(), labels[row] as usize, |class| outputs[class])
            }
            _ => {
                let losses =
                    outputs.iter().enumerate().map(|(output, &z)| self.single(z, targets, row, output).0);
                losses.sum::<f64>() / outputs.len() as f64
            }
        }
    }

    /// The same loss without label smoothing, for validation rows.
    pub(crate) fn without_smoothing(self) -> Self {
        Self { smoothing: 0.0, ..self }
    }

    /// -sum over classes of target log softmax.
    fn cross_entropy(&self, classes: usize, label: usize, logit: impl Fn(usize) -> f32) -> f64 {
        let largest = (0..classes).map(&logit).fold(f32::NEG_INFINITY, f32::max);
        let (mut sum, mut mean) = (0.0, 0.0);
        for class in 0..classes {
            let below = f64::from(logit(class) - largest);
            sum += libm::exp(below);
            mean += below / classes as f64;
        }
        let label = f64::from(logit(label) - largest);
        libm::log(sum) - (1.0 - self.smoothing) * label - self.smoothing * mean
    }

    /// The loss of one output alone, and its derivative.
    fn single(&self, z: f32, targets: &Targets, row: usize, output: usize) -> (f64, f32) {
        match targets {
            Targets::Classes { labels, .. } => {
                let target = (1.0 - self.smoothing) * f64::from(labels[row]) + 0.5 * self.smoothing;
                let z = f64::from(z);
                let softplus = z.max(0.0) + libm::log1p(libm::exp(-z.abs()));
                (softplus - target * z, (1.0 / (1.0 + libm::exp(-z)) - target) as f32)
            }
            Targets::Values(values) => {
                let error = z - values.row(row)[output];
                let (magnitude, sign) = (error.abs(), if error == 0.0 { 0.0 } else { error.signum() });
                let (loss, slope) = match self.loss {
                    Loss::Absolute => (magnitude, sign),
                    Loss::Huber if magnitude <= self.delta => (0.5 * error * error, error),
                    Loss::Huber => (self.delta * (magnitude - 0.5 * self.delta), self.delta * sign),
                    _ => (error * error, 2.0 * error),
                };
                (f64::from(loss), slope)
            }
        }
    }
}

/// The softmax of each row: `logits` and `to` are `[classes, padded]`.
fn softmax_lines(isa: Isa, logits: &[f32], padded: usize, to: &mut [f32]) {
    let largest = |position: usize| {
        logits[position..].iter().step_by(padded).copied().fold(f32::NEG_INFINITY, f32::max)
    };
    for position in 0..padded {
        let largest = largest(position);
        for at in (position..logits.len()).step_by(padded) {
            to[at] = logits[at] - largest;
        }
    }
    elementwise::exponential(isa, &mut to[..logits.len()]);
    for position in 0..padded {
        let sum: f32 = to[position..logits.len()].iter().step_by(padded).sum();
        to[position..logits.len()].iter_mut().step_by(padded).for_each(|value| *value /= sum);
    }
}
