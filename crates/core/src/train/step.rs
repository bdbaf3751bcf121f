//! One step of training: thin, forward, loss, backward, update.

use super::loss::Labelled;
use super::stepper::{Stepper, Working};
use super::threads;
use crate::data::Examples;
use crate::error::Result;
use crate::thin::{Sample, Slice};

impl Stepper {
    /// One step on some rows of the examples; `weights` says what each of all rows counts. Returns
    /// the mean loss of the thinned networks. Runs on the threads of the pool it is called from.
    ///
    /// `learning_rates` holds the rate of this step, and may hold those of steps that are sure to
    /// follow before the parameters are looked at: the weights of units that none of these keeps
    /// are then moved through them now, which saves a pass over them. All steps together leave the same
    /// parameters, to the last bit.
    ///
    /// # Errors
    /// [`crate::Error::Argument`] if the examples do not fit the network, a row does not exist, or
    /// there are no rows or more than the batch that this was made for, or no learning rate.
    pub fn step(
        &mut self,
        examples: &Examples,
        weights: Option<&[f32]>,
        rows: &[usize],
        learning_rates: &[f64],
    ) -> Result<f64> {
        self.check(examples, weights, rows, learning_rates)?;
        let Self { isa, network, thinning, objective, .. } = self;
        let sample = Sample::Training { step: self.step };
        let length = self.spec.slice;
        let factor = 1.0 / rows.len() as f32;
        let (pair, batch) = (self.spec.pair, self.batch);
        let slices = &mut self.slices[..rows.len().div_ceil(length)];
        threads::for_each(slices, self.parallel, &|Working { slice, number, twin, loss }| {
            let first = *number * length;
            let rows = &rows[first..rows.len().min(first + length)];
            let forward = |slice: &mut Slice, sample: Sample, first_row: usize| {
                slice.thin(thinning, sample, first_row as u32);
                slice.load(thinning, rows.iter().map(|&row| examples.inputs.row(row)));
                slice.forward(network, thinning, 0..network.layers().len());
            };
            forward(slice, sample, first);
            let padded = slice.padded();
            let (outputs, gradients) = slice.outputs_and_gradients();
            let labelled = Labelled { targets: &examples.targets, rows, weights, factor };
            *loss = objective.differentiate(*isa, &labelled, outputs, padded, gradients);
            if let (Some(twin), Some(sample)) = (twin, pair.sample(sample)) {
                // The rows of the twins follow those of the mini-batch.
                forward(twin, sample, batch + first);
                *loss = pair.differentiate(objective, *isa, &labelled, *loss, [slice, twin]);
                twin.backward(network, thinning);
            }
            slice.backward(network, thinning);
        });
        let loss = slices.iter().map(|slice| slice.loss).sum::<f64>() / rows.len() as f64;
        self.update(rows.len().div_ceil(length), learning_rates);
        self.step += 1;
        Ok(loss)
    }
}
