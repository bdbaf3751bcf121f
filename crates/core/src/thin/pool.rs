//! Masks that come back: a pool of them (Graham et al. 2015), and Masksembles (Durasov et al. 2021).

use serde::{Deserialize, Serialize};
use thinnet_kernels::Isa;
use thinnet_kernels::philox::{self, Counter, Key};

use super::Sample;
use super::count::keep_largest;
use crate::error::{Error, Result};
use crate::streams;

/// Masksembles: a few fixed masks whose overlap is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table like { members = 4, scale = 2.0 }")]
pub struct MaskSpec {
    /// How many masks there are.
    pub members: u32,
    /// How far they lie apart, from 1 to 6: with 1 they are all the same, with 6 they hardly overlap.
    pub scale: f32,
}

impl MaskSpec {
    /// Checks both numbers.
    ///
    /// # Errors
    /// [`Error::Spec`] if one cannot be used.
    pub(super) fn check(self) -> Result<()> {
        if !(1..=1024).contains(&self.members) {
            let problem = format!("from 1 to 1024 masks, not {}", self.members);
            return Err(Error::spec("thin.masks.members", problem));
        }
        if !(1.0..=6.0).contains(&self.scale) {
            return Err(Error::spec("thin.masks.scale", format!("from 1 to 6, not {}", self.scale)));
        }
        Ok(())
    }

    /// The number of the first slice of second networks on the rows of `slices` slices, which take the masks
    /// in turn: that behind them, or one further where it would come back to the mask of the first slice.
    pub(crate) fn first_twin(self, slices: usize) -> usize {
        slices + usize::from(slices.is_multiple_of(self.members as usize))
    }

    /// Whether all masks are the same.
    pub(crate) fn is_one(self) -> bool {
        self.members == 1 || self.scale == 1.0
    }

    /// How many units each mask of a level keeps: units / (scale (1 - (1 - 1 / scale)^members)), rounded
    /// down, at least one.
    fn kept(self, units: usize) -> usize {
        let scale = f64::from(self.scale);
        let covered = scale * (1.0 - libm::pow(1.0 - 1.0 / scale, self.members.into()));
        ((units as f64 / covered) as usize).clamp(1, units)
    }
}

/// How often the random words of masks repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pool {
    /// How many masks there are.
    pub size: u32,
    /// The seed of the run.
    pub seed: u32,
}

impl Pool {
    /// Which of the masks a slice has.
    pub fn choose(self, sample: Sample, slice: u32) -> u64 {
        match sample {
            Sample::Training { step } => {
                let key = Key { seed: self.seed, stream: streams::POOL };
                let word = philox::words(key, Counter { block: 0, row: slice, step })[0];
                (u64::from(word) * u64::from(self.size)) >> 32
            }
            Sample::MonteCarlo { number } => number % u64::from(self.size),
            Sample::Whole => 0,
        }
    }
}

/// The fixed masks of one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Members {
    /// Whether each unit is kept, `[members][units]`.
    masks: Vec<Vec<bool>>,
    /// How many units each of them keeps.
    pub kept: usize,
}

/// How often masks are drawn before a level is given up: one draw of about twenty fits.
const MOST_DRAWS: u64 = 20_000;

impl Members {
    /// Draws the masks of a level. Each takes `kept` places of so many that the masks together are
    /// expected to cover as many places as the level has units; what is drawn counts when they do. The
    /// places that no mask took are left out.
    ///
    /// # Errors
    /// [`Error::Spec`] if the level has fewer than 10 units, or no masks fit.
    pub fn new(spec: MaskSpec, level: usize, units: usize, seed: u32) -> Result<Self> {
        if units < 10 {
            let problem = format!("a level of {units} units is too small for masks; it needs 10");
            return Err(Error::spec("thin.masks", problem));
        }
        let kept = spec.kept(units);
        let places = places(spec.members, kept, units);
        let key = Key { seed, stream: streams::masks(level) };
        for number in 0..MOST_DRAWS {
            let drawn: Vec<Vec<bool>> =
                (0..spec.members).map(|member| draw(key, member, number, places, kept)).collect();
            let taken: Vec<usize> =
                (0..places).filter(|&place| drawn.iter().any(|mask| mask[place])).collect();
            if taken.len() == units {
                let mask = |drawn: &Vec<bool>| taken.iter().map(|&place| drawn[place]).collect();
                return Ok(Self { masks: drawn.iter().map(mask).collect(), kept });
            }
        }
        let problem =
            format!("no {} masks of {kept} units cover a level of {units}; take another scale", spec.members);
        Err(Error::spec("thin.masks", problem))
    }

    /// How many masks there are.
    pub fn count(&self) -> u64 {
        self.masks.len() as u64
    }

    /// The mask of a slice: in training they take turns over slices and steps, in a prediction over its
    /// sampled networks.
    pub fn choose(&self, sample: Sample, slice: u32) -> &[bool] {
        let number = match sample {
            Sample::Training { step } => step.wrapping_add(slice.into()),
            Sample::MonteCarlo { number } => number,
            Sample::Whole => 0,
        };
        &self.masks[(number % self.masks.len() as u64) as usize]
    }
}

