//! The whole network on many rows.

use rayon::prelude::*;
use thinnet_kernels::Isa;

use super::{Buffers, Sample, Slice, Thinning};
use crate::data::Matrix;
use crate::network::Network;

/// How many rows a prediction takes at a time: four vectors of 16.
pub(crate) const PREDICTED_ROWS: usize = 64;

/// The outputs of the whole network (weight scaling), `[rows, outputs]`; logits for a classification.
///
/// Where masks are fixed, a weight between units that no mask keeps together was never trained. The
/// outputs are then the means of those of the members.
///
/// Runs on the threads of the pool it is called from. `inputs` must have the network's width.
pub fn outputs(isa: Isa, network: &Network, thinning: &Thinning, inputs: &Matrix) -> Matrix {
    activations(isa, network, thinning, inputs, network.layers().len())
}

/// What the units of a level give in the whole network, `[rows, units]`: those of the first hidden
/// layer for level 1, and of the highest level the outputs.
pub(crate) fn activations(
    isa: Isa,
    network: &Network,
    thinning: &Thinning,
    inputs: &Matrix,
    level: usize,
) -> Matrix {
    let width = network.layers()[level - 1].units;
    let mut activations = Matrix::zeros(inputs.rows(), width);
    let new_slice = || Slice::new(isa, network, PREDICTED_ROWS.min(inputs.rows()), 0, Buffers::Predict);
    let chunks = activations.values_mut().par_chunks_mut(PREDICTED_ROWS * width).enumerate();
    chunks.for_each_init(new_slice, |slice, (chunk, to)| {
        let first = chunk * PREDICTED_ROWS;
        let mut run = |sample: Sample, to: &mut [f32]| {
            slice.thin(thinning, sample, first as u32);
            slice.load(thinning, (first..first + to.len() / width).map(|row| inputs.row(row)));
            slice.forward(network, thinning, 0..level);
            slice.write_level(level, to);
        };
        let Some(members) = thinning.members() else { return run(Sample::Whole, to) };
        let mut member = vec![0.0; to.len()];
        for number in 0..members {
            run(Sample::MonteCarlo { number }, &mut member);
            to.iter_mut().zip(&member).for_each(|(to, output)| *to += output / members as f32);
        }
    });
    activations
}
