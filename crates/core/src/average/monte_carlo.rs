//! The mean of sampled thinned networks, and how far they lie apart.

use rayon::prelude::*;
use thinnet_kernels::Isa;

use super::Link;
use crate::data::Matrix;
use crate::network::Network;
use crate::thin::{Buffers, PREDICTED_ROWS, Sample, Slice, Thinning};

/// Mean and standard deviation of the predictions of `samples` thinned networks, both `[rows, width]`.
///
/// Where training gave each row a mask of its own, so does this; where a slice shared one, all
/// rows here meet the same thinned networks. The layers below the first thinned level are
/// computed once. Runs on the threads of the pool it is called from.
pub fn monte_carlo(
    isa: Isa,
    network: &Network,
    thinning: &Thinning,
    link: Link,
    inputs: &Matrix,
    samples: u32,
) -> (Matrix, Matrix) {
    let width = link.width(network.outputs());
    let (mut mean, mut spread) = (Matrix::zeros(inputs.rows(), width), Matrix::zeros(inputs.rows(), width));
    let chunk = PREDICTED_ROWS * width;
    let chunks = mean.values_mut().par_chunks_mut(chunk).zip(spread.values_mut().par_chunks_mut(chunk));
    let new_slice = || Slice::new(isa, network, PREDICTED_ROWS.min(inputs.rows()), 0, Buffers::Predict);
    chunks.enumerate().for_each_init(new_slice, |slice, (chunk, (mean, spread))| {
        let first = chunk * PREDICTED_ROWS;
        let rows = first..first + mean.len() / width;
        let mut sums = Moments::new(mean.len());
        sample(slice, network, thinning, inputs, rows, samples, |slice| sums.add(slice, network, link));
        sums.write(mean, spread);
    });
    (mean, spread)
}

/// Runs each sampled network on some rows and shows what it gave.
fn sample(
    slice: &mut Slice,
    network: &Network,
    thinning: &Thinning,
    inputs: &Matrix,
    rows: std::ops::Range<usize>,
    samples: u32,
    mut show: impl FnMut(&Slice),
) {
    let (layers, first_row) = (network.layers().len(), rows.start as u32);
    let load = |slice: &mut Slice| slice.load(thinning, rows.clone().map(|row| inputs.row(row)));
    // The layer whose units are the first to be thinned; 0 where the input itself is.
    let first_layer = thinning.first_thinned().map_or(layers, |level| level.saturating_sub(1));
    let input_is_thinned = thinning.first_thinned() == Some(0);
    if !input_is_thinned {
        slice.thin(thinning, Sample::MonteCarlo { number: 0 }, first_row);
        load(slice);
        slice.forward(network, thinning, 0..first_layer);
    }
    for number in 0..u64::from(samples) {
        slice.thin(thinning, Sample::MonteCarlo { number }, first_row);
        if input_is_thinned {
            load(slice);
        }
        slice.forward(network, thinning, first_layer..layers);
        show(slice);
    }
}

/// Sums over the samples: of the predictions, and of the squares of their distance from the first.
struct Moments {
    count: f64,
    first: Vec<f32>,
    sums: Vec<f64>,
    squares: Vec<f64>,
    row: Vec<f32>,
}

impl Moments {
    fn new(length: usize) -> Self {
        Self {
            count: 0.0,
            first: vec![0.0; length],
            sums: vec![0.0; length],
            squares: vec![0.0; length],
            row: Vec::new(),
        }
    }

    fn add(&mut self, slice: &Slice, network: &Network, link: Link) {
        let (outputs, width) = (network.outputs(), link.width(network.outputs()));
        let mut logits = vec![0.0; slice.rows() * outputs];
        slice.write_outputs(&mut logits);
        self.row.resize(width, 0.0);
        for (row, logits) in logits.chunks_exact(outputs).enumerate() {
            link.apply_row(logits, &mut self.row);
            for (at, &value) in (row * width..).zip(&self.row) {
                if self.count == 0.0 {
                    self.first[at] = value;
                }
                let distance = f64::from(value) - f64::from(self.first[at]);
                self.sums[at] += distance;
                self.squares[at] += distance * distance;
            }
        }
        self.count += 1.0;
    }

    fn write(&self, mean: &mut [f32], spread: &mut [f32]) {
        for at in 0..mean.len() {
            let shift = self.sums[at] / self.count;
            mean[at] = (f64::from(self.first[at]) + shift) as f32;
            spread[at] = (self.squares[at] / self.count - shift * shift).max(0.0).sqrt() as f32;
        }
    }
}
