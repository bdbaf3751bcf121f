//! DropConnect (Wan et al. 2013): edges and biases are dropped in the place of units.
//!
//! A mask of its own for each row is drawn in registers, under the multiply-adds. A mask that
//! many rows share is laid over a copy of the weights, a block of lines at a time, and the
//! copies are multiplied as whole weights are.

use std::ops::Range;

use thinnet_kernels::edges::EdgeMask;
use thinnet_kernels::matmul;
use thinnet_kernels::memory::Lines;
use thinnet_kernels::row_edges::{self, RowEdges};
use thinnet_kernels::shared_edges::{self, Columns, Rows, SharedEdges};
use thinnet_kernels::{line, reduce, stride};

use super::backward::Gradient;
use super::edge_mask::EdgeNoise;
use super::slice::{Slice, reach};
use super::{Buffers, Drop, Thinning};
use crate::network::{Layer, Network};

/// Numbers in a masked copy of lines, at most: part of a second-level cache of 1 MiB.
const COPIED_NUMBERS: usize = 80 * 1024;

/// Units in a masked copy, at most.
const COPIED_UNITS: usize = 66;

/// How many units of a layer are copied at a time.
fn copied_units(stride: usize) -> usize {
    (COPIED_NUMBERS / stride / 6 * 6).clamp(6, COPIED_UNITS)
}

/// The units of a layer, as many at a time as are copied at once.
pub(super) fn copied(layer: &Layer) -> impl Iterator<Item = Range<usize>> + use<> {
    let (units, at_once) = (layer.units, copied_units(layer.stride));
    (0..units).step_by(at_once).map(move |first| first..units.min(first + at_once))
}

/// Adds the bias of each unit to some of its columns; `units` is `[units, padded]`.
pub(super) fn add_biases(biases: &[f32], padded: usize, columns: Range<usize>, units: &mut [f32]) {
    for (units, bias) in units.chunks_exact_mut(padded).zip(biases) {
        units[columns.clone()].iter_mut().for_each(|unit| *unit += bias);
    }
}

/// Room for what noise on edges needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Copies {
    /// Some lines of weights, masked, squared or pruned.
    pub lines: Vec<f32>,
    /// The masked biases of a layer.
    pub biases: Vec<f32>,
    /// One number for each input of a layer and each row.
    pub inputs: Vec<f32>,
}

impl Slice {
    /// Makes room for noise on edges. Only the first call for a thinning asks for memory.
    pub(super) fn make_edge_room(&mut self, thinning: &Thinning) {
        let drop = thinning.drop();
        if !drop.acts_on_edges() {
            return;
        }
        let is_normal = drop != Drop::Edges;
        let learns = is_normal && self.buffers == Buffers::Train;
        let last = self.levels.len() - 1;
        for (index, level) in self.levels.iter_mut().enumerate() {
            let (size, units) = (level.units.len(), level.kept.level());
            reach(&mut self.copies.biases, !is_normal && index > 0, line(units));
            reach(&mut level.slopes, is_normal && index > 0, size);
            if index < last {
                reach(&mut self.copies.lines, true, copied_units(stride(units)) * stride(units));
                reach(&mut self.copies.inputs, is_normal, size);
                if learns && level.square_rows.is_empty() {
                    level.square_rows = Lines::zeros(level.rows.len());
                }
            }
        }
    }

    /// The columns of each group of rows, padding included, and its mask.
    fn groups(&self, mask: EdgeMask, rows: usize) -> impl Iterator<Item = (Range<usize>, EdgeMask)> + use<> {
        let padded = self.padded();
        (0..padded).step_by(rows.min(padded.max(1))).map(move |first| {
            let row = mask.row.wrapping_add(first as u32);
            (first..padded.min(first.saturating_add(rows)), EdgeMask { row, ..mask })
        })
    }

    fn row_edges(&self, mask: EdgeMask, layer: &Layer) -> RowEdges {
        let Layer { units, inputs, stride, .. } = *layer;
        RowEdges { mask, units, inputs, stride, rows: self.padded() }
    }