/// Among how many places `members` masks of `kept` places cover about `units`: the expected number is
/// places (1 - (1 - kept / places)^members), which grows with the places.
fn places(members: u32, kept: usize, units: usize) -> usize {
    let covered =
        |places: usize| places as f64 * (1.0 - libm::pow(1.0 - kept as f64 / places as f64, members.into()));
    let (mut low, mut high) = (units, 64 * units);
    while low < high {
        let middle = (low + high) / 2;
        if covered(middle) < units as f64 - 0.5 { low = middle + 1 } else { high = middle }
    }
    low
}

/// One mask over the places: those with the largest words are kept.
fn draw(key: Key, member: u32, number: u64, places: usize, kept: usize) -> Vec<bool> {
    let mut words = vec![0; places];
    philox::fill(Isa::best(), key, Counter { block: 0, row: member, step: number }, &mut words);
    let mut mask = vec![false; places];
    keep_largest(&words, kept, &mut words.clone(), |place| mask[place] = true);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(members: u32, scale: f32, units: usize) -> Members {
        Members::new(MaskSpec { members, scale }, 1, units, 5).unwrap()
    }

    #[test]
    fn masks_keep_so_many_units_and_cover_the_level() {
        for (count, scale, units) in
            [(4, 2.0, 100), (4, 3.0, 1024), (2, 1.5, 10), (16, 6.0, 300), (1, 2.0, 20)]
        {
            let masks = members(count, scale, units);
            let expected =
                units as f64 / (f64::from(scale) * (1.0 - (1.0 - 1.0 / f64::from(scale)).powi(count as i32)));
            assert_eq!(masks.kept, expected as usize);
            assert_eq!(masks.masks.len(), count as usize);
            for mask in &masks.masks {
                assert_eq!(mask.iter().filter(|&&kept| kept).count(), masks.kept);
            }
            for unit in 0..units {
                assert!(masks.masks.iter().any(|mask| mask[unit]), "no mask keeps unit {unit}");
            }
        }
    }

    #[test]
    fn at_scale_1_all_masks_are_the_whole_level() {
        let masks = members(3, 1.0, 17);
        assert!(masks.kept == 17 && masks.masks.iter().flatten().all(|&kept| kept));
    }

    /// Two masks of m of P places share about m² / P.
    #[test]
    fn masks_lie_further_apart_with_a_larger_scale() {
        let overlap = |scale: f32| {
            let masks = members(4, scale, 1000);
            let both = (0..1000).filter(|&unit| masks.masks[0][unit] && masks.masks[1][unit]).count();
            both as f64 / masks.kept as f64
        };
        for scale in [1.5, 2.0, 3.0, 5.0] {
            let (measured, expected) = (overlap(scale), 1.0 / f64::from(scale));
            assert!((measured - expected).abs() < 0.08, "{scale}: {measured}, not {expected}");
        }
    }

    #[test]
    fn masks_take_turns() {
        let masks = members(3, 2.0, 30);
        let at = |step, slice| masks.choose(Sample::Training { step }, slice);
        assert!(at(0, 0) == at(3, 0) && at(0, 1) == at(1, 0) && at(2, 2) == at(1, 0) && at(0, 0) != at(1, 0));
        assert_eq!(masks.choose(Sample::MonteCarlo { number: 4 }, 9), at(1, 0));
    }

    #[test]
    fn second_networks_have_other_masks_than_the_first_ones() {
        for count in 2..6 {
            let (spec, masks) = (MaskSpec { members: count, scale: 2.0 }, members(count, 2.0, 100));
            for slices in 1..13 {
                let twin = spec.first_twin(slices);
                // What was right before stays: only a multiple of the members needs one more.
                let one_more = (slices as u32).is_multiple_of(count);
                assert_eq!(twin > slices, one_more, "{slices} slices, {count} members");
                for number in 0..slices {
                    let at = |slice: usize| masks.choose(Sample::Training { step: 7 }, slice as u32);
                    assert_ne!(at(number), at(twin + number), "{slices} slices, {count} members");
                }
            }
        }
        assert!(MaskSpec { members: 1, scale: 2.0 }.is_one() && MaskSpec { members: 3, scale: 1.0 }.is_one());
        assert!(!MaskSpec { members: 2, scale: 1.5 }.is_one());
    }

    #[test]
    fn a_pool_uses_all_its_masks_about_equally() {
        let pool = Pool { size: 7, seed: 3 };
        let mut counts = [0u32; 7];
        for step in 0..1000 {
            for slice in 0..7 {
                counts[pool.choose(Sample::Training { step }, slice) as usize] += 1;
            }
        }
        // 1000 each, with a standard deviation of 29.
        assert!(counts.iter().all(|count| count.abs_diff(1000) < 120), "{counts:?}");
        assert_eq!(pool.choose(Sample::MonteCarlo { number: 15 }, 4), 1);
        assert_eq!(Pool { size: 1, seed: 3 }.choose(Sample::Training { step: 8 }, 5), 0);
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for (members, scale) in [(0, 2.0), (4, 0.5), (4, 7.0), (4, f32::NAN), (5000, 2.0)] {
            assert!(MaskSpec { members, scale }.check().is_err(), "{members}, {scale}");
        }
        let small = Members::new(MaskSpec { members: 4, scale: 2.0 }, 0, 9, 0).unwrap_err().to_string();
        assert!(small.contains("needs 10"), "{small}");
    }
}
