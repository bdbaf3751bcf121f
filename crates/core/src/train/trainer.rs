//! A run from outside: what decides it, and what it leaves.

use thinnet_kernels::Isa;

use super::run::Run;
use super::{Ended, Epoch, Event, Flow, Objective, Stepper, Threads, TrainSpec};
use crate::data::Examples;
use crate::error::{Error, Result};
use crate::network::{Network, NetworkSpec};
use crate::thin::ThinSpec;

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
            objective.check(valid, &network)?;
            mean_one("validation rows", valid.weights.as_deref())?;
        }
        let weights = mean_one("training rows", examples.weights.as_deref())?;
        let batch = self.train.batch_for(examples.rows()).min(examples.rows());
        threads.run(|| {
            let stepper =
                Stepper::new(self.isa, network, self.thin, self.train, objective, batch, self.seed)?;
            Run::new(self, examples, valid, weights, stepper).finish(watch)
        })
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
