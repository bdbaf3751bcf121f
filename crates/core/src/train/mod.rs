//! How a network learns: thin, forward, loss, backward, update.

mod blocks;
mod events;
mod loss;
mod optimizer;
mod regulariser;
mod schedule;
mod spec;
mod step;
mod stepper;
mod stopping;
mod threads;
mod trainer;

pub use events::{Ended, Epoch, Event, Flow};
pub use loss::{Loss, Objective};
pub use optimizer::Optimizer;
pub use schedule::{Momentum, Schedule};
pub use spec::{Balanced, ClassWeights, TrainSpec};
pub use stepper::Stepper;
pub use threads::Threads;
pub use trainer::{Outcome, Trainer};
