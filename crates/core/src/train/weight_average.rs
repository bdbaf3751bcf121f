//! The mean of the weights over a run, in the place of the last ones.
//!
//! Written as text: `none`, `ema:0.999`, `swa:0.75`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::as_text::as_text;
use crate::error::{Error, Result};
use crate::network::Network;

/// Which mean of the weights is validated, chosen and kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum WeightAverage {
    /// `none`: the weights as they are.
    #[default]
    None,
    /// `ema:DECAY`: after each step the mean moves to the weights by the part 1 - DECAY (Polyak and
    /// Juditsky 1992). It begins without a memory of the first weights: after step t the weights
    /// of step i count with DECAY^(t - i), divided by the sum of these.
    Exponential {
        /// What is kept of the mean at each step, at least 0 and below 1.
        decay: f64,
    },
    /// `swa:PART`: from that part of the run on, the mean of the weights after each epoch (stochastic
    /// weight averaging, Izmailov et al. 2018).
    Stochastic {
        /// At least 0 and below 1.
        from: f64,
    },
}

impl WeightAverage {
    /// Checks the number; `limited` says whether the number of steps is known before.
    pub(super) fn check(&self, limited: bool) -> Result<()> {
        let refused = |problem: String| Err(Error::spec("train.weight_average", problem));
        match *self {
            WeightAverage::None => Ok(()),
            WeightAverage::Exponential { decay: part } | WeightAverage::Stochastic { from: part }
                if !(0.0..1.0).contains(&part) =>
            {
                refused(format!("its number is at least 0 and below 1, not {part}"))
            }
            WeightAverage::Stochastic { .. } if !limited => {
                refused("swa begins at a part of the run, so epochs or steps must be above 0".into())
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for WeightAverage {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WeightAverage::None => write!(to, "none"),
            WeightAverage::Exponential { decay } => write!(to, "ema:{decay}"),
            WeightAverage::Stochastic { from } => write!(to, "swa:{from}"),
        }
    }
}

impl FromStr for WeightAverage {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is not a number"));
        match text.split_once(':') {
            None if text == "none" => Ok(WeightAverage::None),
            Some(("ema", decay)) => Ok(WeightAverage::Exponential { decay: number(decay)? }),
            Some(("swa", from)) => Ok(WeightAverage::Stochastic { from: number(from)? }),
            _ => Err(format!("{text:?} is not a mean of weights; write none, ema:DECAY or swa:PART")),
        }
    }
}

as_text!(WeightAverage);

/// Values that one thread averages at a time.
const PIECE: usize = 1 << 16;

/// The mean of a run's weights so far.
#[derive(Debug)]
pub(super) struct Averaging {
    by: WeightAverage,
    /// None where there is no mean.
    mean: Option<Network>,
    /// How many weights are in it.
    count: u64,
    /// decay^count
    left: f64,
}

impl Averaging {
    /// Asks for all the memory that it will need.
    pub fn new(by: WeightAverage, network: &Network) -> Self {
        Self { by, mean: (by != WeightAverage::None).then(|| network.clone()), count: 0, left: 1.0 }
    }

    /// Whether it looks at the weights after every step, so that none may be late then.
    pub fn watches_steps(&self) -> bool {
        matches!(self.by, WeightAverage::Exponential { .. })
    }

    /// Notes the weights that a step has left. Runs on the threads of the pool it is called from, and
    /// allocates nothing.
    pub fn after_step(&mut self, network: &Network) {
        if let WeightAverage::Exponential { decay } = self.by {
            self.left *= decay;
            // Of the weights of all steps with their powers of the decay, these are this part.
            self.move_by((1.0 - decay) / (1.0 - self.left), network);
        }
    }

    /// Notes the weights that an epoch has left, when so much of the run is over.
    pub fn after_epoch(&mut self, network: &Network, part: f64) {
        if let WeightAverage::Stochastic { from } = self.by
            && part >= from
        {
            self.move_by(1.0 / (self.count + 1) as f64, network);
        }
    }

