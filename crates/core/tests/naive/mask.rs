//! Which units are kept, drawn again from the documented layout of the random words.

use thinnet::thin::{Scaling, Share};
use thinnet_kernels::philox::{self, Counter, Key};

use super::real::Real;

/// Whether each unit of each level is kept, for one row: `[level][unit]`, level 0 is the input.
pub type Mask = Vec<Vec<bool>>;

/// The masks of training.
pub const TRAINING: u32 = 0x1000_0000;
/// The masks of Monte Carlo prediction.
pub const MONTE_CARLO: u32 = 0x2000_0000;

/// Draws the mask of one row, where `row` is the row's number in the mini-batch, or that of its
/// slice where its slice shares a mask, and `step` the step, or the number of the sampled network.
pub fn draw(rates: &[f32], levels: &[usize], seed: u32, purpose: u32, row: usize, step: u64) -> Mask {
    let level = |(level, (&rate, &units)): (usize, (&f32, &usize))| {
        let key = Key { seed, stream: purpose + level as u32 };
        let word = |unit: usize| {
            let counter = Counter { block: unit as u32 / 4, row: row as u32, step };
            philox::words(key, counter)[unit % 4]
        };
        (0..units).map(|unit| is_kept(word(unit), rate)).collect()
    };
    rates.iter().zip(levels).enumerate().map(level).collect()
}

/// A word is one of 2^32 equally likely numbers; the lowest of them, a share of `rate`, drop the unit.
fn is_kept(word: u32, rate: f32) -> bool {
    f64::from(word) >= (f64::from(rate) * 2f64.powi(32)).round()
}

/// The mask of a row of a training step, by its position in the mini-batch.
pub fn of_training(
    rates: &[f32],
    levels: &[usize],
    seed: u32,
    share: Share,
    slice: usize,
    position: usize,
    step: u64,
) -> Mask {
    let row = if share == Share::Row { position } else { position / slice };
    draw(rates, levels, seed, TRAINING, row, step)
}

/// Nothing is dropped.
pub fn whole(levels: &[usize]) -> Mask {
    levels.iter().map(|&units| vec![true; units]).collect()
}

/// What kept units of each level are multiplied by in a thinned network.
pub fn thinned_scales(rates: &[f32], scaling: Scaling) -> Vec<Real> {
    let scale = |&rate: &f32| match scaling {
        Scaling::Training if rate > 0.0 => Real::exact(1.0) / keep(rate),
        _ => Real::exact(1.0),
    };
    rates.iter().map(scale).collect()
}

/// What the units of each level are multiplied by in the whole network.
pub fn whole_scales(rates: &[f32], scaling: Scaling) -> Vec<Real> {
    let scale = |&rate: &f32| match scaling {
        Scaling::Training => Real::exact(1.0),
        Scaling::AtPrediction => keep(rate),
    };
    rates.iter().map(scale).collect()
}

fn keep(rate: f32) -> Real {
    Real::exact(1.0) - Real::from(rate)
}

/// Every mask, with its probability.
pub fn all(rates: &[f32], levels: &[usize]) -> Vec<(Mask, f64)> {
    let units: usize = levels.iter().sum();
    assert!(units <= 12, "2^{units} masks are too many to enumerate");
    let mask = |number: usize| {
        let (mut bits, mut probability) = (number, 1.0);
        let mask = rates.iter().zip(levels).map(|(&rate, &units)| {
            let mut unit = |_| {
                let kept = bits & 1 == 1;
                bits >>= 1;
                probability *= if kept { 1.0 - f64::from(rate) } else { f64::from(rate) };
                kept
            };
            (0..units).map(&mut unit).collect()
        });
        (mask.collect(), probability)
    };
    let masks: Vec<(Mask, f64)> = (0..1 << units).map(mask).collect();
    masks.into_iter().filter(|(_, probability)| *probability > 0.0).collect()
}
