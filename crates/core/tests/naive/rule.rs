//! The updates, from the papers' formulas, one parameter at a time.

use thinnet::train::{Momentum, Optimizer, TrainSpec};

use super::real::Real;
use super::{Net, Parameters};

/// What an optimizer remembers from step to step.
#[derive(Debug)]
pub struct Memory {
    step: u64,
    /// The velocity, or the mean of the gradients.
    first: Parameters,
    /// The mean of their squares.
    second: Parameters,
}

impl Memory {
    pub fn new(net: &Net) -> Self {
        Self { step: 0, first: Parameters::zeros(net), second: Parameters::zeros(net) }
    }

    /// The parameters after one step from those of `net`.
    pub fn step(
        &mut self,
        spec: &TrainSpec,
        learning_rate: f64,
        net: &Net,
        mut gradients: Parameters,
    ) -> Parameters {
        clip(&mut gradients, f64::from(spec.clip));
        let mut after = gradients.clone();
        for (index, layer) in net.layers.iter().enumerate() {
            for (unit, weights) in layer.weights.iter().enumerate() {
                for (input, &weight) in weights.iter().enumerate() {
                    let place = |of: &mut Parameters| of.weights[index][unit][input];
                    let penalty = Real::exact(weight) * f64::from(spec.l2)
                        + Real::exact(weight).sign() * f64::from(spec.l1);
                    let gradient = place(&mut gradients) + penalty;
                    let (mut first, mut second) = (place(&mut self.first), place(&mut self.second));
                    let decay =
                        if spec.optimizer == Optimizer::Adamw { f64::from(spec.weight_decay) } else { 0.0 };
                    let w = moved(
                        spec,
                        self.step,
                        learning_rate,
                        decay,
                        Real::exact(weight),
                        gradient,
                        &mut first,
                        &mut second,
                    );
                    after.weights[index][unit][input] = w;
                    (self.first.weights[index][unit][input], self.second.weights[index][unit][input]) =
                        (first, second);
                }
                hold(&mut after.weights[index][unit], f64::from(spec.max_norm));
            }
            for (unit, &bias) in layer.biases.iter().enumerate() {
                let (first, second) =
                    (&mut self.first.biases[index][unit], &mut self.second.biases[index][unit]);
                let gradient = gradients.biases[index][unit];
                after.biases[index][unit] =
                    moved(spec, self.step, learning_rate, 0.0, Real::exact(bias), gradient, first, second);
            }
        }
        self.step += 1;
        after
    }
}

/// One parameter after one step.
#[allow(clippy::too_many_arguments)]
fn moved(
    spec: &TrainSpec,
    step: u64,
    learning_rate: f64,
    decay: f64,
    w: Real,
    g: Real,
    first: &mut Real,
    second: &mut Real,
) -> Real {
    let rate = Real::rounded(learning_rate, &[]);
    match spec.optimizer {
        // Polyak 1964, in the form of Sutskever et al. 2013 as the deepnet code has it.
        Optimizer::Sgd | Optimizer::Nesterov => {
            let momentum = Real::rounded(momentum(&spec.momentum, step), &[]);
            *first = momentum * *first + g;
            let direction =
                if spec.optimizer == Optimizer::Nesterov { momentum * *first + g } else { *first };
            w - rate * direction
        }
        // Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2.
        Optimizer::Adam | Optimizer::Adamw => {
            let (beta1, beta2) = (f64::from(spec.beta1), f64::from(spec.beta2));
            *first = *first * beta1 + g * (1.0 - beta1);
            *second = *second * beta2 + g * g * (1.0 - beta2);
            let t = (step + 1) as f64;
            let mean = *first / Real::rounded(1.0 - beta1.powf(t), &[]);
            let root = (*second / Real::rounded(1.0 - beta2.powf(t), &[])).sqrt();
            w - rate * (mean / (root + Real::from(spec.epsilon))) - rate * w * decay
        }
    }
}

fn momentum(momentum: &Momentum, step: u64) -> f64 {
    let t = step as f64;
    match *momentum {
        Momentum::Constant(momentum) => momentum,
        Momentum::Linear { from, to, steps } if t < steps => from * (1.0 - t / steps) + to * (t / steps),
        Momentum::Linear { to, .. } => to,
        Momentum::Exponential { from, to, steps } => to - (to - from) * (-t / steps).exp(),
    }
}

/// Scales the gradient of all parameters together to a norm of at most `limit` (Pascanu et al. 2013).
fn clip(gradients: &mut Parameters, limit: f64) {
    let norm = norm(gradients.iter());
    if limit > 0.0 && norm.value > limit {
        let factor = Real::exact(limit) / norm;
        gradients.iter_mut().for_each(|gradient| *gradient = *gradient * factor);
    }
}

/// Scales a unit's incoming weights to a norm of at most `limit` (Srivastava et al. 2014, section 5.1).
fn hold(weights: &mut [Real], limit: f64) {
    let norm = norm(weights.iter());
    if limit > 0.0 && norm.value > limit {
        let factor = Real::exact(limit) / norm;
        weights.iter_mut().for_each(|weight| *weight = *weight * factor);
    }
}

fn norm<'a>(values: impl Iterator<Item = &'a Real>) -> Real {
    values.map(|&value| value * value).sum::<Real>().sqrt()
}
