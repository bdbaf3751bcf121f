//! What can be typed after `thinnet demo`.

use clap::Args;

use super::values::threads;

/// `thinnet demo`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  thinnet demo --seeds 3")]
pub struct Demo {
    /// Runs of each network, with the seeds 0, 1, 2, … [default: 5]
    #[arg(long, value_name = "RUNS", default_value_t = 5, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: u32,
    /// Epochs of each run [default: 200]
    #[arg(long, value_name = "EPOCHS", default_value_t = 200, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub epochs: u64,
    /// Runs at a time; 0 takes as many as there are cores [default: 0]
    #[arg(long, value_name = "THREADS", default_value_t = 0, hide_default_value = true)]
    #[arg(value_parser = threads)]
    pub threads: usize,
    /// Print one JSON object instead of the report
    #[arg(long)]
    pub json: bool,
}
