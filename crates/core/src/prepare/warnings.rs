//! What the user should know about columns that are taken all the same.

use std::collections::HashSet;

use super::column::{InputColumn, Preparation};
use super::numbers::numbers_of;
use crate::data::{ColumnType, Table, typed};
use crate::error::Result;

/// The fewest rows in which numbers that are all different tell an identifier.
const FEWEST_IDENTIFIED: usize = 100;

/// A warning that names the columns of whole numbers of which each row has another, if there are any.
pub(super) fn identifiers(table: &Table, rows: &[usize], columns: &[InputColumn]) -> Result<Option<String>> {
    if rows.len() < FEWEST_IDENTIFIED {
        return Ok(None);
    }
    let mut names = Vec::new();
    for column in columns.iter().filter(|column| column.column_type() == ColumnType::Number) {
        let numbers = numbers_of(table, table.column(&column.name)?)?;
        let mut seen = HashSet::new();
        if rows.iter().all(|&row| numbers[row].fract() == 0.0 && seen.insert(numbers[row].to_bits())) {
            names.push(column.name.as_str());
        }
    }
    let (each, leaves) = match names.len() {
        0 => return Ok(None),
        1 => ("holds a different whole number in every row, as an identifier does", "leaves it out"),
        _ => ("hold a different whole number in every row, as identifiers do", "leave them out"),
    };
    let options: Vec<String> = names.iter().map(|name| format!("--ignore {}", typed(name))).collect();
    Ok(Some(format!("{} {each}; if so, {} {leaves}", names.join(" and "), options.join(" "))))
}

/// The sentence that names the texts of a column that the training rows did not have, if there are any.
pub(super) fn unseen_texts(table: &Table, column: &InputColumn) -> Result<Option<String>> {
    const NAMED: usize = 3;
    let Preparation::Text(encode) = &column.preparation else {
        return Ok(None);
    };
    let (codes, categories) = table.column(&column.name)?.cells.as_texts();
    let (cells, texts) = encode.unseen(&codes, &categories);
    let (hold, them) = match cells {
        0 => return Ok(None),
        1 => ("holds a text", "it"),
        _ => ("hold texts", "them"),
    };
    let (name, rows) = (&column.name, table.rows());
    let named = texts.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if texts.len() > NAMED { ", …" } else { "" };
    Ok(Some(format!(
        "column {name}: {cells} of {rows} cells {hold} that the training rows did not have ({named}{more}); \
         none of its inputs is set for {them}, as for a gap"
    )))
}
