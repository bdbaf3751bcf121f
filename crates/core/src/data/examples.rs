//! Rows as the network sees them: a matrix of inputs and one target each.

use crate::error::{Error, Result};

/// A dense matrix `[rows, columns]`, row-major, f32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// A matrix from its values, row after row.
    ///
    /// # Errors
    /// `values` must hold exactly `rows * columns` numbers.
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Result<Self> {
        if rows.checked_mul(columns) != Some(values.len()) {
            let problem = format!(
                "{rows} rows of {columns} columns need {rows} x {columns} values, not {}",
                values.len()
            );
            return Err(Error::argument("matrix", problem));
        }
        Ok(Self { rows, columns, values })
    }

    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns each row has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, row after row, to write to.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// One row. The index must be below [`Matrix::rows`].
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// A new matrix of the given rows, in the given order. Each index must be below [`Matrix::rows`].
    pub fn select(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Self { rows: rows.len(), columns: self.columns, values }
    }

    /// A new matrix of the given columns, in the given order. Each index must be below
    /// [`Matrix::columns`].
    pub fn select_columns(&self, columns: &[usize]) -> Self {
        let of_row = |row: usize| columns.iter().map(move |&column| self.row(row)[column]);
        let values = (0..self.rows).flat_map(of_row).collect();
        Self { rows: self.rows, columns: columns.len(), values }
    }
}

/// The place of the largest value, from 0: the most probable class of a row of probabilities. Of equals it is
/// the first one; 0 where there are no values. A NaN is not larger than anything, nor anything larger than
/// it: it is found only where it is the first value.
///
/// ```
/// assert_eq!(thinnet::data::largest(&[0.2, 0.4, 0.4]), 1);
/// ```
pub fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// What is to be predicted, one for each row.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// The index of each row's class, below `classes`.
    Classes {
        /// One index for each row.
        labels: Vec<u32>,
        /// How many classes there are.
        classes: usize,
    },
    /// One number, or several, for each row: `[rows, outputs]`.
    Values(Matrix),
}

impl Targets {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        match self {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Values(values) => values.rows(),
        }
    }

    /// The targets of the given rows, in the given order. Each index must be below [`Targets::rows`].
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Targets::Classes { labels, classes } => {
                Targets::Classes { labels: rows.iter().map(|&row| labels[row]).collect(), classes: *classes }
            }
            Targets::Values(values) => Targets::Values(values.select(rows)),
        }
    }
}

/// Prepared rows: what a network is trained on, or evaluated with.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    /// `[rows, units of the input layer]`.
    pub inputs: Matrix,
    /// One target for each row.
    pub targets: Targets,
    /// How much each row counts; `None` means 1 each.
    pub weights: Option<Vec<f32>>,
}

impl Examples {
    /// Puts the parts together.
    ///
    /// # Errors
    /// All parts must have the same number of rows, labels must be below the number of classes,
    /// and weights must be finite and not negative.
    pub fn new(inputs: Matrix, targets: Targets, weights: Option<Vec<f32>>) -> Result<Self> {
        if targets.rows() != inputs.rows() {
            return Err(Error::argument(
                "targets",
                format!("{} targets for {} rows", targets.rows(), inputs.rows()),
            ));
        }
        if let Targets::Classes { labels, classes } = &targets
            && let Some(row) = labels.iter().position(|&label| label as usize >= *classes)
        {
            let problem = format!(
                "row {row} has class {}, but there are {classes} classes, counted from 0",
                labels[row]
            );
            return Err(Error::argument("targets", problem));
        }
        if let Some(weights) = &weights {
            if weights.len() != inputs.rows() {
                return Err(Error::argument(
                    "weights",
                    format!("{} weights for {} rows", weights.len(), inputs.rows()),
                ));
            }
            if let Some(row) = weights.iter().position(|&weight| !(weight >= 0.0 && weight.is_finite())) {
                return Err(Error::argument(
                    "weights",
                    format!("the weight of row {row} is {}", weights[row]),
                ));
            }
        }
        Ok(Self { inputs, targets, weights })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.inputs.rows()
    }

    /// How much a row counts. The index must be below [`Examples::rows`].
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| f64::from(weights[row]))
    }

    /// The given rows, in the given order. Each index must be below [`Examples::rows`].
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            inputs: self.inputs.select(rows),
            targets: self.targets.select(rows),
            weights: self.weights.as_ref().map(|weights| rows.iter().map(|&row| weights[row]).collect()),
        }
    }
}
