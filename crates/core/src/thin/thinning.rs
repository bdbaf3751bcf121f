//! The rates of a run, ready for use: how each level of a network is thinned.

use std::sync::Arc;

use super::pool::Members;
use super::{Count, Drop, RateSchedule, Sample, Scaling, Share, ThinSpec, count};
use crate::error::{Error, Result};
use crate::network::Network;

/// How each level of units is thinned: level 0 is the input, level l the units of layer l - 1.
#[derive(Clone, Debug)]
pub struct Thinning {
    drop: Drop,
    rates: Vec<f32>,
    /// How many units each level has.
    units: Vec<usize>,
    share: Share,
    pub(super) share_rows: usize,
    pub(super) scaling: Scaling,
    pub(super) count: Count,
    schedule: RateSchedule,
    total_steps: u64,
    pub(super) pool: u32,
    /// The fixed masks of each level, where there are any.
    pub(super) members: Arc<Vec<Option<Members>>>,
    standout_slope: f32,
    pub(super) seed: u32,
}

/// The odds of a rate, rate / keep: the variance of a mask that is divided by keep.
pub(super) fn odds(rate: f32) -> f64 {
    let rate = f64::from(rate);
    rate / (1.0 - rate)
}

impl Thinning {
    /// The rates of a spec for a network.
    ///
    /// # Errors
    /// As [`ThinSpec::check`] and [`ThinSpec::rates`]; [`Error::Argument`] if the network has no room for
    /// the numbers of the noise that are learned.
    pub fn new(spec: &ThinSpec, network: &Network, seed: u32) -> Result<Self> {
        spec.check()?;
        let mut rates = spec.rates(network.layers().len() - 1)?;
        let learned = spec.drop.learned();
        if network.layers().iter().any(|layer| layer.learned != learned) {
            let problem =
                "it has no room for what is learned of the noise; make it with ThinSpec::with_noise";
            return Err(Error::argument("network", problem));
        }
        let units: Vec<usize> = network.layers().iter().map(|layer| layer.inputs).collect();
        let members = |level: usize| match spec.masks {
            Some(masks) if rates[level] > 0.0 => Members::new(masks, level, units[level], seed).map(Some),
            _ => Ok(None),
        };
        let members = Arc::new((0..units.len()).map(members).collect::<Result<_>>()?);
        rates.push(0.0);
        Ok(Self {
            drop: spec.drop,
            rates,
            units,
            share: spec.share,
            share_rows: spec.share_rows,
            scaling: spec.scaling,
            count: spec.count,
            schedule: spec.schedule,
            total_steps: u64::MAX,
            pool: spec.pool,
            members,
            standout_slope: spec.standout_slope,
            seed,
        })
    }

    /// The same for a run of so many steps, which the schedule of the rates needs to know.
    #[must_use]
    pub fn with_total_steps(self, total_steps: u64) -> Self {
        Self { total_steps, ..self }
    }

    /// The same rates and masks, shared by other rows.
    pub(crate) fn with_share(&self, share: Share) -> Self {
        Self { share, ..self.clone() }
    }

    /// The same with the Gaussian form of the noise of dropped edges, which prediction may scale.
    pub(crate) fn gaussian_form(&self) -> Self {
        Self { drop: Drop::EdgesGaussian, ..self.clone() }
    }

    /// Which noise thins.
    pub fn drop(&self) -> Drop {
        self.drop
    }

    /// Whether the units of a level are dropped independently of each other.
    pub fn is_independent(&self) -> bool {
        self.count == Count::Random && self.pool == 0 && self.members.iter().all(Option::is_none)
    }

    /// Whether a mask is shared by the rows of a slice.
    pub fn share(&self) -> Share {
        self.share
    }

    /// The rate of a level: the probability that one of its units is dropped.
    pub fn rate(&self, level: usize) -> f32 {
        self.rates[level]
    }

    /// The first level whose units are not the same in all thinned networks, if any is.
    pub fn first_thinned(&self) -> Option<usize> {
        if self.drop == Drop::SparseVariational {
            return Some(1);
        }
        let first = self.rates.iter().position(|&rate| rate > 0.0)?;
        Some(if self.drop.acts_on_edges() { first + 1 } else { first })
    }

    /// How many fixed masks there are, where masks are fixed.
    pub(super) fn members(&self) -> Option<u64> {
        self.members.iter().flatten().next().map(Members::count)
    }

    /// Whether masks come back, out of a pool or because they are fixed: they belong to slices then.
    pub(crate) fn repeats_masks(&self) -> bool {
        self.pool > 0 || self.members().is_some()
    }

    /// The rate of a level for a sample. A schedule is for training; a prediction samples at the rates of
    /// the spec.
    pub(super) fn rate_at(&self, level: usize, sample: Sample) -> f32 {
        match sample {
            Sample::Training { step } => {
                let factor = self.schedule.factor(step, self.total_steps);
                (f64::from(self.rates[level]) * factor) as f32
            }
            _ => self.rates[level],
        }
    }

    /// Whether a level has noise that is not a mask drawn with the activations or for a slice.
    pub(super) fn is_noisy(&self, level: usize) -> bool {
        self.rates[level] > 0.0 && (self.drop.is_noise() || self.counts_rows())
    }

    /// Whether each row keeps an exact number of units.
    pub(super) fn counts_rows(&self) -> bool {
        self.drop == Drop::Units && self.count == Count::Exact && self.share == Share::Row
    }

    /// The factor of the pre-activation, and what is added to it, in the keep probability of standout: at
    /// 0 it is 1 - rate.
    pub(super) fn standout(&self, level: usize) -> (f32, f32) {
        let rate = f64::from(self.rates[level]);
        (self.standout_slope, libm::log((1.0 - rate) / rate) as f32)
    }

    /// How many units a level keeps at a rate, where that is exact.
    pub(super) fn kept(&self, level: usize, rate: f32) -> usize {
        count::exact(self.units[level], rate)
    }

    /// What the kept units of a level are multiplied by.
    pub(crate) fn scale(&self, level: usize, sample: Sample) -> f32 {
        if self.drop != Drop::Units {
            return 1.0;
        }
        let rate = self.rate_at(level, sample);
        let members = self.members.get(level).and_then(Option::as_ref);
        let keep = match (members, self.count) {
            _ if rate == 0.0 => 1.0,
            (Some(members), _) => members.kept as f32 / self.units[level] as f32,
            (None, Count::Exact) => self.kept(level, rate) as f32 / self.units[level] as f32,
            (None, Count::Random) => 1.0 - rate,
        };
        match (self.scaling, sample) {
            (Scaling::Training, Sample::Whole) => 1.0,
            (Scaling::Training, _) => 1.0 / keep,
            (Scaling::AtPrediction, Sample::Whole) => keep,
            (Scaling::AtPrediction, _) => 1.0,
        }
    }
}
