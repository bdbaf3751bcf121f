//! The rows that a study trains on and tests with.

use std::path::{Path, PathBuf};

use thinnet_kernels::philox::Key;

use super::splits::Splits;
use super::trial::Source;
use crate::data::{ColumnTypes, DIGITS, Data, DataSpec, Part, split};
use crate::error::{Error, Result};
use crate::prepare::strata;
use crate::random;
use crate::streams;

/// A data set, read.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    /// Rows to train on, and others to test with.
    Parts {
        /// All rows to train on.
        train: Data,
        /// The rows to test with.
        test: Data,
    },
    /// Published splits.
    Splits(Splits),
}

impl Rows {
    /// What changes with any cell or pixel of the rows, or of the table of published splits.
    ///
    /// # Errors
    /// None that data which were read can cause.
    pub(super) fn fingerprint(&self) -> Result<String> {
        let of = |data: &Data| data.fingerprint(None).map(|number| format!("{number:016x}"));
        match self {
            Rows::Parts { train, test } => Ok(format!("{} {}", of(train)?, of(test)?)),
            Rows::Splits(splits) => of(&splits.table.clone().into()),
        }
    }
}

impl Source {
    /// Where it lies; none for what is built in.
    pub(super) fn place(&self, folder: &Path) -> Option<PathBuf> {
        (self.path != DIGITS).then(|| folder.join(&self.path))
    }

    /// Whether the other is of the same data set, with the same rows to test with.
    pub(super) fn is_same_set(&self, other: &Source) -> bool {
        (&self.path, &self.test, self.test_share) == (&other.path, &other.test, other.test_share)
    }

    /// Whether it is there.
    pub fn exists(&self, folder: &Path) -> bool {
        let test = self.test.as_ref().map(|test| folder.join(test));
        self.place(folder).into_iter().chain(test).all(|path| path.exists())
    }

    /// Reads it from the folder of data sets. `spec` says which column is the target.
    ///
    /// # Errors
    /// Those of the readers, and a source without rows to test with.
    pub(super) fn read(&self, folder: &Path, spec: &DataSpec) -> Result<Rows> {
        let path = self.place(folder).unwrap_or_else(|| DIGITS.into());
        if path.join("data.txt").exists() {
            return Splits::read(&path).map(Rows::Splits);
        }
        let parts = |test: Data| {
            let train = Data::open(&path, None, &spec.types)?;
            Ok(Rows::Parts { train, test })
        };
        if Data::has_parts(&path) {
            return parts(Data::open(&path, Some(Part::Test), &ColumnTypes::new())?);
        }
        if let Some(test) = &self.test {
            return parts(Data::open(&folder.join(test), None, &spec.types)?);
        }
        if self.test_share == 0.0 {
            let problem =
                "it has no test part: name one with data.test, or set rows aside with data.test_share";
            return Err(Error::data(path.display().to_string(), problem));
        }
        let all = Data::open(&path, None, &spec.types)?;
        let key = Key { seed: 0, stream: streams::STUDY_TEST };
        let labels = strata(&all, spec)?;
        let parts = split(all.rows(), labels.as_deref(), self.test_share, &mut random::words(key, 0))?;
        Ok(Rows::Parts { train: all.select(&parts.train)?, test: all.select(&parts.valid)? })
    }

    /// The rows that a run with this seed trains on: all, or as many as the source says, drawn at random.
    ///
    /// # Errors
    /// [`Error::Spec`] if there are fewer.
    pub(super) fn drawn(&self, all: &Data, seed: u32) -> Result<Option<Data>> {
        if self.rows == 0 {
            return Ok(None);
        }
        if self.rows > all.rows() {
            let problem =
                format!("{} of {}, which has {} rows to train on", self.rows, all.name(), all.rows());
            return Err(Error::spec("data.rows", problem));
        }
        let mut order: Vec<usize> = (0..all.rows()).collect();
        random::shuffle(&mut order, &mut random::words(Key { seed, stream: streams::STUDY_ROWS }, 0));
        all.select(&order[..self.rows]).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(rows: usize) -> Source {
        Source { path: "digits".into(), test_share: 0.5, rows, ..Source::default() }
    }

    fn read(source: &Source) -> (Data, Data) {
        match source.read(Path::new("nowhere"), &DataSpec::default()).unwrap() {
            Rows::Parts { train, test } => (train, test),
            Rows::Splits(_) => panic!("no splits"),
        }
    }

    #[test]
    fn rows_are_set_aside_once_and_drawn_for_each_seed() {
        let source = digits(100);
        let (train, test) = read(&source);
        assert_eq!((train.rows(), test.rows()), (898, 899));
        assert_eq!(read(&source).1, test);
        let drawn = |seed| source.drawn(&train, seed).unwrap().unwrap();
        assert_eq!(drawn(1).rows(), 100);
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert_eq!(digits(0).drawn(&train, 1).unwrap(), None);
        let error = digits(899).drawn(&train, 1).unwrap_err().to_string();
        assert_eq!(error, "spec, data.rows: 899 of digits, which has 898 rows to train on");
    }

    #[test]
    fn a_source_needs_rows_to_test_with() {
        let source = Source { test_share: 0.0, ..digits(0) };
        let error = source.read(Path::new("nowhere"), &DataSpec::default()).unwrap_err().to_string();
        assert!(error.starts_with("digits: it has no test part"), "{error}");
        let missing = Source { path: "mnist".into(), ..Source::default() };
        assert!(digits(0).exists(Path::new("nowhere")) && !missing.exists(Path::new("nowhere")));
        let error = missing.read(Path::new("nowhere"), &DataSpec::default()).unwrap_err().to_string();
        assert!(error.contains("nowhere/mnist"), "{error}");
    }
}
