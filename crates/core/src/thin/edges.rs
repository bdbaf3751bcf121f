//! DropConnect (Wan et al. 2013): edges and biases are dropped in the place of units.
//!
//! A mask of its own for each row is drawn in registers, under the multiply-adds. A mask that
//! many rows share is laid over a copy of the weights, a block of lines at a time, and the
//! copies are multiplied as whole weights are.

use std::ops::Range;

use thinnet_kernels::edges::{self, EdgeMask, Lines};
use thinnet_kernels::matmul::{self, Submatrix};
use thinnet_kernels::row_edges::{self, RowEdges};
use thinnet_kernels::{line, reduce, stride};

use super::slice::Slice;
use crate::network::{Layer, Network};

/// What happens to the edges of a layer in a pass. What is kept is multiplied by `scale`.
#[derive(Clone, Copy, Debug)]
pub(super) enum EdgeNoise {
    /// Every row has a mask of its own; that of the mask is the first.
    Rows { mask: EdgeMask, scale: f32 },
    /// So many rows share a mask. That of the first group is given; the others count from it by rows.
    Groups { mask: EdgeMask, rows: usize, scale: f32 },
    /// Nothing is dropped, all is scaled.
    Scaled { scale: f32 },
}

impl EdgeNoise {
    /// What is left to multiply the gradient of the inputs by.
    pub fn backward_scale(self) -> f32 {
        match self {
            EdgeNoise::Rows { scale, .. } | EdgeNoise::Scaled { scale } => scale,
            EdgeNoise::Groups { .. } => 1.0,
        }
    }
}

/// Numbers in a masked copy of lines, at most: part of a second-level cache of 1 MiB.
const COPIED_NUMBERS: usize = 80 * 1024;

/// Units in a masked copy, at most.
const COPIED_UNITS: usize = 64;

/// How many units of a layer are copied at a time.
fn copied_units(layer: &Layer) -> usize {
    (COPIED_NUMBERS / layer.stride / 6 * 6).clamp(6, COPIED_UNITS)
}

/// Room for copies of weights and biases.
#[derive(Clone, Debug, Default)]
pub(super) struct Copies {
    pub lines: Vec<f32>,
    pub biases: Vec<f32>,
}

impl Copies {
    /// The room that a network needs.
    pub fn new(network: &Network) -> Self {
        let most = |of: fn(&Layer) -> usize| network.layers().iter().map(of).max().unwrap_or(0);
        Self {
            lines: vec![0.0; most(|layer| copied_units(layer) * layer.stride)],
            biases: vec![0.0; most(|layer| line(layer.units))],
        }
    }
}

/// The block of random words with which the masks of some units of a layer begin; that of its
/// biases follows the last unit's.
fn first_block(layer: &Layer, unit: usize) -> u32 {
    (unit * edges::line_blocks(layer.inputs)) as u32
}

