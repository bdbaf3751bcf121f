//! How weights begin. Biases begin at 0.

use serde::{Deserialize, Serialize};
use thinnet_kernels::philox::{self, Counter, Key};

use super::Layer;
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
                let [a, b] = uniform_pair(philox::words(key, counter));
                let pair = match self {
                    Initialise::He => normal_pair(a, b, (2.0 / inputs).sqrt()),
                    Initialise::LeCun => normal_pair(a, b, (1.0 / inputs).sqrt()),
                    Initialise::Paper => normal_pair(a, b, (1.0 / units).sqrt()),
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

/// Two numbers strictly between 0 and 1, of 52 bits each.
fn uniform_pair(words: [u32; 4]) -> [f64; 2] {
    let number = |high: u32, low: u32| {
        let bits = (u64::from(high) << 20) | u64::from(low >> 12);
        (bits as f64 + 0.5) / (1u64 << 52) as f64
    };
    [number(words[0], words[1]), number(words[2], words[3])]
}

/// Two independent normal numbers (Box and Muller 1958).
fn normal_pair(a: f64, b: f64, deviation: f64) -> [f64; 2] {
    let radius = deviation * (-2.0 * libm::log(a)).sqrt();
    let angle = std::f64::consts::TAU * b;
    [radius * libm::cos(angle), radius * libm::sin(angle)]
}
