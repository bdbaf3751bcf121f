//! One input column of a table, fitted.

use serde::{Deserialize, Serialize};

use super::encode::OneHot;
use super::impute::Impute;
use super::scale::Scale;
use crate::data::{Cells, Column, ColumnType, GAP, Matrix, Table, parse_number};
use crate::error::{Error, Result};

/// What is done to the cells of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preparation {
    /// Gaps are filled, then the numbers are standardised.
    Number {
        /// What fills a gap.
        impute: Impute,
        /// Mean and standard deviation, gaps left out.
        scale: Scale,
    },
    /// One input for each text.
    Text(OneHot),
}

/// A column of a table and what is done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputColumn {
    /// The column's name in the table.
    pub name: String,
    /// What is done to it.
    pub preparation: Preparation,
}

/// A column that was fitted, or the reason why it is left out.
pub(super) type Fitted = std::result::Result<InputColumn, String>;

impl InputColumn {
    /// Fits a column on the given rows, which must be rows of the table.
    ///
    /// # Errors
    /// A text where `wanted` says numbers, or numbers too large to be standardised.
    pub(super) fn fit(
        table: &Table,
        column: &Column,
        rows: &[usize],
        wanted: Option<ColumnType>,
        max_categories: usize,
    ) -> Result<Fitted> {
        let found = match column.cells {
            Cells::Numbers(_) => ColumnType::Number,
            Cells::Texts { .. } => ColumnType::Text,
        };
        let preparation = match wanted.unwrap_or(found) {
            ColumnType::Number => fit_number(table, column, rows)?,
            ColumnType::Text => fit_text(table, column, rows, max_categories),
        };
        let fitted = |preparation| InputColumn { name: column.name.clone(), preparation };
        Ok(preparation.map(fitted).map_err(|why| format!("column {} is left out: {why}", column.name)))
    }

    /// How many inputs the column becomes.
    pub fn units(&self) -> usize {
        match &self.preparation {
            Preparation::Number { impute, .. } => 1 + usize::from(impute.indicator),
            Preparation::Text(encode) => encode.categories.len(),
        }
    }

    /// What the inputs are called: "age", "age is missing", "town = Bonn".
    pub fn unit_names(&self) -> Vec<String> {
        let name = &self.name;
        match &self.preparation {
            Preparation::Number { impute, .. } if impute.indicator => {
                vec![name.clone(), format!("{name} is missing")]
            }
            Preparation::Number { .. } => vec![name.clone()],
            Preparation::Text(encode) => {
                encode.categories.iter().map(|text| format!("{name} = {text}")).collect()
            }
        }
    }

    /// The type as which the column must be read from a new file.
    pub fn column_type(&self) -> ColumnType {
        match self.preparation {
            Preparation::Number { .. } => ColumnType::Number,
            Preparation::Text(_) => ColumnType::Text,
        }
    }

    /// Writes the inputs of the given rows of the table into `matrix`, from its column `offset` on. The
    /// matrix must be zero there.
    ///
    /// # Errors
    /// A missing column, a text in a column of numbers, a number so far off that f32 cannot hold it.
    pub(super) fn write(
        &self,
        table: &Table,
        rows: &[usize],
        offset: usize,
        matrix: &mut Matrix,
    ) -> Result<()> {
        let column = table.column(&self.name)?;
        let units = matrix.columns();
        let values = matrix.values_mut();
        match &self.preparation {
            Preparation::Number { impute, scale } => {
                let numbers = numbers_of(table, column)?;
                for (index, &row) in rows.iter().enumerate() {
                    let inputs = &mut values[index * units + offset..];
                    inputs[0] = scale.apply(impute.apply(numbers[row])) as f32;
                    if !inputs[0].is_finite() {
                        let problem = format!("{} is too far from the training rows", numbers[row]);
                        return Err(Error::data(table.place(row, &self.name), problem));
                    }
                    if impute.indicator && numbers[row].is_nan() {
                        inputs[1] = 1.0;
                    }
                }
            }
            Preparation::Text(encode) => {
                let (codes, categories) = column.cells.as_texts();
                let positions = encode.positions(&categories);
                for (index, &row) in rows.iter().enumerate() {
                    if codes[row] != GAP
                        && let Some(position) = positions[codes[row] as usize]
                    {
                        values[index * units + offset + position] = 1.0;
                    }
                }
            }
        }
        Ok(())
    }

    /// What is wrong with a column that was read from a file, if anything is.
    pub(super) fn problem(&self) -> Option<&'static str> {
        match &self.preparation {
            Preparation::Number { impute, scale } if !(impute.median.is_finite() && scale.is_usable()) => {
                Some("its statistics are not finite")
            }
            Preparation::Text(encode) if !encode.categories.is_sorted_by(|one, next| one < next) => {
                Some("its texts are not sorted")
            }
            _ => None,
        }
    }
}

