//! What is kept: the `.thinnet` file of a model, and how files are written.
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

mod averaged;
mod evaluate;
mod file;
mod fit;
mod kept;
mod layout;
mod measures;
mod members;
mod precision;
mod predict;
mod pruned;
mod room;
mod side_by_side;
mod stored;
mod write;

pub use evaluate::{Evaluation, MembersEvaluation};
pub use file::{Tensor, read, write};
pub use fit::{Fitted, FittedMember, Prepared, fit, prepare};
pub use kept::{Model, Run};
pub use measures::Measures;
pub use members::Member;
pub use write::atomic_write;
