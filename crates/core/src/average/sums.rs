//! Sums over samples, which need no room for the samples: they become means, spreads and densities.

use std::f64::consts::TAU as TWO_PI;

use super::thinned::Thinned;
use super::{Averaged, Mean, Output};
use crate::data::Matrix;
use crate::thin::PREDICTED_ROWS;

impl Thinned<'_> {
    /// Mean and standard deviation, `[rows, width]` both, from the sums of one chunk of up to
    /// [`PREDICTED_ROWS`] rows after another.
    pub(super) fn assemble(&self, chunks: impl Iterator<Item = SampleSums>) -> Averaged {
        let width = self.output.width(self.network.outputs());
        let (mut mean, mut spread) =
            (Matrix::zeros(self.inputs.rows(), width), Matrix::zeros(self.inputs.rows(), width));
        let length = PREDICTED_ROWS * width;
        let parts = mean.values_mut().chunks_mut(length).zip(spread.values_mut().chunks_mut(length));
        parts.zip(chunks).for_each(|((mean, spread), sums)| sums.write(mean, spread));
        Averaged::new(mean, Some(spread))
    }
}

/// Sums over the samples: of the predictions, and of the squares of their distance from the first.
pub(super) struct SampleSums {
    output: Output,
    outputs: usize,
    count: f64,
    first: Vec<f32>,
    sums: Vec<f64>,
    squares: Vec<f64>,
    row: Vec<f32>,
    /// The sums of the logits, where the geometric mean is asked for.
    logits: Vec<f64>,
}

impl SampleSums {
    /// For so many rows of so many outputs; the spread does not depend on which mean is asked for.
    pub fn new(rows: usize, outputs: usize, output: Output, mean: Mean) -> Self {
        let width = output.width(outputs);
        let length = rows * width;
        Self {
            output,
            outputs,
            count: 0.0,
            first: vec![0.0; length],
            sums: vec![0.0; length],
            squares: vec![0.0; length],
            row: vec![0.0; width],
            logits: vec![0.0; if mean == Mean::Geometric { rows * outputs } else { 0 }],
        }
    }

    /// Adds a sampled network's outputs, `[rows, outputs]`.
    pub fn add(&mut self, outputs: &[f32]) {
        let width = self.row.len();
        for (row, outputs) in outputs.chunks_exact(self.outputs).enumerate() {
            self.output.apply_row(outputs, &mut self.row);
            for (at, &value) in (row * width..).zip(&self.row) {
                if self.count == 0.0 {
                    self.first[at] = value;
                }
                let distance = f64::from(value) - f64::from(self.first[at]);
                self.sums[at] += distance;
                self.squares[at] += distance * distance;
            }
        }
        self.logits.iter_mut().zip(outputs).for_each(|(sum, &logit)| *sum += f64::from(logit));
        self.count += 1.0;
    }

    /// Writes mean and standard deviation, `[rows, width]` both.
    fn write(&self, mean: &mut [f32], spread: &mut [f32]) {
        for at in 0..mean.len() {
            let shift = self.sums[at] / self.count;
            mean[at] = (f64::from(self.first[at]) + shift) as f32;
            spread[at] = (self.squares[at] / self.count - shift * shift).max(0.0).sqrt() as f32;
        }
        // The logarithm of a probability is its logit less what all classes share, which the
        // normalisation takes out: the geometric mean has the mean logits (Baldi and Sadowski 2013).
        let mean_logits: Vec<f32> = self.logits.iter().map(|sum| (sum / self.count) as f32).collect();
        let rows = mean.chunks_exact_mut(self.row.len());
        rows.zip(mean_logits.chunks_exact(self.outputs)).for_each(|(to, row)| self.output.apply_row(row, to));
    }
}

/// For each target the logarithm of the sum over the samples of exp(-tau/2 (target - value)^2).
pub(super) struct Densities<'a> {
    targets: &'a [f32],
    tau: f64,
    /// The largest exponent so far.
    largest: Vec<f64>,
    /// The sum of exp(exponent - largest).
    sums: Vec<f64>,
}

impl<'a> Densities<'a> {
    /// For the targets of some rows, `[rows, outputs]`, and the precision of the observations.
    pub fn new(targets: &'a [f32], tau: f64) -> Self {
        Self { targets, tau, largest: vec![f64::NEG_INFINITY; targets.len()], sums: vec![0.0; targets.len()] }
    }

    /// Adds a sampled network's values, `[rows, outputs]`.
    pub fn add(&mut self, values: &[f32]) {
        let sums = self.largest.iter_mut().zip(&mut self.sums);
        for ((largest, sum), (&value, &target)) in sums.zip(values.iter().zip(self.targets)) {
            let distance = f64::from(target) - f64::from(value);
            let exponent = -0.5 * self.tau * distance * distance;
            if exponent > *largest {
                *sum = *sum * libm::exp(*largest - exponent) + 1.0;
                *largest = exponent;
            } else {
                *sum += libm::exp(exponent - *largest);
            }
        }
    }

    /// The mean over the outputs of each row's log-density, in nats, after so many samples.
    pub fn of_rows(&self, samples: u32, outputs: usize) -> Vec<f64> {
        let shared = 0.5 * libm::log(self.tau / TWO_PI) - libm::log(f64::from(samples));
        let each =
            self.largest.iter().zip(&self.sums).map(|(largest, sum)| largest + libm::log(*sum) + shared);
        let each: Vec<f64> = each.collect();
        each.chunks_exact(outputs).map(|row| row.iter().sum::<f64>() / outputs as f64).collect()
    }
}
