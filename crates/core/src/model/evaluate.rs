//! How good a model is on rows with known targets.

use serde::{Deserialize, Serialize};

use super::Model;
use crate::average::{Average, Averaged, deviation, ensemble};
use crate::data::{Data, Examples, Matrix, Targets};
use crate::error::Result;
use crate::measure::{Classification, Disagreement, Regression};
use crate::train::Threads;

/// The measures of a classification or a regression.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "lowercase")]
pub enum Evaluation {
    /// Of classes.
    Classification(Classification),
    /// Of numbers, in the target's own units.
    Regression(Regression),
}

/// How good an ensemble is, how good its members are, and how far they disagree.
#[derive(Clone, Debug, Serialize)]
pub struct MembersEvaluation {
    /// All members together.
    pub ensemble: Evaluation,
    /// Each member alone.
    pub members: Vec<Evaluation>,
    /// How far they disagree; values in the target's own units.
    pub disagreement: Disagreement,
}

impl Model {
    /// Predicts rows whose targets are known, and measures the predictions. With
    /// [`Average::MonteCarlo`] the log-likelihood of a regression by a single network is that of the mixture
    /// of the sampled ones ([`average_with_targets`](crate::average::average_with_targets)). With other
    /// averages, of several members, and of networks that predict the variance of the observations it is that
    /// of a normal distribution of their mean and spread.
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
        let (averaged, mut densities): (Vec<_>, Vec<_>) =
            self.average_members_on(examples, by, seed, threads)?.into_iter().unzip();
        // The mixture of the networks of several members has another noise than theirs.
        let densities = if densities.len() == 1 { densities.remove(0) } else { None };
        self.judge(&ensemble(averaged)?, densities, self.noise, examples)
    }

    /// As [`Model::measure`] by [`Average::WeightScaling`], where the errors on the validation rows give a
    /// regression its spread, so that its log-likelihood, coverage and width are known too.
    ///
    /// # Errors
    /// As [`Model::measure`].
    pub fn measure_with_noise(&self, examples: &Examples, threads: &Threads) -> Result<Evaluation> {
        let mut averaged = self.average(&examples.inputs, Average::WeightScaling, 0, threads)?;
        // A density without any width has no finite logarithm.
        if self.noise.is_some_and(|noise| noise > 0.0) {
            averaged = self.with_noise(averaged);
        }
        self.judge(&averaged, None, self.noise, examples)
    }

    /// Standardised predictions of a regression that have no spread, as those of a single network by
    /// [`Average::WeightScaling`], with one of 0, so that the noise of the observations is all of it
    /// ([`Model::in_own_units`]). Others stay as they are.
    pub fn with_noise(&self, averaged: Averaged) -> Averaged {
        match (&averaged.spread, self.noise) {
            (None, Some(_)) => {
                let spread = Some(Matrix::zeros(averaged.mean.rows(), averaged.mean.columns()));
                Averaged { spread, ..averaged }
            }
            _ => averaged,
        }
    }

    /// As [`Model::evaluate`], with each member alone and their disagreement. The members of a single network
    /// with fixed masks, of which [`Average::MonteCarlo`] samples several, are the networks of these masks.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn evaluate_members(
        &self,
        data: &Data,
        by: Average,
        seed: u32,
        threads: &Threads,
    ) -> Result<MembersEvaluation> {
        self.measure_members(&self.pipeline.examples(data, None)?, by, seed, threads)
    }

    /// The same for prepared examples.
    ///
    /// # Errors
    /// As [`Model::measure`].
    pub fn measure_members(
        &self,
        examples: &Examples,
        by: Average,
        seed: u32,
        threads: &Threads,
    ) -> Result<MembersEvaluation> {
        let (averaged, densities): (Vec<_>, Vec<_>) =
            self.average_members_on(examples, by, seed, threads)?.into_iter().unzip();
        let each = averaged.iter().zip(densities).zip(self.members());
        let members = each.map(|((averaged, densities), member)| {
            self.judge(averaged, densities, member.run.noise, examples)
        });
        let mut members = members.collect::<Result<Vec<Evaluation>>>()?;
        let ensemble = match &members[..] {
            [only] => only.clone(),
            _ => self.judge(&ensemble(averaged.clone())?, None, self.noise, examples)?,
        };
        let masked = self.masked(examples, by, seed, threads)?;
        if !masked.is_empty() {
            let alone = masked.iter().map(|alone| self.judge(alone, None, self.noise, examples));
            members = alone.collect::<Result<_>>()?;
        }
        let apart = if masked.is_empty() { &averaged } else { &masked };
        let (means, weights): (Vec<&Matrix>, _) =
            (apart.iter().map(|averaged| &averaged.mean).collect(), examples.weights.as_deref());
        let disagreement = if self.pipeline.classes().is_empty() {
            let mut measured = Disagreement::of_values(&means, weights)?;
            measured.deviation *= self.pipeline.denormalise_spread(1.0);
            measured
        } else {
            Disagreement::of_probabilities(&means, weights)?
        };
        Ok(MembersEvaluation { ensemble, members, disagreement })
    }

    /// What the network of each fixed mask predicts, where a single network has several and they are sampled;
    /// else nothing.
    fn masked(
        &self,
        examples: &Examples,
        by: Average,
        seed: u32,
        threads: &Threads,
    ) -> Result<Vec<Averaged>> {
        let (Some(masks), Average::MonteCarlo { samples, .. }, [_]) =
            (self.spec.thin.masks, by, self.members())
        else {
            return Ok(Vec::new());
        };
        // The masks take turns: further samples are the same networks again.
        let by = Average::monte_carlo(samples.min(masks.members));
        self.samples(&examples.inputs, by, seed, threads)
    }

    /// Measures what was predicted of some examples; `noise` is that of the errors of a regression, and
    /// `densities` the logarithms of its targets' densities, where these are known better than from mean and
    /// spread.
    pub(super) fn judge(
        &self,
        averaged: &Averaged,
        densities: Option<Vec<f64>>,
        noise: Option<f32>,
        examples: &Examples,
    ) -> Result<Evaluation> {
        let weights = examples.weights.as_deref();
        match &examples.targets {
            Targets::Classes { labels, .. } => {
                Classification::new(&averaged.mean, labels, weights).map(Evaluation::Classification)
            }
            Targets::Values(values) => {
                // In standardised numbers, because f32 has no digits left for what is far from 0.
                let spread = spread_with_noise(averaged, noise)?;
                let measured = Regression::new(&averaged.mean, spread.as_ref(), values, weights)?;
                let mut measured = measured.times(self.pipeline.denormalise_spread(1.0));
                if let Some(densities) = densities {
                    measured.log_likelihood = Some(self.mean_density(&densities, weights));
                }
                Ok(Evaluation::Regression(measured))
            }
        }
    }

    /// The mean of the rows' log-densities, from standardised values to the target's unit.
    fn mean_density(&self, densities: &[f64], weights: Option<&[f32]>) -> f64 {
        let weight = |row: usize| weights.map_or(1.0, |weights| f64::from(weights[row]));
        let total: f64 = (0..densities.len()).map(weight).sum();
        let sum: f64 = densities.iter().enumerate().map(|(row, density)| weight(row) * density).sum();
        sum / total - libm::log(self.pipeline.denormalise_spread(1.0))
    }

    /// Predicted values in the target's units, and their standard deviation: the spread of the
    /// sampled networks together with the noise of the observations. There is one also without a spread where
    /// the network predicts that noise.
    ///
    /// # Errors
    /// None that a model from [`super::fit()`] can cause.
    pub fn in_own_units(&self, averaged: &Averaged) -> Result<Averaged> {
        let mean = &averaged.mean;
        let own = mean.values().iter().map(|&value| self.pipeline.denormalise(value) as f32).collect();
        let mut spread = spread_with_noise(averaged, self.noise)?;
        spread.iter_mut().for_each(|spread| self.denormalise_spreads(spread));
        Ok(Averaged::new(Matrix::new(mean.rows(), mean.columns(), own)?, spread))
    }

    /// How far the members lie apart in each prediction: the standard deviation over them of the
    /// probabilities, `[rows, classes]`, or of the values, in the target's units.
    ///
    /// # Errors
    /// As [`deviation`].
    pub fn disagreement(&self, members: &[Averaged]) -> Result<Matrix> {
        let mut deviations = deviation(members)?;
        self.denormalise_spreads(&mut deviations);
        Ok(deviations)
    }

    fn denormalise_spreads(&self, spreads: &mut Matrix) {
        let own = |spread: &mut f32| *spread = self.pipeline.denormalise_spread(*spread) as f32;
        spreads.values_mut().iter_mut().for_each(own);
    }
}

/// The standard deviation of standardised predictions: the spread of the sampled networks together with the noise
/// of the observations, where either varies with the row.
fn spread_with_noise(averaged: &Averaged, noise: Option<f32>) -> Result<Option<Matrix>> {
    let Averaged { mean, spread, noise: predicted } = averaged;
    let at = |matrix: &Option<Matrix>, at: usize| matrix.as_ref().map(|matrix| matrix.values()[at]);
    let total = |index: usize| {
        let spread = at(spread, index).unwrap_or(0.0);
        let noise = at(predicted, index).or(noise).unwrap_or(0.0);
        (spread * spread + noise * noise).sqrt()
    };
    (spread.is_some() || predicted.is_some())
        .then(|| Matrix::new(mean.rows(), mean.columns(), (0..mean.values().len()).map(total).collect()))
        .transpose()
}
