//! Where rows come from.
//!
//! The files in the order in which a row goes through them:
//!
//! | file | says |
//! |---|---|
//! | `spec` | the `[data]` part of a spec: which columns are used, and as what |
//! | `source` | a data set, whatever it is read from |
//! | `gzip`, `csv`, `quotes` | a table from a file |
//! | `idx` | images from a folder |
//! | `rows` | a table from numbers in memory |
//! | `digits`, `elephant` | the data that come with the program |
//! | `table`, `images` | what rows are in memory: named columns, or images |
//! | `fingerprint` | whether a data set is the one that it was |
//! | `split` | rows set aside for validation |
//! | `examples` | rows as the network sees them |
//! | `typed` | names and values as a person types them |

mod csv;
mod digits;
mod elephant;
mod examples;
mod fingerprint;
mod gzip;
mod idx;
mod images;
mod quotes;
mod rows;
mod source;
mod spec;
mod split;
mod table;
mod typed;

pub use csv::{parse_csv, read_csv};
pub use digits::digits;
pub use elephant::{Elephant, ElephantSamples, harmonics};
pub use examples::{Examples, Matrix, Targets, largest};
pub use idx::read_idx_folder;
pub use images::Images;
pub use source::{DIGITS, Data, Part};
pub use spec::{ColumnType, ColumnTypes, DataSpec, Task};
pub use split::{Split, split};
pub(crate) use table::parse_number;
pub use table::{Cells, Column, GAP, Table, number_text};
pub use typed::typed;
