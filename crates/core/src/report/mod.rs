//! What people look at: plain-text tables, curves and drawings for a terminal, and the elephant as a picture.

mod curve;
mod elephant;
mod outline;
mod table;

pub use curve::{Curve, Series};
pub use elephant::{ElephantFit, ElephantPicture};
pub use outline::{Dots, Sheet, Sketch};
pub use table::table;
