//! From a data set to the matrix that a network sees, fitted on the training rows.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::column::InputColumn;
use super::numbers::numbers_of;
use super::spec::PrepareSpec;
use super::target::{Target, unseen};
use super::warnings::{identifiers, unseen_texts};
use crate::data::{ColumnType, ColumnTypes, Data, DataSpec, Examples, Images, Matrix, Table, Targets, Task};
use crate::error::{Error, Result};

/// The inputs of a network, as they come from the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inputs {
    /// The columns of a table, in the order of the table it was fitted on.
    Table(Vec<InputColumn>),
    /// The pixels of images, divided by white.
    Images {
        /// Rows of pixels.
        height: usize,
        /// Columns of pixels.
        width: usize,
    },
}

/// The fitted preparation of a data set: inputs, targets and weights. It is saved with the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    inputs: Inputs,
    target: Target,
    weight: Option<String>,
}

impl Pipeline {
    /// Fits the preparation on the training rows of a data set. The second result is warnings, a sentence
    /// each: for a column that is left out or taken for what it may not be, and for those that look like
    /// identifiers.
    ///
    /// # Errors
    /// A spec that contradicts itself or names columns that do not exist, rows that do not exist, an infinite
    /// number in a column that is used, a text among hardly anything but numbers, a target from which nothing
    /// can be learned, or no column left to learn from.
    pub fn fit(
        data: &Data,
        training_rows: &[usize],
        spec: &DataSpec,
        prepare: &PrepareSpec,
    ) -> Result<(Self, Vec<String>)> {
        spec.check()?;
        let rows = chosen(Some(training_rows), data.rows())?;
        if rows.is_empty() {
            return Err(Error::argument("training rows", "there are none to fit the preparation on"));
        }
        match data {
            Data::Table(table) => Self::fit_table(table, &rows, spec, prepare),
            Data::Images(images) => Self::fit_images(images, spec).map(|pipeline| (pipeline, Vec::new())),
        }
    }

    fn fit_table(
        table: &Table,
        rows: &[usize],
        spec: &DataSpec,
        prepare: &PrepareSpec,
    ) -> Result<(Self, Vec<String>)> {
        let named = [
            ("data.ignore", spec.ignore.iter().collect::<Vec<_>>()),
            ("data.types", spec.types.keys().collect()),
            ("data.weight", spec.weight.iter().collect()),
        ];
        for (field, names) in named {
            if let Some(name) = names.into_iter().find(|name| table.find(name).is_none()) {
                return Err(Error::spec(field, format!("in {}, {}", table.name(), table.no_column(name))));
            }
        }
        let target = Target::fit(table, rows, spec)?;
        let target_name = match &target {
            Target::Classes { column, .. } => column.as_ref(),
            Target::Values { column, .. } => Some(column),
        };
        let (mut columns, mut warnings) = (Vec::new(), Vec::new());
        for column in table.columns() {
            let name = Some(&column.name);
            if name == target_name || name == spec.weight.as_ref() || spec.ignore.contains(&column.name) {
                continue;
            }
            let wanted = spec.types.get(&column.name).copied();
            let fitted = InputColumn::fit(table, column, rows, wanted, prepare.max_categories)?;
            columns.extend(fitted.column);
            warnings.extend(fitted.warning);
        }
        warnings.extend(identifiers(table, rows, &columns)?);
        if columns.is_empty() {
            let problem = match warnings.is_empty() {
                true => "there is no column beside the target to learn from".into(),
                false => format!("no column is left to learn from: {}", warnings.join("; ")),
            };
            return Err(Error::data(table.name(), problem));
        }
        warnings.extend(target.warning(spec));
        Ok((Self { inputs: Inputs::Table(columns), target, weight: spec.weight.clone() }, warnings))
    }

    fn fit_images(images: &Images, spec: &DataSpec) -> Result<Self> {
        let unused = [
            ("data.target", spec.target.is_some()),
            ("data.ignore", !spec.ignore.is_empty()),
            ("data.types", !spec.types.is_empty()),
            ("data.weight", spec.weight.is_some()),
            ("data.task", spec.task == Some(Task::Regression)),
        ];
        if let Some((field, _)) = unused.iter().find(|(_, set)| *set) {
            let problem = format!("{} holds images with classes, no columns; leave it out", images.name());
            return Err(Error::spec(*field, problem));
        }
        if images.classes() < 2 {
            return Err(Error::data(images.name(), "all images have class 0, so there is nothing to learn"));
        }
        let inputs = Inputs::Images { height: images.height(), width: images.width() };
        Ok(Self { inputs, target: Target::of_images(images.classes()), weight: None })
    }

