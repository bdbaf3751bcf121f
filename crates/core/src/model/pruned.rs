//! The lists of a pruned layer: how many weights each unit has left, which inputs they belong to, what
//! they are, and the logarithm of the variance of each one's noise.

use super::file::Tensor;
use crate::network::Network;
use crate::thin::NO_NOISE;

/// The name of the list of how many weights each unit has.
pub(super) const KEPT: &str = "kept";

/// A listed layer has at most so many numbers for each number of its lists, so that a small file cannot
/// ask for much memory.
const MOST_NUMBERS: usize = 1024;

/// Whole numbers up to this have an f32 of their own.
const MOST_INPUTS: usize = 1 << 24;

/// The lists of a layer, by their names, where they are smaller than its weights and their noise.
pub(super) fn lists(
    network: &Network,
    index: usize,
) -> Option<impl Iterator<Item = (&'static str, Vec<f32>)> + use<>> {
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
    let (listed, all) = (kept.len() + 3 * weights.len(), 2 * layer.units * layer.inputs);
    let is_smaller = listed < all && layer.inputs <= MOST_INPUTS && all <= MOST_NUMBERS * listed;
    let biases = network.biases(index).to_vec();
    let lists =
        [(KEPT, kept), ("inputs", inputs), ("weights", weights), ("noise", noise), ("biases", biases)];
    is_smaller.then_some(lists.into_iter())
}

/// Whether so many parameters may come from a file with so many numbers.
pub(super) fn fits(parameters: Option<usize>, numbers: usize) -> bool {
    parameters.is_some_and(|parameters| parameters <= numbers.saturating_mul(MOST_NUMBERS))
}

/// Checks the lengths of the lists of a layer, which `list` finds by their names, before memory is asked for
/// the layer. With the padding of its lines it takes about 1,100 times as many numbers as they have at most.
/// The error is a sentence.
pub(super) fn check<'a>(
    index: usize,
    inputs: usize,
    units: usize,
    list: impl Fn(&'static str) -> Result<&'a Tensor, String>,
) -> Result<(), String> {
    let length = |name| list(name).map(|tensor| tensor.values.len());
    let (kept, weights, biases) = (length(KEPT)?, length("weights")?, length("biases")?);
    if kept != units || length("inputs")? != weights || length("noise")? != weights {
        return Err(damaged(index));
    }
    if biases != units {
        return Err(format!("the pruned layer {index} has {biases} biases, but its network needs {units}"));
    }
    let all = units.checked_mul(inputs).and_then(|weights| weights.checked_mul(2));
    if all.is_none_or(|all| all > MOST_NUMBERS * (kept + 3 * weights)) {
        return Err(format!(
            "the lists of the pruned layer {index} are too short for {units} x {inputs} weights"
        ));
    }
    Ok(())
}

fn damaged(index: usize) -> String {
    format!("the lists of the pruned layer {index} do not fit together")
}

/// Sets a layer from its lists, whose lengths were checked and which `take` gives by their names. The error
/// is a sentence.
pub(super) fn fill(
    network: &mut Network,
    index: usize,
    mut take: impl FnMut(&'static str) -> Result<Tensor, String>,
) -> Result<(), String> {
    let (units, inputs) = (network.layers()[index].units, network.layers()[index].inputs);
    let damaged = || damaged(index);
    let mut list = |name| take(name).map(|tensor| tensor.values);
    let (kept, at, weights, noise, biases) =
        (list(KEPT)?, list("inputs")?, list("weights")?, list("noise")?, list("biases")?);
    let (mut all_weights, mut all_noise) = (vec![0.0; units * inputs], vec![NO_NOISE; units * inputs]);
    let mut next = 0_usize;
    for (unit, &count) in kept.iter().enumerate() {
        let end = whole_number(count).map(|count| next.saturating_add(count)).filter(|&end| end <= at.len());
        let (end, mut least) = (end.ok_or_else(damaged)?, 0);
        for number in next..end {
            let input = whole_number(at[number]).filter(|input| (least..inputs).contains(input));
            let input = input.ok_or_else(damaged)?;
            all_weights[unit * inputs + input] = weights[number];
            all_noise[unit * inputs + input] = noise[number];
            least = input + 1;
        }
        next = end;
    }
    if next < at.len() {
        return Err(damaged());
    }
    network.set_layer(index, &all_weights, &biases).map_err(|error| error.to_string())?;
    network.set_noise(index, &all_noise).map_err(|error| error.to_string())
}

/// The whole number that an f32 holds, if it holds one.
fn whole_number(number: f32) -> Option<usize> {
    (number >= 0.0 && number <= MOST_INPUTS as f32 && number.fract() == 0.0).then_some(number as usize)
}
