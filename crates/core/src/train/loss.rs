//! What is minimised, and its gradient by the outputs.

use std::f64::consts::TAU as TWO_PI;

use serde::{Deserialize, Serialize};
use thinnet_kernels::{Isa, elementwise};

use super::TrainSpec;
use crate::data::{Examples, Targets, largest};
use crate::error::{Error, Result};
use crate::network::Network;

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
    /// -log of the density of a normal distribution whose mean and variance are both predicted (Nix and
    /// Weigend 1994; Lakshminarayanan et al. 2017, equation 1). There are two outputs for each value: first
    /// all means, then one number for each variance, which is log(1 + exp(number)) + 10⁻⁶.
    Normal,
}

impl Loss {
    /// How many outputs a network has for so many classes or values.
    pub fn outputs(self, predicted: usize) -> usize {
        match self {
            Loss::BinaryCrossEntropy => 1,
            Loss::Normal => 2 * predicted,
            _ => predicted,
        }
    }
}

/// The least variance that [`Loss::Normal`] knows, of values with variance 1.
const LEAST_VARIANCE: f64 = 1e-6;

/// The variance that an output of [`Loss::Normal`] stands for.
pub(crate) fn variance(output: f32) -> f64 {
    softplus(f64::from(output)) + LEAST_VARIANCE
}

/// log(1 + exp(z))
fn softplus(z: f64) -> f64 {
    z.max(0.0) + libm::log1p(libm::exp(-z.abs()))
}

