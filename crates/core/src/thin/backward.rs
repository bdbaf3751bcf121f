//! The backward pass of the sampled network, and the gradients of its weights.

use std::ops::Range;

use thinnet_kernels::elementwise::{self, Units};
use thinnet_kernels::matmul::{self, Submatrix};
use thinnet_kernels::{gather, line, reduce, stride};

use super::Thinning;
use super::edges::EdgeNoise;
use super::forward::submatrix;
use super::slice::{Level, Slice};
use crate::network::{Activation, Network};

impl Slice {
    /// Carries the gradient of the outputs down to every hidden level.
    pub fn backward(&mut self, network: &Network, thinning: &Thinning) {
        let (isa, padded) = (self.isa, self.padded());
        for index in (1..network.layers().len()).rev() {
            let (mask, scale) = (self.row_mask(thinning, index), thinning.scale(index, self.sample));
            let noise = self.noise[index];
            if let Some(noise) = noise {
                self.edges_backward(network, index, noise);
            }
            let scale = scale * noise.map_or(1.0, EdgeNoise::backward_scale);
            let (below, above) = self.levels.split_at_mut(index + 1);
            let (below, above) = (&mut below[index], &above[0]);
            let Level { kept, units, pre, gradients, .. } = below;
            if noise.is_none() {
                let weights = submatrix(network, index, kept, &above.kept).transposed();
                matmul::product(isa, weights, &above.gradients, padded, padded, gradients, padded, false);
            }
            let activation = network.layers()[index - 1].activation;
            // A relu that the mask or its own sign silenced is 0 among the activations: no mask is drawn.
            let mask = mask.filter(|_| activation != Activation::Relu);
            let pre = if pre.is_empty() { units } else { pre };
            let activation = activation.kernel();
            let layer = Units { units: kept.units(), rows: padded, mask, scale, activation };
            elementwise::differentiate(isa, layer, pre, gradients);
        }
    }

    /// The gradients of the weights of some units of a layer, `[units, the layer's stride]`.
    /// They are added to `to`, or with `first` written there. `positions` counts from 0 to at
    /// least the number of rows and units; `compact` holds the gradients of the kept units.
    pub fn weight_gradients(
        &self,
        layer: usize,
        units: Range<usize>,
        first: bool,
        positions: &[u32],
        compact: &mut [f32],
        to: &mut [f32],
    ) {
        if let Some(noise) = self.noise[layer] {
            if first {
                to[..units.len() * stride(self.levels[layer].kept.level())].fill(0.0);
            }
            self.edge_gradients(layer, noise, units, positions, compact, to);
            return;
        }
        let (below, above) = (&self.levels[layer], &self.levels[layer + 1]);
        let whole_stride = stride(below.kept.level());
        let kept = above.kept.between(units.start, units.end);
        let inputs = below.kept.count();
        let gradients = Submatrix {
            values: &above.gradients,
            lines: &positions[kept.clone()],
            line_stride: self.padded(),
            steps: &positions[..self.rows()],
            step_stride: 1,
        };
        let (width, inputs_stride) = (line(inputs), stride(inputs));
        if below.kept.is_whole() && kept.len() == units.len() {
            matmul::product(self.isa, gradients, &below.rows, inputs_stride, width, to, whole_stride, !first);
            return;
        }
        if first {
            to[..units.len() * whole_stride].fill(0.0);
        }
        matmul::product(
            self.isa,
            gradients,
            &below.rows,
            inputs_stride,
            width,
            compact,
            inputs_stride,
            false,
        );
        for (position, &unit) in above.kept.units()[kept].iter().enumerate() {
            let line = &mut to[(unit as usize - units.start) * whole_stride..][..whole_stride];
            gather::expand_add(self.isa, below.kept.bits(), &compact[position * inputs_stride..], line);
        }
    }

    /// Adds the gradients of the learned numbers of the noise of a layer to `to`: of some of its units
    /// where each weight has one, else of all its inputs. No member of the family learns any yet.
    pub fn noise_gradients(&self, _layer: usize, _units: Range<usize>, _to: &mut [f32]) {}

    /// Adds the gradients of the biases of a layer to `to`, one for each unit; `compact` is as long.
    pub fn bias_gradients(&self, layer: usize, compact: &mut [f32], to: &mut [f32]) {
        if let Some(noise) = self.noise[layer] {
            self.edge_bias_gradients(layer, noise, compact, to);
            return;
        }
        let Level { kept, gradients, .. } = &self.levels[layer + 1];
        for (&unit, line) in kept.units().iter().zip(gradients.chunks_exact(self.padded())) {
            to[unit as usize] += reduce::sum(self.isa, line);
        }
    }
}
