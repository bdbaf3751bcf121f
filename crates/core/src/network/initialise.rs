//! How weights begin. Biases begin at 0.

use serde::{Deserialize, Serialize};
use thinnet_kernels::philox::{self, Counter, Key};

use super::Layer;
use crate::random;
use crate::streams;

/// The distribution that a layer's first weights are drawn from, with `in` inputs and `out` units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialise {
    /// Normal with variance 2 / in, for relu and its kin (He et al. 2015).
    #[default]
    He,
    /// Uniform within ± sqrt(6 / (in + out)) (Glorot and Bengio 2010).
    Glorot,
    /// Normal with variance 1 / in, for selu (LeCun et al. 1998).
    #[serde(rename = "lecun")]
    LeCun,
    /// Normal with variance 1 / out, as in the code of the dropout paper's authors (deepnet, 2014).
    Paper,
}

impl Initialise {
    /// Draws the weights of the layer with number `index`: `values` are its lines, `[units, stride]`.
    pub(super) fn draw(self, seed: u32, index: usize, layer: &Layer, values: &mut [f32]) {
        let (inputs, units) = (layer.inputs as f64, layer.units as f64);
        let key = Key { seed, stream: streams::INITIALISE };
        for (unit, line) in values.chunks_exact_mut(layer.stride).enumerate() {
            for (block, weights) in line[..layer.inputs].chunks_mut(2).enumerate() {
                let counter = Counter { block: block as u32, row: unit as u32, step: index as u64 };
                let [a, b] = random::uniform_pair(philox::words(key, counter));
                let pair = match self {
                    Initialise::He => random::normal_pair(a, b, (2.0 / inputs).sqrt()),
                    Initialise::LeCun => random::normal_pair(a, b, (1.0 / inputs).sqrt()),
                    Initialise::Paper => random::normal_pair(a, b, (1.0 / units).sqrt()),
                    Initialise::Glorot => {
                        let bound = (6.0 / (inputs + units)).sqrt();
                        [(2.0 * a - 1.0) * bound, (2.0 * b - 1.0) * bound]
                    }
                };
                weights.iter_mut().zip(pair).for_each(|(weight, drawn)| *weight = drawn as f32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Network, NetworkSpec};

    fn weights(initialise: Initialise, seed: u32) -> Vec<f32> {
        let spec = NetworkSpec { hidden: vec![60, 60], initialise, ..NetworkSpec::default() };
        let network = Network::new(60, 60, &spec, seed).unwrap();
        assert!((0..3).all(|layer| network.biases(layer).iter().all(|&bias| bias == 0.0)));
        let units = (0..3).flat_map(|layer| (0..60).map(move |unit| (layer, unit)));
        units.flat_map(|(layer, unit)| network.unit_weights(layer, unit).to_vec()).collect()
    }

    #[test]
    fn no_two_weights_are_drawn_from_the_same_words() {
        for initialise in [Initialise::He, Initialise::Glorot] {
            let weights = weights(initialise, 3);
            let mut bits: Vec<u32> = weights.iter().map(|weight| weight.to_bits()).collect();
            bits.sort_unstable();
            bits.dedup();
            // Of 10,800 numbers some share the 24 bits of f32 by chance, about one in a thousand.
            assert!(bits.len() > weights.len() - 60, "{} of {} are unlike", bits.len(), weights.len());
            assert!(self::weights(initialise, 3) == weights && self::weights(initialise, 4) != weights);
        }
    }

    #[test]
    fn normal_and_uniform_weights_have_their_shape() {
        // Mean 0, and the fourth moment over the squared variance: 3 and 1.8. Standard errors for
        // 10,800 draws: deviation / 104, sqrt(24 / 10,800) = 0.05 and less for the uniform.
        for (initialise, kurtosis) in
            [(Initialise::He, 3.0), (Initialise::LeCun, 3.0), (Initialise::Glorot, 1.8)]
        {
            let weights = weights(initialise, 5);
            let mean_of =
                |power| weights.iter().map(|&w| f64::from(w).powi(power)).sum::<f64>() / weights.len() as f64;
            let variance = mean_of(2);
            assert!(mean_of(1).abs() < 4.0 * variance.sqrt() / 104.0, "{initialise:?}: mean {}", mean_of(1));
            let found = mean_of(4) / (variance * variance);
            assert!((found - kurtosis).abs() < 0.2, "{initialise:?}: kurtosis {found}, not {kurtosis}");
        }
        let bound = (6.0_f32 / 120.0).sqrt();
        assert!(weights(Initialise::Glorot, 6).iter().all(|weight| weight.abs() <= bound));
    }
}