/// The rows of a slice with their targets.
pub(crate) struct Labelled<'a> {
    /// The targets of all rows.
    pub targets: &'a Targets,
    /// Which rows the slice has.
    pub rows: &'a [usize],
    /// What each of all rows counts; `None` means 1 each.
    pub weights: Option<&'a [f32]>,
    /// What gradients are multiplied by.
    pub factor: f32,
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
            Targets::Values(_) => {
                (Loss::Squared, &[Loss::Squared, Loss::Absolute, Loss::Huber, Loss::Normal])
            }
        };
        let loss = spec.loss.unwrap_or(default);
        if !fits.contains(&loss) {
            let problem = match targets {
                Targets::Classes { classes, .. } => {
                    let for_two = if *classes == 2 { " or binary-cross-entropy" } else { "" };
                    format!("does not suit {classes} classes; use cross-entropy{for_two}")
                }
                Targets::Values(_) => {
                    "does not suit a regression; use squared, absolute, huber or normal".to_string()
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

    /// Whether these are targets that the loss is defined for.
    pub(crate) fn suits(&self, targets: &Targets) -> bool {
        let of_classes = matches!(self.loss, Loss::CrossEntropy | Loss::BinaryCrossEntropy);
        of_classes == matches!(targets, Targets::Classes { .. })
    }

    /// How many outputs a network needs for these targets.
    pub fn outputs(&self, targets: &Targets) -> usize {
        self.loss.outputs(match targets {
            Targets::Classes { classes, .. } => *classes,
            Targets::Values(values) => values.columns(),
        })
    }

    /// Refuses examples that this loss and a network cannot take.
    ///
    /// # Errors
    /// [`Error::Argument`] if their columns are not the network's inputs, or their targets not of the kind
    /// that loss and network are for.
    pub(crate) fn check(self, examples: &Examples, network: &Network) -> Result<()> {
        let (columns, inputs) = (examples.inputs.columns(), network.inputs());
        if columns != inputs {
            return Err(Error::argument(
                "examples",
                format!("{columns} columns for a network of {inputs} inputs"),
            ));
        }
        if !self.suits(&examples.targets) || self.outputs(&examples.targets) != network.outputs() {
            return Err(Error::argument(
                "examples",
                "their targets are not of the kind that the network learns",
            ));
        }
        Ok(())
    }

    /// The sum of the losses of a slice's rows, each times its weight, and its gradient times the
    /// slice's factor.
    ///
    /// `outputs` and `gradients` are `[outputs, padded]`: each line holds the slice's rows in their
    /// order. Gradients of padding are set to 0.
    pub(crate) fn differentiate(
        &self,
        isa: Isa,
        slice: &Labelled,
        outputs: &[f32],
        padded: usize,
        gradients: &mut [f32],
    ) -> f64 {
        let Labelled { targets, rows, factor, .. } = *slice;
        let weight = |position: usize| slice.weights.map_or(1.0, |weights| weights[rows[position]]);
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
            Targets::Values(values) if self.loss == Loss::Normal => {
                let (means, numbers) = outputs.split_at(outputs.len() / 2);
                let (by_means, by_numbers) = gradients.split_at_mut(means.len());
                for (position, &row) in rows.iter().enumerate() {
                    let targets = values.row(row);
                    let share = f64::from(weight(position)) / targets.len() as f64;
                    for (at, &target) in (position..).step_by(padded).zip(targets) {
                        let (loss, slopes) = normal(means[at], numbers[at], target);
                        total += share * loss;
                        [by_means[at], by_numbers[at]] =
                            slopes.map(|slope| (slope * share * f64::from(factor)) as f32);
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
            Targets::Values(values) if self.loss == Loss::Normal => {
                let (means, numbers) = outputs.split_at(outputs.len() / 2);
                let each = means.iter().zip(numbers).zip(values.row(row));
                let losses = each.map(|((&mean, &number), &target)| normal(mean, number, target).0);
                losses.sum::<f64>() / means.len() as f64
            }
            _ => {
                let losses =
                    outputs.iter().enumerate().map(|(output, &z)| self.single(z, targets, row, output).0);
                losses.sum::<f64>() / outputs.len() as f64
            }
        }
    }

    /// The loss of one row of outputs, and whether their class is not the row's; of values none is wrong.
    pub(crate) fn judge(&self, outputs: &[f32], targets: &Targets, row: usize) -> (f64, bool) {
        let wrong = match targets {
            Targets::Classes { labels, .. } => predicted_class(outputs) != labels[row],
            Targets::Values(_) => false,
        };
        (self.value(outputs, targets, row), wrong)
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
                (softplus(z) - target * z, (logistic(z) - target) as f32)
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

/// The class with the largest logit; with one output, class 1 where it is positive.
fn predicted_class(logits: &[f32]) -> u32 {
    match logits {
        [logit] => u32::from(*logit > 0.0),
        logits => largest(logits) as u32,
    }
}

/// -log of the density of a target, and its derivatives by the outputs for mean and variance.
fn normal(mean: f32, number: f32, target: f32) -> (f64, [f64; 2]) {
    let (error, variance) = (f64::from(mean) - f64::from(target), variance(number));
    let square = error * error / variance;
    let loss = 0.5 * (libm::log(TWO_PI * variance) + square);
    let by_variance = 0.5 * (1.0 - square) / variance;
    (loss, [error / variance, by_variance * logistic(f64::from(number))])
}

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-z))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Matrix;

    /// A line of outputs for 16 rows, as the kernels pad them.
    const PADDED: usize = 16;

    fn objective(loss: Loss, smoothing: f32, targets: &Targets) -> Objective {
        let spec = TrainSpec {
            loss: Some(loss),
            label_smoothing: smoothing,
            huber_delta: 0.5,
            ..TrainSpec::default()
        };
        Objective::new(&spec, targets).unwrap()
    }

    /// The loss and the gradients of one row, whose target is row 1 of the targets, with a factor of 0.5.
    fn one_row(
        objective: Objective,
        outputs: &[f32],
        targets: &Targets,
        weights: Option<&[f32]>,
    ) -> (f64, Vec<f32>) {
        let mut lines = vec![0.25; outputs.len() * PADDED];
        lines.iter_mut().step_by(PADDED).zip(outputs).for_each(|(line, output)| *line = *output);
        let mut gradients = vec![f32::NAN; lines.len()];
        let isa = Isa::from_environment().unwrap();
        let slice = Labelled { targets, rows: &[1], weights, factor: 0.5 };
        let loss = objective.differentiate(isa, &slice, &lines, PADDED, &mut gradients);
        let padding = gradients.chunks(PADDED).flat_map(|line| &line[1..]);
        assert!(padding.into_iter().all(|&gradient| gradient == 0.0), "padding has no gradient");
        let value =
            objective.value(outputs, targets, 1) * weights.map_or(1.0, |weights| f64::from(weights[1]));
        assert!((loss - value).abs() < 1e-12, "{loss} when trained, {value} when validated");
        (loss, gradients.into_iter().step_by(PADDED).collect())
    }

    #[track_caller]
    fn near(found: (f64, Vec<f32>), loss: f64, gradients: &[f64]) {
        assert!((found.0 - loss).abs() < 1e-6, "loss {}, not {loss}", found.0);
        assert_eq!(found.1.len(), gradients.len());
        for (found, gradient) in found.1.iter().zip(gradients) {
            assert!((f64::from(*found) - gradient).abs() < 1e-6, "gradient {found}, not {gradient}");
        }
    }

    #[test]
    fn cross_entropy_by_hand() {
        let targets = Targets::Classes { labels: vec![0, 1], classes: 2 };
        // Probabilities 1/4 and 3/4.
        let outputs = [0.0, 3.0_f32.ln()];
        let plain = objective(Loss::CrossEntropy, 0.0, &targets);
        near(one_row(plain, &outputs, &targets, None), (4.0_f64 / 3.0).ln(), &[0.125, -0.125]);
        near(
            one_row(plain, &outputs, &targets, Some(&[9.0, 2.0])),
            2.0 * (4.0_f64 / 3.0).ln(),
            &[0.25, -0.25],
        );
        // The targets are 0.1 and 0.9.
        let smoothed = objective(Loss::CrossEntropy, 0.2, &targets);
        let loss = 0.1 * 4.0_f64.ln() + 0.9 * (4.0_f64 / 3.0).ln();
        near(one_row(smoothed, &outputs, &targets, None), loss, &[0.075, -0.075]);
        assert!(
            (smoothed.without_smoothing().value(&outputs, &targets, 1) - (4.0_f64 / 3.0).ln()).abs() < 1e-7
        );
    }

    #[test]
    fn binary_cross_entropy_by_hand() {
        let targets = Targets::Classes { labels: vec![1, 0], classes: 2 };
        let outputs = [3.0_f32.ln()];
        let plain = objective(Loss::BinaryCrossEntropy, 0.0, &targets);
        near(one_row(plain, &outputs, &targets, None), 4.0_f64.ln(), &[0.375]);
        let smoothed = objective(Loss::BinaryCrossEntropy, 0.2, &targets);
        let loss = 0.1 * (4.0_f64 / 3.0).ln() + 0.9 * 4.0_f64.ln();
        near(one_row(smoothed, &outputs, &targets, None), loss, &[0.325]);
    }

    #[test]
    fn losses_of_numbers_by_hand() {
        let targets = Targets::Values(Matrix::new(2, 2, vec![7.0, 7.0, 1.0, -1.0]).unwrap());
        // Errors of 0.25 and -2.
        let row = |loss| one_row(objective(loss, 0.0, &targets), &[1.25, -3.0], &targets, Some(&[0.0, 3.0]));
        near(row(Loss::Squared), 3.0 * (0.0625 + 4.0) / 2.0, &[3.0 * 0.5 * 0.25, -3.0 * 2.0 * 0.5]);
        near(row(Loss::Absolute), 3.0 * 2.25 / 2.0, &[3.0 * 0.25, -3.0 * 0.25]);
        // Half of 0.0625, and 0.5 times 2 less 0.25.
        near(row(Loss::Huber), 3.0 * (0.03125 + 0.875) / 2.0, &[3.0 * 0.25 * 0.25, -3.0 * 0.5 * 0.25]);
        let exact = one_row(objective(Loss::Absolute, 0.0, &targets), &[1.0, -1.0], &targets, None);
        near(exact, 0.0, &[0.0, 0.0]);
    }

    #[test]
    fn normal_by_hand() {
        let targets = Targets::Values(Matrix::new(2, 2, vec![7.0, 7.0, 1.0, -1.0]).unwrap());
        // Errors of 0.5 and 0, variances of 2 and ln 2.
        let number = (2.0_f64.exp() - 1.0).ln();
        let outputs = [1.5, -1.0, number as f32, 0.0];
        let density = |error: f64, variance: f64| {
            (-0.5 * error * error / variance).exp() / (std::f64::consts::TAU * variance).sqrt()
        };
        let loss = -(density(0.5, 2.0).ln() + density(0.0, 2.0_f64.ln()).ln()) / 2.0;
        // By the number: half of (1 - error² / variance) / variance, times 1 - exp(-softplus).
        let by_numbers = [0.5 * (1.0 - 0.125) / 2.0 * (1.0 - (-2.0_f64).exp()), 0.5 / 2.0_f64.ln() * 0.5];
        let slopes = [0.25, 0.0, by_numbers[0], by_numbers[1]].map(|slope| slope * 0.5 * 0.5 * 3.0);
        let normal = objective(Loss::Normal, 0.0, &targets);
        let (found, gradients) = one_row(normal, &outputs, &targets, Some(&[0.0, 3.0]));
        assert!((found - 3.0 * loss).abs() < 1e-5, "{found}, not {}", 3.0 * loss);
        for (found, slope) in gradients.iter().zip(slopes) {
            assert!((f64::from(*found) - slope).abs() < 1e-5, "{gradients:?}, not {slopes:?}");
        }
        // A variance is never 0, and never infinite.
        let (least, _) = one_row(normal, &[1.0, -1.0, -200.0, -200.0], &targets, None);
        assert!((least - 0.5 * (std::f64::consts::TAU * 1e-6).ln()).abs() < 1e-9, "{least}");
        assert!(one_row(normal, &[1e6, -1e6, 1e30, 1e30], &targets, None).0.is_finite());
    }

    #[test]
    fn logits_far_apart_do_not_overflow() {
        let classes = Targets::Classes { labels: vec![0, 1], classes: 2 };
        let cross_entropy = objective(Loss::CrossEntropy, 0.0, &classes);
        near(one_row(cross_entropy, &[1000.0, -1000.0], &classes, None), 2000.0, &[0.5, -0.5]);
        let binary = objective(Loss::BinaryCrossEntropy, 0.0, &classes);
        near(one_row(binary, &[-1000.0], &classes, None), 1000.0, &[-0.5]);
        near(one_row(binary, &[1000.0], &classes, None), 0.0, &[0.0]);
    }

    #[test]
    fn wrong_is_a_row_with_a_larger_logit_than_that_of_its_class() {
        let three = Targets::Classes { labels: vec![0, 2, 1], classes: 3 };
        let cross_entropy = objective(Loss::CrossEntropy, 0.0, &three);
        let outputs = [0.5, -1.0, 2.0];
        let judged = [0, 1, 2].map(|row| cross_entropy.judge(&outputs, &three, row));
        assert_eq!(judged.map(|(_, wrong)| wrong), [true, false, true]);
        assert_eq!(judged[1].0, cross_entropy.value(&outputs, &three, 1));
        // Of equal logits the first counts.
        assert!(!cross_entropy.judge(&[1.0; 3], &three, 0).1 && cross_entropy.judge(&[1.0; 3], &three, 2).1);
        let two = Targets::Classes { labels: vec![0, 1], classes: 2 };
        let binary = objective(Loss::BinaryCrossEntropy, 0.0, &two);
        let wrong = |logit: f32| [0, 1].map(|row| binary.judge(&[logit], &two, row).1);
        assert_eq!([wrong(-0.1), wrong(0.0), wrong(0.1)], [[false, true], [false, true], [true, false]]);
        let values = Targets::Values(Matrix::zeros(1, 1));
        assert_eq!(objective(Loss::Squared, 0.0, &values).judge(&[3.0], &values, 0), (9.0, false));
    }

    #[test]
    fn a_loss_that_does_not_suit_is_refused() {
        let classes = Targets::Classes { labels: vec![0, 2], classes: 3 };
        let values = Targets::Values(Matrix::zeros(2, 4));
        let new = |loss, targets| Objective::new(&TrainSpec { loss, ..TrainSpec::default() }, targets);
        for (loss, targets) in [
            (Loss::BinaryCrossEntropy, &classes),
            (Loss::Squared, &classes),
            (Loss::CrossEntropy, &values),
            (Loss::BinaryCrossEntropy, &values),
            (Loss::Normal, &classes),
        ] {
            let error = new(Some(loss), targets).unwrap_err().to_string();
            assert!(error.starts_with("spec, train.loss: does not suit"), "{error}");
        }
        let (cross_entropy, squared) = (new(None, &classes).unwrap(), new(None, &values).unwrap());
        assert_eq!((cross_entropy.loss(), cross_entropy.outputs(&classes)), (Loss::CrossEntropy, 3));
        assert_eq!((squared.loss(), squared.outputs(&values)), (Loss::Squared, 4));
    }
}
