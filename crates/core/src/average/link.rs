//! From a network's outputs to what is predicted.

use crate::data::Matrix;
use crate::train::Loss;

/// What the outputs of a network stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// One logit for each class.
    Softmax,
    /// One logit, of class 1 against class 0.
    Logistic,
    /// Values as they are.
    Identity,
}

impl Link {
    /// The link of a network that was trained with a loss.
    pub fn of(loss: Loss) -> Self {
        match loss {
            Loss::CrossEntropy => Link::Softmax,
            Loss::BinaryCrossEntropy => Link::Logistic,
            Loss::Squared | Loss::Absolute | Loss::Huber => Link::Identity,
        }
    }

    /// How many numbers are predicted from so many outputs.
    pub fn width(self, outputs: usize) -> usize {
        if self == Link::Logistic { 2 } else { outputs }
    }

    /// Predictions `[rows, width]` from outputs `[rows, outputs]`.
    pub fn apply(self, mut outputs: Matrix) -> Matrix {
        let (rows, columns) = (outputs.rows(), outputs.columns());
        match self {
            Link::Identity => outputs,
            Link::Softmax => {
                outputs.values_mut().chunks_exact_mut(columns.max(1)).for_each(softmax);
                outputs
            }
            Link::Logistic => {
                let mut probabilities = Matrix::zeros(rows, 2);
                for (pair, logit) in probabilities.values_mut().chunks_exact_mut(2).zip(outputs.values()) {
                    pair[1] = *logit;
                    softmax(pair);
                }
                probabilities
            }
        }
    }

    /// Predictions of one row, written to `to`, which is `width` long, from its outputs.
    pub(super) fn apply_row(self, outputs: &[f32], to: &mut [f32]) {
        let first = to.len() - outputs.len();
        to[..first].fill(0.0);
        to[first..].copy_from_slice(outputs);
        if self != Link::Identity {
            softmax(to);
        }
    }
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
        let logistic = Link::Logistic.apply(Matrix::new(2, 1, vec![0.0, 3.0]).unwrap());
        assert_eq!(&logistic.values()[..2], &[0.5, 0.5]);
        assert!((f64::from(logistic.values()[3]) - 1.0 / (1.0 + (-3.0_f64).exp())).abs() < 1e-7);
        let mut row = [0.0; 2];
        Link::Logistic.apply_row(&[3.0], &mut row);
        assert_eq!(row, logistic.values()[2..]);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let softmax = Link::Softmax.apply(Matrix::new(1, 3, vec![1e30, 0.0, 1e30]).unwrap());
        assert_eq!(softmax.values(), [0.5, 0.0, 0.5]);
    }
}
