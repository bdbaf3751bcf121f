//! Everything that decides a run, as it stands in a TOML file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::de::DeTable;

use crate::average::{Average, EnsembleSpec, member_seed};
use crate::data::DataSpec;
use crate::error::{Error, Result};
use crate::network::NetworkSpec;
use crate::prepare::{Pipeline, PrepareSpec};
use crate::thin::{RateSchedule, ThinSpec};
use crate::train::TrainSpec;

/// Why a schedule is refused where only minutes end the run.
pub(crate) const NEEDS_THE_LENGTH: &str =
    "it needs to know how long the run is: set train.epochs or train.steps";

/// The spec of a run. What a file leaves out has its default; a field it does not know is an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    /// The seed of everything that is random: split, weights, order of the rows, masks.
    pub seed: u32,
    /// How the thinned networks are averaged by those who use the model and ask for nothing else.
    pub average: Average,
    /// Which columns play which part.
    pub data: DataSpec,
    /// How columns become inputs.
    pub prepare: PrepareSpec,
    /// What the network looks like.
    pub network: NetworkSpec,
    /// Who is dropped.
    pub thin: ThinSpec,
    /// How it is trained.
    pub train: TrainSpec,
    /// How many networks there are, and in what they differ.
    pub ensemble: EnsembleSpec,
}

impl Spec {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, [`Error::Data`] with line and column if it is not a spec.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&path.display().to_string(), &text_of(path)?)
    }

    /// Checks every field of a TOML file that does not depend on the data.
    ///
    /// # Errors
    /// As [`Spec::read`]; [`Error::Data`] with the line of the first field that cannot be used, if it stands
    /// in the file.
    pub fn check_file(path: &Path) -> Result<()> {
        let text = text_of(path)?;
        let spec = Self::parse(&path.display().to_string(), &text)?;
        spec.check().and_then(|()| spec.check_effects()).map_err(|error| match error {
            Error::Spec { field, problem } => {
                let line = line_of(&text, &field).map_or(String::new(), |line| format!(", line {line}"));
                Error::data(format!("{}{line}, {field}", path.display()), problem)
            }
            other => other,
        })
    }

    /// Reads TOML text; `name` stands in errors.
    ///
    /// # Errors
    /// [`Error::Data`] with line and column if it is not a spec.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| placed(name, text, &error))
    }

    /// The spec as TOML.
    ///
    /// # Errors
    /// [`Error::Spec`] if a number cannot be written.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::spec("spec", error.to_string()))
    }

    /// Checks every field that does not depend on the data.
    ///
    /// # Errors
    /// [`Error::Spec`] names the first field that cannot be used.
    pub fn check(&self) -> Result<()> {
        self.data.check()?;
        self.network.check()?;
        self.ensemble.check()?;
        self.thin.check()?;
        for network in self.ensemble.turns(&self.network) {
            self.thin.rates(network.hidden.len())?;
        }
        self.train.check()?;
        if self.thin.schedule != RateSchedule::Constant && !self.train.length_is_known() {
            return Err(Error::spec("thin.schedule", NEEDS_THE_LENGTH));
        }
        Ok(())
    }

    /// The spec of one member, counted from 0: that of the run which trains its network alone on the
    /// rows and columns that it draws. Without an ensemble the first member's is this spec itself.
    #[must_use]
    pub fn member(&self, member: usize) -> Self {
        let mut spec = self.clone();
        spec.seed = member_seed(self.seed, member);
        spec.network = self.ensemble.network(&self.network, member);
        spec.ensemble = EnsembleSpec::default();
        spec
    }

    /// The same spec with every default filled in that depends on the data: `rows` without those of the test
    /// part, of which `training_rows` are trained on, and whether there are rows that validate.
    #[must_use]
    pub fn completed(&self, pipeline: &Pipeline, rows: usize, training_rows: usize, validates: bool) -> Self {
        let mut spec = self.clone();
        spec.data.target = pipeline.target_name().map(str::to_string);
        spec.data.task = Some(pipeline.task());
        spec.data.valid = Some(self.data.valid_for(rows));
        spec.train.loss = Some(self.train.loss_for(pipeline.task()));
        spec.train.schedule = Some(self.train.schedule_for());
        spec.train.batch = Some(self.train.batch_for(training_rows).min(training_rows));
        spec.train.patience = Some(self.train.patience_for(validates));
        spec
    }
}

