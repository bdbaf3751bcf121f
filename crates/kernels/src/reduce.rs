//! Sums of a line, in an order that depends on nothing but its length and the lanes.

use crate::LINE;
use crate::isa::for_each_isa;
use crate::simd::Simd;

for_each_isa! {
    /// The sum of a line whose length is a multiple of [`LINE`].
    ///
    /// # Panics
    /// If the length is not a multiple of [`LINE`].
    pub fn sum(line: &[f32]) -> f32 = sum_body
}

for_each_isa! {
    /// The sum of the squares of a line whose length is a multiple of [`LINE`].
    ///
    /// # Panics
    /// If the length is not a multiple of [`LINE`].
    pub fn sum_of_squares(line: &[f32]) -> f32 = sum_of_squares_body
}

#[inline(always)]
fn sum_body<S: Simd>(line: &[f32]) -> f32 {
    fold::<S, false>(line)
}

#[inline(always)]
fn sum_of_squares_body<S: Simd>(line: &[f32]) -> f32 {
    fold::<S, true>(line)
}

/// Four running totals, so that one addition need not wait for the one before it.
#[inline(always)]
fn fold<S: Simd, const SQUARES: bool>(line: &[f32]) -> f32 {
    assert!(line.len().is_multiple_of(LINE), "{} values are not in whole vectors", line.len());
    // SAFETY: each chunk holds the lanes of a vector; `lanes` holds at least as many.
    unsafe {
        let mut totals = [S::splat(0.0); 4];
        for (i, vector) in line.chunks_exact(S::LANES).enumerate() {
            let value = S::load(vector.as_ptr());
            let total = totals[i % 4];
            totals[i % 4] = if SQUARES { S::fma(value, value, total) } else { S::add(total, value) };
        }
        let total = S::add(S::add(totals[0], totals[1]), S::add(totals[2], totals[3]));
        let mut lanes = [0.0; LINE];
        S::store(lanes.as_mut_ptr(), total);
        lanes[..S::LANES].iter().sum()
    }
}
