//! The whole network without some units: a thinned network whose mask is chosen, not drawn.

use std::borrow::Cow;

use thinnet_kernels::matmul::{self, Submatrix};
use thinnet_kernels::{Isa, edge_noise};

use super::edge_mask::EdgeNoise;
use super::edge_noise::PRUNED_ABOVE;
use super::forward::submatrix;
use super::{Buffers, PREDICTED_ROWS, Sample, Slice, Thinning};
use crate::network::Network;

/// One slice of rows, run again and again with other units of one hidden level silenced. What
/// stays the same is computed once: the layers below, and what the layer above sums up with
/// all units, from which the silenced ones are taken away.
#[derive(Clone, Debug)]
pub(crate) struct Silencing<'a> {
    network: &'a Network,
    thinning: &'a Thinning,
    level: usize,
    /// The weights of the layer above, those that are pruned being 0.
    weights: Cow<'a, [f32]>,
    /// What the layer above multiplies its sums by.
    scale: f32,
    /// The networks whose mean is the whole one: those of the members where masks are fixed, else it alone.
    parts: Vec<Part>,
    /// What one of them gives, `[rows, outputs]`.
    outputs: Vec<f32>,
}

/// A network at work on the slice.
#[derive(Clone, Debug)]
struct Part {
    sample: Sample,
    slice: Slice,
    /// What the layer above sums up with all units, `[kept units above, padded rows]`.
    sums: Vec<f32>,
    /// Which of its units are silenced now.
    silenced: Vec<u32>,
    /// What takes them away: minus their activations times the scale, `[silenced, padded rows]`.
    negated: Vec<f32>,
}

impl<'a> Silencing<'a> {
    /// Buffers for a hidden level: 1 for the first hidden layer.
    pub fn new(isa: Isa, network: &'a Network, thinning: &'a Thinning, level: usize) -> Self {
        let own = network.weights(level);
        let (weights, scale): (Cow<'a, [f32]>, f32) = match thinning.edges(level, Sample::Whole, 0, 0) {
            Some(EdgeNoise::Pruned) => {
                let mut left = vec![0.0; own.len()];
                edge_noise::copy_clear(isa, PRUNED_ABOVE, own, network.noise(level), &mut left);
                (Cow::Owned(left), 1.0)
            }
            Some(EdgeNoise::Scaled { scale }) => (Cow::Borrowed(own), scale),
            _ => (Cow::Borrowed(own), 1.0),
        };
        let part = |sample: Sample| Part {
            sample,
            slice: Slice::new(isa, network, PREDICTED_ROWS, 0, Buffers::Predict),
            sums: Vec::new(),
            silenced: Vec::new(),
            negated: Vec::new(),
        };
        let parts = match thinning.members() {
            Some(members) => (0..members).map(|number| part(Sample::MonteCarlo { number })).collect(),
            None => vec![part(Sample::Whole)],
        };
        Self { network, thinning, level, weights, scale, parts, outputs: Vec::new() }
    }

