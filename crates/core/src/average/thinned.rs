//! The thinned networks on some rows: what may be asked of them, and which average answers.

use thinnet_kernels::Isa;

use super::{Average, Link, Masks, Mean, Output};
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
    /// The standard deviation over the thinned networks, of the same shape and in the same unit; none for
    /// weight scaling. In the unit of a target ([`Model::predict`](crate::model::Model::predict)) that of the
    /// observations is in it.
    pub spread: Option<Matrix>,
    /// The standard deviation of the observations, of the same shape and unit, where the networks
    /// predict their variance ([`Link::Normal`]) and it is not in the spread: the root of the mean of
    /// these variances.
    pub noise: Option<Matrix>,
}

impl Averaged {
    /// Predictions without a variance of the observations.
    pub(crate) fn new(mean: Matrix, spread: Option<Matrix>) -> Self {
        Self { mean, spread, noise: None }
    }
}

/// The thinned networks, and the rows on which they are averaged. Each average is a method, in its own file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thinned<'a> {
    pub isa: Isa,
    pub network: &'a Network,
    pub thinning: &'a Thinning,
    pub output: Output,
    /// `[rows, the network's inputs]`
    pub inputs: &'a Matrix,
}

/// Averages the thinned networks on some rows. Runs on the threads of the pool it is called from.
///
/// `output` is a [`Link`], or one with a temperature. `inputs` is `[rows, inputs of the network]`. What
/// comes out is `[rows, width]`, with the width of [`Link::width`]: probabilities, or values in the unit
/// of the network's outputs. Where each average is from stands at [`Average`].
///
/// # Errors
/// [`Error::Argument`] if the inputs have another width than the network, if its outputs cannot stand for the
/// link, or if the average makes no sense for it: more than 20 droppable units for [`Average::Exact`], a
/// geometric mean of values, [`Masks::Rows`] where masks come back, or no sample at all.
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
            Averaged::new(output.apply(thin::outputs(isa, network, thinning, inputs)?)?, None)
        }
        Average::MonteCarlo { samples, mean, masks } => thinned.monte_carlo(samples, mean, masks),
        Average::Exact => thinned.exact(),
        Average::Moments => thinned.moments(),
        Average::DropConnect { samples } => thinned.dropconnect(samples),
    }))
}

