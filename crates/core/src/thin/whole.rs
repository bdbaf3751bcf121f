//! The whole network on many rows.

use rayon::prelude::*;
use thinnet_kernels::Isa;

use super::{Buffers, Sample, Slice, Thinning};
use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::network::Network;

/// How many rows a prediction takes at a time: four vectors of 16.
pub(crate) const PREDICTED_ROWS: usize = 64;

/// The outputs of the whole network (weight scaling), `[rows, outputs]`; logits for a classification.
///
/// Where masks are fixed, a weight between units that no mask keeps together was never trained. The
/// outputs are then the means of those of the members.
///
/// Runs on the threads of the pool it is called from. `inputs` are `[rows, the network's inputs]`.
///
/// # Errors
/// [`Error::Argument`] if the inputs have another width.
pub fn outputs(isa: Isa, network: &Network, thinning: &Thinning, inputs: &Matrix) -> Result<Matrix> {
    let (columns, width) = (inputs.columns(), network.inputs());
    if columns != width {
        return Err(Error::argument("inputs", format!("{columns} columns for a network of {width} inputs")));
    }
    Ok(activations(isa, network, thinning, inputs, network.layers().len()))
}

/// What the units of a level give in the whole network, `[rows, units]`: those of the first hidden
/// layer for level 1, and of the highest level the outputs. Where masks are fixed, a unit gives the mean
/// of what it gives in the members, which is 0 in those that drop it. The inputs must have the network's
/// width.
pub(crate) fn activations(
    isa: Isa,
    network: &Network,
    thinning: &Thinning,
    inputs: &Matrix,
    level: usize,
) -> Matrix {
    let width = network.layers()[level - 1].units;
    let mut activations = Matrix::zeros(inputs.rows(), width);
    let new_slice = || Slice::new(isa, network, PREDICTED_ROWS.min(inputs.rows()), 0, Buffers::Predict);
    let chunks = activations.values_mut().par_chunks_mut(PREDICTED_ROWS * width).enumerate();
    chunks.for_each_init(new_slice, |slice, (chunk, to)| {
        let first = chunk * PREDICTED_ROWS;
        let mut run = |sample: Sample, to: &mut [f32]| {
            slice.thin(thinning, sample, first as u32);
            slice.load(thinning, (first..first + to.len() / width).map(|row| inputs.row(row)));
            slice.forward(network, thinning, 0..level);
            slice.write_level(level, to);
        };
        let Some(members) = thinning.members() else { return run(Sample::Whole, to) };
        let mut member = vec![0.0; to.len()];
        for number in 0..members {
            run(Sample::MonteCarlo { number }, &mut member);
            to.iter_mut().zip(&member).for_each(|(to, output)| *to += output / members as f32);
        }
    });
    activations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, NetworkSpec};
    use crate::thin::{Kept, MaskSpec, ThinSpec};

    /// What the units of a level give in one member on one row, in f64: 0 where they are dropped.
    fn member(network: &Network, thinning: &Thinning, number: u64, row: &[f32], level: usize) -> Vec<f64> {
        let thinned = |level: usize, values: Vec<f64>| -> Vec<f64> {
            let mut kept = Kept::whole(values.len());
            thinning.draw(Isa::best(), level, Sample::MonteCarlo { number }, 0, &mut kept);
            let scale = kept.level() as f64 / kept.count() as f64;
            let unit = |(unit, value): (usize, f64)| {
                if kept.units().contains(&(unit as u32)) { scale * value } else { 0.0 }
            };
            values.into_iter().enumerate().map(unit).collect()
        };
        let mut values = thinned(0, row.iter().map(|&value| f64::from(value)).collect());
        for (index, layer) in network.layers().iter().enumerate().take(level) {
            let unit = |unit: usize| {
                let weights = network.unit_weights(index, unit).iter().zip(&values);
                let sum: f64 = weights.map(|(&weight, value)| f64::from(weight) * value).sum();
                let z = sum + f64::from(network.biases(index)[unit]);
                if index + 1 == network.layers().len() { z } else { z.tanh() }
            };
            let units = (0..layer.units).map(unit).collect();
            values = thinned(index + 1, units);
        }
        values
    }

    /// Two chunks of rows; the input has masks, too.
    #[test]
    fn units_with_fixed_masks_give_the_mean_over_the_members() {
        const MEMBERS: u32 = 3;
        let spec =
            NetworkSpec { hidden: vec![20, 16], activation: Activation::Tanh, ..NetworkSpec::default() };
        let network = Network::new(12, 2, &spec, 1).unwrap();
        let masks = Some(MaskSpec { members: MEMBERS, scale: 2.0 });
        let thin = ThinSpec { masks, input: 0.2, ..ThinSpec::default() };
        let thinning = Thinning::new(&thin, &network, 6).unwrap();
        let inputs = (0..70 * 12).map(|at| (at * 5 % 17) as f32 / 8.0 - 1.0).collect();
        let inputs = Matrix::new(70, 12, inputs).unwrap();
        for (level, units) in [(1, 20), (2, 16), (3, 2)] {
            let found = activations(Isa::best(), &network, &thinning, &inputs, level);
            assert_eq!((found.rows(), found.columns()), (70, units));
            for row in 0..70 {
                let members: Vec<Vec<f64>> = (0..u64::from(MEMBERS))
                    .map(|number| member(&network, &thinning, number, inputs.row(row), level))
                    .collect();
                for (unit, &found) in found.row(row).iter().enumerate() {
                    let mean = members.iter().map(|of| of[unit]).sum::<f64>() / f64::from(MEMBERS);
                    let off = (f64::from(found) - mean).abs();
                    assert!(off < 1e-5, "level {level}, row {row}, unit {unit}: {found}, not {mean}");
                }
            }
        }
    }

    #[test]
    fn inputs_of_another_width_are_refused() {
        let network = Network::zeros(3, 1, &NetworkSpec::default()).unwrap();
        let thinning = Thinning::new(&ThinSpec::default(), &network, 0).unwrap();
        for columns in [2, 4] {
            let inputs = Matrix::zeros(5, columns);
            let error = outputs(Isa::best(), &network, &thinning, &inputs).unwrap_err().to_string();
            assert_eq!(error, format!("inputs: {columns} columns for a network of 3 inputs"));
        }
    }
}
