//! What a unit does with its pre-activation.

use serde::{Deserialize, Serialize};
use thinnet_kernels::elementwise;

/// The activations a hidden layer can have; their formulas stand in
/// [`thinnet_kernels::elementwise::Activation`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(z, 0)
    #[default]
    Relu,
    /// z where positive, else 0.01 z
    LeakyRelu,
    /// 1 / (1 + exp(-z))
    Logistic,
    /// The hyperbolic tangent
    Tanh,
    /// Self-normalising (Klambauer et al. 2017)
    Selu,
    /// z times the normal distribution function (Hendrycks and Gimpel 2016)
    Gelu,
    /// z times its logistic (Elfwing et al. 2017)
    Silu,
    /// z tanh(log(1 + exp z)) (Misra 2019)
    Mish,
    /// z itself
    Identity,
}

impl Activation {
    /// The kernel that computes it.
    pub(crate) fn kernel(self) -> elementwise::Activation {
        match self {
            Activation::Relu => elementwise::Activation::Relu,
            Activation::LeakyRelu => elementwise::Activation::LeakyRelu,
            Activation::Logistic => elementwise::Activation::Logistic,
            Activation::Tanh => elementwise::Activation::Tanh,
            Activation::Selu => elementwise::Activation::Selu,
            Activation::Gelu => elementwise::Activation::Gelu,
            Activation::Silu => elementwise::Activation::Silu,
            Activation::Mish => elementwise::Activation::Mish,
            Activation::Identity => elementwise::Activation::Identity,
        }
    }
}