/// The predictions of each of the networks that [`average`] by [`Average::MonteCarlo`] samples, in their
/// order, from what [`average`] takes and in its shapes and units. None has a spread.
///
/// # Errors
/// [`Error::Argument`] if `by` is another average; or as [`average`].
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
/// [`Error::Argument`] if `by` is another average, the targets are not one for each output, or the precision
/// is not above 0 and finite; or as [`average`].
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
    if !(tau > 0.0 && tau.is_finite()) {
        return Err(Error::argument("tau", format!("must be above 0 and finite, not {tau}")));
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
    /// The one place where inputs and outputs that do not fit, and averages that make no sense, are refused.
    fn check(&self, by: Average) -> Result<()> {
        let (columns, inputs) = (self.inputs.columns(), self.network.inputs());
        if columns != inputs {
            let problem = format!("{columns} columns for a network of {inputs} inputs");
            return Err(Error::argument("inputs", problem));
        }
        self.output.link.check(self.network.outputs())?;
        let refused = |problem: String| Err(Error::argument("average", problem));
        match by {
            Average::MonteCarlo { samples: 0, .. } | Average::DropConnect { samples: 0 } => {
                refused(format!("{by} is the mean of nothing; take at least 1"))
            }
            Average::MonteCarlo { masks: Masks::Rows, .. } if self.thinning.repeats_masks() => {
                let problem = "gives each row a mask, but masks that come back belong to slices; use mc:T";
                refused(format!("{by} {problem}"))
            }
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
                "exact asks all 2^{} thinned networks; with more than {MOST_DROPPABLE} droppable units \
                 use mc:T",
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
    pub(super) fn thinned_levels(&self) -> impl Iterator<Item = usize> {
        (0..self.network.layers().len()).filter(|&level| self.thinning.rate(level) > 0.0)
    }

    /// How many units a level has: 0 is the input.
    pub(super) fn units(&self, level: usize) -> usize {
        if level == 0 { self.network.inputs() } else { self.network.layers()[level - 1].units }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkSpec;
    use crate::thin::{Count, MaskSpec, Share, ThinSpec};

    /// A network of 3 inputs and so many outputs, thinned by a spec.
    fn network(thin: &ThinSpec, outputs: usize) -> (Network, Thinning) {
        let spec = NetworkSpec { hidden: vec![12], ..NetworkSpec::default() };
        let network = thin.with_noise(Network::new(3, outputs, &spec, 1).unwrap()).unwrap();
        let thinning = Thinning::new(thin, &network, 2).unwrap();
        (network, thinning)
    }

    /// What [`average`], [`samples`] and [`average_with_targets`] say of two rows of so many columns.
    fn asked(thin: &ThinSpec, outputs: usize, link: Link, columns: usize, by: &str) -> [Result<()>; 3] {
        let by = by.parse().unwrap();
        let (network, thinning) = &network(thin, outputs);
        let (isa, inputs) = (Isa::from_environment().unwrap(), Matrix::zeros(2, columns));
        let targets = Matrix::zeros(2, outputs);
        [
            average(isa, network, thinning, link, &inputs, by).map(|_| ()),
            samples(isa, network, thinning, link, &inputs, by).map(|_| ()),
            average_with_targets(isa, network, thinning, &inputs, by, &targets, 1.0).map(|_| ()),
        ]
    }

    #[track_caller]
    fn refused(answer: Result<()>, sentence: &str) {
        assert_eq!(answer.unwrap_err().to_string(), sentence);
    }

    #[test]
    fn a_mean_of_nothing_is_refused() {
        let inputs = Matrix::zeros(2, 3);
        for (drop, by) in [
            (Drop::Units, Average::monte_carlo(0)),
            (Drop::Edges, Average::monte_carlo(0)),
            (Drop::Edges, Average::DropConnect { samples: 0 }),
        ] {
            let (network, thinning) = network(&ThinSpec { drop, ..ThinSpec::default() }, 2);
            let (isa, link) = (Isa::from_environment().unwrap(), Link::Softmax);
            let sentence = format!("average: {by} is the mean of nothing; take at least 1");
            refused(average(isa, &network, &thinning, link, &inputs, by).map(|_| ()), &sentence);
            refused(samples(isa, &network, &thinning, link, &inputs, by).map(|_| ()), &sentence);
        }
    }

    #[test]
    fn inputs_of_another_width_are_refused() {
        let averages = ["scale", "mc:3", "mc-geometric:3:rows", "exact", "moments", "dropconnect:3"];
        for by in averages {
            for columns in [2, 4] {
                for answer in asked(&ThinSpec::default(), 2, Link::Softmax, columns, by) {
                    refused(answer, &format!("inputs: {columns} columns for a network of 3 inputs"));
                }
            }
        }
    }

    #[test]
    fn outputs_that_the_link_cannot_take_are_refused() {
        for by in ["scale", "mc:3", "exact", "moments"] {
            for (link, outputs, part) in [
                (Link::Logistic, 2, "takes one logit, not 2"),
                (Link::Logistic, 3, "takes one logit, not 3"),
                (Link::Normal, 3, "3 are no pairs"),
            ] {
                let [average, samples, _] = asked(&ThinSpec::default(), outputs, link, 3, by);
                for answer in [average, samples] {
                    let error = answer.unwrap_err().to_string();
                    assert!(error.starts_with("outputs: ") && error.contains(part), "{by}: {error}");
                }
            }
        }
    }

    #[test]
    fn masks_that_come_back_are_none_of_rows() {
        let pool = ThinSpec { pool: 5, ..ThinSpec::default() };
        let counted = ThinSpec { count: Count::Exact, ..ThinSpec::default() };
        let fixed = ThinSpec { masks: Some(MaskSpec { members: 4, scale: 2.0 }), ..ThinSpec::default() };
        let is_fine = |thin: &ThinSpec, by: &str| asked(thin, 2, Link::Softmax, 3, by)[0].is_ok();
        for thin in [&pool, &fixed, &ThinSpec { pool: 5, ..counted.clone() }] {
            for answer in asked(thin, 2, Link::Identity, 3, "mc:5:rows") {
                let sentence = "gives each row a mask, but masks that come back belong to slices; use mc:T";
                refused(answer, &format!("average: mc:5:rows {sentence}"));
            }
            for by in ["scale", "mc:5", "mc:5:shared", "mc-geometric:5"] {
                assert!(is_fine(thin, by), "{by}, {thin:?}");
            }
        }
        for thin in [ThinSpec::default(), ThinSpec { share: Share::Row, ..ThinSpec::default() }, counted] {
            assert!(is_fine(&thin, "mc:5:rows"), "{thin:?}");
        }
    }

    #[test]
    fn a_precision_that_is_none_is_refused() {
        let (network, thinning) = network(&ThinSpec::default(), 1);
        let (inputs, targets, by) = (Matrix::zeros(2, 3), Matrix::zeros(2, 1), Average::monte_carlo(3));
        for tau in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let isa = Isa::from_environment().unwrap();
            let answer = average_with_targets(isa, &network, &thinning, &inputs, by, &targets, tau);
            refused(answer.map(|_| ()), &format!("tau: must be above 0 and finite, not {tau}"));
        }
    }
}
