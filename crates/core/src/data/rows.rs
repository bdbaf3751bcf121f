//! A table from numbers in memory.

use super::{Column, Table};
use crate::error::{Error, Result};

impl Table {
    /// A table from a row-major matrix `[rows, columns]` and, where they are known, one target
    /// for each row. NaN is an empty cell. The columns are called "input 0", "input 1" and so
    /// on; the targets are the last column, "target".
    ///
    /// As in a file, a target of few small integers makes a classification and other numbers a
    /// regression; [`DataSpec::task`](super::DataSpec::task) says otherwise.
    ///
    /// # Errors
    /// [`Error::Argument`] if the inputs are not whole rows or there is not one target for each;
    /// [`Error::Data`] if a number is infinite.
    ///
    /// ```
    /// use thinnet::data::Table;
    ///
    /// let table = Table::from_rows(&[0.5, 20.0, 0.25, f32::NAN], 2, Some(&[1.0, 0.0]))?;
    /// assert_eq!((table.rows(), table.columns()[2].name.as_str()), (2, "target"));
    /// # Ok::<(), thinnet::Error>(())
    /// ```
    pub fn from_rows(inputs: &[f32], columns: usize, targets: Option<&[f32]>) -> Result<Self> {
        if columns == 0 || !inputs.len().is_multiple_of(columns) {
            let problem = format!("{} values are not whole rows of {columns} columns", inputs.len());
            return Err(Error::argument("inputs", problem));
        }
        let rows = inputs.len() / columns;
        if let Some(targets) = targets
            && targets.len() != rows
        {
            return Err(Error::argument("targets", format!("{} targets for {rows} rows", targets.len())));
        }
        let input = |column: usize| {
            let numbers = inputs.iter().skip(column).step_by(columns).copied().map(f64::from);
            Column::numbers(format!("input {column}"), numbers.collect())
        };
        let target = targets
            .map(|targets| Column::numbers("target", targets.iter().copied().map(f64::from).collect()));
        Self::new("rows in memory", (0..columns).map(input).chain(target).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Cells;

    #[test]
    fn rows_become_columns() {
        let inputs = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let table = Table::from_rows(&inputs, 3, Some(&[7.0, 8.5])).unwrap();
        let numbers = [vec![1.0, 4.0], vec![2.0, 5.0], vec![3.0, 6.0], vec![7.0, 8.5]];
        let names = ["input 0", "input 1", "input 2", "target"];
        for ((column, numbers), name) in table.columns().iter().zip(numbers).zip(names) {
            assert_eq!((column.name.as_str(), &column.cells), (name, &Cells::Numbers(numbers)));
        }
        assert_eq!(Table::from_rows(&inputs, 3, None).unwrap().columns().len(), 3);
    }

    #[test]
    fn shapes_must_fit() {
        let sentence =
            |columns, targets| Table::from_rows(&[1.0; 6], columns, targets).unwrap_err().to_string();
        assert_eq!(sentence(4, None), "inputs: 6 values are not whole rows of 4 columns");
        assert_eq!(sentence(0, None), "inputs: 6 values are not whole rows of 0 columns");
        assert_eq!(sentence(3, Some(&[1.0])), "targets: 1 targets for 2 rows");
        let infinite = Table::from_rows(&[f32::INFINITY], 1, None).unwrap_err().to_string();
        assert!(infinite.starts_with("rows in memory, column input 0: row 0"), "{infinite}");
    }
}
