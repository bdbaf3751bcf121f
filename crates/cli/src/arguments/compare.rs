//! What can be typed after `thinnet compare`.

use std::path::PathBuf;

use clap::Args;
use thinnet::compare::Method;
use thinnet::network::Activation;

use super::spec::Columns;
use super::values::{Rows, Units, named, threads, whole};

/// `thinnet compare`
#[derive(Args, Debug)]
#[command(after_help = COMPARE_NOTES, allow_negative_numbers = true)]
pub struct Compare {
    /// CSV or TSV file, folder of IDX files, or the word digits
    pub data: PathBuf,
    /// The folder that is left [default: the name of DATA with -compare, in this folder]
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Go on with the comparison in the folder, which was begun with the same options
    #[arg(long)]
    pub resume: bool,
    /// Write a page of the comparison, with charts, for a browser [default: none]
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Print one JSON object instead of the tables
    #[arg(long)]
    pub json: bool,
    /// Say nothing but warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Threads; small networks are trained side by side, one on each; 0 takes all cores [default: 0]
    #[arg(long, value_name = "THREADS", default_value_t = 0, hide_default_value = true)]
    #[arg(value_parser = threads)]
    pub threads: usize,
    /// What is compared: of nothing, early-stopping, l1, l2, max-norm, dropout, dropout-max-norm, gaussian,
    /// dropconnect, concrete and ensemble [default: all]
    #[arg(long, value_name = "METHOD,…", value_delimiter = ',')]
    pub methods: Vec<Method>,
    /// Minutes of the whole comparison; the page of --report takes its time after them [default: 5]
    #[arg(long, value_name = "MINUTES", default_value_t = 5.0, hide_default_value = true)]
    pub minutes: f64,
    /// Runs of each method with the settings that were found for it [default: 5]
    #[arg(long, value_name = "RUNS", default_value_t = 5, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: u32,
    /// Networks of the ensemble [default: 5]
    #[arg(long, value_name = "NUMBER", value_parser = whole::<usize>)]
    pub members: Option<usize>,
    /// The most epochs of a run [default: 300, or as many as make 10,000 steps]
    #[arg(long, value_name = "EPOCHS", default_value_t = 0, hide_default_value = true)]
    #[arg(value_parser = whole::<u64>)]
    pub epochs: u64,
    /// The seed of the test part and of the first runs; the next runs have the next ones [default: 0]
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u32>,
    /// A TOML file with what all runs have in common: what it says against overfitting is left out
    /// [default: none]
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,
    /// Units of each hidden layer, or none for no hidden layer [default: 256,256]
    #[arg(long, value_name = "UNITS,…")]
    pub hidden: Option<Units>,
    /// relu, leaky-relu, logistic, tanh, selu, gelu, silu, mish or identity [default: relu]
    #[arg(long, value_name = "NAME", value_parser = named::<Activation>)]
    pub activation: Option<Activation>,

    /// The columns.
    #[command(flatten)]
    pub columns: Columns,
    /// Rows that are the test part: a fraction of DATA, or a file
    /// [default: 0.2; of a folder its test part]
    #[arg(long, value_name = "FRACTION|FILE", help_heading = "Data")]
    pub test: Option<Rows>,
}

const COMPARE_NOTES: &str = "\
Each method has the same time: a search for its settings on the validation
rows (4 learning rates, then 3 more doses), then a run for each seed. The test
part is met once, by each network when it is trained. Nothing is chosen by it.

The folder that is left holds best.thinnet, the first model of the method that
the validation rows favour; models/, the first of every method; specs/, with
which thinnet fit does each run again to the bit; and results.json, with all
that was measured, one run in each line. After Ctrl-C, --resume goes on. How
to read the tables stands in docs/compare.md.

Examples:
  thinnet compare churn.csv --target Exited --ignore Surname
  thinnet compare digits --methods nothing,l2,dropout --seeds 10
  thinnet compare rows.csv --report rows.html
  thinnet compare mnist/ --hidden 1024,1024 --minutes 240 --json";
