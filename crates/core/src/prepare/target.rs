//! What is to be predicted, as numbers for the network and back.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::encode::{OneHot, almost_all_differ};
use super::numbers::{MeantAsNumbers, no_number};
use super::scale::Scale;
use crate::data::{Cells, Column, Data, DataSpec, GAP, Matrix, Table, Targets, Task};
use crate::error::{Error, Result};

/// An integer column with more different numbers than this is a regression.
const MOST_INTEGER_CLASSES: usize = 20;

/// The greatest target of a regression. Predictions are f32, which goes to 3.4e38, and can lie beyond all
/// targets.
const LARGEST_VALUE: f64 = 1e30;

/// The fitted target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The classes of a column, or of images.
    Classes {
        /// The column; `None` for images.
        column: Option<String>,
        /// The classes' names: texts sorted, numbers in ascending order.
        names: Vec<String>,
        /// Whether the column holds texts; a new file must then be read so too.
        text: bool,
    },
    /// The numbers of a column, standardised for the network.
    Values {
        /// The column.
        column: String,
        /// Mean and standard deviation of the training rows.
        scale: Scale,
    },
}

/// The name of the target column: what the spec says, or the last column that is neither ignored nor the
/// weight.
///
/// # Errors
/// No such column.
pub(super) fn target_column<'a>(table: &'a Table, spec: &DataSpec) -> Result<&'a str> {
    if let Some(target) = &spec.target {
        return match table.find(target) {
            Some(column) => Ok(&column.name),
            None => Err(Error::data(table.name(), table.no_column(target))),
        };
    }
    let free = |name: &&str| {
        !spec.ignore.iter().any(|ignored| ignored == name) && spec.weight.as_deref() != Some(name)
    };
    let mut names = table.columns().iter().rev().map(|column| column.name.as_str());
    names
        .find(free)
        .ok_or_else(|| Error::data(table.name(), "all columns are ignored, so none is left to be the target"))
}

/// Classification for texts, and for at most 20 different integers below 1000 of which each occurs twice on
/// average; regression for other numbers.
pub(super) fn natural_task(cells: &Cells) -> Task {
    let Cells::Numbers(numbers) = cells else {
        return Task::Classification;
    };
    let mut different = HashSet::new();
    let mut rows = 0;
    for number in numbers.iter().filter(|number| !number.is_nan()) {
        rows += 1;
        different.insert((number + 0.0).to_bits());
        if number.fract() != 0.0 || number.abs() >= 1000.0 || different.len() > MOST_INTEGER_CLASSES {
            return Task::Regression;
        }
    }
    match different.len() <= 2 || 2 * different.len() <= rows {
        true => Task::Classification,
        false => Task::Regression,
    }
}

/// The class of each row, to set rows aside by ([`crate::data::split()`]): equal numbers for equal classes.
/// `None` for a regression.
///
/// # Errors
/// A target column that does not exist, an empty cell in it, or classes that are none.
pub fn strata(data: &Data, spec: &DataSpec) -> Result<Option<Vec<u32>>> {
    let table = match data {
        Data::Images(images) => return Ok(Some(images.labels().to_vec())),
        Data::Table(table) => table,
    };
    let column = table.column(target_column(table, spec)?)?;
    if spec.task.unwrap_or_else(|| natural_task(&column.cells)) == Task::Regression {
        return Ok(None);
    }
    let (codes, _) = classes_of(table, column, spec)?;
    match codes.iter().position(|&code| code == GAP) {
        Some(row) => Err(no_target(table, row, &column.name)),
        None => Ok(Some(codes.into_owned())),
    }
}

/// The code of each row and the texts that the codes stand for, as [`Cells::as_texts`] gives them.
type Texts<'a> = (Cow<'a, [u32]>, Cow<'a, [String]>);

