//! A run under way: epochs of steps, validation after each, and the best parameters kept.

use std::time::Instant;

use thinnet_kernels::philox::{Counter, Key};

use super::ahead::WINDOW;
use super::schedule::Moment;
use super::stopping::Stopping;
use super::trainer::{Outcome, Trainer};
use super::weight_average::Averaging;
use super::{Ended, Epoch, Event, Flow, Stepper};
use crate::data::{Examples, Targets};
use crate::error::Result;
use crate::random;
use crate::streams;
use crate::thin;

/// Hears of a run.
type Watch<'a> = dyn FnMut(&Event) -> Flow + Send + 'a;

/// A run under way.
pub(super) struct Run<'a> {
    trainer: &'a Trainer<'a>,
    examples: &'a Examples,
    valid: Option<&'a Examples>,
    /// What each training row counts, 1 on average; none where it is 1 for each.
    weights: Option<Vec<f32>>,
    stepper: Stepper,
    /// The training rows, as the epoch has them.
    order: Vec<usize>,
    stopping: Stopping,
    averaging: Averaging,
    /// The parameters to fall back on, and their epoch.
    chosen: (Vec<f32>, u64),
    history: Vec<Epoch>,
    steps: u64,
    rows: u64,
    /// Steps of an epoch that nothing ends before.
    epoch_steps: u64,
    /// Steps of the run if no limit ends it before.
    total_steps: u64,
    began: Instant,
}

/// What the mini-batches of an epoch leave.
#[derive(Clone, Copy, Debug)]
struct Pass {
    /// The sum of the rows' losses.
    loss: f64,
    /// Rows trained.
    rows: u64,
    /// That of the last step.
    learning_rate: f64,
    /// How the run ended, if it did.
    ended: Option<Ended>,
}

impl<'a> Run<'a> {
    /// A run of a trainer on `examples`, which count `weights`; its steps have the mini-batches that the
    /// stepper was made for.
    pub fn new(
        trainer: &'a Trainer<'a>,
        examples: &'a Examples,
        valid: Option<&'a Examples>,
        weights: Option<Vec<f32>>,
        stepper: Stepper,
    ) -> Self {
        let spec = trainer.train;
        let epoch_steps = examples.rows().div_ceil(stepper.batch) as u64;
        let limits = [spec.epochs.saturating_mul(epoch_steps), spec.steps];
        let total_steps = limits.into_iter().filter(|&limit| limit > 0).min().unwrap_or(u64::MAX);
        let stepper = stepper.for_run(examples.rows(), total_steps);
        Self {
            trainer,
            examples,
            valid,
            weights,
            order: (0..examples.rows()).collect(),
            stopping: Stopping::new(spec.patience_for(valid.is_some()), spec.min_improvement),
            averaging: Averaging::new(spec.weight_average, stepper.network()),
            chosen: (stepper.network().values().to_vec(), 0),
            stepper,
            history: Vec::new(),
            steps: 0,
            rows: 0,
            epoch_steps,
            total_steps,
            began: Instant::now(),
        }
    }

