//! Which stream of random words serves which purpose; docs/determinism.md is the full layout.

/// First weights.
pub(crate) const INITIALISE: u32 = 0;
/// The order of the training rows.
pub(crate) const SHUFFLE: u32 = 1;
/// Which rows validate.
pub(crate) const SPLIT: u32 = 2;

/// Which mask of a pool a slice has.
pub(crate) const POOL: u32 = 3;

/// The masks of training: one stream for each level of units, 0 for the input.
pub(crate) fn training(level: usize) -> u32 {
    0x1000_0000 + level as u32
}

/// The noise on edges in training: one stream for each layer, and 2^16 higher one for each further
/// binary digit of keep.
pub(crate) fn training_edges(layer: usize) -> u32 {
    0x5000_0000 + layer as u32
}

/// The same in Monte Carlo prediction.
pub(crate) fn monte_carlo_edges(layer: usize) -> u32 {
    0x6000_0000 + layer as u32
}

/// The masks of Monte Carlo prediction: one stream for each level of units.
pub(crate) fn monte_carlo(level: usize) -> u32 {
    0x2000_0000 + level as u32
}

/// The fixed masks of Masksembles: one stream for each level of units.
pub(crate) fn masks(level: usize) -> u32 {
    0x6000_0000 + level as u32
}
