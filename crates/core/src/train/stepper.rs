//! What a step works with, and its last part: the update of the parameters.

use std::sync::{Mutex, MutexGuard, PoisonError};

use thinnet_kernels::memory::{self, Lines};
use thinnet_kernels::{Isa, edge_noise, line, reduce};

use super::ahead::{Ahead, WINDOW};
use super::blocks::{self, Block, Parameters, Part};
use super::optimizer::Update;
use super::regulariser::Regulariser;
use super::trainer::fits;
use super::{Objective, Pair, TrainSpec};
use crate::data::Examples;
use crate::error::{Error, Result};
use crate::network::{Layer, Learned, Network};
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
    pub(super) step: u64,
    regulariser: Regulariser,
    pub(super) batch: usize,
    blocks: Vec<Block>,
    ahead: Ahead,
    /// How many steps this one applies to the units of all layers, one after the other.
    counts: Vec<u8>,
    scratch: Vec<Mutex<Scratch>>,
    /// What the optimizer keeps for each parameter: velocities, or means and squares.
    first: Vec<f32>,
    second: Vec<f32>,
    /// The gradient of all parameters, kept only where it is clipped or weights have a divergence.
    gradients: Vec<f32>,
    /// 0, 1, 2, …: the lists of products whose lines or steps are all there.
    positions: Vec<u32>,
}

/// A slice, and the sum of its rows' losses.
#[derive(Debug)]
pub(super) struct Working {
    pub slice: Slice,
    pub number: usize,
    /// The second network of a pair, on the same rows.
    pub twin: Option<Slice>,
    pub loss: f64,
}

