//! How the learning rate and the momentum change with the steps.
//!
//! Both are written as text, in a spec as on the command line: a name, then its numbers,
//! separated by colons.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::as_text::as_text;
use crate::error::{Error, Result};

/// Where a run stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The step, from 0.
    pub step: u64,
    /// Steps of an epoch.
    pub epoch_steps: u64,
    /// Steps of the whole run, if no limit ends it before.
    pub total_steps: u64,
}

/// The factor of the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Schedule {
    /// `constant`: 1.
    Constant,
    /// `step:EPOCHS:FACTOR`: times FACTOR after every EPOCHS epochs.
    Step {
        /// Epochs between two changes.
        epochs: f64,
        /// The factor of one change.
        factor: f64,
    },
    /// `exponential:FACTOR`: times FACTOR for every epoch, changing at every step.
    Exponential {
        /// The factor of one epoch.
        factor: f64,
    },
    /// `inverse:STEPS`: 1 / (1 + t / STEPS) at step t, as in the code of the paper's authors.
    Inverse {
        /// After so many steps the factor is one half.
        steps: f64,
    },
    /// `cosine`: half a cosine from 1 to 0 over the whole run.
    #[default]
    Cosine,
}

impl Schedule {
    /// The factor of the learning rate at a moment, with a linear rise over the first `warmup` steps.
    pub(crate) fn factor(&self, at: Moment, warmup: u64) -> f64 {
        let step = at.step as f64;
        let epoch = step / at.epoch_steps.max(1) as f64;
        let factor = match *self {
            Schedule::Constant => 1.0,
            Schedule::Step { epochs, factor } => libm::pow(factor, (epoch / epochs).floor()),
            Schedule::Exponential { factor } => libm::pow(factor, epoch),
            Schedule::Inverse { steps } => 1.0 / (1.0 + step / steps),
            Schedule::Cosine => {
                let part = (step / at.total_steps.max(1) as f64).min(1.0);
                0.5 * (1.0 + libm::cos(std::f64::consts::PI * part))
            }
        };
        if at.step < warmup { factor * (step + 1.0) / warmup as f64 } else { factor }
    }

    pub(super) fn check(&self) -> Result<()> {
        let numbers: &[f64] = match self {
            Schedule::Constant | Schedule::Cosine => &[],
            Schedule::Step { epochs, factor } => &[*epochs, *factor],
            Schedule::Exponential { factor } => &[*factor],
            Schedule::Inverse { steps } => &[*steps],
        };
        match numbers.iter().find(|number| !(**number > 0.0 && number.is_finite())) {
            Some(number) => {
                Err(Error::spec("train.schedule", format!("numbers must be above 0, not {number}")))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Constant => write!(to, "constant"),
            Schedule::Step { epochs, factor } => write!(to, "step:{epochs}:{factor}"),
            Schedule::Exponential { factor } => write!(to, "exponential:{factor}"),
            Schedule::Inverse { steps } => write!(to, "inverse:{steps}"),
            Schedule::Cosine => write!(to, "cosine"),
        }
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, numbers) = split(text)?;
        match (name, &numbers[..]) {
            ("constant", []) => Ok(Schedule::Constant),
            ("step", &[epochs, factor]) => Ok(Schedule::Step { epochs, factor }),
            ("exponential", &[factor]) => Ok(Schedule::Exponential { factor }),
            ("inverse", &[steps]) => Ok(Schedule::Inverse { steps }),
            ("cosine", []) => Ok(Schedule::Cosine),
            _ => Err(format!(
                "{text:?} is not a schedule; write constant, cosine, step:EPOCHS:FACTOR, \
                 exponential:FACTOR or inverse:STEPS"
            )),
        }
    }
}

/// The momentum. A spec may have the constant form as a number or as text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub enum Momentum {
    /// `0.9`: the same at every step.
    Constant(f64),
    /// `linear:FROM:TO:STEPS`: a straight line, then constant.
    Linear {
        /// At step 0.
        from: f64,
        /// From `steps` on.
        to: f64,
        /// The length of the line.
        steps: f64,
    },
    /// `exponential:FROM:TO:STEPS`: TO - (TO - FROM) exp(-t / STEPS), as in the code of the paper's authors.
    Exponential {
        /// At step 0.
        from: f64,
        /// What it tends to.
        to: f64,
        /// After so many steps the rest has fallen by a factor of e.
        steps: f64,
    },
}