    /// Loads up to [`PREDICTED_ROWS`] rows of inputs.
    pub fn load<'r>(&mut self, rows: impl ExactSizeIterator<Item = &'r [f32]> + Clone) {
        let Self { network, thinning, level, ref mut parts, .. } = *self;
        for Part { sample, slice, sums, .. } in parts {
            slice.thin(thinning, *sample, 0);
            slice.load(thinning, rows.clone());
            slice.forward(network, thinning, 0..level);
            slice.sum(network, level);
            let above = &slice.levels[level + 1];
            sums.clear();
            sums.extend_from_slice(&above.units[..above.kept.count() * slice.padded()]);
        }
    }

    /// Writes the outputs of the whole network without some units of the level, `[rows, outputs]`. The units
    /// must be different from each other and below the level's number of units.
    pub fn write_without(&mut self, units: &[u32], to: &mut [f32]) {
        let Self { network, thinning, level, ref weights, scale, ref mut parts, ref mut outputs } = *self;
        let count = parts.len() as f32;
        to.fill(0.0);
        outputs.resize(to.len(), 0.0);
        for Part { slice, sums, silenced, negated, .. } in parts {
            let padded = slice.padded();
            let (below, above) = slice.levels.split_at_mut(level + 1);
            let (below, above) = (&below[level], &mut above[0]);
            above.units[..sums.len()].copy_from_slice(sums);
            silenced.clear();
            negated.clear();
            for &unit in units {
                // One place, or none where the mask of a member has left the unit out.
                for place in below.kept.between(unit as usize, unit as usize + 1) {
                    let activations = &below.units[place * padded..][..padded];
                    silenced.push(unit);
                    negated.extend(activations.iter().map(|value| -scale * value));
                }
            }
            let whole = submatrix(network, level, &below.kept, &above.kept);
            let taken = Submatrix { values: weights, steps: silenced, ..whole };
            matmul::product(slice.isa, taken, negated, padded, padded, &mut above.units, padded, true);
            slice.activate(network, thinning, level);
            slice.forward(network, thinning, level + 1..network.layers().len());
            slice.write_outputs(outputs);
            to.iter_mut().zip(&*outputs).for_each(|(to, output)| *to += output / count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Matrix;
    use crate::network::{Activation, NetworkSpec};
    use crate::thin::{Count, Drop, MaskSpec, Scaling, Share, ThinSpec, outputs};

    /// The logits of one row in f64, with the units of one hidden level that `silenced` names left out.
    fn naive(network: &Network, scale: f64, row: &[f32], level: usize, silenced: &[u32]) -> Vec<f64> {
        let mut values: Vec<f64> = row.iter().map(|&value| f64::from(value)).collect();
        for (index, layer) in network.layers().iter().enumerate() {
            let unit = |unit: usize| {
                let weights = network.unit_weights(index, unit).iter().zip(&values);
                let sum: f64 = weights.map(|(&weight, value)| f64::from(weight) * value).sum();
                sum + f64::from(network.biases(index)[unit])
            };
            let sums: Vec<f64> = (0..layer.units).map(unit).collect();
            let last = index + 1 == network.layers().len();
            values = sums.iter().map(|&z| if last { z } else { scale * z.tanh() }).collect();
            if index + 1 == level {
                silenced.iter().for_each(|&unit| values[unit as usize] = 0.0);
            }
        }
        values
    }

    #[test]
    fn the_outputs_are_those_of_a_naive_network_without_the_units() {
        let spec =
            NetworkSpec { hidden: vec![19, 33, 8], activation: Activation::Tanh, ..NetworkSpec::default() };
        let network = Network::new(5, 3, &spec, 4).unwrap();
        for scaling in [Scaling::Training, Scaling::AtPrediction] {
            let thin = ThinSpec { scaling, ..ThinSpec::default() };
            let scale = if scaling == Scaling::Training { 1.0 } else { 0.75 };
            let thinning = Thinning::new(&thin, &network, 0).unwrap();
            for (level, units) in [(1, 19), (2, 33), (3, 8)] {
                let mut silencing = Silencing::new(Isa::best(), &network, &thinning, level);
                for rows in [64, 7, 20] {
                    let inputs: Vec<f32> = (0..rows * 5).map(|at| (at % 17) as f32 / 8.0 - 1.0).collect();
                    silencing.load(inputs.chunks_exact(5));
                    let all: Vec<u32> = (0..units).collect();
                    for silenced in [&[][..], &[3], &[units - 1, 2], &all[1..units as usize - 1], &all] {
                        let mut outputs = vec![0.0; rows * 3];
                        silencing.write_without(silenced, &mut outputs);
                        for (row, outputs) in inputs.chunks_exact(5).zip(outputs.chunks_exact(3)) {
                            let expected = naive(&network, scale, row, level, silenced);
                            for (&output, expected) in outputs.iter().zip(expected) {
                                let distance = (f64::from(output) - expected).abs();
                                assert!(distance < 1e-5, "level {level} without {silenced:?}: {distance}");
                            }
                        }
                    }
                }
            }
        }
    }

    const ROWS: usize = 20;

    /// Every kind of noise, and every way of sharing and counting masks.
    fn family() -> Vec<ThinSpec> {
        let of = |drop: Drop| ThinSpec { drop, ..ThinSpec::default() };
        let at_prediction = |thin: ThinSpec| ThinSpec { scaling: Scaling::AtPrediction, ..thin };
        let counted = ThinSpec { count: Count::Exact, share: Share::Row, ..ThinSpec::default() };
        let masks = Some(MaskSpec { members: 4, scale: 2.0 });
        vec![
            of(Drop::Units),
            at_prediction(of(Drop::Units)),
            of(Drop::Edges),
            at_prediction(of(Drop::Edges)),
            of(Drop::EdgesGaussian),
            of(Drop::SparseVariational),
            of(Drop::Gaussian),
            of(Drop::Variational),
            of(Drop::Concrete),
            of(Drop::Standout),
            at_prediction(counted),
            ThinSpec { pool: 5, ..ThinSpec::default() },
            ThinSpec { masks, input: 0.25, ..ThinSpec::default() },
        ]
    }

    /// A network with biases; where weights have learned variances, a fifth of them is mostly noise.
    fn network(thin: &ThinSpec) -> Network {
        let spec =
            NetworkSpec { hidden: vec![19, 33, 12], activation: Activation::Tanh, ..NetworkSpec::default() };
        let mut network = thin.with_noise(Network::new(12, 3, &spec, 4).unwrap()).unwrap();
        for index in 0..network.layers().len() {
            let units = network.layers()[index].units;
            let weights = (0..units).flat_map(|unit| network.unit_weights(index, unit).to_vec());
            let weights: Vec<f32> = weights.collect();
            let biases: Vec<f32> = (0..units).map(|unit| 0.4 - 0.1 * (unit % 7) as f32).collect();
            network.set_layer(index, &weights, &biases).unwrap();
            if thin.drop == Drop::SparseVariational {
                let noise = (0..weights.len()).map(|at| if at % 5 == 1 { 5.0 } else { -8.0 });
                network.set_noise(index, &noise.collect::<Vec<f32>>()).unwrap();
            }
        }
        network
    }

    /// The same network, but nothing is made of some units of a level.
    fn cut_off(network: &Network, level: usize, units: &[u32]) -> Network {
        let mut cut = network.clone();
        let weights = (0..network.layers()[level].units).flat_map(|unit| {
            let mut weights = network.unit_weights(level, unit).to_vec();
            units.iter().for_each(|&silenced| weights[silenced as usize] = 0.0);
            weights
        });
        cut.set_layer(level, &weights.collect::<Vec<f32>>(), network.biases(level)).unwrap();
        cut
    }

    fn distance(one: &[f32], other: &[f32]) -> f32 {
        assert_eq!(one.len(), other.len());
        one.iter().zip(other).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
    }

    /// Nothing silenced is what predicts, and silenced units are units whose outgoing weights are 0.
    #[test]
    fn what_is_silenced_is_the_network_that_predicts() {
        let numbers = (0..ROWS * 12).map(|at| ((at * 7) % 23) as f32 / 8.0 - 1.4);
        let inputs = Matrix::new(ROWS, 12, numbers.collect()).unwrap();
        for thin in family() {
            let network = network(&thin);
            let thinning = Thinning::new(&thin, &network, 7).unwrap();
            let predicted = |network: &Network| outputs(Isa::best(), network, &thinning, &inputs).unwrap();
            let whole = predicted(&network);
            for level in 1..=3 {
                let mut silencing = Silencing::new(Isa::best(), &network, &thinning, level);
                silencing.load((0..ROWS).map(|row| inputs.row(row)));
                for silenced in [&[][..], &[4], &[11, 0, 9]] {
                    let mut without = vec![0.0; ROWS * 3];
                    silencing.write_without(silenced, &mut without);
                    let off = distance(&without, predicted(&cut_off(&network, level, silenced)).values());
                    assert!(off < 1e-5, "{thin:?}, level {level} without {silenced:?}: {off}");
                    let change = distance(&without, whole.values());
                    assert!(silenced.is_empty() || change > 1e-3, "{thin:?}, {silenced:?}: {change}");
                }
            }
        }
    }

    #[test]
    fn masks_of_pools_and_of_members_come_back() {
        for thin in family() {
            let network = network(&thin);
            let thinning = Thinning::new(&thin, &network, 7).unwrap();
            assert_eq!(thinning.repeats_masks(), thin.repeats_masks(), "{thin:?}");
        }
    }
}
