//! Train networks by thinning them, predict with the average of all of them.

#![forbid(unsafe_code)]

pub mod data;
pub mod error;
pub mod network;
mod streams;
pub mod thin;
pub mod train;
pub mod measure;
pub mod model;
pub mod report;

pub use error::{Error, Result};
