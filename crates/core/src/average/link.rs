//! From a network's outputs to what is predicted.

use thinnet_kernels::{Isa, elementwise};

use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::thin::PREDICTED_ROWS;
use crate::train::{Loss, variance};

/// What the outputs of a network stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// One logit for each class.
    Softmax,
    /// One logit, of class 1 against class 0.
    Logistic,
    /// Values as they are.
    Identity,
    /// Values, and after all of them a number for the variance of each ([`Loss::Normal`]).
    Normal,
}

impl Link {
    /// The link of a network that was trained with a loss.
    pub fn of(loss: Loss) -> Self {
        match loss {
            Loss::CrossEntropy => Link::Softmax,
            Loss::BinaryCrossEntropy => Link::Logistic,
            Loss::Squared | Loss::Absolute | Loss::Huber => Link::Identity,
            Loss::Normal => Link::Normal,
        }
    }

    /// Whether values are predicted, and not probabilities.
    pub fn predicts_values(self) -> bool {
        matches!(self, Link::Identity | Link::Normal)
    }

    /// How many numbers are predicted from so many outputs; of [`Link::Normal`] half are variances.
    pub fn width(self, outputs: usize) -> usize {
        if self == Link::Logistic { 2 } else { outputs }
    }

    /// Refuses so many outputs where they cannot stand for this.
    ///
    /// # Errors
    /// As [`Link::apply`].
    pub(super) fn check(self, outputs: usize) -> Result<()> {
        let problem = match self {
            Link::Logistic if outputs != 1 => format!("logistic takes one logit, not {outputs}; use softmax"),
            Link::Normal if !outputs.is_multiple_of(2) => {
                format!("normal takes two for each value, a mean and a variance; {outputs} are no pairs")
            }
            _ => return Ok(()),
        };
        Err(Error::argument("outputs", problem))
    }

    /// Predictions `[rows, width]` from outputs `[rows, outputs]`.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is not one output for [`Link::Logistic`], or an odd number for
    /// [`Link::Normal`].
    pub fn apply(self, outputs: Matrix) -> Result<Matrix> {
        Output::from(self).apply(outputs)
    }
}

/// What becomes of a network's outputs: logits are divided by the temperature (Guo et al. 2017),
/// then the link makes predictions of them. A link alone is one with temperature 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Output {
    /// What the outputs stand for.
    pub link: Link,
    /// What logits are divided by, above 0; above 1 it makes probabilities less sure. Values are left
    /// as they are.
    pub temperature: f32,
}

impl From<Link> for Output {
    fn from(link: Link) -> Self {
        Self { link, temperature: 1.0 }
    }
}

impl Output {
    /// How many numbers are predicted from so many outputs.
    pub(super) fn width(self, outputs: usize) -> usize {
        self.link.width(outputs)
    }

    /// Predictions `[rows, width]` from outputs `[rows, outputs]`.
    ///
    /// # Errors
    /// As [`Link::apply`].
    pub fn apply(self, outputs: Matrix) -> Result<Matrix> {
        self.link.check(outputs.columns())?;
        if self.link == Link::Identity {
            return Ok(outputs);
        }
        let (columns, width) = (outputs.columns(), self.width(outputs.columns()));
        let mut predictions = Matrix::zeros(outputs.rows(), width);
        let rows = predictions.values_mut().chunks_exact_mut(width.max(1));
        rows.zip(outputs.values().chunks_exact(columns.max(1))).for_each(|(to, row)| self.apply_row(row, to));
        Ok(predictions)
    }

    /// Predictions of one row, written to `to`, which is `width` long, from its outputs, whose number is
    /// checked.
    pub(super) fn apply_row(self, outputs: &[f32], to: &mut [f32]) {
        let first = to.len() - outputs.len();
        to[..first].fill(0.0);
        to[first..].copy_from_slice(outputs);
        match self.link {
            Link::Identity => {}
            Link::Normal => variances(to),
            Link::Softmax | Link::Logistic => {
                to.iter_mut().for_each(|logit| *logit /= self.temperature);
                softmax(to);
            }
        }
    }

