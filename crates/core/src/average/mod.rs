//! How the thinned networks become one prediction. docs/averages.md says when to use which.
//!
//! | file | says |
//! |---|---|
//! | `form` | which average, as it is written: `scale`, `mc:100`, `exact`, ... |
//! | `thinned` | the thinned networks on some rows, and what may be asked of them; weight scaling |
//! | `passes` | what the averages share: chunks of rows on the threads, and layers run on rows as columns |
//! | `monte_carlo` | sampled networks, one after another |
//! | `dropconnect` | normal pre-activations, drawn layer by layer |
//! | `sums` | sums over samples become means, spreads and densities of targets |
//! | `exact` | all thinned networks |
//! | `moments` | one pass that carries the mean and the variance of every unit |
//! | `softmax` | its last step: moments of logits become those of probabilities |
//! | `link` | outputs become predictions |
//! | `temperature` | how sure probabilities should be |
//! | `interval` | where a value will probably lie |
//! | `ensemble` | several networks, and their predictions as one |

mod dropconnect;
mod ensemble;
mod exact;
mod form;
mod interval;
mod link;
mod moments;
mod monte_carlo;
mod passes;
mod softmax;
mod sums;
mod temperature;
mod thinned;

pub(crate) use ensemble::member_seed;
pub use ensemble::{EnsembleSpec, deviation, ensemble};
pub use form::{Average, Masks, Mean};
pub use link::{Link, Output};
pub(crate) use temperature::temperature;
pub(crate) use thinned::check;
pub use thinned::{Averaged, average, average_with_targets, samples};
