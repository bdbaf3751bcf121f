//! A published figure, and how ours compares.

use serde::{Deserialize, Serialize};

use super::{Good, Measure, Measured};
use crate::error::{Error, Result};
use crate::measure::Student;

/// The 97.5 % quantile of the normal distribution.
pub(super) const NORMAL_QUANTILE: f64 = 1.959963984540054;

/// A published figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// What it is of.
    pub measure: Measure,
    /// Which average it is of, or "layer 1". Left out: the first average of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The figure, in the unit of the measure.
    pub value: f64,
    /// Its standard error, where it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// The standard deviation of `runs` runs, where that is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f64>,
    /// Of how many runs it is the mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u32>,
    /// Where it stands, if not at the source of the study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// It has not been compared with its source.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unconfirmed: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// How ours compares with a published figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No difference can be told.
    Within,
    /// Ours is on the good side.
    Better,
    /// Ours is elsewhere.
    Outside,
}

/// With fewer runs an interval is so wide that nearly everything would be within.
pub(super) const FEWEST_RUNS: usize = 3;

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Within => "within",
            Self::Better => "better",
            Self::Outside => "outside",
        })
    }
}

impl Verdict {
    /// Of ours less theirs, where so much is too little to be told.
    pub(super) fn of(good: Good, distance: f64, room: f64) -> Self {
        match good {
            _ if distance.abs() <= room => Verdict::Within,
            Good::Low if distance < 0.0 => Verdict::Better,
            Good::High if distance > 0.0 => Verdict::Better,
            _ => Verdict::Outside,
        }
    }
}

/// When ours is within.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judge {
    /// When the 95 % intervals of ours and theirs meet.
    #[default]
    Intervals,
    /// When our mean lies within one standard error of theirs; ours has no interval then. Where theirs has
    /// no standard error, intervals judge.
    StandardError,
}

impl Judge {
    /// How far ours may lie from theirs to be within: one standard error of theirs, or else half of both
    /// intervals together.
    pub(super) fn room(self, standard_error: Option<f64>, half_widths: f64) -> f64 {
        match (self, standard_error) {
            (Judge::StandardError, Some(error)) => error,
            _ => half_widths,
        }
    }
}

/// Refuses numbers that nobody can have published.
///
/// # Errors
/// [`Error::Spec`] names the field, of `figure`.
pub(super) fn check_numbers(figure: &str, value: Option<f64>, errors: &[Option<f64>]) -> Result<()> {
    if value.is_some_and(|value| !value.is_finite()) {
        return Err(Error::spec(format!("{figure}.value"), "must be a finite number"));
    }
    if errors.iter().flatten().any(|&error| !(error >= 0.0 && error.is_finite())) {
        return Err(Error::spec(figure, "its standard error or deviation must be 0 or more"));
    }
    Ok(())
}

