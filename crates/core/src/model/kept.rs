//! A model: everything that a run leaves and a prediction needs.

use std::path::Path;

use serde::{Deserialize, Serialize};
use thinnet_kernels::Isa;

use super::file;
use crate::average::{Average, Averaged, Link, average};
use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::network::Network;
use crate::prepare::Pipeline;
use crate::spec::Spec;
use crate::thin::Thinning;
use crate::train::{Ended, Epoch, Loss, Threads};

/// A trained network with the preparation of its inputs, its spec and its history.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What the run was asked to do, with every default filled in.
    pub spec: Spec,
    /// From columns to inputs, and from outputs to classes or values.
    pub pipeline: Pipeline,
    /// The network.
    pub network: Network,
    /// What is known of the run.
    pub run: Run,
}

/// How a model was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Rows trained on.
    pub training_rows: usize,
    /// Rows that chose the epoch.
    pub validation_rows: usize,
    /// Steps done.
    pub steps: u64,
    /// Why the run ended.
    pub ended: Ended,
    /// The epoch whose parameters the model has.
    pub chosen_epoch: u64,
    /// Every epoch.
    pub history: Vec<Epoch>,
    /// For a regression: the standard deviation of the errors on the validation rows, or without
    /// them on the training rows, in standard deviations of the target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub noise: Option<f32>,
}

/// The header of a model file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    spec: Spec,
    pipeline: Pipeline,
    run: Run,
}

impl Model {
    /// Writes a model file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written, [`Error::Model`] if a parameter is not finite.
    pub fn save(&self, path: &Path) -> Result<()> {
        let layers = self.network.layers();
        let parts = layers.iter().enumerate().flat_map(|(index, layer)| {
            let weights =
                (0..layer.units).flat_map(|unit| self.network.unit_weights(index, unit)).copied().collect();
            let (weights_shape, biases) =
                (vec![layer.units, layer.inputs], self.network.biases(index).to_vec());
            [
                (name(index, "weights"), weights_shape, weights),
                (name(index, "biases"), vec![layer.units], biases),
            ]
        });
        let parts: Vec<(String, Vec<usize>, Vec<f32>)> = parts.collect();
        let tensors: Vec<(&str, &[usize], &[f32])> =
            parts.iter().map(|(n, s, v)| (&n[..], &s[..], &v[..])).collect();
        let Self { spec, pipeline, run, .. } = self.clone();
        file::write(path, &Header { spec, pipeline, run }, &tensors)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, [`Error::Model`] with what is wrong with its content.
    pub fn load(path: &Path) -> Result<Self> {
        let refused = |problem: String| Error::Model { path: path.to_owned(), problem };
        let (Header { spec, pipeline, run }, mut tensors) = file::read::<Header>(path)?;
        pipeline.check().map_err(refused)?;
        spec.check().map_err(|error| refused(error.to_string()))?;
        let outputs = match spec.train.loss {
            Some(Loss::BinaryCrossEntropy) => 1,
            _ => pipeline.output_units(),
        };
        // The tensors are in memory already: a network of their sizes is not more than twice that.
        let count: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
        let expected = parameters(pipeline.input_units(), &spec.network.hidden, outputs);
        if expected != Some(count) {
            return Err(refused(format!("its parameters ({count}) are not those of its network")));
        }
        let mut network = Network::zeros(pipeline.input_units(), outputs, &spec.network)?;
        for index in 0..network.layers().len() {
            let mut take = |part| {
                let name = name(index, part);
                tensors.remove(&name).ok_or_else(|| refused(format!("tensor {name:?} is missing")))
            };
            let (weights, biases) = (take("weights")?, take("biases")?);
            let layer = network.layers()[index];
            if weights.shape != [layer.units, layer.inputs] || biases.shape != [layer.units] {
                let problem = format!(
                    "layer {index} has weights {:?} and biases {:?}, but its network needs {:?} and {:?}",
                    weights.shape,
                    biases.shape,
                    [layer.units, layer.inputs],
                    [layer.units]
                );
                return Err(refused(problem));
            }
            network.set_layer(index, &weights.values, &biases.values)?;
        }
        Ok(Self { spec, pipeline, network, run })
    }

    /// Averages the thinned networks on prepared inputs, `[rows, the pipeline's input units]`: the
    /// probabilities of the classes, or standardised values. `seed` draws the sampled networks.
    ///
    /// # Errors
    /// [`Error::Argument`] if the inputs have another width; [`Error::Machine`] if the instruction
    /// set is forced to one that this machine lacks.
    pub fn average(&self, inputs: &Matrix, by: Average, seed: u32, threads: &Threads) -> Result<Averaged> {
        if inputs.columns() != self.network.inputs() {
            let problem =
                format!("{} columns for a network of {} inputs", inputs.columns(), self.network.inputs());
            return Err(Error::argument("inputs", problem));
        }
        let isa = Isa::from_environment().map_err(Error::Machine)?;
        let thinning = Thinning::new(&self.spec.thin, &self.network, seed)?;
        let link = self.link();
        Ok(threads.run(|| average(isa, &self.network, &thinning, link, inputs, by)))
    }

    /// What the outputs of the network stand for.
    pub fn link(&self) -> Link {
        let default = if self.pipeline.classes().is_empty() { Loss::Squared } else { Loss::CrossEntropy };
        Link::of(self.spec.train.loss.unwrap_or(default))
    }
}

fn name(layer: usize, part: &str) -> String {
    format!("layer.{layer}.{part}")
}

/// How many parameters a network has; none if that is more than any memory.
fn parameters(inputs: usize, hidden: &[usize], outputs: usize) -> Option<usize> {
    let widths = [&[inputs], hidden, &[outputs]].concat();
    let layers = widths.windows(2).map(|w| w[0].checked_add(1)?.checked_mul(w[1]));
    layers.sum()
}
