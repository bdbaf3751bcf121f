//! Masks over units: which thinned network a pass samples, and the random words its masks are drawn from.

use thinnet_kernels::Isa;
use thinnet_kernels::philox::{Key, threshold};

use super::pool::{Members, Pool};
use super::{Count, Drop, Kept, Share, Thinning};
use crate::streams;

/// Which thinned network a pass samples, or the whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// Prediction: every unit is kept, weights are scaled.
    Whole,
    /// The network that a training step samples.
    Training {
        /// The step.
        step: u64,
    },
    /// The network with this number among those that a prediction samples.
    MonteCarlo {
        /// Its number.
        number: u64,
    },
}

/// From which random words a level's mask is drawn: a unit is kept when its word is at least the threshold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mask<'a> {
    pub key: Key,
    pub step: u64,
    pub threshold: u32,
    /// How many are kept, where that is exact: those with the largest words.
    pub count: Option<usize>,
    /// The masks to choose from, where they come back.
    pub pool: Option<Pool>,
    /// The fixed masks, where there are any.
    pub members: Option<&'a Members>,
    pub sample: Sample,
}

impl Mask<'_> {
    /// The mask of a level for a sample; none when all units are kept.
    pub fn new(rate: f32, seed: u32, level: usize, sample: Sample) -> Option<Self> {
        let (key, step) = words_of(seed, level, sample)?;
        let threshold = threshold(rate);
        (rate > 0.0).then_some(Self { key, step, threshold, count: None, pool: None, members: None, sample })
    }

    /// Row and step of the words of a slice's mask.
    pub fn place(&self, slice: u32) -> (u32, u64) {
        self.pool.map_or((slice, self.step), |pool| (0, pool.choose(self.sample, slice)))
    }
}

/// The key and the step of a level's random words; none for the whole network.
fn words_of(seed: u32, level: usize, sample: Sample) -> Option<(Key, u64)> {
    let (stream, step) = match sample {
        Sample::Whole => return None,
        Sample::Training { step } => (streams::training(level), step),
        Sample::MonteCarlo { number } => (streams::monte_carlo(level), number),
    };
    Some((Key { seed, stream }, step))
}

impl Thinning {
    /// Draws which units of a level the thinned network of a slice keeps, where its rows share a mask.
    pub(crate) fn draw(&self, isa: Isa, level: usize, sample: Sample, slice: u32, kept: &mut Kept) {
        match self.mask(level, sample) {
            Some(mask) if self.share() == Share::Slice => kept.draw(isa, mask, slice),
            _ => kept.all(),
        }
    }

    /// Key and step of the words that a level's noise is drawn from; none for the whole network.
    pub(super) fn words(&self, level: usize, sample: Sample) -> Option<(Key, u64)> {
        words_of(self.seed, level, sample)
    }

    /// The mask of a level for a sample; none when all units are kept, or the level [is
    /// noisy](Self::is_noisy). It depends on nothing but the sample.
    pub(super) fn mask(&self, level: usize, sample: Sample) -> Option<Mask<'_>> {
        if self.drop() != Drop::Units || self.counts_rows() {
            return None;
        }
        let rate = self.rate_at(level, sample);
        let mask = Mask::new(rate, self.seed, level, sample)?;
        let count = (self.count == Count::Exact).then(|| self.kept(level, rate));
        if self.pool == 0 {
            return Some(Mask { count, members: self.members[level].as_ref(), ..mask });
        }
        // The masks of a pool are those of training, whoever asks.
        let key = Key { stream: streams::training(level), ..mask.key };
        let pool = Some(Pool { size: self.pool, seed: self.seed });
        Some(Mask { key, count, pool, ..mask })
    }
}
