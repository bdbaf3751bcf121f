//! What one run of a study does: on which data, by which spec, and what is measured.

use serde::{Deserialize, Serialize};

use crate::average::{Average, Mean};
use crate::error::{Error, Result};
use crate::spec::Spec;
use crate::train::Loss;

/// A run of a study, all but its seed. Each variant of a study has one; what it does not say itself is that
/// of the whole study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trial {
    /// Where its rows come from.
    pub data: Source,
    /// The spec of the fit. The seed of a run is that of the spec plus the number of the run.
    pub spec: Spec,
    /// How the thinned networks are averaged; the first one is the one that the others are tested
    /// against.
    pub averages: Vec<Average>,
    /// The error of means of fewer networks, of many that were sampled.
    pub resample: Option<Resampling>,
    /// The inputs are the targets, and the units of the hidden layers are measured.
    pub autoencoder: bool,
    /// What is chosen on a fifth of the training rows before the fit, with published splits.
    pub grid: Option<Grid>,
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            data: Source::default(),
            spec: Spec::default(),
            averages: vec![Average::WeightScaling],
            resample: None,
            autoencoder: false,
            grid: None,
        }
    }
}

/// Where the rows of a run come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// A folder of IDX files, a table, or a folder of published splits, below the folder of all data sets;
    /// or the word `digits`.
    pub path: String,
    /// The table to test with.
    pub test: Option<String>,
    /// Where there is no test part: the fraction of the rows that is set aside to test with, the same rows
    /// for every seed.
    pub test_share: f64,
    /// Train on so many rows, drawn at random for each seed; 0: on all.
    pub rows: usize,
}

/// The error of the mean of k sampled networks, for k = 1, 2, ..., `most` (Srivastava et al. 2014, figure 11).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resampling {
    /// `mc:T`: how the networks are sampled that the means draw from.
    pub average: Average,
    /// The most networks of a mean.
    pub most: u32,
    /// How often the networks of each mean are drawn, with replacement.
    pub draws: u32,
}

/// What is chosen on validation rows, the last fifth of a split's training rows, by the log-likelihood of
/// the first average; then the network is fitted to all of them (Gal and Ghahramani 2016).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Rates of the inputs and of all hidden units. Left out: those of the spec.
    #[serde(default)]
    pub rates: Choices,
    /// Values of `train.l2`. Left out: that of the spec.
    #[serde(default)]
    pub l2: Vec<f32>,
    /// Precisions of the observations, 1 / variance in the target's unit. Left out: the networks predict the
    /// variance (`train.loss = "normal"`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taus: Option<Taus>,
    /// The prior length scale l of the weights, from which `train.l2` follows: l² keep / (N tau).
    #[serde(default)]
    pub length_scale: Option<f64>,
    /// The average by which is chosen. Left out: the first one of the run.
    #[serde(default)]
    pub average: Option<Average>,
}

/// Numbers to choose from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "write \"published\", or a list like [0.01, 0.1]")]
pub enum Choices {
    /// These.
    These(Vec<f32>),
    /// Those that are published with the splits.
    Named(Published),
}

impl Default for Choices {
    fn default() -> Self {
        Choices::These(Vec::new())
    }
}

/// The word `published`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Published {
    /// What stands in a file beside the splits.
    Published,
}

/// Precisions to choose from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "write \"published\", or a table like { errors = [0.5, 1.0, 2.0] }")]
pub enum Taus {
    /// So many times the precision of the errors on the validation rows.
    Errors {
        /// The factors.
        errors: Vec<f64>,
    },
    /// Those that are published with the splits.
    Named(Published),
}

impl Trial {
    /// What a run measures, by name: each average, and of an autoencoder each hidden layer.
    pub(super) fn measured(&self) -> Vec<String> {
        let layers = if self.autoencoder { self.spec.network.hidden.len() } else { 0 };
        let layers = (1..=layers).map(|layer| format!("layer {layer}"));
        self.averages.iter().map(ToString::to_string).chain(layers).collect()
    }

