//! What can be typed.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use serde::Deserialize;
use serde::de::value::{Error as NotNamed, StrDeserializer};
use thinnet::Result;
use thinnet::average::Average;
use thinnet::compare::Method;
use thinnet::data::{ColumnType, Data, Part, Task};
use thinnet::measure::Effort;
use thinnet::model::Model;
use thinnet::network::{Activation, Initialise};
use thinnet::thin::{Count, Drop, MaskSpec, RateSchedule, Scaling, Share};
use thinnet::train::{Balanced, ClassWeights, Loss, Momentum, Optimizer, Pair, Schedule, WeightAverage};

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

DATA is a CSV or TSV file with a header, plain or gzipped; a folder with the
four IDX files of MNIST or Fashion-MNIST; or the word digits, for the 1,797
small images that are built in.

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

/// `thinnet fit`
#[derive(Args, Debug)]
#[command(after_help = FIT_EXAMPLES, allow_negative_numbers = true)]
pub struct Fit {
    /// CSV or TSV file, folder of IDX files (its training part), or the word digits
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

Ctrl-C ends a run after the current step and keeps the best model so far.";

/// Which columns play which part.
#[derive(Args, Debug)]
#[command(next_help_heading = "Data")]
pub struct Columns {
    /// The column to learn [default: the last one]
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// A column to leave out; can be repeated [default: none]
    #[arg(long, value_name = "COLUMN")]
    pub ignore: Vec<String>,
    /// classification or regression [default: texts and few small integers are classes]
    #[arg(long, value_parser = named::<Task>)]
    pub task: Option<Task>,
    /// Read a column as number or text; can be repeated [default: what its cells are]
    #[arg(long = "type", value_name = "COLUMN=TYPE", value_parser = column_type)]
    pub types: Vec<(String, ColumnType)>,
    /// The column that says how much each row counts [default: 1 each]
    #[arg(long, value_name = "COLUMN")]
    pub weight: Option<String>,
    /// Rows that choose the epoch: a fraction of DATA, 0 for none, or a file
    /// [default: 0.2; 0.1 of more than 10,000 rows; 0 of fewer than 50]
    #[arg(long, value_name = "FRACTION|FILE")]
    pub valid: Option<Rows>,
}

/// The whole network, and who is dropped.
#[derive(Args, Debug)]
#[command(next_help_heading = "Network and dropout")]
pub struct Network {
    /// Units of each hidden layer, or none for no hidden layer [default: 256,256]
    #[arg(long, value_name = "UNITS,…")]
    pub hidden: Option<Units>,
    /// relu, leaky-relu, logistic, tanh, selu, gelu, silu, mish or identity [default: relu]
    #[arg(long, value_name = "NAME", value_parser = named::<Activation>)]
    pub activation: Option<Activation>,
    /// First weights: he, glorot, lecun or paper [default: he]
    #[arg(long, value_name = "NAME", value_parser = named::<Initialise>)]
    pub initialise: Option<Initialise>,
    /// Which noise thins the network: units, gaussian, variational, concrete or standout; on weights edges,
    /// edges-gaussian or sparse-variational, which prunes [default: units]
    #[arg(long, value_name = "NAME", value_parser = named::<Drop>)]
    pub drop: Option<Drop>,
    /// Probability that a hidden unit is dropped: one rate, or one for each layer [default: 0.25]
    #[arg(long, value_name = "RATE,…")]
    pub dropout: Option<Numbers>,
    /// Probability that an input is dropped [default: 0]
    #[arg(long, value_name = "RATE")]
    pub input_dropout: Option<f32>,
    /// Who shares a mask: each row has its own, or a slice shares one, which is faster [default: slice]
    #[arg(long, value_name = "row|slice", value_parser = named::<Share>)]
    pub share: Option<Share>,
    /// Of edges: how many rows of a slice share a mask, a multiple of 16; 0 for all [default: 0]
    #[arg(long, value_name = "ROWS", value_parser = whole::<usize>)]
    pub share_rows: Option<usize>,
    /// When kept units make up for dropped ones: training or at-prediction [default: training]
    #[arg(long, value_name = "WHEN", value_parser = named::<Scaling>)]
    pub scaling: Option<Scaling>,
    /// How many units of a layer are kept: a random number, or exactly keep times the units
    /// [default: random]
    #[arg(long, value_name = "random|exact", value_parser = named::<Count>)]
    pub count: Option<Count>,
    /// How the rates change over the run: constant, linear:FROM:TO, early:PART, late:PART,
    /// flat-cosine:PART or off:PART, in parts of the run from 0 to 1 [default: constant]
    #[arg(long, value_name = "SCHEDULE")]
    pub rate_schedule: Option<RateSchedule>,
    /// How many distinct masks there are, 0 for new ones at every step [default: 0]
    #[arg(long, value_name = "MASKS", value_parser = whole::<u32>)]
    pub pool: Option<u32>,
    /// Masksembles: so many fixed masks, and how far they lie apart, from 1 to 6; predict with
    /// --average mc:MEMBERS [default: none]
    #[arg(long, value_name = "MEMBERS:SCALE", value_parser = masks)]
    pub masks: Option<MaskSpec>,
    /// Of standout: the factor of the pre-activation in the keep probability [default: 1]
    #[arg(long, value_name = "FACTOR")]
    pub standout_slope: Option<f32>,
    /// Of variational and sparse-variational: steps over which the weight of its divergence rises from 0 [default: 0]
    #[arg(long, value_name = "STEPS", value_parser = whole::<u64>)]
    pub divergence_warmup: Option<u64>,
    /// Of concrete: the prior length scale of the weights [default: 0.01]
    #[arg(long, value_name = "LENGTH")]
    pub length_scale: Option<f32>,
    /// Of concrete and variational, for a regression: 1 / variance of the target's noise, with the
    /// target's own variance as 1 [default: 1]
    #[arg(long, value_name = "NUMBER")]
    pub precision: Option<f32>,
}

/// How many networks, and in what they differ.
#[derive(Args, Debug)]
#[command(next_help_heading = "Ensemble")]
pub struct Ensemble {
    /// Networks with seeds of their own, trained side by side, whose predictions are averaged [default: 1]
    #[arg(long, value_name = "NUMBER", value_parser = whole::<usize>)]
    pub members: Option<usize>,
    /// Each member draws its training rows with replacement
    #[arg(long)]
    pub bootstrap: bool,
    /// Share of the data's columns that each member sees [default: 1]
    #[arg(long, value_name = "SHARE")]
    pub column_share: Option<f64>,
    /// As --hidden, for the members by turns; can be repeated [default: --hidden for all]
    #[arg(long, value_name = "UNITS,…")]
    pub member_hidden: Vec<Units>,
    /// As --activation, for the members by turns; can be repeated [default: --activation for all]
    #[arg(long, value_name = "NAME", value_parser = named::<Activation>)]
    pub member_activation: Vec<Activation>,
}

/// What is minimised.
#[derive(Args, Debug)]
#[command(next_help_heading = "Loss, penalties and limits of weights")]
pub struct LossOptions {
    /// cross-entropy or binary-cross-entropy for classes, squared, absolute or huber for numbers
    /// [default: cross-entropy, squared]
    #[arg(long, value_name = "NAME", value_parser = named::<Loss>)]
    pub loss: Option<Loss>,
    /// From which error on huber is linear, in standard deviations of the target [default: 1]
    #[arg(long, value_name = "DEVIATIONS")]
    pub huber_delta: Option<f32>,
    /// Share of each label that is spread over all classes [default: 0]
    #[arg(long, value_name = "SHARE")]
    pub label_smoothing: Option<f32>,
    /// What a second network on the same rows adds: none, r-drop:ALPHA (another thinned one) or
    /// expectation-linear:LAMBDA (the whole one) [default: none]
    #[arg(long, value_name = "PAIR")]
    pub pair: Option<Pair>,
    /// What the rows of each class count: equal, balanced, or a number for each, yes=5,no=1 [default: equal]
    #[arg(long, value_name = "WEIGHTS", value_parser = class_weights)]
    pub class_weights: Option<ClassWeights>,
    /// Penalty on the sum of |weight| [default: 0]
    #[arg(long, value_name = "NUMBER")]
    pub l1: Option<f32>,
    /// Penalty on half the sum of weight² [default: 0]
    #[arg(long, value_name = "NUMBER")]
    pub l2: Option<f32>,
    /// Greatest norm of a unit's incoming weights, 0 for no limit [default: 0]
    #[arg(long, value_name = "NORM")]
    pub max_norm: Option<f32>,
    /// Greatest norm of the gradient, 0 for no limit [default: 0]
    #[arg(long, value_name = "NORM")]
    pub clip: Option<f32>,
}

/// How long and how fast.
#[derive(Args, Debug)]
#[command(next_help_heading = "Training")]
pub struct Steps {
    /// sgd, nesterov, adam or adamw [default: adam]
    #[arg(long, value_name = "NAME", value_parser = named::<Optimizer>)]
    pub optimizer: Option<Optimizer>,
    /// Learning rate before its schedule [default: 0.002]
    #[arg(long, value_name = "RATE")]
    pub lr: Option<f32>,
    /// constant, cosine, step:EPOCHS:FACTOR, exponential:FACTOR (of an epoch) or inverse:STEPS; cosine needs
    /// --epochs or --steps [default: cosine; constant where only --minutes end the run]
    #[arg(long, value_name = "SCHEDULE")]
    pub schedule: Option<Schedule>,
    /// Steps over which the learning rate rises from 0 [default: 0]
    #[arg(long, value_name = "STEPS", value_parser = whole::<u64>)]
    pub warmup: Option<u64>,
    /// Of sgd and nesterov: a number, linear:FROM:TO:STEPS or exponential:FROM:TO:STEPS [default: 0.9]
    #[arg(long, value_name = "MOMENTUM")]
    pub momentum: Option<Momentum>,
    /// Decoupled weight decay of adamw [default: 0.01]
    #[arg(long, value_name = "NUMBER")]
    pub weight_decay: Option<f32>,
    /// The most epochs, 0 for no limit [default: 100]
    #[arg(long, value_name = "EPOCHS", value_parser = whole::<u64>)]
    pub epochs: Option<u64>,
    /// The most steps, 0 for no limit [default: 0]
    #[arg(long, value_name = "STEPS", value_parser = whole::<u64>)]
    pub steps: Option<u64>,
    /// The most minutes, 0 for no limit; such a run cannot be repeated to the bit [default: 0]
    #[arg(long, value_name = "MINUTES")]
    pub minutes: Option<f64>,
    /// Rows of a mini-batch [default: 32 to 256, by the number of rows]
    #[arg(long, value_name = "ROWS", value_parser = whole::<usize>)]
    pub batch: Option<usize>,
    /// Rows of a slice, which one thread trains and which may share a mask [default: 64]
    #[arg(long, value_name = "ROWS", value_parser = whole::<usize>)]
    pub slice: Option<usize>,
    /// Epochs to wait for a better validation loss before the run ends and the best epoch is restored;
    /// 0 keeps the last epoch [default: 50]
    #[arg(long, value_name = "EPOCHS", value_parser = whole::<u64>)]
    pub patience: Option<u64>,
    /// By how much the validation loss must fall to count as better [default: 0]
    #[arg(long, value_name = "LOSS")]
    pub min_improvement: Option<f64>,
    /// Validate and keep a mean of the weights: ema:DECAY over the steps, swa:PART over the epochs from
    /// that part of the run on, or none [default: none]
    #[arg(long, value_name = "MEAN")]
    pub weight_average: Option<WeightAverage>,
    /// The average of predict and evaluate where they are given none: see thinnet predict --help
    /// [default: scale]
    #[arg(long, value_name = "AVERAGE")]
    pub average: Option<Average>,
    /// Fit a temperature of the probabilities on the validation rows
    #[arg(long)]
    pub temperature: bool,
}

/// A model, and rows to use it on.
#[derive(Args, Debug)]
pub struct Use {
    /// A model file that thinnet fit has written
    pub model: PathBuf,
    /// CSV or TSV file, folder of IDX files, or the word digits
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
    /// Precision of a regression's observations, 1 / variance in the target's unit
    /// [default: from the errors on the validation rows]
    #[arg(long, value_name = "PRECISION", conflicts_with = "length_scale")]
    pub tau: Option<f64>,
    /// Take tau = keep l² / (2 N lambda) of this prior length scale l of the weights, with N training rows
    /// and lambda a quarter of --l2 [default: none]
    #[arg(long, value_name = "LENGTH")]
    pub length_scale: Option<f64>,
    /// The seed of the networks of mc:T, 0 to 4294967295 [default: 0]
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

