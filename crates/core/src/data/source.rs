//! A data set, whatever it was read from.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::idx::idx_files;
use super::{ColumnTypes, Images, Table, digits, parse_csv, read_csv, read_idx_folder};
use crate::error::{Error, Result};

/// The name under which the embedded digits can be opened.
pub const DIGITS: &str = "digits";

/// The name under which standard input can be opened as a table.
const STANDARD_INPUT: &str = "-";

/// A part of a data set that comes in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The rows to learn from.
    Train,
    /// The rows to evaluate with, by which nothing is ever chosen.
    Test,
}

impl FromStr for Part {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "train" => Ok(Part::Train),
            "test" => Ok(Part::Test),
            _ => Err(Error::argument("part", format!("it is \"train\" or \"test\", not {text:?}"))),
        }
    }
}

/// A data set: a table or images.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Columns of numbers and texts.
    Table(Table),
    /// Pictures with a class each.
    Images(Images),
}

impl Data {
    /// Opens a data set: a folder as IDX files ([`read_idx_folder`], the training part if `part` is `None`),
    /// a file as CSV or TSV ([`read_csv`], with the given column types), and if there are no such files, the
    /// word `digits` as the embedded [`digits`] and `-` as standard input, read to its end ([`parse_csv`]).
    ///
    /// # Errors
    /// Those of the readers, and a `part` of something that has none.
    pub fn open(path: &Path, part: Option<Part>, types: &ColumnTypes) -> Result<Self> {
        if Self::has_parts(path) {
            return read_idx_folder(path, part.unwrap_or(Part::Train)).map(Data::Images);
        }
        if part.is_some() {
            let problem = "only a folder of IDX files has a training and a test part; leave the part out";
            return Err(Error::data(path.display().to_string(), problem));
        }
        if path == Path::new(DIGITS) && !path.exists() {
            return digits().map(Data::Images);
        }
        if path == Path::new(STANDARD_INPUT) && !path.exists() {
            return read_standard_input(types).map(Data::Table);
        }
        read_csv(path, types).map(Data::Table)
    }

    /// Whether the path is a folder, which has a training and a test part.
    pub fn has_parts(path: &Path) -> bool {
        path.is_dir()
    }

    /// The files that hold a data set: those of a folder, or the path itself.
    pub fn files(path: &Path) -> Vec<PathBuf> {
        if Self::has_parts(path) { idx_files(path) } else { vec![path.to_owned()] }
    }

    /// What error messages call it.
    pub fn name(&self) -> &str {
        match self {
            Data::Table(table) => table.name(),
            Data::Images(images) => images.name(),
        }
    }

    /// How many rows, or images, there are.
    pub fn rows(&self) -> usize {
        match self {
            Data::Table(table) => table.rows(),
            Data::Images(images) => images.rows(),
        }
    }

    /// The given rows, in the given order.
    ///
    /// # Errors
    /// Each index must be below [`Data::rows`].
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        match self {
            Data::Table(table) => table.select(rows).map(Data::Table),
            Data::Images(images) => images.select(rows).map(Data::Images),
        }
    }
}

fn read_standard_input(types: &ColumnTypes) -> Result<Table> {
    const NAME: &str = "standard input";
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(Error::file("read", Path::new(NAME)))?;
    parse_csv(NAME, &bytes, types)
}

impl From<Table> for Data {
    fn from(table: Table) -> Self {
        Data::Table(table)
    }
}

impl From<Images> for Data {
    fn from(images: Images) -> Self {
        Data::Images(images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_digits_opens_the_embedded_digits() {
        let data = Data::open(Path::new("digits"), None, &ColumnTypes::new()).unwrap();
        assert_eq!(data.rows(), 1797);
        assert!(Data::open(Path::new("digits"), Some(Part::Test), &ColumnTypes::new()).is_err());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Data::open(Path::new("no/such.csv"), None, &ColumnTypes::new()).unwrap_err().to_string();
        assert!(error.starts_with("cannot open no/such.csv"), "{error}");
    }

    #[test]
    fn opens_mnist() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/mnist");
        if !folder.exists() {
            println!("skipped: {} is not there", folder.display());
            return;
        }
        for (part, rows) in [(None, 60_000), (Some(Part::Test), 10_000)] {
            let Data::Images(images) = Data::open(&folder, part, &ColumnTypes::new()).unwrap() else {
                panic!("not images");
            };
            assert_eq!((images.rows(), images.height(), images.width()), (rows, 28, 28));
            assert_eq!(images.classes(), 10);
            // Published: the mean of all training pixels is 0.1307 of white; the test part's is 0.1325.
            let mean = images.pixels().iter().map(|&pixel| f64::from(pixel)).sum::<f64>()
                / (images.pixels().len() as f64 * f64::from(images.white()));
            let expected = if part.is_none() { 0.1307 } else { 0.1325 };
            assert!((mean - expected).abs() < 1e-4, "{mean}");
        }
    }
}
