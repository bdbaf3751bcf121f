//! The rungs of the search: how fast each method is, then its learning rate, then its dose.
//!
//! Successive halving (Jamieson and Talwalkar 2016) would try more for as much time. But after a part of the
//! epochs the lowest loss is that of the low learning rates and the weak doses, which have not begun to
//! overfit, and what is to be found is what keeps a network from it.

use super::method::{DOSES, MIDDLE, RATES};

/// A rung of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    /// A short run of one candidate, to plan by what it takes while all lanes are at work.
    Pilot,
    /// The middle dose with each learning rate.
    Rates,
    /// The other doses with the best of them.
    Doses,
}

/// The rungs in their order.
pub(super) const RUNGS: [Rung; 3] = [Rung::Pilot, Rung::Rates, Rung::Doses];
/// The candidate whose speed is taken for all of its method.
pub(super) const TYPICAL: usize = MIDDLE * RATES + 1;
/// The one with the lowest learning rate.
pub(super) const MILDEST: usize = MIDDLE * RATES;

impl Rung {
    /// Which candidates of a method are run, where `best` is the best one of the rung before.
    pub fn candidates(self, best: usize) -> Vec<usize> {
        match self {
            Rung::Pilot => vec![TYPICAL],
            Rung::Rates => (0..RATES).map(|rate| MIDDLE * RATES + rate).collect(),
            Rung::Doses => {
                let others = (0..DOSES).filter(|&dose| dose != MIDDLE);
                others.map(|dose| dose * RATES + best % RATES).collect()
            }
        }
    }

    /// For which part of the epochs of a whole run.
    pub fn part(self) -> f64 {
        if self == Rung::Pilot { 0.25 } else { 1.0 }
    }

    /// The epochs of its runs, at least one, where a whole run has so many.
    pub fn epochs(self, whole: u64) -> u64 {
        ((self.part() * whole as f64).round() as u64).max(1)
    }

    /// How long it takes for so many methods where so many runs go on at a time, in whole runs.
    pub fn length(self, methods: usize, lanes: usize) -> f64 {
        (methods * self.candidates(0).len()).div_ceil(lanes) as f64 * self.part()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dose_is_found_at_the_best_learning_rate() {
        assert_eq!(Rung::Rates.candidates(0), [4, 5, 6, 7]);
        assert_eq!(Rung::Doses.candidates(6), [2, 10, 14]);
        assert_eq!(Rung::Pilot.candidates(0), [5]);
        assert_eq!(RUNGS.map(|rung| rung.epochs(160)), [40, 160, 160]);
        assert_eq!(Rung::Pilot.epochs(1), 1);
        let lengths = |methods, lanes| RUNGS.map(|rung| rung.length(methods, lanes));
        assert_eq!(lengths(1, 1), [0.25, 4.0, 3.0]);
        // 2, 8 and 6 runs.
        assert_eq!(lengths(2, 3), [0.25, 3.0, 2.0]);
    }
}
