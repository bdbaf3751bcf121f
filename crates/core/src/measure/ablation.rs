//! What a layer's units are to each other and to the network, found by silencing some of them.

use rayon::prelude::*;
use serde::Serialize;
use thinnet_kernels::philox::Key;

use super::{Effort, Estimate, Subject};
use crate::data::{Examples, Targets};
use crate::random::{self, below, shuffle};
use crate::streams;
use crate::thin::{PREDICTED_ROWS, Silencing};

/// The shares of a layer's units that are silenced: 0, 0.1, ..., 0.9.
const SHARES: u32 = 10;

/// How pairs of units act together. The field names are those of `thinnet measure --json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interaction {
    /// The mean over pairs of L(without both) - L(without one) - L(without the other) + L(whole), with L
    /// the mean loss, and in its unit. Below 0 they co-operate: one without the other is worth less, or
    /// does harm. Above 0 each stands in for the other. Pairs that do not know each other have 0.
    pub mean: f64,
    /// Its standard error over the pairs, in the same unit; none of a single pair, and 0 where all pairs
    /// were taken.
    pub standard_error: Option<f64>,
    /// How many pairs.
    pub pairs: usize,
}

/// The network without a share of a layer's units. The field names are those of `thinnet measure --json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Silenced {
    /// The share of the units that are silenced: 0, 0.1, ..., 0.9.
    pub share: f64,
    /// How many units that are.
    pub units: usize,
    /// The mean loss of a row, over several random choices of the units.
    pub loss: Estimate,
    /// The share of rows whose class is wrong, over the same choices; none for a regression.
    pub error: Option<Estimate>,
}

/// The interaction of a level's units, none if there is but one, and the network without growing
/// shares of them. Each choice of units grows by more of them, so that its shares are nested.
pub(super) fn ablate(
    subject: &Subject,
    examples: &Examples,
    level: usize,
    effort: &Effort,
) -> (Option<Interaction>, Vec<Silenced>) {
    let units = subject.network.layers()[level - 1].units as u32;
    let (pairs, all_pairs) = pairs(units, effort, level);
    let orders: Vec<Vec<u32>> = (1..=effort.draws).map(|draw| order(units, effort, level, draw)).collect();
    let silenced = |share: u32| (f64::from(units) * f64::from(share) / f64::from(SHARES)).round() as usize;

    let mut choices: Vec<&[u32]> = vec![&[]];
    choices.extend(pairs.iter().flat_map(|pair| [&pair[..1], &pair[1..], &pair[..]]));
    for order in &orders {
        choices.extend((1..SHARES).map(|share| &order[..silenced(share)]));
    }
    let outcomes = outcomes(subject, examples, level, &choices);
    let (whole, outcomes) = (outcomes[0], &outcomes[1..]);
    let (of_pairs, of_orders) = outcomes.split_at(3 * pairs.len());

    let interaction = |of: &[Outcome]| of[2].loss - of[0].loss - of[1].loss + whole.loss;
    let interactions: Vec<f64> = of_pairs.chunks_exact(3).map(interaction).collect();
    let interaction = Estimate::of(&interactions).map(|Estimate { mean, standard_error }| {
        let standard_error = if all_pairs { Some(0.0) } else { standard_error };
        Interaction { mean, standard_error, pairs: pairs.len() }
    });
    let classes = matches!(examples.targets, Targets::Classes { .. });
    let curve = |share: u32| {
        let drawn: Vec<Outcome> = match share {
            0 => vec![whole],
            share => {
                of_orders.iter().skip(share as usize - 1).step_by(SHARES as usize - 1).copied().collect()
            }
        };
        let estimate = |of: fn(&Outcome) -> f64| Estimate::of(&drawn.iter().map(of).collect::<Vec<f64>>());
        Some(Silenced {
            share: f64::from(share) / f64::from(SHARES),
            units: silenced(share),
            loss: estimate(|outcome| outcome.loss)?,
            error: if classes { estimate(|outcome| outcome.error) } else { None },
        })
    };
    (interaction, (0..SHARES).filter_map(curve).collect())
}

/// Mean loss and share of wrong rows.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    loss: f64,
    error: f64,
}

