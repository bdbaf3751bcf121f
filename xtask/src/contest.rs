//! Times several contestants at the same work, turn by turn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::worker::Worker;

/// Between two contestants: the idle threads of some libraries wait actively for tens of milliseconds.
const PAUSE: Duration = Duration::from_millis(100);

/// The workers that could be started, by name.
pub type Workers = BTreeMap<&'static str, Worker>;

/// One contestant: a line that a worker answers with milliseconds.
pub struct Entry {
    /// The name in the table. Empty for a worker that names its numbers itself, as for `gemm`.
    pub label: &'static str,
    /// The worker's name.
    pub worker: &'static str,
    /// The line.
    pub command: String,
    /// Whether this is another library that trains with dropout, which the ratios are against.
    pub peer_with_dropout: bool,
}

/// What one contestant needed.
#[derive(Debug, Default, PartialEq)]
pub struct Timing {
    /// The name in the table.
    pub label: String,
    /// What the worker adds, for example the random generator that it chose.
    pub note: String,
    /// Whether this is another library that trains with dropout.
    pub peer_with_dropout: bool,
    /// The milliseconds of each measurement, by round.
    pub rounds: Vec<Vec<f64>>,
}

impl Timing {
    /// The median over the rounds of the median within each.
    pub fn median(&self) -> f64 {
        median(self.rounds.iter().map(|round| median(round.iter().copied())))
    }

    /// The fastest measurement of all.
    pub fn minimum(&self) -> f64 {
        self.rounds.iter().flatten().copied().fold(f64::INFINITY, f64::min)
    }
}

/// The timings of one piece of work.
pub struct Contest {
    /// What was timed.
    pub title: String,
    /// In the order in which the contestants were named.
    pub timings: Vec<Timing>,
}

impl Contest {
    /// Runs the rounds. In each, every contestant is timed once, and another one begins, so that a
    /// slow minute of the machine or a warm cache favours nobody. A contestant that fails is left
    /// out of the rest with one line.
    pub fn run(title: String, entries: &[Entry], rounds: usize, workers: &mut Workers) -> Contest {
        println!("{title} ...");
        let mut timings: Vec<Vec<Timing>> = entries.iter().map(|_| Vec::new()).collect();
        let mut failed = BTreeSet::new();
        for turn in 0..rounds * entries.len() {
            let index = (turn + turn / entries.len()) % entries.len();
            let entry = &entries[index];
            let Some(worker) = workers.get_mut(entry.worker).filter(|_| !failed.contains(&index)) else {
                continue;
            };
            std::thread::sleep(PAUSE);
            let measured =
                worker.ask(&entry.command).and_then(|answer| record(&mut timings[index], entry, &answer));
            if let Err(error) = measured {
                println!("  left out: {} {}: {error:#}", entry.worker, entry.label);
                failed.insert(index);
            }
        }
        Contest { title, timings: timings.into_iter().flatten().collect() }
    }

    /// The timing with this name.
    pub fn timing(&self, label: &str) -> Option<&Timing> {
        self.timings.iter().find(|timing| timing.label == label)
    }

    /// The median of the contestant with this name, in milliseconds.
    pub fn median(&self, label: &str) -> Option<f64> {
        self.timing(label).map(Timing::median)
    }

    /// The median of the fastest other library that trains with dropout.
    pub fn fastest_peer(&self) -> Option<f64> {
        let peers = self.timings.iter().filter(|timing| timing.peer_with_dropout);
        peers.map(Timing::median).min_by(f64::total_cmp)
    }

    /// For the result file.
    pub fn json(&self) -> Value {
        let peer = self.fastest_peer();
        let rows = self.timings.iter().map(|timing| {
            json!({
                "contestant": timing.label,
                "note": timing.note,
                "median_ms": timing.median(),
                "min_ms": timing.minimum(),
                "times_as_fast_as_fastest_peer_with_dropout": peer.map(|peer| peer / timing.median()),
                "rounds_ms": timing.rounds,
            })
        });
        rows.collect()
    }
}

/// Adds the milliseconds of an answer: a list under the entry's label, or an object of lists under
/// their own names.
fn record(timings: &mut Vec<Timing>, entry: &Entry, answer: &Value) -> Result<()> {
    let milliseconds = answer.get("milliseconds").context("an answer without milliseconds")?;
    let named: Vec<(&str, &Value)> = match milliseconds.as_object() {
        Some(lists) => lists.iter().map(|(name, list)| (name.as_str(), list)).collect(),
        None => vec![(entry.label, milliseconds)],
    };
    for (label, list) in named {
        let round: Vec<f64> = serde_json::from_value(list.clone()).context("milliseconds are no numbers")?;
        let index = timings.iter().position(|timing| timing.label == label).unwrap_or_else(|| {
            timings.push(Timing {
                label: label.to_owned(),
                note: answer["note"].as_str().unwrap_or_default().to_owned(),
                peer_with_dropout: entry.peer_with_dropout,
                rounds: Vec::new(),
            });
            timings.len() - 1
        });
        timings[index].rounds.push(round);
    }
    Ok(())
}

/// The middle value, or the mean of the two middle values; not a number for none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (count, middle) if count % 2 == 1 => sorted[middle],
        (_, middle) => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(label: &str, peer_with_dropout: bool, rounds: &[&[f64]]) -> Timing {
        let rounds = rounds.iter().map(|round| round.to_vec()).collect();
        Timing { label: label.into(), peer_with_dropout, rounds, ..Timing::default() }
    }

    #[test]
    fn the_median_is_over_rounds_and_the_minimum_over_all() {
        let timing = timing("a", false, &[&[1.0, 9.0, 2.0], &[4.0], &[8.0, 6.0]]);
        assert_eq!(timing.median(), 4.0);
        assert_eq!(timing.minimum(), 1.0);
        assert_eq!(super::median([3.0, 1.0].into_iter()), 2.0);
    }

    #[test]
    fn the_fastest_peer_trains_with_dropout() {
        let timings = vec![
            timing("dense", false, &[&[1.0]]),
            timing("x", true, &[&[5.0]]),
            timing("y", true, &[&[3.0]]),
        ];
        let contest = Contest { title: String::new(), timings };
        assert_eq!(contest.fastest_peer(), Some(3.0));
        assert_eq!(contest.median("x"), Some(5.0));
        assert_eq!(contest.median("z"), None);
    }

    #[test]
    fn an_answer_is_a_list_or_an_object_of_lists() {
        let entry = Entry { label: "own", worker: "w", command: String::new(), peer_with_dropout: true };
        let mut timings = Vec::new();
        record(&mut timings, &entry, &json!({"milliseconds": [1.0], "note": "n"})).unwrap();
        record(&mut timings, &entry, &json!({"milliseconds": [2.0]})).unwrap();
        record(&mut timings, &entry, &json!({"milliseconds": {"faer": [3]}})).unwrap();
        assert_eq!(timings.len(), 2);
        assert_eq!((timings[0].label.as_str(), timings[0].note.as_str()), ("own", "n"));
        assert_eq!(timings[0].rounds, [[1.0], [2.0]]);
        assert_eq!(timings[1].label, "faer");
        assert!(record(&mut timings, &entry, &json!({"milliseconds": ["x"]})).is_err());
    }
}