    /// Reads the model, and the data as the model needs them.
    pub fn open(&self) -> Result<(Model, Data)> {
        let (mut model, data) = open(&self.model, &self.data, self.part)?;
        let tau = match self.length_scale {
            Some(length) => Some(model.tau_of_length_scale(length)?),
            None => self.tau,
        };
        tau.map(|tau| model.set_tau(tau)).transpose()?;
        Ok((model, data))
    }
}

/// Reads a model, and the data as the model needs them; of a folder of IDX files the test part.
fn open(model: &Path, data: &Path, part: Option<Part>) -> Result<(Model, Data)> {
    let model = Model::load(model)?;
    let types = model.pipeline.column_types();
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
    /// Add the probability of each class
    #[arg(long)]
    pub proba: bool,
    /// Add the ends of the interval that holds this share of a value's targets; needs an average with
    /// a spread [default: none]
    #[arg(long, value_name = "SHARE")]
    pub interval: Option<f64>,
}

const PREDICT_NOTES: &str = "\
One line for each row of DATA, in its order; a target column is not needed.
  class, value      what is predicted; a value has the target's unit
  probability NAME  with --proba: for each class
  spread            with any --average but scale, of a class: the standard deviation of
                    its probability over the networks (spread NAME for each
                    class with --proba); of a value: the standard deviation of
                    the target around it, in the target's unit, from the
                    networks and the errors on the validation rows (or --tau)
                    together
  low, high         with --interval: where the target of a value lies with this
                    probability
A model of several members always has a spread, of members and errors, and
  disagreement      the standard deviation over the members alone, of the
                    probability of the class or of the value

Examples:
  thinnet predict churn.thinnet new.csv -o predictions.csv
  thinnet predict churn.thinnet new.csv --proba --average mc:50 | head
  thinnet predict house.thinnet new.csv --average moments --interval 0.9";

/// `thinnet evaluate`
#[derive(Args, Debug)]
#[command(after_help = EVALUATE_NOTES, allow_negative_numbers = true)]
pub struct Evaluate {
    /// The model and the rows.
    #[command(flatten)]
    pub rows: Use,
    /// Print one JSON object instead of the table
    #[arg(long)]
    pub json: bool,
}

const EVALUATE_NOTES: &str = "\
Use rows that the model has never seen: on the training rows, and on the
validation rows that chose its epoch, it looks better than it is, and a warning
says so (with --json also the field trained_on). Of a model of several members
there follow each member alone, and how far they disagree; so also of a model
trained with --masks, with --average mc:MEMBERS.

Examples:
  thinnet evaluate churn.thinnet test.csv
  thinnet evaluate mnist.thinnet mnist/ --average mc:50 --json";

/// `thinnet measure`
#[derive(Args, Debug)]
#[command(after_help = MEASURE_NOTES, allow_negative_numbers = true)]
pub struct Measure {
    /// A model file that thinnet fit has written
    pub model: PathBuf,
    /// CSV or TSV file, folder of IDX files, or the word digits
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
    /// Draws of the units that are silenced as a growing share of a layer [default: 5]
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
        open(&self.model, &self.data, self.part)
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
    /// Minutes of the whole comparison [default: 5]
    #[arg(long, value_name = "MINUTES", default_value_t = 5.0, hide_default_value = true)]
    pub minutes: f64,
    /// Runs of each method with the settings that were found for it [default: 5]
    #[arg(long, value_name = "RUNS", default_value_t = 5, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: u32,
    /// Networks of the ensemble [default: 5]
    #[arg(long, value_name = "NUMBER", default_value_t = 5, hide_default_value = true)]
    #[arg(value_parser = whole::<usize>)]
    pub members: usize,
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
rows (8 candidates, by successive halving), then a run for each seed. The test
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

/// Rows that are held out.
#[derive(Clone, Debug)]
pub enum Rows {
    /// A fraction of the rows.
    Fraction(f64),
    /// The rows of another file.
    File(PathBuf),
}

impl FromStr for Rows {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Rows::File(text.into()), Rows::Fraction))
    }
}

