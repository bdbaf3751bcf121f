//! The units of one level that a thinned network keeps.

use thinnet_kernels::philox::{self, Counter};
use thinnet_kernels::{Isa, LINE};

use super::count;
use super::mask::Mask;

/// Which units of a level are kept, as a list and as bits.
#[derive(Clone, Debug)]
pub struct Kept {
    units: Vec<u32>,
    bits: Vec<u16>,
    level: usize,
    words: Vec<u32>,
    scratch: Vec<u32>,
}

impl Kept {
    /// All units of a level.
    pub fn whole(level: usize) -> Self {
        let mut kept = Self {
            units: Vec::with_capacity(level),
            bits: vec![0; level.div_ceil(LINE)],
            level,
            words: vec![0; level],
            scratch: vec![0; level],
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
        if let Some(members) = mask.members {
            let kept = members.choose(mask.sample, slice);
            return self.keep(|unit| kept[unit]);
        }
        let (row, step) = mask.place(slice);
        let (mut words, mut scratch) = (std::mem::take(&mut self.words), std::mem::take(&mut self.scratch));
        philox::fill(isa, mask.key, Counter { block: 0, row, step }, &mut words);
        match mask.count {
            None => self.keep(|unit| words[unit] >= mask.threshold),
            Some(count) => {
                self.clear();
                count::keep_largest(&words, count, &mut scratch, |unit| self.push(unit));
            }
        }
        (self.words, self.scratch) = (words, scratch);
    }

    /// Keeps every unit.
    pub(super) fn all(&mut self) {
        if !self.is_whole() {
            self.keep(|_| true);
        }
    }

    fn keep(&mut self, is_kept: impl Fn(usize) -> bool) {
        self.clear();
        (0..self.level).filter(|&unit| is_kept(unit)).for_each(|unit| self.push(unit));
    }

    fn clear(&mut self) {
        self.units.clear();
        self.bits.fill(0);
    }

    fn push(&mut self, unit: usize) {
        self.units.push(unit as u32);
        self.bits[unit / LINE] |= 1 << (unit % LINE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thin::Sample;
    use thinnet_kernels::philox::Key;

    #[test]
    fn list_and_bits_say_the_same() {
        let mut kept = Kept::whole(20);
        assert!(kept.is_whole() && kept.count() == 20 && kept.bits() == [0xffff, 0x000f]);
        kept.keep(|unit| unit % 3 == 1);
        assert_eq!(kept.units(), [1, 4, 7, 10, 13, 16, 19]);
        assert_eq!(kept.bits(), [0b0010_0100_1001_0010, 0b1001]);
        assert!(!kept.is_whole() && kept.level() == 20);
        kept.all();
        assert!(kept.is_whole() && kept.units().iter().copied().eq(0..20) && kept.bits() == [0xffff, 0x000f]);
    }

    #[test]
    fn units_between_two_are_found_in_the_list() {
        let mut kept = Kept::whole(20);
        kept.keep(|unit| unit % 3 == 1);
        assert_eq!(kept.between(0, 20), 0..7);
        assert_eq!(kept.between(4, 13), 1..4);
        assert_eq!(kept.between(5, 7), 2..2);
        kept.keep(|_| false);
        assert_eq!((kept.count(), kept.between(0, 20)), (0, 0..0));
    }

    #[test]
    fn a_mask_is_drawn_from_the_words_of_its_slice_and_step() {
        let (key, threshold) = (Key { seed: 5, stream: 9 }, 1 << 30);
        for isa in Isa::available() {
            let mut kept = Kept::whole(101);
            let sample = Sample::Training { step: 1 << 33 };
            let mask = Mask { key, threshold, ..Mask::new(0.5, 0, 0, sample).unwrap() };
            kept.draw(isa, mask, 7);
            let word = |unit: u32| {
                philox::words(key, Counter { block: unit / 4, row: 7, step: 1 << 33 })[unit as usize % 4]
            };
            let expected: Vec<u32> = (0..101).filter(|&unit| word(unit) >= threshold).collect();
            assert_eq!(kept.units(), expected, "{isa}");
        }
    }
}