    /// Checks what can be checked without the data.
    ///
    /// # Errors
    /// [`Error::Spec`] names the first field that cannot be used.
    pub fn check(&self) -> Result<()> {
        let Source { path, test, test_share, .. } = &self.data;
        if path.is_empty() {
            return Err(Error::spec("data.path", "name a data set"));
        }
        if !(0.0..1.0).contains(test_share) || (*test_share > 0.0 && test.is_some()) {
            let problem = format!("must be at least 0 and below 1, and 0 beside data.test, not {test_share}");
            return Err(Error::spec("data.test_share", problem));
        }
        if self.averages.is_empty() {
            return Err(Error::spec("averages", "name at least one, for example \"scale\""));
        }
        if let Some(Resampling { average, most, draws }) = &self.resample {
            if !matches!(average, Average::MonteCarlo { mean: Mean::Arithmetic, .. }) {
                return Err(Error::spec(
                    "resample.average",
                    format!("samples networks, as mc:1000, not {average}"),
                ));
            }
            if *most == 0 || *draws == 0 {
                return Err(Error::spec("resample", "most and draws must be above 0"));
            }
        }
        if self.autoencoder && (self.resample.is_some() || self.grid.is_some()) {
            return Err(Error::spec(
                "autoencoder",
                "its targets are no classes and no column; leave out resample and grid",
            ));
        }
        if self.spec.ensemble.members > 1 && (self.resample.is_some() || self.autoencoder) {
            return Err(Error::spec("spec.ensemble.members", "resample and autoencoder are of one network"));
        }
        let predicts_variance = self.spec.train.loss == Some(Loss::Normal);
        let taus = self.grid.as_ref().map(|grid| grid.taus.is_some());
        if taus == Some(predicts_variance) {
            let problem = match predicts_variance {
                true => "loss = \"normal\" predicts the variance; leave it out",
                false => "name the precisions to choose from, or take loss = \"normal\", which predicts them",
            };
            return Err(Error::spec("grid.taus", problem));
        }
        if let Some(Grid { length_scale: Some(length), l2, taus, .. }) = &self.grid {
            let problem = match taus {
                _ if !(*length > 0.0 && length.is_finite()) => "must be above 0",
                _ if !l2.is_empty() => "it gives the penalty; leave out grid.l2",
                None => "there is no tau that it could give a penalty with; take grid.l2",
                Some(Taus::Named(_)) => return self.spec.check(),
                _ => "the penalty depends on tau, so that the taus must be given",
            };
            return Err(Error::spec("grid.length_scale", problem));
        }
        self.spec.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        let usual = "data.path = \"digits\"\n";
        for (text, field) in [
            ("", "data.path"),
            ("data = { path = \"a.csv\", test_share = 1 }", "data.test_share"),
            ("data = { path = \"a.csv\", test_share = 0.5, test = \"b.csv\" }", "data.test_share"),
            ("averages = []", "averages"),
            ("resample = { average = \"scale\", most = 1, draws = 1 }", "resample.average"),
            ("resample = { average = \"mc-geometric:9\", most = 1, draws = 1 }", "resample.average"),
            ("resample = { average = \"mc:9\", most = 0, draws = 1 }", "resample"),
            ("autoencoder = true\ngrid.taus = \"published\"", "autoencoder"),
            ("autoencoder = true\nspec.ensemble.members = 2", "spec.ensemble.members"),
            ("grid = { taus = \"published\", length_scale = 0.0 }", "grid.length_scale"),
            ("grid = { taus = \"published\", length_scale = 0.1, l2 = [1.0] }", "grid.length_scale"),
            ("grid = { taus.errors = [1.0], length_scale = 0.1 }", "grid.length_scale"),
            ("grid.l2 = [1.0]", "grid.taus"),
            ("grid.taus = \"published\"\nspec.train.loss = \"normal\"", "grid.taus"),
            ("grid.length_scale = 0.1\nspec.train.loss = \"normal\"", "grid.length_scale"),
            ("spec.train.epochs = 0", "train.epochs"),
        ] {
            let usual = if text.is_empty() || text.contains("path") { "" } else { usual };
            let trial: Trial = toml::from_str(&format!("{usual}{text}")).unwrap();
            let error = trial.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("spec, {field}: ")), "{text}: {error}");
        }
        let grid = "grid = { taus = \"published\", length_scale = 0.1, rates = [0.1] }";
        toml::from_str::<Trial>(&format!("{usual}{grid}")).unwrap().check().unwrap();
        let grid = "grid.l2 = [1.0]\nspec.train.loss = \"normal\"";
        toml::from_str::<Trial>(&format!("{usual}{grid}")).unwrap().check().unwrap();
    }
}
