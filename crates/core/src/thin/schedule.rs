//! How the rate of the drop changes over a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::as_text::as_text;
use crate::error::{Error, Result};

/// What the rates are multiplied by at each step. It is written as text: a name, then numbers, separated
/// by colons; PART is a part of the run, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RateSchedule {
    /// `constant`: 1.
    #[default]
    Constant,
    /// `linear:FROM:TO`: a straight line over the run. 0:1 is the direction of Morerio et al. 2017,
    /// 1:0 that of Rennie, Goel and Thomas 2014.
    Linear {
        /// At the first step.
        from: f64,
        /// At the end.
        to: f64,
    },
    /// `early:PART`: a straight line from 1 to 0 over the first part, then 0 (Liu et al. 2023).
    Early(f64),
    /// `late:PART`: 0 over the first part, then 1 (Liu et al. 2023).
    Late(f64),
    /// `flat-cosine:PART`: 1 over the first part, then half a cosine to 0.
    FlatCosine(f64),
    /// `off:PART`: 1, then 0 over the last part.
    Off(f64),
}

impl RateSchedule {
    /// The factor at a step, counted from 0, of a run of so many steps.
    pub(super) fn factor(self, step: u64, total_steps: u64) -> f64 {
        let part = (step as f64 / total_steps.max(1) as f64).min(1.0);
        match self {
            RateSchedule::Constant => 1.0,
            RateSchedule::Linear { from, to } => from + (to - from) * part,
            RateSchedule::Early(end) => (1.0 - part / end).max(0.0),
            RateSchedule::Late(begin) => f64::from(u8::from(part >= begin)),
            RateSchedule::FlatCosine(flat) if part <= flat => 1.0,
            RateSchedule::FlatCosine(flat) => {
                0.5 * (1.0 + libm::cos(std::f64::consts::PI * (part - flat) / (1.0 - flat)))
            }
            RateSchedule::Off(last) => f64::from(u8::from(part < 1.0 - last)),
        }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Spec`] if one cannot be used.
    pub(super) fn check(self) -> Result<()> {
        let part = |part: f64| (0.0..=1.0).contains(&part);
        let usable = match self {
            RateSchedule::Constant => true,
            RateSchedule::Linear { from, to } => part(from) && part(to),
            RateSchedule::Early(end) => part(end) && end > 0.0,
            RateSchedule::Late(number) | RateSchedule::FlatCosine(number) | RateSchedule::Off(number) => {
                part(number)
            }
        };
        if usable {
            return Ok(());
        }
        let problem = format!("{self}: the numbers are from 0 to 1, and that of early is above 0");
        Err(Error::spec("thin.schedule", problem))
    }
}

impl fmt::Display for RateSchedule {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RateSchedule::Constant => write!(to, "constant"),
            RateSchedule::Linear { from, to: end } => write!(to, "linear:{from}:{end}"),
            RateSchedule::Early(part) => write!(to, "early:{part}"),
            RateSchedule::Late(part) => write!(to, "late:{part}"),
            RateSchedule::FlatCosine(part) => write!(to, "flat-cosine:{part}"),
            RateSchedule::Off(part) => write!(to, "off:{part}"),
        }
    }
}

impl FromStr for RateSchedule {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let numbers: Option<Vec<f64>> = parts.map(|part| part.trim().parse().ok()).collect();
        match (name, numbers.as_deref()) {
            ("constant", Some([])) => Ok(RateSchedule::Constant),
            ("linear", Some(&[from, to])) => Ok(RateSchedule::Linear { from, to }),
            ("early", Some(&[part])) => Ok(RateSchedule::Early(part)),
            ("late", Some(&[part])) => Ok(RateSchedule::Late(part)),
            ("flat-cosine", Some(&[part])) => Ok(RateSchedule::FlatCosine(part)),
            ("off", Some(&[part])) => Ok(RateSchedule::Off(part)),
            _ => Err(format!(
                "{text:?} is not a schedule of the rate; write constant, linear:FROM:TO, early:PART, \
                 late:PART, flat-cosine:PART or off:PART"
            )),
        }
    }
}

as_text!(RateSchedule);

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(schedule: &str) -> [f64; 5] {
        let schedule: RateSchedule = schedule.parse().unwrap();
        [0, 25, 50, 75, 100].map(|step| schedule.factor(step, 100))
    }

    #[test]
    fn schedules_have_their_formulas() {
        assert_eq!(factors("constant"), [1.0; 5]);
        assert_eq!(factors("linear:0:1"), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(factors("linear:1:0.5"), [1.0, 0.875, 0.75, 0.625, 0.5]);
        assert_eq!(factors("early:0.5"), [1.0, 0.5, 0.0, 0.0, 0.0]);
        assert_eq!(factors("late:0.5"), [0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(factors("off:0.25"), [1.0, 1.0, 1.0, 0.0, 0.0]);
        let cosine = factors("flat-cosine:0.5");
        assert_eq!((cosine[0], cosine[2]), (1.0, 1.0));
        assert!((cosine[3] - 0.5).abs() < 1e-12 && cosine[4].abs() < 1e-12);
        assert_eq!(factors("flat-cosine:1"), [1.0; 5]);
    }

    #[test]
    fn text_comes_back_as_it_went() {
        for text in ["constant", "linear:1:0", "early:0.2", "late:0.5", "flat-cosine:0.7", "off:0.1"] {
            let schedule: RateSchedule = text.parse().unwrap();
            assert_eq!(schedule.to_string(), text);
            schedule.check().unwrap();
        }
        for text in ["early", "early:x", "linear:1", "cosine", "off:0.1:0.2"] {
            assert!(text.parse::<RateSchedule>().is_err(), "{text}");
        }
        for text in ["early:0", "early:1.5", "linear:0:2", "off:-0.1", "late:NaN"] {
            let error = text.parse::<RateSchedule>().unwrap().check().unwrap_err().to_string();
            assert!(error.starts_with("spec, thin.schedule: "), "{error}");
        }
    }
}
