//! Whether the thinning of a model worked: all measures of overfitting, co-adaptation and calibration.

use serde::Serialize;
use thinnet_kernels::Isa;
use thinnet_kernels::philox::Key;

use super::{Evaluation, Model};
use crate::average::{Average, Averaged};
use crate::data::{Data, Examples};
use crate::error::{Error, Result};
use crate::measure::{
    Coadaptation, Effort, InferenceGap, Overfitting, Subject, UnitCorrelations, coadaptation,
    unit_correlations,
};
use crate::random;
use crate::streams;
use crate::train::{Objective, Threads};

/// What `thinnet measure` tells of a model. The field names are those of `thinnet measure --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Measures {
    /// How many rows were measured.
    pub rows: usize,
    /// How many of them units were silenced on.
    pub ablated_rows: usize,
    /// From the history of the run; none if nothing was held out.
    pub overfitting: Option<Overfitting>,
    /// One for each hidden layer, from the input on.
    pub coadaptation: Vec<Coadaptation>,
    /// None if nothing was ever dropped.
    pub inference_gap: Option<InferenceGap>,
    /// How good, and how sure, the whole network is on the rows.
    pub whole: Evaluation,
    /// The same of the mean of the thinned networks that the gap was measured with; none if nothing
    /// was ever dropped.
    pub sampled: Option<Evaluation>,
}

impl Model {
    /// Measures a member of the model, 0 for the first or only one, on rows whose targets are known.
    ///
    /// # Errors
    /// Data that do not fit the model, targets that are missing, a member that is not there, or fewer than
    /// two samples.
    pub fn measures(
        &self,
        member: usize,
        data: &Data,
        effort: &Effort,
        threads: &Threads,
    ) -> Result<Measures> {
        let examples = self.pipeline.examples(data, Some(&drawn_rows(data.rows(), effort)))?;
        self.measures_of_drawn(member, &examples, effort, threads)
    }

    /// The same for prepared examples.
    ///
    /// # Errors
    /// As [`Model::measures`].
    pub fn measures_on(
        &self,
        member: usize,
        examples: &Examples,
        effort: &Effort,
        threads: &Threads,
    ) -> Result<Measures> {
        let examples = examples.select(&drawn_rows(examples.rows(), effort));
        self.measures_of_drawn(member, &examples, effort, threads)
    }

    /// The correlations of units of each hidden layer of a member, after its training and before it, on
    /// the rows that [`Model::measures_on`] measures; no more than `most` units of a layer. What was
    /// pruned has no correlations before.
    ///
    /// # Errors
    /// As [`Model::measures`].
    pub fn unit_correlations(
        &self,
        member: usize,
        examples: &Examples,
        most: usize,
        effort: &Effort,
        threads: &Threads,
    ) -> Result<Vec<UnitCorrelations>> {
        let alone = self.alone(member)?;
        let member = &alone.members[0];
        let examples = examples.select(&drawn_rows(examples.rows(), effort));
        let seen = member.seeing(&examples);
        let before = member.before_training(&self.spec)?;
        let thinning = self.thinning(member, &member.network, effort.seed)?;
        let thinning_before = self.thinning(member, &before, effort.seed)?;
        let isa = Isa::from_environment().map_err(Error::Machine)?;
        let objective = Objective::new(&self.spec.train, &examples.targets)?;
        let after = Subject { isa, network: &member.network, thinning: &thinning, objective };
        let before = Subject { network: &before, thinning: &thinning_before, ..after };
        let before = member.run.pruned.is_none().then_some(&before);
        threads.run(|| unit_correlations(&after, before, &seen, most, effort.seed))
    }

