//! What can be typed.

mod compare;
mod demo;
mod elephant;
mod fit;
mod spec;
mod study;
mod trained;
mod values;

use clap::{Parser, Subcommand};

pub use compare::Compare;
pub use demo::Demo;
pub use elephant::Elephant;
pub use fit::Fit;
pub use spec::{Columns, Ensemble, LossOptions, Network, Steps};
pub use study::Study;
pub use trained::{Evaluate, Inspect, Measure, Predict};
pub use values::Rows;

/// `thinnet`
#[derive(Debug, Parser)]
#[command(name = "thinnet", bin_name = "thinnet", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const ABOUT: &str = "\
Train networks by thinning them, predict with the average of all of them.

Each step of training drops units at random and trains the thinned network that
is left; prediction uses the whole network, as the average of all of them. You
give a CSV file or images, and get one model file that predicts.";

const EXAMPLES: &str = "\
Examples:
  thinnet demo                               what dropout does, in half a minute
  thinnet elephant                           the same, as a drawing of an elephant
  thinnet fit rows.csv                       learn the last column
  thinnet fit rows.csv --target price --ignore id
                                             learn another one, leave one out
  thinnet evaluate rows.thinnet test.csv     how good it is on unseen rows
  thinnet predict rows.thinnet new.csv       a class or a value for each row
  thinnet predict rows.thinnet new.csv --proba --average mc:50
                                             and how sure the prediction is
  thinnet measure rows.thinnet test.csv      whether it overfits, and how far its
                                             units depend on each other
  thinnet compare rows.csv                   what keeps a network from overfitting
  thinnet inspect rows.thinnet               what is in a model
  thinnet study --list                       published results that can be run again
  thinnet fit --help                         every option of a mode

DATA is a CSV or TSV file with a header, plain or gzipped, or - for standard
input; a folder with the four IDX files of MNIST or Fashion-MNIST; or the word
digits, for the 1,797 small images that are built in.

Exit status: 0 all went well, 1 the run failed, 2 a wrong command line.";

/// The modes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Learn the built-in digits with and without dropout, side by side
    Demo(Demo),
    /// Draw von Neumann's elephant, and what networks learn of noisy points of it
    Elephant(Elephant),
    /// Train a model on DATA and write it to a file
    Fit(Box<Fit>),
    /// Predict a class or a value for each row of DATA
    Predict(Predict),
    /// Measure a model on rows whose targets are known
    Evaluate(Evaluate),
    /// Measure overfitting, co-adaptation and calibration of a model
    Measure(Measure),
    /// Show what a model consists of and how it was trained
    Inspect(Inspect),
    /// Compare what keeps a network from overfitting DATA, at equal cost
    Compare(Box<Compare>),
    /// Run a published result again and show ours beside theirs
    Study(Study),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_option_tells_its_default() {
        let command = Arguments::command();
        for mode in command.get_subcommands() {
            for option in mode.get_opts().filter(|option| option.get_action().takes_values()) {
                let help = option.get_help().unwrap().to_string();
                assert!(help.contains("[default: "), "{} --{}", mode.get_name(), option.get_id());
            }
        }
    }
}