/// The classes of all rows.
///
/// # Errors
/// Texts that are numbers but for a few, and too many to be classes unless the spec says that they are; or
/// more classes than the rows can teach. Both are judged by all rows, so that the split of the rows, which
/// needs the classes, is not blamed for them.
fn classes_of<'a>(table: &Table, column: &'a Column, spec: &DataSpec) -> Result<Texts<'a>> {
    let (codes, categories) = column.cells.as_texts();
    let rows = codes.iter().filter(|&&code| code != GAP).count();
    let classes = codes.iter().filter(|&&code| code != GAP).collect::<HashSet<_>>().len();
    // Fewer are never too many, and of a scale of marks one may be a word.
    if classes < MOST_INTEGER_CLASSES {
        return Ok((codes, categories));
    }
    let meant = MeantAsNumbers::find(table, column);
    let remedy = "correct it";
    // Whoever asks for classes or texts wants no numbers.
    let asked = spec.task.is_some() || spec.types.contains_key(&column.name);
    if !asked && let Some(meant) = meant.as_ref().filter(|meant| meant.nearly_all()) {
        return Err(meant.error(remedy, "or take all of them as classes with --task classification"));
    }
    if almost_all_differ(classes, rows) {
        let hint = meant.map_or(String::new(), |meant| format!(" ({})", meant.hint(remedy)));
        return Err(Error::data(
            format!("{}, column {}", table.name(), column.name),
            format!(
                "it has {classes} classes in {rows} rows, too many to learn{hint}; choose another target or \
                 task"
            ),
        ));
    }
    Ok((codes, categories))
}

fn no_target(table: &Table, row: usize, column: &str) -> Error {
    Error::data(table.place(row, column), "the target is empty; fill it in, or take the row out")
}

impl Target {
    /// Finds the target of a table in its training rows. `rows` must be rows of the table.
    ///
    /// # Errors
    /// A target column that does not exist, an empty cell or an infinite number in it, a text in a
    /// regression, classes that are none, or targets from which nothing can be learned.
    pub(super) fn fit(table: &Table, rows: &[usize], spec: &DataSpec) -> Result<Self> {
        let column = table.column(target_column(table, spec)?)?;
        let fail =
            |problem: String| Error::data(format!("{}, column {}", table.name(), column.name), problem);
        let target = match spec.task.unwrap_or_else(|| natural_task(&column.cells)) {
            Task::Classification => {
                let text = matches!(column.cells, Cells::Texts { .. });
                if !text && let Err(row) = column.cells.as_numbers() {
                    return Err(no_number(table, column, row, "; correct it, or take the row out"));
                }
                let (codes, categories) = classes_of(table, column, spec)?;
                if let Some(&row) = rows.iter().find(|&&row| codes[row] == GAP) {
                    return Err(no_target(table, row, &column.name));
                }
                let mut names = OneHot::fit(rows.iter().map(|&row| codes[row]), &categories).categories;
                if !text {
                    let number = |name: &String| name.parse().unwrap_or(f64::NAN);
                    names.sort_by(|one, other| number(one).total_cmp(&number(other)));
                }
                Self::Classes { column: Some(column.name.clone()), names, text }
            }
            Task::Regression => {
                let numbers = regression_numbers(table, &column.name, rows)?;
                let scale = Scale::fit(numbers.iter().copied())
                    .ok_or_else(|| fail("its numbers are too large to be standardised".into()))?;
                Self::Values { column: column.name.clone(), scale }
            }
        };
        match &target {
            Self::Classes { names, .. } if names.len() > 1 => Ok(target),
            Self::Values { scale, .. } if scale.deviation > 0.0 => Ok(target),
            _ => Err(fail("all training rows have the same target, so there is nothing to learn".into())),
        }
    }

    /// The warning that whole numbers, which can be counts, are taken as classes, where the spec does not
    /// say what they are. Two different ones are hardly counts.
    pub(super) fn warning(&self, spec: &DataSpec) -> Option<String> {
        match self {
            Self::Classes { column: Some(column), names, text: false }
                if spec.task.is_none() && names.len() > 2 =>
            {
                let classes = names.len();
                Some(format!(
                    "the whole numbers of {column} are taken as {classes} classes; --task regression takes \
                     them as values"
                ))
            }
            _ => None,
        }
    }

