//! Data made ready for a run: split, prepared, checked, and weighed.

use thinnet_kernels::Isa;

use super::fingerprint::fingerprint;
use super::room;
use crate::average::{self, Average, Link};
use crate::data::{Data, Examples, Targets};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::prepare::{Parts, Pipeline};
use crate::spec::Spec;
use crate::thin::Thinning;
use crate::train::{Balanced, ClassWeights, Event, Flow, Objective, Outcome, Threads, Trainer};

/// Data made ready for a run.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The spec with every default filled in.
    pub spec: Spec,
    /// The fitted preparation.
    pub pipeline: Pipeline,
    /// What to train on.
    pub train: Examples,
    /// What to validate on.
    pub valid: Option<Examples>,
    /// The fingerprint of the data, as [`Model::fingerprint`](super::Model::fingerprint).
    pub fingerprint: String,
    /// That of the rows to validate on that came by themselves, as
    /// [`Model::valid_fingerprint`](super::Model::valid_fingerprint).
    pub valid_fingerprint: Option<String>,
    /// What the user should know, a sentence each.
    pub warnings: Vec<String>,
}

/// Splits the data, fits the preparation on the training rows, and fills in the spec. Without
/// `valid`, the fraction `data.valid` of the rows validates; with it, that fraction becomes 0. The test
/// part that `data.test` sets aside is in neither.
///
/// # Errors
/// A spec or data that cannot be used.
pub fn prepare(data: &Data, valid: Option<&Data>, spec: &Spec) -> Result<Prepared> {
    spec.check()?;
    spec.check_effects()?;
    let mut spec = spec.clone();
    if valid.is_some() {
        spec.data.valid = Some(0.0);
    }
    let parts = Parts::new(data, &spec.data, spec.seed)?;
    let (pipeline, warnings) = Pipeline::fit(data, &parts.train, &spec.data, &spec.prepare)?;
    let train = pipeline.examples(data, Some(&parts.train))?;
    let learned = parts.learned();
    let own = fingerprint(&pipeline, data, Some(&learned))?;
    let valid_fingerprint = valid.map(|valid| fingerprint(&pipeline, valid, None)).transpose()?;
    let valid = match valid {
        Some(valid) => Some(pipeline.examples(valid, None)?),
        None if parts.valid.is_empty() => None,
        None => Some(pipeline.examples(data, Some(&parts.valid))?),
    };
    let spec = spec.completed(&pipeline, learned.len(), train.rows(), valid.is_some());
    let prepared = Prepared { spec, pipeline, train, valid, fingerprint: own, valid_fingerprint, warnings };
    prepared.spec.check_effects_on(prepared.pipeline.task(), prepared.valid.is_some())?;
    room::check(&prepared.spec, prepared.pipeline.input_units(), prepared.outputs())?;
    prepared.check_average(prepared.spec.average)?;
    Ok(prepared)
}

impl Prepared {
    /// How many outputs a network of it has.
    pub fn outputs(&self) -> usize {
        self.spec.train.outputs(self.pipeline.output_units())
    }

    /// Refuses an average that the network of the first member could not give, before it is trained.
    ///
    /// # Errors
    /// As [`average()`](crate::average::average).
    pub(crate) fn check_average(&self, by: Average) -> Result<()> {
        if by == Average::default() {
            return Ok(());
        }
        let spec = self.spec.member(0);
        let objective = Objective::new(&spec.train, &self.train.targets)?;
        let (inputs, outputs) = (self.train.inputs.columns(), objective.outputs(&self.train.targets));
        let network = spec.thin.with_noise(Network::zeros(inputs, outputs, &spec.network)?)?;
        let thinning = Thinning::new(&spec.thin, &network, spec.seed)?;
        average::check(Isa::SCALAR, &network, &thinning, Link::of(objective.loss()), by)
    }

    /// Trains the network of another spec on the prepared data and leaves it at that: no model is made of
    /// it, and nothing measured but what the run itself validates.
    ///
    /// # Errors
    /// A spec that cannot be used.
    pub(crate) fn train_only(
        &self,
        spec: &Spec,
        threads: &Threads,
        watch: &mut (dyn FnMut(&Event) -> Flow + Send),
    ) -> Result<Outcome> {
        let isa = Isa::from_environment().map_err(Error::Machine)?;
        let Spec { network, thin, train, seed, .. } = spec;
        let trainer = Trainer { network, thin, train, seed: *seed, isa };
        let valid = self.valid.as_ref();
        if train.class_weights == ClassWeights::Equal {
            return trainer.run(&self.train, valid, threads, watch);
        }
        let weights = class_weights(&self.train, &self.pipeline, &train.class_weights)?;
        trainer.run(&Examples { weights, ..self.train.clone() }, valid, threads, watch)
    }
}

