//! What keeps a network from overfitting: remedies side by side, at equal cost.
//!
//! Each [`Method`] has a small search for its settings on the rows that validate (a learning rate, then a
//! dose), then a run for each seed with what was found, all in the same time; then each network meets the test
//! part once. Methods share the rows, the first weights and the order of the rows of a seed, so differences are
//! those of pairs. Time is measured, so a run's epochs are planned and written into its spec, and with that
//! spec the run can be done again to the bit. docs/compare.md tells how to read what comes of it.
//!
//! The files in the order in which a comparison goes through them:
//!
//! | file | says |
//! |---|---|
//! | `setup` | what is compared, and on which rows |
//! | `method` | the remedies, and what of each is tried |
//! | `comparison` | the comparison from its first to its last row |
//! | `folder`, `record` | what it leaves, and from which it can go on |
//! | `budget` | how the minutes are shared out, and what a share is in epochs |
//! | `search`, `rungs` | how fast each method is, then its learning rate, then its dose |
//! | `runs` | the runs with what the search found, each of which is measured |
//! | `summary`, `sentence` | what came of it, in numbers and in words |
//! | `events` | what it tells while it goes on |
//!
//! ```no_run
//! use thinnet::compare::{Event, Method, Setup, Sets, compare};
//! use thinnet::data::Data;
//! use thinnet::train::Flow;
//!
//! let data = Data::open("rows.csv".as_ref(), None, &Default::default())?;
//! let mut setup = Setup { methods: vec![Method::Nothing, Method::Dropout], ..Setup::default() };
//! setup.spec.data.test = 0.2;
//! let sets = Sets { data: &data, valid: None, test: None };
//! let compared = compare(&sets, &setup, "rows-compare".as_ref(), false, 0, &|_| Flow::Continue)?;
//! println!("{}", compared.map_or("stopped".into(), |compared| compared.sentence));
//! # Ok::<(), thinnet::Error>(())
//! ```

mod budget;
mod comparison;
mod events;
mod folder;
mod method;
mod record;
mod rungs;
mod runs;
mod search;
mod sentence;
mod setup;
mod summary;

pub use crate::model::made::Made;
pub use comparison::compare;
pub use events::Event;
pub use folder::{files, has_begun};
pub use method::Method;
pub use record::{Candidate, Measured, Plan, Run, Stage};
pub use setup::{Sets, Setup};
pub use summary::{Against, Compared, Summary};
