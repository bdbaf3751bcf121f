//! Which stream of random words serves which purpose; docs/determinism.md is the full layout.

use thinnet_kernels::philox::{self, Counter, Key};

/// First weights.
pub(crate) const INITIALISE: u32 = 0;
/// The order of the training rows.
pub(crate) const SHUFFLE: u32 = 1;
/// Which rows validate.
pub(crate) const SPLIT: u32 = 2;

/// Which mask of a pool a slice has.
pub(crate) const POOL: u32 = 3;
/// Which rows are the test part.
pub(crate) const TEST: u32 = 4;
/// The seeds of an ensemble's members.
pub(crate) const MEMBERS: u32 = 0x10;
/// The training rows that a member draws.
pub(crate) const BOOTSTRAP: u32 = 0x11;
/// The columns that a member sees.
pub(crate) const COLUMNS: u32 = 0x12;

/// The rows that a study tests with, where its data have no test part.
pub(crate) const STUDY_TEST: u32 = 0x20;
/// The rows that a study trains on, where it takes only some.
pub(crate) const STUDY_ROWS: u32 = 0x21;
/// The networks whose mean a study resamples.
pub(crate) const STUDY_NETWORKS: u32 = 0x22;

/// The noise of the elephant's points.
pub(crate) const ELEPHANT: u32 = 0x30;

/// The masks of training: one stream for each level of units, 0 for the input.
pub(crate) fn training(level: usize) -> u32 {
    0x1000_0000 + level as u32
}

/// The noise on edges in training: one stream for each layer, and 2^16 higher one for each further
/// binary digit of an edge's number.
pub(crate) fn training_edges(layer: usize) -> u32 {
    0x5000_0000 + layer as u32
}

/// The same in Monte Carlo prediction.
pub(crate) fn monte_carlo_edges(layer: usize) -> u32 {
    0x7000_0000 + layer as u32
}

/// The masks of Monte Carlo prediction: one stream for each level of units.
pub(crate) fn monte_carlo(level: usize) -> u32 {
    0x2000_0000 + level as u32
}

/// What is measured: which rows, level 0, and which units of a hidden level are silenced.
pub(crate) fn measure(level: usize) -> u32 {
    0x3000_0000 + level as u32
}

/// One random word after another: the first of block 0 of a row, of the steps 1, 2, ...
pub(crate) fn words(key: Key, row: u32) -> impl FnMut() -> u32 {
    let mut step = 0;
    move || {
        step += 1;
        philox::words(key, Counter { block: 0, row, step })[0]
    }
}

/// A number below `limit` from 64 random bits: uniform to within `limit` / 2^64.
pub(crate) fn below(key: Key, counter: Counter, limit: usize) -> usize {
    let [high, low, ..] = philox::words(key, counter);
    let word = u64::from(high) << 32 | u64::from(low);
    ((u128::from(word) * limit as u128) >> 64) as usize
}

/// The fixed masks of Masksembles: one stream for each level of units.
pub(crate) fn masks(level: usize) -> u32 {
    0x6000_0000 + level as u32
}

/// Two numbers strictly between 0 and 1, of 52 bits each.
pub(crate) fn uniform_pair(words: [u32; 4]) -> [f64; 2] {
    let number = |high: u32, low: u32| {
        let bits = (u64::from(high) << 20) | u64::from(low >> 12);
        (bits as f64 + 0.5) / (1u64 << 52) as f64
    };
    [number(words[0], words[1]), number(words[2], words[3])]
}

/// Two independent normal numbers (Box and Muller 1958).
pub(crate) fn normal_pair(a: f64, b: f64, deviation: f64) -> [f64; 2] {
    let radius = deviation * (-2.0 * libm::log(a)).sqrt();
    let angle = std::f64::consts::TAU * b;
    [radius * libm::cos(angle), radius * libm::sin(angle)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_words_give_finite_numbers() {
        for words in [[0; 4], [u32::MAX; 4]] {
            let [a, b] = uniform_pair(words);
            assert!(0.0 < a && a < 1.0 && 0.0 < b && b < 1.0);
            assert!(normal_pair(a, b, 1.0).iter().all(|normal| normal.abs() < 9.0));
        }
    }
}
