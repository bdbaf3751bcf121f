//! A run: epochs of steps, validation after each, and the best parameters kept.

use std::time::Instant;

use thinnet_kernels::Isa;
use thinnet_kernels::philox::{Counter, Key};

use super::ahead::WINDOW;
use super::schedule::Moment;
use super::stopping::Stopping;
use super::weight_average::Averaging;
use super::{Ended, Epoch, Event, Flow, Objective, Stepper, Threads, TrainSpec};
use crate::data::{Examples, Targets};
use crate::error::{Error, Result};
use crate::network::{Network, NetworkSpec};
use crate::streams;
use crate::thin::{self, ThinSpec};

/// Everything that decides a run on prepared examples.
#[derive(Clone, Copy, Debug)]
pub struct Trainer<'a> {
    /// What the network looks like.
    pub network: &'a NetworkSpec,
    /// Who is dropped.
    pub thin: &'a ThinSpec,
    /// How it is trained.
    pub train: &'a TrainSpec,
    /// The seed of weights, order and masks.
    pub seed: u32,
    /// The instruction set.
    pub isa: Isa,
}

/// What a run leaves.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The network with its best parameters; those of the last epoch where nothing chose.
    pub network: Network,
    /// Why it ended.
    pub ended: Ended,
    /// Every epoch.
    pub history: Vec<Epoch>,
    /// The epoch whose parameters the network has; 0 for those it began with.
    pub chosen_epoch: u64,
    /// Steps done.
    pub steps: u64,
    /// Rows trained.
    pub rows: u64,
    /// Seconds, validation included.
    pub seconds: f64,
}

impl Trainer<'_> {
    /// Trains a network on `examples`, watching `valid` where there is one. `watch` hears of
    /// every step and epoch and may end the run.
    ///
    /// # Errors
    /// [`Error::Spec`] if a field cannot be used, [`Error::Data`] if there are no rows.
    pub fn run(
        &self,
        examples: &Examples,
        valid: Option<&Examples>,
        threads: &Threads,
        watch: &mut (dyn FnMut(&Event) -> Flow + Send),
    ) -> Result<Outcome> {
        self.train.check()?;
        if examples.rows() == 0 {
            return Err(Error::data("training rows", "there are none"));
        }
        let objective = Objective::new(self.train, &examples.targets)?;
        let outputs = objective.outputs(&examples.targets);
        let network = Network::new(examples.inputs.columns(), outputs, self.network, self.seed)?;
        let network = self.thin.with_noise(network)?;
        let valid = valid.filter(|valid| valid.rows() > 0);
        if let Some(valid) = valid {
            fits(valid, &network, objective)?;
            mean_one("validation rows", valid.weights.as_deref())?;
        }
        let weights = mean_one("training rows", examples.weights.as_deref())?;
        threads.run(|| {
            let batch = self.train.batch_for(examples.rows()).min(examples.rows());
            let stepper =
                Stepper::new(self.isa, network, self.thin, self.train, objective, batch, self.seed)?;
            Run::new(self, examples, valid, objective, stepper, weights).finish(watch)
        })
    }
}

/// A run under way.
struct Run<'a> {
    trainer: &'a Trainer<'a>,
    examples: &'a Examples,
    valid: Option<&'a Examples>,
    objective: Objective,
    stepper: Stepper,
    weights: Option<Vec<f32>>,
    batch: usize,
    order: Vec<usize>,
    stopping: Stopping,
    averaging: Averaging,
    /// The parameters to fall back on, and their epoch.
    chosen: (Vec<f32>, u64),
    history: Vec<Epoch>,
    steps: u64,
    rows: u64,
    total_steps: u64,
    began: Instant,
}

impl<'a> Run<'a> {
    fn new(
        trainer: &'a Trainer<'a>,
        examples: &'a Examples,
        valid: Option<&'a Examples>,
        objective: Objective,
        stepper: Stepper,
        weights: Option<Vec<f32>>,
    ) -> Self {
        let spec = trainer.train;
        let batch = spec.batch_for(examples.rows()).min(examples.rows());
        let from_epochs = spec.epochs.saturating_mul(examples.rows().div_ceil(batch) as u64);
        let limits = [from_epochs, spec.steps].into_iter().filter(|&limit| limit > 0);
        let total_steps = limits.min().unwrap_or(u64::MAX);
        let stepper = stepper.for_run(examples.rows(), total_steps);
        Self {
            total_steps,
            order: (0..examples.rows()).collect(),
            stopping: Stopping::new(spec.patience_for(valid.is_some()), spec.min_improvement),
            averaging: Averaging::new(spec.weight_average, stepper.network()),
            chosen: (stepper.network().values().to_vec(), 0),
            history: Vec::new(),
            steps: 0,
            rows: 0,
            began: Instant::now(),
            trainer,
            examples,
            valid,
            objective,
            stepper,
            weights,
            batch,
        }
    }