/// The widths of the hidden layers.
#[derive(Clone, Debug)]
pub struct Units(pub Vec<usize>);

impl FromStr for Units {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        list(text).ok_or("write numbers of units, for example 512,512, or none".into()).map(Self)
    }
}

/// One number, or several.
#[derive(Clone, Debug)]
pub struct Numbers(pub Vec<f32>);

impl FromStr for Numbers {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        list(text).ok_or("write one rate, or one for each hidden layer: 0.5,0.2").map(Self)
    }
}

/// Numbers between commas.
fn list<T: FromStr>(text: &str) -> Option<Vec<T>> {
    text.split(',').map(|part| part.trim().parse().ok()).collect()
}

/// A number of things.
fn whole<T: FromStr>(text: &str) -> std::result::Result<T, &'static str> {
    text.parse().map_err(|_| "write a whole number from 0 on")
}

/// One of the names that a spec has for it.
fn named<T: for<'de> Deserialize<'de>>(text: &str) -> std::result::Result<T, String> {
    T::deserialize(StrDeserializer::<NotNamed>::new(text)).map_err(|error| {
        let sentence = error.to_string();
        sentence.split_once(", ").map_or(sentence.clone(), |(_, expected)| expected.replace('`', ""))
    })
}

fn column_type(text: &str) -> std::result::Result<(String, ColumnType), String> {
    let (column, kind) = text.rsplit_once('=').ok_or("write COLUMN=number or COLUMN=text")?;
    Ok((column.into(), named(kind)?))
}

