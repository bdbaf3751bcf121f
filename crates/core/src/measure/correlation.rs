//! Which units of a hidden layer do the same, and whether they did so before training.

use serde::Serialize;
use thinnet_kernels::philox::Key;
use thinnet_kernels::{Isa, stride};

use super::Subject;
use super::activity::{correlations, means_and_deviations};
use super::weights::{Weights, check_values};
use crate::data::{Examples, Matrix};
use crate::error::Result;
use crate::random;
use crate::streams;
use crate::thin;

/// The correlations of some units of a hidden layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnitCorrelations {
    /// Which hidden layer: 1 is the first.
    pub layer: usize,
    /// How many units vary; only they have correlations.
    pub varying: usize,
    /// Which units, counted from 0, so that those that do the same stand beside each other.
    pub units: Vec<usize>,
    /// The correlation of each of them with each, in the trained network, `[units][units]`: from -1 to 1.
    pub after: Vec<Vec<f64>>,
    /// The same before training, where that network is known.
    pub before: Option<Vec<Vec<f64>>>,
}

/// Correlates units of each hidden layer, from the input on; no more than `most` of a layer, which are
/// drawn at random. With `before`, the network before training, all of them vary in both networks. Runs
/// on the threads of the pool it is called from.
///
/// Units are put in order by joining, again and again, the two groups whose mean correlation is highest,
/// turned so that the ends that meet are the most alike.
///
/// # Errors
/// [`crate::Error::Argument`] if the examples do not fit a network, or activations are not finite.
pub fn unit_correlations(
    after: &Subject,
    before: Option<&Subject>,
    examples: &Examples,
    most: usize,
    seed: u32,
) -> Result<Vec<UnitCorrelations>> {
    let subjects: Vec<&Subject> = std::iter::once(after).chain(before).collect();
    for subject in &subjects {
        subject.objective.check(examples, subject.network)?;
    }
    let weights = examples.weights.as_deref();
    let of_layer = |layer: usize| {
        let activations = |subject: &&Subject| {
            thin::activations(subject.isa, subject.network, subject.thinning, &examples.inputs, layer)
        };
        let activations: Vec<Matrix> = subjects.iter().map(activations).collect();
        let mut units: Vec<usize> = (0..activations[0].columns()).collect();
        for activations in &activations {
            check_values("activations", activations, examples.rows(), activations.columns())?;
            let of_units = means_and_deviations(activations, &Weights::new(weights, examples.rows())?);
            units.retain(|&unit| of_units.get(unit).is_some_and(|unit| unit.deviation > 0.0));
        }
        let varying = units.len();
        let key = Key { seed, stream: streams::measure(layer) };
        random::shuffle(&mut units, &mut random::words(key, u32::MAX));
        units.truncate(most);
        units.sort_unstable();
        let order = order(&matrix(after.isa, &activations[0], weights, &units)?);
        let units: Vec<usize> = order.into_iter().map(|index| units[index]).collect();
        let map = |activations| matrix(after.isa, activations, weights, &units);
        let (after, before) = (map(&activations[0])?, activations.get(1).map(map).transpose()?);
        Ok(UnitCorrelations { layer, varying, units, after, before })
    };
    (1..after.network.layers().len()).map(of_layer).collect()
}

/// The correlation of each of some varying units with each.
fn matrix(isa: Isa, activations: &Matrix, weights: Option<&[f32]>, units: &[usize]) -> Result<Vec<Vec<f64>>> {
    let chosen = activations.select_columns(units);
    let weights = Weights::new(weights, chosen.rows())?;
    let (of_units, all) = (means_and_deviations(&chosen, &weights), (0..units.len()).collect::<Vec<usize>>());
    let (correlations, width) = (correlations(isa, &chosen, &weights, &of_units, &all), stride(units.len()));
    let of = |one: usize, other: usize| match one == other {
        true => 1.0,
        // Of each pair, that in the line of the lower one is there.
        false => f64::from(correlations[one.min(other) * width + one.max(other)]).clamp(-1.0, 1.0),
    };
    Ok(all.iter().map(|&one| all.iter().map(|&other| of(one, other)).collect()).collect())
}

/// The order in which units that are alike stand beside each other.
fn order(correlations: &[Vec<f64>]) -> Vec<usize> {
    let mut groups: Vec<Vec<usize>> = (0..correlations.len()).map(|unit| vec![unit]).collect();
    let alike = |one: &[usize], other: &[usize]| {
        let sum: f64 =
            one.iter().flat_map(|&one| other.iter().map(move |&other| correlations[one][other])).sum();
        sum / (one.len() * other.len()) as f64
    };
    while groups.len() > 1 {
        let mut best = (f64::NEG_INFINITY, 0, 1);
        for one in 0..groups.len() {
            for other in one + 1..groups.len() {
                let alike = alike(&groups[one], &groups[other]);
                if alike > best.0 {
                    best = (alike, one, other);
                }
            }
        }
        let other = groups.remove(best.2);
        join(&mut groups[best.1], other, correlations);
    }
    groups.pop().unwrap_or_default()
}

