//! Random numbers, and how far apart two results may be.

// Each test file is a program of its own and uses a part of this.
#![allow(dead_code)]

use proptest::test_runner::Config;
use thinnet_kernels::Isa;

/// The relative error of one rounding in f32.
pub const ROUNDING: f64 = 1.0 / (1u64 << 24) as f64;

/// A number that no test computes: where it was written, it must still stand.
pub const UNTOUCHED: f32 = 7.123_456e33;

/// So many random cases.
pub fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// Every instruction set of this machine.
pub fn every_isa() -> Vec<Isa> {
    Isa::available().collect()
}

/// SplitMix64 (Steele, Lea and Flood 2014): independent of the generator under test.
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// A whole number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.word() % end as u64) as usize
    }

    /// From -2 to 2, and one in eight is 0 or -0.
    pub fn value(&mut self) -> f32 {
        match self.below(16) {
            0 => 0.0,
            1 => -0.0,
            _ => (self.word() >> 40) as f32 / (1 << 22) as f32 - 2.0,
        }
    }

    pub fn values(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.value()).collect()
    }

    /// Indices below `end`, in any order and with repetitions.
    pub fn list(&mut self, count: usize, end: usize) -> Vec<u32> {
        (0..count).map(|_| self.below(end) as u32).collect()
    }
}

/// Says no when `got` is further than `tolerance` from `expected`, or not a number.
#[track_caller]
pub fn assert_close(got: f32, expected: f64, tolerance: f64, what: impl std::fmt::Display) {
    let off = (f64::from(got) - expected).abs();
    assert!(off <= tolerance, "{what}: {got:e} is not {expected:e}: off by {off:e}, allowed {tolerance:e}");
}

/// Says no when a bit differs.
#[track_caller]
pub fn assert_same_bits(got: &[f32], expected: &[f32], what: impl std::fmt::Display) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!(got.to_bits() == expected.to_bits(), "{what}, value {i}: {got:e} is not {expected:e}");
    }
}
