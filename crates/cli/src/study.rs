//! `thinnet study`: published results, run again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::bail;
use clap::CommandFactory;
use clap::error::ErrorKind;
use indicatif::ProgressBar;
use serde_json::json;
use thinnet::Error;
use thinnet::measure::McNemar;
use thinnet::report::{Curve, Series, table};
use thinnet::study::{
    Compared, Findings, Happening, Judge, Judged, Line, Made, Measured, PairedRuns, Record, Resampled, Study,
    Version,
};
use thinnet::train::{Flow, Threads};

use crate::arguments::{self, Arguments};
use crate::studies::STUDIES;
use crate::{progress, text};

/// The numbers of networks that the table of a curve shows.
const SHOWN: [u32; 8] = [1, 2, 5, 10, 20, 50, 100, 200];

/// Runs what is missing and prints ours beside theirs.
pub fn run(arguments: &arguments::Study) -> anyhow::Result<()> {
    let Some(name) = arguments.name.as_ref().filter(|_| !arguments.list) else { return list() };
    let version = if arguments.quick { Version::Quick } else { Version::Full };
    let mut study = read(name, version)?;
    study.head.seeds = arguments.seeds.unwrap_or(study.head.seeds);
    let data = arguments.data.clone().or_else(|| std::env::var_os("THINNET_DATA").map(PathBuf::from));
    let data = data.unwrap_or_else(|| "data".into());
    let mut sources = study.variants.iter().map(|variant| &variant.trial.data);
    if let Some(source) = sources.find(|source| !source.exists(&data)) {
        let missing = data.join(&source.path);
        let problem = format!(
            "{} or its test part is not there; --data names the folder that holds it",
            missing.display()
        );
        return match version {
            Version::Quick => {
                text::say(&format!("skipped: {problem}"));
                Ok(())
            }
            Version::Full => Err(Error::data(format!("study {}", study.name), problem).into()),
        };
    }
    let suffix = if arguments.quick { "quick" } else { "study" };
    let output = arguments.output.clone().unwrap_or_else(|| format!("{}-{suffix}", study.name).into());
    let records = run_all(&study, &data, &output, &Threads::new(arguments.threads)?)?;
    let findings = study.findings(&records)?;
    if arguments.json {
        text::print_json(&json!({
            "study": study.name,
            "title": study.head.title,
            "source": study.head.source,
            "quick": arguments.quick,
            "runs": study.runs(),
            "finished": records.len(),
            "findings": findings,
        }))?;
    } else {
        text::print(&report(&study, &records, &findings, &output))?;
    }
    match study.runs() - records.len() {
        0 => Ok(()),
        missing => bail!(
            "the study was stopped with {missing} of {} runs to do; the same command goes on with it",
            study.runs()
        ),
    }
}

/// A study by its name, or by the path of its file.
fn read(name: &str, version: Version) -> anyhow::Result<Study> {
    if let Some((name, text)) = STUDIES.iter().find(|(known, _)| *known == name) {
        return Ok(Study::parse(name, text, version)?);
    }
    if name.ends_with(".toml") {
        return Ok(Study::read(Path::new(name), version)?);
    }
    let problem = format!(
        "there is no study {name:?}; thinnet study --list names those that there are, and a file ends in .toml"
    );
    Err(Arguments::command().error(ErrorKind::InvalidValue, problem).into())
}

fn list() -> anyhow::Result<()> {
    let line = |(name, text): &(&str, &str)| -> anyhow::Result<(Vec<String>, String)> {
        let study = Study::parse(name, text, Version::Full)?;
        let folder = |path: &str| path.split('/').next().unwrap_or(path).to_string();
        let data: BTreeSet<String> =
            study.variants.iter().map(|variant| folder(&variant.trial.data.path)).collect();
        let data: Vec<String> = data.into_iter().collect();
        let head = &study.head;
        let times = [head.minutes, head.quick_minutes].map(minutes);
        let cells = [&[name.to_string()], &times[..], &[text::some_of(&data, 2)]].concat();
        Ok((cells, format!("  {}\n", head.title)))
    };
    let lines = STUDIES.iter().map(line).collect::<anyhow::Result<Vec<_>>>()?;
    let (cells, titles): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
    let table = table(&["study", "full", "quick", "data"], &cells);
    // Each title stands below its line: beside it, lines would be wider than a terminal.
    let titles = [String::new(), String::new()].into_iter().chain(titles);
    let listed: String = table.lines().zip(titles).map(|(line, title)| format!("{line}\n{title}")).collect();
    text::print(&format!("{listed}\nTimes are those of two cores. Next: thinnet study NAME --quick\n"))?;
    Ok(())
}

/// 40 min, 30 s
fn minutes(minutes: f64) -> String {
    if minutes < 1.0 { format!("{:.0} s", 60.0 * minutes) } else { format!("{minutes:.0} min") }
}

/// Runs what is missing, with a line for each run that is finished.
fn run_all(study: &Study, data: &Path, output: &Path, threads: &Threads) -> anyhow::Result<Vec<Record>> {
    let interrupted = progress::interrupted()?;
    let bar = progress::runs(study.runs());
    let watch = |happening: &Happening| {
        match happening {
            Happening::Kept(_) => bar.inc(1),
            Happening::Ended(record) => {
                bar.inc(1);
                say(&bar, &ended(study, record));
            }
            Happening::Began { .. } | Happening::Training { .. } => {}
        }
        if interrupted.load(Ordering::Relaxed) { Flow::Stop } else { Flow::Continue }
    };
    let records = study.run(data, output, threads, &watch);
    bar.finish_and_clear();
    Ok(records?)
}

fn say(bar: &ProgressBar, line: &str) {
    if bar.is_hidden() { text::say(line) } else { bar.println(line) }
}

/// dropout, seed 0: error, % 1.130; 1 min 40 s
fn ended(study: &Study, record: &Record) -> String {
    let Record { variant, seed, found, .. } = record;
    let value = |measure: &_| Some((*measure, found.value(None, *measure)?));
    let shown = study.head.show.iter().filter_map(value).next();
    let shown = shown
        .map_or(String::new(), |(measure, value)| format!(" {} {};", measure.title(), text::number(value)));
    format!("{variant}, seed {seed}:{shown} {}", text::seconds(found.seconds))
}

fn report(study: &Study, records: &[Record], findings: &Findings, output: &Path) -> String {
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
    let row = |point: &thinnet::study::Point| {
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
    fn every_study_can_be_read_in_both_versions() {
        for (name, text) in STUDIES {
            for version in [Version::Full, Version::Quick] {
                let study = Study::parse(name, text, version).unwrap_or_else(|error| panic!("{error}"));
                assert!(!study.variants.is_empty() && study.head.minutes <= 45.0, "{name}");
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".toml").map(str::to_string))
            .collect();
        files.sort();
        let mut names = STUDIES.map(|(name, _)| name.to_string()).to_vec();
        names.sort();
        assert_eq!(files, names);
    }

    #[test]
    fn numbers_have_the_digits_that_their_errors_allow() {
        let of = |mean, half_width| measured(&Measured { mean, half_width, values: vec![mean] });
        assert_eq!(of(1.13333, Some(0.0379)), "1.133 ± 0.038");
        assert_eq!(of(19.27, Some(12.3)), "19 ± 12");
        assert_eq!(of(1.13333, None), "1.133");
    }
}