/// What comes of silencing each choice of a level's units. Every slice of rows is loaded once for
/// all of them, and the sums over slices run in their order.
fn outcomes(subject: &Subject, examples: &Examples, level: usize, choices: &[&[u32]]) -> Vec<Outcome> {
    let Subject { isa, network, thinning, objective } = *subject;
    let objective = objective.without_smoothing();
    let of_slice = |silencing: &mut Silencing, first: usize| -> Vec<Outcome> {
        let rows = first..examples.rows().min(first + PREDICTED_ROWS);
        silencing.load(rows.clone().map(|row| examples.inputs.row(row)));
        let mut logits = vec![0.0; rows.len() * network.outputs()];
        let outcome = |choice: &&[u32]| {
            silencing.write_without(choice, &mut logits);
            let mut sums = Outcome::default();
            for (row, logits) in rows.clone().zip(logits.chunks_exact(network.outputs())) {
                let (loss, wrong) = objective.judge(logits, &examples.targets, row);
                let weight = examples.weight(row);
                sums.loss += weight * loss;
                if wrong {
                    sums.error += weight;
                }
            }
            sums
        };
        choices.iter().map(outcome).collect()
    };
    let slices: Vec<Vec<Outcome>> = (0..examples.rows().div_ceil(PREDICTED_ROWS))
        .into_par_iter()
        .map_init(
            || Silencing::new(isa, network, thinning, level),
            |silencing, slice| of_slice(silencing, slice * PREDICTED_ROWS),
        )
        .collect();
    let total: f64 = (0..examples.rows()).map(|row| examples.weight(row)).sum();
    let mean = |choice: usize, of: fn(&Outcome) -> f64| {
        slices.iter().map(|outcomes| of(&outcomes[choice])).sum::<f64>() / total
    };
    let outcome = |choice| Outcome { loss: mean(choice, |of| of.loss), error: mean(choice, |of| of.error) };
    (0..choices.len()).map(outcome).collect()
}

/// Random words of a level: `draw` is 0 for the pairs, then 1 for the first order of the units, and so on.
fn words(effort: &Effort, level: usize, draw: u32) -> impl FnMut() -> u32 {
    random::words(Key { seed: effort.seed, stream: streams::measure(level) }, draw)
}

/// Pairs of different units, and whether they are all that there are.
fn pairs(units: u32, effort: &Effort, level: usize) -> (Vec<[u32; 2]>, bool) {
    let all = u64::from(units) * u64::from(units.saturating_sub(1)) / 2;
    if all <= effort.pairs as u64 {
        let pairs = (0..units).flat_map(|one| (one + 1..units).map(move |other| [one, other]));
        return (pairs.collect(), true);
    }
    let mut words = words(effort, level, 0);
    let mut pair = || {
        let (one, other) = (below(units, &mut words), below(units - 1, &mut words));
        [one, if other < one { other } else { other + 1 }]
    };
    ((0..effort.pairs).map(|_| pair()).collect(), false)
}

/// The units of a level in a random order.
fn order(units: u32, effort: &Effort, level: usize, draw: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..units).collect();
    shuffle(&mut order, &mut words(effort, level, draw));
    order
}

#[cfg(test)]
mod tests {
    use thinnet_kernels::Isa;

    use super::*;
    use crate::data::Matrix;
    use crate::network::{Activation, Network, NetworkSpec};
    use crate::thin::{ThinSpec, Thinning};
    use crate::train::{Objective, TrainSpec};

    const EFFORT: Effort = Effort { rows: 0, ablated_rows: 0, pairs: 40, draws: 3, samples: 0, seed: 1 };

    /// A linear network with one input, hidden units that copy it with `into`, and an output that
    /// adds them up with `out`, on targets y = x.
    fn ablated(into: &[f32], out: &[f32], effort: &Effort) -> (Option<Interaction>, Vec<Silenced>) {
        let spec = NetworkSpec {
            hidden: vec![into.len()],
            activation: Activation::Identity,
            ..NetworkSpec::default()
        };
        let mut network = Network::zeros(1, 1, &spec).unwrap();
        network.set_layer(0, into, &vec![0.0; into.len()]).unwrap();
        network.set_layer(1, out, &[0.0]).unwrap();
        let inputs = Matrix::new(100, 1, (0..100).map(|row| (row % 5) as f32 - 2.0).collect()).unwrap();
        let examples = Examples::new(inputs.clone(), Targets::Values(inputs), None).unwrap();
        let thinning = Thinning::new(&ThinSpec::default(), &network, 0).unwrap();
        let objective = Objective::new(&TrainSpec::default(), &examples.targets).unwrap();
        let subject = Subject { isa: Isa::best(), network: &network, thinning: &thinning, objective };
        ablate(&subject, &examples, 1, effort)
    }

