//! The rungs of the search: how fast each method is, then all of its candidates.
//!
//! Successive halving (Jamieson and Talwalkar 2016) would cost half as much. But after a part of the epochs
//! the lowest loss is that of the low learning rates and the weak doses, which have not begun to overfit, and
//! what is to be found is what keeps a network from it.

use std::ops::Range;

use super::method::CANDIDATES;

/// The candidate from the middle, whose speed is taken for all of its method.
pub(super) const TYPICAL: usize = 4;

/// A rung of the search.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rung {
    /// Which candidates of a method are run.
    pub candidates: Range<usize>,
    /// For which part of the epochs of a whole run.
    pub part: f64,
}

/// A short run, to plan by what it takes while all lanes are at work; then every candidate for all epochs.
pub(super) const RUNGS: [Rung; 2] =
    [Rung { candidates: TYPICAL..TYPICAL + 1, part: 0.25 }, Rung { candidates: 0..CANDIDATES, part: 1.0 }];

impl Rung {
    /// The epochs of its runs, at least one, where a whole run has so many.
    pub fn epochs(&self, whole: u64) -> u64 {
        ((self.part * whole as f64).round() as u64).max(1)
    }

    /// What it costs for one method, in whole runs.
    pub fn cost(&self) -> f64 {
        self.candidates.len() as f64 * self.part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_candidate_has_all_epochs_after_a_short_run_of_one() {
        assert_eq!(
            [&RUNGS[0], &RUNGS[1]].map(|rung| (rung.candidates.len(), rung.epochs(160))),
            [(1, 40), (8, 160)]
        );
        assert_eq!(RUNGS[0].epochs(1), 1);
        assert_eq!(RUNGS.iter().map(Rung::cost).sum::<f64>(), 8.25);
    }
}
