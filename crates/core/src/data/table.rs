//! A table: named columns, each of numbers or of texts.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};

/// The code of an empty cell in a column of texts.
pub const GAP: u32 = u32::MAX;

/// The cells of one column, from the first row to the last.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers; NaN is an empty cell. In a table from a file some can be infinite, which
    /// [`Cells::as_numbers`] refuses.
    Numbers(Vec<f64>),
    /// Texts, each different one kept once.
    Texts {
        /// For each row an index into `categories`, or [`GAP`].
        codes: Vec<u32>,
        /// The different texts, each once, in any order.
        categories: Vec<String>,
    },
}

impl Cells {
    /// A column of texts. `None` is an empty cell.
    pub fn texts<'a>(cells: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut texts = TextColumn::default();
        for cell in cells {
            texts.push(cell);
        }
        texts.finish()
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        match self {
            Cells::Numbers(numbers) => numbers.len(),
            Cells::Texts { codes, .. } => codes.len(),
        }
    }

    /// The cells as numbers: texts are read as numbers, and NaN is an empty cell.
    ///
    /// # Errors
    /// The first row whose cell is neither empty nor a finite number.
    pub fn as_numbers(&self) -> std::result::Result<Cow<'_, [f64]>, usize> {
        let (codes, categories) = match self {
            Cells::Numbers(numbers) => {
                return match numbers.iter().position(|number| number.is_infinite()) {
                    Some(row) => Err(row),
                    None => Ok(Cow::Borrowed(numbers)),
                };
            }
            Cells::Texts { codes, categories } => (codes, categories),
        };
        let parsed: Vec<Option<f64>> = categories.iter().map(|text| parse_number(text)).collect();
        let number_of = |(row, &code): (usize, &u32)| match code {
            GAP => Ok(f64::NAN),
            code => parsed[code as usize].ok_or(row),
        };
        codes.iter().enumerate().map(number_of).collect::<std::result::Result<_, _>>().map(Cow::Owned)
    }

    /// The cells as texts, codes and categories: numbers are written as [`number_text`] does.
    pub fn as_texts(&self) -> (Cow<'_, [u32]>, Cow<'_, [String]>) {
        match self {
            Cells::Texts { codes, categories } => (Cow::Borrowed(codes), Cow::Borrowed(categories)),
            Cells::Numbers(numbers) => {
                let mut texts = TextColumn::default();
                for &number in numbers {
                    texts.push((!number.is_nan()).then(|| number_text(number)).as_deref());
                }
                (Cow::Owned(texts.codes), Cow::Owned(texts.categories))
            }
        }
    }

    /// The text of one cell, `None` if it is empty. The row must be below [`Cells::rows`].
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        match self {
            Cells::Numbers(numbers) if numbers[row].is_nan() => None,
            Cells::Numbers(numbers) => Some(Cow::Owned(number_text(numbers[row]))),
            Cells::Texts { codes, .. } if codes[row] == GAP => None,
            Cells::Texts { codes, categories } => Some(Cow::Borrowed(&categories[codes[row] as usize])),
        }
    }

    fn select(&self, rows: &[usize]) -> Self {
        match self {
            Cells::Numbers(numbers) => Cells::Numbers(rows.iter().map(|&row| numbers[row]).collect()),
            Cells::Texts { codes, categories } => Cells::Texts {
                codes: rows.iter().map(|&row| codes[row]).collect(),
                categories: categories.clone(),
            },
        }
    }

    fn problem(&self) -> Option<String> {
        let Cells::Texts { codes, categories } = self else {
            return None;
        };
        if categories.iter().collect::<HashSet<_>>().len() < categories.len() {
            return Some("a category occurs twice".into());
        }
        let row = codes.iter().position(|&code| code != GAP && code as usize >= categories.len())?;
        Some(format!("row {row}, counted from 0, has a code without a category"))
    }
}

/// A number as people write it: whole numbers without a point, so that class 1 is "1", not "1.0".
pub fn number_text(number: f64) -> String {
    // Adding 0 turns -0 into 0.
    format!("{}", number + 0.0)
}

/// Reads a finite number.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A column of texts while it grows.
#[derive(Default)]
pub(super) struct TextColumn {
    codes: Vec<u32>,
    categories: Vec<String>,
    code_of: HashMap<String, u32>,
}

impl TextColumn {
    pub(super) fn push(&mut self, cell: Option<&str>) {
        let code = match cell {
            None => GAP,
            Some(text) => match self.code_of.get(text) {
                Some(&code) => code,
                None => {
                    let code = self.categories.len() as u32;
                    self.categories.push(text.to_owned());
                    self.code_of.insert(text.to_owned(), code);
                    code
                }
            },
        };
        self.codes.push(code);
    }

