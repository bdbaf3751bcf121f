//! How far the units of each hidden layer depend on each other: what dropout was invented against.

use serde::Serialize;
use thinnet_kernels::Isa;

use super::Activity;
use super::ablation::{Interaction, Silenced, ablate};
use super::weights::Weights;
use crate::data::Examples;
use crate::error::Result;
use crate::network::Network;
use crate::thin::{self, Thinning};
use crate::train::Objective;

/// A trained network, as it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The instruction set that computes.
    pub isa: Isa,
    /// The network.
    pub network: &'a Network,
    /// How it was thinned; here it only says what the whole network is.
    pub thinning: &'a Thinning,
    /// The loss.
    pub objective: Objective,
}

/// How much is done for the measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// The most rows to measure; if there are more, as many are drawn at random.
    pub rows: usize,
    /// The most of these rows that units are silenced on, which takes hundreds of passes.
    pub ablated_rows: usize,
    /// The most pairs of units of each layer whose interaction is measured; if a layer has more
    /// pairs, as many are drawn at random.
    pub pairs: usize,
    /// How often the units that are silenced as a growing share of a layer are drawn, and the cells of each
    /// column of a table shuffled.
    pub draws: u32,
    /// The thinned networks of the inference gap; at least 2.
    pub samples: u32,
    /// What random numbers are drawn from.
    pub seed: u32,
}

/// Some seconds for three layers of 1,024 units.
impl Default for Effort {
    fn default() -> Self {
        Self { rows: 10_000, ablated_rows: 1_000, pairs: 100, draws: 5, samples: 50, seed: 0 }
    }
}

impl Effort {
    /// On how many of so many rows units are silenced; at least one.
    pub(crate) fn ablated(&self, rows: usize) -> usize {
        rows.min(self.ablated_rows.max(1))
    }
}

/// How far the units of one hidden layer are co-adapted. The field names are those of
/// `thinnet measure --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coadaptation {
    /// Which hidden layer: 1 is the first.
    pub layer: usize,
    /// What its units do, and how much of it they do together.
    #[serde(flatten)]
    pub activity: Activity,
    /// How pairs of units act together; none if there is but one unit.
    pub interaction: Option<Interaction>,
    /// The network without 0, 10, ..., 90 % of the layer's units.
    pub silenced: Vec<Silenced>,
}

/// Measures each hidden layer of the whole network, from the input on. Units are silenced on the first
/// `effort.ablated_rows` rows, which should therefore be in no particular order, without making up for
/// them (nothing is divided by keep). Runs on the threads of the pool it is called from.
///
/// # Errors
/// [`crate::Error::Argument`] if the examples do not fit the network, there are none, those that units
/// are silenced on have no weight, or activations are not finite.
pub fn coadaptation(subject: &Subject, examples: &Examples, effort: &Effort) -> Result<Vec<Coadaptation>> {
    let Subject { isa, network, thinning, objective } = *subject;
    objective.check(examples, network)?;
    let ablated = examples.select(&(0..effort.ablated(examples.rows())).collect::<Vec<_>>());
    Weights::new(ablated.weights.as_deref(), ablated.rows())?;
    let of_layer = |layer: usize| {
        let activations = thin::activations(isa, network, thinning, &examples.inputs, layer);
        let activity = Activity::new(isa, &activations, examples.weights.as_deref())?;
        let (interaction, silenced) = ablate(subject, &ablated, layer, effort);
        Ok(Coadaptation { layer, activity, interaction, silenced })
    };
    (1..network.layers().len()).map(of_layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Matrix, Targets};
    use crate::network::NetworkSpec;
    use crate::thin::ThinSpec;
    use crate::train::TrainSpec;

    /// Measures a network with 3 inputs and 2 classes on rows of so many columns.
    fn measured(columns: usize, weights: Option<Vec<f32>>) -> Result<Vec<Coadaptation>> {
        let spec = NetworkSpec { hidden: vec![6, 5], ..NetworkSpec::default() };
        let network = Network::new(3, 2, &spec, 1)?;
        let inputs = Matrix::new(8, columns, (0..8 * columns).map(|at| (at * 5 % 7) as f32).collect())?;
        let targets = Targets::Classes { labels: vec![0, 1, 1, 0, 1, 0, 0, 1], classes: 2 };
        let examples = Examples::new(inputs, targets, weights)?;
        let thinning = Thinning::new(&ThinSpec::default(), &network, 0)?;
        let objective = Objective::new(&TrainSpec::default(), &examples.targets)?;
        let subject = Subject {
            isa: Isa::from_environment().unwrap(),
            network: &network,
            thinning: &thinning,
            objective,
        };
        coadaptation(&subject, &examples, &Effort { ablated_rows: 4, ..Effort::default() })
    }

    #[test]
    fn every_hidden_layer_is_measured() {
        let layers = measured(3, None).unwrap();
        let units =
            |layer: &Coadaptation| (layer.layer, layer.activity.units, layer.interaction.unwrap().pairs);
        assert_eq!(layers.iter().map(units).collect::<Vec<_>>(), [(1, 6, 15), (2, 5, 10)]);
        // The whole network is the same, whichever layer is silenced next.
        assert_eq!(layers[0].silenced[0].loss, layers[1].silenced[0].loss);
    }

    #[test]
    fn examples_that_cannot_be_measured_are_refused() {
        let error = |columns, weights| measured(columns, weights).unwrap_err().to_string();
        assert!(error(4, None).contains("4 columns for a network of 3 inputs"));
        let late = vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        assert!(error(3, Some(late)).contains("all weights are 0"));
    }
}
