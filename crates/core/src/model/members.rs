//! The networks of a model: what each of them draws from the data, and what it sees of them.

use std::borrow::Cow;
use std::ops::Range;

use thinnet_kernels::philox::{Counter, Key};

use super::Run;
use crate::data::{Examples, Matrix};
use crate::error::Result;
use crate::network::Network;
use crate::prepare::Pipeline;
use crate::random;
use crate::spec::Spec;
use crate::streams;

/// One network of a model. Most models have a single one.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its number among those that the spec asks for, from 0; [`Spec::member`](crate::Spec::member) is
    /// the spec of its run.
    pub number: usize,
    /// Which of the pipeline's inputs it sees, in ascending order; none: all of them.
    pub inputs: Option<Vec<usize>>,
    /// The network, `inputs` wide.
    pub network: Network,
    /// What is known of its run.
    pub run: Run,
}

impl Member {
    /// What the member sees of prepared inputs `[rows, the pipeline's input units]`.
    pub fn seen<'a>(&self, inputs: &'a Matrix) -> Cow<'a, Matrix> {
        seen(inputs, self.inputs.as_deref())
    }

    /// What the member sees of prepared examples.
    pub(super) fn seeing<'a>(&self, examples: &'a Examples) -> Cow<'a, Examples> {
        seeing(examples, self.inputs.as_deref())
    }

    /// The network as it was before its training, drawn again from the seed; `spec` is that of the model.
    /// Where weights were pruned, it still has all units.
    ///
    /// # Errors
    /// [`crate::Error::Spec`] if the spec is not that of the member.
    pub fn before_training(&self, spec: &Spec) -> Result<Network> {
        let spec = spec.member(self.number);
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        spec.thin.with_noise(Network::new(inputs, outputs, &spec.network, spec.seed)?)
    }
}

/// The given columns of a matrix, or all.
fn seen<'a>(inputs: &'a Matrix, columns: Option<&[usize]>) -> Cow<'a, Matrix> {
    match columns {
        None => Cow::Borrowed(inputs),
        Some(columns) => Cow::Owned(inputs.select_columns(columns)),
    }
}

/// The examples with the given inputs, or all.
fn seeing<'a>(examples: &'a Examples, columns: Option<&[usize]>) -> Cow<'a, Examples> {
    match seen(&examples.inputs, columns) {
        Cow::Borrowed(_) => Cow::Borrowed(examples),
        Cow::Owned(inputs) => {
            let Examples { targets, weights, .. } = examples;
            Cow::Owned(Examples { inputs, targets: targets.clone(), weights: weights.clone() })
        }
    }
}

/// What a member of an ensemble is trained on: some of the inputs, and some of the rows, perhaps more than
/// once.
pub(super) struct Draw {
    pub inputs: Option<Vec<usize>>,
    rows: Option<Vec<usize>>,
}

impl Draw {
    /// Draws for the member with this seed.
    pub fn new(pipeline: &Pipeline, rows: usize, share: f64, bootstrap: bool, seed: u32) -> Self {
        Self {
            inputs: (share < 1.0).then(|| inputs(&pipeline.column_inputs(), share, seed)),
            rows: bootstrap.then(|| bootstrapped(rows, seed)),
        }
    }

    /// The drawn rows of the examples with the drawn inputs.
    pub fn training<'a>(&self, examples: &'a Examples) -> Cow<'a, Examples> {
        let examples = self.validating(examples);
        match &self.rows {
            None => examples,
            Some(rows) => Cow::Owned(examples.select(rows)),
        }
    }

    /// All rows of the examples with the drawn inputs.
    pub fn validating<'a>(&self, examples: &'a Examples) -> Cow<'a, Examples> {
        seeing(examples, self.inputs.as_deref())
    }
}

/// As many rows as there are, drawn with replacement.
fn bootstrapped(rows: usize, seed: u32) -> Vec<usize> {
    let key = Key { seed, stream: streams::BOOTSTRAP };
    let drawn =
        |place: usize| random::below_counter(key, Counter { block: place as u32, row: 0, step: 0 }, rows);
    (0..rows).map(drawn).collect()
}

/// The inputs of a share of the columns, at least one, drawn without replacement.
fn inputs(columns: &[Range<usize>], share: f64, seed: u32) -> Vec<usize> {
    let key = Key { seed, stream: streams::COLUMNS };
    let wanted = ((share * columns.len() as f64).round() as usize).max(1);
    let mut order: Vec<usize> = (0..columns.len()).collect();
    for place in 0..wanted.min(columns.len()) {
        let counter = Counter { block: place as u32, row: 0, step: 0 };
        let rest = columns.len() - place;
        order.swap(place, place + random::below_counter(key, counter, rest));
    }
    order.truncate(wanted);
    order.sort_unstable();
    order.into_iter().flat_map(|column| columns[column].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bootstrap_leaves_out_one_row_in_e() {
        const ROWS: usize = 1000;
        let share = |seed| {
            let mut rows = bootstrapped(ROWS, seed);
            assert!(rows.len() == ROWS && rows.iter().all(|&row| row < ROWS));
            rows.sort_unstable();
            rows.dedup();
            rows.len() as f64 / ROWS as f64
        };
        // The share of distinct rows has mean 1 - 1/e and variance (1/e - 2/e²) / rows.
        let e = std::f64::consts::E;
        let mean = (0..100).map(share).sum::<f64>() / 100.0;
        let error = ((1.0 / e - 2.0 / (e * e)) / ROWS as f64 / 100.0).sqrt();
        assert!((mean - (1.0 - 1.0 / e)).abs() < 4.0 * error, "{mean}");
    }

    #[test]
    fn a_bootstrap_draws_every_row_equally_often() {
        let mut counts = [0_u32; 10];
        (0..2000).for_each(|seed| bootstrapped(10, seed).into_iter().for_each(|row| counts[row] += 1));
        // 20,000 draws, 2,000 of each row: chi-squared with 9 degrees of freedom, 99.9 % of it below 27.9.
        let squares = counts.iter().map(|&count| (f64::from(count) - 2000.0).powi(2) / 2000.0).sum::<f64>();
        assert!(squares < 27.9, "{counts:?}");
    }

    #[test]
    fn columns_stay_whole_and_are_drawn_equally_often() {
        // A number with its indicator, a text of three categories, three numbers.
        let columns = [0..2, 2..5, 5..6, 6..7, 7..8];
        let mut counts = [0_u32; 5];
        for seed in 0..2000 {
            let inputs = inputs(&columns, 0.4, seed);
            assert!(inputs.is_sorted() && !inputs.is_empty());
            let seen: Vec<usize> = (0..5).filter(|&c| inputs.contains(&columns[c].start)).collect();
            assert_eq!(seen.len(), 2);
            assert_eq!(seen.iter().flat_map(|&c| columns[c].clone()).collect::<Vec<_>>(), inputs);
            seen.into_iter().for_each(|column| counts[column] += 1);
        }
        // 2,000 draws of 2 of 5: each column 800 times with variance 2,000 * 0.4 * 0.6.
        let deviation = (2000.0 * 0.4 * 0.6_f64).sqrt();
        assert!(counts.iter().all(|&c| (f64::from(c) - 800.0).abs() < 4.0 * deviation), "{counts:?}");
        assert_eq!(inputs(&columns, 0.01, 3), inputs(&columns, 0.2, 3), "at least one");
    }
}