    /// The pre-activations of a layer, biases included, in the place of its units.
    pub(super) fn edges_forward(&mut self, network: &Network, index: usize, noise: EdgeNoise) {
        match noise {
            EdgeNoise::Rows { mask, scale } => {
                let layer = self.row_edges(mask, &network.layers()[index]);
                let (below, above) = self.levels.split_at_mut(index + 1);
                let to = &mut above[0].units;
                row_edges::forward(self.isa, layer, network.weights(index), &below[index].units, to);
                row_edges::add_biases(self.isa, layer, network.biases(index), scale, to);
            }
            EdgeNoise::Groups { mask, rows, scale } => {
                for (columns, mask) in self.groups(mask, rows) {
                    self.group_forward(network, index, columns, mask, scale);
                }
            }
            EdgeNoise::Scaled { scale } => self.scaled_forward(network, index, scale),
            EdgeNoise::Gaussian { draw, alpha } => self.normal_forward(network, index, draw, Some(alpha)),
            EdgeNoise::Variational { draw } => self.normal_forward(network, index, draw, None),
            EdgeNoise::Pruned => self.pruned_forward(network, index),
        }
    }

    fn shared_edges(&self, mask: EdgeMask, scale: f32, layer: &Layer) -> SharedEdges {
        let Layer { units, inputs, stride, .. } = *layer;
        SharedEdges { mask, scale, units, inputs, stride }
    }

    fn group_forward(
        &mut self,
        network: &Network,
        index: usize,
        columns: Range<usize>,
        mask: EdgeMask,
        scale: f32,
    ) {
        let layer = self.shared_edges(mask, scale, &network.layers()[index]);
        let at = Columns { stride: self.padded(), width: columns.len() };
        let biases = &mut self.copies.biases[..line(layer.units)];
        let (below, above) = self.levels.split_at_mut(index + 1);
        let (from, to) = (&below[index].units[columns.start..], &mut above[0].units[columns.start..]);
        shared_edges::forward(self.isa, layer, at, network.weights(index), from, to);
        biases.fill(0.0);
        shared_edges::add_of_biases(self.isa, layer, network.padded_biases(index), biases);
        add_biases(&biases[..layer.units], at.stride, columns, &mut above[0].units);
    }

    fn scaled_forward(&mut self, network: &Network, index: usize, scale: f32) {
        let (isa, padded) = (self.isa, self.padded());
        let (below, above) = self.levels.split_at_mut(index + 1);
        let (below, above) = (&below[index], &mut above[0]);
        let weights = super::forward::submatrix(network, index, &below.kept, &above.kept);
        matmul::product(isa, weights, &below.units, padded, padded, &mut above.units, padded, false);
        for (units, bias) in above.units.chunks_exact_mut(padded).zip(network.biases(index)) {
            units.iter_mut().for_each(|unit| *unit = scale * (*unit + bias));
        }
    }

    /// The gradient of a layer's inputs, but for [`EdgeNoise::backward_scale`].
    pub(super) fn edges_backward(&mut self, network: &Network, index: usize, noise: EdgeNoise) {
        match noise {
            EdgeNoise::Rows { mask, .. } => {
                let layer = self.row_edges(mask, &network.layers()[index]);
                let (below, above) = self.levels.split_at_mut(index + 1);
                let (from, to) = (&above[0].gradients, &mut below[index].gradients);
                row_edges::backward(self.isa, layer, network.weights(index), from, to);
            }
            EdgeNoise::Groups { mask, rows, scale } => {
                for (columns, mask) in self.groups(mask, rows) {
                    self.group_backward(network, index, columns, mask, scale);
                }
            }
            EdgeNoise::Gaussian { .. } => self.normal_backward(network, index, true),
            EdgeNoise::Variational { .. } => self.normal_backward(network, index, false),
            // These are for prediction, which has no backward pass: pairs that would need one are refused.
            EdgeNoise::Scaled { .. } | EdgeNoise::Pruned => {}
        }
    }

    fn group_backward(
        &mut self,
        network: &Network,
        index: usize,
        columns: Range<usize>,
        mask: EdgeMask,
        scale: f32,
    ) {
        let layer = self.shared_edges(mask, scale, &network.layers()[index]);
        let at = Columns { stride: self.padded(), width: columns.len() };
        let (below, above) = self.levels.split_at_mut(index + 1);
        let (from, to) = (&above[0].gradients[columns.start..], &mut below[index].gradients[columns.start..]);
        shared_edges::backward(self.isa, layer, at, network.weights(index), from, to);
    }