    // The mean of x^2 over -2, -1, 0, 1, 2 is 2, so the loss of y = a x is 2 (a - 1)^2.

    /// Two units with half of the work each: without one the loss is 2 / 4, without both 2.
    #[test]
    fn identical_units_stand_in_for_each_other() {
        let (interaction, _) = ablated(&[1.0, 1.0], &[0.5, 0.5], &EFFORT);
        let interaction = interaction.unwrap();
        assert!((interaction.mean - (2.0 - 0.5 - 0.5 + 0.0)).abs() < 1e-6, "{interaction:?}");
        assert_eq!((interaction.standard_error, interaction.pairs), (Some(0.0), 1));
    }

    /// 3 x - 3 x beside a unit that does the work. Without one of the two the loss is 2 * 9, without
    /// both 0; with the worker the interactions are L(a) = 2 (a - 1)^2 for a = +-3: 2 * 16, 2 * 4.
    #[test]
    fn a_unit_that_another_cancels_co_operates_with_it() {
        let (interaction, _) = ablated(&[1.0, 1.0, 1.0], &[1.0, 3.0, -3.0], &EFFORT);
        let cancelling = 0.0 - 18.0 - 18.0;
        let (with_first, with_second) = (2.0 * 16.0 - 2.0 - 18.0, 2.0 * 4.0 - 2.0 - 18.0);
        let expected = (cancelling + with_first + with_second) / 3.0;
        let interaction = interaction.unwrap();
        assert!((interaction.mean - expected).abs() < 1e-5 && expected == -12.0, "{interaction:?}");
    }

    /// Units that work on different inputs, which never occur in the same row.
    #[test]
    fn units_that_never_meet_do_not_interact() {
        let spec = NetworkSpec { hidden: vec![3], ..NetworkSpec::default() };
        let mut network = Network::zeros(3, 1, &spec).unwrap();
        let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        network.set_layer(0, &identity, &[0.0; 3]).unwrap();
        network.set_layer(1, &[0.5, 2.0, 1.5], &[0.0]).unwrap();
        let inputs = Matrix::new(30, 3, identity.repeat(10)).unwrap();
        let targets = Targets::Values(Matrix::new(30, 1, vec![1.0; 30]).unwrap());
        let examples = Examples::new(inputs, targets, None).unwrap();
        let thinning = Thinning::new(&ThinSpec::default(), &network, 0).unwrap();
        let objective = Objective::new(&TrainSpec::default(), &examples.targets).unwrap();
        let subject = Subject { isa: Isa::best(), network: &network, thinning: &thinning, objective };
        let (interaction, _) = ablate(&subject, &examples, 1, &EFFORT);
        assert!(interaction.unwrap().mean.abs() < 1e-6, "{interaction:?}");
    }

    /// Ten equal units: with k of them silenced, y = (1 - k / 10) x, whichever they are.
    #[test]
    fn the_loss_without_a_share_of_equal_units_is_known() {
        let (_, silenced) = ablated(&[1.0; 10], &[0.1; 10], &EFFORT);
        assert_eq!(silenced.len(), 10);
        for (count, silenced) in silenced.iter().enumerate() {
            let share = count as f64 / 10.0;
            assert_eq!((silenced.share, silenced.units, silenced.error), (share, count, None));
            let (loss, expected) = (silenced.loss, 2.0 * share * share);
            assert!((loss.mean - expected).abs() < 1e-6, "{silenced:?}, not {expected}");
            assert!(loss.standard_error.is_none_or(|error| error < 1e-6), "{silenced:?}");
        }
    }

    #[test]
    fn random_pairs_are_pairs_of_any_units() {
        let effort = Effort { pairs: 3000, ..EFFORT };
        let (pairs, all) = pairs(100, &effort, 1);
        assert!(!all && pairs.len() == 3000 && pairs.iter().all(|[one, other]| one != other));
        for unit in 0..100 {
            let count = pairs.iter().flatten().filter(|&&drawn| drawn == unit).count();
            assert!((30..100).contains(&count), "unit {unit}: {count} of about 60");
        }
        let mut order = order(100, &effort, 1, 1);
        assert_ne!(order, (0..100).collect::<Vec<u32>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<u32>>());
    }
}
