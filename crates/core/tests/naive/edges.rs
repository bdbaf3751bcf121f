//! Noise on edges, from the papers' formulas and the documented layout of the random words, one edge
//! and one row at a time.

use thinnet_kernels::philox::{self, Counter, Key};

use super::activation;
use super::loss::{Loss, Target};
use super::real::{Real, UNIT};
use super::{Layer, Net, Parameters};

/// The noise of training on edges, and that of Monte Carlo prediction.
pub const TRAINING: u32 = 0x5000_0000;
pub const MONTE_CARLO: u32 = 0x7000_0000;

/// Who shares a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    Row,
    Slice,
    Groups(usize),
}

/// From which random words a row's noise comes.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    pub seed: u32,
    pub purpose: u32,
    pub step: u64,
    pub share: Share,
    /// Rows of a slice.
    pub slice: usize,
    /// The row's number in the mini-batch.
    pub position: usize,
}

/// The noise of one layer for one row.
#[derive(Clone, Debug)]
pub enum Noise {
    /// z = sum of factor w y + factor b: for each unit one factor for each input, the last of the bias.
    Factors(Vec<Vec<Real>>),
    /// z = sum of w y + b + s n with s² = alpha (sum of w² y² + b²); a number n for each unit.
    Gaussian { alpha: Real, numbers: Vec<Real> },
    /// The same with s² = sum of e^l y²; an l for each weight.
    Variational { logarithms: Vec<Vec<f64>>, numbers: Vec<Real> },
}

/// The deviation of the engine's normal numbers: sine and cosine are off by at most 3e-7, times a radius
/// of up to 5.8.
const OF_NORMAL: f64 = 1e-6;

/// Keep as the nearest multiple of 2^-16.
pub fn keep(rate: f32) -> f64 {
    1.0 - (f64::from(rate) * 65536.0).round() / 65536.0
}

impl Draw {
    /// Whether a number of 16 binary digits is at least the rate; the word of each digit has a stream of
    /// its own, 2^16 apart, that of the halves first.
    fn bit(&self, layer: usize, keep: f64, row: usize, block: usize, word: usize, bit: usize) -> bool {
        let digit = |digit: u32| {
            let stream = self.purpose + layer as u32 + (digit << 16);
            let counter = Counter { block: block as u32, row: row as u32, step: self.step };
            f64::from(philox::words(Key { seed: self.seed, stream }, counter)[word] >> bit & 1)
        };
        let number: f64 = (0..16).map(|place| digit(place) / 2f64.powi(place as i32 + 1)).sum();
        number >= 1.0 - keep
    }

    /// Whether an edge is kept. The biases are the edges of one more unit behind the last.
    fn is_kept(
        &self,
        layer: usize,
        keep: f64,
        [units, inputs]: [usize; 2],
        unit: usize,
        edge: usize,
    ) -> bool {
        let slice_begins = self.position / self.slice * self.slice;
        let in_slice = self.position - slice_begins;
        let shared = |row: usize| {
            let block = match unit < units {
                true => edge / 128 * units + unit,
                false => inputs.div_ceil(128) * units + edge / 128,
            };
            self.bit(layer, keep, row, block, edge / 32 % 4, edge % 32)
        };
        match self.share {
            Share::Row => {
                let (row, lane) = (slice_begins + in_slice / 64 * 64, in_slice % 64);
                let block = unit * 16 * inputs.div_ceil(32) + edge / 32 * 16 + edge % 16;
                self.bit(layer, keep, row, block, edge / 16 % 2 * 2 + lane / 32, lane % 32)
            }
            Share::Slice => shared(self.position / self.slice),
            Share::Groups(rows) => shared(slice_begins + in_slice / rows * rows),
        }
    }

    /// The normal number of each unit of a layer (Box and Muller 1958), from blocks of four units.
    pub fn numbers(&self, layer: usize, units: usize) -> Vec<Real> {
        let key = Key { seed: self.seed, stream: self.purpose + layer as u32 };
        let number = |unit: usize| {
            let counter = Counter { block: unit as u32 / 4, row: self.position as u32, step: self.step };
            let words = philox::words(key, counter);
            let pair = unit % 4 / 2 * 2;
            let [u, v] = [pair, pair + 1].map(|at| (2.0 * f64::from(words[at] >> 9) + 1.0) / 2f64.powi(24));
            let (radius, angle) = ((-2.0 * u.ln()).sqrt(), std::f64::consts::TAU * v);
            Real::rounded(
                radius * if unit.is_multiple_of(2) { angle.cos() } else { angle.sin() },
                &[OF_NORMAL],
            )
        };
        (0..units).map(number).collect()
    }

