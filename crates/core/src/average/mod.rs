//! How the thinned networks become one prediction. docs/averages.md says when to use which.

mod dropconnect;
mod ensemble;
mod exact;
mod form;
mod interval;
mod link;
mod moments;
mod monte_carlo;
mod passes;
mod softmax;
mod temperature;

pub(crate) use ensemble::member_seed;
pub use ensemble::{EnsembleSpec, deviation, ensemble};
pub use form::{Average, Masks, Mean};
pub use link::{Link, Output};
pub use temperature::temperature;

use thinnet_kernels::Isa;

use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::network::Network;
use crate::thin::{self, Drop, Thinning};

/// The most droppable units whose thinned networks are enumerated: 2^20 of them.
const MOST_DROPPABLE: usize = 20;

/// What an average gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Averaged {
    /// Probabilities of the classes, or values: `[rows, classes]` or `[rows, outputs]`.
    pub mean: Matrix,
    /// The standard deviation over the thinned networks, of the same shape; none for weight scaling. In the
    /// units of a target ([`Model::predict`](crate::model::Model::predict)) that of the observations is in it.
    pub spread: Option<Matrix>,
    /// The standard deviation of the observations, of the same shape, where the networks predict their
    /// variance ([`Link::Normal`]) and it is not in the spread: the root of the mean of these variances.
    pub noise: Option<Matrix>,
}

impl Averaged {
    /// Predictions without a variance of the observations.
    pub(crate) fn new(mean: Matrix, spread: Option<Matrix>) -> Self {
        Self { mean, spread, noise: None }
    }
}

/// The thinned networks, and the rows on which they are averaged.
#[derive(Clone, Copy, Debug)]
struct Thinned<'a> {
    isa: Isa,
    network: &'a Network,
    thinning: &'a Thinning,
    output: Output,
    /// `[rows, the network's inputs]`
    inputs: &'a Matrix,
}

/// Averages the thinned networks on some rows. Runs on the threads of the pool it is called from.
///
/// `inputs` must have the network's width. `output` is a [`Link`], or one with a temperature.
///
/// # Errors
/// [`Error::Argument`] if the average makes no sense for the network: more than 20 droppable units
/// for [`Average::Exact`], a geometric mean of values.
pub fn average(
    isa: Isa,
    network: &Network,
    thinning: &Thinning,
    output: impl Into<Output>,
    inputs: &Matrix,
    by: Average,
) -> Result<Averaged> {
    let output = output.into();
    let thinned = Thinned { isa, network, thinning, output, inputs };
    thinned.check(by)?;
    Ok(thinned.with_noise_apart(match by {
        Average::WeightScaling => {
            Averaged::new(output.apply(thin::outputs(isa, network, thinning, inputs)), None)
        }
        Average::MonteCarlo { samples, mean, masks } => thinned.monte_carlo(samples, mean, masks),
        Average::Exact => thinned.exact(),
        Average::Moments => thinned.moments(),
        Average::DropConnect { samples } => thinned.dropconnect(samples),
    }))
}

/// The predictions of each of the networks that [`average`] by [`Average::MonteCarlo`] samples, in their
/// order. None has a spread.
///
/// # Errors
/// [`Error::Argument`] if `by` is another average.
pub fn samples(
    isa: Isa,
    network: &Network,
    thinning: &Thinning,
    output: impl Into<Output>,
    inputs: &Matrix,
    by: Average,
) -> Result<Vec<Averaged>> {
    let thinned = Thinned { isa, network, thinning, output: output.into(), inputs };
    thinned.check(by)?;
    let Average::MonteCarlo { samples, masks, .. } = by else { return Err(samples_none(by)) };
    let each = thinned.each_sample(samples, masks).into_iter();
    Ok(each.map(|mean| thinned.with_noise_apart(Averaged::new(mean, None))).collect())
}

fn samples_none(by: Average) -> Error {
    Error::argument("average", format!("{by} samples no networks; use mc:T"))
}

