//! Which columns of a data file are used, and as what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The types that are wanted for some columns, by the columns' names.
pub type ColumnTypes = BTreeMap<String, ColumnType>;

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Numbers, standardised before the network sees them.
    Number,
    /// Texts, one-hot encoded before the network sees them.
    Text,
}

/// What is to be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Each row belongs to one of several classes.
    Classification,
    /// Each row has a number.
    Regression,
}

impl std::fmt::Display for Task {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Task::Classification => "classification",
            Task::Regression => "regression",
        })
    }
}

/// The part of the spec that says how a data file is used: the table `[data]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSpec {
    /// The column to predict. Without it, the last column that is neither ignored nor the weight.
    pub target: Option<String>,
    /// Columns that are not used.
    pub ignore: Vec<String>,
    /// What to learn. Without it, texts and few small integers make a classification, other numbers a
    /// regression.
    pub task: Option<Task>,
    /// Columns whose type is not what reading the file finds.
    pub types: ColumnTypes,
    /// The column that says how much each row counts: numbers from 0 upwards.
    pub weight: Option<String>,
    /// The fraction of the rows that is set aside for validation, from 0 (none) to below 1. Without it,
    /// [`DataSpec::valid_for`] decides.
    pub valid: Option<f64>,
    /// The fraction of the rows that is the test part, from 0 (none) to below 1: nothing is learned from
    /// it and nothing chosen by it. [`DataSpec::valid`] is a fraction of the other rows.
    pub test: f64,
    /// The seed that draws the test part, so that runs of different seeds can have the same one.
    pub test_seed: u32,
}

impl DataSpec {
    /// The fraction of so many rows that validates: what the spec says, or 0.2, 0.1 of more than 10,000
    /// rows, and 0 of fewer than 50, where it would be too few to choose by.
    pub fn valid_for(&self, rows: usize) -> f64 {
        let from_rows = match rows {
            0..50 => 0.0,
            50..=10_000 => 0.2,
            _ => 0.1,
        };
        self.valid.unwrap_or(from_rows)
    }

    /// Checks what can be checked without the data.
    ///
    /// # Errors
    /// [`Error::Spec`] for a fraction out of range, and for a column used for two things at once.
    pub fn check(&self) -> Result<()> {
        for (field, fraction) in [("data.valid", self.valid.unwrap_or(0.0)), ("data.test", self.test)] {
            if !(0.0..1.0).contains(&fraction) {
                return Err(Error::spec(field, format!("must be at least 0 and below 1, not {fraction}")));
            }
        }
        if let (Some(target), Some(weight)) = (&self.target, &self.weight)
            && target == weight
        {
            let problem = format!("{weight:?} is the target already; name another column");
            return Err(Error::spec("data.weight", problem));
        }
        for (field, name) in [("target", &self.target), ("weight", &self.weight)] {
            if let Some(name) = name
                && self.ignore.contains(name)
            {
                let problem = format!("{name:?} is also the {field}; take it out of one of the two");
                return Err(Error::spec("data.ignore", problem));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_toml_and_refuses_unknown_fields() {
        let text = "target = \"y\"\ntask = \"regression\"\nvalid = 0.1\n[types]\nzip = \"text\"\n";
        let spec: DataSpec = toml::from_str(text).unwrap();
        assert_eq!(spec.target.as_deref(), Some("y"));
        assert_eq!(spec.task, Some(Task::Regression));
        assert_eq!(spec.types["zip"], ColumnType::Text);
        assert!(spec.check().is_ok());
        let error = toml::from_str::<DataSpec>("targte = \"y\"").unwrap_err();
        assert!(error.to_string().contains("targte"), "{error}");
    }

    #[test]
    fn few_rows_do_not_validate_and_many_need_a_smaller_part() {
        let fractions = |valid| {
            [49, 50, 10_000, 10_001].map(|rows| DataSpec { valid, ..DataSpec::default() }.valid_for(rows))
        };
        assert_eq!(fractions(None), [0.0, 0.2, 0.2, 0.1]);
        assert_eq!(fractions(Some(0.3)), [0.3; 4]);
    }

    #[test]
    fn refuses_contradictions() {
        let named = |target: &str, weight: &str, ignore: &str| DataSpec {
            target: Some(target.into()),
            weight: Some(weight.into()),
            ignore: vec![ignore.into()],
            ..DataSpec::default()
        };
        assert!(named("a", "b", "c").check().is_ok());
        for wrong in [named("a", "a", "c"), named("a", "b", "a"), named("a", "b", "b")] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
        for fraction in [1.0, -0.1, f64::NAN] {
            assert!(DataSpec { valid: Some(fraction), ..DataSpec::default() }.check().is_err());
            assert!(DataSpec { test: fraction, ..DataSpec::default() }.check().is_err());
        }
        assert!(DataSpec { valid: Some(0.0), ..DataSpec::default() }.check().is_ok());
    }
}
