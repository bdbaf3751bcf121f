//! Data with published splits, in the form of Gal and Ghahramani's: a folder for each data set.
//!
//! `data.txt` holds a row on each line, numbers with spaces between them. `index_features.txt` and
//! `index_target.txt` say which columns are inputs and which is the target, `n_splits.txt` how many splits
//! there are, `index_train_K.txt` and `index_test_K.txt` which rows the split K trains on and tests with,
//! all counted from 0. `dropout_rates.txt` and `tau_values.txt` are what may be chosen from.

use std::path::{Path, PathBuf};

use crate::data::{Column, Table, parse_number};
use crate::error::{Error, Result};

/// The column of the target in the table of [`Splits`].
pub(super) const TARGET: &str = "target";

/// A table and its published splits.
#[derive(Clone, Debug)]
pub(super) struct Splits {
    folder: PathBuf,
    /// The inputs, "input 0" and so on, and the target.
    pub table: Table,
    /// How many splits there are.
    pub count: usize,
}

impl Splits {
    /// Reads the table of a folder.
    ///
    /// # Errors
    /// A file that is missing, or holds something else than numbers, with its line.
    pub fn read(folder: &Path) -> Result<Self> {
        let rows = numbers(&folder.join("data.txt"))?;
        let width = rows.first().map_or(0, |(_, row)| row.len());
        let name = folder.join("data.txt").display().to_string();
        if let Some((line, row)) = rows.iter().find(|(_, row)| row.len() != width) {
            let problem = format!("{} numbers, but the first line has {width}", row.len());
            return Err(Error::data(format!("{name}, line {line}"), problem));
        }
        let column = |index: usize| rows.iter().map(|(_, row)| row[index]).collect::<Vec<f64>>();
        let mut columns = Vec::new();
        for (number, index) in indices(&folder.join("index_features.txt"), width)?.into_iter().enumerate() {
            columns.push(Column::numbers(format!("input {number}"), column(index)));
        }
        let target = one(&folder.join("index_target.txt"), width)?;
        columns.push(Column::numbers(TARGET, column(target)));
        let count = one(&folder.join("n_splits.txt"), usize::MAX)?;
        Ok(Self { folder: folder.to_owned(), table: Table::new(name, columns)?, count })
    }

    /// The rows that a split, counted from 0, trains on and tests with, in the order of its files.
    ///
    /// # Errors
    /// A split that is not there, a file that is missing or names rows that are not there.
    pub fn split(&self, number: usize) -> Result<(Vec<usize>, Vec<usize>)> {
        if number >= self.count {
            let problem = format!("there is no split {number}; it has {}, counted from 0", self.count);
            return Err(Error::data(self.folder.display().to_string(), problem));
        }
        let rows = |part: &str| {
            let path = self.folder.join(format!("index_{part}_{number}.txt"));
            let rows = indices(&path, self.table.rows())?;
            match rows.is_empty() {
                true => Err(Error::data(path.display().to_string(), "it names no rows")),
                false => Ok(rows),
            }
        };
        Ok((rows("train")?, rows("test")?))
    }

    /// The rates that may be chosen from.
    ///
    /// # Errors
    /// A file that is missing, or holds something else than numbers.
    pub fn rates(&self) -> Result<Vec<f32>> {
        Ok(self.list("dropout_rates.txt")?.into_iter().map(|rate| rate as f32).collect())
    }

    /// The precisions of the observations that may be chosen from.
    ///
    /// # Errors
    /// As [`Splits::rates`].
    pub fn taus(&self) -> Result<Vec<f64>> {
        self.list("tau_values.txt")
    }

    fn list(&self, name: &str) -> Result<Vec<f64>> {
        let path = self.folder.join(name);
        let numbers: Vec<f64> = numbers(&path)?.into_iter().flat_map(|(_, row)| row).collect();
        match numbers.is_empty() {
            true => Err(Error::data(path.display().to_string(), "it holds no numbers")),
            false => Ok(numbers),
        }
    }
}

/// The numbers of each line that has any, with the number of the line, from 1.
fn numbers(path: &Path) -> Result<Vec<(usize, Vec<f64>)>> {
    let text = std::fs::read_to_string(path).map_err(Error::file("read", path))?;
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = |word: &str| {
            let place = format!("{}, line {}", path.display(), index + 1);
            parse_number(word).ok_or_else(|| Error::data(place, format!("{word:?} is not a number")))
        };
        let row = line.split_whitespace().map(number).collect::<Result<Vec<f64>>>()?;
        if !row.is_empty() {
            rows.push((index + 1, row));
        }
    }
    Ok(rows)
}

