//! Train networks by thinning them, predict with the average of all of them.

#![forbid(unsafe_code)]

pub mod data;
pub mod error;
pub mod prepare;

pub use error::{Error, Result};
