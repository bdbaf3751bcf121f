//! What a person reads of a study in the end.

use std::path::Path;

use thinnet::measure::McNemar;
use thinnet::report::{Curve, Series, table};
use thinnet::study::{
    Compared, Findings, Judge, Judged, Line, Made, Measured, PairedRuns, Point, Record, Resampled, Study,
    Version,
};

use crate::text;

/// The numbers of networks that the table of a curve shows.
const SHOWN: [u32; 8] = [1, 2, 5, 10, 20, 50, 100, 200];

/// What a person reads in the end: ours beside theirs.
pub fn report(study: &Study, records: &[Record], findings: &Findings, output: &Path) -> String {
    let head = &study.head;
    let parts = [
        format!("{}\n{}", head.title, head.source),
        mixed(records),
        lines(study, &findings.lines),
        contrasts(&findings.contrasts, head.judge),
        paired(&findings.paired),
        findings.curves.iter().map(curve).collect::<Vec<_>>().join("\n\n"),
        format!("The runs are kept in {}.", output.display()),
    ];
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).filter(|part| !part.is_empty()).collect();
    format!("{}\n", parts.join("\n\n"))
}

/// Says so where not all runs were made by the same thing.
fn mixed(records: &[Record]) -> String {
    let mut made: Vec<Option<&Made>> = records.iter().map(|record| record.made.as_ref()).collect();
    made.sort();
    made.dedup();
    if made.len() < 2 {
        return String::new();
    }
    let by = |made: &Option<&Made>| match made {
        Some(Made { version, instructions, threads }) => {
            format!("version {version} on {instructions}, {}", text::counted(*threads, "thread", "threads"))
        }
        None => "an earlier version".into(),
    };
    let all: Vec<String> = made.iter().map(by).collect();
    format!("Not all runs were made by the same thing, so that times cannot be compared: {}.", all.join("; "))
}