/// The gradients of one block, and of the kept units of one slice.
#[derive(Debug)]
struct Scratch {
    whole: Lines,
    compact: Lines,
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
        let count = batch.div_ceil(train.slice);
        let first_twin = thin.masks.map_or(count, |masks| masks.first_twin(count));
        let new_slice = |number: usize| {
            let rows = train.slice.min(batch - number * train.slice);
            let slice = |number: usize| Slice::new(isa, &network, rows, number as u32, Buffers::Train);
            let twin = (train.pair != Pair::None).then(|| slice(first_twin + number));
            Working { slice: slice(number), number, twin, loss: 0.0 }
        };
        let mut slices: Vec<Working> = (0..count).map(new_slice).collect();
        for Working { slice, twin, .. } in &mut slices {
            slice.make_room(&thinning);
            if let Some(twin) = twin {
                twin.make_room(&thinning);
            }
        }
        let blocks = blocks::cut(&network);
        let length = blocks::scratch_length(&network, &blocks);
        let new_scratch =
            || Mutex::new(Scratch { whole: Lines::zeros(length), compact: Lines::zeros(length) });
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
        // The whole network of an expectation-linear pair gives every unit a gradient.
        let (lazy, masks) = match train.pair {
            Pair::None => (parallel, slices.len()),
            Pair::RDrop { .. } => (parallel, 2 * slices.len()),
            Pair::ExpectationLinear { .. } => (false, 0),
        };
        Ok(Self {
            isa,
            ahead: Ahead::new(&network, &thinning, masks, lazy),
            counts: vec![0; units],
            thinning,
            objective,
            spec: train.clone(),
            parallel,
            scratch: (0..rayon::current_num_threads()).map(|_| new_scratch()).collect(),
            first: zeros(true)?,
            second: zeros(train.optimizer.has_squares())?,
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
    pub(super) fn check(&self, examples: &Examples, weights: Option<&[f32]>, rows: &[usize]) -> Result<()> {
        fits(examples, &self.network, self.objective)?;
        let (all, batch) = (examples.rows(), self.batch);
        if rows.is_empty() || rows.len() > batch {
            return Err(Error::argument("rows", format!("{} rows for a batch of 1 to {batch}", rows.len())));
        }
        if let Some(row) = rows.iter().find(|&&row| row >= all) {
            return Err(Error::argument("rows", format!("there is no row {row} among {all}")));
        }
        match weights {
            Some(weights) if weights.len() != all => {
                Err(Error::argument("weights", format!("{} weights for {all} rows", weights.len())))
            }
            _ => Ok(()),
        }
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

    /// Moves the parameters by the gradients of the first `count` slices, and those of units that
    /// coming steps do not keep through these steps too.
    pub(super) fn update(&mut self, count: usize, learning_rates: &[f64]) {
        let update = Update::new(self.isa, &self.spec, self.step, learning_rates);
        self.regulariser.begin(self.isa, &self.network, self.step);
        let factor = if self.gradients.is_empty() { 1.0 } else { self.store_gradients(count) };
        self.plan(learning_rates.len());
        let Self {
            isa,
            network,
            slices,
            blocks,
            scratch,
            first,
            second,
            gradients,
            positions,
            counts,
            regulariser,
            ..
        } = self;
        let regulariser = &*regulariser;
        let (shape, values) = network.shape_and_values_mut();
        let parameters = Parameters { values, first, second };
        blocks::for_each(blocks, parameters, self.parallel, &|block, mut parameters| {
            let Scratch { whole, compact } = &mut *own(scratch);
            let layer = &shape[block.layer];
            if gradients.is_empty() {
                block_gradients(&slices[..count], layer, block, parameters.values, positions, compact, whole);
            } else {
                let stored = &gradients[block.at..][..block.length(layer)];
                whole.iter_mut().zip(stored).for_each(|(to, from)| *to = from * factor);
            }
            if block.part != Part::Weights {
                let length = block.length(layer);
                let (values, first, second) = parameters.line(0, length);
                if block.part == Part::Noise {
                    regulariser.add(*isa, block.layer, layer, values, &mut whole[..length]);
                }
                update.free(&whole[..length], values, first, second);
                if block.part == Part::Noise {
                    regulariser.bound(layer, values);
                }
                return;
            }
            let update = update.with_l2(regulariser.l2(block.layer));
            let length = line(layer.inputs);
            for (unit, &count) in counts[block.first_unit..][..block.units.len()].iter().enumerate() {
                if count > 0 {
                    let (weights, first, second) = parameters.line(unit * layer.stride, length);
                    let gradients = &mut whole[unit * layer.stride..][..length];
                    update.weights(count.into(), gradients, weights, first, second);
                }
            }
        });
    }

    /// How many of `steps` steps, this one and those that follow, are applied to each unit now.
    fn plan(&mut self, steps: usize) {
        let end = self.step + steps.clamp(1, WINDOW) as u64;
        self.ahead.draw(self.isa, &self.thinning, self.step, end);
        let mut counts = &mut self.counts[..];
        for (index, layer) in self.network.layers().iter().enumerate() {
            let (of_layer, rest) = counts.split_at_mut(layer.units);
            self.ahead.plan(index, self.step, end, of_layer);
            counts = rest;
        }
    }

    /// Writes the gradients of all parameters and returns what they are still to be multiplied by, so that
    /// their norm is clipped. The divergence of the noise of weights is no part of that norm, but is added
    /// here: its gradient by a weight needs what is learned of it, and the reverse, before either has moved.
    fn store_gradients(&mut self, count: usize) -> f32 {
        let Self { isa, network, slices, blocks, scratch, gradients, positions, regulariser, .. } = self;
        let parameters = Parameters { values: gradients, first: &mut [], second: &mut [] };
        blocks::for_each(blocks, parameters, self.parallel, &|block, parameters| {
            let Scratch { compact, .. } = &mut *own(scratch);
            let layer = &network.layers()[block.layer];
            let (values, to) = (&network.values()[block.at..][..block.length(layer)], parameters.values);
            block_gradients(&slices[..count], layer, block, values, positions, compact, to);
            if block.part == Part::Noise && layer.learned == Learned::Weights {
                // What is learned of a weight is the logarithm of its variance.
                edge_noise::multiply_by_exponential(*isa, values, &mut to[..values.len()]);
            }
        });
        let clip = self.spec.clip;
        let norm = if clip > 0.0 { reduce::sum_of_squares(*isa, gradients).sqrt() } else { 0.0 };
        let factor = if norm > clip { clip / norm } else { 1.0 };
        if !learns_of_weights(network) {
            return factor;
        }
        let parameters = Parameters { values: gradients, first: &mut [], second: &mut [] };
        blocks::for_each(blocks, parameters, self.parallel, &|block, parameters| {
            reduce::multiply(*isa, parameters.values, factor);
            regulariser.add_of_weights(*isa, network, block, parameters.values);
        });
        1.0
    }
}

/// The scratch of the thread that asks. Nobody else asks for it, so the lock is always free.
fn own(scratch: &[Mutex<Scratch>]) -> MutexGuard<'_, Scratch> {
    let thread = rayon::current_thread_index().unwrap_or(0);
    scratch[thread % scratch.len()].lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether something is learned of each weight's noise.
fn learns_of_weights(network: &Network) -> bool {
    network.layers().iter().any(|layer| layer.learned == Learned::Weights)
}

/// Writes the gradients of a block, whose parameters are `values`, to `whole`: those of its slices in
/// their order.
fn block_gradients(
    slices: &[Working],
    layer: &Layer,
    block: &Block,
    values: &[f32],
    positions: &[u32],
    compact: &mut [f32],
    whole: &mut [f32],
) {
    if block.part != Part::Weights {
        whole[..block.length(layer)].fill(0.0);
    }
    let networks = slices.iter().flat_map(|working| [Some(&working.slice), working.twin.as_ref()]).flatten();
    for (number, slice) in networks.enumerate() {
        match block.part {
            Part::Weights => {
                let (first, units) = (number == 0, block.units.clone());
                slice.weight_gradients(block.layer, units, first, values, positions, compact, whole);
            }
            Part::Biases => slice.bias_gradients(block.layer, values, compact, whole),
            Part::Noise if layer.learned == Learned::Weights => {
                slice.variance_gradients(block.layer, block.units.clone(), positions, whole);
            }
            Part::Noise => slice.noise_gradients(layer, block.layer, whole),
        }
    }
}
