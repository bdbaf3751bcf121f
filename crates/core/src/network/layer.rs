//! A network: its layers, and all its parameters in one run of memory.

use thinnet_kernels::sparse::Sparse;
use thinnet_kernels::{line, memory, stride};

use super::{Activation, NetworkSpec};
use crate::error::{Error, Result};

/// Which numbers of its noise a network learns beside its weights. They belong to the layer whose
/// inputs or weights the noise acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Learned {
    /// None: the noise is given.
    #[default]
    Nothing,
    /// One number for all inputs of a layer.
    Level,
    /// One number for each input.
    Inputs,
    /// One number for each weight.
    Weights,
}

impl Learned {
    /// The shape of the learned numbers of a layer: how many lines there are, and how many numbers each
    /// holds.
    pub(crate) fn shape(self, inputs: usize, units: usize) -> [usize; 2] {
        match self {
            Learned::Nothing => [0, 0],
            Learned::Level => [1, 1],
            Learned::Inputs => [1, inputs],
            Learned::Weights => [units, inputs],
        }
    }
}

/// How the learned numbers of a layer's noise stand in the network's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LearnedLines {
    /// How many lines there are.
    pub count: usize,
    /// How many numbers each holds.
    pub length: usize,
    /// The distance between two lines; 0 where there are none.
    pub stride: usize,
}

/// A list of the weights that are not 0 is faster than all of them if there are so many times fewer.
const WORTH_LISTING: usize = 2;

/// One layer: a line of weights for each unit, and a bias for each unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// How many numbers come in.
    pub inputs: usize,
    /// How many units there are, and numbers go out.
    pub units: usize,
    /// The distance between the lines of two units.
    pub stride: usize,
    /// What the units do.
    pub activation: Activation,
    /// Where the weights begin in the network's values, `[units, stride]`.
    pub(crate) weights_at: usize,
    /// Where the biases begin, one for each unit.
    pub(crate) biases_at: usize,
    /// Which numbers of the noise are learned.
    pub(crate) learned: Learned,
}

impl Layer {
    /// Where the learned numbers of the noise begin.
    pub(crate) fn noise_at(&self) -> usize {
        self.biases_at + line(self.units)
    }

    /// The lines of the learned numbers of the noise.
    pub(crate) fn learned_lines(&self) -> LearnedLines {
        let [count, length] = self.learned.shape(self.inputs, self.units);
        let stride = if self.learned == Learned::Weights { self.stride } else { line(length) };
        LearnedLines { count, length, stride }
    }

    /// Where the layer's parameters end.
    fn end(&self) -> usize {
        let LearnedLines { count, stride, .. } = self.learned_lines();
        self.noise_at() + count * stride
    }
}

/// A fully connected network. The last layer's units give logits or values as they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    layers: Vec<Layer>,
    values: Vec<f32>,
    /// The weights of layers most of whose weights are 0, once they are [indexed](Network::index_sparse).
    sparse: Vec<Option<Sparse>>,
}

impl Network {
    /// A network with weights drawn from the seed.
    ///
    /// # Errors
    /// [`Error::Spec`] if a layer has no units or more weights than memory can hold.
    pub fn new(inputs: usize, outputs: usize, spec: &NetworkSpec, seed: u32) -> Result<Self> {
        let mut network = Self::zeros(inputs, outputs, spec)?;
        for (index, layer) in network.layers.clone().iter().enumerate() {
            let values = &mut network.values[layer.weights_at..][..layer.units * layer.stride];
            spec.initialise.draw(seed, index, layer, values);
        }
        Ok(network)
    }

