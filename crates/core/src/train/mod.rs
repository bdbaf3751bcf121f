//! How a network learns: thin, forward, loss, backward, update.
//!
//! The files in the order in which a run goes through them:
//!
//! | file | says |
//! |---|---|
//! | `spec` | how a network is trained: the `[train]` part of a spec |
//! | `trainer` | a run from outside: what decides it, and what it leaves |
//! | `threads`, `lanes` | the threads of a run, and several runs side by side |
//! | `run` | a run under way: epochs of steps, validation after each, the best parameters kept |
//! | `schedule` | the learning rate and the momentum of each step |
//! | `stepper` | what a step works with, allocated once |
//! | `step` | one step, as in the papers |
//! | `loss`, `pair` | what is minimised, and what a second network on the same rows adds to it |
//! | `update` | the last part of a step: the parameters follow the gradients |
//! | `blocks`, `ahead` | which parameters a thread updates at a time, and which of coming steps at once |
//! | `regulariser` | what learned noise costs beside the loss |
//! | `optimizer` | the rule by which a line of weights follows its gradient |
//! | `weight_average`, `stopping` | what is validated after an epoch, and when to wait no longer |
//! | `events` | what a run tells while it goes on, and how it ended |

mod ahead;
mod blocks;
mod events;
mod lanes;
mod loss;
mod optimizer;
mod pair;
mod regulariser;
mod run;
mod schedule;
mod spec;
mod step;
mod stepper;
mod stopping;
mod threads;
mod trainer;
mod update;
mod weight_average;

pub(crate) use events::Stop;
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
pub use weight_average::WeightAverage;
