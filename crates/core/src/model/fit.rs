//! From data and a spec to a model.

use std::time::Instant;

use thinnet_kernels::Isa;

use super::room;
use super::side_by_side::{self, Trained};
use super::{Evaluation, MembersEvaluation, Model};
use crate::average::{self, Average, Averaged, Link, ensemble};
use crate::data::{Data, Examples, Targets};
use crate::error::{Error, Result};
use crate::measure::Disagreement;
use crate::network::Network;
use crate::prepare::{Parts, Pipeline};
use crate::spec::Spec;
use crate::thin::Thinning;
use crate::train::{Balanced, ClassWeights, Event, Flow, Loss, Objective, Outcome, Threads, Trainer};

/// A model, and what was seen while it was trained.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The model.
    pub model: Model,
    /// What the user should know, a sentence each.
    pub warnings: Vec<String>,
    /// The whole network on the training rows.
    pub train: Evaluation,
    /// The same on the validation rows.
    pub valid: Option<Evaluation>,
    /// Each member alone, in the order of [`Model::members`].
    pub members: Vec<FittedMember>,
    /// How far the members disagree on the validation rows, or without them on the training rows.
    pub disagreement: Disagreement,
    /// Rows trained, over all epochs and members.
    pub rows: u64,
    /// Seconds of training, validation included.
    pub seconds: f64,
}

/// What was seen of one member while it was trained.
#[derive(Clone, Debug)]
pub struct FittedMember {
    /// Its whole network on all training rows, also those that it did not draw.
    pub train: Evaluation,
    /// The same on the validation rows.
    pub valid: Option<Evaluation>,
    /// Rows trained, over all epochs.
    pub rows: u64,
    /// Seconds of its training.
    pub seconds: f64,
}

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
    /// The fingerprint of the data, as [`Model::fingerprint`].
    pub fingerprint: String,
    /// That of the rows to validate on that came by themselves, as [`Model::valid_fingerprint`].
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

/// Trains a model. `watch` hears of every step and epoch and may end the run.
///
/// # Errors
/// A spec or data that cannot be used, or a loss that was not finite before an epoch was done.
pub fn fit(
    data: &Data,
    valid: Option<&Data>,
    spec: &Spec,
    threads: &Threads,
    watch: &mut (dyn FnMut(&Event) -> Flow + Send),
) -> Result<Fitted> {
    prepare(data, valid, spec)?.fit(threads, watch)
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
        let link = Link::of(spec.train.loss.unwrap_or(Loss::CrossEntropy));
        average::check(Isa::SCALAR, &network, &thinning, link, by)
    }

    /// Trains a model on the prepared data.
    ///
    /// # Errors
    /// As [`fit()`].
    pub fn fit(
        mut self,
        threads: &Threads,
        watch: &mut (dyn FnMut(&Event) -> Flow + Send),
    ) -> Result<Fitted> {
        // The weights of classes are for training; what is measured counts each row as the data say.
        let of_classes = weights(&self.train, &self.pipeline, &self.spec.train.class_weights)?;
        let own_weights = std::mem::replace(&mut self.train.weights, of_classes);
        let isa = Isa::from_environment().map_err(Error::Machine)?;
        let began = Instant::now();
        let trained = side_by_side::train(&self, isa, threads, watch)?;
        let seconds = match &trained[..] {
            [only] => only.seconds,
            _ => began.elapsed().as_secs_f64(),
        };
        self.train.weights = own_weights;

        let Self { spec, pipeline, train, valid, fingerprint, valid_fingerprint, warnings } = self;
        let took: Vec<(u64, f64)> = trained.iter().map(|member| (member.rows, member.seconds)).collect();
        let members = trained.into_iter().map(|Trained { member, .. }| member).collect();
        let fingerprint = Some(fingerprint);
        let mut model = Model { spec, pipeline, members, noise: None, fingerprint, valid_fingerprint };
        model.find_noise(valid.as_ref().unwrap_or(&train), threads)?;
        let measure =
            |examples: &Examples| model.measure_members(examples, Average::WeightScaling, 0, threads);
        let step = model.members.iter().map(|member| member.run.steps).max().unwrap_or(0).saturating_sub(1);
        let learning_rate = model.spec.train.learning_rate;
        // Parameters can be finite where predictions are not.
        let astray = |error| match error {
            Error::Argument { what: "probabilities" | "predictions" | "spread" | "members", .. } => {
                Error::NotFinite { step, learning_rate }
            }
            other => other,
        };
        let train = measure(&train).map_err(astray)?;
        let valid = valid.as_ref().map(measure).transpose().map_err(astray)?;
        let disagreement = valid.as_ref().unwrap_or(&train).disagreement;
        let (valid, mut valid_members) = match valid {
            Some(MembersEvaluation { ensemble, members, .. }) => (Some(ensemble), members),
            None => (None, Vec::new()),
        };
        let mut valid_members = valid_members.drain(..);
        let member = |(train, (rows, seconds))| {
            let valid = valid_members.next();
            FittedMember { train, valid, rows, seconds }
        };
        let members: Vec<FittedMember> = train.members.into_iter().zip(took).map(member).collect();
        let rows = members.iter().map(|member| member.rows).sum();
        Ok(Fitted { model, warnings, train: train.ensemble, valid, members, disagreement, rows, seconds })
    }
}

