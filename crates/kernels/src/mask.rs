//! Masks over a row-major matrix `[rows, units]`: drawn in registers, applied in the same pass.
//! What a mask drops becomes 0, whatever it was.

use crate::elementwise::RowMask;
use crate::isa::for_each_isa;
use crate::philox::{self, Counter, MOST_CONSECUTIVE};
use crate::simd::Simd;

for_each_isa! {
    /// `values` becomes `scale * mask * values`, where each row has a mask of its own.
    ///
    /// # Panics
    /// If the values are not whole rows.
    pub fn each_row(mask: RowMask, units: usize, scale: f32, values: &mut [f32]) = each_row_body
}

#[inline(always)]
fn each_row_body<S: Simd>(mask: RowMask, units: usize, scale: f32, values: &mut [f32]) {
    check(units, values);
    for (row, line) in values.chunks_exact_mut(units.max(1)).enumerate() {
        let row = mask.first_row.wrapping_add(row as u32);
        draw::<S>(RowMask { first_row: row, ..mask }, 0, scale, line);
    }
}

for_each_isa! {
    /// `values` becomes `scale * mask * values`, where all rows have the mask of row `mask.first_row`.
    ///
    /// # Panics
    /// If the values are not whole rows.
    pub fn all_rows(mask: RowMask, units: usize, scale: f32, values: &mut [f32]) = all_rows_body
}

/// How many units of a shared mask are drawn at a time, to be applied to every row.
const SHARED_UNITS: usize = 1024;

#[inline(always)]
fn all_rows_body<S: Simd>(mask: RowMask, units: usize, scale: f32, values: &mut [f32]) {
    check(units, values);
    for first in (0..units).step_by(SHARED_UNITS) {
        let mut kept = [1.0; SHARED_UNITS];
        let kept = &mut kept[..SHARED_UNITS.min(units - first)];
        draw::<S>(mask, (first / 4) as u32, 1.0, kept);
        for line in values.chunks_exact_mut(units) {
            share::<S>(kept, scale, &mut line[first..][..kept.len()]);
        }
    }
}

fn check(units: usize, values: &[f32]) {
    assert!(values.is_empty() || units > 0 && values.len().is_multiple_of(units), "not whole rows");
}

/// Masks and scales units of the mask's first row; `block` is that of the first of them.
#[inline(always)]
fn draw<S: Simd>(mask: RowMask, block: u32, scale: f32, units: &mut [f32]) {
    for (group, values) in units.chunks_mut(4 * S::LANES).enumerate() {
        let block = block.wrapping_add((group * S::LANES) as u32);
        let counter = Counter { block, row: mask.first_row, step: mask.step };
        // SAFETY: the lanes are the running machine's; four vectors fit in a whole chunk, and in `padded`.
        unsafe {
            let words = philox::consecutive::<S>(mask.key, counter);
            if values.len() == 4 * S::LANES {
                keep::<S>(words, mask.threshold, scale, values.as_mut_ptr());
            } else {
                let mut padded = [0.0; MOST_CONSECUTIVE];
                padded[..values.len()].copy_from_slice(values);
                keep::<S>(words, mask.threshold, scale, padded.as_mut_ptr());
                values.copy_from_slice(&padded[..values.len()]);
            }
        }
    }
}

/// Keeps and scales those of the values at `at` whose word is at least the threshold.
///
/// # Safety
/// As for [`Simd`]; `at` must be valid for four vectors.
#[inline(always)]
unsafe fn keep<S: Simd>(words: [S::U; 4], threshold: u32, scale: f32, at: *mut f32) {
    for (vector, word) in words.into_iter().enumerate() {
        // SAFETY: as the caller's.
        unsafe {
            let at = at.add(vector * S::LANES);
            let kept = S::at_least(word, S::splat_u32(threshold));
            S::store(at, S::keep(kept, S::mul(S::load(at), S::splat(scale))));
        }
    }
}

/// Keeps and scales those values for which `kept` is 1, not 0.
#[inline(always)]
fn share<S: Simd>(kept: &[f32], scale: f32, values: &mut [f32]) {
    let mut kept = kept.chunks_exact(S::LANES);
    let mut values = values.chunks_exact_mut(S::LANES);
    for (kept, values) in (&mut kept).zip(&mut values) {
        // SAFETY: the lanes are the running machine's, and both chunks hold a vector.
        unsafe {
            let kept = S::greater(S::load(kept.as_ptr()), S::splat(0.0));
            let scaled = S::mul(S::load(values.as_ptr()), S::splat(scale));
            S::store(values.as_mut_ptr(), S::keep(kept, scaled));
        }
    }
    for (kept, value) in kept.remainder().iter().zip(values.into_remainder()) {
        *value = if *kept > 0.0 { *value * scale } else { 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use crate::philox::{Key, threshold, words};

    const MASK: RowMask = RowMask {
        key: Key { seed: 11, stream: 5 },
        step: 1 << 40 | 3,
        first_row: u32::MAX - 1,
        threshold: 0x5000_0000,
    };

    /// One word after the other, by the scalar generator.
    fn expected(units: usize, shared: bool, scale: f32, values: &[f32]) -> Vec<f32> {
        let masked = |(at, &value): (usize, &f32)| {
            let (row, unit) = (at / units, at % units);
            let row = MASK.first_row.wrapping_add(if shared { 0 } else { row as u32 });
            let word = words(MASK.key, Counter { block: unit as u32 / 4, row, step: MASK.step })[unit % 4];
            if word >= MASK.threshold { value * scale } else { 0.0 }
        };
        values.iter().enumerate().map(masked).collect()
    }

    #[test]
    fn every_isa_masks_as_the_words_say() {
        for isa in Isa::available() {
            for units in [1, 3, 4, 15, 16, 17, 63, 64, 65, 128, 200, 1023, 1024, 1025, 2100] {
                let values: Vec<f32> = (0..5 * units).map(|at| 0.1 * at as f32 - 7.0).collect();
                let (mut each, mut all) = (values.clone(), values.clone());
                each_row(isa, MASK, units, 1.25, &mut each);
                all_rows(isa, MASK, units, 1.25, &mut all);
                assert!(each == expected(units, false, 1.25, &values), "{isa}, {units} units, each row");
                assert!(all == expected(units, true, 1.25, &values), "{isa}, {units} units, all rows");
            }
        }
    }

    #[test]
    fn what_is_dropped_is_zero_whatever_it_was() {
        let none = RowMask { threshold: threshold(1.0), ..MASK };
        for isa in Isa::available() {
            for unusual in [f32::NAN, f32::INFINITY, -1.0] {
                let (mut each, mut all) = (vec![unusual; 70], vec![unusual; 70]);
                each_row(isa, none, 35, 2.0, &mut each);
                all_rows(isa, none, 35, 2.0, &mut all);
                assert!([each, all].concat().iter().all(|value| value.to_bits() == 0), "{isa}");
            }
        }
    }

    #[test]
    fn no_rows_are_no_problem() {
        each_row(Isa::best(), MASK, 0, 2.0, &mut []);
        all_rows(Isa::best(), MASK, 0, 2.0, &mut []);
    }

    #[test]
    #[should_panic(expected = "not whole rows")]
    fn half_a_row_is_refused() {
        each_row(Isa::best(), MASK, 4, 2.0, &mut [0.0; 6]);
    }
}
