//! What a finished run leaves: a small file, so that a study can be stopped, go on, and have further seeds.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Made, Measure, Trial, Variant};
use crate::error::{Error, Result};
use crate::measure::McNemar;
use crate::model::atomic_write;

/// A finished run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The variant.
    pub variant: String,
    /// The number of the run, or of the split.
    pub seed: u32,
    /// What was run.
    pub trial: Trial,
    /// What came out of it.
    pub found: Found,
    /// The fingerprints of all rows to train on and of those to test with, or that of the table of published
    /// splits, as [`Data::fingerprint`](crate::data::Data::fingerprint) has them, in hexadecimal digits. None
    /// in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// By what; none in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
}

/// What came out of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Rows trained on.
    pub train_rows: usize,
    /// Rows tested with.
    pub test_rows: usize,
    /// Seconds of the whole run.
    pub seconds: f64,
    /// The measures of each average or layer; the first one also has those of the run.
    pub measures: Vec<Of>,
    /// Each average tested against the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paired: Vec<Paired>,
    /// The error of means of sampled networks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<Point>,
    /// What was chosen on validation rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Chosen>,
}

/// The measures of an average, or of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Of {
    /// "scale", "mc:100", "layer 1".
    pub of: String,
    /// Its measures.
    pub values: BTreeMap<Measure, f64>,
}

/// An average tested against the first one, on the same test rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paired {
    /// The average.
    pub of: String,
    /// The first one.
    pub against: String,
    /// The test.
    pub test: McNemar,
}

/// The error of the mean of so many sampled networks, over the draws of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// How many networks.
    pub networks: u32,
    /// The mean error in percent.
    pub error: f64,
    /// Its standard deviation.
    pub deviation: f64,
    /// 95 % of the draws lie between this one...
    pub low: f64,
    /// ... and that one.
    pub high: f64,
}

/// What was chosen on validation rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// The rate, if there was a choice.
    pub rate: Option<f32>,
    /// The L2 penalty.
    pub l2: f32,
    /// The precision of the observations, if the networks do not predict their variance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tau: Option<f64>,
    /// The log-likelihood on the validation rows.
    pub likelihood: f64,
}

impl Found {
    /// The value of a measure; `of` is the first average or layer where it is none.
    pub fn value(&self, of: Option<&str>, measure: Measure) -> Option<f64> {
        let mut measures = self.measures.iter();
        let found = match of {
            Some(of) => measures.find(|found| found.of == of),
            None => measures.next(),
        };
        found?.values.get(&measure).copied()
    }
}

impl Record {
    /// Where the record of a run lies in the folder of a study.
    pub(super) fn path(folder: &Path, variant: &Variant, seed: u32) -> PathBuf {
        folder.join(format!("{}-{seed}.json", variant.file_stem()))
    }

    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::data(path.display().to_string(), error.to_string()))?;
        atomic_write(path, |file| writeln!(file, "{text}"))
    }

    /// The record of a run, if there is one.
    ///
    /// # Errors
    /// A file that cannot be read, is no record, or is that of another run.
    pub(super) fn read(path: &Path, variant: &Variant, seed: u32) -> Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(Error::file("read", path))?,
        };
        let place = path.display().to_string();
        let record: Self = serde_json::from_str(&text)
            .map_err(|error| Error::data(&place, format!("it is no record of a run: {error}")))?;
        if (&record.variant, record.seed, &record.trial) != (&variant.name, seed, &variant.trial) {
            let problem =
                "it is the record of a run with other settings: delete it, or choose another folder with -o";
            return Err(Error::data(place, problem));
        }
        Ok(Some(record))
    }

    /// Refuses the record of a run on other data than those with this fingerprint.
    ///
    /// # Errors
    /// [`Error::Data`] names the file.
    pub(super) fn check_data(&self, path: &Path, fingerprint: &str) -> Result<()> {
        match &self.data {
            Some(data) if data != fingerprint => {
                let problem =
                    "it is the record of a run on other data: delete it, or choose another folder with -o";
                Err(Error::data(path.display().to_string(), problem))
            }
            _ => Ok(()),
        }
    }
}
