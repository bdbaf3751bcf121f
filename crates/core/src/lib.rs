//! Train networks by thinning them, predict with the average of all of them.

#![forbid(unsafe_code)]

pub mod average;
pub mod data;
pub mod error;
pub mod measure;
pub mod model;
pub mod network;
pub mod prepare;
pub mod report;
mod spec;
mod streams;
pub mod thin;
pub mod train;

pub use error::{Error, Result};
pub use spec::Spec;
pub use thinnet_kernels::Isa;
