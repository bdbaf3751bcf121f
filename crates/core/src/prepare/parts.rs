//! Which rows of a data set are for what.

use thinnet_kernels::philox::Key;

use super::strata;
use crate::data::{Data, DataSpec, Split, split};
use crate::error::{Error, Result};
use crate::random;
use crate::streams;

/// The rows of a data set by what they are for, each list in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The rows to train on.
    pub train: Vec<usize>,
    /// The rows to choose by.
    pub valid: Vec<usize>,
    /// The rows to evaluate with, when all is chosen.
    pub test: Vec<usize>,
}

impl Parts {
    /// First the test part is set aside, which `spec.test_seed` draws, then of the other rows those that
    /// validate, which `seed` draws, the seed of the run. Of a classification every class gives its fraction
    /// to both.
    ///
    /// # Errors
    /// A target column that does not exist, has an empty cell or too many classes, or too few rows for the
    /// fractions.
    pub fn new(data: &Data, spec: &DataSpec, seed: u32) -> Result<Self> {
        spec.check()?;
        let all: Vec<usize> = (0..data.rows()).collect();
        let labels = match spec.test > 0.0 || spec.valid_for(data.rows()) > 0.0 {
            true => strata(data, spec)?,
            false => None,
        };
        let labels = labels.as_deref();
        let (learned, test) =
            aside("data.test", all, labels, spec.test, Key { seed: spec.test_seed, stream: streams::TEST })?;
        let valid = spec.valid_for(learned.len());
        let (train, valid) =
            aside("data.valid", learned, labels, valid, Key { seed, stream: streams::SPLIT })?;
        Ok(Self { train, valid, test })
    }

    /// The rows that are not in the test part, in ascending order.
    pub fn learned(&self) -> Vec<usize> {
        let mut rows = [&self.train[..], &self.valid].concat();
        rows.sort_unstable();
        rows
    }
}

/// Sets the fraction of a field of the spec aside; `labels` are those of all rows.
fn aside(
    field: &'static str,
    rows: Vec<usize>,
    labels: Option<&[u32]>,
    fraction: f64,
    key: Key,
) -> Result<(Vec<usize>, Vec<usize>)> {
    if fraction == 0.0 {
        return Ok((rows, Vec::new()));
    }
    let labels: Option<Vec<u32>> = labels.map(|labels| rows.iter().map(|&row| labels[row]).collect());
    let named = |error| match error {
        Error::Argument { problem, .. } => Error::spec(field, problem),
        other => other,
    };
    let words = &mut random::words(key, 0);
    let Split { train, valid } = split(rows.len(), labels.as_deref(), fraction, words).map_err(named)?;
    let of = |places: Vec<usize>| places.into_iter().map(|place| rows[place]).collect();
    Ok((of(train), of(valid)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Images, Table, Task, parse_csv};

    /// 200 images, a quarter of them of class 1.
    fn images() -> Data {
        let labels = (0..200).map(|row| u32::from(row % 4 == 0)).collect();
        Images::new("images", (1, 1), 1.0, vec![0; 200], labels).unwrap().into()
    }

    fn spec(test: f64, valid: f64) -> DataSpec {
        DataSpec { test, valid: Some(valid), ..DataSpec::default() }
    }

    #[test]
    fn every_row_is_in_one_part_and_every_class_in_each() {
        let parts = Parts::new(&images(), &spec(0.2, 0.25), 7).unwrap();
        assert_eq!([parts.train.len(), parts.valid.len(), parts.test.len()], [120, 40, 40]);
        let mut all = [&parts.train[..], &parts.valid, &parts.test].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..200));
        for part in [&parts.train, &parts.valid, &parts.test] {
            assert!(part.is_sorted());
            assert_eq!(part.iter().filter(|&row| row % 4 == 0).count(), part.len() / 4);
        }
        assert_eq!(parts.learned(), (0..200).filter(|row| !parts.test.contains(row)).collect::<Vec<_>>());
    }

    #[test]
    fn the_test_part_is_that_of_its_own_seed() {
        let parts = |seed, test_seed| {
            Parts::new(&images(), &DataSpec { test_seed, ..spec(0.2, 0.25) }, seed).unwrap()
        };
        assert_eq!(parts(1, 0).test, parts(2, 0).test);
        assert_ne!(parts(1, 0).valid, parts(2, 0).valid);
        assert_ne!(parts(1, 0).test, parts(1, 1).test);
    }

    #[test]
    fn without_a_test_part_the_rows_that_validate_are_those_of_a_split() {
        let Data::Images(images) = images() else { panic!("images") };
        let words = &mut random::words(Key { seed: 3, stream: streams::SPLIT }, 0);
        let Split { train, valid } = split(200, Some(images.labels()), 0.25, words).unwrap();
        let parts = Parts::new(&images.into(), &spec(0.0, 0.25), 3).unwrap();
        assert_eq!(parts, Parts { train, valid, test: Vec::new() });
    }

    #[test]
    fn without_parts_the_targets_are_not_looked_at() {
        let table = Table::from_rows(&[1.0, 2.0], 1, Some(&[1.0, f32::NAN])).unwrap();
        let parts = Parts::new(&table.into(), &spec(0.0, 0.0), 0).unwrap();
        assert_eq!(parts.train, [0, 1]);
    }

    #[test]
    fn classes_of_one_row_each_are_blamed_not_the_fraction() {
        let rows: String = (0..300).map(|row| format!("{row},name {row}\n")).collect();
        let table = parse_csv("t.csv", format!("x,y\n{rows}").as_bytes(), &Default::default()).unwrap();
        let error = Parts::new(&table.into(), &spec(0.0, 0.2), 0).unwrap_err().to_string();
        let expected = "t.csv, column y: it has 300 classes in 300 rows, too many to learn; choose another \
                        target or task";
        assert_eq!(error, expected);
    }

    #[test]
    fn values_are_drawn_without_classes() {
        let numbers: Vec<f32> = (0..100).map(|row| row as f32).collect();
        let data = Data::from(Table::from_rows(&numbers, 1, Some(&numbers)).unwrap());
        let spec = DataSpec { task: Some(Task::Regression), ..spec(0.3, 0.0) };
        let parts = Parts::new(&data, &spec, 0).unwrap();
        assert_eq!([parts.train.len(), parts.test.len()], [70, 30]);
    }
}
