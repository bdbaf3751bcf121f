//! How a network learns: thin, forward, loss, backward, update.

mod ahead;
mod blocks;
mod events;
mod lanes;
mod loss;
mod optimizer;
mod pair;
mod regulariser;
mod schedule;
mod spec;
mod step;
mod stepper;
mod stopping;
mod threads;
mod trainer;
mod weight_average;

pub use events::{Ended, Epoch, Event, Flow};
pub use lanes::side_by_side;
pub(crate) use loss::variance;
pub use loss::{Loss, Objective};
pub use optimizer::Optimizer;
pub use pair::Pair;
pub use schedule::{Momentum, Schedule};
pub use spec::{Balanced, ClassWeights, TrainSpec};
pub use stepper::Stepper;
pub use threads::Threads;
pub use trainer::{Outcome, Trainer};
pub(crate) use trainer::{fits, predicted_class};
pub use weight_average::WeightAverage;
