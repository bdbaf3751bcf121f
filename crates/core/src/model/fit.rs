//! From prepared data to a model, and what was seen of it.

use std::time::Instant;

use thinnet_kernels::Isa;

use super::members::Member;
use super::prepared::{Prepared, class_weights, prepare};
use super::train_members;
use super::{Evaluation, MembersEvaluation, Model};
use crate::average::{Average, Averaged, Link, ensemble};
use crate::data::{Data, Examples, Targets};
use crate::error::{Error, Result};
use crate::measure::Disagreement;
use crate::spec::Spec;
use crate::train::{Event, Flow, Threads};

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
        let of_classes = class_weights(&self.train, &self.pipeline, &self.spec.train.class_weights)?;
        let own_weights = std::mem::replace(&mut self.train.weights, of_classes);
        let isa = Isa::from_environment().map_err(Error::Machine)?;
        let began = Instant::now();
        let trained = train_members::train(&self, isa, threads, watch)?;
        let seconds = match &trained[..] {
            [only] => only.seconds,
            _ => began.elapsed().as_secs_f64(),
        };
        self.train.weights = own_weights;
        let took = trained.iter().map(|member| (member.rows, member.seconds)).collect();
        let model = self.model(trained.into_iter().map(|trained| trained.member).collect(), threads)?;
        self.fitted(model, took, seconds, threads)
    }

    /// The model of networks that were trained on the prepared data.
    fn model(&self, members: Vec<Member>, threads: &Threads) -> Result<Model> {
        let mut model = Model {
            spec: self.spec.clone(),
            pipeline: self.pipeline.clone(),
            members,
            noise: None,
            fingerprint: Some(self.fingerprint.clone()),
            valid_fingerprint: self.valid_fingerprint.clone(),
        };
        model.find_noise(self.valid.as_ref().unwrap_or(&self.train), threads)?;
        Ok(model)
    }

    /// A model with its measures on the prepared data; `took` has the rows that each member trained, and its
    /// seconds.
    fn fitted(self, model: Model, took: Vec<(u64, f64)>, seconds: f64, threads: &Threads) -> Result<Fitted> {
        let step = model.members.iter().map(|member| member.run.steps).max().unwrap_or(0).saturating_sub(1);
        let learning_rate = model.spec.train.learning_rate;
        // Parameters can be finite where predictions are not.
        let astray = |error| match error {
            Error::Argument { what: "probabilities" | "predictions" | "spread" | "members", .. } => {
                Error::NotFinite { step, learning_rate }
            }
            other => other,
        };
        let measure = |examples: &Examples| {
            model.measure_members(examples, Average::WeightScaling, 0, threads).map_err(astray)
        };
        let train = measure(&self.train)?;
        let valid = self.valid.as_ref().map(measure).transpose()?;
        let disagreement = valid.as_ref().unwrap_or(&train).disagreement;
        let (valid, valid_members) = match valid {
            Some(MembersEvaluation { ensemble, members, .. }) => (Some(ensemble), members),
            None => (None, Vec::new()),
        };
        let mut valid_members = valid_members.into_iter();
        let member = |(train, (rows, seconds))| {
            let valid = valid_members.next();
            FittedMember { train, valid, rows, seconds }
        };
        let members: Vec<FittedMember> = train.members.into_iter().zip(took).map(member).collect();
        let rows = members.iter().map(|member| member.rows).sum();
        let (train, warnings) = (train.ensemble, self.warnings);
        Ok(Fitted { model, warnings, train, valid, members, disagreement, rows, seconds })
    }
}

impl Model {
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

#[cfg(test)]
mod tests {
    use super::super::prepared::tests::{data, each, spec};
    use super::*;
    use crate::data::parse_csv;
    use crate::train::ClassWeights;

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
