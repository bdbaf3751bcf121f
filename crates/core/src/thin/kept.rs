//! The units of one level that a thinned network keeps.

use thinnet_kernels::philox::{self, Counter};
use thinnet_kernels::{Isa, LINE};

use super::thinning::Mask;

/// Which units of a level are kept, as a list and as bits.
#[derive(Clone, Debug)]
pub struct Kept {
    units: Vec<u32>,
    bits: Vec<u16>,
    level: usize,
    words: Vec<u32>,
}

impl Kept {
    /// All units of a level.
    pub fn whole(level: usize) -> Self {
        let mut kept = Self {
            units: Vec::with_capacity(level),
            bits: vec![0; level.div_ceil(LINE)],
            level,
            words: vec![0; level],
        };
        kept.keep(|_| true);
        kept
    }

    /// The kept units in ascending order.
    pub fn units(&self) -> &[u32] {
        &self.units
    }

    /// How many units are kept.
    pub fn count(&self) -> usize {
        self.units.len()
    }

    /// How many units the level has.
    pub fn level(&self) -> usize {
        self.level
    }

    /// Bit b of number i is set when unit 16 i + b is kept.
    pub fn bits(&self) -> &[u16] {
        &self.bits
    }

    /// Whether every unit is kept.
    pub fn is_whole(&self) -> bool {
        self.units.len() == self.level
    }

    /// Where the kept units with numbers from `first` to before `end` stand in the list.
    pub fn between(&self, first: usize, end: usize) -> std::ops::Range<usize> {
        let position = |unit: usize| self.units.partition_point(|&kept| (kept as usize) < unit);
        position(first)..position(end)
    }

    /// Draws the mask of a whole slice.
    pub(super) fn draw(&mut self, isa: Isa, mask: Mask, slice: u32) {
        let mut words = std::mem::take(&mut self.words);
        philox::fill(isa, mask.key, Counter { block: 0, row: slice, step: mask.step }, &mut words);
        self.keep(|unit| words[unit] >= mask.threshold);
        self.words = words;
    }

    /// Keeps every unit.
    pub(super) fn all(&mut self) {
        if !self.is_whole() {
            self.keep(|_| true);
        }
    }

    fn keep(&mut self, is_kept: impl Fn(usize) -> bool) {
        self.units.clear();
        self.bits.fill(0);
        for unit in (0..self.level).filter(|&unit| is_kept(unit)) {
            self.units.push(unit as u32);
            self.bits[unit / LINE] |= 1 << (unit % LINE);
        }
    }
}
