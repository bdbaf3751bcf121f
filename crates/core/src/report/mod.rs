//! What people look at: plain-text tables and curves for a terminal.

mod curve;
mod number;
mod table;

pub use curve::{Curve, Series};
pub use number::{count, number, percent};
pub use table::table;
