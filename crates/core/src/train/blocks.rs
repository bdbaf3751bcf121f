//! The parameters cut into blocks: what one thread updates at a time.
//!
//! A block is a run of whole units of one layer, small enough that its gradient stays in the
//! second-level cache from the product that makes it to the update that uses it; the gradient
//! of a whole layer is never written.

use std::ops::Range;

use thinnet_kernels::line;

use crate::network::{Layer, Network};

/// Numbers in the gradient of a block, at most: a quarter of a second-level cache of 1 MiB.
const BLOCK_NUMBERS: usize = 64 * 1024;

/// Units of a block, at most: a multiple of the lines of a product's tile.
const BLOCK_UNITS: usize = 48;

/// Which of a layer's parameters a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The weights of its units.
    Weights,
    /// The biases of all units.
    Biases,
    /// The learned numbers of the noise: of its units where each weight has one, else all.
    Noise,
}

/// Part of the parameters.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The layer it belongs to.
    pub layer: usize,
    /// Its units.
    pub units: Range<usize>,
    /// Which of their parameters.
    pub part: Part,
    /// The number of its first unit among the units of all layers.
    pub first_unit: usize,
    /// Where it stands in the network's values.
    pub at: usize,
}

impl Block {
    /// How many numbers its parameters take, padding included.
    pub fn length(&self, layer: &Layer) -> usize {
        match self.part {
            Part::Weights => self.units.len() * layer.stride,
            Part::Biases => line(layer.units),
            Part::Noise => {
                let lines = layer.learned_lines();
                lines.count.min(self.units.len()) * lines.stride
            }
        }
    }
}

/// The parameters of a block, and what the rule of the update keeps beside each; a part that
/// the rule does not need is empty.
pub(super) struct Parameters<'a> {
    /// The parameters themselves, or a number for each of them.
    pub values: &'a mut [f32],
    /// Adam's means; the velocities of descent stand here.
    pub first_moments: &'a mut [f32],
    /// Adam's squares.
    pub second_moments: &'a mut [f32],
}

impl<'a> Parameters<'a> {
    fn split(self, at: usize) -> (Self, Self) {
        let (values, values_after) = self.values.split_at_mut(at);
        let (first_moments, first_after) = self.first_moments.split_at_mut(at.min(self.first_moments.len()));
        let (second_moments, second_after) =
            self.second_moments.split_at_mut(at.min(self.second_moments.len()));
        let after = Self { values: values_after, first_moments: first_after, second_moments: second_after };
        (Self { values, first_moments, second_moments }, after)
    }

    /// One line of `length` parameters, with its first and its second moments.
    pub fn line(&mut self, at: usize, length: usize) -> [&mut [f32]; 3] {
        let line = at..at + length;
        let of_second = if self.second_moments.is_empty() { 0..0 } else { line.clone() };
        [&mut self.values[line.clone()], &mut self.first_moments[line], &mut self.second_moments[of_second]]
    }
}

/// All blocks of a network in the order of its values.
pub(super) fn cut(network: &Network) -> Vec<Block> {
    let (mut blocks, mut layer_first) = (Vec::new(), 0);
    for (index, layer) in network.layers().iter().enumerate() {
        let most = (BLOCK_NUMBERS / layer.stride / 6 * 6).clamp(6, BLOCK_UNITS);
        let learned = layer.learned_lines();
        let parts = [
            (Part::Weights, layer.units, most, layer.weights_at, layer.stride),
            (Part::Biases, layer.units, layer.units, layer.biases_at, 0),
            (Part::Noise, learned.count, most, layer.noise_at(), learned.stride),
        ];
        for (part, lines, most, at, stride) in parts {
            for first in (0..lines).step_by(most) {
                let units = first..lines.min(first + most);
                blocks.push(Block {
                    layer: index,
                    first_unit: layer_first + first,
                    units,
                    part,
                    at: at + first * stride,
                });
            }
        }
        layer_first += layer.units;
    }
    blocks
}

/// The numbers that the gradients of any block need: whole lines, and lines of kept inputs.
pub(super) fn scratch_length(network: &Network, blocks: &[Block]) -> usize {
    blocks.iter().map(|block| block.length(&network.layers()[block.layer])).max().unwrap_or(0)
        + thinnet_kernels::LINE
}

/// Does `work` on each block, on the threads of the current pool when `parallel`. Allocates nothing.
pub(super) fn for_each(
    blocks: &[Block],
    parameters: Parameters<'_>,
    parallel: bool,
    work: &(impl Fn(&Block, Parameters<'_>) + Sync),
) {
    match blocks {
        [] => {}
        [block] => work(block, parameters),
        blocks => {
            let (left, right) = blocks.split_at(blocks.len() / 2);
            let (before, after) = parameters.split(right[0].at - left[0].at);
            if parallel {
                rayon::join(|| for_each(left, before, true, work), || for_each(right, after, true, work));
            } else {
                for_each(left, before, false, work);
                for_each(right, after, false, work);
            }
        }
    }
}
