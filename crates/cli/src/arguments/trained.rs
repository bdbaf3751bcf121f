//! What can be typed after the modes that take a model: predict, evaluate, measure and inspect.

use std::path::{Path, PathBuf};

use clap::Args;
use thinnet::average::Average;
use thinnet::data::{ColumnType, Data, Part};
use thinnet::measure::Effort;
use thinnet::model::Model;
use thinnet::{Error, Result};

use super::values::threads;

/// A model, and rows to use it on.
#[derive(Args, Debug)]
pub struct Use {
    /// A model file that thinnet fit has written
    pub model: PathBuf,
    /// CSV or TSV file, - for standard input, folder of IDX files, or the word digits
    pub data: PathBuf,
    /// train or test: the part of a folder of IDX files, or of the file that the model was trained on with
    /// --test [default: test of a folder, all rows of a file]
    #[arg(long)]
    pub part: Option<Part>,
    /// scale: one pass of the whole network; mc:T: the mean of T thinned networks, and how far they lie
    /// apart; mc-geometric:T: their geometric mean; exact: all of them, for up to 20 droppable units;
    /// moments: one pass that carries means and variances; dropconnect:Z: Z draws of each unit's sum of
    /// dropped edges. :rows behind T gives each row masks of its own,
    /// :shared gives all rows the same, which is faster; else as in training [default: that of fit]
    #[arg(long, value_name = "AVERAGE")]
    pub average: Option<Average>,
    /// Precision of a regression's observations, 1 / variance in the target's unit; not where the
    /// model predicts it [default: from the errors on the validation rows]
    #[arg(long, value_name = "PRECISION", conflicts_with = "length_scale")]
    pub tau: Option<f64>,
    /// Take tau = keep l² / (2 N lambda) of this prior length scale l of the weights, with N training rows
    /// and lambda a quarter of --l2 [default: none]
    #[arg(long, value_name = "LENGTH")]
    pub length_scale: Option<f64>,
    /// The seed of the networks of mc:T, and of --importance's shuffles, 0 to 4294967295 [default: 0]
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub seed: u32,
    /// Threads; the result is the same for any number; 0 takes all cores [default: 0]
    #[arg(long, value_name = "THREADS", default_value_t = 0, hide_default_value = true)]
    #[arg(value_parser = threads)]
    pub threads: usize,
}

impl Use {
    /// The average that is asked for, else the one that the model was made for.
    pub fn average(&self, model: &Model) -> Average {
        self.average.unwrap_or(model.spec.average)
    }

    /// Reads the model, and the data as the model needs them, with columns that are kept as they are.
    pub fn open(&self, kept: &[String]) -> Result<(Model, Data)> {
        let (mut model, data) = open(&self.model, &self.data, self.part, kept)?;
        let tau = match self.length_scale {
            Some(length) => Some(model.tau_of_length_scale(length)?),
            None => self.tau,
        };
        tau.map(|tau| model.set_tau(tau)).transpose()?;
        Ok((model, data))
    }

    /// Refuses a precision that nothing would use where no intervals are asked for.
    pub fn check_precision(&self, model: &Model) -> Result<()> {
        let asked = self.tau.is_some() || self.length_scale.is_some();
        if asked && self.average(model) == Average::WeightScaling && model.members().len() == 1 {
            let problem = "one pass of the whole network has no spread for it; add --average, as mc:100, or when \
                           predicting --interval";
            return Err(Error::argument("tau", problem));
        }
        Ok(())
    }
}

/// Reads a model, and the data as the model needs them; of a folder of IDX files the test part. The columns
/// that are kept and that the model does not use are read as text, so that 01000 stays what it is.
fn open(model: &Path, data: &Path, part: Option<Part>, kept: &[String]) -> Result<(Model, Data)> {
    let model = Model::load(model)?;
    let mut types = model.pipeline.column_types();
    let known = [model.pipeline.target_name(), model.pipeline.weight_name()];
    for name in kept.iter().filter(|name| !known.contains(&Some(name.as_str()))) {
        types.entry(name.clone()).or_insert(ColumnType::Text);
    }
    let data = match (Data::has_parts(data), part) {
        (true, part) => Data::open(data, part.or(Some(Part::Test)), &types)?,
        (false, None) => Data::open(data, None, &types)?,
        (false, Some(part)) => model.part(&Data::open(data, None, &types)?, part)?,
    };
    Ok((model, data))
}

/// `thinnet predict`
#[derive(Args, Debug)]
#[command(after_help = PREDICT_NOTES, allow_negative_numbers = true)]
pub struct Predict {
    /// The model and the rows.
    #[command(flatten)]
    pub rows: Use,
    /// Where the CSV goes [default: standard output]
    #[arg(short, long, value_name = "OUT.csv")]
    pub output: Option<PathBuf>,
    /// Columns of DATA whose cells stand in front of the predictions, an identifier for example; those that
    /// the model does not use are written as they are [default: none]
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub keep: Vec<String>,
    /// Add the probability of each class
    #[arg(long)]
    pub proba: bool,
    /// Add the ends of the interval that holds this share of a value's targets [default: none]
    #[arg(long, value_name = "SHARE")]
    pub interval: Option<f64>,
}