fn masks(text: &str) -> std::result::Result<MaskSpec, String> {
    let numbers = text.split_once(':').and_then(|(members, scale)| {
        Some(MaskSpec { members: members.parse().ok()?, scale: scale.parse().ok()? })
    });
    numbers.ok_or("write MEMBERS:SCALE, for example 4:2".into())
}

fn class_weights(text: &str) -> std::result::Result<ClassWeights, String> {
    match text {
        "equal" => return Ok(ClassWeights::Equal),
        "balanced" => return Ok(ClassWeights::Named(Balanced::Balanced)),
        _ => {}
    }
    let weight = |part: &str| {
        let (class, weight) = part.rsplit_once('=')?;
        Some((class.to_string(), weight.parse().ok()?))
    };
    let weights = text.split(',').map(weight).collect::<Option<_>>();
    weights.map(ClassWeights::Each).ok_or("write equal, balanced, or CLASS=NUMBER,CLASS=NUMBER".into())
}

/// The standard deviation of noise.
fn deviation(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(deviation) if (0.0..=1000.0).contains(&deviation) => Ok(deviation),
        _ => Err("write a number from 0 to 1000".into()),
    }
}

/// So many can be started on any machine.
fn threads(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(threads) if threads <= 1024 => Ok(threads),
        _ => Err("write a number from 0 to 1024".into()),
    }
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

    #[test]
    fn values_are_read_as_a_spec_has_them() {
        assert_eq!(named::<Activation>("leaky-relu"), Ok(Activation::LeakyRelu));
        assert!(named::<Activation>("reluu").unwrap_err().starts_with("expected one of relu, leaky-relu"));
        assert_eq!(column_type("a=b=text").unwrap(), ("a=b".to_string(), ColumnType::Text));
        let ClassWeights::Each(weights) = class_weights("yes=5,no=0.5").unwrap() else { panic!() };
        assert_eq!((weights["yes"], weights["no"]), (5.0, 0.5));
        assert!(class_weights("yes").is_err());
        assert_eq!(masks("4:2.5"), Ok(MaskSpec { members: 4, scale: 2.5 }));
        assert!(masks("4").is_err());
        assert!("none".parse::<Units>().unwrap().0.is_empty());
        assert!("512,".parse::<Units>().is_err());
        assert!(matches!("0.1".parse(), Ok(Rows::Fraction(0.1))));
        assert!(matches!("rows.csv".parse(), Ok(Rows::File(_))));
    }
}
