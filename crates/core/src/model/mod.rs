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

mod file;
mod layout;
mod write;

pub use file::{Tensor, read, write};
pub use write::atomic_write;