/// Whole numbers from 0 to below a limit.
fn indices(path: &Path, limit: usize) -> Result<Vec<usize>> {
    let mut indices = Vec::new();
    for (line, row) in numbers(path)? {
        for number in row {
            if !(number >= 0.0 && number.fract() == 0.0 && number < limit as f64) {
                let place = format!("{}, line {line}", path.display());
                return Err(Error::data(
                    place,
                    format!("{number} is not a whole number from 0 to below {limit}"),
                ));
            }
            indices.push(number as usize);
        }
    }
    Ok(indices)
}

/// The only number of a file.
fn one(path: &Path, limit: usize) -> Result<usize> {
    match indices(path, limit)?[..] {
        [number] => Ok(number),
        _ => Err(Error::data(path.display().to_string(), "it must hold one number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Cells;

    fn folder(name: &str, change: &[(&str, &str)]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("thinnet-splits-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let files = [
            ("data.txt", " 1.0 10 \t-0.5\n2.0  20 0\n3.0 30 0.5\n4.0 40 1e2\n\n"),
            ("index_features.txt", "2\n0\n"),
            ("index_target.txt", "1\n"),
            ("n_splits.txt", "2\n"),
            ("index_train_0.txt", "3\n0\n2\n"),
            ("index_test_0.txt", "1\n"),
            ("index_train_1.txt", "0.0\n1\n3\n"),
            ("index_test_1.txt", "4\n"),
            ("dropout_rates.txt", "0.005\n0.1\n"),
            ("tau_values.txt", "0.1 0.15\n"),
        ];
        for (name, content) in files.iter().chain(change) {
            std::fs::write(folder.join(name), content).unwrap();
        }
        folder
    }

    #[test]
    fn inputs_target_and_splits_are_read_as_the_files_say() {
        let folder = folder("read", &[]);
        let splits = Splits::read(&folder).unwrap();
        let names: Vec<&str> = splits.table.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!((names, splits.count), (vec!["input 0", "input 1", "target"], 2));
        let cells = |index: usize| splits.table.columns()[index].cells.clone();
        assert_eq!(cells(0), Cells::Numbers(vec![-0.5, 0.0, 0.5, 100.0]));
        assert_eq!(cells(2), Cells::Numbers(vec![10.0, 20.0, 30.0, 40.0]));
        assert_eq!(splits.split(0).unwrap(), (vec![3, 0, 2], vec![1]));
        assert_eq!((splits.rates().unwrap(), splits.taus().unwrap()), (vec![0.005, 0.1], vec![0.1, 0.15]));
        let error = splits.split(1).unwrap_err().to_string();
        assert!(
            error.contains("index_test_1.txt, line 1: 4 is not a whole number from 0 to below 4"),
            "{error}"
        );
        assert!(splits.split(2).unwrap_err().to_string().contains("there is no split 2"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (name, content, part) in [
            ("data.txt", "1 2 3\n1 2\n", "line 2: 2 numbers, but the first line has 3"),
            ("data.txt", "1 2 x\n", "line 1: \"x\" is not a number"),
            ("index_target.txt", "3\n", "line 1: 3 is not a whole number from 0 to below 3"),
            ("index_target.txt", "0\n1\n", "it must hold one number"),
            ("index_features.txt", "0\n-1\n", "line 2: -1 is not"),
        ] {
            let folder = folder("wrong", &[(name, content)]);
            let error = Splits::read(&folder).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(part), "{error}");
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }

    #[test]
    fn reads_the_published_splits() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/uci/yacht");
        if !folder.exists() {
            println!("skipped: {} is not there", folder.display());
            return;
        }
        let splits = Splits::read(&folder).unwrap();
        assert_eq!((splits.table.rows(), splits.table.columns().len(), splits.count), (308, 7, 20));
        for number in 0..20 {
            let (train, test) = splits.split(number).unwrap();
            let mut all = [train.clone(), test].concat();
            all.sort_unstable();
            assert!(train.len() == 277 && all.into_iter().eq(0..308), "split {number}");
        }
        assert_eq!(splits.taus().unwrap(), [0.25, 0.5, 0.75]);
    }
}