/// As [`average`] by [`Average::MonteCarlo`], for values `[rows, outputs]` whose targets are known: also
/// the logarithm of each row's predictive density, in nats, the mean over the outputs. It is the
/// predictive log-likelihood of Gal and Ghahramani (2016): logsumexp over the T networks of
/// -tau/2 (target - output)^2, less log T + log(2 pi)/2 - log(tau)/2. `tau` is the precision of the
/// observations, 1 / variance.
///
/// # Errors
/// [`Error::Argument`] if `by` is another average, or the targets are not one for each output.
pub fn average_with_targets(
    isa: Isa,
    network: &Network,
    thinning: &Thinning,
    inputs: &Matrix,
    by: Average,
    targets: &Matrix,
    tau: f64,
) -> Result<(Averaged, Vec<f64>)> {
    let thinned = Thinned { isa, network, thinning, output: Link::Identity.into(), inputs };
    thinned.check(by)?;
    let Average::MonteCarlo { samples, masks, .. } = by else { return Err(samples_none(by)) };
    if (targets.rows(), targets.columns()) != (inputs.rows(), network.outputs()) {
        return Err(Error::argument("targets", "there is not one for each output of each row"));
    }
    Ok(thinned.monte_carlo_with_targets(samples, masks, targets, tau))
}

/// Refuses an average that makes no sense for a network, before anything is asked of it.
///
/// # Errors
/// As [`average`].
pub(crate) fn check(
    isa: Isa,
    network: &Network,
    thinning: &Thinning,
    output: impl Into<Output>,
    by: Average,
) -> Result<()> {
    let inputs = &Matrix::zeros(0, network.inputs());
    Thinned { isa, network, thinning, output: output.into(), inputs }.check(by)
}

impl Thinned<'_> {
    /// The one place where an average that makes no sense is refused.
    fn check(&self, by: Average) -> Result<()> {
        let refused = |problem: String| Err(Error::argument("average", problem));
        match by {
            Average::MonteCarlo { mean: Mean::Geometric, .. } if self.output.link.predicts_values() => {
                refused(format!("{by} is a mean of probabilities, which a regression has none of; use mc:T"))
            }
            Average::Exact if self.thinning.drop() != Drop::Units || !self.thinning.is_independent() => {
                refused("exact needs units that are dropped independently of each other; use mc:T".into())
            }
            Average::Moments
                if !matches!(self.thinning.drop(), Drop::Units | Drop::Gaussian)
                    || !self.thinning.is_independent() =>
            {
                refused("moments needs units with independent noise of given variance; use mc:T".into())
            }
            Average::Exact if self.droppable() > MOST_DROPPABLE => refused(format!(
                "exact asks all 2^{} thinned networks; with more than {MOST_DROPPABLE} droppable units use mc:T",
                self.droppable()
            )),
            Average::DropConnect { .. }
                if !matches!(self.thinning.drop(), Drop::Edges | Drop::EdgesGaussian) =>
            {
                refused(format!("{by} is for networks whose edges were dropped; use mc:T"))
            }
            _ => Ok(()),
        }
    }

    /// Where the second half of the columns are variances of the observations, they come out of the means.
    fn with_noise_apart(&self, averaged: Averaged) -> Averaged {
        if self.output.link != Link::Normal {
            return averaged;
        }
        let columns: Vec<usize> = (0..averaged.mean.columns()).collect();
        let (values, variances) = columns.split_at(columns.len() / 2);
        let mut noise = averaged.mean.select_columns(variances);
        noise.values_mut().iter_mut().for_each(|variance| *variance = variance.sqrt());
        Averaged {
            mean: averaged.mean.select_columns(values),
            spread: averaged.spread.map(|spread| spread.select_columns(values)),
            noise: Some(noise),
        }
    }

    /// How many units a mask can drop.
    fn droppable(&self) -> usize {
        self.thinned_levels().map(|level| self.units(level)).sum()
    }

    /// The levels that have a rate, from the input on.
    fn thinned_levels(&self) -> impl Iterator<Item = usize> {
        (0..self.network.layers().len()).filter(|&level| self.thinning.rate(level) > 0.0)
    }

    /// How many units a level has: 0 is the input.
    fn units(&self, level: usize) -> usize {
        if level == 0 { self.network.inputs() } else { self.network.layers()[level - 1].units }
    }
}
