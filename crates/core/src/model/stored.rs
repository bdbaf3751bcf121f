//! How a model goes into its file, and comes back. Where the histories of its members have more than
//! 100,000 epochs together, the file has an evenly spaced part of each, with its first, its chosen and its
//! last epoch.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::arrays::{check_layers, fill, parameters};
use super::file::{self, Tensor};
use super::members::Member;
use super::{Model, Run, pruned};
use crate::error::{Error, Result};
use crate::network::{Learned, Network, NetworkSpec};
use crate::prepare::Pipeline;
use crate::spec::Spec;
use crate::train::Epoch;

/// The most epochs that the histories in a file have together: some 20 MB of its header.
const MOST_EPOCHS: usize = 100_000;

/// The header of a model file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    spec: Spec,
    pipeline: Pipeline,
    /// Of the only network of a file of format 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    run: Option<Run>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    members: Vec<StoredMember>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    noise: Option<f32>,
    /// Of all columns, as earlier versions took it; it is passed over.
    #[serde(skip_serializing, default, rename = "fingerprint")]
    _of_all_columns: IgnoredAny,
    #[serde(skip_serializing_if = "Option::is_none", default, rename = "rows")]
    fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default, rename = "valid_rows")]
    valid_fingerprint: Option<String>,
}

/// What the header has of a member.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredMember {
    number: usize,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    inputs: Option<Vec<usize>>,
    run: Run,
}

impl Model {
    /// Writes a model file, whole or not at all. Of histories of more than 100,000 epochs together it has an
    /// evenly spaced part of each, with its first, its chosen and its last epoch.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written, [`Error::Model`] if a parameter is not finite.
    pub fn save(&self, path: &Path) -> Result<()> {
        let arrays = self.arrays();
        let tensors: Vec<(&str, &[usize], &[f32])> =
            arrays.iter().map(|(name, shape, values)| (&name[..], &shape[..], &values[..])).collect();
        file::write(path, &self.header(), &tensors)
    }

    fn header(&self) -> Header {
        let every = every(&self.members);
        let stored = |Member { number, inputs, run, .. }: &Member| StoredMember {
            number: *number,
            inputs: inputs.clone(),
            run: thinned(run, every),
        };
        Header {
            spec: self.spec.clone(),
            pipeline: self.pipeline.clone(),
            run: None,
            members: self.members.iter().map(stored).collect(),
            noise: self.noise,
            _of_all_columns: IgnoredAny,
            fingerprint: self.fingerprint.clone(),
            valid_fingerprint: self.valid_fingerprint.clone(),
        }
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, [`Error::Model`] with what is wrong with its content.
    pub fn load(path: &Path) -> Result<Self> {
        let (header, tensors) = file::read::<Header>(path)?;
        header.model(tensors).map_err(|problem| Error::Model { path: path.to_owned(), problem })
    }
}

impl Header {
    /// The model with these tensors. Both are hostile until they are checked. The error is a sentence.
    fn model(self, mut tensors: BTreeMap<String, Tensor>) -> std::result::Result<Model, String> {
        let Header { spec, pipeline, run, mut members, mut noise, fingerprint, valid_fingerprint, .. } = self;
        pipeline.check()?;
        spec.check().map_err(|error| error.to_string())?;
        if let (Some(run), true) = (run, members.is_empty()) {
            noise = run.noise;
            members.push(StoredMember { number: 0, inputs: None, run });
        }
        check_members(&members, &spec, pipeline.input_units())?;
        let wanted = Wanted::new(&spec, &pipeline, members.len());
        wanted.check_sizes(&members, &tensors)?;
        let members = wanted.members_from(members, &mut tensors)?;
        match tensors.keys().next() {
            Some(name) => Err(format!("tensor {name:?} belongs to nothing")),
            None => Ok(Model { spec, pipeline, members, noise, fingerprint, valid_fingerprint }),
        }
    }
}

/// The networks that a file must have by its header.
struct Wanted<'a> {
    spec: &'a Spec,
    /// How many inputs there are, of which a member sees some.
    inputs: usize,
    outputs: usize,
    /// Which numbers of the noise are learned.
    learned: Learned,
    /// Whether there are several members.
    several: bool,
}