/// The text of a TOML file.
fn text_of(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(Error::file("read", path))?;
    String::from_utf8(bytes).map_err(|_| {
        let problem = "it is no text, and a spec is a TOML file; thinnet fit DATA --print-spec writes one";
        Error::data(path.display().to_string(), problem)
    })
}

/// The line of a field with a full name, or of the table that it belongs to.
fn line_of(text: &str, field: &str) -> Option<usize> {
    let whole = DeTable::parse(text).ok()?;
    let (mut table, mut place) = (whole.get_ref(), None);
    for name in field.split('.') {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == name) else { break };
        place = Some(key.span().start);
        let Some(inner) = value.get_ref().as_table() else { break };
        table = inner;
    }
    place.map(|place| 1 + text[..place].matches('\n').count())
}

/// What a person calls the types that a message of the parser names.
const TYPES: [(&str, &str); 5] = [
    ("expected usize", "expected a whole number from 0 on"),
    ("expected u64", "expected a whole number from 0 on"),
    ("expected u32", "expected a whole number from 0 to 4294967295"),
    ("expected f32", "expected a number"),
    ("expected f64", "expected a number"),
];

/// An error in TOML text as [`Error::Data`], with its line and column.
pub(crate) fn placed(name: &str, text: &str, error: &toml::de::Error) -> Error {
    let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
    let (line, column) =
        (before.matches('\n').count() + 1, before.chars().rev().take_while(|&c| c != '\n').count() + 1);
    let problem = error.message().replace('\n', "; ");
    let problem = TYPES.iter().fold(problem, |problem, (of, words)| problem.replace(of, words));
    Error::data(format!("{name}, line {line}, column {column}"), problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Momentum;

    #[test]
    fn a_spec_comes_back_as_it_went() {
        let text = "seed = 7\n[network]\nhidden = [32]\nactivation = \"tanh\"\n[thin]\nhidden = [0.25]\nshare = \"row\"\n\
                    [train]\nschedule = \"step:10:0.5\"\nmomentum = \"linear:0.5:0.9:100\"\nclass_weights = \"balanced\"\n";
        let spec = Spec::parse("run.toml", text).unwrap();
        assert_eq!(Spec::parse("again", &spec.to_toml().unwrap()).unwrap(), spec);
        assert_eq!(spec.seed, 7);
        for momentum in ["0.5", "\"0.5\""] {
            let spec = Spec::parse("run.toml", &format!("[train]\nmomentum = {momentum}\n")).unwrap();
            assert_eq!(spec.train.momentum, Momentum::Constant(0.5));
        }
    }

    #[test]
    fn the_default_is_a_good_spec() {
        let spec = Spec::default();
        spec.check().unwrap();
        assert_eq!(Spec::parse("default", &spec.to_toml().unwrap()).unwrap(), spec);
    }

    #[test]
    fn a_field_is_found_in_its_text() {
        let text = "seed = 1\ntrain.lr = 2\n[thin]\nhidden = 0.5\nmasks = { members = 4,\n scale = 9 }\n";
        for (field, line) in [
            ("seed", Some(1)),
            ("train.lr", Some(2)),
            ("train.epochs", Some(2)),
            ("thin.hidden", Some(4)),
            ("thin.masks.scale", Some(6)),
            ("data.valid", None),
        ] {
            assert_eq!(line_of(text, field), line, "{field}");
        }
    }

    #[test]
    fn a_wrong_type_says_what_is_right() {
        for (text, wanted) in [
            ("thin.hidden = \"x\"", "write one rate, as 0.5, or one for each hidden layer"),
            ("train.class_weights = 3", "write \"equal\", \"balanced\", or a table"),
            ("train.momentum = true", "write a number, as 0.9, or \"linear:FROM:TO:STEPS\""),
            ("thin.masks = 3", "a table like { members = 4, scale = 2.0 }"),
            ("network.hidden = [-3]", "expected a whole number from 0 on"),
            ("train.l2 = \"x\"", "expected a number"),
        ] {
            let error = Spec::parse("t", text).unwrap_err().to_string();
            assert!(error.contains(wanted) && error.starts_with("t, line 1"), "{text}: {error}");
        }
    }

    #[test]
    fn an_unknown_field_is_named_with_its_place() {
        let error = Spec::parse("run.toml", "seed = 1\n[train]\nepoch = 3\n").unwrap_err().to_string();
        assert!(error.starts_with("run.toml, line 3, column 1: unknown field `epoch`"), "{error}");
    }
}
