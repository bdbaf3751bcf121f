//! Which average, as it is written: `scale`, `mc:100`, `mc-geometric:100:rows`, `exact`, `moments`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::as_text::as_text;

/// How the thinned networks are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Average {
    /// `scale`, weight scaling: one pass of the whole network (Srivastava et al. 2014).
    #[default]
    WeightScaling,
    /// `mc:T` or `mc-geometric:T`: the mean of T sampled thinned networks, with their spread (Gal and
    /// Ghahramani 2016). `:rows` or `:shared` behind it says who shares a mask.
    MonteCarlo {
        /// How many are sampled, at least 1.
        samples: u32,
        /// Which mean of them.
        mean: Mean,
        /// Who shares a mask.
        masks: Masks,
    },
    /// `exact`: the mean of all thinned networks, each with the probability of its mask. For up to
    /// 20 droppable units.
    Exact,
    /// `moments`: one pass that carries mean and variance of every unit (Wang and Manning 2013).
    Moments,
    /// `dropconnect:Z`: layer by layer, the mean of activations of Z draws of normal pre-activations, where
    /// edges were dropped (Wan et al. 2013).
    DropConnect {
        /// How many are drawn for each unit, at least 1.
        samples: u32,
    },
}

/// Which mean of the sampled networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mean {
    /// That of the probabilities or values.
    #[default]
    Arithmetic,
    /// The geometric mean of the probabilities, normalised to a sum of 1 (Baldi and Sadowski 2013).
    Geometric,
}

/// Whether the rows of a prediction meet the same sampled networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Masks {
    /// As the model was trained: own masks with `share = "row"`, shared ones with `share = "slice"`.
    #[default]
    AsTrained,
    /// `rows`: each row has masks of its own.
    Rows,
    /// `shared`: all rows meet the same networks. A thinned network is then a small one, and fast.
    Shared,
}

impl Average {
    /// `mc:T`: the arithmetic mean of T sampled networks, with masks as in training.
    pub const fn monte_carlo(samples: u32) -> Self {
        Self::MonteCarlo { samples, mean: Mean::Arithmetic, masks: Masks::AsTrained }
    }
}

impl fmt::Display for Average {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Average::WeightScaling => write!(to, "scale"),
            Average::MonteCarlo { samples, mean, masks } => {
                let name = if *mean == Mean::Geometric { "mc-geometric" } else { "mc" };
                let masks = match masks {
                    Masks::AsTrained => "",
                    Masks::Rows => ":rows",
                    Masks::Shared => ":shared",
                };
                write!(to, "{name}:{samples}{masks}")
            }
            Average::Exact => write!(to, "exact"),
            Average::Moments => write!(to, "moments"),
            Average::DropConnect { samples } => write!(to, "dropconnect:{samples}"),
        }
    }
}

impl FromStr for Average {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = match text.split_once(':') {
            Some((name, rest)) => (name, Some(rest)),
            None => (text, None),
        };
        match (name, rest) {
            ("scale", None) => Ok(Average::WeightScaling),
            ("exact", None) => Ok(Average::Exact),
            ("moments", None) => Ok(Average::Moments),
            ("dropconnect", Some(rest)) => match rest.parse() {
                Ok(samples) if samples > 0 => Ok(Average::DropConnect { samples }),
                _ => Err(format!("{rest:?} is not a number of draws; write for example dropconnect:100")),
            },
            ("mc" | "mc-geometric", Some(rest)) => {
                let mean = if name == "mc" { Mean::Arithmetic } else { Mean::Geometric };
                let (samples, masks) = match rest.split_once(':') {
                    None => (rest, Masks::AsTrained),
                    Some((samples, "rows")) => (samples, Masks::Rows),
                    Some((samples, "shared")) => (samples, Masks::Shared),
                    Some((_, other)) => return Err(format!("{other:?} is not rows or shared")),
                };
                match samples.parse() {
                    Ok(samples) if samples > 0 => Ok(Average::MonteCarlo { samples, mean, masks }),
                    _ => Err(format!("{samples:?} is not a number of samples; write for example {name}:50")),
                }
            }
            _ => Err(format!(
                "{text:?} is not an average; write scale, exact, moments, dropconnect:Z, or mc:T or \
                 mc-geometric:T for the mean of T thinned networks"
            )),
        }
    }
}

as_text!(Average);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_went() {
        for text in [
            "scale",
            "exact",
            "moments",
            "dropconnect:100",
            "mc:1",
            "mc:100:rows",
            "mc:100:shared",
            "mc-geometric:7",
            "mc-geometric:7:rows",
            "mc-geometric:7:shared",
        ] {
            assert_eq!(text.parse::<Average>().unwrap().to_string(), text);
        }
        assert_eq!("mc:50".parse(), Ok(Average::monte_carlo(50)));
    }

    #[test]
    fn what_is_no_average_is_refused() {
        for (text, part) in [
            ("mc", "is not an average; write scale"),
            ("exact:3", "is not an average; write scale"),
            ("mc:0", "\"0\" is not a number of samples; write for example mc:50"),
            ("mc-geometric:x:rows", "\"x\" is not a number of samples; write for example mc-geometric:50"),
            ("mc:5:row", "\"row\" is not rows or shared"),
            ("mc:5:rows:shared", "\"rows:shared\" is not rows or shared"),
        ] {
            let error = text.parse::<Average>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