impl Prepared {
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
        let weights = weights(&self.train, &self.pipeline, &train.class_weights)?;
        trainer.run(&Examples { weights, ..self.train.clone() }, valid, threads, watch)
    }
}

/// The fingerprint of what a pipeline takes from rows, as the header of a model has it: not everyone reads JSON
/// with whole numbers of 64 bits.
fn fingerprint(pipeline: &Pipeline, data: &Data, rows: Option<&[usize]>) -> Result<String> {
    Ok(format!("{:016x}", data.fingerprint_of(Some(&pipeline.columns()), rows)?))
}

impl Model {
    /// Whether the model learned from these data, or chose its epoch by them: from all, or from all but its
    /// test part. Models of earlier versions do not know it.
    ///
    /// # Errors
    /// Data without a column that the model needs.
    pub fn has_learned_from(&self, data: &Data) -> Result<bool> {
        let all = Some(fingerprint(&self.pipeline, data, None)?);
        if all == self.fingerprint || all == self.valid_fingerprint {
            return Ok(true);
        }
        // Of rows that are too few for a test part, or lack a target, there is no other part.
        let parts = Parts::new(data, &self.spec.data, self.spec.seed).ok();
        let parts = parts.filter(|_| self.spec.data.test > 0.0);
        parts.map_or(Ok(false), |parts| self.has_learned(data, &parts))
    }

    /// Whether the rows of these parts are those that the model learned from.
    pub(super) fn has_learned(&self, data: &Data, parts: &Parts) -> Result<bool> {
        let found = fingerprint(&self.pipeline, data, Some(&parts.learned()))?;
        Ok(self.fingerprint.as_ref() == Some(&found))
    }

    /// Finds the standard deviation of the errors of a regression, of each member and of all together, unless
    /// they predict it.
    fn find_noise(&mut self, examples: &Examples, threads: &Threads) -> Result<()> {
        let Targets::Values(values) = &examples.targets else { return Ok(()) };
        if self.link() == Link::Normal {
            return Ok(());
        }
        let weights = examples.weights.as_deref();
        let noise = |predicted: &Averaged| {
            let errors = predicted.mean.values().iter().zip(values.values()).map(|(p, t)| f64::from(p - t));
            let weight = |at: usize| weights.map_or(1.0, |weights| f64::from(weights[at / values.columns()]));
            let squares: f64 = errors.enumerate().map(|(at, error)| weight(at) * error * error).sum();
            let total: f64 = (0..values.values().len()).map(weight).sum();
            Some((squares / total).sqrt() as f32)
        };
        let predicted = self.average_members(&examples.inputs, Average::WeightScaling, 0, threads)?;
        for (member, predicted) in self.members.iter_mut().zip(&predicted) {
            member.run.noise = noise(predicted);
        }
        self.noise = noise(&ensemble(predicted)?);
        Ok(())
    }
}