    /// The same for all rows of a slice, by the kernels: `outputs` is `[outputs, padded rows]`, `to`
    /// `[width, padded rows]`; there are at most [`PREDICTED_ROWS`] rows.
    pub(super) fn apply_lines(self, isa: Isa, outputs: &[f32], padded: usize, to: &mut [f32]) {
        let first = to.len() - outputs.len();
        to[..first].fill(0.0);
        to[first..].copy_from_slice(outputs);
        match self.link {
            Link::Identity => return,
            Link::Normal => return variances(to),
            Link::Softmax | Link::Logistic => {}
        }
        let (mut largest, mut sums) = ([f32::NEG_INFINITY; PREDICTED_ROWS], [0.0; PREDICTED_ROWS]);
        for line in to.chunks_exact(padded) {
            let pairs = largest.iter_mut().zip(line);
            pairs.for_each(|(largest, &logit)| *largest = if logit > *largest { logit } else { *largest });
        }
        let inverse = 1.0 / self.temperature;
        for line in to.chunks_exact_mut(padded) {
            let distances = line.iter_mut().zip(&largest);
            distances.for_each(|(logit, largest)| *logit = (*logit - largest) * inverse);
        }
        elementwise::exponential(isa, to);
        for line in to.chunks_exact(padded) {
            sums.iter_mut().zip(line).for_each(|(sum, power)| *sum += power);
        }
        sums.iter_mut().for_each(|sum| *sum = 1.0 / *sum);
        for line in to.chunks_exact_mut(padded) {
            line.iter_mut().zip(&sums).for_each(|(power, inverse)| *power *= inverse);
        }
    }
}

/// The numbers in the second half become the variances that they stand for.
fn variances(outputs: &mut [f32]) {
    let half = outputs.len() / 2;
    outputs[half..].iter_mut().for_each(|number| *number = variance(*number) as f32);
}

/// Logits become probabilities, in f64 and the same on every machine.
fn softmax(logits: &mut [f32]) {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let power = |logit: f32| libm::exp(f64::from(logit - largest));
    let sum: f64 = logits.iter().map(|&logit| power(logit)).sum();
    logits.iter_mut().for_each(|logit| *logit = (power(*logit) / sum) as f32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logistic_is_the_softmax_of_a_logit_and_0() {
        let logistic = Link::Logistic.apply(Matrix::new(2, 1, vec![0.0, 3.0]).unwrap()).unwrap();
        assert_eq!(&logistic.values()[..2], &[0.5, 0.5]);
        assert!((f64::from(logistic.values()[3]) - 1.0 / (1.0 + (-3.0_f64).exp())).abs() < 1e-7);
        let mut row = [0.0; 2];
        Output::from(Link::Logistic).apply_row(&[3.0], &mut row);
        assert_eq!(row, logistic.values()[2..]);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let softmax = Link::Softmax.apply(Matrix::new(1, 3, vec![1e30, 0.0, 1e30]).unwrap()).unwrap();
        assert_eq!(softmax.values(), [0.5, 0.0, 0.5]);
    }

    #[test]
    fn a_temperature_divides_the_logits() {
        let logits = Matrix::new(2, 3, vec![1.0, -2.0, 0.5, 9.0, 8.0, -7.0]).unwrap();
        let halves = Matrix::new(2, 3, logits.values().iter().map(|logit| logit / 2.0).collect()).unwrap();
        let tempered = Output { link: Link::Softmax, temperature: 2.0 };
        assert_eq!(tempered.apply(logits.clone()).unwrap(), Link::Softmax.apply(halves).unwrap());
        let values = Output { link: Link::Identity, temperature: 2.0 };
        assert_eq!(values.apply(logits.clone()).unwrap(), logits, "values have no temperature");
    }

    #[test]
    fn outputs_that_cannot_stand_for_it_are_refused() {
        let refused = |link: Link, outputs: usize| {
            let error = link.apply(Matrix::zeros(2, outputs)).unwrap_err().to_string();
            let tempered = Output { link, temperature: 2.0 }.apply(Matrix::zeros(2, outputs));
            assert_eq!(tempered.unwrap_err().to_string(), error);
            error
        };
        for outputs in [0, 2, 3] {
            let expected = format!("outputs: logistic takes one logit, not {outputs}; use softmax");
            assert_eq!(refused(Link::Logistic, outputs), expected);
        }
        assert!(refused(Link::Normal, 3).ends_with("3 are no pairs"));
        for (link, outputs) in [(Link::Softmax, 1), (Link::Identity, 3), (Link::Normal, 4)] {
            assert_eq!(link.apply(Matrix::zeros(2, outputs)).unwrap().columns(), outputs);
        }
    }

    #[test]
    fn lines_give_what_rows_give() {
        for (link, outputs) in
            [(Link::Softmax, 3), (Link::Logistic, 1), (Link::Identity, 2), (Link::Normal, 4)]
        {
            let output = Output { link, temperature: 1.5 };
            let (padded, width) = (16, output.width(outputs));
            let logits: Vec<f32> = (0..outputs * padded).map(|at| (at * 7 % 23) as f32 - 11.0).collect();
            let mut lines = vec![0.0; width * padded];
            output.apply_lines(Isa::from_environment().unwrap(), &logits, padded, &mut lines);
            for row in 0..padded {
                let column =
                    |values: &[f32]| values[row..].iter().step_by(padded).copied().collect::<Vec<f32>>();
                let mut expected = vec![0.0; width];
                output.apply_row(&column(&logits), &mut expected);
                for (found, expected) in column(&lines).iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-6, "{link:?}, row {row}: {found}, not {expected}");
                }
            }
        }
    }
}