    /// The factors of a layer: 0 for a dropped edge, `scale` for a kept one.
    pub fn factors(&self, layer: usize, rate: f32, units: usize, inputs: usize, scale: Real) -> Noise {
        let keep = keep(rate);
        let factor = |unit: usize, edge: usize| {
            if keep == 1.0 || self.is_kept(layer, keep, [units, inputs], unit, edge) {
                scale
            } else {
                Real::ZERO
            }
        };
        let unit =
            |unit: usize| (0..inputs).map(|input| factor(unit, input)).chain([factor(units, unit)]).collect();
        Noise::Factors((0..units).map(unit).collect())
    }
}

impl Noise {
    /// The standard deviation of a unit's pre-activation, and its normal number.
    fn deviation(&self, layer: &Layer, unit: usize, below: &[Real]) -> (Real, Real) {
        let of_weights = |variance: &dyn Fn(usize) -> Real| -> Real {
            below.iter().enumerate().map(|(input, &y)| y * y * variance(input)).sum()
        };
        let weight = |input: usize| Real::exact(layer.weights[unit][input]);
        match self {
            Noise::Gaussian { alpha, numbers } => {
                let bias = Real::exact(layer.biases[unit]);
                let sum = of_weights(&|input| weight(input) * weight(input)) + bias * bias;
                ((*alpha * sum).sqrt(), numbers[unit])
            }
            Noise::Variational { logarithms, numbers } => {
                let sum = of_weights(&|input| Real::exact(logarithms[unit][input]).exp());
                (sum.sqrt(), numbers[unit])
            }
            Noise::Factors(_) => (Real::ZERO, Real::ZERO),
        }
    }
}

/// What a pass computes: level 0 is the input, level l the units of layer l - 1.
#[derive(Debug)]
pub struct Pass {
    pub pre: Vec<Vec<Real>>,
    pub levels: Vec<Vec<Real>>,
}

impl Pass {
    pub fn outputs(&self) -> &[Real] {
        self.levels.last().unwrap()
    }
}

impl Net {
    /// The network on one row, with noise on the edges of each layer.
    pub fn edge_forward(&self, row: &[f32], noise: &[Noise]) -> Pass {
        let mut levels: Vec<Vec<Real>> = vec![row.iter().map(|&x| Real::from(x)).collect()];
        let mut pre = Vec::new();
        for (layer, noise) in self.layers.iter().zip(noise) {
            let below = levels.last().unwrap();
            let z: Vec<Real> = (0..layer.biases.len())
                .map(|unit| {
                    let (weights, bias) = (&layer.weights[unit], Real::exact(layer.biases[unit]));
                    if let Noise::Factors(factors) = noise {
                        let (of_bias, of_weights) = factors[unit].split_last().unwrap();
                        let edges = weights.iter().zip(below).zip(of_weights);
                        let sum: Real = edges.map(|((&w, &y), &factor)| y * w * factor).sum();
                        return sum + bias * *of_bias;
                    }
                    let mean: Real = weights.iter().zip(below).map(|(&w, &y)| y * w).sum();
                    let (deviation, number) = noise.deviation(layer, unit, below);
                    mean + bias + deviation * number
                })
                .collect();
            levels.push(z.iter().map(|&z| activation::activate(layer.activation, z)).collect());
            pre.push(z);
        }
        Pass { pre, levels }
    }

