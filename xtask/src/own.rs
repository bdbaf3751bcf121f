//! Contests of thinnet with itself: what a member of the family, an average or an ensemble costs
//! beside the plain thing.

use crate::checks::{Check, ROW, SLICE};
use crate::contest::{Contest, Entry};

/// Several commands of thinnet's worker, timed turn by turn. The first is what the others are
/// compared with.
pub struct Race {
    /// What is timed.
    pub title: &'static str,
    entries: &'static [(&'static str, &'static str, Bound)],
    repeats: usize,
}

/// What the time of an entry may be.
#[derive(Clone, Copy)]
enum Bound {
    /// Anything.
    Any,
    /// At most so many times that of the first.
    AtMost(f64),
    /// At least so many times that of the first.
    AtLeast(f64),
    /// At most so many milliseconds.
    Milliseconds(f64),
}

/// All of them.
pub const RACES: [Race; 5] = [
    Race {
        title: "W1, a step of each member of the family",
        entries: &[
            (ROW, "time W1 row", Bound::Any),
            ("Gaussian dropout", "time W1 gaussian", Bound::AtMost(1.5)),
            ("variational dropout", "time W1 variational", Bound::AtMost(1.5)),
            ("concrete dropout", "time W1 concrete", Bound::AtMost(1.3)),
            ("standout", "time W1 standout", Bound::Any),
            ("DropConnect, a mask for each slice", "time W1 edges", Bound::AtMost(1.2)),
            ("DropConnect, Gaussian form", "time W1 edges-gaussian", Bound::AtMost(2.2)),
            ("DropConnect, a mask for each row", "time W1 edges-row", Bound::AtMost(8.0)),
            ("sparse variational dropout", "time W1 sparse-variational", Bound::Any),
        ],
        repeats: 5,
    },
    Race {
        title: "W2, the lazy update",
        entries: &[
            (SLICE, "time W2 slice", Bound::Any),
            ("the same with the full update", "time W2 full-update", Bound::AtLeast(1.25)),
        ],
        repeats: 10,
    },
    Race {
        title: "W1, averages for 1,000 rows",
        entries: &[
            ("weight scaling", "average W1 scale", Bound::Any),
            ("Monte Carlo, 100 thinned networks", "average W1 mc:100", Bound::AtMost(40.0)),
            ("moments", "average W1 moments", Bound::AtMost(4.0)),
        ],
        repeats: 3,
    },
    Race {
        title: "all 2^16 thinned networks of a layer of 16 units, 1,000 rows",
        entries: &[("exact", "exact", Bound::Milliseconds(2000.0))],
        repeats: 1,
    },
    Race {
        title: "digits, 64-256-256-10, 20 epochs",
        entries: &[
            ("one member on one thread", "ensemble 1 1", Bound::Any),
            ("8 members on 2 threads", "ensemble 8 2", Bound::AtMost(4.2)),
        ],
        repeats: 1,
    },
];

impl Race {
    /// Who takes part; `worker` is the name of thinnet's.
    pub fn contestants(&self, worker: &'static str) -> Vec<Entry> {
        let entry = |&(label, command, _): &(&'static str, &'static str, Bound)| Entry {
            label,
            worker,
            command: format!("{command} {}", self.repeats),
            peer_with_dropout: false,
        };
        self.entries.iter().map(entry).collect()
    }

    /// The checks of what was measured.
    pub fn checks(&self, contest: &Contest) -> Vec<Check> {
        let (base, ..) = self.entries[0];
        let mut checks = Vec::new();
        for &(label, _, bound) in self.entries {
            let time = contest.median(label);
            let ratio = || Some(time? / contest.median(base)?);
            let (name, value, bound, at_least, unit) = match bound {
                Bound::Any => continue,
                Bound::AtMost(bound) => (format!("{label}, to {base}"), ratio(), bound, false, "x"),
                Bound::AtLeast(bound) => (format!("{label}, to {base}"), ratio(), bound, true, "x"),
                Bound::Milliseconds(bound) => (label.to_owned(), time, bound, false, "ms"),
            };
            let net = self.title.split(',').next().unwrap_or_default();
            checks.push(Check { name: format!("{net}: time of {name}"), value, bound, at_least, unit });
        }
        checks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::Timing;

    #[test]
    fn each_bound_is_checked_in_its_direction() {
        let race = Race {
            title: "N, a title",
            entries: &[
                ("base", "a", Bound::Any),
                ("slower", "b", Bound::AtLeast(2.0)),
                ("faster", "c", Bound::AtMost(2.0)),
                ("alone", "d", Bound::Milliseconds(25.0)),
                ("absent", "e", Bound::AtMost(1.0)),
            ],
            repeats: 7,
        };
        assert_eq!(race.contestants("w")[1].command, "b 7");
        let timing = |(label, value): (&str, f64)| Timing {
            label: label.into(),
            rounds: vec![vec![value]],
            ..Timing::default()
        };
        let timings = [("base", 10.0), ("slower", 30.0), ("faster", 30.0), ("alone", 30.0)].map(timing);
        let contest = Contest { title: String::new(), timings: timings.into() };
        let checks = race.checks(&contest);
        let found: Vec<(&str, Option<f64>, &str)> =
            checks.iter().map(|check| (&check.name[..], check.value, check.verdict())).collect();
        assert_eq!(
            found,
            [
                ("N: time of slower, to base", Some(3.0), "met"),
                ("N: time of faster, to base", Some(3.0), "missed"),
                ("N: time of alone", Some(30.0), "missed"),
                ("N: time of absent, to base", None, "not measured"),
            ]
        );
    }
}