impl Expected {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Spec`] names the field.
    pub(super) fn check(&self) -> Result<()> {
        check_numbers("expected", Some(self.value), &[self.standard_error, self.deviation])?;
        if self.deviation.is_some()
            && (self.standard_error.is_some() || self.runs.is_none_or(|runs| runs < 2))
        {
            return Err(Error::spec(
                "expected.deviation",
                "it is that of some runs, at least 2, and no standard error",
            ));
        }
        Ok(())
    }

    /// Its standard error: the published one, or that of a mean of runs with the published deviation.
    pub fn error_of_mean(&self) -> Option<f64> {
        let of_runs = |deviation: f64| deviation / f64::from(self.runs.unwrap_or(1)).sqrt();
        self.standard_error.or(self.deviation.map(of_runs))
    }

    /// Half the width of its 95 % interval. The standard error is multiplied by the quantile of Student's t
    /// distribution where the number of runs is known, else by that of the normal one. An error in percent
    /// without any has the binomial one of `test_rows`; anything else without has none, and a width of 0.
    pub fn half_width(&self, test_rows: usize) -> Result<f64> {
        let binomial = || {
            let share = (self.value / 100.0).clamp(0.0, 1.0);
            100.0 * (share * (1.0 - share) / test_rows.max(1) as f64).sqrt()
        };
        let quantile = match self.runs {
            Some(runs) if runs > 1 && self.error_of_mean().is_some() => {
                Student::new(f64::from(runs) - 1.0)?.quantile(0.975)?
            }
            _ => NORMAL_QUANTILE,
        };
        Ok(match (self.error_of_mean(), self.measure) {
            (Some(error), _) => quantile * error,
            (None, Measure::Error) => quantile * binomial(),
            _ => 0.0,
        })
    }

    /// How ours compares; nothing of fewer than three runs.
    ///
    /// # Errors
    /// None that a number of runs can cause.
    pub fn judge(&self, judge: Judge, ours: &Measured, test_rows: usize) -> Result<Option<Verdict>> {
        if ours.values.len() < FEWEST_RUNS {
            return Ok(None);
        }
        let half_widths = self.half_width(test_rows)? + ours.half_width.unwrap_or(0.0);
        let room = judge.room(self.error_of_mean(), half_widths);
        Ok(Some(Verdict::of(self.measure.good(), ours.mean - self.value, room)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(text: &str) -> Expected {
        let expected: Expected = toml::from_str(text).unwrap();
        expected.check().unwrap();
        expected
    }

    fn ours(mean: f64, half_width: Option<f64>) -> Measured {
        Measured { mean, half_width, values: vec![mean; 3] }
    }

    fn verdict(text: &str, mean: f64, half_width: Option<f64>) -> Verdict {
        expected(text).judge(Judge::Intervals, &ours(mean, half_width), 10_000).unwrap().unwrap()
    }

    /// 1 % of 10,000 rows: sqrt(.01 * .99 / 10,000) = 0.0995 %, times 1.96: 0.195.
    #[test]
    fn an_error_without_its_own_has_the_binomial_one() {
        let of = "measure = \"error\"\nvalue = 1.0";
        assert!((expected(of).half_width(10_000).unwrap() - 0.19502).abs() < 1e-4);
        assert_eq!(verdict(of, 1.19, None), Verdict::Within);
        assert_eq!(verdict(of, 1.20, None), Verdict::Outside);
        assert_eq!(verdict(of, 0.80, None), Verdict::Better);
        assert_eq!(verdict(of, 1.29, Some(0.1)), Verdict::Within);
        assert_eq!(verdict(of, 1.30, Some(0.1)), Verdict::Outside);
        assert_eq!(verdict(of, 0.70, Some(0.1)), Verdict::Better);
        // A measure that is no share of rows is taken as it is.
        let nll = "measure = \"nll\"\nvalue = 1.0";
        assert_eq!(
            [0.99, 1.0, 1.01].map(|mean| verdict(nll, mean, None)),
            [Verdict::Better, Verdict::Within, Verdict::Outside]
        );
    }

    #[test]
    fn published_errors_by_hand() {
        // 1.96 standard errors; of 5 runs 2.776 times deviation / sqrt 5.
        let of = expected("measure = \"rmse\"\nvalue = 2.0\nstandard_error = 0.1");
        assert!((of.half_width(7).unwrap() - 0.195996).abs() < 1e-6);
        let of = expected("measure = \"error\"\nvalue = 1.28\ndeviation = 0.04\nruns = 5");
        assert!((of.half_width(7).unwrap() - 2.776445 * 0.04 / 5.0_f64.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn which_side_is_good_depends_on_the_measure() {
        let high = "measure = \"log_likelihood\"\nvalue = -2.0\nstandard_error = 0.1";
        assert_eq!(verdict(high, -1.5, Some(0.1)), Verdict::Better);
        assert_eq!(verdict(high, -2.5, Some(0.1)), Verdict::Outside);
        let neither = "measure = \"mean_activation\"\nvalue = 0.7";
        assert_eq!(verdict(neither, 0.6, None), Verdict::Outside);
        assert_eq!(verdict(neither, 0.8, None), Verdict::Outside);
        assert_eq!(verdict(neither, 0.8, Some(0.11)), Verdict::Within);
    }

    #[test]
    fn one_standard_error_is_narrower() {
        let of = expected("measure = \"rmse\"\nvalue = 2.9\nstandard_error = 0.18");
        let judge = |judge, mean| of.judge(judge, &ours(mean, Some(0.3)), 50).unwrap().unwrap();
        assert_eq!(judge(Judge::StandardError, 3.07), Verdict::Within);
        assert_eq!(judge(Judge::StandardError, 3.09), Verdict::Outside);
        assert_eq!(judge(Judge::StandardError, 2.7), Verdict::Better);
        assert_eq!(judge(Judge::Intervals, 3.5), Verdict::Within);
        let without = expected("measure = \"rmse\"\nvalue = 2.9");
        let judged = without.judge(Judge::StandardError, &ours(3.1, Some(0.3)), 50).unwrap();
        assert_eq!(judged, Some(Verdict::Within));
    }

    #[test]
    fn two_runs_are_not_judged() {
        let of = expected("measure = \"error\"\nvalue = 1.0");
        let two = Measured { mean: 1.0, half_width: Some(0.5), values: vec![1.0; 2] };
        assert_eq!(of.judge(Judge::Intervals, &two, 10_000).unwrap(), None);
    }

    #[test]
    fn errors_that_make_no_sense_are_refused() {
        for wrong in ["nan", "inf", "-inf"] {
            let of: Expected = toml::from_str(&format!("measure = \"error\"\nvalue = {wrong}")).unwrap();
            assert!(of.check().unwrap_err().to_string().starts_with("spec, expected.value: "), "{wrong}");
        }
        for wrong in [
            "standard_error = -1",
            "standard_error = nan",
            "deviation = 0.1",
            "deviation = 0.1\nruns = 1",
            "deviation = 0.1\nruns = 5\nstandard_error = 0.1",
        ] {
            let of: Expected = toml::from_str(&format!("measure = \"error\"\nvalue = 1\n{wrong}")).unwrap();
            assert!(of.check().is_err(), "{wrong}");
        }
    }
}