    /// Adds the gradients of one row's loss, whose gradient by the outputs is given.
    /// Those by the learned logarithms go to `to_logarithms`.
    pub fn edge_backward(
        &self,
        pass: &Pass,
        noise: &[Noise],
        by_outputs: Vec<Real>,
        to: &mut Parameters,
        to_logarithms: &mut [Vec<Vec<Real>>],
    ) {
        let mut by_pre = by_outputs;
        for index in (0..self.layers.len()).rev() {
            let (layer, below) = (&self.layers[index], &pass.levels[index]);
            let mut by_input = vec![Real::ZERO; below.len()];
            for (unit, &d) in by_pre.iter().enumerate() {
                let (weights, bias) = (&layer.weights[unit], layer.biases[unit]);
                if let Noise::Factors(factors) = &noise[index] {
                    let (of_bias, of_weights) = factors[unit].split_last().unwrap();
                    to.biases[index][unit] += d * *of_bias;
                    for (input, &factor) in of_weights.iter().enumerate() {
                        to.weights[index][unit][input] += d * below[input] * factor;
                        by_input[input] += d * weights[input] * factor;
                    }
                    continue;
                }
                let (deviation, number) = noise[index].deviation(layer, unit, below);
                // By s², which is 0 only where nothing comes in.
                let by_square =
                    if deviation.value > 1e-14 { d * number / (deviation * 2.0) } else { Real::ZERO };
                to.biases[index][unit] += d;
                for (input, &y) in below.iter().enumerate() {
                    let w = Real::exact(weights[input]);
                    to.weights[index][unit][input] += d * y;
                    let variance = match &noise[index] {
                        Noise::Gaussian { alpha, .. } => {
                            to.weights[index][unit][input] += by_square * *alpha * w * y * y * 2.0;
                            *alpha * w * w
                        }
                        Noise::Variational { logarithms, .. } => {
                            let variance = Real::exact(logarithms[unit][input]).exp();
                            to_logarithms[index][unit][input] += by_square * y * y * variance;
                            variance
                        }
                        Noise::Factors(_) => unreachable!("factors were done"),
                    };
                    by_input[input] += d * w + by_square * variance * y * 2.0;
                }
                if let Noise::Gaussian { alpha, .. } = &noise[index] {
                    to.biases[index][unit] += by_square * *alpha * bias * 2.0;
                }
            }
            if index > 0 {
                let activation = self.layers[index - 1].activation;
                let slope = |unit: usize| activation::derivative(activation, pass.pre[index - 1][unit]);
                by_pre = by_input.into_iter().enumerate().map(|(unit, d)| d * slope(unit)).collect();
            }
        }
    }

    /// The mean loss of a mini-batch, and its gradients by the parameters and by the learned logarithms
    /// of each weight's variance.
    pub fn edge_loss_and_gradients(&self, loss: &Loss, rows: &[EdgeRow]) -> (Real, Parameters, Logarithms) {
        let mut gradients = Parameters::zeros(self);
        let mut of_logarithms = gradients.weights.clone();
        let share = Real::exact(1.0) / Real::exact(rows.len() as f64);
        let mut total = Real::ZERO;
        for row in rows {
            let pass = self.edge_forward(&row.inputs, &row.noise);
            total += loss.value(pass.outputs(), &row.target) * row.weight;
            let by_outputs = loss.gradient(pass.outputs(), &row.target);
            let by_outputs = by_outputs.into_iter().map(|d| d * share * row.weight).collect();
            self.edge_backward(&pass, &row.noise, by_outputs, &mut gradients, &mut of_logarithms);
        }
        (total * share, gradients, of_logarithms)
    }
}

/// One number for each weight: `[layer][unit][input]`.
pub type Logarithms = Vec<Vec<Vec<Real>>>;

/// The divergence of a weight's noise of variance e^l from its prior (Molchanov, Ashukha and Vetrov 2017,
/// equation 14), up to rounding in f64.
pub fn divergence(w: f64, l: f64) -> f64 {
    let ratio = l - (w * w).ln();
    let logistic = 1.0 / (1.0 + (-(1.873_20 + 1.486_95 * ratio)).exp());
    0.635_76 + 0.5 * (-ratio).exp().ln_1p() - 0.635_76 * logistic
}

/// Its derivatives by w and by l.
pub fn divergence_slopes(w: f64, l: f64) -> [Real; 2] {
    let ratio = l - (w * w).ln();
    let logistic = 1.0 / (1.0 + (-(1.873_20 + 1.486_95 * ratio)).exp());
    let (first, second) = (0.635_76 * 1.486_95 * logistic * (1.0 - logistic), 0.5 / (1.0 + ratio.exp()));
    // The ratio is a difference in f32, and so is 1 - logistic.
    let of_ratio = UNIT * (l.abs() + 2.0 * (w * w).ln().abs() + 4.0);
    let errors = [10.0 * UNIT, (1.5 * first + second) * of_ratio + 6.0 * UNIT * second];
    let by_l = Real::rounded(-(first + second), &errors);
    [by_l * Real::rounded(-2.0 / w, &[]), by_l]
}

/// One row of a mini-batch, and the noise on the edges of each layer.
#[derive(Clone, Debug)]
pub struct EdgeRow {
    pub inputs: Vec<f32>,
    pub target: Target,
    pub weight: f64,
    pub noise: Vec<Noise>,
}
