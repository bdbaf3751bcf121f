//! Rows into units and back, whole lines into compact ones and back.

use crate::isa::for_each_isa;
use crate::simd::Simd;
use crate::{LINE, fits};

for_each_isa! {
    /// `from` is `[lines, stride]`; `to` becomes its transpose, `[values, to_stride]`. Both
    /// counts are multiples of [`LINE`].
    ///
    /// # Panics
    /// If a count is not a multiple of [`LINE`] or a buffer is too short.
    pub fn transpose(
        from: &[f32], lines: usize, values: usize, stride: usize, to: &mut [f32], to_stride: usize,
    ) = transpose_body
}

#[inline(always)]
fn transpose_body<S: Simd>(
    from: &[f32],
    lines: usize,
    values: usize,
    stride: usize,
    to: &mut [f32],
    to_stride: usize,
) {
    if lines == 0 || values == 0 {
        return;
    }
    assert!(
        lines.is_multiple_of(LINE) && values.is_multiple_of(LINE),
        "{lines} x {values} is not in whole blocks"
    );
    assert!(fits(lines, stride, values, from.len()), "too few lines");
    assert!(fits(values, to_stride, lines, to.len()), "the transpose does not fit");
    for line in (0..lines).step_by(LINE) {
        for value in (0..values).step_by(LINE) {
            // SAFETY: the block lies inside both buffers.
            unsafe {
                let block = from.as_ptr().add(line * stride + value);
                S::transpose_16(block, stride, to.as_mut_ptr().add(value * to_stride + line), to_stride);
            }
        }
    }
}

for_each_isa! {
    /// Writes the values of a compact line to those places of a whole line whose bit is set, and 0 to the
    /// others; or with `add` adds them. Bit b of `bits[i]` is place 16 i + b.
    ///
    /// # Panics
    /// If `whole` has fewer than 16 places for each of `bits`, or `compact` is not 16 values
    /// longer than there are bits set: a block is read whole, even one with no bit set.
    pub fn expand(bits: &[u16], compact: &[f32], whole: &mut [f32], add: bool) = expand_body
}

#[inline(always)]
fn expand_body<S: Simd>(bits: &[u16], compact: &[f32], whole: &mut [f32], add: bool) {
    check_bits(bits, compact.len(), whole.len());
    let mut next = 0;
    for (block, &bits) in bits.iter().enumerate() {
        // SAFETY: checked above.
        unsafe { S::expand_16(bits, compact.as_ptr().add(next), whole.as_mut_ptr().add(block * LINE), add) }
        next += bits.count_ones() as usize;
    }
}

for_each_isa! {
    /// Writes those places of a whole line whose bit is set to a compact line, in order and
    /// without gaps. What follows them in `compact`, up to 16 values, is overwritten.
    ///
    /// # Panics
    /// As [`expand`].
    pub fn compress(bits: &[u16], whole: &[f32], compact: &mut [f32]) = compress_body
}

#[inline(always)]
fn compress_body<S: Simd>(bits: &[u16], whole: &[f32], compact: &mut [f32]) {
    check_bits(bits, compact.len(), whole.len());
    let mut next = 0;
    for (block, &bits) in bits.iter().enumerate() {
        // SAFETY: checked above.
        unsafe { S::compress_16(bits, whole.as_ptr().add(block * LINE), compact.as_mut_ptr().add(next)) }
        next += bits.count_ones() as usize;
    }
}

fn check_bits(bits: &[u16], compact: usize, whole: usize) {
    let kept: usize = bits.iter().map(|bits| bits.count_ones() as usize).sum();
    assert!(whole >= bits.len() * LINE, "the whole line is too short");
    assert!(compact >= kept + LINE, "the compact line is too short");
}
