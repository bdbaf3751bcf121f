//! The forward pass of the sampled network: product, bias, activation, mask, scale.

use std::ops::Range;

use thinnet_kernels::elementwise::{self, Units};
use thinnet_kernels::matmul::{self, Submatrix};
use thinnet_kernels::{gather, line, stride};

use super::slice::{Level, Slice};
use super::{Kept, Thinning};
use crate::network::Network;

impl Slice {
    /// Runs the given layers on the level below them. Layer 0 puts its noise on the inputs, so rows whose
    /// inputs are noisy are loaded again before it runs again.
    pub fn forward(&mut self, network: &Network, thinning: &Thinning, layers: Range<usize>) {
        for index in layers {
            if index == 0 && thinning.is_noisy(0) {
                self.multiply_noise(network, thinning, 0);
                self.write_rows(0);
            }
            self.sum(network, index);
            self.activate(network, thinning, index);
        }
    }

    /// A layer sums up the level below it.
    pub(super) fn sum(&mut self, network: &Network, index: usize) {
        if let Some(noise) = self.edges[index] {
            return self.edges_forward(network, index, noise);
        }
        let (isa, padded) = (self.isa, self.padded());
        let (below, above) = self.levels.split_at_mut(index + 1);
        let (below, above) = (&below[index], &mut above[0]);
        let weights = submatrix(network, index, &below.kept, &above.kept);
        matmul::product(isa, weights, &below.units, padded, padded, &mut above.units, padded, false);
    }

    /// What a layer has summed up becomes its activations.
    pub(super) fn activate(&mut self, network: &Network, thinning: &Thinning, index: usize) {
        let (mask, scale) = self.mask_and_scale(thinning, index + 1);
        let (isa, padded) = (self.isa, self.padded());
        // Noise on the edges has taken the biases in.
        let biases = if self.edges[index].is_none() { network.biases(index) } else { &[] };
        let Level { kept, units, pre, .. } = &mut self.levels[index + 1];
        let activation = network.layers()[index].activation.kernel();
        let layer = Units { units: kept.units(), rows: padded, mask, scale, activation };
        elementwise::activate(isa, layer, biases, units, pre);
        self.multiply_noise(network, thinning, index + 1);
        if !self.levels[index + 1].rows.is_empty() {
            self.write_rows(index + 1);
        }
    }

    /// Writes the activations of a level row by row.
    fn write_rows(&mut self, level: usize) {
        let (isa, padded) = (self.isa, self.padded());
        let Level { kept, units, rows, .. } = &mut self.levels[level];
        let (count, width) = (kept.count(), stride(kept.count()));
        units[count * padded..line(count) * padded].fill(0.0);
        gather::transpose(isa, units, line(count), padded, padded, rows, width);
    }
}

/// The weights that the sampled network uses of one layer: kept units by kept inputs.
pub(super) fn submatrix<'a>(
    network: &'a Network,
    layer: usize,
    inputs: &'a Kept,
    units: &'a Kept,
) -> Submatrix<'a> {
    Submatrix {
        values: network.weights(layer),
        lines: units.units(),
        line_stride: network.layers()[layer].stride,
        steps: inputs.units(),
        step_stride: 1,
    }
}
