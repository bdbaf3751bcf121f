//! How the minutes are shared out, and what a share is in epochs.

use super::rungs::{RUNGS, Rung};
use super::{Setup, Stage};

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

/// What there is to do from a stage on, in runs of one network over all epochs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Load {
    /// Runs.
    pub runs: f64,
    /// Ends at which all lanes wait for the last one, in the length of a run.
    pub ends: f64,
}

impl Load {
    pub fn from(stage: Stage, setup: &Setup) -> Self {
        let networks: usize = setup.methods.iter().map(|method| method.networks(setup.members)).sum();
        let runs = Self { runs: networks as f64 * f64::from(setup.seeds), ends: 1.0 };
        let Stage::Search(first) = stage else { return runs };
        let searched = setup.searched().len() as f64;
        let add = |load: Self, rung: &Rung| Self {
            runs: load.runs + searched * rung.cost(),
            ends: load.ends + rung.part(),
        };
        RUNGS.iter().skip(first).fold(runs, add)
    }

    /// The seconds of one run, where so many lanes go on side by side for `seconds`.
    pub fn share(self, seconds: f64, lanes: usize) -> f64 {
        PLANNED * seconds.max(0.0) * lanes as f64 / self.work(lanes)
    }

    /// The seconds in which so many lanes do all of it, where one run has `share` of them.
    pub fn seconds(self, share: f64, lanes: usize) -> f64 {
        share * self.work(lanes) / (PLANNED * lanes as f64)
    }

    /// At an end a lane waits on average for half a run.
    fn work(self, lanes: usize) -> f64 {
        self.runs + 0.5 * self.ends * (lanes - 1) as f64
    }
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
        let of = |stage, methods: &[Method]| {
            let Load { runs, ends } = Load::from(stage, &setup(methods));
            (runs, ends)
        };
        // A quarter of a run and 7 whole ones, for each method.
        let (whole, last) = (Stage::Search(0), Stage::Search(1));
        assert_eq!(of(whole, &[Method::Nothing, Method::L2]), (24.5, 3.25));
        assert_eq!(of(last, &[Method::Nothing, Method::L2]), (24.0, 3.0));
        assert_eq!(of(Stage::Runs, &[Method::Nothing, Method::L2]), (10.0, 1.0));
        assert_eq!(of(whole, &Method::ALL), (142.5, 3.25));
        assert_eq!(of(whole, &[Method::Ensemble]), (27.25, 3.25));
    }

    #[test]
    fn shares_fill_the_time() {
        // 2 lanes for 100 seconds: 200 seconds of work, for 49 runs and half a run of waiting at each end.
        let of = |runs, ends| Load { runs, ends };
        assert!((of(49.0, 2.0).share(100.0, 2) - 0.96 * 4.0).abs() < 1e-12);
        assert!((of(50.0, 2.0).share(100.0, 1) - 0.96 * 2.0).abs() < 1e-12);
        assert_eq!(of(50.0, 2.0).share(-1.0, 2), 0.0);
        assert!((of(49.0, 2.0).seconds(0.96 * 4.0, 2) - 100.0).abs() < 1e-9);
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
