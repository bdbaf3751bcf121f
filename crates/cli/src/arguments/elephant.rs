//! What can be typed after `thinnet elephant`.

use std::path::PathBuf;

use clap::Args;

use super::values::{deviation, threads};

/// `thinnet elephant`
#[derive(Args, Debug)]
#[command(after_help = ELEPHANT_NOTES, allow_negative_numbers = true)]
pub struct Elephant {
    /// Also write an animated picture to this file [default: none]
    #[arg(short, long, value_name = "FILE.svg")]
    pub output: Option<PathBuf>,
    /// The seed of noise, weights, order and masks, 0 to 4294967295 [default: 0]
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub seed: u32,
    /// Standard deviation of the noise of each point, right and up, 0 to 1000; the elephant is 155 wide
    /// [default: 6]
    #[arg(long, value_name = "DEVIATION", default_value_t = 6.0, hide_default_value = true)]
    #[arg(value_parser = deviation)]
    pub noise: f64,
    /// Epochs of each network [default: 600]
    #[arg(long, value_name = "EPOCHS", default_value_t = 600, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub epochs: u64,
    /// With 1 the networks learn one after the other, else side by side; 0 takes all cores [default: 0]
    #[arg(long, value_name = "THREADS", default_value_t = 0, hide_default_value = true)]
    #[arg(value_parser = threads)]
    pub threads: usize,
    /// Draw with plain characters, not with braille dots
    #[arg(long)]
    pub ascii: bool,
    /// Print one JSON object instead of the drawings
    #[arg(long)]
    pub json: bool,
    /// Print nothing but warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
}

const ELEPHANT_NOTES: &str = "\
The numbers are those of Mayer, Khairy and Howard (2010); docs/elephant.md says
how they draw an elephant, and what is shown.

Examples:
  thinnet elephant -o elephant.svg
  thinnet elephant --seed 1 --noise 3";
