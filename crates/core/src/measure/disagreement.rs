//! How far the members of an ensemble disagree.

use serde::Serialize;

use super::weights::{Weights, check_probabilities, check_values};
use crate::data::{Matrix, largest};
use crate::error::{Error, Result};

/// How far the members of an ensemble disagree; all 0 where they all predict the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Disagreement {
    /// The mean over rows, and classes, of the standard deviation over the members: of a probability, or
    /// of a value in its own unit.
    pub deviation: f64,
    /// Of classes: the share of rows for which not all members find the same class most probable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes_differ: Option<f64>,
    /// Of classes: the mean mutual information of class and member, in nats: the entropy of the mean
    /// probabilities less the mean entropy of the members'. At most ln(members).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutual_information: Option<f64>,
}

impl Disagreement {
    /// Measures the probabilities `[rows, classes]` of each member.
    ///
    /// # Errors
    /// See [the module](crate::measure); also where there is no member, or they differ in shape.
    pub fn of_probabilities(members: &[&Matrix], weights: Option<&[f32]>) -> Result<Self> {
        let (rows, first) = (first(members)?.rows(), vec![0; members[0].rows()]);
        members.iter().try_for_each(|member| check_probabilities(member, &first))?;
        let weights = Weights::new(weights, rows)?;
        let deviation = deviation(members, &weights)?;
        let differ = |row: usize| {
            let class = largest(members[0].row(row));
            f64::from(u8::from(members.iter().any(|member| largest(member.row(row)) != class)))
        };
        let information = |row: usize| mutual_information(members, row);
        Ok(Self {
            deviation,
            classes_differ: Some(weights.mean(rows, differ)),
            mutual_information: Some(weights.mean(rows, information)),
        })
    }

    /// Measures the values `[rows, outputs]` of each member.
    ///
    /// # Errors
    /// As [`Disagreement::of_probabilities`].
    pub fn of_values(members: &[&Matrix], weights: Option<&[f32]>) -> Result<Self> {
        let weights = Weights::new(weights, first(members)?.rows())?;
        let deviation = deviation(members, &weights)?;
        Ok(Self { deviation, classes_differ: None, mutual_information: None })
    }
}

/// The first member, whose shape all must have.
fn first<'a>(members: &[&'a Matrix]) -> Result<&'a Matrix> {
    members.first().copied().ok_or_else(|| Error::argument("members", "an ensemble has at least one"))
}

/// The mean standard deviation over the members.
fn deviation(members: &[&Matrix], weights: &Weights) -> Result<f64> {
    let (rows, columns) = (members[0].rows(), members[0].columns());
    members.iter().try_for_each(|member| check_values("members", member, rows, columns))?;
    let of_cell = |row: usize, column: usize| {
        let each = members.iter().map(|member| f64::from(member.row(row)[column]));
        let mean = each.clone().sum::<f64>() / members.len() as f64;
        (each.map(|value| (value - mean).powi(2)).sum::<f64>() / members.len() as f64).sqrt()
    };
    let of_row = |row| (0..columns).map(|column| of_cell(row, column)).sum::<f64>() / columns as f64;
    Ok(weights.mean(rows, of_row))
}

/// Entropy of the mean less mean entropy, never below 0 by rounding.
fn mutual_information(members: &[&Matrix], row: usize) -> f64 {
    let count = members.len() as f64;
    let term = |p: f64| if p > 0.0 { -p * libm::log(p) } else { 0.0 };
    let of_class = |class: usize| {
        let each = members.iter().map(|member| f64::from(member.row(row)[class]));
        term(each.clone().sum::<f64>() / count) - each.map(term).sum::<f64>() / count
    };
    (0..members[0].columns()).map(of_class).sum::<f64>().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::test_values::close;
    use super::*;

    fn matrix(values: &[f32]) -> Matrix {
        Matrix::new(2, 2, values.to_vec()).unwrap()
    }

    #[test]
    fn members_that_are_sure_of_different_classes() {
        // Row 0: one is sure of each class, ln 2 nats. Row 1: all agree.
        let (one, other) = (matrix(&[1.0, 0.0, 0.25, 0.75]), matrix(&[0.0, 1.0, 0.25, 0.75]));
        let measured = Disagreement::of_probabilities(&[&one, &other], None).unwrap();
        close(measured.deviation, 0.25);
        close(measured.classes_differ.unwrap(), 0.5);
        close(measured.mutual_information.unwrap(), std::f64::consts::LN_2 / 2.0);
        let weighted = Disagreement::of_probabilities(&[&one, &other], Some(&[3.0, 1.0])).unwrap();
        close(weighted.classes_differ.unwrap(), 0.75);
    }

    #[test]
    fn members_that_agree() {
        let same = matrix(&[0.3, 0.7, 0.5, 0.5]);
        let measured = Disagreement::of_probabilities(&[&same; 3], None).unwrap();
        assert!(measured.deviation < 1e-12 && measured.mutual_information.unwrap() < 1e-12);
        assert_eq!(measured.classes_differ, Some(0.0));
    }

    #[test]
    fn values_have_a_deviation_only() {
        let (one, other) = (matrix(&[1.0, 10.0, -1.0, 0.0]), matrix(&[3.0, 10.0, -2.0, 4.0]));
        let measured = Disagreement::of_values(&[&one, &other], None).unwrap();
        close(measured.deviation, (1.0 + 0.0 + 0.5 + 2.0) / 4.0);
        assert_eq!((measured.classes_differ, measured.mutual_information), (None, None));
    }

    #[test]
    fn members_that_do_not_belong_together_are_refused() {
        assert!(Disagreement::of_values(&[], None).is_err());
        assert!(Disagreement::of_probabilities(&[], None).is_err());
        let (two, three) = (Matrix::zeros(2, 2), Matrix::zeros(2, 3));
        assert!(Disagreement::of_values(&[&two, &three], None).is_err());
        assert!(Disagreement::of_probabilities(&[&two, &three], None).is_err());
        assert!(Disagreement::of_probabilities(&[&two, &Matrix::zeros(1, 2)], None).is_err());
    }
}
