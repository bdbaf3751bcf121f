//! Who is dropped, how often, and who shares a mask.

use serde::{Deserialize, Serialize};
use thinnet_kernels::LINE;

use crate::error::{Error, Result};
use crate::network::Learned;

/// Which noise thins the network: the member of the dropout family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drop {
    /// Units are dropped (Srivastava et al. 2014).
    #[default]
    Units,
    /// Edges and biases are dropped: DropConnect (Wan et al. 2013). The rate of a level is that of the
    /// edges of the layer above it.
    Edges,
}

impl Drop {
    /// Which numbers of the noise are learned, and what they begin with.
    pub fn learned(self) -> (Learned, f32) {
        match self {
            Drop::Units | Drop::Edges => (Learned::Nothing, 0.0),
        }
    }
}

/// Who shares a mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// Every row has its own mask (Srivastava et al. 2014).
    Row,
    /// The rows of a slice share one (Graham et al. 2015): the thinned network is then a small one.
    #[default]
    Slice,
}

/// Where kept activations are made up for the dropped ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Divided by keep while training (inverted dropout); prediction uses the weights as they are.
    #[default]
    Training,
    /// Multiplied by keep when predicting, as in Srivastava et al. 2014.
    AtPrediction,
}

/// One rate for all hidden layers, or one for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rates {
    /// The same for every hidden layer.
    All(f32),
    /// One for each hidden layer, from the input on.
    Each(Vec<f32>),
}

/// The `[thin]` part of a spec.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThinSpec {
    /// Which noise thins the network.
    pub drop: Drop,
    /// The probability that an input is dropped.
    pub input: f32,
    /// The probability that a hidden unit is dropped.
    pub hidden: Rates,
    /// Who shares a mask.
    pub share: Share,
    /// With edges and `share = "slice"`: how many rows of a slice share a mask, a multiple of 16; 0: all.
    #[serde(skip_serializing_if = "is_zero")]
    pub share_rows: usize,
    /// Where kept activations are made up for the dropped ones.
    pub scaling: Scaling,
}

/// A quarter of the hidden units, between what helps on some tables and what costs on others
/// (docs/results.md). The papers use 0.5, and 0.2 of the inputs, on images and wider networks.
impl Default for ThinSpec {
    fn default() -> Self {
        Self {
            drop: Drop::default(),
            input: 0.0,
            hidden: Rates::All(0.25),
            share: Share::default(),
            share_rows: 0,
            scaling: Scaling::default(),
        }
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl ThinSpec {
    /// No unit is ever dropped.
    pub fn none() -> Self {
        Self { hidden: Rates::All(0.0), ..Self::default() }
    }

    /// Refuses groups of rows where none can share a mask.
    fn check_groups(&self) -> Result<()> {
        let problem = match (self.share_rows, self.drop, self.share) {
            (0, ..) => return Ok(()),
            (_, Drop::Edges, Share::Slice) if self.share_rows.is_multiple_of(LINE) => return Ok(()),
            (rows, Drop::Edges, Share::Slice) => format!("groups have a multiple of {LINE} rows, not {rows}"),
            (_, Drop::Edges, Share::Row) => {
                "each row has its own mask; share = \"slice\" lets groups share one".into()
            }
            _ => "groups of rows share a mask only where drop = \"edges\"".into(),
        };
        Err(Error::spec("thin.share_rows", problem))
    }

    /// The rate of the input and of each hidden layer.
    ///
    /// # Errors
    /// [`Error::Spec`] if a rate is not at least 0 and below 1, their number is not that of the layers, or
    /// groups of rows cannot share a mask.
    pub fn rates(&self, hidden_layers: usize) -> Result<Vec<f32>> {
        self.check_groups()?;
        let hidden = match &self.hidden {
            Rates::All(rate) => vec![*rate; hidden_layers],
            Rates::Each(rates) if rates.len() == hidden_layers => rates.clone(),
            Rates::Each(rates) => {
                let problem =
                    format!("{} rates for {hidden_layers} hidden layers; give one for each", rates.len());
                return Err(Error::spec("thin.hidden", problem));
            }
        };
        let named = |field| move |&rate: &f32| (field, rate);
        let all = std::iter::once(&self.input)
            .map(named("thin.input"))
            .chain(hidden.iter().map(named("thin.hidden")));
        for (field, rate) in all {
            if !(0.0..1.0).contains(&rate) {
                return Err(Error::spec(field, format!("a rate is at least 0 and below 1, not {rate}")));
            }
        }
        Ok([vec![self.input], hidden].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rate_is_for_every_hidden_layer() {
        let spec: ThinSpec = toml::from_str("input = 0.2\nhidden = 0.5").unwrap();
        assert_eq!(spec.rates(3).unwrap(), [0.2, 0.5, 0.5, 0.5]);
        assert_eq!(spec.rates(0).unwrap(), [0.2]);
        assert_eq!(ThinSpec::none().rates(2).unwrap(), [0.0; 3]);
    }

    #[test]
    fn a_list_has_one_rate_for_each_layer() {
        let spec: ThinSpec =
            toml::from_str("hidden = [0.1, 0.5]\nshare = \"row\"\nscaling = \"at-prediction\"").unwrap();
        assert_eq!((spec.share, spec.scaling), (Share::Row, Scaling::AtPrediction));
        assert_eq!(spec.rates(2).unwrap(), [0.0, 0.1, 0.5]);
        let error = spec.rates(3).unwrap_err().to_string();
        assert_eq!(error, "spec, thin.hidden: 2 rates for 3 hidden layers; give one for each");
    }

    #[test]
    fn a_rate_out_of_range_is_named() {
        for rate in [1.0, -0.1, f32::NAN] {
            let input = ThinSpec { input: rate, ..ThinSpec::default() }.rates(1).unwrap_err().to_string();
            assert!(input.starts_with("spec, thin.input: a rate is at least 0 and below 1, not"), "{input}");
            let hidden = ThinSpec { hidden: Rates::Each(vec![0.5, rate]), ..ThinSpec::default() };
            assert!(hidden.rates(2).unwrap_err().to_string().starts_with("spec, thin.hidden"), "{rate}");
        }
    }
}
