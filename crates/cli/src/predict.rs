//! `thinnet predict`: a class or a value for each row.

use std::io::{self, Write};

use thinnet::average::{Averaged, ensemble};
use thinnet::data::{Column, Data, Matrix};
use thinnet::measure::largest;
use thinnet::model::atomic_write;
use thinnet::train::Threads;

use crate::arguments::Predict;
use crate::rows::unseen;
use crate::{output, text};

/// Predicts and writes.
pub fn run(arguments: &Predict) -> anyhow::Result<()> {
    let rows = &arguments.rows;
    if let Some(output) = &arguments.output {
        output::check("-o", output, &[Some(&rows.model), Some(&rows.data)])?;
    }
    let (model, data) = rows.open(&arguments.keep)?;
    if arguments.interval.is_none() {
        rows.check_precision(&model)?;
    }
    if arguments.proba && model.pipeline.classes().is_empty() {
        anyhow::bail!(
            "{} predicts values, which have no probabilities; leave --proba out, or take --average mc:50 for \
             the spread",
            rows.model.display()
        );
    }
    if arguments.interval.is_some() && !model.pipeline.classes().is_empty() {
        anyhow::bail!(
            "{} predicts classes, which have no interval; --proba gives their probabilities",
            rows.model.display()
        );
    }
    let kept = kept(&data, &arguments.keep)?;
    let inputs = model.pipeline.inputs(&data, None)?;
    unseen(&model, &data)?;
    drop(data);
    let members =
        model.average_members(&inputs, rows.average(&model), rows.seed, &Threads::new(rows.threads)?)?;
    let disagreement = if members.len() > 1 { Some(model.disagreement(&members)?) } else { None };
    let averaged = ensemble(members)?;
    let names = model.pipeline.classes();
    let (averaged, interval) = match (names, arguments.interval) {
        ([], None) => (model.in_own_units(&averaged)?, None),
        ([], Some(share)) => {
            let own = model.in_own_units(&averaged)?;
            (own, Some(model.in_own_units(&model.with_noise(averaged))?.interval(share)?))
        }
        _ => (averaged, None),
    };
    let Averaged { mean, spread, .. } = averaged;
    let predicted = Predicted { kept, mean, spread, disagreement, interval };
    let write = |to: &mut dyn Write| match names {
        [] => predicted.values(to),
        names => predicted.classes(to, names, arguments.proba),
    };
    match &arguments.output {
        Some(path) => atomic_write(path, |file| write(file))?,
        None => text::to_stdout(write)?,
    }
    Ok(())
}

/// The columns of the data that are carried along.
fn kept(data: &Data, names: &[String]) -> anyhow::Result<Vec<Column>> {
    match data {
        Data::Table(table) => names.iter().map(|name| Ok(table.column(name)?.clone())).collect(),
        Data::Images(_) if names.is_empty() => Ok(Vec::new()),
        Data::Images(images) => {
            anyhow::bail!("{} holds images, which have no columns; leave --keep out", images.name())
        }
    }
}

/// What is written of each row, `[rows, classes]` or `[rows, 1]`.
struct Predicted {
    /// Columns of the data, which stand in front.
    kept: Vec<Column>,
    mean: Matrix,
    spread: Option<Matrix>,
    /// How far members lie apart, where there are several.
    disagreement: Option<Matrix>,
    /// The lower and upper ends of intervals, where they were asked for.
    interval: Option<[Matrix; 2]>,
}

impl Predicted {
    /// The start of the first line.
    fn kept_names(&self) -> String {
        self.kept.iter().map(|column| quoted(&column.name) + ",").collect()
    }

    /// The start of the line of a row; a gap is an empty cell.
    fn kept_cells(&self, row: usize) -> String {
        let cell = |column: &Column| column.cells.text(row).map_or(String::new(), |text| quoted(&text));
        self.kept.iter().map(|column| cell(column) + ",").collect()
    }

