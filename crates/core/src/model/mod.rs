//! What is kept: fit, predict, evaluate, measure, and the file.
//!
//! | file | says |
//! |---|---|
//! | `prepared`, `room` | data made ready for a run, and whether memory has room for it |
//! | `fingerprint` | which rows a model learned from |
//! | `fit` | from prepared data to a model, and what was seen of it |
//! | `train_members` | how the networks of an ensemble are trained side by side |
//! | `members` | what each network draws from the data, and what it sees of them |
//! | `trained` | a model: everything that a run leaves |
//! | `made` | by which version, instructions and threads |
//! | `averaged`, `predict` | what its thinned networks say together, and predictions for new rows |
//! | `evaluate`, `measures` | how good it is, and whether its thinning worked |
//! | `importance` | what each column is to it |
//! | `precision` | how precise the observations of a regression are |
//! | `stored` | how it goes into its file, and comes back |
//! | `arrays`, `pruned` | the arrays of its layers, and the lists of pruned ones |
//! | `file`, `layout` | the file: its header, its tensors, and where they are |
//! | `write` | nothing half-written |
//!
//! ```
//! # let path = std::env::temp_dir().join(format!("thinnet-example-{}.thinnet", std::process::id()));
//! thinnet::model::write(&path, &"any header", &[("weight", &[1, 2], &[0.5, -0.5])])?;
//! let (header, tensors) = thinnet::model::read::<String>(&path)?;
//! assert_eq!(header, "any header");
//! assert_eq!(tensors["weight"].values, [0.5, -0.5]);
//! # std::fs::remove_file(&path).ok();
//! # Ok::<(), thinnet::Error>(())
//! ```

mod arrays;
mod averaged;
mod evaluate;
mod file;
mod fingerprint;
mod fit;
mod importance;
mod layout;
pub(crate) mod made;
mod measures;
mod members;
mod precision;
mod predict;
mod prepared;
mod pruned;
mod room;
mod stored;
mod train_members;
mod trained;
mod write;

pub use evaluate::{Evaluation, MembersEvaluation};
pub use file::{Tensor, read, write};
pub use fingerprint::Known;
pub use fit::{Fitted, FittedMember, fit};
pub use importance::Importance;
pub use measures::Measures;
pub use members::Member;
pub use prepared::{Prepared, prepare};
pub use trained::{Model, Run};
pub use write::atomic_write;
