//! A model: everything that a run leaves and a prediction needs.

use std::path::Path;

use serde::{Deserialize, Serialize};
use thinnet_kernels::Isa;

use super::{file, pruned};
use crate::average::{Average, Averaged, Link, average};
use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::network::{Learned, Network};
use crate::prepare::Pipeline;
use crate::spec::Spec;
use crate::thin::{self, Pruned, Thinning};
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
    /// What is left of each layer, where weights were pruned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pruned: Option<Pruned>,
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
            let listed = self.run.pruned.as_ref().and_then(|_| pruned::parts(&self.network, index));
            if let Some(mut parts) = listed {
                let biases = self.network.biases(index).to_vec();
                parts.push((name(index, "biases"), vec![layer.units], biases));
                return parts;
            }
            let weights =
                (0..layer.units).flat_map(|unit| self.network.unit_weights(index, unit)).copied().collect();
            let (weights_shape, biases) =
                (vec![layer.units, layer.inputs], self.network.biases(index).to_vec());
            let mut parts = vec![
                (name(index, "weights"), weights_shape, weights),
                (name(index, "biases"), vec![layer.units], biases),
            ];
            let (lines, length, stride) = layer.noise_lines();
            if lines > 0 {
                let noise = self.network.noise(index).chunks_exact(stride);
                let noise = noise.flat_map(|line| &line[..length]).copied().collect();
                parts.push((name(index, "noise"), vec![lines, length], noise));
            }
            parts
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
        let learned = spec.thin.drop.learned().0;
        let mut shape = spec.network.clone();
        if let Some(pruned) = &run.pruned {
            shape.hidden = pruned.hidden();
            let widths = [&[pipeline.input_units()], &shape.hidden[..], &[outputs]].concat();
            if learned != Learned::Weights || shape.hidden.len() != spec.network.hidden.len() {
                return Err(refused("what was pruned is not of its network".into()));
            }
            pruned::check_size(&widths, &tensors).map_err(refused)?;
        } else {
            // The tensors are in memory already: a network of their sizes is not more than twice that.
            let count: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
            let expected = parameters(pipeline.input_units(), &shape.hidden, outputs, learned);
            if expected != Some(count) {
                return Err(refused(format!("its parameters ({count}) are not those of its network")));
            }
        }
        let mut network =
            Network::zeros(pipeline.input_units(), outputs, &shape)?.with_noise(learned, 0.0)?;
        for index in 0..network.layers().len() {
            let layer = network.layers()[index];
            let is_listed = run.pruned.is_some() && tensors.contains_key(&name(index, "kept"));
            if is_listed {
                let shape = (layer.units, layer.inputs);
                let (weights, noise) =
                    pruned::whole(index, shape, &mut tensors, thin::NO_NOISE).map_err(refused)?;
                let biases = tensors.remove(&name(index, "biases"));
                let biases = biases.filter(|biases| biases.shape == [layer.units]);
                let biases =
                    biases.ok_or_else(|| refused(format!("the biases of layer {index} are missing")))?;
                network.set_layer(index, &weights, &biases.values)?;
                network.set_noise(index, &noise)?;
                continue;
            }
            let mut take = |part| {
                let name = name(index, part);
                tensors.remove(&name).ok_or_else(|| refused(format!("tensor {name:?} is missing")))
            };
            let (weights, biases) = (take("weights")?, take("biases")?);
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
            let (lines, length, _) = layer.noise_lines();
            if lines > 0 {
                let noise = take("noise")?;
                if noise.shape != [lines, length] {
                    let problem = format!(
                        "layer {index} has noise {:?}, but its network needs {:?}",
                        noise.shape,
                        [lines, length]
                    );
                    return Err(refused(problem));
                }
                network.set_noise(index, &noise.values)?;
            }
        }
        if run.pruned.is_some() {
            if let Some(name) = tensors.keys().next() {
                return Err(refused(format!("tensor {name:?} belongs to nothing")));
            }
            network.index_sparse();
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
        // Where masks come back, the networks that are sampled are those of the run.
        let seed = if self.spec.thin.repeats_masks() { self.spec.seed } else { seed };
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

pub(super) fn name(layer: usize, part: &str) -> String {
    format!("layer.{layer}.{part}")
}

/// How many parameters a network has; none if that is more than any memory.
fn parameters(inputs: usize, hidden: &[usize], outputs: usize, learned: Learned) -> Option<usize> {
    let widths = [&[inputs], hidden, &[outputs]].concat();
    let layers = widths.windows(2).map(|w| {
        let (weights, biases) = (w[0].checked_mul(w[1])?, w[1]);
        let noise = match learned {
            Learned::Nothing => 0,
            Learned::Level => 1,
            Learned::Inputs => w[0],
            Learned::Weights => weights,
        };
        weights.checked_add(biases)?.checked_add(noise)
    });
    layers.sum()
}

#[cfg(test)]
mod tests {
    use super::super::write::tests::Folder;
    use super::super::{Evaluation, fit};
    use super::*;
    use crate::data::{Data, parse_csv};
    use crate::train::{Flow, TrainSpec};
    use std::fs;

    /// Flowers: two numbers, a text, and one of the given targets.
    fn data(targets: [&str; 3]) -> Data {
        let row = |i: usize| {
            let target = targets[i % 3];
            format!(
                "{},{},{},{target}\n",
                i * 7 % 11,
                (i % 3) as f32 + (i * 5 % 7) as f32 / 10.0,
                ["red", "blue"][i % 2]
            )
        };
        let text: String = (0..40).map(row).collect();
        Data::from(
            parse_csv("flowers", format!("a,b,colour,kind\n{text}").as_bytes(), &Default::default()).unwrap(),
        )
    }

    fn trained(targets: [&str; 3], change: impl Fn(&mut Spec)) -> (Data, Model) {
        let mut spec = Spec {
            train: TrainSpec { epochs: 3, learning_rate: 0.01, ..TrainSpec::default() },
            ..Spec::default()
        };
        spec.network.hidden = vec![7, 5];
        change(&mut spec);
        let data = data(targets);
        let fitted = fit(&data, None, &spec, &Threads::new(1).unwrap(), &mut |_| Flow::Continue).unwrap();
        (data, fitted.model)
    }

    const KINDS: [&str; 3] = ["iris", "rose", "tulip"];
    const NUMBERS: [&str; 3] = ["0.5", "1.25", "7.75"];

    #[test]
    fn a_model_comes_back_as_it_went() {
        let folder = Folder::new("kept");
        let (first, second) = (folder.0.join("first.thinnet"), folder.0.join("second.thinnet"));
        let binary = |spec: &mut Spec| spec.train.loss = Some(Loss::BinaryCrossEntropy);
        let validated = |spec: &mut Spec| spec.data.valid = Some(0.25);
        for (data, model) in [
            trained(KINDS, |_| {}),
            trained(KINDS, validated),
            trained(["yes", "no", "yes"], binary),
            trained(NUMBERS, |spec| spec.network.hidden = vec![]),
        ] {
            model.save(&first).unwrap();
            let loaded = Model::load(&first).unwrap();
            assert!(loaded == model, "{:?}", model.spec);
            loaded.save(&second).unwrap();
            assert!(fs::read(&first).unwrap() == fs::read(&second).unwrap());
            let threads = Threads::new(1).unwrap();
            let measured = |model: &Model| {
                let by = Average::MonteCarlo { samples: 3 };
                serde_json::to_string::<Evaluation>(&model.evaluate(&data, by, 1, &threads).unwrap()).unwrap()
            };
            assert_eq!(measured(&model), measured(&loaded));
        }
    }

    /// Loads a model whose header was changed, and says why that is refused.
    fn refused(change: impl Fn(&mut Model)) -> String {
        let folder = Folder::new(&format!("hostile-{:?}", std::thread::current().id()));
        let (_, mut model) = trained(KINDS, |_| {});
        let path = folder.0.join("a.thinnet");
        model.save(&path).unwrap();
        let (_, tensors) = file::read::<Header>(&path).unwrap();
        let tensors: Vec<(&str, &[usize], &[f32])> =
            tensors.iter().map(|(name, tensor)| (&name[..], &tensor.shape[..], &tensor.values[..])).collect();
        change(&mut model);
        let Model { spec, pipeline, run, .. } = model;
        file::write(&path, &Header { spec, pipeline, run }, &tensors).unwrap();
        Model::load(&path).unwrap_err().to_string()
    }

    #[test]
    fn layers_that_are_not_those_of_the_tensors_are_refused() {
        for hidden in
            [vec![7, 6], vec![7], vec![7, 5, 5], vec![], vec![1 << 40, 5], vec![usize::MAX, usize::MAX]]
        {
            let error = refused(|model| model.spec.network.hidden = hidden.clone());
            assert!(error.contains("are not those of its network"), "{hidden:?}: {error}");
        }
        let error = refused(|model| model.spec.network.hidden = vec![7, 0]);
        assert!(error.contains("layer 2 has no units"), "{error}");
    }

    /// The number of parameters alone does not tell networks apart.
    #[test]
    fn layers_with_the_right_number_of_parameters_but_other_shapes_are_refused() {
        let (_, model) = trained(KINDS, |_| {});
        let (inputs, outputs) = (model.network.inputs(), model.network.outputs());
        let wanted = parameters(inputs, &[7, 5], outputs, Learned::Nothing);
        let same = |&(first, second): &(usize, usize)| {
            (first, second) != (7, 5)
                && parameters(inputs, &[first, second], outputs, Learned::Nothing) == wanted
        };
        let pairs = (1..90).flat_map(|first| (1..90).map(move |second| (first, second)));
        let (first, second) = pairs.into_iter().find(same).unwrap();
        let error = refused(|model| model.spec.network.hidden = vec![first, second]);
        assert!(error.contains("but its network needs"), "{error}");
    }

    #[test]
    fn a_spec_that_cannot_be_used_is_refused() {
        let error = refused(|model| model.spec.thin.input = 1.0);
        assert!(error.contains("thin.input"), "{error}");
        let error = refused(|model| model.spec.train.loss = Some(Loss::BinaryCrossEntropy));
        assert!(error.contains("are not those of its network"), "{error}");
    }

    #[test]
    fn inputs_of_another_width_are_refused() {
        let (_, model) = trained(KINDS, |_| {});
        let inputs = Matrix::zeros(2, model.network.inputs() + 1);
        let error = model.average(&inputs, Average::WeightScaling, 0, &Threads::new(1).unwrap()).unwrap_err();
        assert!(error.to_string().contains("columns for a network of"), "{error}");
    }
}
