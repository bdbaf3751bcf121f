//! Normal noise on edges: the Gaussian form of DropConnect, and a learned variance for each weight.
//!
//! What the noisy edges of a unit give together is drawn at once (Kingma, Salimans and Welling 2015,
//! section 2.2): u ~ N(W x + b, alpha (W∘W (x∘x) + b∘b)) where edges are dropped and kept ones divided
//! by keep, alpha = rate / keep; and u ~ N(W x + b, V (x∘x)) where weights have the learned variances
//! V = exp(l) (Molchanov, Ashukha and Vetrov 2017, section 4.3). Two products in the place of one. Every
//! unit of every row has its own number n, whoever shares a mask.

use std::ops::Range;

use thinnet_kernels::edge_noise::{self, Perturbed};
use thinnet_kernels::matmul::{self, Submatrix};
use thinnet_kernels::{Isa, line, lines, reduce, sparse, stride};

use super::Thinning;
use super::backward::Gradient;
use super::dropconnect::{Copies, add_biases, copied};
use super::edge_mask::{EdgeDraw, EdgeNoise};
use super::forward::submatrix;
use super::slice::Slice;
use crate::network::Network;

/// The most that the variance of a weight's noise may be of its square: e^3. Weights with more are
/// pruned (Molchanov, Ashukha and Vetrov 2017, section 4.1).
pub(crate) const PRUNED_ABOVE: f32 = 20.085_537;

impl Slice {
    /// The pre-activations of a layer, in the place of its units. `alpha` is the variance of an edge over
    /// its square; without it each weight has its own.
    pub(super) fn normal_forward(
        &mut self,
        network: &Network,
        index: usize,
        draw: EdgeDraw,
        alpha: Option<f32>,
    ) {
        self.normal_sums(network, index, alpha);
        self.perturb(network, index, draw, alpha);
    }

    /// The means of a layer's pre-activations but for the biases, and their variances but for alpha and the
    /// biases.
    fn normal_sums(&mut self, network: &Network, index: usize, alpha: Option<f32>) {
        let (isa, padded, layer) = (self.isa, self.padded(), network.layers()[index]);
        let Copies { lines, inputs: squares, .. } = &mut self.copies;
        let (below, above) = self.levels.split_at_mut(index + 1);
        let (below, above) = (&mut below[index], &mut above[0]);
        let weights = submatrix(network, index, &below.kept, &above.kept);
        matmul::product(isa, weights, &below.units, padded, padded, &mut above.units, padded, false);
        let length = layer.inputs * padded;
        lines::square(isa, &below.units[..length], &mut squares[..length]);
        if !below.square_rows.is_empty() {
            let length = padded * layer.stride;
            lines::square(isa, &below.rows[..length], &mut below.square_rows[..length]);
        }
        for units in copied(&layer) {
            copy_variances(isa, network, index, units.clone(), alpha.is_some(), lines);
            let copy = Submatrix {
                values: lines,
                lines: &above.kept.units()[..units.len()],
                line_stride: layer.stride,
                steps: below.kept.units(),
                step_stride: 1,
            };
            let to = &mut above.slopes[units.start * padded..];
            matmul::product(isa, copy, squares, padded, padded, to, padded, false);
        }
    }

    /// Draws the pre-activations of a layer around their means.
    fn perturb(&mut self, network: &Network, index: usize, draw: EdgeDraw, alpha: Option<f32>) {
        let (padded, units) = (self.padded(), network.layers()[index].units);
        let above = &mut self.levels[index + 1];
        let EdgeDraw { key, step, first_row } = draw;
        let (noisy_biases, alpha) = (alpha.is_some(), alpha.unwrap_or(1.0));
        let by = Perturbed { key, step, first_row, units, rows: padded, alpha, noisy_biases };
        edge_noise::perturb(self.isa, by, network.biases(index), &mut above.units, &mut above.slopes);
    }

