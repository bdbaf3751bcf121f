//! Published results, run again: a study is a file that says what to run and what the papers say came out.
//!
//! [`Study::run`] runs each variant with several seeds and keeps each finished run as a small file;
//! [`Study::findings`] puts what came out beside what is published. docs/studies.md describes the files, and
//! each study that comes with thinnet.
//!
//! The files in the order in which a study goes through them:
//!
//! | file | says |
//! |---|---|
//! | `file`, `overlay`, `read` | what stands in its file: what is run, and what the papers say came out |
//! | `source`, `splits` | the rows that it trains on and tests with |
//! | `run`, `record` | what is not there yet is run, and each finished run is kept |
//! | `trial` | what one run does |
//! | `fit`, `grid`, `autoencoder`, `resample` | the kinds of runs |
//! | `measured` | what is measured, and how far a mean over runs can be trusted |
//! | `expected`, `findings` | ours beside theirs |
//!
//! ```
//! use thinnet::study::{Study, Version};
//!
//! let text = r#"
//! title = "Dropout on the built-in digits"
//! source = "nobody"
//! minutes = 0.1
//! quick_minutes = 0.1
//! seeds = 2
//! show = ["error", "nll"]
//! data = { path = "digits", test_share = 0.5 }
//! spec.train.epochs = 2
//! [[variant]]
//! name = "standard"
//! spec.thin.hidden = 0.0
//! [[variant]]
//! name = "dropout"
//! expected = [{ measure = "error", value = 2.0 }]
//! "#;
//! let study = Study::parse("digits", text, Version::Full)?;
//! assert_eq!((study.variants.len(), study.runs()), (2, 4));
//! # Ok::<(), thinnet::Error>(())
//! ```

mod autoencoder;
mod expected;
mod file;
mod findings;
mod fit;
mod grid;
mod measured;
mod overlay;
mod read;
mod record;
mod resample;
mod run;
mod source;
mod splits;
mod trial;

pub use crate::model::made::Made;
pub use expected::{Expected, Judge, Verdict};
pub use file::{Contrast, Form, Head, Side, Study, Variant, Version};
pub use findings::{Cell, Compared, Findings, Judged, Line, PairedRuns, Resampled};
pub use measured::{Good, Measure, Measured};
pub use record::{Chosen, Found, Of, Paired, Point, Record};
pub use run::{Happening, Listener};
pub use trial::{Choices, Grid, Published, Resampling, Source, Taus, Trial};