    fn measures_of_drawn(
        &self,
        member: usize,
        examples: &Examples,
        effort: &Effort,
        threads: &Threads,
    ) -> Result<Measures> {
        if effort.samples < 2 {
            let problem = format!("{} thinned networks have no spread; take at least 2", effort.samples);
            return Err(Error::argument("samples", problem));
        }
        let alone = self.alone(member)?;
        let member = &alone.members[0];
        let thinning = self.thinning(member, &member.network, effort.seed)?;
        let isa = Isa::from_environment().map_err(Error::Machine)?;
        let objective = Objective::new(&self.spec.train, &examples.targets)?;
        let subject = Subject { isa, network: &member.network, thinning: &thinning, objective };
        let seen = member.seeing(examples);
        let coadaptation = threads.run(|| coadaptation(&subject, &seen, effort))?;

        let whole = alone.average(&examples.inputs, Average::WeightScaling, effort.seed, threads)?;
        let sampled = match thinning.first_thinned() {
            None => None,
            Some(_) => {
                let by = Average::monte_carlo(effort.samples);
                alone.average_members_on(examples, by, effort.seed, threads)?.pop()
            }
        };
        let judge = |averaged: &Averaged, densities| alone.judge(averaged, densities, alone.noise, examples);
        let weights = examples.weights.as_deref();
        let gap = |(sampled, _): &_| InferenceGap::new(&whole.mean, sampled, effort.samples, weights);
        Ok(Measures {
            rows: examples.rows(),
            ablated_rows: effort.ablated(examples.rows()),
            overfitting: Overfitting::new(&member.run.history),
            coadaptation,
            inference_gap: sampled.as_ref().map(gap).transpose()?,
            whole: judge(&whole, None)?,
            sampled: sampled.map(|(averaged, densities)| judge(&averaged, densities)).transpose()?,
        })
    }

    /// The model of one member.
    fn alone(&self, member: usize) -> Result<Model> {
        let Some(member) = self.members.get(member) else {
            let problem = format!("there is no number {}; the model has {}", member + 1, self.members.len());
            return Err(Error::argument("member", problem));
        };
        Ok(Model { members: vec![member.clone()], noise: member.run.noise, ..self.clone() })
    }
}

/// The rows to measure, in random order.
pub(super) fn drawn_rows(rows: usize, effort: &Effort) -> Vec<usize> {
    let mut order = shuffled_rows(rows, effort, 0);
    order.truncate(effort.rows.max(1));
    order
}

