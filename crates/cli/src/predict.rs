//! `thinnet predict`: a class or a value for each row.

use std::io::{self, Write};

use thinnet::average::Averaged;
use thinnet::data::Matrix;
use thinnet::measure::largest;
use thinnet::model::atomic_write;
use thinnet::train::Threads;

use crate::arguments::Predict;
use crate::text;

/// Predicts and writes.
pub fn run(arguments: &Predict) -> anyhow::Result<()> {
    let rows = &arguments.rows;
    let (model, data) = rows.open()?;
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
    let inputs = model.pipeline.inputs(&data, None)?;
    drop(data);
    let averaged = model.average(&inputs, rows.average, rows.seed, &Threads::new(rows.threads)?)?;
    let names = model.pipeline.classes();
    let averaged = match names {
        [] => {
            let (mean, spread) = model.in_own_units(&averaged)?;
            Averaged { mean, spread }
        }
        _ => averaged,
    };
    let interval = arguments.interval.map(|share| averaged.interval(share)).transpose()?;
    let Averaged { mean, spread } = averaged;
    let write = |to: &mut dyn Write| match names {
        [] => values(to, &mean, spread.as_ref(), interval.as_ref()),
        names => classes(to, names, &mean, spread.as_ref(), arguments.proba),
    };
    match &arguments.output {
        Some(path) => atomic_write(path, |file| write(file))?,
        None => text::to_stdout(write)?,
    }
    Ok(())
}

fn classes(
    to: &mut dyn Write,
    names: &[String],
    mean: &Matrix,
    spread: Option<&Matrix>,
    proba: bool,
) -> io::Result<()> {
    let quoted = |what: &str| names.iter().map(|name| quoted(&format!("{what}{name}"))).collect::<Vec<_>>();
    let mut header = vec!["class".to_string()];
    match (proba, spread) {
        (true, Some(_)) => header.extend([quoted("probability "), quoted("spread ")].concat()),
        (true, None) => header.extend(quoted("probability ")),
        (false, Some(_)) => header.push("spread".into()),
        (false, None) => {}
    }
    writeln!(to, "{}", header.join(","))?;
    let names = quoted("");
    for row in 0..mean.rows() {
        let class = largest(mean.row(row));
        to.write_all(names[class].as_bytes())?;
        let spread = spread.map_or(&[][..], |spread| spread.row(row));
        let numbers: Vec<&f32> = match proba {
            true => mean.row(row).iter().chain(spread).collect(),
            false => spread.get(class).into_iter().collect(),
        };
        for number in numbers {
            write!(to, ",{number}")?;
        }
        writeln!(to)?;
    }
    Ok(())
}

fn values(
    to: &mut dyn Write,
    mean: &Matrix,
    spread: Option<&Matrix>,
    interval: Option<&[Matrix; 2]>,
) -> io::Result<()> {
    let columns = [Some(("value", mean)), spread.map(|spread| ("spread", spread))].into_iter().flatten();
    let ends = interval.into_iter().flat_map(|[low, high]| [("low", low), ("high", high)]);
    let columns: Vec<(&str, &Matrix)> = columns.chain(ends).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    writeln!(to, "{}", names.join(","))?;
    for row in 0..mean.values().len() {
        for (index, (_, values)) in columns.iter().enumerate() {
            write!(to, "{}{}", if index > 0 { "," } else { "" }, values.values()[row])?;
        }
        writeln!(to)?;
    }
    Ok(())
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
        let names = ["a,b".to_string(), "say \"c\"".to_string()];
        let text = |spread, proba| {
            let mut bytes = Vec::new();
            classes(&mut bytes, &names, &mean, spread, proba).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        let (c, a) = ("\"say \"\"c\"\"\"", "\"a,b\"");
        assert_eq!(text(None, false), format!("class\n{c}\n{a}\n"));
        assert_eq!(text(Some(&spread), false), format!("class,spread\n{c},0.0625\n{a},1\n"));
        let head =
            "class,\"probability a,b\",\"probability say \"\"c\"\"\",\"spread a,b\",\"spread say \"\"c\"\"\"";
        let all = format!("{head}\n{c},0.25,0.75,0.125,0.0625\n{a},0.5,0.5,1,0\n");
        assert_eq!(text(Some(&spread), true), all);
    }
}
