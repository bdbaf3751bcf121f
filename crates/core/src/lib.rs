//! Train networks by thinning them, predict with the average of all of them.
//!
//! Each step of training drops units at random and trains the thinned network that is left;
//! prediction uses the whole network as the average of all thinned ones (Srivastava et al.
//! 2014). Units that cannot count on their neighbours learn what holds up on new rows.
//!
//! From numbers in memory, here points on two rings, to a model, its measure and a prediction:
//!
//! ```
//! use thinnet::data::{Data, Table};
//! use thinnet::{Spec, average::Average, model, train::{Flow, Threads}};
//! # let at = |row: usize| ((row % 2 + 1) as f32, row as f32 * 0.7);
//! # let inputs: Vec<f32> = (0..300).map(at).flat_map(|(r, a)| [r * a.cos(), r * a.sin()]).collect();
//! # let rings: Vec<f32> = (0..300).map(|row| (row % 2) as f32).collect();
//!
//! let data = Data::from(Table::from_rows(&inputs, 2, Some(&rings))?); // rows of 2 columns
//! let mut spec = Spec::default();
//! spec.train.learning_rate = 0.01; // everything has a default
//! let threads = Threads::new(0)?; // as many as the machine has
//! let fitted = model::fit(&data, None, &spec, &threads, &mut |_| Flow::Continue)?;
//! println!("on the training rows: {:?}", fitted.train);
//!
//! let new = Data::from(Table::from_rows(&[0.6, 0.8, 1.9, -0.5], 2, None)?);
//! let probabilities = fitted.model.predict(&new, Average::WeightScaling, 0, &threads)?.mean;
//! assert!(probabilities.row(0)[0] > 0.5 && probabilities.row(1)[1] > 0.5);
//! # Ok::<(), thinnet::Error>(())
//! ```
//!
//! A target of many numbers in place of few small integers makes it a regression. From a file,
//! with the mean and spread of a hundred thinned networks:
//!
//! ```no_run
//! # use thinnet::{Spec, average::Average, data::Data, model, train::{Flow, Threads}};
//! let data = Data::open("rows.csv".as_ref(), None, &Default::default())?;
//! let (spec, threads) = (Spec::read("run.toml".as_ref())?, Threads::new(0)?);
//! let fitted = model::fit(&data, None, &spec, &threads, &mut |_| Flow::Continue)?;
//! fitted.model.save("rows.thinnet".as_ref())?;
//! let by = Average::monte_carlo(100);
//! let predicted = fitted.model.predict(&data, by, 0, &threads)?;
//! # Ok::<(), thinnet::Error>(())
//! ```
//!
//! The folders in the order in which a row travels; each has a runnable example of its name:
//!
//! | folder | what happens there | begin with |
//! |---|---|---|
//! | [`data`] | where rows come from | [`data::Data`], [`data::Table`] |
//! | [`prepare`] | columns become a matrix | [`prepare::Pipeline`] |
//! | [`network`] | the whole network | [`network::NetworkSpec`] |
//! | [`thin`] | who is dropped | [`thin::ThinSpec`]; the layer alone: [`thin::Dropout`] |
//! | [`train`] | how it learns | [`train::TrainSpec`], [`train::Trainer`] |
//! | [`average`] | many become one | [`average::Average`] |
//! | [`measure`] | how good, how sure, how co-adapted | [`measure::Classification`], [`measure::Regression`], [`model::Measures`] |
//! | [`mod@report`] | what people look at | [`report::table()`], [`report::Curve`]; in HTML: [`report::Page`] |
//! | [`model`] | what is kept | [`model::fit()`], [`model::Model`] |
//! | [`mod@compare`] | remedies side by side | [`compare::compare()`], [`compare::Setup`] |
//! | [`study`] | what the papers found, run again | [`study::Study`] |
//!
//! Beside the folders stand the files that they share: `spec.rs` is the spec of a run, and `effects.rs`
//! refuses what in it would have no effect; `streams.rs` says which random words are for what, and
//! `random.rs` makes numbers of them; `as_text.rs` is for what a spec says in one text; `error.rs` says what
//! went wrong.
//!
//! Three more examples: `library` does what the command line does, `own_network` trains a
//! hand-written network with the dropout layer, `elephant` a network of two outputs without a
//! table. Cargo features: none yet; all is built in.
//! What repeats to the bit stands in docs/determinism.md, what each dependency is for in
//! docs/dependencies.md, both in the repository.

#![forbid(unsafe_code)]

// The folders.
pub mod average;
pub mod compare;
pub mod data;
pub mod measure;
pub mod model;
pub mod network;
pub mod prepare;
pub mod report;
pub mod study;
pub mod thin;
pub mod train;

// What they share, a file each.
mod as_text;
mod effects;
pub mod error;
mod random;
mod spec;
mod streams;

pub use error::{Error, Result};
pub use spec::Spec;
pub use thinnet_kernels::Isa;