    /// The classes of images: all numbers up to the largest label.
    pub(super) fn of_images(classes: usize) -> Self {
        let names = (0..classes).map(|class| class.to_string()).collect();
        Self::Classes { column: None, names, text: false }
    }

    /// The targets of the given rows of a table.
    ///
    /// # Errors
    /// A missing column, an empty cell, a class that the training rows do not have, a text or an infinite
    /// number in a regression.
    pub(super) fn of_table(&self, table: &Table, rows: &[usize]) -> Result<Targets> {
        match self {
            Self::Classes { column, names, .. } => {
                let column = table.column(column.as_deref().unwrap_or("label"))?;
                let (codes, categories) = column.cells.as_texts();
                let class_of: HashMap<&String, u32> = names.iter().zip(0..).collect();
                let classes: Vec<Option<&u32>> = categories.iter().map(|text| class_of.get(text)).collect();
                let label = |&row: &usize| match codes[row] {
                    GAP => Err(no_target(table, row, &column.name)),
                    code => classes[code as usize].copied().ok_or_else(|| {
                        let class = &categories[code as usize];
                        Error::data(table.place(row, &column.name), unseen(class, names))
                    }),
                };
                let labels = rows.iter().map(label).collect::<Result<_>>()?;
                Ok(Targets::Classes { labels, classes: names.len() })
            }
            Self::Values { column, scale } => {
                let numbers = regression_numbers(table, column, rows)?;
                let values = numbers.into_iter().map(|number| scale.apply(number) as f32).collect();
                Ok(Targets::Values(Matrix::new(rows.len(), 1, values)?))
            }
        }
    }
}

/// The sentence for a class that the training rows do not have.
pub(super) fn unseen(class: &str, names: &[String]) -> String {
    let listed = names.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if names.len() > 20 { ", …" } else { "" };
    format!("the class {class:?} does not occur in the training rows (classes: {listed}{more})")
}

