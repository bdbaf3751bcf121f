//! What a comparison tells while it goes on.

use super::{Candidate, Method, Plan, Run};
use crate::model::Prepared;
use crate::spec::Spec;

/// Something that happened in a comparison. Runs go on side by side, so it may come from any thread.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The rows are ready.
    Ready {
        /// Those of the first seed.
        prepared: &'a Prepared,
        /// Rows of the test part.
        test_rows: usize,
        /// How many runs go on at a time.
        lanes: usize,
    },
    /// The epochs of a stage are known.
    Planned(&'a Plan),
    /// A run of the search is done.
    Candidate {
        /// The run.
        candidate: &'a Candidate,
        /// How many are done.
        done: usize,
        /// How many there are.
        total: usize,
    },
    /// The search has found the settings of a method.
    Chosen {
        /// The method.
        method: Method,
        /// What was found, in the spec of one network.
        spec: &'a Spec,
        /// Its loss on the validation rows.
        loss: f64,
    },
    /// A run with such settings is done.
    Run {
        /// The run.
        run: &'a Run,
        /// How many are done.
        done: usize,
        /// How many there are.
        total: usize,
    },
    /// A step of some run is done.
    Step,
}
