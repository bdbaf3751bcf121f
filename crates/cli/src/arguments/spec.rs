//! The options that stand for the fields of a spec, in groups: columns, network, ensemble, loss and steps.

use clap::Args;
use thinnet::average::Average;
use thinnet::data::{ColumnType, Task};
use thinnet::network::{Activation, Initialise};
use thinnet::thin::{Count, Drop, MaskSpec, RateSchedule, Scaling, Share};
use thinnet::train::{ClassWeights, Loss, Momentum, Optimizer, Pair, Schedule, WeightAverage};

use super::values::{Numbers, Rows, Units, class_weights, column_type, masks, named, whole};

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
    /// Rows to choose epochs by, and in a comparison settings: a fraction of DATA, or a file; with fit also
    /// 0, for none [default: 0.2; 0.1 of more than 10,000 rows; 0 of fewer than 50]
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
    /// Of concrete, variational and sparse-variational, for a regression that does not predict it: 1 / variance of the
    /// target's noise, with the target's own variance as 1 [default: 1]
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
    /// cross-entropy or binary-cross-entropy for classes; squared, absolute, huber or normal (predicts
    /// the variance too) for numbers [default: cross-entropy, squared]
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