    fn finish(mut self, watch: &mut (dyn FnMut(&Event) -> Flow + Send)) -> Result<Outcome> {
        let mut ended = None;
        while ended.is_none() {
            ended = self.epoch(watch)?;
        }
        let ended = ended.unwrap_or(Ended::Finished);
        let chooses = self.valid.is_some() && self.trainer.train.patience_for(true) > 0;
        if chooses || matches!(ended, Ended::NotFinite { .. }) {
            self.stepper.restore(&self.chosen.0);
        } else {
            self.chosen.1 = self.history.len() as u64;
            let values = self.averaging.of(self.stepper.network()).values().to_vec();
            self.stepper.restore(&values);
        }
        Ok(Outcome {
            network: self.stepper.into_network(),
            ended,
            history: self.history,
            chosen_epoch: self.chosen.1,
            steps: self.steps,
            rows: self.rows,
            seconds: self.began.elapsed().as_secs_f64(),
        })
    }

    /// One pass over the rows; how the run ended, if it did.
    fn epoch(&mut self, watch: &mut (dyn FnMut(&Event) -> Flow + Send)) -> Result<Option<Ended>> {
        let number = self.history.len() as u64 + 1;
        shuffle(&mut self.order, self.trainer.seed, number);
        let (mut loss, mut rows, mut ended) = (0.0, 0, None);
        let mut learning_rate = 0.0;
        let mut end = (self.steps + self.order.len().div_ceil(self.batch) as u64).min(self.total_steps);
        for batch in self.order.chunks(self.batch) {
            // Until the end of the epoch nobody looks at the parameters, but for a mean over the steps.
            let unseen = if self.averaging.watches_steps() { self.steps + 1 } else { end };
            let mut learning_rates = [0.0; WINDOW];
            let coming = (self.steps..unseen).zip(&mut learning_rates);
            let known = coming.map(|(step, rate)| *rate = self.learning_rate(step)).count();
            learning_rate = learning_rates[0];
            let (weights, learning_rates) = (self.weights.as_deref(), &learning_rates[..known]);
            let step_loss = self.stepper.step(self.examples, weights, batch, learning_rates)?;
            if !step_loss.is_finite() {
                return Ok(Some(Ended::NotFinite { step: self.steps, learning_rate: learning_rate as f32 }));
            }
            self.averaging.after_step(self.stepper.network());
            loss += step_loss * batch.len() as f64;
            rows += batch.len() as u64;
            self.steps += 1;
            let loss = loss / rows as f64;
            let (steps, total_steps) = (self.steps, self.total_steps);
            let flow = watch(&Event::Step { steps, total_steps, loss, rows: self.rows + rows });
            ended = ended.or_else(|| self.limit(flow));
            if ended.is_some() {
                end = end.min(self.stepper.reached());
            }
            if self.steps == end {
                break;
            }
        }
        self.rows += rows;
        self.averaging.after_epoch(self.stepper.network(), self.steps as f64 / self.total_steps as f64);
        let validated = self.valid.map(|valid| self.validate(valid)).transpose()?;
        // The last step may have gone astray; no later one would notice.
        let finite = self.stepper.network().values().iter().all(|value| value.is_finite());
        if !finite || validated.is_some_and(|(loss, _)| !loss.is_finite()) {
            let (step, learning_rate) = (self.steps - 1, learning_rate as f32);
            return Ok(Some(Ended::NotFinite { step, learning_rate }));
        }
        let epoch = Epoch {
            epoch: number,
            steps: self.steps,
            learning_rate,
            train_loss: loss / rows as f64,
            valid_loss: validated.map(|(loss, _)| loss),
            valid_error: validated.and_then(|(_, error)| error),
        };
        self.history.push(epoch);
        let better = epoch.valid_loss.is_none_or(|loss| self.stopping.note(number, loss));
        if better {
            self.chosen.0.copy_from_slice(self.averaging.of(self.stepper.network()).values());
            self.chosen.1 = number;
        }
        let flow = watch(&Event::Epoch(&epoch));
        let over = self.valid.is_some() && self.stopping.is_over(number);
        Ok(ended.or_else(|| self.limit(flow)).or(over.then_some(Ended::Patience)))
    }

