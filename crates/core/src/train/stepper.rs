//! What a step works with.

use std::sync::Mutex;

use thinnet_kernels::{Isa, memory};

use super::ahead::Ahead;
use super::blocks::{self, Block};
use super::regulariser::Regulariser;
use super::update::{Scratch, learns_of_weights};
use super::{Objective, Pair, TrainSpec};
use crate::data::Examples;
use crate::error::{Error, Result};
use crate::network::Network;
use crate::thin::{Buffers, Slice, ThinSpec, Thinning};

/// Work below which threads cost more than they bring: multiply-adds of a mini-batch.
const WORTH_SHARING: usize = 1_000_000;

/// Everything that a step needs, allocated once.
#[derive(Debug)]
pub struct Stepper {
    pub(super) isa: Isa,
    pub(super) network: Network,
    pub(super) thinning: Thinning,
    pub(super) objective: Objective,
    pub(super) spec: TrainSpec,
    pub(super) slices: Vec<Working>,
    pub(super) parallel: bool,
    /// The number of the next step.
    pub(super) step: u64,
    pub(super) regulariser: Regulariser,
    /// The most rows of a mini-batch.
    pub(super) batch: usize,
    pub(super) blocks: Vec<Block>,
    pub(super) ahead: Ahead,
    /// How many steps this one applies to the units of all layers, one after the other.
    pub(super) counts: Vec<u8>,
    /// One for each thread.
    pub(super) scratch: Vec<Mutex<Scratch>>,
    /// What the rule of the update keeps for each parameter: Adam's means, or the velocities of descent.
    pub(super) first_moments: Vec<f32>,
    /// Adam's squares; empty for descent.
    pub(super) second_moments: Vec<f32>,
    /// The gradient of all parameters, kept only where it is clipped or weights have a divergence.
    pub(super) gradients: Vec<f32>,
    /// 0, 1, 2, …: the lists of products whose lines or steps are all there.
    pub(super) positions: Vec<u32>,
}

/// A slice of a mini-batch, and what is trained on it.
#[derive(Debug)]
pub(super) struct Working {
    pub slice: Slice,
    pub number: usize,
    /// The second network of a pair, on the same rows.
    pub twin: Option<Slice>,
    /// The sum of its rows' losses.
    pub loss: f64,
}

impl Working {
    /// The slices of a mini-batch of `batch` rows, each with its second network where the loss is over pairs.
    fn all(
        isa: Isa,
        network: &Network,
        thin: &ThinSpec,
        train: &TrainSpec,
        thinning: &Thinning,
        batch: usize,
    ) -> Vec<Self> {
        let count = batch.div_ceil(train.slice);
        let first_twin = thin.masks.map_or(count, |masks| masks.first_twin(count));
        let working = |number: usize| {
            let rows = train.slice.min(batch - number * train.slice);
            let slice = |number: usize| {
                let mut slice = Slice::new(isa, network, rows, number as u32, Buffers::Train);
                slice.make_room(thinning);
                slice
            };
            let twin = (train.pair != Pair::None).then(|| slice(first_twin + number));
            Self { slice: slice(number), number, twin, loss: 0.0 }
        };
        (0..count).map(working).collect()
    }
}

impl Stepper {
    /// Allocates all that steps on mini-batches of up to `batch` rows need.
    ///
    /// # Errors
    /// [`Error::Spec`] if a field cannot be used, [`Error::Machine`] if it does not fit into memory.
    pub fn new(
        isa: Isa,
        network: Network,
        thin: &ThinSpec,
        train: &TrainSpec,
        objective: Objective,
        batch: usize,
        seed: u32,
    ) -> Result<Self> {
        train.check()?;
        train.pair.check_with(thin)?;
        let thinning = Thinning::new(thin, &network, seed)?;
        let slices = Working::all(isa, &network, thin, train, &thinning, batch);
        let blocks = blocks::cut(&network);
        let count = network.values().len();
        let zeros = |needed: bool| {
            memory::zeros(if needed { count } else { 0 }).map_err(|_| {
                Error::Machine(format!(
                    "{count} parameters and what {:?} keeps do not fit into memory",
                    train.optimizer
                ))
            })
        };
        let widest = network.layers().iter().map(|layer| layer.units).max().unwrap_or(0);
        let parallel = network.parameters().saturating_mul(batch) > WORTH_SHARING;
        let units = network.layers().iter().map(|layer| layer.units).sum();
        // A network that is too small to share stays in the caches, where no pass over it is worth saving.
        let masks = train.pair.masks(slices.len()).filter(|_| parallel);
        Ok(Self {
            isa,
            ahead: Ahead::new(&network, &thinning, masks),
            counts: vec![0; units],
            thinning,
            objective,
            spec: train.clone(),
            parallel,
            scratch: Scratch::for_threads(blocks::scratch_length(&network, &blocks)),
            first_moments: zeros(true)?,
            second_moments: zeros(train.optimizer.has_squares())?,
            // The divergence of learned noise couples weights with what is learned of them.
            gradients: zeros(train.clip > 0.0 || learns_of_weights(&network))?,
            positions: (0..widest.max(train.slice) as u32).collect(),
            step: 0,
            regulariser: Regulariser::new(thin, objective.loss(), &network, batch),
            batch,
            network,
            slices,
            blocks,
        })
    }

    /// The same for a run on so many rows and of so many steps: what is learned of the noise is weighed
    /// against the rows (without this, those of a batch), and a schedule of the rates ends with the steps.
    #[must_use]
    pub fn for_run(mut self, rows: usize, total_steps: u64) -> Self {
        self.regulariser = self.regulariser.for_rows(rows);
        self.thinning = self.thinning.with_total_steps(total_steps);
        self
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The rates of the run.
    pub fn thinning(&self) -> &Thinning {
        &self.thinning
    }

    /// Refuses what a step could not take.
    pub(super) fn check(
        &self,
        examples: &Examples,
        weights: Option<&[f32]>,
        rows: &[usize],
        learning_rates: &[f64],
    ) -> Result<()> {
        self.objective.check(examples, &self.network)?;
        let (all, batch) = (examples.rows(), self.batch);
        if rows.is_empty() || rows.len() > batch {
            return Err(Error::argument("rows", format!("{} rows for a batch of 1 to {batch}", rows.len())));
        }
        if let Some(row) = rows.iter().find(|&&row| row >= all) {
            return Err(Error::argument("rows", format!("there is no row {row} among {all}")));
        }
        if let Some(weights) = weights
            && weights.len() != all
        {
            return Err(Error::argument("weights", format!("{} weights for {all} rows", weights.len())));
        }
        if learning_rates.is_empty() {
            return Err(Error::argument("learning_rates", "there is none for this step"));
        }
        Ok(())
    }

    /// How many steps must be done before all parameters stand at the same one.
    pub(super) fn reached(&self) -> u64 {
        self.step.max(self.ahead.furthest())
    }

    /// Puts back parameters that [`Network::values`] gave before.
    pub(super) fn restore(&mut self, values: &[f32]) {
        self.network.values_mut().copy_from_slice(values);
    }

    /// Ends the run: the network that it leaves.
    pub fn into_network(self) -> Network {
        self.network
    }
}