impl Momentum {
    /// The momentum at a step.
    pub(crate) fn at(&self, step: u64) -> f64 {
        match *self {
            Momentum::Constant(momentum) => momentum,
            Momentum::Linear { from, to, steps } => from + (to - from) * (step as f64 / steps).min(1.0),
            Momentum::Exponential { from, to, steps } => to - (to - from) * libm::exp(-(step as f64) / steps),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let (shares, steps) = match *self {
            Momentum::Constant(momentum) => ([momentum, momentum], 1.0),
            Momentum::Linear { from, to, steps } | Momentum::Exponential { from, to, steps } => {
                ([from, to], steps)
            }
        };
        match shares.iter().find(|share| !(0.0..1.0).contains(*share)) {
            Some(share) => {
                Err(Error::spec("train.momentum", format!("must be at least 0 and below 1, not {share}")))
            }
            None if !(steps > 0.0 && steps.is_finite()) => {
                Err(Error::spec("train.momentum", format!("steps must be above 0, not {steps}")))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Momentum {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Momentum::Constant(momentum) => write!(to, "{momentum}"),
            Momentum::Linear { from, to: end, steps } => write!(to, "linear:{from}:{end}:{steps}"),
            Momentum::Exponential { from, to: end, steps } => write!(to, "exponential:{from}:{end}:{steps}"),
        }
    }
}

impl FromStr for Momentum {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if let Ok(momentum) = text.parse() {
            return Ok(Momentum::Constant(momentum));
        }
        let (name, numbers) = split(text)?;
        match (name, &numbers[..]) {
            ("linear", &[from, to, steps]) => Ok(Momentum::Linear { from, to, steps }),
            ("exponential", &[from, to, steps]) => Ok(Momentum::Exponential { from, to, steps }),
            _ => Err(format!(
                "{text:?} is not a momentum; write a number, linear:FROM:TO:STEPS or \
                 exponential:FROM:TO:STEPS"
            )),
        }
    }
}

/// A momentum as a spec has it.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "write a number, as 0.9, or \"linear:FROM:TO:STEPS\" or \"exponential:FROM:TO:STEPS\""
)]
enum Written {
    Number(f64),
    Text(String),
}

impl From<Momentum> for Written {
    fn from(momentum: Momentum) -> Self {
        match momentum {
            Momentum::Constant(momentum) => Written::Number(momentum),
            changing => Written::Text(changing.to_string()),
        }
    }
}

impl TryFrom<Written> for Momentum {
    type Error = String;

    fn try_from(written: Written) -> std::result::Result<Self, String> {
        match written {
            Written::Number(momentum) => Ok(Momentum::Constant(momentum)),
            Written::Text(text) => text.parse(),
        }
    }
}

/// A name, and the numbers after its colons.
fn split(text: &str) -> std::result::Result<(&str, Vec<f64>), String> {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default();
    let number = |part: &str| part.parse().map_err(|_| format!("{part:?} in {text:?} is not a number"));
    Ok((name, parts.map(number).collect::<std::result::Result<_, _>>()?))
}

as_text!(Schedule);

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(schedule: &str, step: u64) -> f64 {
        let at = Moment { step, epoch_steps: 10, total_steps: 100 };
        schedule.parse::<Schedule>().unwrap().factor(at, 0)
    }

    #[test]
    fn schedules_have_their_formulas() {
        assert_eq!(factor("constant", 77), 1.0);
        assert_eq!(
            (factor("step:2:0.5", 19), factor("step:2:0.5", 20), factor("step:2:0.5", 40)),
            (1.0, 0.5, 0.25)
        );
        assert!((factor("exponential:0.9", 25) - 0.9_f64.powf(2.5)).abs() < 1e-12);
        assert_eq!(factor("inverse:50", 50), 0.5);
        assert_eq!((factor("cosine", 0), factor("cosine", 100)), (1.0, 0.0));
        assert!((factor("cosine", 50) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn warmup_rises_to_the_schedule() {
        let at = |step| Schedule::Constant.factor(Moment { step, epoch_steps: 1, total_steps: 10 }, 4);
        assert_eq!([at(0), at(1), at(3), at(4)], [0.25, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn momentum_has_the_papers_forms() {
        let linear: Momentum = "linear:0.5:0.9:100".parse().unwrap();
        assert!((linear.at(50) - 0.7).abs() < 1e-12 && linear.at(500) == 0.9);
        let exponential: Momentum = "exponential:0.5:0.99:100000".parse().unwrap();
        assert!((exponential.at(100_000) - (0.99 - 0.49 * (-1.0_f64).exp())).abs() < 1e-12);
    }

    #[test]
    fn text_comes_back_as_it_went() {
        for text in ["constant", "cosine", "step:30:0.1", "exponential:0.998", "inverse:10000"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for text in ["0.9", "linear:0.5:0.95:1000", "exponential:0.5:0.99:100000"] {
            assert_eq!(text.parse::<Momentum>().unwrap().to_string(), text);
        }
        assert!("step:30".parse::<Schedule>().is_err() && "cosine:x".parse::<Schedule>().is_err());
    }
}
