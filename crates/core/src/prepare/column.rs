//! One input column of a table, fitted.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::encode::OneHot;
use super::impute::Impute;
use super::scale::Scale;
use crate::data::{Cells, Column, ColumnType, GAP, Matrix, Table, parse_number, typed};
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

/// What fitting a column gives.
pub(super) struct Fitted {
    /// The column; `None` if it is left out.
    pub column: Option<InputColumn>,
    /// What the user should know: why it is left out, or what it was taken for.
    pub warning: Option<String>,
}

impl InputColumn {
    /// Fits a column on the given rows, which must be rows of the table.
    ///
    /// # Errors
    /// A text where `wanted` says numbers, an infinite number, or numbers too large to be standardised.
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
            ColumnType::Text => fit_text(column, rows, max_categories),
        };
        // Whoever asks for texts wants no numbers.
        let hint = match wanted {
            None => meant_as_numbers(table, column),
            Some(_) => None,
        };
        let name = &column.name;
        Ok(match preparation {
            Ok(preparation) => {
                let column = InputColumn { name: name.clone(), preparation };
                let warning = hint.map(|hint| {
                    let (texts, option) = (column.units(), typed(format!("{name}=text")));
                    format!(
                        "column {name} is taken as text, one input for each of its {texts} texts: {hint}, \
                         or give the column a type with --type {option}"
                    )
                });
                Fitted { column: Some(column), warning }
            }
            Err(why) => {
                let hint = hint.map_or(String::new(), |hint| format!(" ({hint})"));
                Fitted { column: None, warning: Some(format!("column {name} is left out: {why}{hint}")) }
            }
        })
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
    /// A missing column, a text or an infinite number in a column of numbers, a number so far off that f32
    /// cannot hold it.
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
    column: &Column,
    rows: &[usize],
    max_categories: usize,
) -> std::result::Result<Preparation, String> {
    let (codes, categories) = column.cells.as_texts();
    let encode = OneHot::fit(rows.iter().map(|&row| codes[row]), &categories);
    let present = rows.iter().filter(|&&row| codes[row] != GAP).count();
    match encode.refusal(present, max_categories) {
        None => Ok(Preparation::Text(encode)),
        Some(why) => Err(why),
    }
}

