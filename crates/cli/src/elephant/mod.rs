//! `thinnet elephant`: von Neumann's elephant, and what a network learns of noisy points of it with and
//! without dropout.

mod report;
mod task;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use clap::CommandFactory;
use clap::error::ErrorKind;
use thinnet::model::atomic_write;

use crate::arguments::{Arguments as CommandLine, Elephant as Arguments};
use crate::{output, text};
use report::{as_json, report, svg};
use task::{Task, both};

/// Draws the elephant, trains both networks, and reports.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let began = Instant::now();
    if let Some(picture) = &arguments.output {
        check_ending(picture)?;
        output::check("-o", picture, &[])?;
    }
    let task = Task::new(arguments)?;
    let networks = both(&task, arguments)?;
    if let Some(path) = &arguments.output {
        atomic_write(path, |file| file.write_all(svg(&task, &networks).as_bytes()))?;
    }
    if arguments.json {
        text::print_json(&as_json(&task, &networks, arguments))?;
    } else if !arguments.quiet {
        text::print(&report(&task, &networks, arguments, began.elapsed().as_secs_f64()))?;
    }
    Ok(())
}

/// Refuses a name that says that something else than SVG is in the file, which other programs would believe.
/// A pipe or a device is read by whoever asked for it, and a name without an ending promises nothing.
fn check_ending(picture: &Path) -> anyhow::Result<()> {
    let ending = picture.extension().map_or(String::new(), |ending| ending.to_string_lossy().to_lowercase());
    let is_stream = fs::metadata(picture).is_ok_and(|found| !found.is_file() && !found.is_dir());
    if is_stream || ending.is_empty() || ending == "svg" {
        return Ok(());
    }
    let problem = format!("the picture is SVG: -o {} must end in .svg", picture.display());
    Err(CommandLine::command().error(ErrorKind::ValueValidation, problem).into())
}
