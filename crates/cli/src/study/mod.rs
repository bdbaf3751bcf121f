//! `thinnet study`: published results, run again.

mod report;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::bail;
use clap::CommandFactory;
use clap::error::ErrorKind;
use indicatif::ProgressBar;
use serde_json::json;
use thinnet::Error;
use thinnet::data::DIGITS;
use thinnet::report::table;
use thinnet::study::{Happening, Record, Study, Version};
use thinnet::train::{Flow, Threads};

use crate::arguments::{self, Arguments};
use crate::studies::STUDIES;
use crate::{progress, text};
use report::report;

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
        return Err(Error::data(format!("study {}", study.name), problem).into());
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
    let mut need = Vec::new();
    for (name, text) in STUDIES {
        let quick = Study::parse(name, text, Version::Quick)?;
        if quick.variants.iter().any(|variant| variant.trial.data.path != DIGITS) {
            need.push(name.to_string());
        }
    }
    text::print(&format!(
        "{listed}\nTimes are those of two cores. The quick versions have the built-in digits,\nbut for {}, which \
         need their data.\nNext: thinnet study NAME --quick\n",
        need.join(", ")
    ))?;
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
}