    /// Runs a layer with `samples` draws of its pre-activations, each from a normal distribution with the
    /// mean and the variance of dropped edges, and leaves the mean of the activations as those of its units:
    /// the inference of DropConnect (Wan et al. 2013, section 3.2). `show` sees the slice after each draw.
    pub(crate) fn average_draws(
        &mut self,
        network: &Network,
        thinning: &Thinning,
        index: usize,
        samples: u32,
        mut show: impl FnMut(&Slice),
    ) {
        let Some(EdgeNoise::Gaussian { draw, alpha }) = self.edges[index] else {
            self.forward(network, thinning, index..index + 1);
            return show(self);
        };
        let (length, scale) = (network.layers()[index].units * self.padded(), thinning.edge_scale(index));
        self.normal_sums(network, index, Some(alpha));
        let copy = |from: &[f32]| from[..length].to_vec();
        let (means, variances) = (copy(&self.levels[index + 1].units), copy(&self.levels[index + 1].slopes));
        let mut sums = vec![0.0; length];
        for step in 0..u64::from(samples) {
            let above = &mut self.levels[index + 1];
            above.units[..length].copy_from_slice(&means);
            above.slopes[..length].copy_from_slice(&variances);
            self.perturb(network, index, EdgeDraw { step, ..draw }, Some(alpha));
            if scale != 1.0 {
                self.levels[index + 1].units[..length].iter_mut().for_each(|unit| *unit *= scale);
            }
            self.activate(network, thinning, index);
            show(self);
            let units = &self.levels[index + 1].units[..length];
            sums.iter_mut().zip(units).for_each(|(sum, unit)| *sum += unit);
        }
        let units = self.levels[index + 1].units[..length].iter_mut().zip(&sums);
        units.for_each(|(unit, sum)| *unit = sum / samples as f32);
    }

    /// The gradient of a layer's inputs, with variances of dropped edges or with learned ones.
    pub(super) fn normal_backward(&mut self, network: &Network, index: usize, dropped: bool) {
        self.finish_slopes(index);
        let (isa, padded, layer) = (self.isa, self.padded(), network.layers()[index]);
        let Copies { lines, inputs: through, .. } = &mut self.copies;
        let (below, above) = self.levels.split_at_mut(index + 1);
        let (below, above) = (&mut below[index], &above[0]);
        let weights = submatrix(network, index, &below.kept, &above.kept).transposed();
        let to = &mut below.gradients;
        matmul::product(isa, weights, &above.gradients, padded, padded, to, padded, false);
        for units in copied(&layer) {
            copy_variances(isa, network, index, units.clone(), dropped, lines);
            let copy = Submatrix {
                values: lines,
                lines: below.kept.units(),
                line_stride: 1,
                steps: &above.kept.units()[..units.len()],
                step_stride: layer.stride,
            };
            let from = &above.slopes[units.start * padded..];
            matmul::product(isa, copy, from, padded, padded, through, padded, units.start > 0);
        }
        let length = layer.inputs * padded;
        lines::add_through_square(isa, &below.units[..length], &through[..length], &mut to[..length]);
    }

    /// Turns the derivatives of a layer's pre-activations by their variances into those of the loss, once
    /// the gradients of the pre-activations are there.
    pub(super) fn finish_slopes(&mut self, index: usize) {
        let (isa, padded) = (self.isa, self.padded());
        let above = &mut self.levels[index + 1];
        if !above.slopes.is_empty() && self.edges[index].is_some() {
            let length = above.kept.level() * padded;
            lines::multiply(isa, &above.gradients[..length], &mut above.slopes[..length]);
        }
    }

    /// Adds the gradients of the weights of some units; those of `dropped` edges come through the variances,
    /// too.
    pub(super) fn normal_gradients(&self, gradient: Gradient, dropped: bool) {
        let Gradient { layer, units, weights, positions, compact, to, .. } = gradient;
        let (below, above) = (&self.levels[layer], &self.levels[layer + 1]);
        let inputs = below.kept.level();
        let slopes = self.slopes(&above.gradients, units.clone(), positions);
        self.outer(inputs, slopes, &below.rows, true, to);
        if !dropped {
            return;
        }
        let slopes = self.slopes(&above.slopes, units.clone(), positions);
        self.outer(inputs, slopes, &below.square_rows, false, compact);
        let (width, stride) = (line(inputs), stride(inputs));
        for at in (0..units.len() * stride).step_by(stride) {
            let line = at..at + width;
            let (weights, compact) = (&weights[line.clone()], &compact[line.clone()]);
            lines::add_through_square(self.isa, weights, compact, &mut to[line]);
        }
    }

