//! The forward pass of the sampled network: product, bias, activation, mask, scale.

use std::ops::Range;

use thinnet_kernels::elementwise::{self, Units};
use thinnet_kernels::matmul::{self, Submatrix};
use thinnet_kernels::{gather, line, stride};

use super::slice::{Level, Slice};
use super::{Kept, Thinning};
use crate::network::Network;

impl Slice {
    /// Runs the given layers on the level below them.
    pub fn forward(&mut self, network: &Network, thinning: &Thinning, layers: Range<usize>) {
        let (isa, padded) = (self.isa, self.padded());
        for index in layers {
            let (mask, scale) = (self.row_mask(thinning, index + 1), thinning.scale(index + 1, self.sample));
            let layer = &network.layers()[index];
            let noise = self.noise[index];
            if let Some(noise) = noise {
                self.edges_forward(network, index, noise);
            }
            let (below, above) = self.levels.split_at_mut(index + 1);
            let (below, above) = (&below[index], &mut above[0]);
            if noise.is_none() {
                let weights = submatrix(network, index, &below.kept, &above.kept);
                matmul::product(isa, weights, &below.units, padded, padded, &mut above.units, padded, false);
            }
            let Level { kept, units, rows, pre, .. } = above;
            // The noise of the edges has taken the biases in.
            let biases = if noise.is_none() { network.biases(index) } else { &[] };
            let activation = layer.activation.kernel();
            let layer = Units { units: kept.units(), rows: padded, mask, scale, activation };
            elementwise::activate(isa, layer, biases, units, pre);
            if !rows.is_empty() {
                let (count, width) = (kept.count(), stride(kept.count()));
                units[count * padded..line(count) * padded].fill(0.0);
                gather::transpose(isa, units, line(count), padded, padded, rows, width);
            }
        }
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