/// For a column of texts that are numbers for the most part: what keeps it from being one of numbers, and
/// what to do.
fn meant_as_numbers(table: &Table, column: &Column) -> Option<String> {
    let Cells::Texts { categories, .. } = &column.cells else {
        return None;
    };
    let most_are = |read: fn(&str) -> Option<f64>| {
        2 * categories.iter().filter(|text| read(text).is_some()).count() > categories.len()
    };
    if most_are(parse_number) {
        let row = column.cells.as_numbers().err()?;
        let text = column.cells.text(row).unwrap_or_default();
        let place = table.place(row, &column.name);
        return Some(format!(
            "most are numbers; the first that is not is {text:?} at {place}; \
             correct it or leave the cell empty"
        ));
    }
    let with_comma = |text: &str| parse_number(&text.replacen(',', ".", 1));
    most_are(with_comma).then(|| {
        "they look like numbers with a decimal comma; write a point, and no comma between thousands".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(column: Column, wanted: Option<ColumnType>) -> Fitted {
        let rows: Vec<usize> = (0..column.cells.rows()).collect();
        let table = Table::new("t", vec![column.clone()]).unwrap();
        InputColumn::fit(&table, &column, &rows, wanted, 64).unwrap()
    }

    /// A column that is fitted without a warning.
    fn good(column: Column, wanted: Option<ColumnType>) -> InputColumn {
        let fitted = fit(column, wanted);
        assert_eq!(fitted.warning, None);
        fitted.column.unwrap()
    }

    /// The warning of a column that is left out.
    fn left_out(column: Column) -> String {
        let fitted = fit(column, None);
        assert_eq!(fitted.column, None);
        fitted.warning.unwrap()
    }

    #[test]
    fn numbers_can_be_wanted_as_texts_and_back() {
        let zip = good(Column::numbers("zip", vec![10.0, 9.0, 10.0]), Some(ColumnType::Text));
        assert_eq!(zip.unit_names(), ["zip = 10", "zip = 9"]);
        let size = good(Column::texts("size", [Some("1"), Some("3"), None]), Some(ColumnType::Number));
        assert_eq!(size.unit_names(), ["size", "size is missing"]);
        let table = Table::new("new", vec![Column::texts("size", [Some("3"), Some("x")])]).unwrap();
        let error = size.write(&table, &[0], 0, &mut Matrix::zeros(1, 2)).unwrap_err().to_string();
        assert!(error.contains("row 1") && error.contains("\"x\" is not a number"), "{error}");
    }

    #[test]
    fn a_stray_text_among_numbers_is_pointed_at() {
        let texts: Vec<String> = (0..100).map(|row| row.to_string()).collect();
        let cells = texts.iter().map(|text| Some(if text == "77" { "7y" } else { text }));
        let warning = left_out(Column::texts("size", cells));
        let why = "column size is left out: it holds 100 different texts, and at most 64 are encoded; raise \
                   prepare.max_categories of the spec to take it (most are numbers; the first that is not is \
                   \"7y\" at t, row 77";
        assert!(warning.starts_with(why), "{warning}");
        let empty = left_out(Column::numbers("none", vec![f64::NAN; 2]));
        assert_eq!(empty, "column none is left out: it is empty in all training rows");
    }

    #[test]
    fn numbers_that_are_taken_as_texts_are_pointed_at() {
        let ages: Vec<String> = (0..200).map(|row| (20 + row % 58).to_string()).collect();
        let with_none =
            || ages.iter().enumerate().map(|(row, age)| Some(if row == 7 { "None" } else { age.as_str() }));
        let fitted = fit(Column::texts("age", with_none()), None);
        assert_eq!(fitted.column.unwrap().units(), 59);
        let expected = "column age is taken as text, one input for each of its 59 texts: most are numbers; \
                        the first that is not is \"None\" at t, row 7 counted from 0, column age; correct it \
                        or leave the cell empty, or give the column a type with --type age=text";
        assert_eq!(fitted.warning.unwrap(), expected);
        good(Column::texts("age", with_none()), Some(ColumnType::Text));
        good(Column::texts("lot", [Some("1"), Some("two"), Some("three"), Some("two")]), None);
    }

    #[test]
    fn a_decimal_comma_is_pointed_at() {
        let sizes: Vec<String> = (0..200).map(|row| format!("{},{}", row % 25, row % 2 * 5)).collect();
        let cells = || sizes.iter().map(|size| Some(size.as_str()));
        let fitted = fit(Column::texts("net size", cells()), None);
        assert_eq!(fitted.column.unwrap().units(), 50);
        let expected = "column net size is taken as text, one input for each of its 50 texts: they look like \
                        numbers with a decimal comma; write a point, and no comma between thousands, or give \
                        the column a type with --type 'net size=text'";
        assert_eq!(fitted.warning.unwrap(), expected);
        good(Column::texts("net size", cells()), Some(ColumnType::Text));
        let fine: Vec<String> = (0..200).map(|row| format!("{row},5")).collect();
        let warning = left_out(Column::texts("fine", fine.iter().map(|size| Some(size.as_str()))));
        assert!(warning.contains("200 different texts") && warning.contains("decimal comma"), "{warning}");
    }

    #[test]
    fn a_number_that_f32_cannot_hold_is_refused() {
        let size = good(Column::numbers("size", vec![1.0, 2.0]), None);
        let table = Table::new("new", vec![Column::numbers("size", vec![1e300])]).unwrap();
        let error = size.write(&table, &[0], 0, &mut Matrix::zeros(1, 1)).unwrap_err().to_string();
        assert!(error.contains("too far"), "{error}");
    }
}