/// What each row counts in training: its own weight times that of its class.
pub(super) fn class_weights(
    examples: &Examples,
    pipeline: &Pipeline,
    classes: &ClassWeights,
) -> Result<Option<Vec<f32>>> {
    let (labels, count) = match (&examples.targets, classes) {
        (_, ClassWeights::Equal) => return Ok(examples.weights.clone()),
        (Targets::Classes { labels, classes }, _) => (labels, *classes),
        _ => return Err(Error::spec("train.class_weights", "a regression has no classes")),
    };
    let of_class: Vec<f32> = match classes {
        ClassWeights::Equal => vec![1.0; count],
        ClassWeights::Named(Balanced::Balanced) => {
            let mut rows = vec![0usize; count];
            labels.iter().for_each(|&label| rows[label as usize] += 1);
            rows.iter().map(|&rows| labels.len() as f32 / (count * rows.max(1)) as f32).collect()
        }
        ClassWeights::Each(named) => {
            if let Some(unknown) = named.keys().find(|name| !pipeline.classes().contains(name)) {
                let problem =
                    format!("there is no class {unknown:?}; there are {}", pipeline.classes().join(", "));
                return Err(Error::spec("train.class_weights", problem));
            }
            pipeline.classes().iter().map(|class| named.get(class).copied().unwrap_or(1.0)).collect()
        }
    };
    if labels.iter().all(|&label| of_class[label as usize] == 0.0) {
        let problem = "all training rows would have the weight 0; give a class of theirs more";
        return Err(Error::spec("train.class_weights", problem));
    }
    let own = |row: usize| examples.weights.as_ref().map_or(1.0, |weights| weights[row]);
    Ok(Some(labels.iter().enumerate().map(|(row, &label)| own(row) * of_class[label as usize]).collect()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::parse_csv;
    use crate::train::TrainSpec;

    /// 30 rows of class a, 10 of class b, and a column that can be the rows' weight.
    pub fn data() -> Data {
        let row = |i: usize| {
            let class = if i.is_multiple_of(4) { "b" } else { "a" };
            format!("{},{},{},{class}\n", i % 7, (i * i) % 5, 1 + i % 2)
        };
        let text: String = (0..40).map(row).collect();
        Data::from(
            parse_csv("rows", format!("x,y,count,class\n{text}").as_bytes(), &Default::default()).unwrap(),
        )
    }

    pub fn spec(class_weights: ClassWeights, weight: Option<&str>) -> Spec {
        let train = TrainSpec { epochs: 3, learning_rate: 0.01, class_weights, ..TrainSpec::default() };
        let mut spec = Spec { train, ..Spec::default() };
        spec.network.hidden = vec![6];
        spec.data.weight = weight.map(str::to_string);
        spec
    }

    pub fn each(named: &[(&str, f32)]) -> ClassWeights {
        ClassWeights::Each(named.iter().map(|&(class, weight)| (class.to_string(), weight)).collect())
    }

    fn weights_of(spec: &Spec) -> Result<Option<Vec<f32>>> {
        let prepared = prepare(&data(), None, spec)?;
        class_weights(&prepared.train, &prepared.pipeline, &spec.train.class_weights)
    }

    #[test]
    fn class_weights_by_hand() {
        assert_eq!(weights_of(&spec(ClassWeights::Equal, None)).unwrap(), None);
        // 40 rows in 2 classes: 40 / (2 * 10) for b, 40 / (2 * 30) for a.
        let balanced = ClassWeights::Named(Balanced::Balanced);
        let weights = weights_of(&spec(balanced.clone(), None)).unwrap().unwrap();
        assert_eq!(weights[..4], [2.0, 40.0 / 60.0, 40.0 / 60.0, 40.0 / 60.0]);
        // Those of the rows, 1 and 2 in turn, come on top.
        let weights = weights_of(&spec(balanced, Some("count"))).unwrap().unwrap();
        assert_eq!(weights[..4], [2.0, 80.0 / 60.0, 40.0 / 60.0, 80.0 / 60.0]);
        let weights = weights_of(&spec(each(&[("b", 5.0)]), None)).unwrap().unwrap();
        assert_eq!(weights[..4], [5.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn a_class_that_is_not_there_is_named() {
        let error = weights_of(&spec(each(&[("c", 5.0)]), None)).unwrap_err().to_string();
        assert_eq!(error, "spec, train.class_weights: there is no class \"c\"; there are a, b");
        let mut regression = spec(ClassWeights::Named(Balanced::Balanced), None);
        (regression.data.target, regression.data.task) =
            (Some("x".into()), Some(crate::data::Task::Regression));
        let error = weights_of(&regression).unwrap_err().to_string();
        assert!(error.ends_with("a regression has no classes"), "{error}");
    }
}
