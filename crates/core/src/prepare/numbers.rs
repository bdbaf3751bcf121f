//! Cells that should be numbers, and what is said where they are not.

use std::borrow::Cow;

use crate::data::{Cells, Column, GAP, Table, parse_number};
use crate::error::{Error, Result};

/// The cells as numbers.
///
/// # Errors
/// The place of the first text or infinite number among them.
pub(super) fn numbers_of<'a>(table: &Table, column: &'a Column) -> Result<Cow<'a, [f64]>> {
    let refused = |row| no_number(table, column, row, "; correct it, or leave the cell empty");
    column.cells.as_numbers().map_err(refused)
}

/// The error of a cell that [`Cells::as_numbers`] refuses; `remedy` is how its sentence ends.
pub(super) fn no_number(table: &Table, column: &Column, row: usize, remedy: &str) -> Error {
    let cell = column.cells.text(row).unwrap_or_default();
    let problem = match cell.parse::<f64>() {
        Ok(_) => format!("{cell} is not a finite number{remedy}"),
        Err(_) => format!("{cell:?} is not a number{remedy}"),
    };
    Error::data(table.place(row, &column.name), problem)
}

/// What is said of numbers as [`foreign_number`] reads them.
const FOREIGN: &str =
    "look like numbers with a decimal comma or marks between thousands; write a decimal point and no marks";

/// A column of texts whose cells are numbers for the most part, and what keeps it from being one of numbers.
pub(super) struct MeantAsNumbers<'a> {
    table: &'a Table,
    column: &'a Column,
    /// The first row whose cell is at fault.
    row: usize,
    /// How many cells are no gaps.
    cells: usize,
    /// How many of them are numbers.
    numbers: usize,
    /// Whether the cells at fault are, for the most part, numbers as [`foreign_number`] reads them. They are
    /// then among `numbers`.
    foreign: bool,
}

impl<'a> MeantAsNumbers<'a> {
    /// Looks at all rows, as it is all of them that make the column one of texts. `None` for a column of
    /// numbers, and for one of which half the cells or less are numbers.
    pub(super) fn find(table: &'a Table, column: &'a Column) -> Option<Self> {
        let Cells::Texts { codes, categories } = &column.cells else {
            return None;
        };
        let mut rows_of = vec![0_usize; categories.len()];
        codes.iter().filter(|&&code| code != GAP).for_each(|&code| rows_of[code as usize] += 1);
        let cells: usize = rows_of.iter().sum();
        let count = |read: fn(&str) -> Option<f64>| -> usize {
            let read = categories.iter().zip(&rows_of).filter(|(text, _)| read(text).is_some());
            read.map(|(_, rows)| rows).sum()
        };
        let (plain, both) = (count(parse_number), count(foreign_number));
        let foreign = 2 * (both - plain) > cells - plain;
        let numbers = if foreign { both } else { plain };
        let at_fault = |&code: &u32| {
            let Some(text) = categories.get(code as usize) else {
                return false;
            };
            parse_number(text).is_none() && (!foreign || foreign_number(text).is_some())
        };
        let row = codes.iter().position(at_fault)?;
        (2 * numbers > cells).then_some(Self { table, column, row, cells, numbers, foreign })
    }

    /// Whether more than nine tenths of the cells are numbers: fewer can be names of which many have no
    /// letters, as numbers of tickets.
    pub(super) fn nearly_all(&self) -> bool {
        10 * self.numbers > 9 * self.cells
    }

    /// What is wrong, as a part of a sentence; `remedy` says what to do about a single cell.
    pub(super) fn hint(&self, remedy: &str) -> String {
        if self.foreign {
            return format!("they {FOREIGN}");
        }
        let text = self.column.cells.text(self.row).unwrap_or_default();
        let place = self.table.place(self.row, &self.column.name);
        format!("most are numbers; the first that is not is {text:?} at {place}; {remedy}")
    }

    /// The error that names the first cell at fault; `otherwise` says what else can be done.
    pub(super) fn error(&self, remedy: &str, otherwise: &str) -> Error {
        let problem = match self.foreign {
            true => format!("; such cells {FOREIGN}, {otherwise}"),
            false => {
                let (numbers, cells) = (self.numbers, self.cells);
                format!(", and {numbers} of the column's {cells} cells are; {remedy}, {otherwise}")
            }
        };
        no_number(self.table, self.column, self.row, &problem)
    }
}

/// Reads a number, also one with a decimal comma or with marks between thousands: 0,5, 22,744.82 and
/// 22.744,82.
fn foreign_number(text: &str) -> Option<f64> {
    let read = |mark: char, decimal: char| {
        let (whole, fraction) = text.split_once(decimal).unwrap_or((text, ""));
        let in_thousands = whole.split(mark).skip(1).all(|group| group.len() == 3);
        let plain = format!("{}.{fraction}", whole.replace(mark, ""));
        parse_number(&plain).filter(|_| in_thousands)
    };
    parse_number(text).or_else(|| read('.', ',')).or_else(|| read(',', '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_other_languages_write_them() {
        for (text, number) in [
            ("0,5", Some(0.5)),
            ("-22,744.82", Some(-22_744.82)),
            ("22.744,82", Some(22_744.82)),
            ("1,234,567", Some(1_234_567.0)),
            ("1.5e3", Some(1500.0)),
            ("7", Some(7.0)),
            ("3,17,22", None),
            ("48.137,11.575", None),
            ("2020.01.02", None),
            ("x,5", None),
            (",", None),
            ("inf", None),
        ] {
            assert_eq!(foreign_number(text), number, "{text}");
        }
    }
}
