//! What learned noise costs beside the loss: its gradient enters once in a step, at the update.
//!
//! Variational dropout has the divergence of the noise from its prior, concrete dropout a penalty on
//! weights and rates. The value of neither is part of the loss that is reported.

use thinnet_kernels::divergence::{self, By};
use thinnet_kernels::{Isa, line, reduce};

use super::Loss;
use super::blocks::{Block, Part};
use crate::network::{Layer, Learned, Network};
use crate::thin::{Drop, ThinSpec};

/// The regulariser of a run, and its numbers at a step.
#[derive(Clone, Debug)]
pub(super) struct Regulariser {
    drop: Drop,
    warmup: u64,
    /// length scale² / precision
    of_weights: f64,
    /// What a divergence counts beside the sum of the rows' losses: 1 where the loss is a negative
    /// log-likelihood, 2 / precision where it is the squared error.
    of_noise: f64,
    rows: f64,
    layers: Vec<Numbers>,
}

/// What the regulariser does to one layer at a step.
#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    /// Whether its inputs have noise.
    noisy: bool,
    /// Concrete: the factor of the penalty on half the sum of the layer's squared weights.
    l2: f32,
    /// Concrete: the gradient by the logarithm of the odds. Variational, of units or weights: the factor of
    /// the divergence.
    of_noise: f32,
}

impl Regulariser {
    /// The regulariser of a spec, for so many rows.
    pub fn new(thin: &ThinSpec, loss: Loss, network: &Network, rows: usize) -> Self {
        let rates = thin.rates(network.layers().len() - 1).unwrap_or_default();
        let everywhere = thin.drop == Drop::SparseVariational;
        let numbers = |rate: f32| Numbers { noisy: rate > 0.0 || everywhere, ..Numbers::default() };
        // The losses of numbers are means over the outputs.
        let precision = f64::from(thin.precision) * network.outputs() as f64;
        let (precision, of_noise) = match loss {
            Loss::CrossEntropy | Loss::BinaryCrossEntropy => (1.0, 1.0),
            Loss::Squared => (precision, 2.0 / precision),
            Loss::Absolute | Loss::Huber => (precision, 1.0 / precision),
            // Half of the squared error times the precision, which is predicted; half of the outputs are
            // variances.
            Loss::Normal => (network.outputs() as f64, 2.0 / network.outputs() as f64),
        };
        Self {
            drop: thin.drop,
            warmup: thin.divergence_warmup,
            of_weights: f64::from(thin.length_scale).powi(2) / precision,
            of_noise,
            rows: rows as f64,
            layers: rates.into_iter().map(numbers).collect(),
        }
    }

    /// The same for so many rows.
    pub fn for_rows(self, rows: usize) -> Self {
        Self { rows: rows as f64, ..self }
    }

    /// Takes the numbers of a step from the network as it is before the update.
    pub fn begin(&mut self, isa: Isa, network: &Network, step: u64) {
        let of_noise = self.of_noise / self.rows;
        let of_weights = self.of_weights / self.rows;
        let warm = if step < self.warmup { (step + 1) as f64 / self.warmup as f64 } else { 1.0 };
        for (index, numbers) in self.layers.iter_mut().enumerate().filter(|(_, numbers)| numbers.noisy) {
            match self.drop {
                Drop::Variational | Drop::SparseVariational => numbers.of_noise = (of_noise * warm) as f32,
                Drop::Concrete => {
                    let logarithm = f64::from(network.noise(index)[0]);
                    let odds = libm::exp(logarithm);
                    let (rate, inputs) = (odds / (1.0 + odds), network.layers()[index].inputs as f64);
                    // weights |W|² / (1 - p) + noise K (p ln p + (1 - p) ln(1 - p)), by ln(p / (1 - p)).
                    let squares = sum_of_squares(isa, network, index);
                    numbers.l2 = (2.0 * of_weights * (1.0 + odds)) as f32;
                    numbers.of_noise = (of_weights * squares * odds
                        + of_noise * inputs * logarithm * rate * (1.0 - rate))
                        as f32;
                }
                _ => {}
            }
        }
    }

    /// The factor of the penalty on half the sum of a layer's squared weights.
    pub fn l2(&self, layer: usize) -> f32 {
        self.layers[layer].l2
    }

    /// Adds the gradients by learned numbers of the noise of a layer of this shape.
    pub fn add(&self, isa: Isa, layer: usize, shape: &Layer, values: &[f32], gradients: &mut [f32]) {
        let Numbers { noisy, of_noise, .. } = self.layers[layer];
        match shape.learned {
            Learned::Level if noisy => gradients[0] += of_noise,
            Learned::Inputs if noisy => {
                let count = shape.inputs;
                divergence::of_units(isa, of_noise, &values[..count], &mut gradients[..count]);
            }
            _ => {}
        }
    }

    /// Adds the gradients of the divergence of the noise to those of a block of weights, or of the logarithms
    /// of their variances.
    pub fn add_of_weights(&self, isa: Isa, network: &Network, block: &Block, gradients: &mut [f32]) {
        let (layer, by) = match block.part {
            Part::Weights => (&network.layers()[block.layer], By::Weight),
            Part::Noise => (&network.layers()[block.layer], By::Logarithm),
            Part::Biases => return,
        };
        let first = block.units.start * layer.stride;
        let lines = gradients[..block.units.len() * layer.stride].chunks_exact_mut(layer.stride);
        for (unit, gradients) in lines.enumerate() {
            let at = first + unit * layer.stride..first + (unit + 1) * layer.stride;
            let weights = &network.weights(block.layer)[at.clone()];
            let logarithms = &network.noise(block.layer)[at];
            let factor = self.layers[block.layer].of_noise;
            divergence::of_weights(isa, by, factor, weights, logarithms, gradients);
            gradients[layer.inputs..].fill(0.0);
        }
    }

    /// Holds learned numbers of the noise of a layer of this shape within their bounds.
    pub fn bound(&self, shape: &Layer, values: &mut [f32]) {
        let (lowest, highest) = self.drop.bounds();
        let lines = shape.learned_lines();
        for line in values.chunks_exact_mut(lines.stride) {
            line[..lines.length].iter_mut().for_each(|value| *value = value.clamp(lowest, highest));
        }
    }
}

/// The sum of a layer's squared weights.
fn sum_of_squares(isa: Isa, network: &Network, layer: usize) -> f64 {
    let shape = &network.layers()[layer];
    let lines = network.weights(layer).chunks_exact(shape.stride);
    lines.map(|weights| f64::from(reduce::sum_of_squares(isa, &weights[..line(shape.inputs)]))).sum()
}
