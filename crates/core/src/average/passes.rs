//! What the averages share: chunks of rows on the threads and, where nothing is sampled, rows as columns of a
//! buffer, with layers run on them.

use std::ops::Range;

use rayon::prelude::*;
use thinnet_kernels::elementwise::{self, Units};
use thinnet_kernels::line;
use thinnet_kernels::matmul::{self, Submatrix};

use super::thinned::Thinned;
use crate::data::Matrix;
use crate::thin::{Buffers, Drop, PREDICTED_ROWS, Sample, Slice};

/// The length of a line of rows.
pub(super) const PADDED: usize = line(PREDICTED_ROWS);

impl Thinned<'_> {
    /// How many chunks of up to [`PREDICTED_ROWS`] rows there are.
    pub(super) fn chunks(&self) -> usize {
        self.inputs.rows().div_ceil(PREDICTED_ROWS)
    }

    /// What `work` makes of each chunk, in the order of the rows. It is given their numbers, and a slice to
    /// run them on, in which the values of another chunk may still lie. Runs on the threads of the pool it is
    /// called from.
    pub(super) fn each_slice<T: Send>(&self, work: impl Fn(&mut Slice, Range<usize>) -> T + Sync) -> Vec<T> {
        let rows = self.inputs.rows();
        let new_slice = || Slice::new(self.isa, self.network, PREDICTED_ROWS.min(rows), 0, Buffers::Predict);
        let chunks = (0..self.chunks()).into_par_iter();
        let of_chunk = |slice: &mut Slice, chunk: usize| {
            work(slice, chunk * PREDICTED_ROWS..rows.min((chunk + 1) * PREDICTED_ROWS))
        };
        chunks.map_init(new_slice, of_chunk).collect()
    }

    /// What the units of a level are multiplied by in a thinned network that keeps them. Gaussian noise has
    /// the mean and the variance of dropped units of which the kept ones are divided by keep.
    pub(super) fn scale(&self, level: usize) -> f32 {
        if self.thinning.drop() == Drop::Gaussian {
            return 1.0 / (1.0 - self.thinning.rate(level));
        }
        self.thinning.scale(level, Sample::MonteCarlo { number: 0 })
    }

    /// The rows of a chunk, times the scale of the input: `[inputs, PADDED]`. Rows that do not exist are 0.
    pub(super) fn load(&self, chunk: usize, to: &mut [f32]) {
        to.fill(0.0);
        let first = chunk * PREDICTED_ROWS;
        let scale = self.scale(0);
        for row in first..self.inputs.rows().min(first + PREDICTED_ROWS) {
            let column = to[row - first..].iter_mut().step_by(PADDED);
            column.zip(self.inputs.row(row)).for_each(|(to, input)| *to = input * scale);
        }
    }

    /// The sums of a layer's weighted inputs, `[units, PADDED]`, biases left out.
    pub(super) fn product(&self, layer: usize, positions: &[u32], inputs: &[f32], to: &mut [f32]) {
        let weights = self.weights(layer, self.network.weights(layer), positions);
        matmul::product(self.isa, weights, inputs, PADDED, PADDED, to, PADDED, false);
    }

    /// All of a matrix that has the shape of a layer's weights. `positions` counts from 0 to the number
    /// of inputs and of units.
    pub(super) fn weights<'a>(&self, layer: usize, values: &'a [f32], positions: &'a [u32]) -> Submatrix<'a> {
        let shape = &self.network.layers()[layer];
        Submatrix {
            values,
            lines: &positions[..shape.units],
            line_stride: shape.stride,
            steps: &positions[..shape.inputs],
            step_stride: 1,
        }
    }

    /// The sums of a layer become the activations of its units, times their scale.
    pub(super) fn activate(&self, layer: usize, positions: &[u32], values: &mut [f32]) {
        let units = self.all_units(layer, positions);
        elementwise::activate(self.isa, units, self.network.biases(layer), values, &mut []);
    }

    /// All units of a layer, with no mask.
    pub(super) fn all_units<'a>(&self, layer: usize, positions: &'a [u32]) -> Units<'a> {
        let shape = &self.network.layers()[layer];
        Units {
            units: &positions[..shape.units],
            rows: PADDED,
            mask: None,
            scale: self.scale(layer + 1),
            activation: shape.activation.kernel(),
        }
    }

    /// 0, 1, 2, … up to the most inputs or units of a layer.
    pub(super) fn positions(&self) -> Vec<u32> {
        let widest = self.network.layers().iter().map(|layer| layer.units.max(layer.inputs)).max();
        (0..widest.unwrap_or(0) as u32).collect()
    }

    /// The predictions of all chunks, each `[width, PADDED]`, row by row.
    pub(super) fn row_by_row<'a>(&self, chunks: impl Iterator<Item = &'a [f32]>) -> Matrix {
        let width = self.output.width(self.network.outputs());
        let mut rows = Matrix::zeros(self.inputs.rows(), width);
        for (to, lines) in rows.values_mut().chunks_mut(PREDICTED_ROWS * width).zip(chunks) {
            for (row, to) in to.chunks_exact_mut(width).enumerate() {
                to.iter_mut().zip(lines[row..].iter().step_by(PADDED)).for_each(|(to, from)| *to = *from);
            }
        }
        rows
    }
}
