//! How good a model is on rows with known targets.

use serde::Serialize;

use super::Model;
use crate::average::{Average, Averaged};
use crate::data::{Data, Examples, Matrix, Targets};
use crate::error::Result;
use crate::measure::{Classification, Regression};
use crate::train::Threads;

/// The measures of a classification or a regression.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "task", rename_all = "lowercase")]
pub enum Evaluation {
    /// Of classes.
    Classification(Classification),
    /// Of numbers, in the target's own units.
    Regression(Regression),
}

impl Model {
    /// Predicts rows whose targets are known, and measures the predictions.
    ///
    /// # Errors
    /// Data that do not fit the model, or targets that are missing.
    pub fn evaluate(&self, data: &Data, by: Average, seed: u32, threads: &Threads) -> Result<Evaluation> {
        self.measure(&self.pipeline.examples(data, None)?, by, seed, threads)
    }

    /// The same for prepared examples.
    ///
    /// # Errors
    /// [`crate::Error::Argument`] if the examples do not fit the model.
    pub fn measure(
        &self,
        examples: &Examples,
        by: Average,
        seed: u32,
        threads: &Threads,
    ) -> Result<Evaluation> {
        self.judge(&self.average(&examples.inputs, by, seed, threads)?, examples)
    }

    /// Measures what was averaged on examples.
    pub(super) fn judge(&self, averaged: &Averaged, examples: &Examples) -> Result<Evaluation> {
        let weights = examples.weights.as_deref();
        match &examples.targets {
            Targets::Classes { labels, .. } => {
                Classification::new(&averaged.mean, labels, weights).map(Evaluation::Classification)
            }
            Targets::Values(values) => {
                let (predicted, spread) = self.in_own_units(averaged)?;
                let targets = self.denormalised(values)?;
                Regression::new(&predicted, spread.as_ref(), &targets, weights).map(Evaluation::Regression)
            }
        }
    }

    /// Predicted values in the target's units, and their standard deviation: the spread of the
    /// sampled networks together with the noise of the observations.
    ///
    /// # Errors
    /// None that a model from [`super::fit()`] can cause.
    pub fn in_own_units(&self, averaged: &Averaged) -> Result<(Matrix, Option<Matrix>)> {
        let noise = self.run.noise.unwrap_or(0.0);
        let total = |spread: &Matrix| {
            let total = |&s: &f32| self.pipeline.denormalise_spread((s * s + noise * noise).sqrt()) as f32;
            Matrix::new(spread.rows(), spread.columns(), spread.values().iter().map(total).collect())
        };
        Ok((self.denormalised(&averaged.mean)?, averaged.spread.as_ref().map(total).transpose()?))
    }

    fn denormalised(&self, values: &Matrix) -> Result<Matrix> {
        let own = values.values().iter().map(|&value| self.pipeline.denormalise(value) as f32).collect();
        Matrix::new(values.rows(), values.columns(), own)
    }
}