    fn learning_rate(&self, step: u64) -> f64 {
        let spec = self.trainer.train;
        let epoch_steps = self.order.len().div_ceil(self.batch) as u64;
        let at = Moment { step, epoch_steps, total_steps: self.total_steps };
        f64::from(spec.learning_rate) * spec.schedule_for().factor(at, spec.warmup)
    }

    fn limit(&self, flow: Flow) -> Option<Ended> {
        let minutes = self.trainer.train.minutes;
        if flow == Flow::Stop {
            Some(Ended::Interrupted)
        } else if self.steps >= self.total_steps {
            Some(Ended::Finished)
        } else if minutes > 0.0 && self.began.elapsed().as_secs_f64() >= 60.0 * minutes {
            Some(Ended::Minutes)
        } else {
            None
        }
    }

    /// The mean loss of the whole network, and for classes the share of rows it gets wrong.
    fn validate(&self, valid: &Examples) -> Result<(f64, Option<f64>)> {
        let (network, thinning) = (self.averaging.of(self.stepper.network()), self.stepper.thinning());
        let outputs = thin::outputs(self.trainer.isa, network, thinning, &valid.inputs)?;
        let objective = self.objective.without_smoothing();
        let weight = |row: usize| valid.weights.as_ref().map_or(1.0, |weights| f64::from(weights[row]));
        let (mut loss, mut wrong, mut total) = (0.0, 0.0, 0.0);
        for row in 0..valid.rows() {
            let weight = weight(row);
            loss += weight * objective.value(outputs.row(row), &valid.targets, row);
            total += weight;
            if let Targets::Classes { labels, .. } = &valid.targets
                && predicted_class(outputs.row(row)) != labels[row]
            {
                wrong += weight;
            }
        }
        let error = matches!(valid.targets, Targets::Classes { .. }).then_some(wrong / total);
        Ok((loss / total, error))
    }
}

/// Refuses examples that a network and its loss cannot take.
pub(crate) fn fits(examples: &Examples, network: &Network, objective: Objective) -> Result<()> {
    let (columns, inputs) = (examples.inputs.columns(), network.inputs());
    if columns != inputs {
        return Err(Error::argument(
            "examples",
            format!("{columns} columns for a network of {inputs} inputs"),
        ));
    }
    if !objective.suits(&examples.targets) || objective.outputs(&examples.targets) != network.outputs() {
        return Err(Error::argument("examples", "their targets are not of the kind that the network learns"));
    }
    Ok(())
}

/// The class with the largest logit; with one output, class 1 where it is positive.
pub(crate) fn predicted_class(logits: &[f32]) -> u32 {
    match logits {
        [logit] => u32::from(*logit > 0.0),
        logits => {
            let best = |best: usize, class: usize| if logits[class] > logits[best] { class } else { best };
            (0..logits.len()).fold(0, best) as u32
        }
    }
}

/// Weights with a mean of 1, so that they change what rows count and not the learning rate.
fn mean_one(of: &str, weights: Option<&[f32]>) -> Result<Option<Vec<f32>>> {
    let Some(weights) = weights else { return Ok(None) };
    let mean = weights.iter().map(|&weight| f64::from(weight)).sum::<f64>() / weights.len() as f64;
    if mean == 0.0 {
        return Err(Error::data(of, "all have the weight 0, so that none counts; give some more"));
    }
    Ok(Some(weights.iter().map(|&weight| (f64::from(weight) / mean) as f32).collect()))
}

/// Puts rows into the order of an epoch (Fisher and Yates). Each epoch shuffles the order of the one before.
fn shuffle(order: &mut [usize], seed: u32, epoch: u64) {
    let key = Key { seed, stream: streams::SHUFFLE };
    for last in (1..order.len()).rev() {
        let counter = Counter { block: last as u32, row: 0, step: epoch };
        order.swap(last, streams::below(key, counter, last + 1));
    }
}
