//! Noise on edges, from the papers' formulas and the documented layout of the random words, one edge
//! and one row at a time.

use thinnet_kernels::philox::{self, Counter, Key};

use super::activation;
use super::loss::{Loss, Target};
use super::real::Real;
use super::{Net, Parameters};

/// The noise of training on edges, and that of Monte Carlo prediction.
pub const TRAINING: u32 = 0x5000_0000;
pub const MONTE_CARLO: u32 = 0x6000_0000;

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
}

/// Keep as the nearest multiple of 2^-16.
pub fn keep(rate: f32) -> f64 {
    1.0 - (f64::from(rate) * 65536.0).round() / 65536.0
}

impl Draw {
    /// A bit that is 1 with probability keep: the binary digits of keep from the lowest that is 1; the
    /// word of each has a stream of its own, 2^16 apart, that of the halves first.
    fn bit(&self, layer: usize, keep: f64, row: usize, block: usize, word: usize, bit: usize) -> bool {
        let drawn = |digit: u32| {
            let stream = self.purpose + layer as u32 + (digit << 16);
            let counter = Counter { block: block as u32, row: row as u32, step: self.step };
            philox::words(Key { seed: self.seed, stream }, counter)[word] >> bit & 1 == 1
        };
        let digits = (keep * 65536.0) as u32;
        let mut value = None;
        for digit in (0..16).rev() {
            let one = digits >> (15 - digit) & 1 == 1;
            value = match value {
                None if one => Some(drawn(digit)),
                None => None,
                Some(value) => Some(if one { value | drawn(digit) } else { value & drawn(digit) }),
            };
        }
        value.unwrap_or(true)
    }

    /// Whether an edge is kept. The biases are the edges of one more unit behind the last.
    fn is_kept(&self, layer: usize, keep: f64, inputs: usize, unit: usize, edge: usize) -> bool {
        let slice_begins = self.position / self.slice * self.slice;
        let in_slice = self.position - slice_begins;
        let shared = |row: usize| {
            let block = unit * inputs.div_ceil(128) + edge / 128;
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

    /// The factors of a layer: 0 for a dropped edge, `scale` for a kept one.
    pub fn factors(&self, layer: usize, rate: f32, units: usize, inputs: usize, scale: Real) -> Noise {
        let keep = keep(rate);
        let factor = |unit: usize, edge: usize| {
            if keep == 1.0 || self.is_kept(layer, keep, inputs, unit, edge) { scale } else { Real::ZERO }
        };
        let unit =
            |unit: usize| (0..inputs).map(|input| factor(unit, input)).chain([factor(units, unit)]).collect();
        Noise::Factors((0..units).map(unit).collect())
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
            let Noise::Factors(factors) = noise;
            let z: Vec<Real> = (0..layer.biases.len())
                .map(|unit| {
                    let (of_bias, of_weights) = factors[unit].split_last().unwrap();
                    let edges = layer.weights[unit].iter().zip(below).zip(of_weights);
                    let sum: Real = edges.map(|((&w, &y), &factor)| y * w * factor).sum();
                    sum + Real::exact(layer.biases[unit]) * *of_bias
                })
                .collect();
            levels.push(z.iter().map(|&z| activation::activate(layer.activation, z)).collect());
            pre.push(z);
        }
        Pass { pre, levels }
    }

    /// Adds the gradients of one row's loss, whose gradient by the outputs is given.
    pub fn edge_backward(&self, pass: &Pass, noise: &[Noise], by_outputs: Vec<Real>, to: &mut Parameters) {
        let mut by_pre = by_outputs;
        for index in (0..self.layers.len()).rev() {
            let (layer, below) = (&self.layers[index], &pass.levels[index]);
            let Noise::Factors(factors) = &noise[index];
            let mut by_input = vec![Real::ZERO; below.len()];
            for (unit, &d) in by_pre.iter().enumerate() {
                let (of_bias, of_weights) = factors[unit].split_last().unwrap();
                to.biases[index][unit] += d * *of_bias;
                for (input, &factor) in of_weights.iter().enumerate() {
                    to.weights[index][unit][input] += d * below[input] * factor;
                    by_input[input] += d * layer.weights[unit][input] * factor;
                }
            }
            if index > 0 {
                let activation = self.layers[index - 1].activation;
                let slope = |unit: usize| activation::derivative(activation, pass.pre[index - 1][unit]);
                by_pre = by_input.into_iter().enumerate().map(|(unit, d)| d * slope(unit)).collect();
            }
        }
    }

    /// The mean loss of a mini-batch, and its gradients.
    pub fn edge_loss_and_gradients(&self, loss: &Loss, rows: &[EdgeRow]) -> (Real, Parameters) {
        let mut gradients = Parameters::zeros(self);
        let share = Real::exact(1.0) / Real::exact(rows.len() as f64);
        let mut total = Real::ZERO;
        for row in rows {
            let pass = self.edge_forward(&row.inputs, &row.noise);
            total += loss.value(pass.outputs(), &row.target) * row.weight;
            let by_outputs = loss.gradient(pass.outputs(), &row.target);
            let by_outputs = by_outputs.into_iter().map(|d| d * share * row.weight).collect();
            self.edge_backward(&pass, &row.noise, by_outputs, &mut gradients);
        }
        (total * share, gradients)
    }
}

/// One row of a mini-batch, and the noise on the edges of each layer.
#[derive(Clone, Debug)]
pub struct EdgeRow {
    pub inputs: Vec<f32>,
    pub target: Target,
    pub weight: f64,
    pub noise: Vec<Noise>,
}
