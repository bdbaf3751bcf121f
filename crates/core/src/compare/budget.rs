//! How the minutes are shared out, and what a share is in epochs.

use super::rungs::RUNGS;
use super::{Method, Setup, Stage};

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

/// How long there is something to do from a stage on, in runs of one network over all epochs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Load(f64);

impl Load {
    /// Where so many runs go on at a time: the rungs one after the other, because at the end of each all
    /// lanes wait for the last one, then the runs.
    pub fn from(stage: Stage, setup: &Setup, lanes: usize) -> Self {
        let first = match stage {
            Stage::Search(first) => first,
            Stage::Runs => RUNGS.len(),
        };
        let methods = setup.searched().len();
        let search: f64 = RUNGS.iter().skip(first).map(|rung| rung.length(methods, lanes)).sum();
        Self(search + of_runs(setup, lanes as f64))
    }

    /// The seconds of one run, where everything has `seconds`.
    pub fn share(self, seconds: f64) -> f64 {
        PLANNED * seconds.max(0.0) / self.0
    }

    /// The seconds in which everything is done, where one run has `share` of them.
    pub fn seconds(self, share: f64) -> f64 {
        share * self.0 / PLANNED
    }
}

/// How long the runs with what was found take. Ensembles begin first, and a lane trains all members of one.
/// The others then fill up what these leave, so that the lanes end within a run of each other, or with the
/// last ensemble.
fn of_runs(setup: &Setup, lanes: f64) -> f64 {
    let seeds = f64::from(setup.seeds);
    let ensembles = if setup.methods.contains(&Method::Ensemble) { seeds } else { 0.0 };
    let networks: usize = setup.methods.iter().map(|method| method.networks(setup.members)).sum();
    let last_ensemble = (ensembles / lanes).ceil() * setup.members as f64;
    last_ensemble.max((networks as f64 * seeds / lanes).ceil())
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
    use super::super::rungs::Rung;
    use super::super::runs::jobs;
    use super::*;

    fn setup(methods: &[Method], seeds: u32, members: usize) -> Setup {
        Setup { methods: methods.to_vec(), seeds, members, ..Setup::default() }
    }

    #[test]
    fn the_load_counts_every_network() {
        let of = |stage, methods: &[Method], lanes| Load::from(stage, &setup(methods, 5, 4), lanes).0;
        // A quarter of a run and 7 whole ones, for each method.
        let (whole, last, two) = (Stage::Search(0), Stage::Search(1), [Method::Nothing, Method::L2]);
        assert_eq!([whole, last, Stage::Runs].map(|stage| of(stage, &two, 1)), [24.5, 24.0, 10.0]);
        assert_eq!(of(whole, &Method::ALL, 1), 142.5);
        assert_eq!(of(whole, &[Method::Ensemble], 1), 27.25);
        // On three lanes 2, 8 and 6 runs of the search, then 10.
        assert_eq!(of(whole, &two, 3), 0.25 + 3.0 + 2.0 + 4.0);
        // On eight an ensemble is still four runs long.
        assert_eq!(of(whole, &[Method::Ensemble], 8), 0.25 + 1.0 + 1.0 + 4.0);
    }

    #[test]
    fn shares_fill_the_time() {
        assert!((Load(50.0).share(100.0) - 0.96 * 2.0).abs() < 1e-12);
        assert_eq!(Load(50.0).share(-1.0), 0.0);
        assert!((Load(50.0).seconds(0.96 * 2.0) - 100.0).abs() < 1e-9);
    }

    /// When the last of some jobs ends, each of which begins on the lane that is free first.
    fn scheduled(jobs: impl Iterator<Item = f64>, lanes: usize) -> f64 {
        let mut ends = vec![0.0_f64; lanes];
        for length in jobs {
            *ends.iter_mut().min_by(|one, other| one.total_cmp(other)).unwrap() += length;
        }
        ends.into_iter().fold(0.0, f64::max)
    }

    /// The runs with what was found, where one of a network takes so long.
    fn runs(setup: &Setup, share: f64, lanes: usize) -> f64 {
        let length = |(_, method): (u32, Method)| share * method.networks(setup.members) as f64;
        scheduled(jobs(&setup.methods, setup).into_iter().map(length), lanes)
    }

    #[test]
    fn the_length_of_the_runs_is_that_of_their_schedule() {
        let (one, two) = ([Method::L1], [Method::Ensemble, Method::L2]);
        for methods in [&Method::ALL[..], &one, &two, &two[..1]] {
            for (seeds, members) in [(1, 2), (3, 10), (5, 5), (17, 3)] {
                for lanes in 1..70 {
                    let setup = setup(methods, seeds, members);
                    let what = format!("{methods:?}, {seeds} seeds, {members} members, {lanes} lanes");
                    assert_eq!(of_runs(&setup, lanes as f64), runs(&setup, 1.0, lanes), "{what}");
                }
            }
        }
    }

    /// The shares of the last two rungs and of the runs, and the time of all, in parts of the minutes, where
    /// everything takes as long as it is planned to.
    fn simulated(setup: &Setup, lanes: usize) -> [f64; 3] {
        // The speeds are known by now.
        let mut elapsed = 0.03;
        let share = |stage, elapsed| Load::from(stage, setup, lanes).share(1.0 - elapsed);
        let mut searched = share(Stage::Search(0), elapsed);
        for (number, rung) in RUNGS.into_iter().enumerate() {
            if rung == Rung::Rates {
                searched = share(Stage::Search(number), elapsed);
            }
            let jobs = setup.searched().len() * rung.candidates(0).len();
            elapsed += scheduled((0..jobs).map(|_| searched * rung.part()), lanes);
        }
        let run = share(Stage::Runs, elapsed);
        [searched, run, elapsed + runs(setup, run, lanes)]
    }

    #[test]
    fn the_minutes_are_kept_on_any_number_of_lanes() {
        let of_two = [Method::Nothing, Method::Dropout];
        for setup in [
            Setup::default(),
            setup(&[Method::Nothing, Method::Ensemble], 1, 10),
            setup(&of_two, 5, 5),
            setup(&of_two, 1, 5),
            setup(&[Method::Ensemble], 3, 7),
        ] {
            for lanes in [1, 2, 3, 8, 16, 32, 64, 200] {
                let [searched, run, all] = simulated(&setup, lanes);
                let what = format!("{setup:?}, {lanes} lanes");
                assert!((0.95..=1.0).contains(&all), "{what}: {all} of the minutes");
                assert!(run >= searched * (1.0 - 1e-9), "{what}: {run} for a run, {searched} to search");
            }
        }
        // The plan before, which was right on two lanes: at the end of a stage each waits for half a run.
        let [searched, ..] = simulated(&Setup::default(), 2);
        let before = 0.96 * 0.97 * 2.0 / (147.5 + 0.5 * 3.25);
        assert!((searched / before - 1.0).abs() < 0.02, "{searched}, {before} before");
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
