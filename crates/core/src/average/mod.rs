//! How the thinned networks become one prediction.

mod ensemble;
mod link;
mod monte_carlo;

pub(crate) use ensemble::member_seed;
pub use ensemble::{EnsembleSpec, deviation, ensemble};
pub use link::Link;
pub use monte_carlo::monte_carlo;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thinnet_kernels::Isa;

use crate::data::Matrix;
use crate::network::Network;
use crate::thin::{self, Thinning};

/// How the thinned networks are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Average {
    /// Weight scaling: one pass of the whole network (Srivastava et al. 2014).
    #[default]
    WeightScaling,
    /// The mean of sampled thinned networks, with its spread (Gal and Ghahramani 2016).
    MonteCarlo {
        /// How many are sampled.
        samples: u32,
    },
}

impl fmt::Display for Average {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Average::WeightScaling => write!(to, "scale"),
            Average::MonteCarlo { samples } => write!(to, "mc:{samples}"),
        }
    }
}

impl FromStr for Average {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "scale" => Ok(Average::WeightScaling),
            Some(("mc", samples)) => match samples.parse() {
                Ok(samples) if samples > 0 => Ok(Average::MonteCarlo { samples }),
                _ => Err(format!("{samples:?} is not a number of samples; write for example mc:50")),
            },
            _ => Err(format!(
                "{text:?} is not an average; write scale, or mc:T for the mean of T thinned networks"
            )),
        }
    }
}

/// What an average gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Averaged {
    /// Probabilities of the classes, or values: `[rows, classes]` or `[rows, outputs]`.
    pub mean: Matrix,
    /// The standard deviation over the sampled networks, of the same shape; none without samples.
    pub spread: Option<Matrix>,
}

/// Averages the thinned networks on some rows. Runs on the threads of the pool it is called from.
///
/// `inputs` must have the network's width.
pub fn average(
    isa: Isa,
    network: &Network,
    thinning: &Thinning,
    link: Link,
    inputs: &Matrix,
    by: Average,
) -> Averaged {
    match by {
        Average::WeightScaling => {
            let mean = link.apply(thin::outputs(isa, network, thinning, inputs));
            Averaged { mean, spread: None }
        }
        Average::MonteCarlo { samples } => {
            let (mean, spread) = monte_carlo(isa, network, thinning, link, inputs, samples);
            Averaged { mean, spread: Some(spread) }
        }
    }
}
