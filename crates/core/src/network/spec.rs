//! What the network looks like.

use serde::{Deserialize, Serialize};

use super::{Activation, Initialise};
use crate::error::{Error, Result};

/// The `[network]` part of a spec.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSpec {
    /// How many units each hidden layer has. Empty: inputs and outputs are joined directly.
    pub hidden: Vec<usize>,
    /// What the hidden units do.
    pub activation: Activation,
    /// How weights begin.
    pub initialise: Initialise,
}

impl Default for NetworkSpec {
    fn default() -> Self {
        Self { hidden: vec![256, 256], activation: Activation::Relu, initialise: Initialise::He }
    }
}

impl NetworkSpec {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Spec`] names the first field that cannot be used.
    pub fn check(&self) -> Result<()> {
        match self.hidden.iter().position(|&units| units == 0) {
            Some(layer) => Err(Error::spec("network.hidden", format!("layer {} has no units", layer + 1))),
            None => Ok(()),
        }
    }

    /// How wide it is from the inputs through the hidden layers to the outputs: each pair of neighbours is
    /// the inputs and the units of a layer.
    pub fn widths(&self, inputs: usize, outputs: usize) -> Vec<usize> {
        [&[inputs], &self.hidden[..], &[outputs]].concat()
    }
}
