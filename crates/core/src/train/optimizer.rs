//! The rule of the update: how a line of weights follows its gradient.

use serde::{Deserialize, Serialize};
use thinnet_kernels::update::{self, Adam, Descent, Penalty};
use thinnet_kernels::{Isa, reduce};

use super::TrainSpec;

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

/// The update of one step: rule, penalty and constraint with the numbers of that step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    isa: Isa,
    rule: Rule,
    penalty: Penalty,
    max_norm: f32,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    Descent(Descent),
    Adam(Adam),
}

impl Update {
    /// The update of step `step`, counted from 0, at a learning rate.
    pub fn new(isa: Isa, spec: &TrainSpec, step: u64, learning_rate: f64) -> Self {
        let corrected = |beta: f32| 1.0 - libm::pow(f64::from(beta), (step + 1) as f64);
        let rule = match spec.optimizer {
            Optimizer::Sgd | Optimizer::Nesterov => Rule::Descent(Descent {
                rate: learning_rate as f32,
                momentum: spec.momentum.at(step) as f32,
                nesterov: spec.optimizer == Optimizer::Nesterov,
            }),
            Optimizer::Adam | Optimizer::Adamw => {
                let decay =
                    if spec.optimizer == Optimizer::Adamw { f64::from(spec.weight_decay) } else { 0.0 };
                Rule::Adam(Adam {
                    rate: (learning_rate / corrected(spec.beta1)) as f32,
                    beta1: spec.beta1,
                    beta2: spec.beta2,
                    root_correction: (1.0 / corrected(spec.beta2).sqrt()) as f32,
                    epsilon: spec.epsilon,
                    decay: (learning_rate * decay) as f32,
                })
            }
        };
        Self { isa, rule, penalty: Penalty { l1: spec.l1, l2: spec.l2 }, max_norm: spec.max_norm }
    }

    /// The same with more of the penalty on half the sum of w².
    pub fn with_l2(self, more: f32) -> Self {
        Self { penalty: Penalty { l2: self.penalty.l2 + more, ..self.penalty }, ..self }
    }

    /// Moves the incoming weights of one unit; then their norm is held to max-norm.
    pub fn weights(&self, gradients: &[f32], weights: &mut [f32], first: &mut [f32], second: &mut [f32]) {
        self.apply(self.rule, self.penalty, gradients, weights, first, second);
        if self.max_norm > 0.0 {
            let squares = reduce::sum_of_squares(self.isa, weights);
            if squares > self.max_norm * self.max_norm {
                reduce::multiply(self.isa, weights, self.max_norm / squares.sqrt());
            }
        }
    }

    /// Moves biases and learned numbers of the noise: neither penalty nor constraint.
    pub fn free(&self, gradients: &[f32], values: &mut [f32], first: &mut [f32], second: &mut [f32]) {
        let rule = match self.rule {
            Rule::Adam(adam) => Rule::Adam(Adam { decay: 0.0, ..adam }),
            descent => descent,
        };
        self.apply(rule, Penalty::default(), gradients, values, first, second);
    }

    fn apply(
        &self,
        rule: Rule,
        penalty: Penalty,
        g: &[f32],
        w: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        match rule {
            Rule::Descent(by) => update::descend(self.isa, by, penalty, g, w, first),
            Rule::Adam(by) => update::adapt(self.isa, by, penalty, g, w, first, second),
        }
    }
}