fn regression_numbers(table: &Table, name: &str, rows: &[usize]) -> Result<Vec<f64>> {
    let column = table.column(name)?;
    let refused = |row| no_number(table, column, row, ", and a regression needs numbers; correct it");
    let numbers = column.cells.as_numbers().map_err(refused)?;
    let unusable = |row: usize| numbers[row].is_nan() || numbers[row].abs() > LARGEST_VALUE;
    match rows.iter().find(|&&row| unusable(row)) {
        Some(&row) if numbers[row].is_nan() => Err(no_target(table, row, name)),
        Some(&row) => {
            let problem = format!(
                "{:e} is too large for a target, which goes to {LARGEST_VALUE:e}; take a larger unit, or correct it",
                numbers[row]
            );
            Err(Error::data(table.place(row, name), problem))
        }
        None => Ok(rows.iter().map(|&row| numbers[row]).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ColumnType, ColumnTypes, parse_csv};

    fn table(target: Column) -> Table {
        let rows = target.cells.rows();
        Table::new("t", vec![Column::numbers("x", vec![1.0; rows]), target]).unwrap()
    }

    #[test]
    fn the_task_follows_the_cells() {
        let natural = |numbers: Vec<f64>| natural_task(&Cells::Numbers(numbers));
        let repeat = |count: i32| (0..count).chain(0..count).map(f64::from).collect::<Vec<_>>();
        assert_eq!(natural(vec![0.0, 1.0]), Task::Classification);
        assert_eq!(natural(vec![-1.0, 1.0, f64::NAN]), Task::Classification);
        assert_eq!(natural(repeat(20)), Task::Classification);
        assert_eq!(natural(repeat(21)), Task::Regression);
        assert_eq!(natural(vec![1.0, 2.0, 3.0, 4.0]), Task::Regression);
        assert_eq!(natural(vec![0.5, 0.5, 0.5]), Task::Regression);
        assert_eq!(natural(vec![2010.0, 2010.0, 2011.0, 2011.0]), Task::Regression);
        assert_eq!(natural(vec![0.0, 1.0, f64::INFINITY]), Task::Regression);
        assert_eq!(natural_task(&Cells::texts([Some("a")])), Task::Classification);
    }

    #[test]
    fn integer_classes_are_sorted_as_numbers_and_printed_without_a_point() {
        let table = table(Column::numbers("y", vec![10.0, 9.0, 10.0, 9.0, -1.0, -1.0]));
        let target = Target::fit(&table, &[0, 1, 2, 3, 4, 5], &DataSpec::default()).unwrap();
        let Target::Classes { names, .. } = &target else { panic!("a regression") };
        assert_eq!(*names, ["-1", "9", "10"]);
        let targets = target.of_table(&table, &[0, 4]).unwrap();
        assert_eq!(targets, Targets::Classes { labels: vec![2, 0], classes: 3 });
    }

    #[test]
    fn says_which_row_cannot_be_used() {
        let whole = table(Column::texts("y", [Some("a"), Some("b"), Some("c"), None]));
        let spec = DataSpec::default();
        let target = Target::fit(&whole, &[0, 1], &spec).unwrap();
        let unseen = target.of_table(&whole, &[2]).unwrap_err().to_string();
        assert!(unseen.contains("row 2") && unseen.contains("\"c\"") && unseen.contains("a, b"), "{unseen}");
        for error in
            [target.of_table(&whole, &[3]).unwrap_err(), strata(&whole.clone().into(), &spec).unwrap_err()]
        {
            let error = error.to_string();
            assert!(error.contains("row 3") && error.contains("empty"), "{error}");
        }
        let regression = DataSpec { task: Some(Task::Regression), ..spec };
        let text = Target::fit(&whole, &[0, 1], &regression).unwrap_err().to_string();
        assert!(text.contains("\"a\" is not a number"), "{text}");
    }

    #[test]
    fn an_infinite_target_is_refused() {
        let table = parse_csv("t.csv", b"x,y\n1,0\n2,1\n3,inf\n4,0\n", &Default::default()).unwrap();
        for task in [None, Some(Task::Classification), Some(Task::Regression)] {
            let spec = DataSpec { task, ..DataSpec::default() };
            strata(&table.clone().into(), &spec).unwrap();
            let error = Target::fit(&table, &[0, 1, 3], &spec).unwrap_err().to_string();
            assert!(error.starts_with("t.csv, line 4, column y: inf is not a finite number"), "{error}");
        }
    }

    #[test]
    fn refuses_targets_without_a_lesson() {
        let spec = DataSpec::default();
        let constant = table(Column::numbers("y", vec![0.5; 4]));
        assert!(Target::fit(&constant, &[0, 1, 2], &spec).unwrap_err().to_string().contains("same target"));
        let names: Vec<String> = (0..30).map(|row| format!("name {row}")).collect();
        let names = table(Column::texts("y", names.iter().map(|name| Some(name.as_str()))));
        let rows: Vec<usize> = (0..30).collect();
        assert!(Target::fit(&names, &rows, &spec).unwrap_err().to_string().contains("30 classes"));
    }

    /// A target of texts, one for each of the rows.
    fn texts(rows: usize, text: impl Fn(usize) -> String) -> Table {
        let texts: Vec<String> = (0..rows).map(text).collect();
        table(Column::texts("y", texts.iter().map(|text| Some(text.as_str()))))
    }

    /// The error of a target, which must be the same before the split and after it.
    fn refused(table: &Table, task: Option<Task>) -> String {
        let spec = DataSpec { task, ..DataSpec::default() };
        let before = strata(&table.clone().into(), &spec).unwrap_err().to_string();
        let after = Target::fit(table, &[0, 1, 2], &spec).unwrap_err().to_string();
        assert_eq!(before, after);
        before
    }

    #[test]
    fn numbers_in_a_foreign_form_are_no_classes() {
        let foreign = "look like numbers with a decimal comma or marks between thousands; write a decimal \
                       point and no marks";
        // Of 300 rows, 298 are different; and fewer, which could be learned.
        for different in [298_usize, 100] {
            let commas = texts(300, |row| format!("{},5", row % different));
            let expected = format!(
                "t, row 0 counted from 0, column y: \"0,5\" is not a number; such cells {foreign}, or take \
                 all of them as classes with --task classification"
            );
            assert_eq!(refused(&commas, None), expected);
        }
        let error = refused(&texts(300, |row| format!("{row},744.82")), None);
        assert!(error.contains("\"0,744.82\" is not a number") && error.contains(foreign), "{error}");
        // Who asks for classes gets them, if they are not too many.
        let wanted = DataSpec { task: Some(Task::Classification), ..DataSpec::default() };
        let commas = |different: usize| texts(300, move |row| format!("{},5", row % different));
        assert!(strata(&commas(100).into(), &wanted).is_ok());
        let types = ColumnTypes::from([("y".into(), ColumnType::Text)]);
        assert!(strata(&commas(100).into(), &DataSpec { types, ..DataSpec::default() }).is_ok());
        let error = refused(&commas(298), wanted.task);
        let expected = format!(
            "t, column y: it has 298 classes in 300 rows, too many to learn (they {foreign}); choose another \
             target or task"
        );
        assert_eq!(error, expected);
    }

    #[test]
    fn a_stray_text_makes_no_classes_of_numbers() {
        let stray = |row: usize| if row == 7 { "unknown".into() } else { format!("{row}.5") };
        let expected = "t, row 7 counted from 0, column y: \"unknown\" is not a number, and 299 of the \
                        column's 300 cells are; correct it, or take all of them as classes with --task \
                        classification";
        assert_eq!(refused(&texts(300, stray), None), expected);
        let tickets = |row: usize| if row % 5 == 4 { format!("A{row}") } else { row.to_string() };
        let expected = "t, column y: it has 300 classes in 300 rows, too many to learn (most are numbers; \
                        the first that is not is \"A4\" at t, row 4 counted from 0, column y; correct it); \
                        choose another target or task";
        assert_eq!(refused(&texts(300, tickets), None), expected);
        // Few different ones are classes, as in a scale of marks.
        let marks = |row: usize| if row == 7 { "none".into() } else { (row % 6).to_string() };
        assert!(strata(&texts(300, marks).into(), &DataSpec::default()).is_ok());
    }

    #[test]
    fn whole_numbers_that_are_taken_as_classes_are_pointed_at() {
        let warning = |classes: usize, task| {
            let table =
                table(Column::numbers("goals", (0..40).map(|row| (4 + row % classes) as f64).collect()));
            let spec = DataSpec { task, ..DataSpec::default() };
            Target::fit(&table, &(0..40).collect::<Vec<_>>(), &spec).unwrap().warning(&spec)
        };
        let expected =
            "the whole numbers of goals are taken as 11 classes; --task regression takes them as values";
        assert_eq!(warning(11, None).as_deref(), Some(expected));
        assert_eq!(warning(2, None), None);
        assert_eq!(warning(11, Some(Task::Classification)), None);
        assert_eq!(warning(11, Some(Task::Regression)), None);
        let names = texts(40, |row| format!("class {}", row % 3));
        let target = Target::fit(&names, &[0, 1, 2], &DataSpec::default()).unwrap();
        assert_eq!(target.warning(&DataSpec::default()), None);
    }

    #[test]
    fn the_last_free_column_is_the_target() {
        let table = table(Column::numbers("w", vec![1.0]));
        let mut spec = DataSpec::default();
        assert_eq!(target_column(&table, &spec).unwrap(), "w");
        spec.weight = Some("w".into());
        assert_eq!(target_column(&table, &spec).unwrap(), "x");
        spec.ignore = vec!["x".into()];
        assert!(target_column(&table, &spec).is_err());
        spec.target = Some("X".into());
        assert!(target_column(&table, &spec).unwrap_err().to_string().contains("did you mean \"x\"?"));
    }
}