    /// A network whose parameters are all 0.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn zeros(inputs: usize, outputs: usize, spec: &NetworkSpec) -> Result<Self> {
        spec.check()?;
        if inputs == 0 || outputs == 0 {
            return Err(Error::argument(
                "network",
                format!("{inputs} inputs and {outputs} outputs are too few"),
            ));
        }
        let mut layers: Vec<Layer> = Vec::new();
        let widths = spec.hidden.iter().map(|&units| (units, spec.activation));
        for (units, activation) in widths.chain([(outputs, Activation::Identity)]) {
            let inputs = layers.last().map_or(inputs, |below| below.units);
            let weights_at = layers.last().map_or(0, Layer::end);
            // The kernels count positions within a layer in 32 bits.
            let weights = stride(inputs).checked_mul(units).filter(|&weights| u32::try_from(weights).is_ok());
            let Some(weights) = weights else {
                let problem = format!("{units} units with {inputs} inputs each are too many for one layer");
                return Err(Error::spec("network.hidden", problem));
            };
            let biases_at = weights_at + weights;
            layers.push(Layer {
                inputs,
                units,
                stride: stride(inputs),
                activation,
                weights_at,
                biases_at,
                learned: Learned::Nothing,
            });
        }
        let values = zeros(&layers)?;
        Ok(Self { layers, values, sparse: Vec::new() })
    }

    /// The same network with room for learned numbers of the noise, all `first`.
    ///
    /// # Errors
    /// [`Error::Spec`] if it does not fit into memory.
    pub fn with_noise(self, learned: Learned, first: f32) -> Result<Self> {
        let (mut layers, mut at) = (self.layers.clone(), 0);
        for layer in &mut layers {
            let weights = layer.biases_at - layer.weights_at;
            *layer = Layer { weights_at: at, biases_at: at + weights, learned, ..*layer };
            at = layer.end();
        }
        let mut network = Self { values: zeros(&layers)?, layers, sparse: Vec::new() };
        for (layer, from) in network.layers.iter().zip(&self.layers) {
            let length = layer.noise_at() - layer.weights_at;
            network.values[layer.weights_at..][..length]
                .copy_from_slice(&self.values[from.weights_at..][..length]);
            let LearnedLines { length, stride, .. } = layer.learned_lines();
            for line in network.values[layer.noise_at()..layer.end()].chunks_exact_mut(stride.max(1)) {
                line[..length].fill(first);
            }
        }
        Ok(network)
    }

    /// The layers, from the input on.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// How many numbers a row has.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// How many numbers the network gives for a row.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.units)
    }

    /// How many weights and biases there are.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| (layer.inputs + 1) * layer.units).sum()
    }

    /// The weights of a layer, `[units, stride]`; the first `inputs` of each line count.
    pub fn weights(&self, layer: usize) -> &[f32] {
        let layer = &self.layers[layer];
        &self.values[layer.weights_at..layer.biases_at]
    }

    /// The weights of one unit, one for each input.
    pub fn unit_weights(&self, layer: usize, unit: usize) -> &[f32] {
        let shape = &self.layers[layer];
        &self.weights(layer)[unit * shape.stride..][..shape.inputs]
    }

    /// The biases of a layer, one for each unit.
    pub fn biases(&self, layer: usize) -> &[f32] {
        let layer = &self.layers[layer];
        &self.values[layer.biases_at..][..layer.units]
    }

    /// The biases of a layer and the zeros that pad them to whole vectors.
    pub(crate) fn padded_biases(&self, layer: usize) -> &[f32] {
        let layer = &self.layers[layer];
        &self.values[layer.biases_at..layer.noise_at()]
    }

    /// Lists the weights that are not 0 of layers where a product with the list is faster; for prediction,
    /// once the weights stay as they are.
    pub(crate) fn index_sparse(&mut self) {
        let index = |(number, layer): (usize, &Layer)| {
            let sparse = Sparse::of(self.weights(number), layer.stride, layer.inputs);
            (sparse.values.len() * WORTH_LISTING <= layer.inputs * layer.units).then_some(sparse)
        };
        self.sparse = self.layers.iter().enumerate().map(index).collect();
    }

    /// The list of a layer's weights, where one was made.
    pub(crate) fn sparse(&self, layer: usize) -> Option<&Sparse> {
        self.sparse.get(layer).and_then(Option::as_ref)
    }

    /// The learned numbers of the noise of a layer, in padded lines: one number, one for each input,
    /// or `[units, stride]`; empty where none is learned.
    pub fn noise(&self, layer: usize) -> &[f32] {
        let layer = &self.layers[layer];
        &self.values[layer.noise_at()..layer.end()]
    }

    /// Sets the learned numbers of the noise of a layer, without gaps.
    ///
    /// # Errors
    /// [`Error::Argument`] if their number does not fit.
    pub fn set_noise(&mut self, layer: usize, noise: &[f32]) -> Result<()> {
        let shape = self.layers[layer];
        let LearnedLines { count, length, stride } = shape.learned_lines();
        if noise.len() != count * length {
            let problem =
                format!("layer {layer} learns {} numbers of its noise, not {}", count * length, noise.len());
            return Err(Error::argument("parameters", problem));
        }
        let to = &mut self.values[shape.noise_at()..shape.end()];
        for (line, from) in to.chunks_exact_mut(stride.max(1)).zip(noise.chunks_exact(length.max(1))) {
            line[..length].copy_from_slice(from);
        }
        Ok(())
    }

    /// Sets the parameters of a layer: weights `[units, inputs]` without gaps, and biases.
    ///
    /// # Errors
    /// [`Error::Argument`] if a length does not fit.
    pub fn set_layer(&mut self, layer: usize, weights: &[f32], biases: &[f32]) -> Result<()> {
        let shape = self.layers[layer];
        if weights.len() != shape.units * shape.inputs || biases.len() != shape.units {
            let problem = format!(
                "layer {layer} has {} x {} weights and {} biases, not {} and {}",
                shape.units,
                shape.inputs,
                shape.units,
                weights.len(),
                biases.len()
            );
            return Err(Error::argument("parameters", problem));
        }
        self.sparse.clear();
        let (lines, to_biases) =
            self.values[shape.weights_at..shape.noise_at()].split_at_mut(shape.units * shape.stride);
        for (line, weights) in lines.chunks_exact_mut(shape.stride).zip(weights.chunks_exact(shape.inputs)) {
            line[..shape.inputs].copy_from_slice(weights);
        }
        to_biases[..shape.units].copy_from_slice(biases);
        Ok(())
    }

    /// All parameters: for each layer its lines of weights, its biases, and the learned numbers of its
    /// noise, padded with zeros.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// The layers, and [`Network::values`] to write to. The padding must stay 0.
    pub(crate) fn shape_and_values_mut(&mut self) -> (&[Layer], &mut [f32]) {
        self.sparse.clear();
        (&self.layers, &mut self.values)
    }

    /// As [`Network::values`], to write to. The padding must stay 0.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        self.sparse.clear();
        &mut self.values
    }
}

