//! What can be typed after `thinnet elephant`.

use std::path::PathBuf;

use clap::Args;

use super::values::{deviation, threads};

/// What counts where nothing else is said.
const SEED: u32 = 0;
const NOISE: f64 = 6.0;
const EPOCHS: u64 = 600;

/// `thinnet elephant`
#[derive(Args, Debug)]
#[command(after_help = ELEPHANT_NOTES, allow_negative_numbers = true)]
pub struct Elephant {
    /// Also write an animated SVG picture to this file [default: none]
    #[arg(short, long, value_name = "FILE.svg")]
    pub output: Option<PathBuf>,
    /// The seed of noise, weights, order and masks, 0 to 4294967295 [default: 0]
    #[arg(long, value_name = "NUMBER", default_value_t = SEED, hide_default_value = true)]
    pub seed: u32,
    /// Standard deviation of the noise of each point, right and up, 0 to 1000; the elephant is 155 wide
    /// [default: 6]
    #[arg(long, value_name = "DEVIATION", default_value_t = NOISE, hide_default_value = true)]
    #[arg(value_parser = deviation)]
    pub noise: f64,
    /// Epochs of each network [default: 600]
    #[arg(long, value_name = "EPOCHS", default_value_t = EPOCHS, hide_default_value = true)]
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

impl Elephant {
    /// The command line that draws the same, as far as it was asked for.
    pub fn again(&self) -> String {
        let options = [
            (self.seed != SEED).then(|| format!(" --seed {}", self.seed)),
            (self.noise != NOISE).then(|| format!(" --noise {}", self.noise)),
            (self.epochs != EPOCHS).then(|| format!(" --epochs {}", self.epochs)),
        ];
        format!("thinnet elephant{}", options.into_iter().flatten().collect::<String>())
    }
}

const ELEPHANT_NOTES: &str = "\
The numbers are those of Mayer, Khairy and Howard (2010); docs/elephant.md says
how they draw an elephant, and what is shown.

Examples:
  thinnet elephant -o elephant.svg
  thinnet elephant --seed 1 --noise 3";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        elephant: Elephant,
    }

    #[test]
    fn what_is_as_usual_is_not_typed_again() {
        let again = |line: &str| Typed::parse_from(line.split(' ')).elephant.again();
        assert_eq!(again("elephant --ascii"), "thinnet elephant");
        assert_eq!(again("elephant --seed 0 --noise 6 --epochs 600"), "thinnet elephant");
        let line = "thinnet elephant --seed 7 --noise 0.5 --epochs 20";
        assert_eq!(again(&line["thinnet ".len()..]), line);
    }
}