    pub(super) fn finish(self) -> Cells {
        Cells::Texts { codes: self.codes, categories: self.categories }
    }
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name, as in the header of the file.
    pub name: String,
    /// Its cells.
    pub cells: Cells,
}

impl Column {
    /// A column of numbers; NaN is an empty cell.
    pub fn numbers(name: impl Into<String>, numbers: Vec<f64>) -> Self {
        Self { name: name.into(), cells: Cells::Numbers(numbers) }
    }

    /// A column of texts; `None` is an empty cell.
    pub fn texts<'a>(name: impl Into<String>, cells: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        Self { name: name.into(), cells: Cells::texts(cells) }
    }
}

/// Columns of equal length, from a file or from memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    name: String,
    columns: Vec<Column>,
    rows: usize,
    /// The line of the file at which each row starts; empty for a table from memory.
    lines: Vec<u32>,
}

impl Table {
    /// A table from its columns. `name` is what error messages call it.
    ///
    /// # Errors
    /// There must be a column, all must have the same number of rows and names of their own, numbers
    /// must not be infinite, and codes must have a category.
    pub fn new(name: impl Into<String>, columns: Vec<Column>) -> Result<Self> {
        let table = Self::from_file(name, columns, Vec::new())?;
        for Column { name, cells } in &table.columns {
            if let (Cells::Numbers(_), Err(row)) = (cells, cells.as_numbers()) {
                let problem = format!("row {row}, counted from 0, is infinite; use NaN for an empty cell");
                return Err(Error::data(format!("{}, column {name}", table.name), problem));
            }
        }
        Ok(table)
    }

    /// As [`Table::new`], with the line of the file at which each row starts. Numbers may be infinite: they
    /// are refused where they are used, so that a column that nobody uses stops nothing.
    pub(super) fn from_file(name: impl Into<String>, columns: Vec<Column>, lines: Vec<u32>) -> Result<Self> {
        let name = name.into();
        let Some(first) = columns.first() else {
            return Err(Error::data(name, "a table needs at least one column"));
        };
        let rows = first.cells.rows();
        if rows >= GAP as usize {
            return Err(Error::data(name, format!("a table can have at most {} rows", GAP - 1)));
        }
        let mut names = HashSet::new();
        for column in &columns {
            if column.cells.rows() != rows {
                let problem = format!("it has {} rows, but the first has {rows}", column.cells.rows());
                return Err(Error::data(format!("{name}, column {}", column.name), problem));
            }
            if !names.insert(&column.name) {
                return Err(Error::data(name, format!("two columns have the name {:?}", column.name)));
            }
            if let Some(problem) = column.cells.problem() {
                return Err(Error::data(format!("{name}, column {}", column.name), problem));
            }
        }
        debug_assert!(lines.is_empty() || lines.len() == rows);
        Ok(Self { name, columns, rows, lines })
    }

    /// What error messages call the table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns, in the order of the file.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The column with this name, if there is one.
    pub fn find(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column with this name.
    ///
    /// # Errors
    /// If there is none, a sentence with the nearest name and the names there are.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.find(name).ok_or_else(|| Error::data(&self.name, self.no_column(name)))
    }

    /// The sentence that says that a column is missing, and which ones there are.
    pub(crate) fn no_column(&self, name: &str) -> String {
        const LISTED: usize = 30;
        let names = self.columns.iter().map(|column| column.name.as_str());
        let nearest = names
            .clone()
            .map(|candidate| (edits(&candidate.to_lowercase(), &name.to_lowercase()), candidate))
            .filter(|(edits, _)| *edits <= (name.chars().count() / 3).max(1))
            .min_by_key(|(edits, _)| *edits);
        let suggestion = nearest.map_or(String::new(), |(_, near)| format!(", did you mean {near:?}?"));
        let listed = names.take(LISTED).collect::<Vec<_>>().join(", ");
        let more = match self.columns.len() {
            0..=LISTED => String::new(),
            all => format!(" and {} more", all - LISTED),
        };
        format!("there is no column {name:?}{suggestion} (columns: {listed}{more})")
    }

    /// Where a cell is, for messages: "rows.csv, line 7, column age", or for a table from memory
    /// "rows, row 5 counted from 0, column age".
    pub fn place(&self, row: usize, column: &str) -> String {
        match self.lines.get(row) {
            Some(line) => format!("{}, line {line}, column {column}", self.name),
            None => format!("{}, row {row} counted from 0, column {column}", self.name),
        }
    }

