//! Noise on units, from the papers' formulas and the documented random words, in f64.

use thinnet::network::Layer;
use thinnet::thin::{Gradient, Slice};
use thinnet_kernels::philox::{self, Counter, Key};

use super::activation;
use super::real::{Real, UNIT};
use super::{Net, dot};

/// The noise on the units of one level.
#[derive(Clone, Debug)]
pub enum Noise {
    None,
    /// N(1, variance), the logarithm of the variance for each unit.
    Gaussian(Vec<f64>),
    /// Relaxed masks; the logarithm of the odds of the rate.
    Concrete(f64),
    /// Kept with the probability logistic(slope z + shift).
    Standout(f64, f64),
    /// Exactly so many are kept, and multiplied by a number.
    Count(usize, f64),
}

/// From which words a level's noise comes.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    pub seed: u32,
    pub purpose: u32,
    pub row: u32,
    pub step: u64,
}

impl Words {
    /// The word of a unit of a level.
    fn of(self, level: usize, unit: usize) -> u32 {
        let key = Key { seed: self.seed, stream: self.purpose + level as u32 };
        let counter = Counter { block: unit as u32 / 4, row: self.row, step: self.step };
        philox::words(key, counter)[unit % 4]
    }

    /// (2k + 1) / 2^24 from the upper 23 bits.
    pub fn uniform(self, level: usize, unit: usize) -> f64 {
        f64::from(2 * (self.of(level, unit) >> 9) + 1) / 2f64.powi(24)
    }

    /// Box and Muller: units 0 and 1 of four have cosine and sine of one pair of words, 2 and 3 of the other.
    pub fn normal(self, level: usize, unit: usize) -> Real {
        let first = unit / 2 * 2;
        let radius = (-2.0 * self.uniform(level, first).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.uniform(level, first + 1);
        let turned = if unit.is_multiple_of(2) { angle.cos() } else { angle.sin() };
        // The kernel's logarithm is right to 1.5 units in the last place, sine and cosine to 3e-7.
        Real::rounded(radius * turned, &[1.5e-7 * radius, 3.0 * UNIT * radius * turned])
    }
}

/// A factor, and its derivative by what is learned of the noise.
#[derive(Clone, Copy, Debug)]
pub struct Factor {
    pub value: Real,
    pub slope: Real,
}

impl Noise {
    /// The factors of the units of a level, whose pre-activations are `pre`, for one row.
    pub fn factors(&self, level: usize, units: usize, words: Words, pre: &[Real]) -> Vec<Factor> {
        let one = Real::exact(1.0);
        let given = |value: Real| Factor { value, slope: Real::ZERO };
        let factor = |unit: usize| match self {
            Noise::None => given(one),
            Noise::Gaussian(logarithms) => {
                let deviation = (0.5 * logarithms[unit]).exp();
                let deviation = Real::rounded(deviation, &[4.0 * UNIT * deviation]);
                let noise = deviation * words.normal(level, unit);
                Factor { value: one + noise, slope: noise * 0.5 }
            }
            Noise::Concrete(logarithm) => {
                let odds = Real::rounded(logarithm.exp(), &[]);
                let u = Real::exact(words.uniform(level, unit));
                let (ratio, rate) = (odds * u / (one - u), odds / (one + odds));
                let square = ratio * ratio;
                let fifth = square * square * ratio;
                let tenth = fifth * fifth;
                let kept = if tenth.value.is_finite() { one / (one + tenth) } else { Real::ZERO };
                let value = kept * (one + odds);
                Factor { value, slope: value * (rate - (one - kept) * 10.0) }
            }
            Noise::Standout(slope, shift) => {
                let keep = self.keep(*slope, *shift, pre[unit]);
                let u = words.uniform(level, unit);
                assert!(keep.is_clear_of(u), "no f32 can tell on which side of {u} {keep:?} is");
                given(if u < keep.value { one } else { Real::ZERO })
            }
            Noise::Count(kept, scale) => {
                let word = words.of(level, unit);
                let larger = (0..units).filter(|&other| words.of(level, other) > word).count();
                given(if larger < *kept { Real::from(*scale as f32) } else { Real::ZERO })
            }
        };
        (0..units).map(factor).collect()
    }

    /// What the factors of a level are on average.
    pub fn means(&self, units: usize, pre: &[Real]) -> Vec<Real> {
        let mean = |unit: usize| match self {
            Noise::Standout(slope, shift) => self.keep(*slope, *shift, pre[unit]),
            _ => Real::exact(1.0),
        };
        (0..units).map(mean).collect()
    }

    fn keep(&self, slope: f64, shift: f64, pre: Real) -> Real {
        let power = (-(pre * slope + Real::from(shift as f32))).exp();
        Real::exact(1.0) / (Real::exact(1.0) + power)
    }

