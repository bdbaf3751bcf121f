//! What is written down while a comparison goes on: one record for each thing that is done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Made, Method, Setup};
use crate::model::Evaluation;
use crate::train::{Ended, Epoch};

/// A line of `results.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub(super) enum Record {
    Comparison(Box<Begun>),
    Plan(Plan),
    Candidate(Candidate),
    Run(Box<Run>),
}

/// The first line: what is compared on what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Begun {
    /// Of the format of the file.
    pub format: u32,
    pub setup: Setup,
    /// The fingerprints of the data.
    pub data: String,
    /// By what; none in earlier formats.
    #[serde(default)]
    pub made: Option<Made>,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A rung of the search for the settings of each method, from 0 on.
    Search(usize),
    /// The runs with what was found.
    Runs,
}

/// How many epochs each method has from a stage on, so that all take the same time. It is made from measured
/// speeds, so it is written down: what follows from it can be done again to the bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What it is for.
    pub stage: Stage,
    /// The seconds of a run of one network.
    pub share: f64,
    /// The epochs of a whole run.
    pub epochs: BTreeMap<Method, u64>,
    /// Rows trained a second.
    pub speeds: BTreeMap<Method, f64>,
    /// The most epochs that any method may have.
    pub most: u64,
    /// Seconds since the comparison began.
    pub elapsed: f64,
}

impl Plan {
    /// The epochs of a whole run of a method, which for an ensemble are those of each member.
    pub fn epochs(&self, method: Method) -> u64 {
        self.epochs.get(&method.searched()).copied().unwrap_or(1)
    }

    /// The methods to which more minutes would give no more epochs.
    pub fn capped(&self) -> Vec<Method> {
        let capped = self.epochs.iter().filter(|(_, epochs)| **epochs >= self.most);
        capped.map(|(&method, _)| method).collect()
    }
}

/// One run of the search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The method.
    pub method: Method,
    /// The number of its candidate, from 0.
    pub candidate: usize,
    /// The rung, from 0.
    pub rung: usize,
    /// Its epochs.
    pub epochs: u64,
    /// The loss on the validation rows of the epoch that counts; none if it stopped being finite.
    pub loss: Option<f64>,
    /// Rows trained.
    pub rows: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Seconds since the comparison began.
    pub elapsed: f64,
}

/// One run with the settings that were found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The method.
    pub method: Method,
    /// The seed.
    pub seed: u32,
    /// Which candidate the search chose.
    pub candidate: usize,
    /// The epochs it was given.
    pub epochs: u64,
    /// What was measured; none if the loss stopped being finite, also after epochs that were.
    pub measured: Option<Measured>,
    /// Rows trained.
    pub rows: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Seconds since the comparison began.
    pub elapsed: f64,
}

/// What was measured of a trained network, always the whole one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Why the run ended. This, the next two and the correlation are of an ensemble those of its first member.
    pub ended: Ended,
    /// The epoch that counts.
    pub chosen_epoch: u64,
    /// Every epoch.
    pub history: Vec<Epoch>,
    /// On the rows that were trained on.
    pub train: Evaluation,
    /// On the rows that were chosen by.
    pub valid: Evaluation,
    /// On the test part.
    pub test: Evaluation,
    /// The mean over hidden layers of the mean absolute correlation of two units on test rows; none without
    /// hidden layers.
    pub correlation: Option<f64>,
}
