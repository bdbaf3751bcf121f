//! Where rows come from.

mod examples;

pub use examples::{Examples, Matrix, Targets};
