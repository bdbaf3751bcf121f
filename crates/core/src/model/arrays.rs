//! The arrays of a model file, some for each layer of each member: their names, what stands in them, and what
//! is checked before they become a network again.

use std::collections::BTreeMap;

use super::file::Tensor;
use super::members::Member;
use super::{Model, pruned};
use crate::network::{Learned, LearnedLines, Network};

/// The name of an array, its shape and its numbers.
type Array = (String, Vec<usize>, Vec<f32>);

impl Model {
    /// The arrays of all members: of each layer its weights, its biases and the learned numbers of its noise,
    /// or its lists where it is pruned and they are shorter.
    pub(super) fn arrays(&self) -> Vec<Array> {
        let several = self.members.len() > 1;
        let mut arrays: Vec<Array> = Vec::new();
        for Member { number, network, run, .. } in &self.members {
            for (index, layer) in network.layers().iter().enumerate() {
                if let Some(lists) = run.pruned.as_ref().and_then(|_| pruned::lists(network, index)) {
                    let name = |part| name(several.then_some(*number), index, part);
                    arrays.extend(lists.map(|(part, list)| (name(part), vec![list.len()], list)));
                    continue;
                }
                let weights = (0..layer.units).flat_map(|unit| network.unit_weights(index, unit)).copied();
                let name = |part| name(several.then_some(*number), index, part);
                arrays.push((name("weights"), vec![layer.units, layer.inputs], weights.collect()));
                arrays.push((name("biases"), vec![layer.units], network.biases(index).to_vec()));
                let LearnedLines { count, length, stride } = layer.learned_lines();
                if count > 0 {
                    let noise = network.noise(index).chunks_exact(stride).flat_map(|line| &line[..length]);
                    arrays.push((name("noise"), vec![count, length], noise.copied().collect()));
                }
            }
        }
        arrays
    }
}

/// Checks that a network of these widths has the arrays that it needs, before memory is asked for it. The
/// error is a sentence.
pub(super) fn check_layers(
    widths: &[usize],
    learned: Learned,
    is_pruned: bool,
    member: Option<usize>,
    tensors: &BTreeMap<String, Tensor>,
) -> Result<(), String> {
    for (index, pair) in widths.windows(2).enumerate() {
        let (inputs, units) = (pair[0], pair[1]);
        let find = |part: &str| {
            let name = name(member, index, part);
            tensors.get(&name).ok_or_else(|| format!("tensor {name:?} is missing"))
        };
        if is_pruned && find(pruned::KEPT).is_ok() {
            pruned::check(index, inputs, units, find)?;
            continue;
        }
        let (weights, biases) = (find("weights")?, find("biases")?);
        if weights.shape != [units, inputs] || biases.shape != [units] {
            return Err(format!(
                "layer {index} has weights {:?} and biases {:?}, but its network needs {:?} and {:?}",
                weights.shape,
                biases.shape,
                [units, inputs],
                [units]
            ));
        }
        let of_noise = learned.shape(inputs, units);
        if of_noise[0] > 0 {
            let noise = find("noise")?;
            if noise.shape != of_noise {
                return Err(format!(
                    "layer {index} has noise {:?}, but its network needs {of_noise:?}",
                    noise.shape
                ));
            }
        }
    }
    Ok(())
}

/// Takes the parameters of a network, whose arrays were checked, from the tensors. The error is a sentence.
pub(super) fn fill(
    network: &mut Network,
    is_pruned: bool,
    member: Option<usize>,
    tensors: &mut BTreeMap<String, Tensor>,
) -> Result<(), String> {
    for index in 0..network.layers().len() {
        let is_listed = is_pruned && tensors.contains_key(&name(member, index, pruned::KEPT));
        let mut take = |part| {
            let name = name(member, index, part);
            tensors.remove(&name).ok_or_else(|| format!("tensor {name:?} is missing"))
        };
        if is_listed {
            pruned::fill(network, index, take)?;
            continue;
        }
        let (weights, biases) = (take("weights")?, take("biases")?);
        network.set_layer(index, &weights.values, &biases.values).map_err(|error| error.to_string())?;
        if network.layers()[index].learned_lines().count > 0 {
            network.set_noise(index, &take("noise")?.values).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// The name of an array: a member's number stands in front where there are several.
fn name(member: Option<usize>, layer: usize, part: &str) -> String {
    let prefix = member.map_or(String::new(), |number| format!("member.{number}."));
    format!("{prefix}layer.{layer}.{part}")
}

/// How many parameters a network of these widths has; none if that is more than any memory.
pub(super) fn parameters(widths: &[usize], learned: Learned) -> Option<usize> {
    widths.windows(2).try_fold(0_usize, |sum, w| {
        let (weights, biases, noise) = (w[0].checked_mul(w[1])?, w[1], learned.shape(w[0], w[1]));
        let noise = noise[0].checked_mul(noise[1])?;
        sum.checked_add(weights)?.checked_add(biases)?.checked_add(noise)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkSpec;

    /// The lines of a network are padded, which its file is not.
    #[test]
    fn a_network_is_at_most_16_times_as_large_as_its_arrays() {
        for learned in [Learned::Nothing, Learned::Level, Learned::Inputs, Learned::Weights] {
            for hidden in [vec![], vec![1], vec![1, 1, 1], vec![300, 1], vec![256, 17]] {
                for inputs in [1, 2, 16, 17, 256] {
                    let spec = NetworkSpec { hidden: hidden.clone(), ..NetworkSpec::default() };
                    let numbers = parameters(&spec.widths(inputs, 1), learned).unwrap();
                    let network = Network::zeros(inputs, 1, &spec).unwrap().with_noise(learned, 0.0).unwrap();
                    assert!(network.values().len() <= 16 * numbers, "{inputs}, {hidden:?}, {learned:?}");
                }
            }
        }
    }
}
