//! A model: everything that a run leaves and a prediction needs.

use serde::{Deserialize, Serialize};

use super::members::Member;
use crate::average::Link;
use crate::network::Network;
use crate::prepare::Pipeline;
use crate::spec::Spec;
use crate::thin::Pruned;
use crate::train::{Ended, Epoch};

/// A trained network, or an ensemble of several, with the preparation of its inputs, its spec and its
/// history.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What the run was asked to do, with every default filled in.
    pub spec: Spec,
    /// From columns to inputs, and from outputs to classes or values.
    pub pipeline: Pipeline,
    /// Its networks, at least one, in the order of their numbers.
    pub(super) members: Vec<Member>,
    /// For a regression: the standard deviation of the errors of all members together, as in
    /// [`Run::noise`]. None where the networks predict the variance of the observations.
    pub noise: Option<f32>,
    /// The fingerprint of the rows that it learned from and chose by, in the columns that it takes (as
    /// [`Data::fingerprint`](crate::data::Data::fingerprint) has it), in hexadecimal digits; none in files of
    /// earlier versions.
    pub fingerprint: Option<String>,
    /// The same of the rows that it chose by, where these came by themselves.
    pub valid_fingerprint: Option<String>,
}

/// How a network was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Rows trained on.
    pub training_rows: usize,
    /// Rows that chose the epoch.
    pub validation_rows: usize,
    /// Steps done.
    pub steps: u64,
    /// Why the run ended.
    pub ended: Ended,
    /// The epoch whose parameters the model has.
    pub chosen_epoch: u64,
    /// Every epoch; of a model from a file perhaps only some of very many, with the first, the chosen one and
    /// the last ([`Model::save`]).
    pub history: Vec<Epoch>,
    /// For a regression whose variance is not predicted: the standard deviation of the errors on the
    /// validation rows, or without them on the training rows, in standard deviations of the target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub noise: Option<f32>,
    /// What is left of each layer, where weights were pruned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pruned: Option<Pruned>,
    /// What logits are divided by, fitted on the validation rows where the spec asked for it; else 1.
    #[serde(skip_serializing_if = "is_one", default = "one")]
    pub temperature: f32,
}

fn one() -> f32 {
    1.0
}

fn is_one(temperature: &f32) -> bool {
    *temperature == 1.0
}

impl Run {
    /// How many epochs were begun.
    pub fn epochs(&self) -> u64 {
        self.history.last().map_or(0, |epoch| epoch.epoch)
    }
}

impl Model {
    /// The networks, in the order of their numbers; there is at least one.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The network of the first member, which is the only one unless the model is an ensemble. Where
    /// [`Member::inputs`] says so, it sees only some of the inputs.
    pub fn network(&self) -> &Network {
        &self.members[0].network
    }

    /// The run of the first member.
    pub fn run(&self) -> &Run {
        &self.members[0].run
    }

    /// How many weights and biases all members have.
    pub fn parameters(&self) -> usize {
        self.members.iter().map(|member| member.network.parameters()).sum()
    }

    /// What the outputs of the network stand for.
    pub fn link(&self) -> Link {
        Link::of(self.spec.train.loss_for(self.pipeline.task()))
    }
}
