//! One input column of a table, fitted.

use serde::{Deserialize, Serialize};

use super::encode::OneHot;
use super::impute::Impute;
use super::numbers::{MeantAsNumbers, numbers_of};
use super::scale::Scale;
use crate::data::{Cells, Column, ColumnType, GAP, Matrix, Table, typed};
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
    /// A text where `wanted` says numbers, or in a column that is one of numbers but for a few cells; an
    /// infinite number, or numbers too large to be standardised.
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
        let meant = match wanted {
            None => MeantAsNumbers::find(table, column),
            Some(_) => None,
        };
        let remedy = "correct it or leave the cell empty";
        let name = &column.name;
        Ok(match preparation {
            Ok(preparation) => {
                let column = InputColumn { name: name.clone(), preparation };
                let warning = meant.map(|meant| {
                    let (texts, option) = (column.units(), typed(format!("{name}=text")));
                    let hint = meant.hint(remedy);
                    format!(
                        "column {name} is taken as text, one input for each of its {texts} texts: {hint}, \
                         or give the column a type with --type {option}"
                    )
                });
                Fitted { column: Some(column), warning }
            }
            Err(why) => {
                // Without the column, which may be the best, the model would be worse and nobody know why.
                if let Some(meant) = meant.as_ref().filter(|meant| meant.nearly_all()) {
                    let otherwise = format!("or leave the column out with --ignore {}", typed(name));
                    return Err(meant.error(remedy, &otherwise));
                }
                let hint = meant.map_or(String::new(), |meant| format!(" ({})", meant.hint(remedy)));
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

    /// The error of a column that stops the run.
    fn refused(column: Column) -> String {
        let rows: Vec<usize> = (0..column.cells.rows()).collect();
        let table = Table::new("t", vec![column.clone()]).unwrap();
        let fitted = InputColumn::fit(&table, &column, &rows, None, 64);
        fitted.err().unwrap().to_string()
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

    /// As many different numbers as `rows`, but every `each`-th cell has a letter.
    fn with_letters(rows: usize, each: usize) -> Column {
        let text = |row: usize| if row % each == each - 1 { format!("A{row}") } else { row.to_string() };
        let texts: Vec<String> = (0..rows).map(text).collect();
        Column::texts("size", texts.iter().map(|text| Some(text.as_str())))
    }

    #[test]
    fn a_stray_text_among_numbers_stops_a_column_that_would_be_left_out() {
        let expected = "t, row 99 counted from 0, column size: \"A99\" is not a number, and 99 of the \
                        column's 100 cells are; correct it or leave the cell empty, or leave the column \
                        out with --ignore size";
        assert_eq!(refused(with_letters(100, 100)), expected);
        assert!(refused(with_letters(1100, 11)).contains("1000 of the column's 1100 cells"));
    }

    #[test]
    fn numbers_of_tickets_are_left_out() {
        // Nine tenths are numbers, no more.
        let warning = left_out(with_letters(100, 10));
        let why = "column size is left out: it holds 100 different texts, and at most 64 are encoded; raise \
                   prepare.max_categories of the spec to take it (most are numbers; the first that is not is \
                   \"A9\" at t, row 9";
        assert!(warning.starts_with(why), "{warning}");
        let empty = left_out(Column::numbers("none", vec![f64::NAN; 2]));
        assert_eq!(empty, "column none is left out: it is empty in all training rows");
    }

    #[test]
    fn cells_are_counted_not_texts_and_gaps_are_none() {
        let numbers = (0..300).map(|row| row.to_string()).collect::<Vec<_>>();
        let cells = numbers.iter().map(|text| Some(text.as_str()));
        let often_unknown = cells.clone().chain(std::iter::repeat_n(Some("unknown"), 300));
        let warning = left_out(Column::texts("size", often_unknown));
        assert!(!warning.contains("most are numbers"), "half of the cells are no numbers: {warning}");
        let gaps = cells.chain([Some("unknown")]).chain(std::iter::repeat_n(None, 300));
        assert!(refused(Column::texts("size", gaps)).contains("and 300 of the column's 301 cells are"));
    }

    #[test]
    fn numbers_that_are_taken_as_texts_are_pointed_at() {
        let ages: Vec<String> = (0..200).map(|row| (20 + row % 58).to_string()).collect();
        let with_unknown = || {
            ages.iter().enumerate().map(|(row, age)| Some(if row == 7 { "unknown" } else { age.as_str() }))
        };
        let fitted = fit(Column::texts("age", with_unknown()), None);
        assert_eq!(fitted.column.unwrap().units(), 59);
        let expected = "column age is taken as text, one input for each of its 59 texts: most are numbers; \
                        the first that is not is \"unknown\" at t, row 7 counted from 0, column age; \
                        correct it or leave the cell empty, or give the column a type with --type age=text";
        assert_eq!(fitted.warning.unwrap(), expected);
        good(Column::texts("age", with_unknown()), Some(ColumnType::Text));
        good(Column::texts("lot", [Some("1"), Some("two"), Some("three"), Some("two")]), None);
    }

    #[test]
    fn a_decimal_comma_is_pointed_at() {
        let sizes: Vec<String> = (0..200).map(|row| format!("{},{}", row % 25, row % 2 * 5)).collect();
        let cells = || sizes.iter().map(|size| Some(size.as_str()));
        let fitted = fit(Column::texts("net size", cells()), None);
        assert_eq!(fitted.column.unwrap().units(), 50);
        let expected = "column net size is taken as text, one input for each of its 50 texts: they look like \
                        numbers with a decimal comma or marks between thousands; write a decimal point \
                        and no marks, or give the column a type with --type 'net size=text'";
        assert_eq!(fitted.warning.unwrap(), expected);
        good(Column::texts("net size", cells()), Some(ColumnType::Text));
        // The first is a number as it is.
        let fine: Vec<String> =
            (0..200).map(|row| if row == 0 { "0".into() } else { format!("{row},5") }).collect();
        let error = refused(Column::texts("net size", fine.iter().map(|size| Some(size.as_str()))));
        let expected = "t, row 1 counted from 0, column net size: \"1,5\" is not a number; such cells look \
                        like numbers with a decimal comma or marks between thousands; write a decimal \
                        point and no marks, or leave the column out with --ignore 'net size'";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_number_that_f32_cannot_hold_is_refused() {
        let size = good(Column::numbers("size", vec![1.0, 2.0]), None);
        let table = Table::new("new", vec![Column::numbers("size", vec![1e300])]).unwrap();
        let error = size.write(&table, &[0], 0, &mut Matrix::zeros(1, 1)).unwrap_err().to_string();
        assert!(error.contains("too far"), "{error}");
    }
}
