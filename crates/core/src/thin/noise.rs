//! Noise on the units of a level: their activations times random factors, and the derivative.
//!
//! Gaussian, variational and concrete dropout, standout, and an exact count of kept units for each row.
//! The units all stay in the buffers; the factors are drawn in registers, and drawn again for the
//! backward pass.

use thinnet_kernels::noise::{self, Draw, Noise, Noisy};
use thinnet_kernels::philox::{self, Counter};
use thinnet_kernels::{elementwise, line};

use super::slice::{Level, Slice, reach};
use super::thinning::odds;
use super::{Buffers, Drop, Sample, Share, Thinning, count};
use crate::network::{Layer, Learned, Network};

/// What a level with noise needs beside its activations.
#[derive(Clone, Debug, Default)]
pub(super) struct NoiseBuffers {
    /// The activations without noise, `[units, rows]`, where the backward pass needs them.
    pub clean: Vec<f32>,
    /// The standard deviation of each unit's noise.
    deviations: Vec<f32>,
    /// The gradient by the learned number of each unit, summed over the rows.
    learned: Vec<f32>,
    /// For each row, the least word of a kept unit.
    thresholds: Vec<u32>,
    words: Vec<u32>,
    scratch: Vec<u32>,
}

impl Slice {
    /// Gives every noisy level its buffers. Only the first call for a thinning asks for memory.
    pub(crate) fn make_room(&mut self, thinning: &Thinning) {
        self.make_edge_room(thinning);
        let (rows, train) = (self.padded_most, self.buffers == Buffers::Train);
        let drop = thinning.drop();
        let learns = matches!(drop, Drop::Variational | Drop::Concrete);
        let last = self.levels.len() - 1;
        for (index, level) in self.levels.iter_mut().enumerate() {
            if index == last || !thinning.is_noisy(index) {
                continue;
            }
            let (units, size) = (level.kept.level(), level.units.len());
            reach(&mut level.pre, drop == Drop::Standout, size);
            reach(&mut level.gradients, train && learns, size);
            // A relu shows by its sign on which side it was; Gaussian noise may turn it.
            let hidden_sign = drop == Drop::Gaussian && index > 0 && level.pre.is_empty();
            let buffers = &mut level.noise;
            reach(&mut buffers.clean, train && (learns || hidden_sign), size);
            reach(&mut buffers.deviations, matches!(drop, Drop::Gaussian | Drop::Variational), line(units));
            reach(&mut buffers.learned, train && learns, line(units));
            let counts = thinning.counts_rows();
            reach(&mut buffers.thresholds, counts, rows);
            reach(&mut buffers.words, counts, units);
            reach(&mut buffers.scratch, counts, units);
        }
    }

    /// Multiplies the activations of a level by its noise, or by the mean of it where that is not 1.
    pub(super) fn multiply_noise(&mut self, network: &Network, thinning: &Thinning, level: usize) {
        if !thinning.is_noisy(level) {
            return;
        }
        let (isa, padded) = (self.isa, self.padded());
        if thinning.drop() == Drop::Standout && self.sample == Sample::Whole {
            let ((slope, shift), Level { kept, units, pre, .. }) =
                (thinning.standout(level), &mut self.levels[level]);
            let length = kept.level() * padded;
            return noise::multiply_by_keep(isa, slope, shift, &pre[..length], &mut units[..length]);
        }
        self.prepare_noise(network, thinning, level);
        let Some(draw) = self.draw(thinning, level) else { return };
        let scale = thinning.scale(level, self.sample);
        let Level { kept, units, pre, noise: buffers, .. } = &mut self.levels[level];
        let NoiseBuffers { clean, deviations, thresholds, .. } = buffers;
        let form = form(network, thinning, level, scale, (deviations, pre, thresholds));
        let noisy = Noisy { units: kept.level(), rows: padded, draw, noise: form };
        noise::multiply(isa, noisy, units, clean);
    }