    /// A table of the given rows, in the given order.
    ///
    /// # Errors
    /// Each index must be below [`Table::rows`].
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        if let Some(row) = rows.iter().find(|&&row| row >= self.rows) {
            return Err(Error::argument("rows", format!("there is no row {row} in {} rows", self.rows)));
        }
        let select = |column: &Column| Column { name: column.name.clone(), cells: column.cells.select(rows) };
        let lines = match self.lines.is_empty() {
            true => Vec::new(),
            false => rows.iter().map(|&row| self.lines[row]).collect(),
        };
        Ok(Self {
            name: self.name.clone(),
            columns: self.columns.iter().map(select).collect(),
            rows: rows.len(),
            lines,
        })
    }
}

/// How many letters must be put in, taken out or changed to turn one word into the other (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, &wanted) in other.iter().enumerate() {
            let change = diagonal + usize::from(letter != wanted);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Table {
        let columns = vec![
            Column::numbers("age", vec![30.0, f64::NAN, 41.5]),
            Column::texts("town", [Some("Bonn"), Some("Aix"), None]),
        ];
        Table::new("people", columns).unwrap()
    }

    #[test]
    fn finds_columns_and_suggests_near_names() {
        let table = people();
        assert_eq!(table.column("age").unwrap().cells.rows(), 3);
        let error = table.column("Aage").unwrap_err().to_string();
        assert!(error.contains("people: there is no column \"Aage\", did you mean \"age\"?"), "{error}");
        assert!(error.contains("(columns: age, town)"), "{error}");
        let error = table.column("income").unwrap_err().to_string();
        assert!(!error.contains("mean"), "{error}");
    }

    #[test]
    fn selects_rows_in_order() {
        let table = people().select(&[2, 0, 0]).unwrap();
        assert_eq!(table.column("age").unwrap().cells, Cells::Numbers(vec![41.5, 30.0, 30.0]));
        let town = &table.column("town").unwrap().cells;
        assert_eq!((town.text(0), town.text(1).as_deref()), (None, Some("Bonn")));
        assert!(people().select(&[3]).is_err());
    }

    #[test]
    fn refuses_columns_that_do_not_fit_together() {
        let code = Column {
            name: "code".into(),
            cells: Cells::Texts { codes: vec![0, 1], categories: vec!["a".into()] },
        };
        let a = || Column::numbers("a", vec![1.0, 2.0]);
        for wrong in [
            vec![],
            vec![a(), a()],
            vec![a(), Column::numbers("b", vec![1.0])],
            vec![a(), Column::numbers("b", vec![1.0, f64::INFINITY])],
            vec![a(), code],
        ] {
            assert!(Table::new("t", wrong.clone()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn turns_numbers_into_texts_and_back() {
        let numbers = Cells::Numbers(vec![1.0, 0.5, f64::NAN, 1.0, -0.0]);
        let (codes, categories) = numbers.as_texts();
        assert_eq!(
            (&*codes, &*categories),
            (&[0, 1, GAP, 0, 2][..], &["1", "0.5", "0"].map(String::from)[..])
        );
        let texts = Cells::texts([Some("7"), None, Some("1e3")]);
        let read = texts.as_numbers().unwrap();
        assert!(read[0] == 7.0 && read[1].is_nan() && read[2] == 1000.0);
        assert_eq!(Cells::texts([Some("7"), None, Some("x")]).as_numbers(), Err(2));
    }

    #[test]
    fn infinite_numbers_are_for_files_and_are_no_numbers_to_use() {
        let column = Column::numbers("b", vec![1.0, f64::NAN, f64::NEG_INFINITY]);
        assert_eq!(column.cells.as_numbers(), Err(2));
        let error = Table::new("t", vec![column.clone()]).unwrap_err().to_string();
        assert_eq!(error, "t, column b: row 2, counted from 0, is infinite; use NaN for an empty cell");
        let table = Table::from_file("t", vec![column], vec![2, 3, 4]).unwrap();
        assert_eq!(table.place(2, "b"), "t, line 4, column b");
        assert_eq!(table.columns()[0].cells.text(2).as_deref(), Some("-inf"));
    }

    #[test]
    fn counts_edits() {
        // The example of Wagner and Fischer's algorithm in most textbooks.
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!((edits("", "abc"), edits("abc", ""), edits("abc", "abc")), (3, 3, 0));
    }
}