/// Room for all parameters of some layers.
fn zeros(layers: &[Layer]) -> Result<Vec<f32>> {
    let count = layers.last().map_or(0, Layer::end);
    memory::zeros(count).map_err(|_| {
        Error::spec("network.hidden", format!("{count} parameters do not fit into this machine's memory"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learned_noise_leaves_weights_and_biases_as_they_are() {
        let spec = NetworkSpec { hidden: vec![7], ..Default::default() };
        let plain = Network::new(5, 2, &spec, 3).unwrap();
        for (learned, counts) in [
            (Learned::Nothing, [0, 0]),
            (Learned::Level, [1, 1]),
            (Learned::Inputs, [5, 7]),
            (Learned::Weights, [35, 14]),
        ] {
            let mut network = plain.clone().with_noise(learned, -2.0).unwrap();
            for (layer, expected) in counts.into_iter().enumerate() {
                assert_eq!(network.weights(layer), plain.weights(layer));
                assert_eq!(network.biases(layer), plain.biases(layer));
                let count = |value: f32| network.noise(layer).iter().filter(|&&noise| noise == value).count();
                assert_eq!((count(-2.0), count(0.0)), (expected, network.noise(layer).len() - expected));
                let noise: Vec<f32> = (1..=expected).map(|number| number as f32).collect();
                network.set_noise(layer, &noise).unwrap();
                assert_eq!(
                    network.noise(layer).iter().copied().filter(|&noise| noise != 0.0).collect::<Vec<_>>(),
                    noise
                );
                assert!(network.set_noise(layer, &[1.0; 3]).is_err());
                assert_eq!(network.weights(layer), plain.weights(layer));
            }
        }
    }

    #[test]
    fn drawn_weights_have_the_variance_of_their_distribution() {
        use crate::network::Initialise::{Glorot, He, LeCun, Paper};
        let variance = |initialise| {
            let spec = NetworkSpec { hidden: vec![400], initialise, ..Default::default() };
            let network = Network::new(300, 2, &spec, 5).unwrap();
            let weights: Vec<f64> =
                (0..400).flat_map(|u| network.unit_weights(0, u)).map(|&w| f64::from(w)).collect();
            weights.iter().map(|w| w * w).sum::<f64>() / weights.len() as f64
        };
        // 120,000 draws: the variance of a normal sample is known to sqrt(2 / 120,000) = 0.4 %.
        for (initialise, expected) in
            [(He, 2.0 / 300.0), (LeCun, 1.0 / 300.0), (Paper, 1.0 / 400.0), (Glorot, 2.0 / 700.0)]
        {
            let measured = variance(initialise);
            assert!((measured / expected - 1.0).abs() < 0.016, "{initialise:?}: {measured} for {expected}");
        }
    }

    #[test]
    fn the_padding_of_lines_is_zero() {
        let spec = NetworkSpec { hidden: vec![3], ..Default::default() };
        let network = Network::new(5, 2, &spec, 0).unwrap();
        let line = &network.weights(0)[..network.layers()[0].stride];
        assert!(line[..5].iter().all(|&w| w != 0.0) && line[5..].iter().all(|&w| w == 0.0));
        assert_eq!(network.parameters(), 5 * 3 + 3 + 3 * 2 + 2);
    }

    #[test]
    fn a_layer_without_units_is_refused() {
        let spec = NetworkSpec { hidden: vec![3, 0], ..Default::default() };
        assert!(Network::new(5, 2, &spec, 0).is_err_and(|e| e.to_string().contains("layer 2 has no units")));
    }
}