impl Slice {
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
        }
    }

    fn group_forward(
        &mut self,
        network: &Network,
        index: usize,
        columns: Range<usize>,
        mask: EdgeMask,
        scale: f32,
    ) {
        let (isa, padded, layer) = (self.isa, self.padded(), &network.layers()[index]);
        let Copies { lines, biases } = &mut self.copies;
        let (below, above) = self.levels.split_at_mut(index + 1);
        let (below, above) = (&below[index], &mut above[0]);
        let at_once = copied_units(layer);
        for unit in (0..layer.units).step_by(at_once) {
            let count = at_once.min(layer.units - unit);
            copy_kept(network, index, unit..unit + count, mask, scale, self.isa, lines);
            let copy = Submatrix {
                values: lines,
                lines: &above.kept.units()[..count],
                line_stride: layer.stride,
                steps: below.kept.units(),
                step_stride: 1,
            };
            let (from, to) =
                (&below.units[columns.start..], &mut above.units[unit * padded + columns.start..]);
            matmul::product(isa, copy, from, padded, columns.len(), to, padded, false);
        }
        let of_biases = Lines {
            first_block: first_block(layer, layer.units),
            lines: 1,
            inputs: layer.units,
            stride: line(layer.units),
        };
        edges::copy_kept(isa, mask, of_biases, network.padded_biases(index), scale, biases);
        for (units, bias) in above.units.chunks_exact_mut(padded).zip(&biases[..layer.units]) {
            units[columns.clone()].iter_mut().for_each(|unit| *unit += bias);
        }
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
            // Only prediction scales, and it has no backward pass.
            EdgeNoise::Scaled { .. } => {}
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
        let (isa, padded, layer) = (self.isa, self.padded(), &network.layers()[index]);
        let lines = &mut self.copies.lines;
        let (below, above) = self.levels.split_at_mut(index + 1);
        let (below, above) = (&mut below[index], &above[0]);
        let at_once = copied_units(layer);
        for unit in (0..layer.units).step_by(at_once) {
            let count = at_once.min(layer.units - unit);
            copy_kept(network, index, unit..unit + count, mask, scale, isa, lines);
            let copy = Submatrix {
                values: lines,
                lines: below.kept.units(),
                line_stride: 1,
                steps: &above.kept.units()[..count],
                step_stride: layer.stride,
            };
            let from = &above.gradients[unit * padded + columns.start..];
            let to = &mut below.gradients[columns.start..];
            matmul::product(isa, copy, from, padded, columns.len(), to, padded, unit > 0);
        }
    }

    /// Adds the gradients of the weights of some units of a layer to `to`, as
    /// [`Slice::weight_gradients`].
    pub(super) fn edge_gradients(
        &self,
        index: usize,
        noise: EdgeNoise,
        units: Range<usize>,
        positions: &[u32],
        compact: &mut [f32],
        to: &mut [f32],
    ) {
        let (below, above, padded) = (&self.levels[index], &self.levels[index + 1], self.padded());
        let (inputs, whole_stride) = (below.kept.level(), stride(below.kept.level()));
        match noise {
            EdgeNoise::Rows { mask, scale } => {
                let layer =
                    RowEdges { mask, units: above.kept.level(), inputs, stride: whole_stride, rows: padded };
                row_edges::gradients(
                    self.isa,
                    layer,
                    units.start,
                    units.len(),
                    self.rows(),
                    &above.gradients,
                    &below.rows,
                    whole_stride,
                    scale,
                    to,
                );
            }
            EdgeNoise::Groups { mask, rows, scale } => {
                for (columns, mask) in
                    self.groups(mask, rows).filter(|(columns, _)| columns.start < self.rows())
                {
                    let gradients = Submatrix {
                        values: &above.gradients[columns.start..],
                        lines: &positions[units.clone()],
                        line_stride: padded,
                        steps: &positions[..columns.end.min(self.rows()) - columns.start],
                        step_stride: 1,
                    };
                    let from = &below.rows[columns.start * whole_stride..];
                    matmul::product(
                        self.isa,
                        gradients,
                        from,
                        whole_stride,
                        line(inputs),
                        compact,
                        whole_stride,
                        false,
                    );
                    let first_block = (units.start * edges::line_blocks(inputs)) as u32;
                    let lines = Lines { first_block, lines: units.len(), inputs, stride: whole_stride };
                    edges::add_kept(self.isa, mask, lines, compact, scale, to);
                }
            }
            EdgeNoise::Scaled { .. } => {}
        }
    }

    /// Adds the gradients of the biases of a layer to `to`; `compact` has room for one for each unit.
    pub(super) fn edge_bias_gradients(
        &self,
        index: usize,
        noise: EdgeNoise,
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
                    let first_block = (units * edges::line_blocks(inputs)) as u32;
                    let lines = Lines { first_block, lines: 1, inputs: units, stride: line(units) };
                    edges::add_kept(self.isa, mask, lines, compact, scale, to);
                }
            }
            EdgeNoise::Scaled { .. } => {}
        }
    }
}

/// Copies the kept weights of some units, scaled.
fn copy_kept(
    network: &Network,
    index: usize,
    units: Range<usize>,
    mask: EdgeMask,
    scale: f32,
    isa: thinnet_kernels::Isa,
    to: &mut [f32],
) {
    let layer = &network.layers()[index];
    let lines = Lines {
        first_block: first_block(layer, units.start),
        lines: units.len(),
        inputs: layer.inputs,
        stride: layer.stride,
    };
    edges::copy_kept(isa, mask, lines, &network.weights(index)[units.start * layer.stride..], scale, to);
}
