//! What a study measures, in the units of the papers, and how far a mean over runs can be trusted.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::measure::{Estimate, Student};

/// One of the numbers that a run gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Test rows whose most probable class is wrong, in percent.
    Error,
    /// The mean negative log-likelihood of the test rows, in nats.
    Nll,
    /// The expected calibration error on the test rows.
    Ece,
    /// The same as `error`, on the training rows, by weight scaling.
    TrainError,
    /// The root mean squared error of the test rows, in the target's unit.
    Rmse,
    /// The mean log-likelihood of the test rows' targets, in nats and the target's unit.
    LogLikelihood,
    /// Seconds of training.
    Seconds,
    /// Milliseconds of a step of training.
    StepMilliseconds,
    /// The mean activation of a hidden layer on the test rows, before anything is scaled for prediction.
    MeanActivation,
    /// Activations near zero, in percent.
    Sparsity,
    /// The mean absolute correlation of two units.
    Correlation,
    /// How many independent units would vary as much as those of the layer.
    EffectiveRank,
    /// Half the sum of squared covariances of units.
    Decov,
    /// How pairs of units act together on the loss.
    Interaction,
}

/// Which values of a measure are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Good {
    /// Low ones.
    Low,
    /// High ones.
    High,
    /// Neither: it only describes.
    Neither,
}

impl Measure {
    /// What stands above its column: the name, and the unit behind a comma.
    pub fn title(self) -> &'static str {
        match self {
            Measure::Error => "error, %",
            Measure::Nll => "nll",
            Measure::Ece => "ece",
            Measure::TrainError => "training error, %",
            Measure::Rmse => "rmse",
            Measure::LogLikelihood => "log-likelihood",
            Measure::Seconds => "seconds",
            Measure::StepMilliseconds => "step, ms",
            Measure::MeanActivation => "mean activation",
            Measure::Sparsity => "near 0, %",
            Measure::Correlation => "correlation",
            Measure::EffectiveRank => "rank",
            Measure::Decov => "decov",
            Measure::Interaction => "interaction",
        }
    }

    /// Which values are good.
    pub fn good(self) -> Good {
        match self {
            Measure::LogLikelihood => Good::High,
            Measure::MeanActivation | Measure::Sparsity | Measure::Interaction => Good::Neither,
            Measure::EffectiveRank => Good::High,
            _ => Good::Low,
        }
    }
}

/// A mean over runs with its 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval: the standard error times the quantile of Student's t distribution; none
    /// of a single run.
    pub half_width: Option<f64>,
    /// The value of each run.
    pub values: Vec<f64>,
}

impl Measured {
    /// Of the values of some runs; none if there are none.
    ///
    /// # Errors
    /// None that a number of runs can cause.
    pub fn of(values: Vec<f64>) -> Result<Option<Self>> {
        let Some(Estimate { mean, standard_error }) = Estimate::of(&values) else { return Ok(None) };
        let half_width = match standard_error {
            Some(error) => Some(error * Student::new(values.len() as f64 - 1.0)?.quantile(0.975)?),
            None => None,
        };
        Ok(Some(Self { mean, half_width, values }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_by_hand() {
        // Standard error sqrt(7 / 3); the quantile is that of a table, 4.3027.
        let of = Measured::of(vec![1.0, 2.0, 6.0]).unwrap().unwrap();
        assert_eq!(of.mean, 3.0);
        assert!((of.half_width.unwrap() - 4.302653 * (7.0_f64 / 3.0).sqrt()).abs() < 1e-5, "{of:?}");
        assert_eq!(Measured::of(vec![2.5]).unwrap().unwrap().half_width, None);
        assert_eq!(Measured::of(Vec::new()).unwrap(), None);
    }

    #[test]
    fn names_are_those_of_the_files() {
        let measure: Measure = serde_json::from_str("\"step_milliseconds\"").unwrap();
        assert_eq!((measure, measure.good()), (Measure::StepMilliseconds, Good::Low));
    }
}
