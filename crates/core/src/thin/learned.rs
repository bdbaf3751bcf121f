//! What a run learns of its noise: where it begins, its bounds, and what it came to.

use serde::Serialize;

use super::thinning::odds;
use super::{Drop, ThinSpec};
use crate::error::Result;
use crate::network::Network;

/// What was learned of the noise on the inputs of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LearnedNoise {
    /// The rate of the layer's inputs (concrete dropout).
    Rate(f32),
    /// The variances of the noise on its inputs (variational dropout).
    Alpha {
        /// The least.
        smallest: f32,
        /// Half of them are at most so large.
        median: f32,
        /// The greatest.
        largest: f32,
    },
}

impl Drop {
    /// What the learned numbers of the noise begin with where the rate does not say it: for
    /// `sparse-variational` the logarithm of a weight's variance.
    fn first_learned(self) -> f32 {
        if self == Drop::SparseVariational { -8.0 } else { 0.0 }
    }

    /// Between which numbers what is learned of the noise is held after each step. For `variational` the
    /// logarithm of the variance, which is at most 1; for `sparse-variational` that of a weight's; for
    /// `concrete` the logarithm of the odds.
    pub(crate) fn bounds(self) -> (f32, f32) {
        match self {
            Drop::Variational => (-20.0, 0.0),
            Drop::Concrete => (-10.0, 10.0),
            Drop::SparseVariational => (-20.0, 10.0),
            _ => (f32::NEG_INFINITY, f32::INFINITY),
        }
    }
}

impl ThinSpec {
    /// The same network with room for what is learned of the noise, which begins at the rates.
    ///
    /// # Errors
    /// As [`ThinSpec::rates`] and [`Network::with_noise`].
    pub fn with_noise(&self, network: Network) -> Result<Network> {
        let rates = self.rates(network.layers().len() - 1)?;
        let mut network = network.with_noise(self.drop.learned(), self.drop.first_learned())?;
        if !matches!(self.drop, Drop::Variational | Drop::Concrete) {
            return Ok(network);
        }
        let (lowest, highest) = self.drop.bounds();
        for (level, rate) in rates.into_iter().enumerate().filter(|(_, rate)| *rate > 0.0) {
            // The odds of a rate are the variance of a mask divided by keep: ln(alpha) = ln(odds).
            let first = (libm::log(odds(rate)) as f32).clamp(lowest, highest);
            let count = network.layers()[level].learned_lines().length;
            network.set_noise(level, &vec![first; count])?;
        }
        Ok(network)
    }

    /// What a network learned of the noise on the inputs of each layer; none where there is no noise, or it
    /// is given.
    pub fn learned_noise(&self, network: &Network) -> Vec<Option<LearnedNoise>> {
        let rates = self.rates(network.layers().len() - 1).unwrap_or_default();
        let learned = |(level, rate): (usize, f32)| {
            let count = network.layers()[level].learned_lines().length;
            let numbers = network.noise(level).get(..count).filter(|numbers| !numbers.is_empty())?;
            if rate == 0.0 {
                return None;
            }
            let power = |logarithm: f32| libm::exp(f64::from(logarithm));
            match self.drop {
                Drop::Concrete => {
                    let odds = power(numbers[0]);
                    Some(LearnedNoise::Rate((odds / (1.0 + odds)) as f32))
                }
                Drop::Variational => {
                    let mut sorted = numbers.to_vec();
                    sorted.sort_by(f32::total_cmp);
                    let [smallest, median, largest] =
                        [0, (count - 1) / 2, count - 1].map(|at| power(sorted[at]) as f32);
                    Some(LearnedNoise::Alpha { smallest, median, largest })
                }
                _ => None,
            }
        };
        rates.into_iter().enumerate().map(learned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkSpec;
    use crate::thin::Rates;

    fn network(drop: Drop) -> (ThinSpec, Network) {
        let spec = NetworkSpec { hidden: vec![4, 3], ..NetworkSpec::default() };
        let thin = ThinSpec { drop, hidden: Rates::Each(vec![0.2, 0.5]), ..ThinSpec::default() };
        let network = thin.with_noise(Network::new(5, 2, &spec, 1).unwrap()).unwrap();
        (thin, network)
    }

    #[test]
    fn noise_begins_at_the_rates() {
        let (thin, network) = network(Drop::Concrete);
        let [none, Some(LearnedNoise::Rate(first)), Some(LearnedNoise::Rate(second))] =
            thin.learned_noise(&network)[..]
        else {
            panic!("no rates");
        };
        assert!(none.is_none() && (first - 0.2).abs() < 1e-6 && (second - 0.5).abs() < 1e-6);
    }

    #[test]
    fn variances_are_summed_up() {
        let (thin, mut network) = network(Drop::Variational);
        let alpha = |network: &Network, level: usize| match thin.learned_noise(network)[level] {
            Some(LearnedNoise::Alpha { smallest, median, largest }) => [smallest, median, largest],
            other => panic!("{other:?}"),
        };
        for alpha in alpha(&network, 1) {
            assert!((alpha - 0.25).abs() < 1e-6);
        }
        network.set_noise(2, &[-3.0, 0.0, -1.0]).unwrap();
        let expected = [-3.0f32, -1.0, 0.0].map(f32::exp);
        for (alpha, expected) in alpha(&network, 2).into_iter().zip(expected) {
            assert!((alpha - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn noise_that_is_given_has_nothing_to_learn() {
        for drop in [Drop::Units, Drop::Gaussian, Drop::Standout] {
            let (thin, network) = network(drop);
            assert_eq!(thin.learned_noise(&network), [None; 3]);
        }
    }
}
