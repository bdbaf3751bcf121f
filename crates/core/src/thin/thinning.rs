//! The rates of a run, ready for use, and which thinned network a pass samples.

use thinnet_kernels::edges::{self, EdgeMask};
use thinnet_kernels::philox::{Key, threshold};

use super::edges::EdgeNoise;
use super::{Drop, Scaling, Share, ThinSpec};
use crate::error::Result;
use crate::network::Network;
use crate::streams;

/// How each level of units is thinned: level 0 is the input, level l the units of layer l - 1.
#[derive(Clone, Debug)]
pub struct Thinning {
    rates: Vec<f32>,
    drop: Drop,
    share: Share,
    share_rows: usize,
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
        let ThinSpec { drop, share, share_rows, scaling, .. } = *spec;
        Ok(Self { rates, drop, share, share_rows, scaling, seed })
    }

    /// The same rates, with masks from another seed.
    pub fn with_seed(&self, seed: u32) -> Self {
        Self { seed, ..self.clone() }
    }

    /// Whether a mask is shared by the rows of a slice.
    pub fn share(&self) -> Share {
        self.share
    }

    /// The first level whose units are not the same in all thinned networks, if any is.
    pub fn first_thinned(&self) -> Option<usize> {
        let first = self.rates.iter().position(|&rate| rate > 0.0)?;
        Some(if self.drop == Drop::Units { first } else { first + 1 })
    }

    /// The noise on the edges of a layer, for the slice with a number and its first row.
    pub(super) fn edges(
        &self,
        layer: usize,
        sample: Sample,
        slice: u32,
        first_row: u32,
    ) -> Option<EdgeNoise> {
        if self.drop == Drop::Units {
            return None;
        }
        let rate = self.rates[layer];
        let (stream, step) = match sample {
            Sample::Whole => return self.whole_edges(rate),
            Sample::Training { step } => (streams::training_edges(layer), step),
            Sample::MonteCarlo { number } => (streams::monte_carlo_edges(layer), number),
        };
        let keep = edges::keep(rate)?;
        let scale = if self.scaling == Scaling::Training { 1.0 / edges::probability(keep) } else { 1.0 };
        let row = if self.share == Share::Row { first_row } else { slice };
        let mask = EdgeMask { key: Key { seed: self.seed, stream }, step, row, keep };
        Some(match (self.share, self.share_rows, sample) {
            (Share::Row, ..) => EdgeNoise::Rows { mask, scale },
            (Share::Slice, 1.., Sample::Training { .. }) => {
                EdgeNoise::Groups { mask: EdgeMask { row: first_row, ..mask }, rows: self.share_rows, scale }
            }
            _ => EdgeNoise::Groups { mask, rows: usize::MAX, scale },
        })
    }

    /// The edges of the whole network: weights are scaled where they were not in training.
    fn whole_edges(&self, rate: f32) -> Option<EdgeNoise> {
        let keep = edges::keep(rate).filter(|_| self.scaling == Scaling::AtPrediction)?;
        Some(EdgeNoise::Scaled { scale: edges::probability(keep) })
    }

    /// The mask of a level for a sample; none when all units are kept.
    pub(super) fn mask(&self, level: usize, sample: Sample) -> Option<Mask> {
        let rate = if self.drop == Drop::Units { self.rates[level] } else { 0.0 };
        Mask::new(rate, self.seed, level, sample)
    }

    /// What the kept units of a level are multiplied by.
    pub(super) fn scale(&self, level: usize, sample: Sample) -> f32 {
        if self.drop != Drop::Units {
            return 1.0;
        }
        let keep = 1.0 - self.rates[level];
        match (self.scaling, sample) {
            (Scaling::Training, Sample::Whole) => 1.0,
            (Scaling::Training, _) => 1.0 / keep,
            (Scaling::AtPrediction, Sample::Whole) => keep,
            (Scaling::AtPrediction, _) => 1.0,
        }
    }
}