    fn classes(&self, to: &mut dyn Write, names: &[String], proba: bool) -> io::Result<()> {
        let quoted =
            |what: &str| names.iter().map(|name| quoted(&format!("{what}{name}"))).collect::<Vec<_>>();
        let mut header = vec!["class".to_string()];
        match (proba, &self.spread) {
            (true, Some(_)) => header.extend([quoted("probability "), quoted("spread ")].concat()),
            (true, None) => header.extend(quoted("probability ")),
            (false, Some(_)) => header.push("spread".into()),
            (false, None) => {}
        }
        header.extend(self.disagreement.as_ref().map(|_| "disagreement".into()));
        writeln!(to, "{}{}", self.kept_names(), header.join(","))?;
        let names = quoted("");
        for row in 0..self.mean.rows() {
            let mean = self.mean.row(row);
            let class = largest(mean);
            write!(to, "{}{}", self.kept_cells(row), names[class])?;
            let spread = self.spread.as_ref().map_or(&[][..], |spread| spread.row(row));
            let disagreement = self.disagreement.as_ref().map(|of| &of.row(row)[class]);
            let numbers: Vec<&f32> = match proba {
                true => mean.iter().chain(spread).collect(),
                false => spread.get(class).into_iter().collect(),
            };
            for number in numbers.into_iter().chain(disagreement) {
                write!(to, ",{number}")?;
            }
            writeln!(to)?;
        }
        Ok(())
    }

    fn values(&self, to: &mut dyn Write) -> io::Result<()> {
        let ends = self.interval.iter().flat_map(|[low, high]| [Some(("low", low)), Some(("high", high))]);
        let columns = [Some(("value", &self.mean))]
            .into_iter()
            .chain([self.spread.as_ref().map(|spread| ("spread", spread))])
            .chain(ends)
            .chain([self.disagreement.as_ref().map(|disagreement| ("disagreement", disagreement))]);
        let (names, columns): (Vec<&str>, Vec<&Matrix>) = columns.flatten().unzip();
        writeln!(to, "{}{}", self.kept_names(), names.join(","))?;
        for row in 0..self.mean.values().len() {
            write!(to, "{}", self.kept_cells(row))?;
            for (index, column) in columns.iter().enumerate() {
                write!(to, "{}{}", if index > 0 { "," } else { "" }, column.values()[row])?;
            }
            writeln!(to)?;
        }
        Ok(())
    }
}

/// A cell of a CSV file (RFC 4180).
fn quoted(text: &str) -> String {
    let plain = |c: char| !matches!(c, ',' | ';' | '"' | '\n' | '\r' | '\t');
    match !text.is_empty() && text.trim() == text && text.chars().all(plain) {
        true => text.into(),
        false => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_row_with_the_columns_that_were_asked_for() {
        let mean = Matrix::new(2, 2, vec![0.25, 0.75, 0.5, 0.5]).unwrap();
        let spread = Matrix::new(2, 2, vec![0.125, 0.0625, 1.0, 0.0]).unwrap();
        let apart = Matrix::new(2, 2, vec![0.0, 0.5, 0.25, 0.0]).unwrap();
        let names = ["a,b".to_string(), "say \"c\"".to_string()];
        let text = |spread: Option<&Matrix>, disagreement: Option<&Matrix>, proba| {
            let mut bytes = Vec::new();
            let (spread, disagreement) = (spread.cloned(), disagreement.cloned());
            let (kept, mean) = (Vec::new(), mean.clone());
            let predicted = Predicted { kept, mean, spread, disagreement, interval: None };
            predicted.classes(&mut bytes, &names, proba).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        let (c, a) = ("\"say \"\"c\"\"\"", "\"a,b\"");
        assert_eq!(text(None, None, false), format!("class\n{c}\n{a}\n"));
        assert_eq!(text(Some(&spread), None, false), format!("class,spread\n{c},0.0625\n{a},1\n"));
        let three = format!("class,spread,disagreement\n{c},0.0625,0.5\n{a},1,0.25\n");
        assert_eq!(text(Some(&spread), Some(&apart), false), three);
        let head =
            "class,\"probability a,b\",\"probability say \"\"c\"\"\",\"spread a,b\",\"spread say \"\"c\"\"\"";
        let all = format!("{head}\n{c},0.25,0.75,0.125,0.0625\n{a},0.5,0.5,1,0\n");
        assert_eq!(text(Some(&spread), None, true), all);
    }
}