    /// Adds the gradients of the variances of the weights of some units to `to`, `[units, the layer's
    /// stride]`. `positions` counts from 0 to at least the number of rows and units.
    // Hidden as `weight_gradients`.
    #[doc(hidden)]
    pub fn variance_gradients(&self, layer: usize, units: Range<usize>, positions: &[u32], to: &mut [f32]) {
        let (below, above) = (&self.levels[layer], &self.levels[layer + 1]);
        let slopes = self.slopes(&above.slopes, units, positions);
        self.outer(below.kept.level(), slopes, &below.square_rows, true, to);
    }

    /// The sum over the rows of slopes of some units times numbers of the inputs, `[units, stride]`, added
    /// to `to` or written there.
    fn outer(&self, inputs: usize, slopes: Submatrix, rows: &[f32], add: bool, to: &mut [f32]) {
        let (width, stride) = (line(inputs), stride(inputs));
        matmul::product(self.isa, slopes, rows, stride, width, to, stride, add);
    }

    /// Adds the gradients of the biases; with `biases`, those that come through the variances too.
    pub(super) fn normal_bias_gradients(&self, index: usize, biases: Option<&[f32]>, to: &mut [f32]) {
        let (above, padded) = (&self.levels[index + 1], self.padded());
        for (unit, to) in to[..above.kept.level()].iter_mut().enumerate() {
            let line = unit * padded..(unit + 1) * padded;
            *to += reduce::sum(self.isa, &above.gradients[line.clone()]);
            if let Some(biases) = biases {
                *to += 2.0 * biases[unit] * reduce::sum(self.isa, &above.slopes[line]);
            }
        }
    }

    /// The pre-activations of a layer without the weights that are mostly noise.
    pub(super) fn pruned_forward(&mut self, network: &Network, index: usize) {
        let (isa, padded, layer) = (self.isa, self.padded(), network.layers()[index]);
        let lines = &mut self.copies.lines;
        let (below, above) = self.levels.split_at_mut(index + 1);
        let (below, above) = (&below[index], &mut above[0]);
        if let Some(matrix) = network.sparse(index) {
            sparse::product(isa, matrix, &below.units, padded, &mut above.units);
        } else {
            for units in copied(&layer) {
                let part = units.start * layer.stride..units.end * layer.stride;
                let (weights, logarithms) = (network.weights(index), network.noise(index));
                let to = &mut lines[..part.len()];
                edge_noise::copy_clear(isa, PRUNED_ABOVE, &weights[part.clone()], &logarithms[part], to);
                let copy = Submatrix {
                    values: lines,
                    lines: &above.kept.units()[..units.len()],
                    line_stride: layer.stride,
                    steps: below.kept.units(),
                    step_stride: 1,
                };
                let to = &mut above.units[units.start * padded..];
                matmul::product(isa, copy, &below.units, padded, padded, to, padded, false);
            }
        }
        add_biases(network.biases(index), padded, 0..padded, &mut above.units);
    }
}

/// Copies the variances of the weights of some units: their squares where edges are dropped, else what
/// is learned.
fn copy_variances(
    isa: Isa,
    network: &Network,
    index: usize,
    units: Range<usize>,
    dropped: bool,
    to: &mut [f32],
) {
    let stride = network.layers()[index].stride;
    let part = units.start * stride..units.end * stride;
    let to = &mut to[..part.len()];
    if dropped {
        lines::square(isa, &network.weights(index)[part], to);
    } else {
        lines::exponentials(isa, &network.noise(index)[part], to);
    }
}
