//! What is left of a network whose weights have learned which of them are noise.

use serde::{Deserialize, Serialize};
use thinnet_kernels::elementwise::{self, Units};
use thinnet_kernels::{Isa, edge_noise, line};

use super::edge_noise::PRUNED_ABOVE;
use crate::error::{Error, Result};
use crate::network::{Layer, Learned, Network, NetworkSpec};

/// What pruning left of each layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pruned {
    /// The layers, from the input on.
    pub layers: Vec<PrunedLayer>,
}

/// What pruning left of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrunedLayer {
    /// Weights that the layer had.
    pub weights: usize,
    /// Weights that are left.
    pub kept_weights: usize,
    /// Units that the layer had.
    pub units: usize,
    /// Units that are left: those with weights on both sides.
    pub kept_units: usize,
}

impl Pruned {
    /// How many units each hidden layer has now.
    pub fn hidden(&self) -> Vec<usize> {
        let hidden = self.layers.split_last().map_or(&[][..], |(_, hidden)| hidden);
        hidden.iter().map(|layer| layer.kept_units).collect()
    }

    /// The share of all weights that were pruned.
    pub fn sparsity(&self) -> f64 {
        let sum =
            |of: fn(&PrunedLayer) -> usize| self.layers.iter().map(|layer| of(layer) as f64).sum::<f64>();
        1.0 - sum(|layer| layer.kept_weights) / sum(|layer| layer.weights).max(1.0)
    }
}

impl PrunedLayer {
    /// The share of the layer's weights that were pruned.
    pub fn sparsity(&self) -> f64 {
        1.0 - self.kept_weights as f64 / self.weights.max(1) as f64
    }
}

/// The logarithm of the variance of a weight that is no more: as good as none.
pub(crate) const NO_NOISE: f32 = -100.0;

/// The network without the weights whose noise has a variance above e^3 times their square (Molchanov,
/// Ashukha and Vetrov 2017, section 4.1), and without units that then have no weights on one side. What
/// a unit without incoming weights gives goes into the biases above it. `spec` is that of the network. At
/// least one unit of a layer stays.
///
/// # Errors
/// [`Error::Argument`] if the network has not learned of each weight's noise; as [`Network::zeros`].
pub fn prune(isa: Isa, network: &Network, spec: &NetworkSpec) -> Result<(Network, Pruned)> {
    if network.layers().iter().any(|layer| layer.learned != Learned::Weights) {
        let problem = "it has not learned of each weight's noise, as drop = \"sparse-variational\" does";
        return Err(Error::argument("network", problem));
    }
    let mut layers: Vec<Lines> =
        (0..network.layers().len()).map(|index| Lines::clear(isa, network, index)).collect();
    while (0..layers.len() - 1).any(|index| fold_lonely_units(isa, &mut layers, index)) {}
    let before = network.layers().iter();
    let left = |(before, layer): (&Layer, &Lines)| PrunedLayer {
        weights: before.units * before.inputs,
        kept_weights: layer.weights.iter().flatten().filter(|&&weight| weight != 0.0).count(),
        units: before.units,
        kept_units: layer.weights.len(),
    };
    let pruned = Pruned { layers: before.zip(&layers).map(left).collect() };
    let spec = NetworkSpec { hidden: pruned.hidden(), ..spec.clone() };
    let left = Network::zeros(network.inputs(), network.outputs(), &spec)?;
    let mut left = left.with_noise(Learned::Weights, NO_NOISE)?;
    for (index, Lines { weights, biases, noise, .. }) in layers.iter().enumerate() {
        left.set_layer(index, &weights.concat(), biases)?;
        left.set_noise(index, &noise.concat())?;
    }
    Ok((left, pruned))
}

/// A layer, unit by unit.
struct Lines {
    shape: Layer,
    weights: Vec<Vec<f32>>,
    noise: Vec<Vec<f32>>,
    biases: Vec<f32>,
}

impl Lines {
    /// The layer of a network without weights that are mostly noise.
    fn clear(isa: Isa, network: &Network, index: usize) -> Self {
        let shape = network.layers()[index];
        let mut clear = vec![0.0; network.weights(index).len()];
        edge_noise::copy_clear(isa, PRUNED_ABOVE, network.weights(index), network.noise(index), &mut clear);
        let lines = |of: &[f32]| -> Vec<Vec<f32>> {
            of.chunks_exact(shape.stride).map(|line| line[..shape.inputs].to_vec()).collect()
        };
        let (weights, mut noise) = (lines(&clear), lines(network.noise(index)));
        for (noise, weight) in noise.iter_mut().flatten().zip(weights.iter().flatten()) {
            *noise = if *weight == 0.0 { NO_NOISE } else { *noise };
        }
        Self { shape, weights, noise, biases: network.biases(index).to_vec() }
    }
}

/// Removes a unit of a hidden layer that has no weights on one side; whether there was one.
fn fold_lonely_units(isa: Isa, layers: &mut [Lines], index: usize) -> bool {
    let (below, above) = layers.split_at_mut(index + 1);
    let (layer, above) = (&mut below[index], &mut above[0]);
    if layer.weights.len() == 1 {
        return false;
    }
    let is_lonely = |unit: usize| {
        layer.weights[unit].iter().all(|&weight| weight == 0.0)
            || above.weights.iter().all(|weights| weights[unit] == 0.0)
    };
    let Some(unit) = (0..layer.weights.len()).find(|&unit| is_lonely(unit)) else { return false };
    let bias = layer.biases.remove(unit);
    layer.weights.remove(unit);
    layer.noise.remove(unit);
    let mut given = vec![bias; line(1)];
    let units = Units {
        units: &[0],
        rows: given.len(),
        mask: None,
        scale: 1.0,
        activation: layer.shape.activation.kernel(),
    };
    elementwise::activate(isa, units, &[], &mut given, &mut []);
    for ((weights, noise), bias) in above.weights.iter_mut().zip(&mut above.noise).zip(&mut above.biases) {
        *bias += weights.remove(unit) * given[0];
        noise.remove(unit);
    }
    true
}
