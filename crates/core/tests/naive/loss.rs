//! The losses and their gradients by the outputs of one row.

use thinnet::data::Targets;
use thinnet::train;

use super::real::Real;

/// What one row should give.
#[derive(Clone, Debug)]
pub enum Target {
    Class(usize),
    Values(Vec<f64>),
}

impl Target {
    pub fn of(targets: &Targets, row: usize) -> Self {
        match targets {
            Targets::Classes { labels, .. } => Target::Class(labels[row] as usize),
            Targets::Values(values) => {
                Target::Values(values.row(row).iter().map(|&t| f64::from(t)).collect())
            }
        }
    }
}

/// A loss with its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    pub kind: train::Loss,
    pub smoothing: f64,
    pub delta: f64,
}

impl Loss {
    /// The loss of one row.
    pub fn value(&self, outputs: &[Real], target: &Target) -> Real {
        match (self.kind, target) {
            // -sum t log p
            (train::Loss::CrossEntropy, Target::Class(label)) => {
                let probabilities = softmax(outputs);
                let terms = self.smoothed(outputs.len(), *label).into_iter().zip(probabilities);
                terms.map(|(t, p)| -(p.ln() * t)).sum()
            }
            // -t log p - (1 - t) log (1 - p)
            (train::Loss::BinaryCrossEntropy, Target::Class(label)) => {
                let t = self.smoothed(2, *label)[1];
                let [q, p] = pair(outputs[0]);
                -(p.ln() * t) - q.ln() * (1.0 - t)
            }
            (train::Loss::Normal, Target::Values(values)) => {
                let losses = normals(outputs, values).into_iter().map(|normal| normal.loss());
                losses.sum::<Real>() * (1.0 / values.len() as f64)
            }
            (_, Target::Values(values)) => {
                let losses = outputs.iter().zip(values).map(|(&y, &t)| self.of_error(y - Real::exact(t)));
                losses.sum::<Real>() * (1.0 / outputs.len() as f64)
            }
            other => panic!("no such loss: {other:?}"),
        }
    }

    /// Its gradient by the outputs.
    pub fn gradient(&self, outputs: &[Real], target: &Target) -> Vec<Real> {
        match (self.kind, target) {
            (train::Loss::CrossEntropy, Target::Class(label)) => {
                let targets = self.smoothed(outputs.len(), *label);
                softmax(outputs).into_iter().zip(targets).map(|(p, t)| p - rounded(t)).collect()
            }
            (train::Loss::BinaryCrossEntropy, Target::Class(label)) => {
                vec![pair(outputs[0])[1] - rounded(self.smoothed(2, *label)[1])]
            }
            (train::Loss::Normal, Target::Values(values)) => {
                let share = rounded(1.0 / values.len() as f64);
                let normals = normals(outputs, values);
                let slopes = normals.iter().map(Normal::by_mean).chain(normals.iter().map(Normal::by_number));
                slopes.map(|slope| slope * share).collect()
            }
            (_, Target::Values(values)) => {
                let share = rounded(1.0 / outputs.len() as f64);
                let slope = |(&y, &t): (&Real, &f64)| self.slope_of_error(y - Real::exact(t)) * share;
                outputs.iter().zip(values).map(slope).collect()
            }
            other => panic!("no such loss: {other:?}"),
        }
    }

    /// The label with a share of it spread over all classes (Szegedy et al. 2016).
    fn smoothed(&self, classes: usize, label: usize) -> Vec<f64> {
        let of = |class: usize| if class == label { 1.0 - self.smoothing } else { 0.0 };
        (0..classes).map(|class| of(class) + self.smoothing / classes as f64).collect()
    }

    fn of_error(&self, error: Real) -> Real {
        let (magnitude, delta) = (error.abs(), Real::exact(self.delta));
        match self.kind {
            train::Loss::Squared => error * error,
            train::Loss::Absolute => magnitude,
            train::Loss::Huber if magnitude.value <= self.delta => error * error * 0.5,
            train::Loss::Huber => delta * (magnitude - delta * 0.5),
            other => panic!("{other:?} has no error"),
        }
    }

    fn slope_of_error(&self, error: Real) -> Real {
        match self.kind {
            train::Loss::Squared => error * 2.0,
            train::Loss::Absolute => error.sign(),
            train::Loss::Huber if error.value.abs() <= self.delta => error,
            // What an error just above delta might be below it, its slope would be less by.
            train::Loss::Huber => Real { value: self.delta * error.value.signum(), error: error.error },
            other => panic!("{other:?} has no error"),
        }
    }
}

/// A target under a normal distribution, whose mean and variance are outputs. The engine computes with these in
/// f64, so that nothing is rounded before the end, and errors of the outputs come in by the derivatives.
struct Normal {
    mean: Real,
    number: Real,
    error: f64,
    variance: f64,
    /// The derivative of the variance by the number.
    logistic: f64,
}

fn normals(outputs: &[Real], values: &[f64]) -> Vec<Normal> {
    let (means, numbers) = outputs.split_at(values.len());
    let of = |((&mean, &number), &target): ((&Real, &Real), &f64)| Normal {
        mean,
        number,
        error: mean.value - target,
        variance: number.value.exp().ln_1p() + 1e-6,
        logistic: 1.0 / (1.0 + (-number.value).exp()),
    };
    means.iter().zip(numbers).zip(values).map(of).collect()
}

impl Normal {
    /// (log(2 pi variance) + error² / variance) / 2
    fn loss(&self) -> Real {
        let value = 0.5 * ((std::f64::consts::TAU * self.variance).ln() + self.error.powi(2) / self.variance);
        self.with_errors(value, self.by_mean().value, self.by_number().value)
    }

    fn by_mean(&self) -> Real {
        let by_variance = -self.error / self.variance.powi(2);
        self.with_errors(self.error / self.variance, 1.0 / self.variance, by_variance * self.logistic)
    }

    fn by_number(&self) -> Real {
        let Self { error, variance, logistic, .. } = *self;
        let by_variance = 0.5 * (1.0 - error.powi(2) / variance) / variance;
        let by_mean = -error / variance.powi(2) * logistic;
        let again = (error.powi(2) / variance - 0.5) / variance.powi(2);
        let by_number = again * logistic.powi(2) + by_variance * logistic * (1.0 - logistic);
        self.with_errors(by_variance * logistic, by_mean, by_number)
    }

    /// A value with the errors that come in by these derivatives.
    fn with_errors(&self, value: f64, by_mean: f64, by_number: f64) -> Real {
        Real::rounded(value, &[by_mean * self.mean.error, by_number * self.number.error])
    }
}

fn rounded(value: f64) -> Real {
    Real::rounded(value, &[])
}

/// Probabilities of the classes.
pub fn softmax(logits: &[Real]) -> Vec<Real> {
    let largest = logits.iter().copied().reduce(|a, b| if b.value > a.value { b } else { a }).unwrap();
    let powers: Vec<Real> = logits.iter().map(|&z| shifted(z, largest).exp()).collect();
    let sum: Real = powers.iter().copied().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The distance from the largest logit; it is exactly 0 for that one.
fn shifted(logit: Real, largest: Real) -> Real {
    if logit.value == largest.value { Real::ZERO } else { logit - largest }
}

/// Probabilities of class 0 and 1 from the logit of class 1.
pub fn pair(logit: Real) -> [Real; 2] {
    let probabilities = softmax(&[Real::ZERO, logit]);
    [probabilities[0], probabilities[1]]
}