/// Ours beside theirs, a line for each average of each variant.
fn lines(study: &Study, lines: &[Line]) -> String {
    let show = &study.head.show;
    let judged = |at: usize| lines.iter().any(|line| line.cells[at].expected.is_some());
    let mut headers = vec!["variant", "of", "runs"];
    for (at, measure) in show.iter().enumerate() {
        headers.push(measure.title());
        if judged(at) {
            headers.extend(["published", "ours is"]);
        }
    }
    headers.push("a run takes");
    let row = |line: &Line| {
        let mut row = vec![line.variant.clone(), line.of.clone(), line.runs.to_string()];
        for (at, cell) in line.cells.iter().enumerate() {
            row.push(cell.ours.as_ref().map_or("-".into(), measured));
            if judged(at) {
                let judge = study.head.judge;
                row.extend(cell.expected.as_ref().map_or(["".into(), "".into()], |of| expected(of, judge)));
            }
        }
        row.push(line.seconds.map_or(String::new(), text::seconds));
        row
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    let rule = match study.head.judge {
        _ if study.version == Version::Quick => {
            "± is half of a 95 % interval, of ours over the runs (Student). A quick version is too small to be \
             judged."
        }
        Judge::Intervals => {
            "± is half of a 95 % interval: of ours over the runs (Student), of a published error without its own that \
             of\nthe number of test rows. within: the intervals meet; better, outside: they do not; -: fewer than three runs."
        }
        Judge::StandardError => {
            "± is half of a 95 % interval of ours over the runs (Student), and one standard error of the published.\n\
             within: our mean lies within one standard error of theirs; -: fewer than three runs."
        }
    };
    format!("{}{rule}", table(&headers, &rows))
}

/// 1.133 ± 0.038
fn measured(of: &Measured) -> String {
    match of.half_width.filter(|&half| half > 0.0) {
        Some(half) => {
            let decimals = decimals(half);
            format!("{:.decimals$} ± {half:.decimals$}", of.mean)
        }
        None => text::number(of.mean),
    }
}

/// So many that an error has two significant digits.
fn decimals(error: f64) -> usize {
    (1.0 - error.log10().floor()).clamp(0.0, 9.0) as usize
}

/// The published figure, and the verdict.
fn expected(of: &Judged, judge: Judge) -> [String; 2] {
    let width = width(judge, of.figure.error_of_mean(), of.half_width);
    let mut figure = format!("{}{width}", of.figure.value);
    if of.figure.unconfirmed {
        figure += " (unconfirmed)";
    }
    [figure, of.verdict.map_or("-".into(), |verdict| verdict.to_string())]
}

/// What stands behind a published number: the width by which it is judged, if it has any.
fn width(judge: Judge, standard_error: Option<f64>, half_width: f64) -> String {
    let width = match (judge, standard_error) {
        (Judge::StandardError, Some(error)) => error,
        _ => half_width,
    };
    if width > 0.0 { format!(" ± {width:.*}", decimals(width)) } else { String::new() }
}

/// What was compared with each other.
fn contrasts(contrasts: &[Compared], judge: Judge) -> String {
    if contrasts.is_empty() {
        return String::new();
    }
    let row = |of: &Compared| {
        let unconfirmed = if of.unconfirmed { " (unconfirmed)" } else { "" };
        let width = width(judge, of.expected_standard_error, of.expected_half_width);
        let expected = of.expected.map(|value| format!("{value}{width}{}{unconfirmed}", of.unit));
        let published: Vec<String> = expected.into_iter().chain(of.says.clone()).collect();
        vec![
            format!("{}: {}", of.measure.title(), of.name),
            of.ours.as_ref().map_or("-".into(), |ours| measured(ours) + of.unit),
            of.p.map_or(String::new(), text::number),
            published.join("; "),
            of.verdict.map_or(String::new(), |verdict| verdict.to_string()),
        ]
    };
    let rows: Vec<Vec<String>> = contrasts.iter().map(row).collect();
    format!(
        "Pairs of runs with the same seed; p by Student's t test:\n{}",
        table(&["compared", "ours", "p", "published", "ours is"], &rows)
    )
}

/// The averages against the first one, on the same rows.
fn paired(paired: &[PairedRuns]) -> String {
    if paired.is_empty() {
        return String::new();
    }
    let row = |of: &PairedRuns| {
        let p = |test: &McNemar| text::number(test.p);
        vec![
            of.variant.clone(),
            format!("{} against {}", of.of, of.against),
            of.all.only_first.to_string(),
            of.all.only_second.to_string(),
            of.runs.iter().map(p).collect::<Vec<_>>().join(", "),
            p(&of.all),
        ]
    };
    let rows: Vec<Vec<String>> = paired.iter().map(row).collect();
    let headers =
        ["variant", "averages", "only the first right", "only the second", "p of each run", "p of the sums"];
    format!(
        "McNemar's test on the same rows; p is small where one average is better:\n{}",
        table(&headers, &rows)
    )
}

/// The error of means of sampled networks, drawn and as a table.
fn curve(of: &Resampled) -> String {
    let errors: Vec<f64> = of.points.iter().map(|point| point.error).collect();
    let level = vec![of.error; errors.len()];
    let series = [
        Series { name: "mean of sampled networks", values: &errors },
        Series { name: &of.against, values: &level },
    ];
    let title = format!("{}: error, %", of.variant);
    let drawn = Curve { title: &title, unit: "networks", ..Curve::default() }.draw(&series);
    let shown = of.points.iter().filter(|point| SHOWN.contains(&point.networks));
    let row = |point: &Point| {
        vec![
            point.networks.to_string(),
            format!("{:.3}", point.error),
            format!("{:.3} to {:.3}", point.low, point.high),
            format!("{:.3}", point.error - of.error),
        ]
    };
    let rows: Vec<Vec<String>> = shown.map(row).collect();
    let less = format!("less {}", of.against);
    let headers = ["networks", "error, %", "95 % of draws", &less];
    format!("{drawn}{}{}\n", table(&headers, &rows), matching(of))
}

/// From how many networks on their mean is as good as the first average.
fn matching(of: &Resampled) -> String {
    let most = of.points.last().map_or(0, |point| point.networks);
    let each: Vec<String> = of
        .matching
        .iter()
        .map(|networks| networks.map_or(format!("more than {most}"), |networks| networks.to_string()))
        .collect();
    let published = of.matches.map_or(String::new(), |matches| format!("; published: about {matches}"));
    format!("As low as {} from so many networks on, in each run: {}{published}.", of.against, each.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_their_errors_allow() {
        let of = |mean, half_width| measured(&Measured { mean, half_width, values: vec![mean] });
        assert_eq!(of(1.13333, Some(0.0379)), "1.133 ± 0.038");
        assert_eq!(of(19.27, Some(12.3)), "19 ± 12");
        assert_eq!(of(1.13333, None), "1.133");
    }
}
