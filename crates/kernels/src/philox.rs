//! Philox4x32-10: random words from a key and a counter, with no state.
//!
//! Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
//! Any word can be drawn again at any time, by any thread, in any order: the masks of a
//! training step are therefore never stored. docs/determinism.md gives the layout of key
//! and counter.

use crate::isa::for_each_isa;
use crate::simd::Simd;

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// Which sequence of random words: a seed, and a stream that keeps purposes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The seed of the run.
    pub seed: u32,
    /// What the words are for.
    pub stream: u32,
}

/// Where in the sequence: four words come from each counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The block of four units (or other consecutive numbers) that the four words are for.
    pub block: u32,
    /// The row of the mini-batch, or the slice.
    pub row: u32,
    /// The step, or the number of the sampled network.
    pub step: u64,
}

impl Counter {
    fn words(self) -> [u32; 4] {
        [self.block, self.row, self.step as u32, (self.step >> 32) as u32]
    }
}

/// The four words of one counter.
pub fn words(key: Key, counter: Counter) -> [u32; 4] {
    let mut key = [key.seed, key.stream];
    let mut c = counter.words();
    for _ in 0..ROUNDS {
        let first = u64::from(MULTIPLIERS[0]) * u64::from(c[0]);
        let second = u64::from(MULTIPLIERS[1]) * u64::from(c[2]);
        c = [
            (second >> 32) as u32 ^ c[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ c[3] ^ key[1],
            first as u32,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    c
}

/// The words of as many counters as there are lanes: each has its block and its row, and all have the step.
///
/// The products of a round are 64 bits wide, so even and odd lanes are computed apart, each number in
/// the low half of 64 bits: what the high half holds changes neither products nor low halves.
///
/// # Safety
/// The machine must have the lanes' instructions.
#[inline(always)]
pub(crate) unsafe fn lanes<S: Simd>(key: Key, blocks: S::U, rows: S::U, step: u64) -> [S::U; 4] {
    // SAFETY: as the caller's.
    unsafe {
        let counters = [blocks, rows, S::splat_u32(step as u32), S::splat_u32((step >> 32) as u32)];
        let multipliers = [S::splat_u32(MULTIPLIERS[0]), S::splat_u32(MULTIPLIERS[1])];
        let (mut k0, mut k1) = (key.seed, key.stream);
        let (mut even, mut odd) = (counters, counters);
        for i in 0..4 {
            odd[i] = S::odd_to_even(counters[i]);
        }
        for _ in 0..ROUNDS {
            let keys = [S::splat_u32(k0), S::splat_u32(k1)];
            even = round::<S>(multipliers, keys, even);
            odd = round::<S>(multipliers, keys, odd);
            (k0, k1) = (k0.wrapping_add(WEYL[0]), k1.wrapping_add(WEYL[1]));
        }
        for i in 0..4 {
            even[i] = S::join(even[i], odd[i]);
        }
        even
    }
}

/// One round on the even lanes.
#[inline(always)]
unsafe fn round<S: Simd>(multipliers: [S::U; 2], keys: [S::U; 2], c: [S::U; 4]) -> [S::U; 4] {
    // SAFETY: as the caller's.
    unsafe {
        let first = S::multiply_even(multipliers[0], c[0]);
        let second = S::multiply_even(multipliers[1], c[2]);
        [
            S::xor(S::xor(S::odd_to_even(second), c[1]), keys[0]),
            second,
            S::xor(S::xor(S::odd_to_even(first), c[3]), keys[1]),
            first,
        ]
    }
}

/// The words of a block for as many rows as there are lanes, from `first_row` on.
///
/// # Safety
/// The machine must have the lanes' instructions.
#[inline(always)]
pub(crate) unsafe fn of_rows<S: Simd>(key: Key, block: u32, first_row: u32, step: u64) -> [S::U; 4] {
    // SAFETY: as the caller's.
    unsafe { lanes::<S>(key, S::splat_u32(block), S::count_from(first_row), step) }
}

/// The words of the counters `counter`, `counter` with the next block, and so on, as many as there are lanes.
///
/// # Safety
/// The machine must have the lanes' instructions.
#[inline(always)]
pub(crate) unsafe fn of_blocks<S: Simd>(key: Key, counter: Counter) -> [S::U; 4] {
    // SAFETY: as the caller's.
    unsafe { lanes::<S>(key, S::count_from(counter.block), S::splat_u32(counter.row), counter.step) }
}

for_each_isa! {
    /// Fills `words` with the words of the counters `counter`, `counter` with the next block,
    /// and so on: the word of unit u is word u % 4 of block u / 4.
    pub fn fill(key: Key, counter: Counter, words: &mut [u32]) = fill_body
}

#[inline(always)]
fn fill_body<S: Simd>(key: Key, counter: Counter, to: &mut [u32]) {
    for (group, chunk) in to.chunks_mut(4 * S::LANES).enumerate() {
        let block = counter.block.wrapping_add((group * S::LANES) as u32);
        let mut drawn = [0; MOST_CONSECUTIVE];
        // SAFETY: `drawn` has room for four vectors; the lanes are the running machine's.
        unsafe {
            let words = consecutive::<S>(key, Counter { block, ..counter });
            for (vector, lanes) in words.into_iter().enumerate() {
                S::store_u32(drawn.as_mut_ptr().add(vector * S::LANES), lanes);
            }
        }
        chunk.copy_from_slice(&drawn[..chunk.len()]);
    }
}

/// The most words that [`consecutive`] draws at once: those of 16 lanes.
pub(crate) const MOST_CONSECUTIVE: usize = 64;

/// The words of [`of_blocks`] in order: the four of the first counter, then those of the next, and so on.
///
/// # Safety
/// The machine must have the lanes' instructions.
#[inline(always)]
pub(crate) unsafe fn consecutive<S: Simd>(key: Key, counter: Counter) -> [S::U; 4] {
    // SAFETY: as the caller's.
    unsafe { S::interleave(of_blocks::<S>(key, counter)) }
}

/// The threshold for a rate: a unit is kept when its word is at least this.
///
/// The share of words below it is the rate, to within 2^-33.
pub fn threshold(rate: f32) -> u32 {
    (f64::from(rate) * 4_294_967_296.0).round().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    /// The vectors for 10 rounds of philox4x32 in the file kat_vectors of Random123.
    #[test]
    fn gives_the_published_vectors() {
        let all = u32::MAX;
        let case = |counter: [u32; 4], key: [u32; 2]| {
            let step = u64::from(counter[2]) | u64::from(counter[3]) << 32;
            words(Key { seed: key[0], stream: key[1] }, Counter { block: counter[0], row: counter[1], step })
        };
        assert_eq!(case([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(case([all; 4], [all; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            case([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn every_isa_draws_the_same_words() {
        let key = Key { seed: 7, stream: 3 };
        for isa in Isa::available() {
            for length in [0, 1, 3, 4, 63, 64, 65, 784, 1001] {
                let counter = Counter { block: u32::MAX - 5, row: 12, step: u64::MAX - 1 };
                let mut drawn = vec![0; length];
                fill(isa, key, counter, &mut drawn);
                for (unit, &word) in drawn.iter().enumerate() {
                    let counter = Counter { block: counter.block.wrapping_add(unit as u32 / 4), ..counter };
                    assert_eq!(word, words(key, counter)[unit % 4], "{isa}, unit {unit} of {length}");
                }
            }
        }
    }

    #[test]
    fn threshold_is_the_rate_in_words() {
        assert_eq!(threshold(0.0), 0);
        assert_eq!(threshold(0.5), 1 << 31);
        assert_eq!(threshold(0.25), 1 << 30);
    }
}
