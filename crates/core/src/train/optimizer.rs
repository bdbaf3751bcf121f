//! The rule of the update: how a line of weights follows its gradient.

use std::array;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use thinnet_kernels::update::{self, Adam, Descent, Penalty};
use thinnet_kernels::{Isa, lines, reduce};

use super::TrainSpec;
use super::ahead::WINDOW;

/// The rules of the update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Gradient descent with momentum: v = momentum v + g, w -= rate v.
    Sgd,
    /// The same with Nesterov's look ahead: w -= rate (g + momentum v).
    Nesterov,
    /// Adam (Kingma and Ba 2015).
    #[default]
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    Adamw,
}

impl Optimizer {
    /// Whether the rule keeps a second number for each weight.
    pub(super) fn has_squares(self) -> bool {
        matches!(self, Optimizer::Adam | Optimizer::Adamw)
    }
}

/// The rule of a step and of those that follow it: optimizer, penalty and constraint with the numbers
/// of each step.
///
/// What it keeps for each parameter are its moments: Adam's means and squares; the velocities of descent
/// stand in the first, and it has no second ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    isa: Isa,
    numbers: Numbers,
    penalty: Penalty,
    max_norm: f32,
}

/// The numbers of each step.
#[derive(Clone, Copy, Debug)]
enum Numbers {
    Descent([Descent; WINDOW]),
    Adam([Adam; WINDOW]),
}

impl Rule {
    /// The rule of the steps from `step` on, counted from 0, at their learning rates; steps
    /// without one are never asked for.
    pub fn new(isa: Isa, spec: &TrainSpec, step: u64, learning_rates: &[f64]) -> Self {
        let rate = |ahead: usize| learning_rates.get(ahead).copied().unwrap_or_default();
        let numbers = match spec.optimizer {
            Optimizer::Sgd | Optimizer::Nesterov => {
                Numbers::Descent(array::from_fn(|ahead| descent(spec, step + ahead as u64, rate(ahead))))
            }
            Optimizer::Adam | Optimizer::Adamw => {
                Numbers::Adam(array::from_fn(|ahead| adam(spec, step + ahead as u64, rate(ahead))))
            }
        };
        Self { isa, numbers, penalty: Penalty { l1: spec.l1, l2: spec.l2 }, max_norm: spec.max_norm }
    }

    /// The same with more of the penalty on half the sum of w².
    pub fn with_l2(self, more: f32) -> Self {
        Self { penalty: Penalty { l2: self.penalty.l2 + more, ..self.penalty }, ..self }
    }

    /// Does `count` steps of the incoming weights of one unit, whose gradient is that of the first
    /// and 0 in the others; after each step their norm is held to max-norm.
    pub fn weights(
        &self,
        count: usize,
        gradients: &mut [f32],
        weights: &mut [f32],
        first_moments: &mut [f32],
        second_moments: &mut [f32],
    ) {
        if self.max_norm == 0.0 {
            return self.apply(0..count, self.penalty, gradients, weights, first_moments, second_moments);
        }
        for step in 0..count {
            self.apply(step..step + 1, self.penalty, gradients, weights, first_moments, second_moments);
            let squares = reduce::sum_of_squares(self.isa, weights);
            if squares > self.max_norm * self.max_norm {
                lines::scale(self.isa, weights, self.max_norm / squares.sqrt());
            }
            if step + 1 < count {
                gradients.fill(0.0);
            }
        }
    }

    /// Does the first step of biases and learned numbers of the noise: neither penalty, decay nor constraint.
    pub fn free(
        &self,
        gradients: &[f32],
        values: &mut [f32],
        first_moments: &mut [f32],
        second_moments: &mut [f32],
    ) {
        let numbers = match self.numbers {
            Numbers::Adam(steps) => Numbers::Adam(steps.map(|adam| Adam { decay: 0.0, ..adam })),
            descent => descent,
        };
        let rule = Self { numbers, ..*self };
        rule.apply(0..1, Penalty::default(), gradients, values, first_moments, second_moments);
    }

    fn apply(
        &self,
        steps: Range<usize>,
        penalty: Penalty,
        g: &[f32],
        w: &mut [f32],
        first_moments: &mut [f32],
        second_moments: &mut [f32],
    ) {
        match &self.numbers {
            Numbers::Descent(by) => update::descend(self.isa, &by[steps], penalty, g, w, first_moments),
            Numbers::Adam(by) => {
                update::adapt(self.isa, &by[steps], penalty, g, w, first_moments, second_moments);
            }
        }
    }
}

fn descent(spec: &TrainSpec, step: u64, learning_rate: f64) -> Descent {
    Descent {
        rate: learning_rate as f32,
        momentum: spec.momentum.at(step) as f32,
        nesterov: spec.optimizer == Optimizer::Nesterov,
    }
}

fn adam(spec: &TrainSpec, step: u64, learning_rate: f64) -> Adam {
    let corrected = |beta: f32| 1.0 - libm::pow(f64::from(beta), (step + 1) as f64);
    let decay = if spec.optimizer == Optimizer::Adamw { f64::from(spec.weight_decay) } else { 0.0 };
    Adam {
        rate: (learning_rate / corrected(spec.beta1)) as f32,
        beta1: spec.beta1,
        beta2: spec.beta2,
        root_correction: (1.0 / corrected(spec.beta2).sqrt()) as f32,
        epsilon: spec.epsilon,
        decay: (learning_rate * decay) as f32,
    }
}
