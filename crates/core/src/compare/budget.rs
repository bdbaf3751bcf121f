//! How the minutes are shared out, and what a share is in epochs.

use super::Setup;
use super::halving::cost;
use super::method::CANDIDATES;

/// More epochs are of no use to a run that has made [`MOST_STEPS`] steps, whatever the minutes.
const MOST_EPOCHS: u64 = 300;
/// Steps that a small data set may have even if they take more epochs.
const MOST_STEPS: u64 = 10_000;
/// With fewer epochs the first candidates would have none.
pub(super) const FEWEST_EPOCHS: u64 = 4;
/// What measuring a network costs after its run, in epochs.
const MEASURING: f64 = 0.5;
/// The part of the time that is planned for; the rest is for what no plan sees.
const PLANNED: f64 = 0.96;

/// The most epochs of a run: what was asked for, or if that is 0, 300 or as many as make 10,000 steps.
pub(super) fn most_epochs(asked: u64, rows: usize, batch: usize) -> u64 {
    let steps_of_epoch = rows.div_ceil(batch.max(1)).max(1) as u64;
    if asked > 0 { asked } else { MOST_EPOCHS.max(MOST_STEPS.div_ceil(steps_of_epoch)) }
}

/// What there is to do, in runs of one network over all epochs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Load {
    /// Runs of the search.
    pub search: f64,
    /// Runs with what it chose.
    pub runs: f64,
}

impl Load {
    pub fn new(setup: &Setup) -> Self {
        let networks: usize = setup.methods.iter().map(|method| method.networks(setup.members)).sum();
        Self {
            search: setup.searched().len() as f64 * cost(CANDIDATES),
            runs: networks as f64 * f64::from(setup.seeds),
        }
    }
}

/// The seconds of one run among so many, where so many lanes go on side by side for `seconds`. At each of
/// so many ends all lanes wait for the last one, on average for half a run.
pub(super) fn share(seconds: f64, lanes: usize, runs: f64, ends: f64) -> f64 {
    PLANNED * seconds.max(0.0) * lanes as f64 / (runs + 0.5 * ends * (lanes - 1) as f64)
}

/// The epochs of `rows` rows that fit into a share, at so many rows a second; at most `most`.
pub(super) fn epochs(share: f64, rows_per_second: f64, rows: usize, most: u64) -> u64 {
    let epochs = share * rows_per_second / rows as f64 - MEASURING;
    (epochs.max(0.0) as u64).min(most)
}

/// The seconds that so many epochs of `rows` rows take.
pub(super) fn seconds(epochs: u64, rows_per_second: f64, rows: usize) -> f64 {
    (epochs as f64 + MEASURING) * rows as f64 / rows_per_second
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spec;
    use crate::compare::Method;

    fn setup(methods: &[Method]) -> Setup {
        Setup {
            methods: methods.to_vec(),
            seeds: 5,
            members: 4,
            minutes: 5.0,
            epochs: 0,
            spec: Spec::default(),
        }
    }

    #[test]
    fn the_load_counts_every_network() {
        let of = |methods: &[Method]| Load::new(&setup(methods));
        // 8 runs over a quarter of the epochs and 2 over all of them, for each method.
        assert_eq!(of(&[Method::Nothing, Method::L2]), Load { search: 8.0, runs: 10.0 });
        assert_eq!(of(&Method::ALL), Load { search: 40.0, runs: 70.0 });
        assert_eq!(of(&[Method::Ensemble]), Load { search: 4.0, runs: 20.0 });
    }

    #[test]
    fn shares_fill_the_time() {
        // 2 lanes for 100 seconds: 200 seconds of work, for 49 runs and half a run of waiting at each end.
        assert!((share(100.0, 2, 49.0, 2.0) - 0.96 * 4.0).abs() < 1e-12);
        assert!((share(100.0, 1, 50.0, 2.0) - 0.96 * 2.0).abs() < 1e-12);
        assert_eq!(share(-1.0, 2, 50.0, 2.0), 0.0);
    }

    #[test]
    fn a_share_is_so_many_whole_epochs() {
        // 10.5 epochs' worth of rows, half of one for measuring.
        assert_eq!(epochs(2.0, 5250.0, 1000, 300), 10);
        assert_eq!(epochs(2.0, 5249.0, 1000, 300), 9);
        assert_eq!(epochs(2.0, 5250.0, 1000, 7), 7);
        assert_eq!(epochs(0.0, 5250.0, 1000, 7), 0);
        assert!((seconds(10, 5250.0, 1000) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn few_rows_may_have_many_epochs() {
        assert_eq!(most_epochs(0, 50_000, 128), 300);
        assert_eq!(most_epochs(0, 100, 32), 2500, "4 steps each");
        assert_eq!(most_epochs(12, 100, 32), 12);
    }
}
