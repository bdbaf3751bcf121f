//! What can be typed after `thinnet fit`.

use std::path::PathBuf;

use clap::Args;

use super::spec::{Columns, Ensemble, LossOptions, Network, Steps};
use super::values::threads;

/// `thinnet fit`
#[derive(Args, Debug)]
#[command(after_help = FIT_EXAMPLES, allow_negative_numbers = true)]
pub struct Fit {
    /// CSV or TSV file, - for standard input, folder of IDX files (its training part), or the word digits
    pub data: PathBuf,
    /// Where the model goes [default: the name of DATA with .thinnet, in this folder]
    #[arg(short, long, value_name = "MODEL")]
    pub output: Option<PathBuf>,
    /// Write an HTML page that shows the run: learning, trust, units, spec [default: none]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print one JSON object instead of the summary
    #[arg(long)]
    pub json: bool,
    /// Say nothing but warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Threads; the model is the same for any number; 0 takes all cores [default: 0]
    #[arg(long, value_name = "THREADS", default_value_t = 0, hide_default_value = true)]
    #[arg(value_parser = threads)]
    pub threads: usize,
    /// A TOML file with all of what follows; options override it [default: none]
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,
    /// Print the whole spec that would run, and do not run it
    #[arg(long, conflicts_with_all = ["json", "output", "report"])]
    pub print_spec: bool,
    /// The seed of split, weights, order and masks, 0 to 4294967295 [default: 0]
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u32>,

    /// The columns.
    #[command(flatten)]
    pub columns: Columns,
    /// The fraction of DATA that is neither trained on nor chosen by, for evaluate --part test [default: 0]
    #[arg(long, value_name = "FRACTION", help_heading = "Data")]
    pub test: Option<f64>,
    /// The network.
    #[command(flatten)]
    pub network: Network,
    /// How many networks.
    #[command(flatten)]
    pub ensemble: Ensemble,
    /// The loss.
    #[command(flatten)]
    pub loss: LossOptions,
    /// The steps.
    #[command(flatten)]
    pub steps: Steps,
}

const FIT_EXAMPLES: &str = "\
Examples:
  thinnet fit churn.csv --target Exited --ignore RowNumber --ignore Surname
  thinnet fit mnist/ --hidden 1024,1024,1024 --input-dropout 0.2 --minutes 8
  thinnet fit rows.csv --members 8 --member-hidden 256,256 --member-hidden 128,128,128
  thinnet fit rows.csv --drop concrete --share row --dropout 0.1
  thinnet fit rows.csv --report rows.html
  thinnet fit rows.csv --print-spec > run.toml
  thinnet fit rows.csv --spec run.toml --seed 1 -o second.thinnet

Ctrl-C, or a request to terminate, ends a run after the current step and keeps
the best model so far; a second one, a second later, ends it at once.";