    /// What is learned of it.
    pub fn learned_mut(&mut self) -> Vec<&mut f64> {
        match self {
            Noise::Gaussian(logarithms) => logarithms.iter_mut().collect(),
            Noise::Concrete(logarithm) => vec![logarithm],
            _ => Vec::new(),
        }
    }
}

/// What a noisy pass computes.
#[derive(Debug)]
pub struct NoisyPass {
    pub pre: Vec<Vec<Real>>,
    /// The activations of each level before its noise, and after it.
    clean: Vec<Vec<Real>>,
    noisy: Vec<Vec<Real>>,
    factors: Vec<Vec<Factor>>,
}

impl NoisyPass {
    pub fn outputs(&self) -> &[Real] {
        self.noisy.last().unwrap()
    }
}

/// The gradients of one or more rows.
#[derive(Debug)]
pub struct NoisyGradients {
    /// `weights[layer][unit][input]`
    pub weights: Vec<Vec<Vec<Real>>>,
    /// `biases[layer][unit]`
    pub biases: Vec<Vec<Real>>,
    /// By what is learned of the noise of each level.
    pub learned: Vec<Vec<Real>>,
}

impl NoisyGradients {
    pub fn zeros(net: &Net, noises: &[Noise]) -> Self {
        let zeros = super::Parameters::zeros(net);
        let learned = |noise: &Noise| vec![Real::ZERO; noise.clone().learned_mut().len()];
        Self { weights: zeros.weights, biases: zeros.biases, learned: noises.iter().map(learned).collect() }
    }
}

/// The engine's gradients after a backward pass, by the weights `[units, inputs]`, the biases and what is
/// learned of the noise of a layer.
pub fn gradients_of_engine(slice: &Slice, index: usize, layer: &Layer) -> [Vec<f32>; 3] {
    let positions: Vec<u32> = (0..layer.units.max(slice.rows()) as u32).collect();
    let length = layer.units * layer.stride + 16;
    let (mut compact, mut whole) = (vec![0.0; length], vec![0.0; length]);
    slice.weight_gradients(Gradient {
        layer: index,
        units: 0..layer.units,
        fresh: true,
        weights: &[],
        positions: &positions,
        compact: &mut compact,
        to: &mut whole,
    });
    let lines = whole.chunks(layer.stride).take(layer.units);
    let (mut biases, mut learned) = (vec![0.0; layer.units], vec![0.0; layer.inputs]);
    slice.bias_gradients(index, &[], &mut compact, &mut biases);
    slice.noise_gradients(layer, index, &mut learned);
    [lines.flat_map(|line| &line[..layer.inputs]).copied().collect(), biases, learned]
}

impl Net {
    /// One row through the network whose levels have these noises; the last level has none. Without words
    /// the factors are what they are on average.
    pub fn forward_noisy(&self, row: &[f32], noises: &[Noise], words: Option<Words>) -> NoisyPass {
        let mut pass =
            NoisyPass { pre: Vec::new(), clean: Vec::new(), noisy: Vec::new(), factors: Vec::new() };
        let mut units: Vec<Real> = row.iter().map(|&x| Real::from(x)).collect();
        for level in 0..=self.layers.len() {
            let pre = if level == 0 { &[][..] } else { &pass.pre[level - 1][..] };
            let noise = noises.get(level).unwrap_or(&Noise::None);
            let factors = match words {
                Some(words) => noise.factors(level, units.len(), words, pre),
                None => {
                    let given = |value: Real| Factor { value, slope: Real::ZERO };
                    noise.means(units.len(), pre).into_iter().map(given).collect()
                }
            };
            let noisy: Vec<Real> = units.iter().zip(&factors).map(|(&y, factor)| y * factor.value).collect();
            if let Some(layer) = self.layers.get(level) {
                let pairs = layer.weights.iter().zip(&layer.biases);
                let z: Vec<Real> = pairs.map(|(w, &b)| dot(w, &noisy) + Real::exact(b)).collect();
                let above = z.iter().map(|&z| activation::activate(layer.activation, z)).collect();
                pass.pre.push(z);
                pass.clean.push(std::mem::replace(&mut units, above));
            }
            pass.noisy.push(noisy);
            pass.factors.push(factors);
        }
        pass
    }

    /// Adds the gradients of one row's loss, whose gradient by the outputs is given.
    pub fn backward_noisy(&self, pass: &NoisyPass, by_outputs: Vec<Real>, to: &mut NoisyGradients) {
        let mut by_pre = by_outputs;
        for (index, layer) in self.layers.iter().enumerate().rev() {
            for (unit, &d) in by_pre.iter().enumerate() {
                to.biases[index][unit] += d;
                let gradients = to.weights[index][unit].iter_mut().zip(&pass.noisy[index]);
                gradients.for_each(|(gradient, &y)| *gradient += d * y);
            }
            let by_noisy =
                |unit: usize| -> Real { layer.weights.iter().zip(&by_pre).map(|(w, &d)| d * w[unit]).sum() };
            let by_noisy: Vec<Real> = (0..pass.clean[index].len()).map(by_noisy).collect();
            let learned = &mut to.learned[index];
            for (unit, &d) in by_noisy.iter().enumerate() {
                let gradient = d * pass.clean[index][unit] * pass.factors[index][unit].slope;
                match learned.len() {
                    0 => {}
                    1 => learned[0] += gradient,
                    _ => learned[unit] += gradient,
                }
            }
            if index > 0 {
                let activation = self.layers[index - 1].activation;
                let by_pre_of = |(unit, &d): (usize, &Real)| {
                    d * pass.factors[index][unit].value
                        * activation::derivative(activation, pass.pre[index - 1][unit])
                };
                by_pre = by_noisy.iter().enumerate().map(by_pre_of).collect();
            }
        }
    }
}