/// All rows in a random order, another one for each draw; draw 0 says which are measured.
pub(super) fn shuffled_rows(rows: usize, effort: &Effort, draw: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    let key = Key { seed: effort.seed, stream: streams::measure(0) };
    random::shuffle(&mut order, &mut random::words(key, draw));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spec;
    use crate::average::member_seed;
    use crate::data::Table;
    use crate::measure::Activity;
    use crate::model::fit;
    use crate::thin::{MaskSpec, Thinning, activations};
    use crate::train::Flow;

    fn model(hidden: &[usize], spec: Spec) -> (Data, Model) {
        let inputs: Vec<f32> = (0..400).map(|at| ((at * 7919) % 101) as f32 / 50.0 - 1.0).collect();
        let targets: Vec<f32> = inputs.chunks_exact(2).map(|x| f32::from(x[0] * x[1] > 0.0)).collect();
        let data = Data::from(Table::from_rows(&inputs, 2, Some(&targets)).unwrap());
        let mut spec = spec;
        spec.network.hidden = hidden.to_vec();
        spec.train.epochs = 10;
        let model =
            fit(&data, None, &spec, &Threads::new(1).unwrap(), &mut |_| Flow::Continue).unwrap().model;
        (data, model)
    }

    const EFFORT: Effort = Effort { rows: 150, ablated_rows: 100, pairs: 10, draws: 2, samples: 5, seed: 3 };

    #[test]
    fn the_measures_do_not_depend_on_the_number_of_threads() {
        let (data, model) = model(&[130, 20], Spec::default());
        let json = |threads| {
            let measures = model.measures(0, &data, &EFFORT, &Threads::new(threads).unwrap()).unwrap();
            serde_json::to_string(&measures).unwrap()
        };
        let one = json(1);
        assert!(one.contains("\"rows\":150,\"ablated_rows\":100"), "{one}");
        (2..=4).for_each(|threads| assert_eq!(json(threads), one, "{threads} threads"));
    }

    #[test]
    fn without_hidden_layers_or_dropout_there_is_less_to_measure() {
        let thin = crate::thin::ThinSpec::none();
        let (data, model) = model(&[], Spec { thin, ..Spec::default() });
        let threads = Threads::new(1).unwrap();
        let measures = model.measures(0, &data, &EFFORT, &threads).unwrap();
        assert!(measures.coadaptation.is_empty() && measures.inference_gap.is_none());
        assert!(measures.sampled.is_none() && measures.overfitting.is_some());
        let error = model.measures(0, &data, &Effort { samples: 1, ..EFFORT }, &threads).unwrap_err();
        assert!(error.to_string().contains("take at least 2"), "{error}");
    }

    #[test]
    fn a_member_is_measured_alone() {
        let mut spec = Spec::default();
        spec.ensemble.members = 2;
        spec.ensemble.columns = 0.5;
        let (data, model) = model(&[12], spec);
        let threads = Threads::new(1).unwrap();
        let of = |member| model.measures(member, &data, &EFFORT, &threads).map(|of| format!("{of:?}"));
        assert_ne!(of(0).unwrap(), of(1).unwrap());
        let error = of(2).unwrap_err().to_string();
        assert_eq!(error, "member: there is no number 3; the model has 2");
    }

    /// Steps that are too small to change a weight leave the network that it began with; only biases, which
    /// begin at 0, are a little off.
    #[test]
    fn the_network_before_training_comes_back() {
        for drop in [crate::thin::Drop::Units, crate::thin::Drop::Concrete] {
            let mut spec = Spec { seed: 9, ..Spec::default() };
            spec.thin.drop = drop;
            spec.train.learning_rate = 1e-30;
            spec.ensemble.members = 2;
            spec.ensemble.columns = 0.5;
            let (_, model) = model(&[12], spec);
            for member in model.members() {
                let before = member.before_training(&model.spec).unwrap();
                let pairs = || member.network.values().iter().zip(before.values());
                assert!(member.network.layers() == before.layers() && pairs().count() > 24);
                assert!(pairs().all(|(after, before)| (after - before).abs() < 1e-25), "{drop:?}");
            }
        }
    }

    #[test]
    fn masks_that_come_back_are_those_of_the_run() {
        let mut spec = Spec { seed: 9, ..Spec::default() };
        spec.thin.masks = Some(MaskSpec { members: 3, scale: 2.0 });
        spec.ensemble.members = 2;
        let (data, model) = model(&[20], spec);
        let examples = model.pipeline.examples(&data, None).unwrap();
        let drawn = examples.select(&drawn_rows(examples.rows(), &EFFORT));
        let objective = Objective::new(&model.spec.train, &drawn.targets).unwrap();
        let (isa, threads) = (Isa::from_environment().unwrap(), Threads::new(1).unwrap());
        for (index, member) in model.members().iter().enumerate() {
            let thinning = |seed: u32| {
                let seed = member_seed(seed, member.number);
                Thinning::new(&model.spec.thin, &member.network, seed).unwrap()
            };
            let activity = |thinning: &Thinning| {
                let units = activations(isa, &member.network, thinning, &drawn.inputs, 1);
                Activity::new(isa, &units, None).unwrap()
            };
            let own = thinning(9);
            let measured = model.measures_on(index, &examples, &EFFORT, &threads).unwrap();
            assert_eq!(measured.coadaptation[0].activity, activity(&own));
            assert_ne!(activity(&own), activity(&thinning(EFFORT.seed)));

            let before = member.before_training(&model.spec).unwrap();
            let after = Subject { isa, network: &member.network, thinning: &own, objective };
            let before = Subject { network: &before, ..after };
            let expected = unit_correlations(&after, Some(&before), &drawn, 20, EFFORT.seed).unwrap();
            let found = model.unit_correlations(index, &examples, 20, &EFFORT, &threads).unwrap();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn correlations_before_and_after_training_differ() {
        let (data, model) = model(&[12, 5], Spec::default());
        let examples = model.pipeline.examples(&data, None).unwrap();
        let of = |threads| {
            model.unit_correlations(0, &examples, 10, &EFFORT, &Threads::new(threads).unwrap()).unwrap()
        };
        let layers = of(1);
        assert_eq!(layers, of(3));
        for layer in &layers {
            let before = layer.before.as_ref().unwrap();
            assert!(!layer.units.is_empty() && layer.units.len() <= 10 && before != &layer.after);
        }
    }

    #[test]
    fn prepared_examples_are_measured_as_their_data() {
        let (data, model) = model(&[8], Spec::default());
        let threads = Threads::new(1).unwrap();
        let examples = model.pipeline.examples(&data, None).unwrap();
        let of_data = model.measures(0, &data, &EFFORT, &threads).unwrap();
        let of_examples = model.measures_on(0, &examples, &EFFORT, &threads).unwrap();
        assert_eq!(format!("{of_data:?}"), format!("{of_examples:?}"));
    }

    #[test]
    fn rows_are_drawn_at_random_and_once() {
        let mut rows = drawn_rows(50, &EFFORT);
        assert_ne!(rows, (0..50).collect::<Vec<_>>());
        rows.sort_unstable();
        assert_eq!(rows, (0..50).collect::<Vec<_>>());
        assert_eq!(drawn_rows(1000, &EFFORT).len(), 150);
    }
}
