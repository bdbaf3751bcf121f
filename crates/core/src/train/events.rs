//! What a run tells while it goes on, and how it ended.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A step is done.
    Step {
        /// How many steps are done.
        steps: u64,
        /// How many there will be if no limit ends the run before.
        total_steps: u64,
        /// The mean loss of the epoch so far.
        loss: f64,
        /// Rows trained so far.
        rows: u64,
    },
    /// An epoch is done.
    Epoch(&'a Epoch),
    /// One of these happened in a member of an ensemble, several of which are trained at a time.
    Member {
        /// Its number, from 0.
        member: usize,
        /// What happened.
        event: &'a Event<'a>,
    },
    /// A member of an ensemble is trained.
    MemberEnded {
        /// Its number, from 0.
        member: usize,
        /// Why its run ended.
        ended: Ended,
        /// How many epochs it had.
        epochs: u64,
        /// The epoch whose parameters it keeps, if it keeps those of one.
        chosen: Option<&'a Epoch>,
    },
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// End the run and keep the best parameters: after this step, or at most 7 more, where some weights are
    /// ahead of the others ([`Stepper::step`](super::Stepper::step)).
    Stop,
}

/// Ends runs side by side together: who stops one stops all.
#[derive(Debug, Default)]
pub(crate) struct Stop(AtomicBool);

impl Stop {
    /// Notes what the watcher of one run answers, and says what all runs are to do.
    pub fn hear(&self, flow: Flow) -> Flow {
        if flow == Flow::Stop {
            self.0.store(true, Ordering::Relaxed);
        }
        if self.is_set() { Flow::Stop } else { Flow::Continue }
    }

    /// Whether one was told to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is known of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: u64,
    /// Steps done when it ended.
    pub steps: u64,
    /// The learning rate of its last step.
    pub learning_rate: f64,
    /// The mean loss of the thinned networks, as trained.
    pub train_loss: f64,
    /// The mean loss of the whole network on the validation rows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub valid_loss: Option<f64>,
    /// The share of validation rows whose class is wrong, for a classification.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub valid_error: Option<f64>,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// All its epochs or steps are done.
    Finished,
    /// The validation loss had not improved for as many epochs as `patience` allows.
    Patience,
    /// Its minutes were over.
    Minutes,
    /// It was told to stop.
    Interrupted,
    /// The loss was no longer finite.
    NotFinite {
        /// The step, from 0.
        step: u64,
        /// The learning rate of that step.
        learning_rate: f32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stops_one_stops_all() {
        let stop = Stop::default();
        assert_eq!((stop.hear(Flow::Continue), stop.is_set()), (Flow::Continue, false));
        assert_eq!((stop.hear(Flow::Stop), stop.is_set()), (Flow::Stop, true));
        assert_eq!((stop.hear(Flow::Continue), stop.is_set()), (Flow::Stop, true));
    }
}
