//! How columns become a matrix.

use serde::{Deserialize, Serialize};

/// The part of the spec that says how columns are prepared: the table `[prepare]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrepareSpec {
    /// The largest number of different texts for which a column of texts is encoded; one with more is left
    /// out with a warning.
    pub max_categories: usize,
}

impl Default for PrepareSpec {
    fn default() -> Self {
        Self { max_categories: 64 }
    }
}
