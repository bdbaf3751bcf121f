//! The whole network: its shape, its parameters, and how they begin.
//!
//! | file | says |
//! |---|---|
//! | `spec` | what the network looks like: the `[network]` part of a spec |
//! | `layer` | its layers, and all its parameters in one run of memory |
//! | `activation` | what a unit does with its pre-activation |
//! | `initialise` | how weights begin |

mod activation;
mod initialise;
mod layer;
mod spec;

pub use activation::Activation;
pub use initialise::Initialise;
pub(crate) use layer::LearnedLines;
pub use layer::{Layer, Learned, Network};
pub use spec::NetworkSpec;