impl<'a> Wanted<'a> {
    fn new(spec: &'a Spec, pipeline: &Pipeline, members: usize) -> Self {
        let outputs = spec.train.outputs(pipeline.output_units());
        let learned = spec.thin.drop.learned();
        Self { spec, inputs: pipeline.input_units(), outputs, learned, several: members > 1 }
    }

    /// How many inputs a member sees.
    fn inputs(&self, member: &StoredMember) -> usize {
        member.inputs.as_ref().map_or(self.inputs, Vec::len)
    }

    /// The network of a member, with the units that pruning left.
    fn network(&self, member: &StoredMember) -> NetworkSpec {
        let mut network = self.spec.ensemble.network(&self.spec.network, member.number);
        if let Some(pruned) = &member.run.pruned {
            network.hidden = pruned.hidden();
        }
        network
    }

    /// As [`NetworkSpec::widths`].
    fn widths(&self, member: &StoredMember) -> Vec<usize> {
        self.network(member).widths(self.inputs(member), self.outputs)
    }

    /// The number of a member as it stands in the names of its arrays, if it does.
    fn named(&self, member: &StoredMember) -> Option<usize> {
        self.several.then_some(member.number)
    }

    /// Checks that the tensors are as large as the networks need, before memory is asked for these. The error
    /// is a sentence.
    fn check_sizes(
        &self,
        members: &[StoredMember],
        tensors: &BTreeMap<String, Tensor>,
    ) -> std::result::Result<(), String> {
        let count: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
        let expected = members.iter().try_fold(0_usize, |sum, member| {
            sum.checked_add(parameters(&self.widths(member), self.learned)?)
        });
        let is_pruned = members.iter().any(|member| member.run.pruned.is_some());
        let fits = if is_pruned { pruned::fits(expected, count) } else { expected == Some(count) };
        let as_deep = |member: &StoredMember| {
            let unpruned = self.spec.ensemble.network(&self.spec.network, member.number);
            self.network(member).hidden.len() == unpruned.hidden.len()
        };
        if !fits || is_pruned && !(self.learned == Learned::Weights && members.iter().all(as_deep)) {
            return Err(format!("its parameters ({count}) are not those of its network"));
        }
        // The tensors are in memory already. A network is at most 16 times as large as its arrays, because of
        // its padding; where its layers are listed, `pruned::check` has the limit.
        for member in members {
            let (number, is_pruned) = (self.named(member), member.run.pruned.is_some());
            check_layers(&self.widths(member), self.learned, is_pruned, number, tensors)?;
        }
        Ok(())
    }

    /// The members, whose sizes were checked, with parameters from the tensors. The error is a sentence.
    fn members_from(
        &self,
        members: Vec<StoredMember>,
        tensors: &mut BTreeMap<String, Tensor>,
    ) -> std::result::Result<Vec<Member>, String> {
        let member = |stored: StoredMember| {
            let network = Network::zeros(self.inputs(&stored), self.outputs, &self.network(&stored));
            let network = network.and_then(|network| network.with_noise(self.learned, 0.0));
            let mut network = network.map_err(|error| error.to_string())?;
            let is_pruned = stored.run.pruned.is_some();
            fill(&mut network, is_pruned, self.named(&stored), tensors)?;
            if is_pruned {
                network.index_sparse();
            }
            let StoredMember { number, inputs, run } = stored;
            Ok(Member { number, inputs, network, run })
        };
        members.into_iter().map(member).collect()
    }
}

/// Checks which members a file says it has, and which of so many inputs they see.
fn check_members(members: &[StoredMember], spec: &Spec, inputs: usize) -> std::result::Result<(), String> {
    let ascending = |numbers: &[usize], limit: usize| {
        numbers.windows(2).all(|pair| pair[0] < pair[1]) && numbers.last().is_some_and(|&last| last < limit)
    };
    let numbers: Vec<usize> = members.iter().map(|member| member.number).collect();
    if !ascending(&numbers, spec.ensemble.members) {
        return Err(format!("its members do not fit the {} of its spec", spec.ensemble.members));
    }
    let mut temperatures = members.iter().map(|member| member.run.temperature);
    if let Some(temperature) =
        temperatures.find(|&temperature| !(temperature > 0.0 && temperature.is_finite()))
    {
        return Err(format!("its temperature is {temperature}, and must be above 0"));
    }
    let astray = |member: &&StoredMember| member.inputs.as_ref().is_some_and(|seen| !ascending(seen, inputs));
    match members.iter().find(astray) {
        None => Ok(()),
        Some(member) => Err(format!("member {} sees inputs that are not there", member.number)),
    }
}