/// The cells as numbers, or the place of the first text among them.
pub(super) fn numbers_of<'a>(table: &Table, column: &'a Column) -> Result<std::borrow::Cow<'a, [f64]>> {
    column.cells.as_numbers().map_err(|row| {
        let text = column.cells.text(row).unwrap_or_default();
        let problem = format!("{text:?} is not a number; correct it, or leave the cell empty");
        Error::data(table.place(row, &column.name), problem)
    })
}

fn fit_number(
    table: &Table,
    column: &Column,
    rows: &[usize],
) -> Result<std::result::Result<Preparation, String>> {
    let numbers = numbers_of(table, column)?;
    let training = rows.iter().map(|&row| numbers[row]);
    let Some(impute) = Impute::fit(training.clone()) else {
        return Ok(Err("it is empty in all training rows".into()));
    };
    let scale = Scale::fit(training).ok_or_else(|| {
        let place = format!("{}, column {}", table.name(), column.name);
        Error::data(place, "its numbers are too large to be standardised; correct or ignore it")
    })?;
    Ok(Ok(Preparation::Number { impute, scale }))
}

fn fit_text(
    table: &Table,
    column: &Column,
    rows: &[usize],
    max_categories: usize,
) -> std::result::Result<Preparation, String> {
    let (codes, categories) = column.cells.as_texts();
    let encode = OneHot::fit(rows.iter().map(|&row| codes[row]), &categories);
    let present = rows.iter().filter(|&&row| codes[row] != GAP).count();
    match encode.refusal(present, max_categories) {
        None => Ok(Preparation::Text(encode)),
        Some(why) => Err(why + &stray_text(table, column)),
    }
}

/// For a column that is left out though most of its texts are numbers: which one is not.
fn stray_text(table: &Table, column: &Column) -> String {
    let Cells::Texts { categories, .. } = &column.cells else {
        return String::new();
    };
    let numbers = categories.iter().filter(|text| parse_number(text).is_some()).count();
    match column.cells.as_numbers() {
        Err(row) if 2 * numbers > categories.len() => format!(
            " (most are numbers; the first that is not is {:?} at {})",
            column.cells.text(row).unwrap_or_default(),
            table.place(row, &column.name)
        ),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(column: Column, wanted: Option<ColumnType>) -> Fitted {
        let rows: Vec<usize> = (0..column.cells.rows()).collect();
        let table = Table::new("t", vec![column.clone()]).unwrap();
        InputColumn::fit(&table, &column, &rows, wanted, 64).unwrap()
    }

    #[test]
    fn numbers_can_be_wanted_as_texts_and_back() {
        let zip = fit(Column::numbers("zip", vec![10.0, 9.0, 10.0]), Some(ColumnType::Text)).unwrap();
        assert_eq!(zip.unit_names(), ["zip = 10", "zip = 9"]);
        let size =
            fit(Column::texts("size", [Some("1"), Some("3"), None]), Some(ColumnType::Number)).unwrap();
        assert_eq!(size.unit_names(), ["size", "size is missing"]);
        let table = Table::new("new", vec![Column::texts("size", [Some("3"), Some("x")])]).unwrap();
        let error = size.write(&table, &[0], 0, &mut Matrix::zeros(1, 2)).unwrap_err().to_string();
        assert!(error.contains("row 1") && error.contains("\"x\" is not a number"), "{error}");
    }

    #[test]
    fn a_stray_text_among_numbers_is_pointed_at() {
        let texts: Vec<String> = (0..100).map(|row| row.to_string()).collect();
        let cells = texts.iter().map(|text| Some(if text == "77" { "7y" } else { text }));
        let warning = fit(Column::texts("size", cells), None).unwrap_err();
        assert!(warning.starts_with("column size is left out: it holds 100 different texts"), "{warning}");
        assert!(warning.contains("\"7y\" at t, row 77"), "{warning}");
        let empty = fit(Column::numbers("none", vec![f64::NAN; 2]), None).unwrap_err();
        assert_eq!(empty, "column none is left out: it is empty in all training rows");
    }

    #[test]
    fn a_number_that_f32_cannot_hold_is_refused() {
        let size = fit(Column::numbers("size", vec![1.0, 2.0]), None).unwrap();
        let table = Table::new("new", vec![Column::numbers("size", vec![1e300])]).unwrap();
        let error = size.write(&table, &[0], 0, &mut Matrix::zeros(1, 1)).unwrap_err().to_string();
        assert!(error.contains("too far"), "{error}");
    }
}
