//! The tensors of a pruned layer: of weights that are left, how many each unit has, which inputs they
//! belong to, and what they are.

use std::collections::BTreeMap;

use super::file::Tensor;
use super::kept::name;
use crate::network::Network;

/// A named array, with its shape.
pub(super) type Part = (String, Vec<usize>, Vec<f32>);

/// A listed layer has at most so many weights for each number of its lists, so that a small file cannot
/// ask for much memory.
const MOST_WEIGHTS: usize = 1024;

/// Whole numbers up to this have an f32 of their own.
const MOST_INPUTS: usize = 1 << 24;

/// The lists of a layer, where they are smaller than its weights and their noise.
pub(super) fn parts(network: &Network, index: usize) -> Option<Vec<Part>> {
    let layer = network.layers()[index];
    let (mut kept, mut inputs, mut weights, mut noise) = (vec![], vec![], vec![], vec![]);
    for (unit, logarithms) in network.noise(index).chunks_exact(layer.stride).enumerate() {
        let before = weights.len();
        for (input, &weight) in network.unit_weights(index, unit).iter().enumerate() {
            if weight != 0.0 {
                inputs.push(input as f32);
                weights.push(weight);
                noise.push(logarithms[input]);
            }
        }
        kept.push((weights.len() - before) as f32);
    }
    let (listed, all) = (kept.len() + 3 * weights.len(), layer.units * layer.inputs);
    let fits = listed < 2 * all && layer.inputs <= MOST_INPUTS && all <= MOST_WEIGHTS * listed;
    fits.then(|| {
        let part = |what: &str, values: Vec<f32>| (name(index, what), vec![values.len()], values);
        vec![part("kept", kept), part("inputs", inputs), part("weights", weights), part("noise", noise)]
    })
}

/// Checks that a network with these widths may be made for tensors that hold so many numbers.
pub(super) fn check_size(widths: &[usize], tensors: &BTreeMap<String, Tensor>) -> Result<(), String> {
    let stored: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
    let weights = widths.windows(2).map(|pair| pair[0].checked_mul(pair[1]));
    let weights = weights.sum::<Option<usize>>();
    match weights.zip(stored.checked_mul(MOST_WEIGHTS)) {
        Some((weights, most)) if weights <= most => Ok(()),
        _ => Err(format!("its parameters ({stored}) are not those of its pruned network")),
    }
}

/// The weights, the biases and the noise of a layer of this shape from its lists.
pub(super) fn whole(
    index: usize,
    (units, inputs): (usize, usize),
    tensors: &mut BTreeMap<String, Tensor>,
    no_noise: f32,
) -> Result<(Vec<f32>, Vec<f32>), String> {
    let mut take = |part: &str| {
        let name = name(index, part);
        let tensor = tensors.remove(&name).ok_or_else(|| format!("tensor {name:?} is missing"))?;
        if tensor.shape.len() == 1 { Ok(tensor.values) } else { Err(format!("tensor {name:?} is no list")) }
    };
    let (kept, at, weights, noise) = (take("kept")?, take("inputs")?, take("weights")?, take("noise")?);
    let damaged = || format!("the lists of the pruned layer {index} do not fit together");
    if kept.len() != units || at.len() != weights.len() || noise.len() != weights.len() {
        return Err(damaged());
    }
    let (mut all_weights, mut all_noise) = (vec![0.0; units * inputs], vec![no_noise; units * inputs]);
    let mut next = 0_usize;
    for (unit, &count) in kept.iter().enumerate() {
        let end =
            whole_number(count).and_then(|count| next.checked_add(count)).filter(|&end| end <= at.len());
        let mut least = 0;
        for number in next..end.ok_or_else(damaged)? {
            let input = whole_number(at[number]).filter(|input| (least..inputs).contains(input));
            let input = input.ok_or_else(damaged)?;
            all_weights[unit * inputs + input] = weights[number];
            all_noise[unit * inputs + input] = noise[number];
            least = input + 1;
            next = number + 1;
        }
    }
    if next == at.len() { Ok((all_weights, all_noise)) } else { Err(damaged()) }
}

/// The whole number that an f32 holds, if it holds one.
fn whole_number(number: f32) -> Option<usize> {
    (number >= 0.0 && number <= MOST_INPUTS as f32 && number.fract() == 0.0).then_some(number as usize)
}
