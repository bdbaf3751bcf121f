//! The rates of a run, ready for use, and which thinned network a pass samples.

use thinnet_kernels::Isa;
use thinnet_kernels::philox::{Key, threshold};

use super::{Kept, Scaling, Share, ThinSpec};
use crate::error::Result;
use crate::network::Network;
use crate::streams;

/// How each level of units is thinned: level 0 is the input, level l the units of layer l - 1.
#[derive(Clone, Debug)]
pub struct Thinning {
    rates: Vec<f32>,
    share: Share,
    scaling: Scaling,
    seed: u32,
}

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
pub(super) struct Mask {
    pub key: Key,
    pub step: u64,
    pub threshold: u32,
}

impl Mask {
    /// The mask of a level for a sample; none when all units are kept.
    pub fn new(rate: f32, seed: u32, level: usize, sample: Sample) -> Option<Self> {
        let (stream, step) = match sample {
            Sample::Whole => return None,
            Sample::Training { step } => (streams::training(level), step),
            Sample::MonteCarlo { number } => (streams::monte_carlo(level), number),
        };
        (rate > 0.0).then(|| Self { key: Key { seed, stream }, step, threshold: threshold(rate) })
    }
}

impl Thinning {
    /// The rates of a spec for a network.
    ///
    /// # Errors
    /// As [`ThinSpec::rates`].
    pub fn new(spec: &ThinSpec, network: &Network, seed: u32) -> Result<Self> {
        let mut rates = spec.rates(network.layers().len() - 1)?;
        rates.push(0.0);
        Ok(Self { rates, share: spec.share, scaling: spec.scaling, seed })
    }

    /// The same rates, with masks from another seed.
    pub fn with_seed(&self, seed: u32) -> Self {
        Self { seed, ..self.clone() }
    }

    /// The same rates and masks, shared by other rows.
    pub(crate) fn with_share(&self, share: Share) -> Self {
        Self { share, ..self.clone() }
    }

    /// Whether a mask is shared by the rows of a slice.
    pub fn share(&self) -> Share {
        self.share
    }

    /// The rate of a level: the probability that one of its units is dropped.
    pub fn rate(&self, level: usize) -> f32 {
        self.rates[level]
    }

    /// Draws which units of a level the thinned network of a slice keeps, where its rows share a mask.
    pub(crate) fn draw(&self, isa: Isa, level: usize, sample: Sample, slice: u32, kept: &mut Kept) {
        match self.mask(level, sample) {
            Some(mask) if self.share == Share::Slice => kept.draw(isa, mask, slice),
            _ => kept.all(),
        }
    }

    /// The first level that has a rate, if any has.
    pub fn first_thinned(&self) -> Option<usize> {
        self.rates.iter().position(|&rate| rate > 0.0)
    }

    /// The mask of a level for a sample; none when all units are kept.
    pub(super) fn mask(&self, level: usize, sample: Sample) -> Option<Mask> {
        Mask::new(self.rates[level], self.seed, level, sample)
    }

    /// What the kept units of a level are multiplied by.
    pub(crate) fn scale(&self, level: usize, sample: Sample) -> f32 {
        let keep = 1.0 - self.rates[level];
        match (self.scaling, sample) {
            (Scaling::Training, Sample::Whole) => 1.0,
            (Scaling::Training, _) => 1.0 / keep,
            (Scaling::AtPrediction, Sample::Whole) => keep,
            (Scaling::AtPrediction, _) => 1.0,
        }
    }
}
