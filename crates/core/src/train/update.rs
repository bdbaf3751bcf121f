//! The last part of a step: the parameters follow the gradients of the slices.
//!
//! One pass over the blocks of the parameters. The gradient of a block is the sum over the slices, made in
//! the scratch of the thread that has the block and used there at once; that of a whole layer is never
//! written. Only where the norm of the whole gradient is clipped, or where the divergence of the noise
//! couples weights with what is learned of them, it is stored first.

use std::sync::{Mutex, MutexGuard, PoisonError};

use thinnet_kernels::memory::Lines;
use thinnet_kernels::{Isa, line, lines, reduce};

use super::ahead::WINDOW;
use super::blocks::{self, Block, Parameters, Part};
use super::optimizer::Rule;
use super::regulariser::Regulariser;
use super::stepper::{Stepper, Working};
use crate::network::{Layer, Learned, Network};
use crate::thin::Gradient;

/// The gradients of one block, and of the kept units of one slice.
#[derive(Debug)]
pub(super) struct Scratch {
    whole: Lines,
    compact: Lines,
}

impl Scratch {
    /// One for each thread of the current pool, with room for gradients of `length` numbers.
    pub fn for_threads(length: usize) -> Vec<Mutex<Self>> {
        let new = |_| Mutex::new(Self { whole: Lines::zeros(length), compact: Lines::zeros(length) });
        (0..rayon::current_num_threads()).map(new).collect()
    }
}

impl Stepper {
    /// Moves the parameters by the gradients of the first `count` slices, and those of units that
    /// coming steps do not keep through these steps too.
    pub(super) fn update(&mut self, count: usize, learning_rates: &[f64]) {
        let rule = Rule::new(self.isa, &self.spec, self.step, learning_rates);
        self.regulariser.begin(self.isa, &self.network, self.step);
        let factor = if self.gradients.is_empty() { 1.0 } else { self.store_gradients(count) };
        self.plan(learning_rates.len());
        let Self { isa, network, slices, blocks, scratch, gradients, positions, counts, regulariser, .. } =
            self;
        let (isa, slices, regulariser) = (*isa, &slices[..count], &*regulariser);
        let (shape, values) = network.shape_and_values_mut();
        let (first_moments, second_moments) = (&mut self.first_moments, &mut self.second_moments);
        let parameters = Parameters { values, first_moments, second_moments };
        blocks::for_each(blocks, parameters, self.parallel, &|block, parameters| {
            let Scratch { whole, compact } = &mut *own(scratch);
            let layer = &shape[block.layer];
            if gradients.is_empty() {
                block_gradients(slices, layer, block, parameters.values, positions, compact, whole);
            } else {
                let stored = &gradients[block.at..][..block.length(layer)];
                whole.iter_mut().zip(stored).for_each(|(to, from)| *to = from * factor);
            }
            if block.part == Part::Weights {
                let rule = rule.with_l2(regulariser.l2(block.layer));
                let counts = &counts[block.first_unit..][..block.units.len()];
                move_weights(&rule, layer, counts, whole, parameters);
            } else {
                move_free(&rule, regulariser, isa, layer, block, whole, parameters);
            }
        });
    }

    /// How many of `steps` steps, this one and those that follow, are applied to each unit now.
    fn plan(&mut self, steps: usize) {
        let end = self.step + steps.clamp(1, WINDOW) as u64;
        self.ahead.draw(self.isa, &self.thinning, self.step, end);
        let mut counts = &mut self.counts[..];
        for (index, layer) in self.network.layers().iter().enumerate() {
            let (of_layer, rest) = counts.split_at_mut(layer.units);
            self.ahead.plan(index, self.step, end, of_layer);
            counts = rest;
        }
    }