    /// Trains until something ends the run, and puts the chosen parameters back.
    pub fn finish(mut self, watch: &mut Watch) -> Result<Outcome> {
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

    /// An epoch; how the run ended, if it did.
    fn epoch(&mut self, watch: &mut Watch) -> Result<Option<Ended>> {
        let number = self.history.len() as u64 + 1;
        shuffle(&mut self.order, self.trainer.seed, number);
        let pass = self.pass(watch)?;
        if matches!(pass.ended, Some(Ended::NotFinite { .. })) {
            return Ok(pass.ended);
        }
        self.close(number, pass, watch)
    }

    /// The mini-batches of an epoch, or as many of them as the run still has.
    fn pass(&mut self, watch: &mut Watch) -> Result<Pass> {
        let mut pass = Pass { loss: 0.0, rows: 0, learning_rate: 0.0, ended: None };
        let mut end = (self.steps + self.epoch_steps).min(self.total_steps);
        for batch in self.order.chunks(self.stepper.batch) {
            // Until the end of the epoch nobody looks at the parameters, but for a mean over the steps.
            let unseen = if self.averaging.watches_steps() { self.steps + 1 } else { end };
            let mut learning_rates = [0.0; WINDOW];
            let coming = (self.steps..unseen).zip(&mut learning_rates);
            let known = coming.map(|(step, rate)| *rate = self.learning_rate(step)).count();
            pass.learning_rate = learning_rates[0];
            let (weights, learning_rates) = (self.weights.as_deref(), &learning_rates[..known]);
            let step_loss = self.stepper.step(self.examples, weights, batch, learning_rates)?;
            if !step_loss.is_finite() {
                let (step, learning_rate) = (self.steps, pass.learning_rate as f32);
                return Ok(Pass { ended: Some(Ended::NotFinite { step, learning_rate }), ..pass });
            }
            self.averaging.after_step(self.stepper.network());
            pass.loss += step_loss * batch.len() as f64;
            pass.rows += batch.len() as u64;
            self.steps += 1;
            let (steps, total_steps, loss) = (self.steps, self.total_steps, pass.loss / pass.rows as f64);
            let flow = watch(&Event::Step { steps, total_steps, loss, rows: self.rows + pass.rows });
            pass.ended = pass.ended.or_else(|| self.limit(flow));
            if pass.ended.is_some() {
                // Weights that are ahead of the others wait for them.
                end = end.min(self.stepper.reached());
            }
            if self.steps == end {
                break;
            }
        }
        Ok(pass)
    }

    /// What follows the mini-batches of an epoch: the mean of the weights, validation, history and choice.
    fn close(&mut self, number: u64, pass: Pass, watch: &mut Watch) -> Result<Option<Ended>> {
        self.rows += pass.rows;
        self.averaging.after_epoch(self.stepper.network(), self.steps as f64 / self.total_steps as f64);
        let validated = self.valid.map(|valid| self.validate(valid)).transpose()?;
        // The last step may have gone astray; no later one would notice.
        let finite = self.stepper.network().values().iter().all(|value| value.is_finite());
        if !finite || validated.is_some_and(|(loss, _)| !loss.is_finite()) {
            let (step, learning_rate) = (self.steps - 1, pass.learning_rate as f32);
            return Ok(Some(Ended::NotFinite { step, learning_rate }));
        }
        let epoch = Epoch {
            epoch: number,
            steps: self.steps,
            learning_rate: pass.learning_rate,
            train_loss: pass.loss / pass.rows as f64,
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
        Ok(pass.ended.or_else(|| self.limit(flow)).or(over.then_some(Ended::Patience)))
    }

    fn learning_rate(&self, step: u64) -> f64 {
        let spec = self.trainer.train;
        let at = Moment { step, epoch_steps: self.epoch_steps, total_steps: self.total_steps };
        f64::from(spec.learning_rate) * spec.schedule_for().factor(at, spec.warmup)
    }

    /// What ends the run now, if anything does.
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
        let objective = self.stepper.objective.without_smoothing();
        let (mut loss, mut wrong, mut total) = (0.0, 0.0, 0.0);
        for row in 0..valid.rows() {
            let (row_loss, row_wrong) = objective.judge(outputs.row(row), &valid.targets, row);
            let weight = valid.weight(row);
            loss += weight * row_loss;
            total += weight;
            if row_wrong {
                wrong += weight;
            }
        }
        let error = matches!(valid.targets, Targets::Classes { .. }).then_some(wrong / total);
        Ok((loss / total, error))
    }
}

/// Puts rows into the order of an epoch (Fisher and Yates). Each epoch shuffles the order of the one before.
fn shuffle(order: &mut [usize], seed: u32, epoch: u64) {
    let key = Key { seed, stream: streams::SHUFFLE };
    for last in (1..order.len()).rev() {
        let counter = Counter { block: last as u32, row: 0, step: epoch };
        order.swap(last, random::below_counter(key, counter, last + 1));
    }
}