/// Puts a group behind another, each turned so that the ends that meet are the most alike.
fn join(one: &mut Vec<usize>, mut other: Vec<usize>, correlations: &[Vec<f64>]) {
    let mut best = (f64::NEG_INFINITY, false, false);
    for (turn_one, turn_other) in [(false, false), (false, true), (true, false), (true, true)] {
        let end = if turn_one { one.first() } else { one.last() };
        let start = if turn_other { other.last() } else { other.first() };
        if let (Some(&end), Some(&start)) = (end, start)
            && correlations[end][start] > best.0
        {
            best = (correlations[end][start], turn_one, turn_other);
        }
    }
    if best.1 {
        one.reverse();
    }
    if best.2 {
        other.reverse();
    }
    one.append(&mut other);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Targets;
    use crate::network::{Network, NetworkSpec};
    use crate::thin::{ThinSpec, Thinning};
    use crate::train::{Objective, TrainSpec};

    /// Two groups of units, the even and the odd ones, and each a little less like those further away.
    #[test]
    fn units_that_are_alike_stand_beside_each_other() {
        let alike = |one: usize, other: usize| {
            let distance = one.abs_diff(other) as f64;
            if one % 2 == other % 2 { 1.0 - 0.05 * distance } else { -0.5 }
        };
        let correlations: Vec<Vec<f64>> =
            (0..10).map(|one| (0..10).map(|other| alike(one, other)).collect()).collect();
        let order = order(&correlations);
        let changes = order.windows(2).filter(|pair| pair[0] % 2 != pair[1] % 2).count();
        assert_eq!(changes, 1, "{order:?}");
        // Within a group the units go up or down by turns of 2, as the ends that meet are the most alike.
        for group in order.chunk_by(|one, other| one % 2 == other % 2) {
            assert!(group.is_sorted() || group.iter().rev().is_sorted(), "{order:?}");
        }
        assert_eq!(super::order(&[]), Vec::<usize>::new());
    }

    #[test]
    fn correlations_are_those_of_the_textbook() {
        let values: Vec<f32> = (0..40 * 5).map(|at| ((at * 7919 + at * at) % 101) as f32).collect();
        let activations = Matrix::new(40, 5, values).unwrap();
        let units = [4, 0, 2];
        let matrix = matrix(Isa::best(), &activations, None, &units).unwrap();
        let value = |row: usize, unit: usize| f64::from(activations.row(row)[unit]);
        let mean = |of: &dyn Fn(usize) -> f64| (0..40).map(of).sum::<f64>() / 40.0;
        let covariance = |one: usize, other: usize| {
            mean(&|row| value(row, one) * value(row, other))
                - mean(&|row| value(row, one)) * mean(&|row| value(row, other))
        };
        for (i, &one) in units.iter().enumerate() {
            for (j, &other) in units.iter().enumerate() {
                let expected =
                    covariance(one, other) / (covariance(one, one) * covariance(other, other)).sqrt();
                assert!((matrix[i][j] - expected).abs() < 1e-5, "{}, not {expected}", matrix[i][j]);
            }
        }
    }

    #[test]
    fn the_same_units_are_seen_before_and_after() {
        let spec = NetworkSpec { hidden: vec![30, 6], ..NetworkSpec::default() };
        let (one, other) = (Network::new(4, 2, &spec, 1).unwrap(), Network::new(4, 2, &spec, 2).unwrap());
        let inputs = Matrix::new(50, 4, (0..200).map(|at| (at * 37 % 19) as f32 - 9.0).collect()).unwrap();
        let targets = Targets::Classes { labels: vec![0; 50], classes: 2 };
        let examples = Examples::new(inputs, targets, None).unwrap();
        let thinning = Thinning::new(&ThinSpec::none(), &one, 0).unwrap();
        let objective = Objective::new(&TrainSpec::default(), &examples.targets).unwrap();
        let subject = |network| Subject { isa: Isa::best(), network, thinning: &thinning, objective };
        let of = |after, before| {
            unit_correlations(&subject(after), Some(&subject(before)), &examples, 8, 5).unwrap()
        };
        let layers = of(&one, &other);
        assert_eq!(layers.iter().map(|of| of.layer).collect::<Vec<_>>(), [1, 2]);
        let first = &layers[0];
        assert!(first.units.len() == 8 && first.varying > 8 && first.varying <= 30);
        assert!(first.before.as_ref().unwrap() != &first.after);
        // Seen from the other side, the maps change places, and the units may change their order.
        let turned = &of(&other, &one)[0];
        let (mut units, mut turned_units) = (first.units.clone(), turned.units.clone());
        units.sort_unstable();
        turned_units.sort_unstable();
        assert_eq!(units, turned_units);
        let at =
            |of: &UnitCorrelations, unit: usize| of.units.iter().position(|&found| found == unit).unwrap();
        for &a in &units {
            for &b in &units {
                let before = first.before.as_ref().unwrap()[at(first, a)][at(first, b)];
                assert!((before - turned.after[at(turned, a)][at(turned, b)]).abs() < 1e-6);
            }
        }
    }
}