    /// Writes the gradients of all parameters and returns what they are still to be multiplied by, so that
    /// their norm is clipped. The divergence of the noise of weights is no part of that norm, but is added
    /// here: its gradient by a weight needs what is learned of it, and the reverse, before either has moved.
    fn store_gradients(&mut self, count: usize) -> f32 {
        let Self { isa, network, slices, blocks, scratch, gradients, positions, regulariser, .. } = self;
        let parameters = Parameters { values: gradients, first_moments: &mut [], second_moments: &mut [] };
        blocks::for_each(blocks, parameters, self.parallel, &|block, parameters| {
            let Scratch { compact, .. } = &mut *own(scratch);
            let layer = &network.layers()[block.layer];
            let (values, to) = (&network.values()[block.at..][..block.length(layer)], parameters.values);
            block_gradients(&slices[..count], layer, block, values, positions, compact, to);
            if block.part == Part::Noise && layer.learned == Learned::Weights {
                // What is learned of a weight is the logarithm of its variance.
                lines::multiply_by_exponential(*isa, values, &mut to[..values.len()]);
            }
        });
        let clip = self.spec.clip;
        let norm = if clip > 0.0 { reduce::sum_of_squares(*isa, gradients).sqrt() } else { 0.0 };
        let factor = if norm > clip { clip / norm } else { 1.0 };
        if !learns_of_weights(network) {
            return factor;
        }
        let parameters = Parameters { values: gradients, first_moments: &mut [], second_moments: &mut [] };
        blocks::for_each(blocks, parameters, self.parallel, &|block, parameters| {
            lines::scale(*isa, parameters.values, factor);
            regulariser.add_of_weights(*isa, network, block, parameters.values);
        });
        1.0
    }
}

/// The scratch of the thread that asks. Nobody else asks for it, so the lock is always free.
fn own(scratch: &[Mutex<Scratch>]) -> MutexGuard<'_, Scratch> {
    let thread = rayon::current_thread_index().unwrap_or(0);
    scratch[thread % scratch.len()].lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether something is learned of each weight's noise.
pub(super) fn learns_of_weights(network: &Network) -> bool {
    network.layers().iter().any(|layer| layer.learned == Learned::Weights)
}

/// Writes the gradients of a block, whose parameters are `values`, to `whole`: those of its slices in
/// their order.
fn block_gradients(
    slices: &[Working],
    layer: &Layer,
    block: &Block,
    values: &[f32],
    positions: &[u32],
    compact: &mut [f32],
    whole: &mut [f32],
) {
    if block.part != Part::Weights {
        whole[..block.length(layer)].fill(0.0);
    }
    let networks = slices.iter().flat_map(|working| [Some(&working.slice), working.twin.as_ref()]).flatten();
    for (number, slice) in networks.enumerate() {
        match block.part {
            Part::Weights => slice.weight_gradients(Gradient {
                layer: block.layer,
                units: block.units.clone(),
                fresh: number == 0,
                weights: values,
                positions,
                compact,
                to: whole,
            }),
            Part::Biases => slice.bias_gradients(block.layer, values, compact, whole),
            Part::Noise if layer.learned == Learned::Weights => {
                slice.variance_gradients(block.layer, block.units.clone(), positions, whole);
            }
            Part::Noise => slice.noise_gradients(layer, block.layer, whole),
        }
    }
}

/// Moves the weights of a block, each unit's through as many steps as `counts` says.
fn move_weights(
    rule: &Rule,
    layer: &Layer,
    counts: &[u8],
    gradients: &mut [f32],
    mut parameters: Parameters<'_>,
) {
    let length = line(layer.inputs);
    for (unit, &count) in counts.iter().enumerate() {
        if count > 0 {
            let [weights, first_moments, second_moments] = parameters.line(unit * layer.stride, length);
            let gradients = &mut gradients[unit * layer.stride..][..length];
            rule.weights(count.into(), gradients, weights, first_moments, second_moments);
        }
    }
}

/// Moves the biases of a block, or what it learns of the noise, which is regularised and held within bounds.
fn move_free(
    rule: &Rule,
    regulariser: &Regulariser,
    isa: Isa,
    layer: &Layer,
    block: &Block,
    gradients: &mut [f32],
    mut parameters: Parameters<'_>,
) {
    let gradients = &mut gradients[..block.length(layer)];
    let [values, first_moments, second_moments] = parameters.line(0, gradients.len());
    if block.part == Part::Noise {
        regulariser.add(isa, block.layer, layer, values, gradients);
    }
    rule.free(gradients, values, first_moments, second_moments);
    if block.part == Part::Noise {
        regulariser.bound(layer, values);
    }
}