    /// What predicts: the mean, or before there is one the network itself.
    pub fn of<'a>(&'a self, network: &'a Network) -> &'a Network {
        self.mean.as_ref().filter(|_| self.count > 0).unwrap_or(network)
    }

    fn move_by(&mut self, part: f64, network: &Network) {
        let Some(mean) = &mut self.mean else { return };
        self.count += 1;
        each_piece(mean.values_mut(), network.values(), part as f32);
    }
}

/// Moves the mean to the weights, on as many threads as there are.
fn each_piece(mean: &mut [f32], weights: &[f32], part: f32) {
    if mean.len() > PIECE {
        let middle = mean.len() / 2;
        let (left, right) = mean.split_at_mut(middle);
        let (left_weights, right_weights) = weights.split_at(middle);
        rayon::join(|| each_piece(left, left_weights, part), || each_piece(right, right_weights, part));
        return;
    }
    mean.iter_mut().zip(weights).for_each(|(mean, weight)| *mean += part * (weight - *mean));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkSpec;

    /// Networks of more than one piece, with weights that change from step to step.
    fn networks(count: u64) -> Vec<Network> {
        let spec = NetworkSpec { hidden: vec![300], ..NetworkSpec::default() };
        (0..count).map(|step| Network::new(400, 3, &spec, step as u32).unwrap()).collect()
    }

    fn assert_mean(averaging: &Averaging, networks: &[Network], weight: impl Fn(usize) -> f64) {
        let mean = averaging.of(&networks[0]).values();
        let total: f64 = (0..networks.len()).map(&weight).sum();
        for at in (0..mean.len()).step_by(7) {
            let sum = networks.iter().enumerate().map(|(step, n)| weight(step) * f64::from(n.values()[at]));
            let expected = sum.sum::<f64>() / total;
            assert!((f64::from(mean[at]) - expected).abs() < 1e-6, "{at}: {}, not {expected}", mean[at]);
        }
    }

    #[test]
    fn the_exponential_mean_is_the_weighted_one() {
        let networks = networks(9);
        for decay in [0.0, 0.3, 0.9] {
            let mut averaging = Averaging::new(WeightAverage::Exponential { decay }, &networks[3]);
            assert!(averaging.of(&networks[0]) == &networks[0], "before the first step");
            for (step, network) in networks.iter().enumerate() {
                averaging.after_step(network);
                averaging.after_epoch(network, 1.0);
                assert_mean(&averaging, &networks[..=step], |i| decay.powi((step - i) as i32));
            }
        }
    }

    #[test]
    fn the_stochastic_mean_is_that_of_the_last_epochs() {
        let networks = networks(8);
        let mut averaging = Averaging::new(WeightAverage::Stochastic { from: 0.5 }, &networks[0]);
        for (epoch, network) in networks.iter().enumerate() {
            averaging.after_step(network);
            averaging.after_epoch(network, (epoch + 1) as f64 / 8.0);
            if epoch < 3 {
                assert!(averaging.of(network) == network, "epoch {epoch} is before its time");
            }
        }
        // After 4/8, 5/8, … of the run.
        assert_mean(&averaging, &networks, |epoch| if epoch >= 3 { 1.0 } else { 0.0 });
    }

    #[test]
    fn text_comes_back_as_it_went() {
        for text in ["none", "ema:0.999", "swa:0.75"] {
            assert_eq!(text.parse::<WeightAverage>().unwrap().to_string(), text);
        }
        for text in ["ema", "swa:x", "mean:1", "none:1"] {
            assert!(text.parse::<WeightAverage>().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for average in [WeightAverage::Exponential { decay: 1.0 }, WeightAverage::Stochastic { from: -0.1 }] {
            let error = average.check(true).unwrap_err().to_string();
            assert!(error.starts_with("spec, train.weight_average: its number is at least 0"), "{error}");
        }
        let swa = WeightAverage::Stochastic { from: 0.5 };
        assert!(swa.check(false).is_err() && swa.check(true).is_ok());
    }
}
