//! Which stream of random words serves which purpose, in ascending order; docs/determinism.md is the full
//! layout, random.rs says how words become numbers.

/// First weights.
pub(crate) const INITIALISE: u32 = 0;
/// The order of the training rows.
pub(crate) const SHUFFLE: u32 = 1;
/// Which rows validate.
pub(crate) const SPLIT: u32 = 2;
/// Which mask of a pool a slice has.
pub(crate) const POOL: u32 = 3;
/// Which rows are the test part.
pub(crate) const TEST: u32 = 4;

/// The seeds of an ensemble's members.
pub(crate) const MEMBERS: u32 = 0x10;
/// The training rows that a member draws.
pub(crate) const BOOTSTRAP: u32 = 0x11;
/// The columns that a member sees.
pub(crate) const COLUMNS: u32 = 0x12;

/// The rows that a study tests with, where its data have no test part.
pub(crate) const STUDY_TEST: u32 = 0x20;
/// The rows that a study trains on, where it takes only some.
pub(crate) const STUDY_ROWS: u32 = 0x21;
/// The networks whose mean a study resamples.
pub(crate) const STUDY_NETWORKS: u32 = 0x22;

/// The noise of the elephant's points.
pub(crate) const ELEPHANT: u32 = 0x30;

/// The masks of training: one stream for each level of units, 0 for the input.
pub(crate) fn training(level: usize) -> u32 {
    0x1000_0000 + level as u32
}

/// The masks of Monte Carlo prediction: one stream for each level of units.
pub(crate) fn monte_carlo(level: usize) -> u32 {
    0x2000_0000 + level as u32
}

/// What is measured: which rows, and the order of those of a shuffled column, level 0; and which units of a
/// hidden level are silenced or shown.
pub(crate) fn measure(level: usize) -> u32 {
    0x3000_0000 + level as u32
}

/// The noise on edges in training: one stream for each layer, and 2^16 higher one for each further
/// binary digit of an edge's number.
pub(crate) fn training_edges(layer: usize) -> u32 {
    0x5000_0000 + layer as u32
}

/// The fixed masks of Masksembles: one stream for each level of units.
pub(crate) fn masks(level: usize) -> u32 {
    0x6000_0000 + level as u32
}

/// The noise on edges in Monte Carlo prediction: streams as [`training_edges`] has them.
pub(crate) fn monte_carlo_edges(layer: usize) -> u32 {
    0x7000_0000 + layer as u32
}
