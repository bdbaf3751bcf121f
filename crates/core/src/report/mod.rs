//! What people look at: plain-text tables and curves for a terminal.

mod curve;
mod table;

pub use curve::{Curve, Series};
pub use table::table;
