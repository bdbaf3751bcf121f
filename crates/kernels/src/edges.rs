//! Masks over edges (DropConnect, Wan et al. 2013), drawn bit by bit.
//!
//! A bit that is 1 with probability keep is a fold over random bits along the binary digits of
//! keep, from the lowest that is 1: where the digit is 1 a random bit is or'ed in, where it is 0
//! it is and'ed. One fold serves all 32 bits of a word, and keep = 1/2 takes one random bit for
//! each edge. Keep is therefore a multiple of 2^-16.
//!
//! Here one mask is shared by all rows that a product takes: the weights are copied under it,
//! a block of lines at a time. [`crate::row_edges`] has a mask for each row.

use crate::isa::for_each_isa;
use crate::philox::{self, Key, MOST_CONSECUTIVE};
use crate::simd::Simd;
use crate::{fits, line};

/// How many binary digits keep has.
const DIGITS: u32 = 16;

/// From which random words masks over the edges of a layer are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeMask {
    /// Seed and stream of the layer; digit d of keep, from 0 for the halves, has the stream d * 2^16 higher.
    pub key: Key,
    /// The step, or the number of the sampled network.
    pub step: u64,
    /// The slice, or the first row of a group or of a run of rows.
    pub row: u32,
    /// The probability that an edge is kept, in units of 2^-16; above 0.
    pub keep: u16,
}

/// The probability that an edge is kept, in units of 2^-16, for a rate from 0 to below 1; none
/// where the rate rounds to 0. It is never less than 1.
pub fn keep(rate: f32) -> Option<u16> {
    let dropped = (f64::from(rate) * 65536.0).round() as u32;
    (dropped > 0).then(|| 65536_u32.saturating_sub(dropped).max(1) as u16)
}

/// What kept edges are divided by: keep as a number.
pub fn probability(keep: u16) -> f32 {
    f32::from(keep) / 65536.0
}

impl EdgeMask {
    /// The key of the digit of this place, 15 for the halves.
    #[inline(always)]
    fn key_of(self, place: u32) -> Key {
        Key { stream: self.key.stream.wrapping_add((DIGITS - 1 - place) << 16), ..self.key }
    }
}

/// The words of a mask for as many blocks as there are lanes, from `block` on.
///
/// # Safety
/// The machine must have the lanes' instructions.
#[inline(always)]
pub(crate) unsafe fn fold<S: Simd>(mask: EdgeMask, block: u32) -> [S::U; 4] {
    // SAFETY: as the caller's.
    unsafe {
        let step = [mask.step as u32, (mask.step >> 32) as u32];
        let counters =
            [S::count_from(block), S::splat_u32(mask.row), S::splat_u32(step[0]), S::splat_u32(step[1])];
        let lowest = mask.keep.trailing_zeros();
        let mut folded = philox::lanes::<S>(mask.key_of(lowest), counters);
        for place in lowest + 1..DIGITS {
            let words = philox::lanes::<S>(mask.key_of(place), counters);
            let one = mask.keep >> place & 1 == 1;
            for i in 0..4 {
                folded[i] = if one { S::or(folded[i], words[i]) } else { S::and(folded[i], words[i]) };
            }
        }
        folded
    }
}

/// Edges that share a block of four random words: bit k % 32 of word k / 32.
const BLOCK_EDGES: usize = 128;

/// How many blocks of random words a line of `inputs` edges takes.
pub const fn line_blocks(inputs: usize) -> usize {
    inputs.div_ceil(BLOCK_EDGES)
}

/// Lines of edges, `[lines, stride]`, of which the first `inputs` of each count.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    /// The block of random words that the first line begins with; the others follow.
    pub first_block: u32,
    /// How many lines there are.
    pub lines: usize,
    /// How many edges a line has.
    pub inputs: usize,
    /// The distance between two lines, a multiple of [`crate::LINE`].
    pub stride: usize,
}

impl Lines {
    fn check(&self, buffer: usize) {
        assert!(self.stride >= line(self.inputs), "lines overlap");
        assert!(
            fits(self.lines, self.stride, line(self.inputs), buffer),
            "the buffer is shorter than its lines"
        );
    }
}

for_each_isa! {
    /// `to` becomes `scale * mask * from`. Padding up to a multiple of [`crate::LINE`] is copied too.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn copy_kept(mask: EdgeMask, lines: Lines, from: &[f32], scale: f32, to: &mut [f32]) = copy_kept_body
}

#[inline(always)]
fn copy_kept_body<S: Simd>(mask: EdgeMask, lines: Lines, from: &[f32], scale: f32, to: &mut [f32]) {
    each_block::<S, false>(mask, lines, from, scale, to);
}

for_each_isa! {
    /// Adds `scale * mask * from` to `to`.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn add_kept(mask: EdgeMask, lines: Lines, from: &[f32], scale: f32, to: &mut [f32]) = add_kept_body
}

#[inline(always)]
fn add_kept_body<S: Simd>(mask: EdgeMask, lines: Lines, from: &[f32], scale: f32, to: &mut [f32]) {
    each_block::<S, true>(mask, lines, from, scale, to);
}

#[inline(always)]
fn each_block<S: Simd, const ADD: bool>(
    mask: EdgeMask,
    lines: Lines,
    from: &[f32],
    scale: f32,
    to: &mut [f32],
) {
    lines.check(from.len().min(to.len()));
    let (in_line, width) = (line_blocks(lines.inputs), line(lines.inputs));
    let (mut unit, mut of_line) = (0, 0);
    for first in (0..lines.lines * in_line).step_by(S::LANES) {
        let mut words = [0; MOST_CONSECUTIVE];
        // SAFETY: `words` has room for four vectors; every line is inside both buffers, as checked.
        unsafe {
            let folded = S::interleave(fold::<S>(mask, lines.first_block.wrapping_add(first as u32)));
            for (i, vector) in folded.into_iter().enumerate() {
                S::store_u32(words.as_mut_ptr().add(i * S::LANES), vector);
            }
            for block in 0..S::LANES.min(lines.lines * in_line - first) {
                let begin = of_line * BLOCK_EDGES;
                let at = unit * lines.stride;
                for input in (begin..width.min(begin + BLOCK_EDGES)).step_by(S::LANES) {
                    let bits = words[4 * block + (input - begin) / 32] >> (input % 32);
                    let kept = S::mask_from_bits(bits);
                    let (from, to) = (from.as_ptr().add(at + input), to.as_mut_ptr().add(at + input));
                    let value = if ADD {
                        S::fma_where(kept, S::load(from), S::splat(scale), S::load(to))
                    } else {
                        S::keep(kept, S::mul(S::load(from), S::splat(scale)))
                    };
                    S::store(to, value);
                }
                of_line += 1;
                if of_line == in_line {
                    (unit, of_line) = (unit + 1, 0);
                }
            }
        }
    }
}