const PREDICT_NOTES: &str = "\
One line for each row of DATA, in its order; a target column is not needed. A
warning names texts that the training rows did not have: they count as gaps.
  class, value      what is predicted; a value has the target's unit
  probability NAME  with --proba: for each class
  spread            with any --average but scale, of a class: the standard deviation of
                    its probability over the networks (spread NAME for each
                    class with --proba); of a value: the standard deviation of
                    the target around it, in the target's unit, from the
                    networks and the errors on the validation rows (or --tau)
                    together; of a model with --loss normal with any --average,
                    from the networks and the variance that they predict
  low, high         with --interval: where the target of a value lies with this
                    probability, by the spread; where there is none by the errors
                    on the validation rows (or --tau) alone
A model of several members always has a spread, of members and errors (or of
the variance that they predict), and
  disagreement      the standard deviation over the members alone, of the
                    probability of the class or of the value

Examples:
  thinnet predict churn.thinnet new.csv -o predictions.csv
  thinnet predict churn.thinnet new.csv --keep CustomerId -o predictions.csv
  cat new.csv | thinnet predict churn.thinnet - > predictions.csv
  thinnet predict churn.thinnet new.csv --proba --average mc:50 | head
  thinnet predict house.thinnet new.csv --average moments --interval 0.9";

/// `thinnet evaluate`
#[derive(Args, Debug)]
#[command(after_help = EVALUATE_NOTES, allow_negative_numbers = true)]
pub struct Evaluate {
    /// The model and the rows.
    #[command(flatten)]
    pub rows: Use,
    /// Add what each column is to the model: by how much the measures rise where its cells are shuffled among
    /// the rows, the mean of so many shuffles; --importance alone takes 5 [default: none]
    #[arg(long, value_name = "SHUFFLES", num_args = 0..=1, require_equals = true, default_missing_value = "5")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub importance: Option<u32>,
    /// Print one JSON object instead of the table
    #[arg(long)]
    pub json: bool,
}

const EVALUATE_NOTES: &str = "\
Use rows that the model has never seen: on the training rows, and on the
validation rows that chose its epoch, it looks better than it is. A warning says
so where the file is the one that it was trained on, or --valid's, with the same
rows (with --json also the field trained_on); some of these rows alone are not
known again. Another one names texts that
the training rows did not have (the field unseen). Of a model of several members
there follow each member alone, and how far they disagree; so also of a model
trained with --masks, with --average mc:MEMBERS.

Examples:
  thinnet evaluate churn.thinnet test.csv --importance
  thinnet evaluate mnist.thinnet mnist/ --average mc:50 --json";

/// `thinnet measure`
#[derive(Args, Debug)]
#[command(after_help = MEASURE_NOTES, allow_negative_numbers = true)]
pub struct Measure {
    /// A model file that thinnet fit has written
    pub model: PathBuf,
    /// CSV or TSV file, - for standard input, folder of IDX files, or the word digits
    pub data: PathBuf,
    /// train or test: the part of a folder of IDX files, or of the file that the model was trained on with
    /// --test [default: test of a folder, all rows of a file]
    #[arg(long)]
    pub part: Option<Part>,
    /// Which member of an ensemble to measure, from 1 [default: 1]
    #[arg(long, value_name = "NUMBER", default_value_t = 1, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub member: u32,
    /// The most rows to measure, drawn at random from DATA [default: 10000]
    #[arg(long, value_name = "ROWS", default_value_t = 10_000, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub rows: u32,
    /// The most of these rows that units are silenced on, in hundreds of passes [default: 1000]
    #[arg(long, value_name = "ROWS", default_value_t = 1_000, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub ablated_rows: u32,
    /// Pairs of units of each layer that are silenced together [default: 100]
    #[arg(long, value_name = "PAIRS", default_value_t = 100, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub pairs: u32,
    /// Draws of the units that are silenced as a growing share of a layer, and for the page shuffles of each
    /// column [default: 5]
    #[arg(long, value_name = "DRAWS", default_value_t = 5, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub draws: u32,
    /// Thinned networks whose mean the whole one is compared with [default: 50]
    #[arg(long, value_name = "NETWORKS", default_value_t = 50, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(2..))]
    pub samples: u32,
    /// The seed of rows, pairs, draws and networks, 0 to 4294967295 [default: 0]
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub seed: u32,
    /// Threads; the result is the same for any number; 0 takes all cores [default: 0]
    #[arg(long, value_name = "THREADS", default_value_t = 0, hide_default_value = true)]
    #[arg(value_parser = threads)]
    pub threads: usize,
    /// Write an HTML page that shows the model and its measures [default: none]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print one JSON object instead of the report
    #[arg(long)]
    pub json: bool,
}

impl Measure {
    /// Reads the model, and the data as the model needs them.
    pub fn open(&self) -> Result<(Model, Data)> {
        open(&self.model, &self.data, self.part, &[])
    }

    /// How much is to be done.
    pub fn effort(&self) -> Effort {
        let Self { rows, ablated_rows, pairs, draws, samples, seed, .. } = *self;
        let (rows, ablated_rows, pairs) = (rows as usize, ablated_rows as usize, pairs as usize);
        Effort { rows, ablated_rows, pairs, draws, samples, seed }
    }
}

const MEASURE_NOTES: &str = "\
Use rows that the model has never seen. What each measure is, its formula and
its source stand in docs/measures.md.

Examples:
  thinnet measure churn.thinnet test.csv
  thinnet measure mnist.thinnet mnist/ --pairs 500 --json";

/// `thinnet inspect`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  thinnet inspect churn.thinnet")]
pub struct Inspect {
    /// A model file that thinnet fit has written
    pub model: PathBuf,
    /// Print one JSON object instead of the report
    #[arg(long)]
    pub json: bool,
}
