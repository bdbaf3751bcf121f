//! Normal noise on edges, drawn where the edges meet: the local reparameterisation (Kingma, Salimans
//! and Welling 2015), and the weights whose noise is learned (Molchanov, Ashukha and Vetrov 2017).
//!
//! A pre-activation that is a sum of independent noisy terms is drawn at once, with the mean and the
//! variance of the sum. Buffers of units are `[units, rows]` with padded rows; those of weights are
//! lines, a multiple of [`LINE`] long.

#![allow(clippy::needless_range_loop, reason = "index loops: what is not inlined loses its instruction set")]

use crate::functions::exp;
use crate::isa::for_each_isa;
use crate::normal::normals;
use crate::philox::{self, Key};
use crate::simd::Simd;
use crate::{LINE, fits, same_lines};

/// Units whose pre-activations are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Perturbed {
    /// Seed and stream of the layer.
    pub key: Key,
    /// The step, or the number of the sampled network.
    pub step: u64,
    /// The number of the buffer's first row; the others follow.
    pub first_row: u32,
    /// How many units there are.
    pub units: usize,
    /// The length of a line of the buffers: the padded number of rows.
    pub rows: usize,
    /// What the variances are multiplied by.
    pub alpha: f32,
    /// Whether the biases have the noise of an edge whose input is 1.
    pub noisy_biases: bool,
}

/// Variances that are less count as 0: their roots could not be divided by.
const LEAST_VARIANCE: f32 = 1e-30;

for_each_isa! {
    /// `values`, the sums of the means, become `values + bias + s n` with s² = alpha `variances`, where
    /// the variance of a noisy bias is its square, and normal numbers n. `variances` become alpha n / (2 s),
    /// the derivative by them.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn perturb(by: Perturbed, biases: &[f32], values: &mut [f32], variances: &mut [f32]) = perturb_body
}

#[inline(always)]
fn perturb_body<S: Simd>(by: Perturbed, biases: &[f32], values: &mut [f32], variances: &mut [f32]) {
    let Perturbed { units, rows, .. } = by;
    assert!(rows.is_multiple_of(LINE), "{rows} rows are not in whole vectors");
    assert!(fits(units, rows, rows, values.len().min(variances.len())), "the units do not fit");
    assert!(biases.len() >= units, "too few biases");
    let (alpha, of_bias) = (by.alpha, if by.noisy_biases { 1.0 } else { 0.0 });
    for first in (0..units).step_by(4) {
        for row in (0..rows).step_by(S::LANES) {
            // SAFETY: the lanes are the running machine's; units and rows lie inside the buffers.
            unsafe {
                let first_row = by.first_row.wrapping_add(row as u32);
                let words = philox::of_rows::<S>(by.key, (first / 4) as u32, first_row, by.step);
                let drawn = normals::<S>(words);
                for four in 0..4 {
                    let unit = first + four;
                    if unit == units {
                        break;
                    }
                    let place = unit * rows + row;
                    let (value, variance) =
                        (values.as_mut_ptr().add(place), variances.as_mut_ptr().add(place));
                    let bias = S::splat(biases[unit]);
                    let sum = S::fma(S::mul(bias, bias), S::splat(of_bias), S::load(variance));
                    let square = S::mul(S::splat(alpha), sum);
                    let is_noisy = S::greater(square, S::splat(LEAST_VARIANCE));
                    let root = S::sqrt(S::select(is_noisy, square, S::splat(1.0)));
                    let number = S::keep(is_noisy, drawn[four]);
                    let mean = S::add(S::load(value), bias);
                    S::store(value, S::fma(root, number, mean));
                    S::store(variance, S::div(S::mul(S::splat(0.5 * alpha), number), root));
                }
            }
        }
    }
}

for_each_isa! {
    /// Copies those weights w whose noise of variance e^l has a ratio e^l / w² of at most `most`; the
    /// others become 0. `logarithms` holds each l.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`LINE`].
    pub fn copy_clear(most: f32, weights: &[f32], logarithms: &[f32], to: &mut [f32]) = copy_clear_body
}

#[inline(always)]
fn copy_clear_body<S: Simd>(most: f32, weights: &[f32], logarithms: &[f32], to: &mut [f32]) {
    same_lines(to.len(), &[weights.len(), logarithms.len()]);
    for at in (0..to.len()).step_by(S::LANES) {
        // SAFETY: `at` is a vector below the common length.
        unsafe {
            let w = S::load(weights.as_ptr().add(at));
            let variance = exp::<S>(S::load(logarithms.as_ptr().add(at)));
            let is_noise = S::greater(variance, S::mul(S::splat(most), S::mul(w, w)));
            S::store(to.as_mut_ptr().add(at), S::select(is_noise, S::splat(0.0), w));
        }
    }
}