    /// The inputs of the given rows, in the given order, or of all: `[rows, Pipeline::input_units]`. A table
    /// may have its columns in another order, further ones, and no target.
    ///
    /// # Errors
    /// Images for a table or the reverse, images of another size, a missing column, a text or an infinite
    /// number in a column of numbers, a row that does not exist.
    pub fn inputs(&self, data: &Data, rows: Option<&[usize]>) -> Result<Matrix> {
        let rows = chosen(rows, data.rows())?;
        match (&self.inputs, data) {
            (Inputs::Table(columns), Data::Table(table)) => {
                let mut matrix = Matrix::zeros(rows.len(), self.input_units());
                let mut offset = 0;
                for column in columns {
                    column.write(table, &rows, offset, &mut matrix)?;
                    offset += column.units();
                }
                Ok(matrix)
            }
            (Inputs::Images { height, width }, Data::Images(images)) => {
                if (images.height(), images.width()) != (*height, *width) {
                    let (found, other) = (images.height(), images.width());
                    let problem =
                        format!("the images are {found} x {other}, but the model's {height} x {width}");
                    return Err(Error::data(images.name(), problem));
                }
                let shades: [f32; 256] = std::array::from_fn(|pixel| pixel as f32 / images.white());
                let pixels = rows.iter().flat_map(|&row| images.image(row));
                let mut values = Vec::with_capacity(rows.len() * height * width);
                values.extend(pixels.map(|&pixel| shades[usize::from(pixel)]));
                Matrix::new(rows.len(), height * width, values)
            }
            (inputs, data) => Err(wrong_kind(inputs, data)),
        }
    }

    /// What [`Pipeline::inputs`] cannot tell from a gap: a sentence for each column of texts in which cells
    /// of `data` hold texts that the training rows did not have. None of the column's inputs is set for them.
    ///
    /// # Errors
    /// A missing column of texts.
    pub fn unseen(&self, data: &Data) -> Result<Vec<String>> {
        let (Inputs::Table(columns), Data::Table(table)) = (&self.inputs, data) else {
            return Ok(Vec::new());
        };
        columns.iter().filter_map(|column| unseen_texts(table, column).transpose()).collect()
    }

    /// The targets of the given rows, in the given order, or of all: indices into [`Pipeline::classes`], or
    /// standardised numbers `[rows, 1]`.
    ///
    /// # Errors
    /// A missing target column, an empty cell in it, a class that the training rows do not have, a text or an
    /// infinite number in a regression, a row that does not exist.
    pub fn targets(&self, data: &Data, rows: Option<&[usize]>) -> Result<Targets> {
        let rows = chosen(rows, data.rows())?;
        match (&self.inputs, data) {
            (Inputs::Table(_), Data::Table(table)) => self.target.of_table(table, &rows),
            (Inputs::Images { .. }, Data::Images(images)) => {
                let names = self.classes();
                let labels: Vec<u32> = rows.iter().map(|&row| images.labels()[row]).collect();
                match labels.iter().position(|&label| label as usize >= names.len()) {
                    None => Ok(Targets::Classes { labels, classes: names.len() }),
                    Some(index) => {
                        let place = format!("{}, image {} counted from 0", images.name(), rows[index]);
                        Err(Error::data(place, unseen(&labels[index].to_string(), names)))
                    }
                }
            }
            (inputs, data) => Err(wrong_kind(inputs, data)),
        }
    }

    /// How much each of the given rows counts, or of all; `None` if no column says so.
    ///
    /// # Errors
    /// A missing weight column, a cell in it that is empty, a text, or below 0, a row that does not exist.
    pub fn weights(&self, data: &Data, rows: Option<&[usize]>) -> Result<Option<Vec<f32>>> {
        let rows = chosen(rows, data.rows())?;
        let (Some(name), Data::Table(table)) = (&self.weight, data) else {
            return Ok(None);
        };
        let numbers = numbers_of(table, table.column(name)?)?;
        let weight = |&row: &usize| {
            let weight = numbers[row] as f32;
            match weight >= 0.0 && weight.is_finite() {
                true => Ok(weight),
                false => Err(Error::data(table.place(row, name), "a weight must be a number from 0 upwards")),
            }
        };
        rows.iter().map(weight).collect::<Result<_>>().map(Some)
    }

    /// Inputs, targets and weights of the given rows, or of all.
    ///
    /// # Errors
    /// As [`Pipeline::inputs`], [`Pipeline::targets`] and [`Pipeline::weights`].
    pub fn examples(&self, data: &Data, rows: Option<&[usize]>) -> Result<Examples> {
        Examples::new(self.inputs(data, rows)?, self.targets(data, rows)?, self.weights(data, rows)?)
    }

    /// How many inputs the network has.
    pub fn input_units(&self) -> usize {
        match &self.inputs {
            Inputs::Table(columns) => columns.iter().map(InputColumn::units).sum(),
            Inputs::Images { height, width } => height * width,
        }
    }

    /// How many numbers are predicted: one for each class, or 1.
    pub fn output_units(&self) -> usize {
        self.classes().len().max(1)
    }

    /// What the inputs are called: "age", "age is missing", "town = Bonn", or "pixel 3,4" for row 3 and
    /// column 4 of an image, both counted from 0.
    pub fn input_names(&self) -> Vec<String> {
        match &self.inputs {
            Inputs::Table(columns) => columns.iter().flat_map(InputColumn::unit_names).collect(),
            Inputs::Images { height, width } => (0..height * width)
                .map(|pixel| format!("pixel {},{}", pixel / width, pixel % width))
                .collect(),
        }
    }