/// What each row counts in training: its own weight times that of its class.
fn weights(examples: &Examples, pipeline: &Pipeline, classes: &ClassWeights) -> Result<Option<Vec<f32>>> {
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
mod tests {
    use super::*;
    use crate::data::parse_csv;
    use crate::train::TrainSpec;

    /// 30 rows of class a, 10 of class b, and a column that can be the rows' weight.
    fn data() -> Data {
        let row = |i: usize| {
            let class = if i.is_multiple_of(4) { "b" } else { "a" };
            format!("{},{},{},{class}\n", i % 7, (i * i) % 5, 1 + i % 2)
        };
        let text: String = (0..40).map(row).collect();
        Data::from(
            parse_csv("rows", format!("x,y,count,class\n{text}").as_bytes(), &Default::default()).unwrap(),
        )
    }

    fn spec(class_weights: ClassWeights, weight: Option<&str>) -> Spec {
        let train = TrainSpec { epochs: 3, learning_rate: 0.01, class_weights, ..TrainSpec::default() };
        let mut spec = Spec { train, ..Spec::default() };
        spec.network.hidden = vec![6];
        spec.data.weight = weight.map(str::to_string);
        spec
    }

    fn weights_of(spec: &Spec) -> Result<Option<Vec<f32>>> {
        let prepared = prepare(&data(), None, spec)?;
        weights(&prepared.train, &prepared.pipeline, &spec.train.class_weights)
    }

    fn each(named: &[(&str, f32)]) -> ClassWeights {
        ClassWeights::Each(named.iter().map(|&(class, weight)| (class.to_string(), weight)).collect())
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

    fn fitted(spec: &Spec) -> Fitted {
        fit(&data(), None, spec, &Threads::new(1).unwrap(), &mut |_| Flow::Continue).unwrap()
    }

    #[test]
    fn class_weights_change_the_model_but_not_how_it_is_measured() {
        let (equal, weighted) = (spec(ClassWeights::Equal, None), spec(each(&[("b", 5.0)]), None));
        let (equal, weighted) = (fitted(&equal), fitted(&weighted));
        assert!(equal.model.network() != weighted.model.network());
        for Fitted { model, train, .. } in [&equal, &weighted] {
            let again =
                model.evaluate(&data(), Average::WeightScaling, 0, &Threads::new(1).unwrap()).unwrap();
            let json = |evaluation: &Evaluation| serde_json::to_string(evaluation).unwrap();
            assert_eq!(json(train), json(&again));
        }
    }

    #[test]
    fn a_weight_that_all_rows_have_changes_nothing() {
        let rows = |weight: &str| {
            let row = |i: usize| format!("{},{weight},{}\n", (i * 3) % 8, ["a", "b"][i % 2]);
            let text: String = (0..40).map(row).collect();
            Data::from(
                parse_csv("rows", format!("x,w,class\n{text}").as_bytes(), &Default::default()).unwrap(),
            )
        };
        let spec = spec(ClassWeights::Equal, Some("w"));
        let network = |weight| {
            fit(&rows(weight), None, &spec, &Threads::new(1).unwrap(), &mut |_| Flow::Continue)
                .unwrap()
                .model
                .network()
                .clone()
        };
        assert!(network("1") == network("8"), "weights say what rows count, not how large the steps are");
    }

    /// 80 rows of a line and what is added to it; the weight of the last ones, which are far off.
    fn line(offset: f64, last: &str) -> Data {
        let row = |i: usize| {
            let (far, weight) = if i < 70 { (0.0, "1") } else { (500.0, last) };
            let y = offset + 3.0 * (i % 20) as f64 + (i * 7 % 11) as f64 * 0.2 + far;
            format!("{},{weight},{y}\n", i % 20)
        };
        let text: String = (0..80).map(row).collect();
        Data::from(parse_csv("line", format!("x,w,y\n{text}").as_bytes(), &Default::default()).unwrap())
    }

    fn of_line(data: &Data, valid: Option<&Data>) -> Result<Fitted> {
        let mut spec = spec(ClassWeights::Equal, Some("w"));
        (spec.data.valid, spec.data.task) = (Some(0.0), Some(crate::data::Task::Regression));
        spec.train.epochs = 20;
        fit(data, valid, &spec, &Threads::new(1).unwrap(), &mut |_| Flow::Continue)
    }

    #[test]
    fn rows_that_do_not_count_leave_the_noise_as_it_is() {
        let data = line(0.0, "0");
        let fitted = of_line(&data, None).unwrap();
        let Evaluation::Regression(measured) = fitted.train else { panic!("no regression") };
        let noise = fitted.model.pipeline.denormalise_spread(fitted.model.noise.unwrap());
        assert!((noise / measured.rmse - 1.0).abs() < 1e-5 && noise < 200.0, "{noise}, {}", measured.rmse);
        let counted = of_line(&line(0.0, "1"), None).unwrap();
        assert_ne!(counted.model.noise, fitted.model.noise);
    }

    #[test]
    fn validation_rows_of_which_none_counts_are_refused() {
        let (data, valid) = (line(0.0, "1"), line(0.0, "0"));
        let last: Vec<usize> = (70..80).collect();
        let error = of_line(&data, Some(&valid.select(&last).unwrap())).unwrap_err().to_string();
        assert!(error.starts_with("validation rows: all have the weight 0"), "{error}");
    }

    #[test]
    fn values_far_from_0_are_measured_as_those_near_it() {
        let measured = |offset: f64| {
            let data = line(offset, "1");
            let fitted = of_line(&data, None).unwrap();
            let by = Average::monte_carlo(10);
            match fitted.model.evaluate(&data, by, 0, &Threads::new(1).unwrap()).unwrap() {
                Evaluation::Regression(measured) => measured,
                Evaluation::Classification(_) => panic!("no regression"),
            }
        };
        let (near, far) = (measured(0.0), measured(1e8));
        for (near, far) in [
            (near.rmse, far.rmse),
            (near.mae, far.mae),
            (near.r2, far.r2),
            (near.crps.unwrap(), far.crps.unwrap()),
            (near.width_90.unwrap(), far.width_90.unwrap()),
            (near.log_likelihood.unwrap(), far.log_likelihood.unwrap()),
        ] {
            assert!((far / near - 1.0).abs() < 1e-3, "{near} and {far}");
        }
    }
}