    /// Turns the gradient by the noisy activations of a level into that by the clean ones, and into that
    /// by what is learned of the noise.
    pub(super) fn differentiate_noise(&mut self, network: &Network, thinning: &Thinning, level: usize) {
        let (isa, padded) = (self.isa, self.padded());
        let Some(draw) = self.draw(thinning, level).filter(|_| thinning.is_noisy(level)) else {
            // Nothing that is learned of noise moves a network without it.
            return self.levels[level].noise.learned.fill(0.0);
        };
        let scale = thinning.scale(level, self.sample);
        let Level { kept, pre, gradients, noise: buffers, .. } = &mut self.levels[level];
        let NoiseBuffers { clean, deviations, learned, thresholds, .. } = buffers;
        let form = form(network, thinning, level, scale, (deviations, pre, thresholds));
        let noisy = Noisy { units: kept.level(), rows: padded, draw, noise: form };
        noise::differentiate(isa, noisy, clean, gradients, learned);
    }

    /// Adds the gradients of the learned numbers of the noise on the inputs of a layer, which has this shape,
    /// to `to`: one number for all of them, or one for each.
    // Hidden as `weight_gradients`.
    #[doc(hidden)]
    pub fn noise_gradients(&self, shape: &Layer, layer: usize, to: &mut [f32]) {
        let Level { kept, noise: NoiseBuffers { learned, .. }, .. } = &self.levels[layer];
        let gradients = &learned[..kept.level().min(learned.len())];
        match shape.learned {
            // Those of weights are with the noise on edges.
            Learned::Nothing | Learned::Weights => {}
            Learned::Level => gradients.iter().for_each(|gradient| to[0] += gradient),
            Learned::Inputs => to.iter_mut().zip(gradients).for_each(|(to, gradient)| *to += gradient),
        }
    }

    /// Writes what the noise of a level needs to know before it is drawn.
    fn prepare_noise(&mut self, network: &Network, thinning: &Thinning, level: usize) {
        let (isa, rows, sample) = (self.isa, self.rows(), self.sample);
        let draw = self.draw(thinning, level);
        let buffers = &mut self.levels[level].noise;
        match (thinning.drop(), draw) {
            (Drop::Gaussian, _) => {
                let variance = odds(thinning.rate_at(level, sample));
                buffers.deviations.fill(variance.sqrt() as f32);
            }
            (Drop::Variational, _) => {
                let halves = buffers.deviations.iter_mut().zip(network.noise(level));
                halves.for_each(|(half, logarithm)| *half = 0.5 * logarithm);
                elementwise::exponential(isa, &mut buffers.deviations);
            }
            (Drop::Units, Some(Draw { key, step, first_row, .. })) => {
                let kept = thinning.kept(level, thinning.rate_at(level, sample));
                let NoiseBuffers { thresholds, words, scratch, .. } = buffers;
                for (row, threshold) in thresholds[..rows].iter_mut().enumerate() {
                    let row = first_row.wrapping_add(row as u32);
                    philox::fill(isa, key, Counter { block: 0, row, step }, words);
                    *threshold = count::threshold(words, kept, scratch);
                }
            }
            _ => {}
        }
    }

    /// From which words the noise of a level is drawn; none in the whole network, which has none.
    fn draw(&self, thinning: &Thinning, level: usize) -> Option<Draw> {
        let (key, step) = thinning.words(level, self.sample)?;
        let shared = thinning.share() == Share::Slice;
        let first_row = if shared { self.number } else { self.first_row };
        Some(Draw { key, step, first_row, shared })
    }
}

/// The noise of a level, from its deviations, its pre-activations and the thresholds of its rows.
fn form<'a>(
    network: &Network,
    thinning: &Thinning,
    level: usize,
    scale: f32,
    (deviations, pre, thresholds): (&'a [f32], &'a [f32], &'a [u32]),
) -> Noise<'a> {
    match thinning.drop() {
        Drop::Gaussian | Drop::Variational => Noise::Gaussian { deviations },
        Drop::Concrete => Noise::Concrete { odds: libm::exp(f64::from(network.noise(level)[0])) as f32 },
        Drop::Standout => {
            let (slope, shift) = thinning.standout(level);
            Noise::Standout { slope, shift, pre }
        }
        _ => Noise::Count { thresholds, scale },
    }
}