    /// The inputs and how they are prepared.
    pub fn fitted_inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// The target and how it is prepared.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The name of the target column; `None` for images, whose class is no column.
    pub fn target_name(&self) -> Option<&str> {
        match &self.target {
            Target::Classes { column, .. } => column.as_deref(),
            Target::Values { column, .. } => Some(column),
        }
    }

    /// The name of the weight column, if there is one.
    pub fn weight_name(&self) -> Option<&str> {
        self.weight.as_deref()
    }

    /// The names of the columns that it takes from a table: inputs, target and weight.
    pub(crate) fn columns(&self) -> Vec<&str> {
        let inputs: &[InputColumn] = match &self.inputs {
            Inputs::Table(columns) => columns,
            Inputs::Images { .. } => &[],
        };
        let inputs = inputs.iter().map(|column| column.name.as_str());
        inputs.chain(self.target_name()).chain(self.weight_name()).collect()
    }

    /// What is learned.
    pub fn task(&self) -> Task {
        match self.target {
            Target::Classes { .. } => Task::Classification,
            Target::Values { .. } => Task::Regression,
        }
    }

    /// The names of the classes in the order of the outputs; none for a regression.
    pub fn classes(&self) -> &[String] {
        match &self.target {
            Target::Classes { names, .. } => names,
            Target::Values { .. } => &[],
        }
    }

    /// An output of a regression in the units of its column. Any other output stays as it is.
    pub fn denormalise(&self, output: f32) -> f64 {
        match &self.target {
            Target::Classes { .. } => f64::from(output),
            Target::Values { scale, .. } => scale.undo(f64::from(output)),
        }
    }

    /// A spread, or an error, of a regression's output in the units of its column.
    pub fn denormalise_spread(&self, spread: f32) -> f64 {
        match &self.target {
            Target::Classes { .. } => f64::from(spread),
            Target::Values { scale, .. } => scale.deviation * f64::from(spread),
        }
    }

    /// Which inputs belong together: those of each column of the data, and each pixel for itself.
    pub fn column_inputs(&self) -> Vec<Range<usize>> {
        match &self.inputs {
            Inputs::Table(columns) => {
                let mut first = 0;
                let inputs = |column: &InputColumn| {
                    first += column.units();
                    first - column.units()..first
                };
                columns.iter().map(inputs).collect()
            }
            Inputs::Images { height, width } => (0..height * width).map(|pixel| pixel..pixel + 1).collect(),
        }
    }

    /// The types as which the columns of a new file must be read ([`Data::open`]), so that a column of texts
    /// stays one even where a short file happens to hold numbers only.
    pub fn column_types(&self) -> ColumnTypes {
        let mut types = ColumnTypes::new();
        if let Inputs::Table(columns) = &self.inputs {
            types.extend(columns.iter().map(|column| (column.name.clone(), column.column_type())));
        }
        if let Target::Classes { column: Some(column), text: true, .. } = &self.target {
            types.insert(column.clone(), ColumnType::Text);
        }
        types
    }

    /// Checks a pipeline that was read from a file: one that passes does not fail in other ways than those
    /// listed at each function.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self) -> std::result::Result<(), String> {
        match &self.inputs {
            Inputs::Table(columns) => {
                for column in columns {
                    if let Some(problem) = column.problem() {
                        return Err(format!("input column {}: {problem}", column.name));
                    }
                }
            }
            Inputs::Images { height, width } => {
                if height.checked_mul(*width).is_none_or(|size| u32::try_from(size).is_err()) {
                    return Err(format!("images of {height} x {width} are too large"));
                }
            }
        }
        if self.input_units() == 0 {
            return Err("there are no inputs".into());
        }
        match &self.target {
            Target::Classes { names, .. } if names.len() < 2 => Err("there are fewer than 2 classes".into()),
            Target::Classes { column, .. } => match (&self.inputs, column) {
                (Inputs::Table(_), Some(_)) | (Inputs::Images { .. }, None) => Ok(()),
                _ => Err("the target does not fit the inputs".into()),
            },
            Target::Values { scale, .. } if !scale.is_usable() => {
                Err("the target's scale is not finite".into())
            }
            Target::Values { .. } if matches!(self.inputs, Inputs::Images { .. }) => {
                Err("the target does not fit the inputs".into())
            }
            Target::Values { .. } => Ok(()),
        }
    }
}

fn wrong_kind(inputs: &Inputs, data: &Data) -> Error {
    let problem = match inputs {
        Inputs::Table(_) => "it holds images, but the model was trained on a table",
        Inputs::Images { .. } => "it is a table, but the model was trained on images",
    };
    Error::data(data.name(), problem)
}

/// The given rows, checked, or all.
fn chosen(rows: Option<&[usize]>, total: usize) -> Result<Cow<'_, [usize]>> {
    let Some(rows) = rows else {
        return Ok(Cow::Owned((0..total).collect()));
    };
    match rows.iter().find(|&&row| row >= total) {
        Some(row) => Err(Error::argument("rows", format!("there is no row {row} in {total} rows"))),
        None => Ok(Cow::Borrowed(rows)),
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
