//! The whole network: its shape, its parameters, and how they begin.

mod activation;
mod initialise;
mod layer;
mod spec;

pub use activation::Activation;
pub use initialise::Initialise;
pub use layer::{Layer, Learned, Network};
pub use spec::NetworkSpec;
