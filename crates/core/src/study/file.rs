//! What stands in the file of a study: what is run, and what the papers say came out of it.

use serde::Deserialize;

use super::{Expected, Judge, Measure, Trial};

/// Which version of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// As near to the paper as the time allows.
    Full,
    /// A smaller one, of minutes, to see that it works. Nothing is judged by it.
    Quick,
}

/// A study: variants, each a run with several seeds, and what is published of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// What error messages and files call it.
    pub name: String,
    /// Which version it is.
    pub version: Version,
    /// What it is about, how long it takes and what it shows.
    pub head: Head,
    /// What is compared.
    pub variants: Vec<Variant>,
}

/// What stands at the head of a study's file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// What it is about.
    pub title: String,
    /// The paper, and the table or figure.
    pub source: String,
    /// About how long it takes on two cores.
    pub minutes: f64,
    /// About how long its quick version takes.
    pub quick_minutes: f64,
    /// How many runs each variant has, with the seeds 0, 1, 2, ... With published splits the seed is the
    /// number of the split.
    pub seeds: u32,
    /// The variants that are run. Left out: all.
    #[serde(default)]
    pub only: Option<Vec<String>>,
    /// The measures that the table shows.
    pub show: Vec<Measure>,
    /// When ours is within.
    #[serde(default)]
    pub judge: Judge,
    /// Runs take one thread each, and several run at a time. Else each takes all threads.
    #[serde(default)]
    pub side_by_side: bool,
    /// The published number of sampled networks whose mean has at most the error of the first average.
    #[serde(default)]
    pub matches: Option<u32>,
    /// What is compared with each other.
    #[serde(default)]
    pub contrast: Vec<Contrast>,
}

/// One of the things that a study compares.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// The most runs that it has, where it cannot have as many as the others.
    pub seeds: Option<u32>,
    /// What its runs do.
    pub trial: Trial,
    /// What is published of it.
    pub expected: Vec<Expected>,
}

/// Two variants, or two averages of one, compared run by run: those with the same seed are a pair.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contrast {
    /// What it is of.
    pub measure: Measure,
    /// This one...
    pub of: Side,
    /// ... against that one.
    pub against: Side,
    /// What is computed of each pair.
    #[serde(default, rename = "as")]
    pub form: Form,
    /// What is published of it, in the unit of the form.
    #[serde(default)]
    pub value: Option<f64>,
    /// Its standard error, where it is published.
    #[serde(default)]
    pub standard_error: Option<f64>,
    /// What the papers say in words.
    #[serde(default)]
    pub says: Option<String>,
    /// The number has not been compared with its source.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// One side of a contrast.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// The variant.
    pub variant: String,
    /// The average, or "layer 1". Left out: the first average of the run.
    #[serde(default)]
    pub of: Option<String>,
    /// Another average of the same run that is subtracted: the side is then what the one gains over the
    /// other.
    #[serde(default)]
    pub less: Option<String>,
}

/// What a contrast computes of a pair of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// This less that, in the unit of the measure.
    #[default]
    Difference,
    /// What this saves of that, in percent.
    Saving,
    /// How many times that this is.
    Ratio,
}

impl Variant {
    /// Its name with nothing but letters, digits and hyphens, for the names of files.
    pub(super) fn file_stem(&self) -> String {
        let lower = self.name.to_ascii_lowercase();
        let words =
            lower.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("-")
    }
}
