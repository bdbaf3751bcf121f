//! Masks over edges (DropConnect, Wan et al. 2013), drawn bit by bit.
//!
//! Every edge has a random number of 16 binary digits and is kept when that is at least the rate,
//! which is rounded to a multiple of 2^-16. The digits are bits of random words, one digit of 32
//! edges to a word: the numbers are compared with the rate digit by digit, for many edges at once, and
//! as long as one is equal so far. A rate of 1/2 takes one random bit for each edge.
//!
//! [`crate::shared_edges`] has one mask for many rows, [`crate::row_edges`] one for each row.

use crate::philox::{self, Counter, Key};
use crate::simd::Simd;

/// How many binary digits a rate has.
const DIGITS: u32 = 16;

/// From which random words masks over the edges of a layer are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeMask {
    /// Seed and stream of the layer; digit d, from 0 for the halves, has the stream d * 2^16 higher.
    pub key: Key,
    /// The step, or the number of the sampled network.
    pub step: u64,
    /// The slice, or the first row of a group or of a run of rows.
    pub row: u32,
    /// The probability that an edge is dropped, in units of 2^-16; above 0.
    pub rate: u16,
}

/// A rate from 0 to below 1 in units of 2^-16; none where it rounds to 0. It is never all of them.
pub fn rate(rate: f32) -> Option<u16> {
    let dropped = (f64::from(rate) * 65536.0).round();
    (dropped > 0.0).then_some(dropped.min(65535.0) as u16)
}

/// The probability that an edge is kept.
pub fn keep(rate: u16) -> f32 {
    (65536 - u32::from(rate)) as f32 / 65536.0
}

/// The words of a mask for as many blocks as there are lanes, from `block` on: a bit is set where the
/// random number is at least the rate.
///
/// # Safety
/// The machine must have the lanes' instructions.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "index loops keep the instruction set; see matmul::Tiles")]
pub(crate) unsafe fn draw<S: Simd>(mask: EdgeMask, block: u32) -> [S::U; 4] {
    // SAFETY: as the caller's.
    unsafe {
        let counter = Counter { block, row: mask.row, step: mask.step };
        let lowest = mask.rate.trailing_zeros();
        let (mut kept, mut equal) = ([S::splat_u32(0); 4], [S::splat_u32(u32::MAX); 4]);
        for digit in 0..DIGITS - lowest {
            let key = Key { stream: mask.key.stream.wrapping_add(digit << 16), ..mask.key };
            let words = philox::of_blocks::<S>(key, counter);
            if mask.rate >> (DIGITS - 1 - digit) & 1 == 1 {
                for i in 0..4 {
                    equal[i] = S::and(equal[i], words[i]);
                }
            } else {
                for i in 0..4 {
                    let larger = S::and(equal[i], words[i]);
                    kept[i] = S::or(kept[i], larger);
                    equal[i] = S::xor(equal[i], larger);
                }
            }
            let any = S::or(S::or(equal[0], equal[1]), S::or(equal[2], equal[3]));
            if !S::has_any(any) {
                break;
            }
        }
        // What is equal to the last digit that is 1 is at least the rate.
        for i in 0..4 {
            kept[i] = S::or(kept[i], equal[i]);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_multiples_of_a_power_of_two() {
        assert_eq!((rate(0.0), rate(0.000_007), rate(0.000_008)), (None, None, Some(1)));
        assert_eq!((rate(0.5), rate(0.2), rate(0.999_999)), (Some(32768), Some(13107), Some(65535)));
        assert_eq!((keep(32768), keep(16384), keep(65535)), (0.5, 0.75, 1.0 / 65536.0));
    }
}
