//! What can be typed after `thinnet study`.

use std::path::PathBuf;

use clap::Args;

use super::values::threads;

/// `thinnet study`
#[derive(Args, Debug)]
#[command(after_help = STUDY_NOTES)]
pub struct Study {
    /// A study that --list names, or a TOML file with one of your own
    #[arg(required_unless_present = "list")]
    pub name: Option<String>,
    /// Name the studies, the time that they take, and the data that they need
    #[arg(long, conflicts_with_all = ["name", "json"])]
    pub list: bool,
    /// The folder with the data sets, each under its name [default: $THINNET_DATA, else data]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// A smaller version, of minutes, to see that it works
    #[arg(long)]
    pub quick: bool,
    /// Runs of each variant, with the seeds 0, 1, 2, … [default: as the study says]
    #[arg(long, value_name = "RUNS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: Option<u32>,
    /// Where finished runs are kept [default: NAME-study, or NAME-quick with --quick]
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Threads; the results are the same for any number; 0 takes all cores [default: 0]
    #[arg(long, value_name = "THREADS", default_value_t = 0, hide_default_value = true)]
    #[arg(value_parser = threads)]
    pub threads: usize,
    /// Print one JSON object instead of the tables
    #[arg(long)]
    pub json: bool,
}

const STUDY_NOTES: &str = "\
Each finished run is kept in a small file, and is not run again: Ctrl-C stops
a study, the same command goes on with it, and more --seeds add to it. What
each study runs, and how ours is judged, stands in docs/studies.md.

Examples:
  thinnet study --list
  thinnet study srivastava-table-2 --quick
  thinnet study srivastava-table-2 --data ~/datasets --seeds 5
  thinnet study my-study.toml --json";
