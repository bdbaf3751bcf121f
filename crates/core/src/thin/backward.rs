//! The backward pass of the sampled network, and the gradients of its weights.

use std::ops::Range;

use thinnet_kernels::elementwise::{self, Units};
use thinnet_kernels::matmul::{self, Submatrix};
use thinnet_kernels::{gather, line, reduce, stride};

use super::edges::EdgeNoise;
use super::forward::submatrix;
use super::slice::{Level, Slice};
use super::{Sample, Thinning};
use crate::network::{Activation, Learned, Network};

impl Slice {
    /// Carries the gradient of the outputs down to every hidden level, and to the input where something
    /// is learned of its noise. The whole network of standout, and one whose edges are scaled or pruned, has
    /// no such pass: [`Stepper::new`](crate::train::Stepper::new) refuses a pair that needs it.
    pub fn backward(&mut self, network: &Network, thinning: &Thinning) {
        let (isa, padded) = (self.isa, self.padded());
        let learns_of_input = thinning.is_noisy(0) && thinning.drop().learned().0 != Learned::Nothing;
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

    /// The gradients of the weights of some units of a layer, `[units, the layer's stride]`; `weights` are
    /// these weights. They are added to `to`, or with `first` written there. `positions` counts from 0 to at
    /// least the number of rows and units; `compact` holds the gradients of the kept units.
    #[allow(clippy::too_many_arguments)]
    pub fn weight_gradients(
        &self,
        layer: usize,
        units: Range<usize>,
        first: bool,
        weights: &[f32],
        positions: &[u32],
        compact: &mut [f32],
        to: &mut [f32],
    ) {
        if let Some(noise) = self.edges[layer] {
            self.edge_gradients(layer, noise, units, first, weights, positions, compact, to);
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
        let mut kept = above.kept.units()[kept].iter().enumerate().peekable();
        for (unit, line) in units.zip(to.chunks_exact_mut(whole_stride)) {
            match kept.next_if(|&(_, &kept)| kept as usize == unit) {
                Some((position, _)) => {
                    let compact = &compact[position * inputs_stride..];
                    gather::expand(self.isa, below.kept.bits(), compact, line, !first);
                }
                None if first => line.fill(0.0),
                None => {}
            }
        }
    }

    /// Adds the gradients of the biases of a layer, which are `biases`, to `to`; `compact` is as long.
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
