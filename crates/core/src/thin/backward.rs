//! The backward pass of the sampled network, and the gradients of its weights.

use std::ops::Range;

use thinnet_kernels::elementwise::{self, Units};
use thinnet_kernels::matmul::{self, Submatrix};
use thinnet_kernels::{gather, line, reduce, stride};

use super::edge_mask::EdgeNoise;
use super::forward::submatrix;
use super::slice::{Level, Slice};
use super::{Sample, Thinning};
use crate::network::{Activation, Learned, Network};

/// Some units of a layer, and where the gradients of their weights go.
// Hidden as `Slice::weight_gradients`, which takes it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Gradient<'a> {
    /// The number of the layer, counted from the input on.
    pub layer: usize,
    /// The units.
    pub units: Range<usize>,
    /// Whether the gradients are written to `to`, not added to what is there.
    pub fresh: bool,
    /// The weights of the units, `[units, the layer's stride]`. They are read where edges have the Gaussian
    /// form of their noise; else they may be empty.
    pub weights: &'a [f32],
    /// 0, 1, 2, …: at least as many as the layer has units, and the slice rows.
    pub positions: &'a [u32],
    /// Room to work in: as much as `to`, and 16 numbers more.
    pub compact: &'a mut [f32],
    /// The gradients, `[units, the layer's stride]`.
    pub to: &'a mut [f32],
}

impl Slice {
    /// Carries the gradient of the outputs down to every hidden level, and to the input where something
    /// is learned of its noise. The whole network of standout, and one whose edges are scaled or pruned, has
    /// no such pass: [`Stepper::new`](crate::train::Stepper::new) refuses a pair that needs it.
    pub fn backward(&mut self, network: &Network, thinning: &Thinning) {
        let (isa, padded) = (self.isa, self.padded());
        let learns_of_input = thinning.is_noisy(0) && thinning.drop().learned() != Learned::Nothing;
        let lowest = if learns_of_input { 0 } else { 1 };
        for index in (lowest..network.layers().len()).rev() {
            let (mask, scale) = self.mask_and_scale(thinning, index);
            let edges = self.edges[index];
            if let Some(noise) = edges {
                self.edges_backward(network, index, noise);
            } else {
                let (below, above) = self.levels.split_at_mut(index + 1);
                let (below, above) = (&mut below[index], &above[0]);
                let weights = submatrix(network, index, &below.kept, &above.kept).transposed();
                let (from, to) = (&above.gradients, &mut below.gradients);
                matmul::product(isa, weights, from, padded, padded, to, padded, false);
            }
            let scale = scale * edges.map_or(1.0, EdgeNoise::backward_scale);
            self.differentiate_noise(network, thinning, index);
            if index == 0 {
                return;
            }
            let Level { kept, units, pre, gradients, noise, .. } = &mut self.levels[index];
            let activation = network.layers()[index - 1].activation;
            // A relu that the mask or its own sign silenced is 0 among the activations: no mask is drawn.
            let mask = mask.filter(|_| activation != Activation::Relu);
            // Only noise that was drawn has written the clean units; the whole network has none.
            let drawn = thinning.is_noisy(index) && self.sample != Sample::Whole;
            let clean = if drawn { &noise.clean[..] } else { &[][..] };
            let pre = [&pre[..], clean].into_iter().find(|buffer| !buffer.is_empty()).unwrap_or(&units[..]);
            let activation = activation.kernel();
            let layer = Units { units: kept.units(), rows: padded, mask, scale, activation };
            elementwise::differentiate(isa, layer, pre, gradients);
        }
        self.finish_slopes(0);
    }

    /// The gradients of the weights of some units of a layer, after [`Slice::backward`].
    // Hidden: only tests call it from outside, and a wrong index panics (contract 5).
    #[doc(hidden)]
    pub fn weight_gradients(&self, gradient: Gradient) {
        if let Some(noise) = self.edges[gradient.layer] {
            return self.edge_gradients(noise, gradient);
        }
        let Gradient { layer, units, fresh, positions, compact, to, .. } = gradient;
        let (below, above) = (&self.levels[layer], &self.levels[layer + 1]);
        let whole_stride = stride(below.kept.level());
        let kept = above.kept.between(units.start, units.end);
        let inputs = below.kept.count();
        let slopes = self.slopes(&above.gradients, kept.clone(), positions);
        let (width, inputs_stride) = (line(inputs), stride(inputs));
        if below.kept.is_whole() && kept.len() == units.len() {
            matmul::product(self.isa, slopes, &below.rows, inputs_stride, width, to, whole_stride, !fresh);
            return;
        }
        matmul::product(self.isa, slopes, &below.rows, inputs_stride, width, compact, inputs_stride, false);
        let mut kept = above.kept.units()[kept].iter().enumerate().peekable();
        for (unit, line) in units.zip(to.chunks_exact_mut(whole_stride)) {
            match kept.next_if(|&(_, &kept)| kept as usize == unit) {
                Some((position, _)) => {
                    let compact = &compact[position * inputs_stride..];
                    gather::expand(self.isa, below.kept.bits(), compact, line, !fresh);
                }
                None if fresh => line.fill(0.0),
                None => {}
            }
        }
    }

    /// Some lines of slopes of the loss, `[units, rows]`, as the left factor of a sum over the rows.
    /// `positions` counts from 0 on.
    pub(super) fn slopes<'a>(
        &self,
        values: &'a [f32],
        lines: Range<usize>,
        positions: &'a [u32],
    ) -> Submatrix<'a> {
        Submatrix {
            values,
            lines: &positions[lines],
            line_stride: self.padded(),
            steps: &positions[..self.rows()],
            step_stride: 1,
        }
    }

    /// Adds the gradients of the biases of a layer, which are `biases`, to `to`; `compact` is as long.
    // Hidden as `weight_gradients`.
    #[doc(hidden)]
    pub fn bias_gradients(&self, layer: usize, biases: &[f32], compact: &mut [f32], to: &mut [f32]) {
        if let Some(noise) = self.edges[layer] {
            self.edge_bias_gradients(layer, noise, biases, compact, to);
            return;
        }
        let Level { kept, gradients, .. } = &self.levels[layer + 1];
        for (&unit, line) in kept.units().iter().zip(gradients.chunks_exact(self.padded())) {
            to[unit as usize] += reduce::sum(self.isa, line);
        }
    }
}