    /// The gradients of the weights of some units of a layer with noise on its edges, as
    /// [`Slice::weight_gradients`].
    pub(super) fn edge_gradients(&self, noise: EdgeNoise, gradient: Gradient) {
        // What is fresh is written by the first of the groups; the others only add.
        if gradient.fresh && !matches!(noise, EdgeNoise::Groups { .. }) {
            let stride = stride(self.levels[gradient.layer].kept.level());
            gradient.to[..gradient.units.len() * stride].fill(0.0);
        }
        match noise {
            EdgeNoise::Rows { mask, scale } => self.row_gradients(mask, scale, gradient),
            EdgeNoise::Groups { mask, rows, scale } => self.group_gradients(mask, rows, scale, gradient),
            EdgeNoise::Gaussian { .. } => self.normal_gradients(gradient, true),
            EdgeNoise::Variational { .. } => self.normal_gradients(gradient, false),
            EdgeNoise::Scaled { .. } | EdgeNoise::Pruned => {}
        }
    }

    /// Adds the gradients of weights of which each row has a mask of its own.
    fn row_gradients(&self, mask: EdgeMask, scale: f32, gradient: Gradient) {
        let Gradient { layer, units, to, .. } = gradient;
        let (below, above) = (&self.levels[layer], &self.levels[layer + 1]);
        let (inputs, stride) = (below.kept.level(), stride(below.kept.level()));
        let layer = RowEdges { mask, units: above.kept.level(), inputs, stride, rows: self.padded() };
        row_edges::gradients(
            self.isa,
            layer,
            units.start,
            units.len(),
            self.rows(),
            &above.gradients,
            &below.rows,
            stride,
            scale,
            to,
        );
    }

    /// The gradients of weights of which each group of rows has a mask of its own.
    fn group_gradients(&self, mask: EdgeMask, rows: usize, scale: f32, gradient: Gradient) {
        let Gradient { layer, units, fresh, to, .. } = gradient;
        let (below, above) = (&self.levels[layer], &self.levels[layer + 1]);
        let (inputs, stride) = (below.kept.level(), stride(below.kept.level()));
        let groups = self.groups(mask, rows).filter(|(columns, _)| columns.start < self.rows());
        for (number, (columns, mask)) in groups.enumerate() {
            let layer = SharedEdges { mask, scale, units: above.kept.level(), inputs, stride };
            let rows = Rows {
                values: &below.rows[columns.start * stride..],
                stride,
                count: columns.end.min(self.rows()) - columns.start,
            };
            shared_edges::gradients(
                self.isa,
                layer,
                units.start,
                units.len(),
                &above.gradients[columns.start..],
                self.padded(),
                rows,
                fresh && number == 0,
                to,
            );
        }
    }

    /// Adds the gradients of the biases of a layer to `to`; `compact` has room for one for each unit.
    pub(super) fn edge_bias_gradients(
        &self,
        index: usize,
        noise: EdgeNoise,
        biases: &[f32],
        compact: &mut [f32],
        to: &mut [f32],
    ) {
        let (inputs, above, padded) =
            (self.levels[index].kept.level(), &self.levels[index + 1], self.padded());
        let units = above.kept.level();
        match noise {
            EdgeNoise::Rows { mask, scale } => {
                let layer = RowEdges { mask, units, inputs, stride: stride(inputs), rows: padded };
                row_edges::bias_gradients(self.isa, layer, &above.gradients, scale, to);
            }
            EdgeNoise::Groups { mask, rows, scale } => {
                for (columns, mask) in self.groups(mask, rows) {
                    let sums = compact.iter_mut().zip(above.gradients.chunks_exact(padded)).take(units);
                    sums.for_each(|(sum, line)| *sum = reduce::sum(self.isa, &line[columns.clone()]));
                    compact[units..line(units)].fill(0.0);
                    let layer = SharedEdges { mask, scale, units, inputs, stride: stride(inputs) };
                    shared_edges::add_of_biases(self.isa, layer, compact, to);
                }
            }
            EdgeNoise::Gaussian { .. } => self.normal_bias_gradients(index, Some(biases), to),
            EdgeNoise::Variational { .. } => self.normal_bias_gradients(index, None, to),
            EdgeNoise::Scaled { .. } | EdgeNoise::Pruned => {}
        }
    }
}