/// Every how many epochs of a history one goes into a file, so that there are [`MOST_EPOCHS`] at most, with
/// three of each member that always do: the first, the chosen and the last one.
fn every(members: &[Member]) -> usize {
    let all: usize = members.iter().map(|member| member.run.history.len()).sum();
    match all <= MOST_EPOCHS {
        true => 1,
        false => all.div_ceil(MOST_EPOCHS.saturating_sub(3 * members.len()).max(1)),
    }
}

/// A run with one of every so many epochs of its history.
fn thinned(run: &Run, every: usize) -> Run {
    let last = run.history.len().saturating_sub(1);
    let is_kept = |(at, epoch): &(usize, &Epoch)| {
        at.is_multiple_of(every) || *at == last || epoch.epoch == run.chosen_epoch
    };
    let history = run.history.iter().enumerate().filter(is_kept).map(|(_, epoch)| *epoch).collect();
    Run { history, ..run.clone() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::write::tests::Folder;
    use super::super::{Evaluation, Known, fit};
    use super::*;
    use crate::average::Average;
    use crate::data::{Data, parse_csv};
    use crate::thin::{Drop, ThinSpec};
    use crate::train::{Flow, Loss, Threads, TrainSpec};
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

    pub fn trained(targets: [&str; 3], change: impl Fn(&mut Spec)) -> (Data, Model) {
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

    pub const KINDS: [&str; 3] = ["iris", "rose", "tulip"];
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
            trained(NUMBERS, |spec| spec.train.loss = Some(Loss::Normal)),
        ] {
            model.save(&first).unwrap();
            let loaded = Model::load(&first).unwrap();
            assert!(loaded == model, "{:?}", model.spec);
            loaded.save(&second).unwrap();
            assert!(fs::read(&first).unwrap() == fs::read(&second).unwrap());
            let threads = Threads::new(1).unwrap();
            let measured = |model: &Model| {
                let by = Average::monte_carlo(3);
                serde_json::to_string::<Evaluation>(&model.evaluate(&data, by, 1, &threads).unwrap()).unwrap()
            };
            assert_eq!(measured(&model), measured(&loaded));
        }
    }

    /// A header of more than 64 MiB could not be written, which would be known only after the training.
    #[test]
    fn long_histories_are_thinned_once() {
        let folder = Folder::new("history");
        let (first, second) = (folder.0.join("first.thinnet"), folder.0.join("second.thinnet"));
        let (_, mut model) = trained(KINDS, |spec| spec.ensemble.members = 2);
        let known = model.members[0].run.history[0];
        let runs = [(500_000, 77_777), (100_001, 100_001)];
        for (member, (epochs, chosen)) in model.members.iter_mut().zip(runs) {
            member.run.history = (1..=epochs).map(|epoch| Epoch { epoch, ..known }).collect();
            member.run.chosen_epoch = chosen;
        }
        model.save(&first).unwrap();
        let loaded = Model::load(&first).unwrap();
        let mut all = 0;
        for (member, (epochs, chosen)) in loaded.members.iter().zip(runs) {
            let kept: Vec<u64> = member.run.history.iter().map(|epoch| epoch.epoch).collect();
            assert_eq!((kept[0], kept[kept.len() - 1], member.run.chosen_epoch), (1, epochs, chosen));
            assert!(kept.contains(&chosen) && kept.windows(2).all(|pair| pair[1] - pair[0] <= 7));
            all += kept.len();
        }
        assert!((80_000..=MOST_EPOCHS).contains(&all), "{all}");
        loaded.save(&second).unwrap();
        assert!(fs::read(&first).unwrap() == fs::read(&second).unwrap());
        // As many as there may be are all kept.
        assert_eq!(every(&loaded.members), 1);
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
        file::write(&path, &model.header(), &tensors).unwrap();
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
        // Each layer has fewer parameters than a usize can count, but all together have more.
        let error = refused(|model| model.spec.network.hidden = vec![1 << 60, 1, 1 << 62, 1, 1 << 62]);
        assert!(error.contains("are not those of its network"), "{error}");
        let error = refused(|model| model.spec.network.hidden = vec![7, 0]);
        assert!(error.contains("layer 2 has no units"), "{error}");
    }

    /// The number of parameters alone does not tell networks apart.
    #[test]
    fn layers_with_the_right_number_of_parameters_but_other_shapes_are_refused() {
        let (_, model) = trained(KINDS, |_| {});
        let (inputs, outputs) = (model.network().inputs(), model.network().outputs());
        let of = |first, second| parameters(&[inputs, first, second, outputs], Learned::Nothing);
        let same =
            |&(first, second): &(usize, usize)| (first, second) != (7, 5) && of(first, second) == of(7, 5);
        let pairs = (1..90).flat_map(|first| (1..90).map(move |second| (first, second)));
        let (first, second) = pairs.into_iter().find(same).unwrap();
        let error = refused(|model| model.spec.network.hidden = vec![first, second]);
        assert!(error.contains("but its network needs"), "{error}");
    }

    /// Their numbers alone would be few enough: those of the layer below are many.
    #[test]
    fn lists_that_are_too_short_for_their_layer_are_refused() {
        let folder = Folder::new("short-lists");
        let path = folder.0.join("a.thinnet");
        let (_, model) = trained(NUMBERS, |spec| {
            spec.network.hidden = vec![7];
            spec.thin = ThinSpec { drop: Drop::SparseVariational, ..ThinSpec::default() };
        });
        model.save(&path).unwrap();
        let (mut header, _) = file::read::<Header>(&path).unwrap();
        let (units, outputs) = (100_000, model.network().outputs());
        header.members[0].run.pruned.as_mut().unwrap().layers[0].kept_units = units;
        let zeros = vec![0.0; units];
        let lists = |layer: usize, units: usize| {
            let list = |(part, length): (&str, usize)| (format!("layer.{layer}.{part}"), vec![length]);
            [("kept", units), ("inputs", 0), ("weights", 0), ("noise", 0), ("biases", units)].map(list)
        };
        let lists = [lists(0, units), lists(1, outputs)].concat();
        let arrays: Vec<(&str, &[usize], &[f32])> =
            lists.iter().map(|(name, shape)| (&name[..], &shape[..], &zeros[..shape[0]])).collect();
        file::write(&path, &header, &arrays).unwrap();
        let error = Model::load(&path).unwrap_err().to_string();
        assert!(error.contains("layer 1 are too short for 1 x 100000 weights"), "{error}");
    }

    /// As [`refused`], for an ensemble of three members, two of which see some of the 4 inputs.
    fn ensemble_refused(change: impl Fn(&mut Header)) -> String {
        let folder = Folder::new(&format!("hostile-members-{:?}", std::thread::current().id()));
        let (_, model) = trained(KINDS, |spec| {
            spec.ensemble.members = 3;
            spec.ensemble.columns = 0.6;
            spec.ensemble.networks = vec![vec![7, 5], vec![3]];
        });
        let path = folder.0.join("a.thinnet");
        model.save(&path).unwrap();
        let (mut header, tensors) = file::read::<Header>(&path).unwrap();
        change(&mut header);
        let tensors: Vec<(&str, &[usize], &[f32])> =
            tensors.iter().map(|(name, tensor)| (&name[..], &tensor.shape[..], &tensor.values[..])).collect();
        file::write(&path, &header, &tensors).unwrap();
        Model::load(&path).unwrap_err().to_string()
    }

    #[test]
    fn members_that_are_not_those_of_the_spec_are_refused() {
        let numbers = |numbers: [usize; 3]| {
            let error = ensemble_refused(|header| {
                header.members.iter_mut().zip(numbers).for_each(|(member, number)| member.number = number);
            });
            assert!(error.contains("its members do not fit the 3 of its spec"), "{numbers:?}: {error}");
        };
        [[0, 1, 1], [1, 0, 2], [0, 1, 3], [0, 1, usize::MAX]].into_iter().for_each(numbers);
        let error = ensemble_refused(|header| header.members.clear());
        assert!(error.contains("its members do not fit"), "{error}");
        let error = ensemble_refused(|header| header.spec.ensemble.members = 2);
        assert!(error.contains("its members do not fit the 2 of its spec"), "{error}");
        for members in [0, usize::MAX] {
            let error = ensemble_refused(|header| header.spec.ensemble.members = members);
            assert!(error.contains("ensemble.members: must be from 1"), "{error}");
        }
        let error = ensemble_refused(|header| drop(header.members.pop()));
        assert!(error.contains("are not those of its network"), "{error}");
    }

    #[test]
    fn inputs_of_members_that_are_not_there_are_refused() {
        for inputs in [vec![0, 4], vec![1, 1], vec![1, 0], vec![], vec![usize::MAX]] {
            let error = ensemble_refused(|header| header.members[1].inputs = Some(inputs.clone()));
            assert!(error.contains("member 1 sees inputs that are not there"), "{inputs:?}: {error}");
        }
        let error = ensemble_refused(|header| header.members[1].inputs = None);
        assert!(error.contains("are not those of its network"), "{error}");
    }

    #[test]
    fn networks_of_members_that_are_not_those_of_the_tensors_are_refused() {
        for hidden in [vec![], vec![4], vec![3, 3], vec![usize::MAX, usize::MAX]] {
            let error = ensemble_refused(|header| header.spec.ensemble.networks[1] = hidden.clone());
            assert!(error.contains("are not those of its network"), "{hidden:?}: {error}");
        }
        // Two members change places: the sum of all parameters stays the same.
        let error = ensemble_refused(|header| {
            header.spec.ensemble.networks = vec![vec![3], vec![7, 5], vec![7, 5]];
            let inputs = header.members[0].inputs.take();
            header.members[0].inputs = header.members[1].inputs.take();
            header.members[1].inputs = inputs;
        });
        assert!(error.contains("but its network needs"), "{error}");
    }

    /// As models of earlier versions are.
    #[test]
    fn a_model_with_an_idle_setting_and_without_a_fingerprint_is_read() {
        let folder = Folder::new("earlier");
        let path = folder.0.join("a.thinnet");
        let (data, mut model) = trained(KINDS, |_| {});
        assert_eq!(model.known(&data).unwrap(), Some(Known::Learned));
        (model.spec.train.huber_delta, model.fingerprint) = (2.0, None);
        assert!(model.spec.check_effects().is_err());
        model.save(&path).unwrap();
        let loaded = Model::load(&path).unwrap();
        assert!(loaded == model && loaded.known(&data).unwrap().is_none());
        let mut header = serde_json::to_value(model.header()).unwrap();
        header["fingerprint"] = "0123456789abcdef".into();
        let header: Header = serde_json::from_value(header).unwrap();
        assert_eq!(header.fingerprint, None);
    }

    #[test]
    fn a_spec_that_cannot_be_used_is_refused() {
        let error = refused(|model| model.spec.thin.input = 1.0);
        assert!(error.contains("thin.input"), "{error}");
        let error = refused(|model| model.spec.train.loss = Some(Loss::BinaryCrossEntropy));
        assert!(error.contains("are not those of its network"), "{error}");
    }

    #[test]
    fn a_temperature_comes_back_or_is_refused() {
        let folder = Folder::new("temperature");
        let path = folder.0.join("a.thinnet");
        let (_, model) =
            trained(KINDS, |spec| (spec.train.temperature, spec.data.valid) = (true, Some(0.25)));
        assert!(model.run().temperature != 1.0);
        model.save(&path).unwrap();
        assert!(Model::load(&path).unwrap() == model);
        for temperature in [0.0, -1.0] {
            let error = refused(|model| model.members[0].run.temperature = temperature);
            assert!(error.contains("its temperature is"), "{error}");
        }
    }
}
