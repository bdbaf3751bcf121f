//! The whole network without some units: a thinned network whose mask is chosen, not drawn.

use thinnet_kernels::Isa;
use thinnet_kernels::matmul::{self, Submatrix};

use super::forward::submatrix;
use super::{Buffers, PREDICTED_ROWS, Sample, Slice, Thinning};
use crate::network::Network;

/// One slice of rows, run again and again with other units of one hidden level silenced. What
/// stays the same is computed once: the layers below, and what the layer above would add up with
/// all units, from which the silenced ones are taken away.
#[derive(Clone, Debug)]
pub(crate) struct Silencing<'a> {
    network: &'a Network,
    thinning: &'a Thinning,
    level: usize,
    slice: Slice,
    /// The sums of the layer above with all units, `[units above, padded rows]`.
    sums: Vec<f32>,
    /// Minus the activations of the silenced units, `[silenced, padded rows]`.
    negated: Vec<f32>,
}

impl<'a> Silencing<'a> {
    /// Buffers for a hidden level: 1 for the first hidden layer.
    pub fn new(isa: Isa, network: &'a Network, thinning: &'a Thinning, level: usize) -> Self {
        let slice = Slice::new(isa, network, PREDICTED_ROWS, 0, Buffers::Predict);
        Self { network, thinning, level, slice, sums: Vec::new(), negated: Vec::new() }
    }

    /// Loads up to [`PREDICTED_ROWS`] rows of inputs.
    pub fn load<'r>(&mut self, rows: impl ExactSizeIterator<Item = &'r [f32]>) {
        let Self { network, thinning, level, ref mut slice, ref mut sums, .. } = *self;
        slice.thin(thinning, Sample::Whole, 0);
        slice.load(thinning, rows);
        slice.forward(network, thinning, 0..level);
        let padded = slice.padded();
        let (below, above) = (&slice.levels[level], &slice.levels[level + 1]);
        let weights = submatrix(network, level, &below.kept, &above.kept);
        sums.resize(above.kept.count() * padded, 0.0);
        matmul::product(slice.isa, weights, &below.units, padded, padded, sums, padded, false);
    }

    /// The slice with the outputs of the whole network without some units of the level, which
    /// must be different from each other and below the level's number of units.
    pub fn without(&mut self, units: &[u32]) -> &Slice {
        let Self { network, thinning, level, ref mut slice, ref sums, ref mut negated } = *self;
        let padded = slice.padded();
        let (below, above) = slice.levels.split_at_mut(level + 1);
        let (below, above) = (&below[level], &mut above[0]);
        above.units[..sums.len()].copy_from_slice(sums);
        negated.clear();
        for &unit in units {
            negated.extend(below.units[unit as usize * padded..][..padded].iter().map(|value| -value));
        }
        let whole = submatrix(network, level, &below.kept, &above.kept);
        let weights = Submatrix { steps: units, ..whole };
        matmul::product(slice.isa, weights, negated, padded, padded, &mut above.units, padded, true);
        slice.activate(network, thinning, level);
        slice.forward(network, thinning, level + 1..network.layers().len());
        slice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, NetworkSpec};
    use crate::thin::{Scaling, ThinSpec};

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
                        silencing.without(silenced).write_outputs(&mut outputs);
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
}
