//! The rates of a run, ready for use, and which thinned network a pass samples.

use std::sync::Arc;

use thinnet_kernels::Isa;
use thinnet_kernels::edges::{self, EdgeMask};
use thinnet_kernels::philox::{Key, threshold};

use super::edges::{EdgeDraw, EdgeNoise};
use super::pool::{Members, Pool};
use super::{Count, Drop, Kept, RateSchedule, Scaling, Share, ThinSpec, count};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::streams;

/// How each level of units is thinned: level 0 is the input, level l the units of layer l - 1.
#[derive(Clone, Debug)]
pub struct Thinning {
    drop: Drop,
    rates: Vec<f32>,
    /// How many units each level has.
    units: Vec<usize>,
    share: Share,
    share_rows: usize,
    scaling: Scaling,
    count: Count,
    schedule: RateSchedule,
    total_steps: u64,
    pool: u32,
    /// The fixed masks of each level, where there are any.
    members: Arc<Vec<Option<Members>>>,
    standout_slope: f32,
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
pub(super) fn words_of(seed: u32, level: usize, sample: Sample) -> Option<(Key, u64)> {
    let (stream, step) = match sample {
        Sample::Whole => return None,
        Sample::Training { step } => (streams::training(level), step),
        Sample::MonteCarlo { number } => (streams::monte_carlo(level), number),
    };
    Some((Key { seed, stream }, step))
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
        let learned = spec.drop.learned().0;
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

    /// Draws which units of a level the thinned network of a slice keeps, where its rows share a mask.
    pub(crate) fn draw(&self, isa: Isa, level: usize, sample: Sample, slice: u32, kept: &mut Kept) {
        match self.mask(level, sample) {
            Some(mask) if self.share == Share::Slice => kept.draw(isa, mask, slice),
            _ => kept.all(),
        }
    }

    /// The first level whose units are not the same in all thinned networks, if any is.
    pub fn first_thinned(&self) -> Option<usize> {
        if self.drop == Drop::SparseVariational {
            return Some(1);
        }
        let first = self.rates.iter().position(|&rate| rate > 0.0)?;
        Some(if self.drop.acts_on_edges() { first + 1 } else { first })
    }

    /// The noise on the edges of a layer, for the slice with a number and its first row.
    pub(super) fn edges(
        &self,
        layer: usize,
        sample: Sample,
        slice: u32,
        first_row: u32,
    ) -> Option<EdgeNoise> {
        let (stream, step) = match sample {
            Sample::Whole => return self.whole_edges(layer),
            Sample::Training { step } => (streams::training_edges(layer), step),
            Sample::MonteCarlo { number } => (streams::monte_carlo_edges(layer), number),
        };
        let key = Key { seed: self.seed, stream };
        let draw = EdgeDraw { key, step, first_row };
        match self.drop {
            Drop::Edges => self.edge_masks(layer, sample, slice, draw),
            Drop::EdgesGaussian => {
                let rate = f64::from(self.rate_at(layer, sample));
                let alpha = (rate / (1.0 - rate)) as f32;
                (rate > 0.0).then_some(EdgeNoise::Gaussian { draw, alpha })
            }
            Drop::SparseVariational => Some(EdgeNoise::Variational { draw }),
            _ => None,
        }
    }

    /// The same with the Gaussian form of the noise of dropped edges, which prediction may scale.
    pub(crate) fn gaussian_form(&self) -> Self {
        Self { drop: Drop::EdgesGaussian, ..self.clone() }
    }

    /// What the pre-activations of a layer with kept edges divided by keep are multiplied by.
    pub(super) fn edge_scale(&self, layer: usize) -> f32 {
        if self.scaling == Scaling::AtPrediction { 1.0 - self.rates[layer] } else { 1.0 }
    }

    fn edge_masks(&self, layer: usize, sample: Sample, slice: u32, draw: EdgeDraw) -> Option<EdgeNoise> {
        let rate = edges::rate(self.rate_at(layer, sample))?;
        let scale = if self.scaling == Scaling::Training { 1.0 / edges::keep(rate) } else { 1.0 };
        let EdgeDraw { key, step, first_row } = draw;
        let of_row = |row: u32| EdgeMask { key, step, row, rate };
        Some(match (self.share, self.share_rows, sample) {
            (Share::Row, ..) => EdgeNoise::Rows { mask: of_row(first_row), scale },
            (Share::Slice, rows @ 1.., Sample::Training { .. }) => {
                EdgeNoise::Groups { mask: of_row(first_row), rows, scale }
            }
            _ => EdgeNoise::Groups { mask: of_row(slice), rows: usize::MAX, scale },
        })
    }

    /// The edges of the whole network: weights are scaled where they were not in training, and weights
    /// that are mostly noise are left out.
    fn whole_edges(&self, layer: usize) -> Option<EdgeNoise> {
        if self.drop == Drop::SparseVariational {
            return Some(EdgeNoise::Pruned);
        }
        if self.drop != Drop::Edges {
            return None;
        }
        let rate = edges::rate(self.rates[layer]).filter(|_| self.scaling == Scaling::AtPrediction)?;
        Some(EdgeNoise::Scaled { scale: edges::keep(rate) })
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

    /// Key and step of the words that a level's noise is drawn from; none for the whole network.
    pub(super) fn words(&self, level: usize, sample: Sample) -> Option<(Key, u64)> {
        words_of(self.seed, level, sample)
    }

    /// The factor of the pre-activation, and what is added to it, in the keep probability of standout: at
    /// 0 it is 1 - rate.
    pub(super) fn standout(&self, level: usize) -> (f32, f32) {
        let rate = f64::from(self.rates[level]);
        (self.standout_slope, libm::log((1.0 - rate) / rate) as f32)
    }

    /// The mask of a level for a sample; none when all units are kept, or the level [is
    /// noisy](Self::is_noisy). It depends on nothing but the sample.
    pub(super) fn mask(&self, level: usize, sample: Sample) -> Option<Mask<'_>> {
        if self.drop != Drop::Units || self.counts_rows() {
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
