//! What is compared, and on which rows.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Method;
use super::method::plain;
use crate::data::{Data, Examples};
use crate::error::{Error, Result};
use crate::model::{Prepared, prepare};
use crate::prepare::Parts;
use crate::spec::Spec;

/// The fewest rows by which anything is chosen or judged.
const FEWEST_ROWS: usize = 20;

/// What is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The methods, in the order of the table.
    pub methods: Vec<Method>,
    /// How many runs each method has with what was found for it.
    pub seeds: u32,
    /// The networks of the ensemble.
    pub members: usize,
    /// The minutes of the whole comparison.
    pub minutes: f64,
    /// The most epochs of a run; 0 for 300, or as many as make 10,000 steps.
    pub epochs: u64,
    /// What all runs have in common. Its seed is that of the first runs, and the next ones follow it; what
    /// it says against overfitting is left out.
    pub spec: Spec,
}

/// The default: all methods, 5 seeds, 5 members, 5 minutes.
impl Default for Setup {
    fn default() -> Self {
        let (methods, spec) = (Method::ALL.to_vec(), Spec::default());
        Self { methods, seeds: 5, members: 5, minutes: 5.0, epochs: 0, spec }
    }
}

impl Setup {
    /// Checks what does not depend on the data.
    ///
    /// # Errors
    /// [`Error::Argument`] or [`Error::Spec`] names the first thing that cannot be used.
    pub fn check(&self) -> Result<()> {
        if self.methods.is_empty() {
            return Err(Error::argument("methods", "there is none to run; name at least one"));
        }
        let twice = |at: &usize| self.methods[..*at].contains(&self.methods[*at]);
        if let Some(at) = (0..self.methods.len()).find(twice) {
            return Err(Error::argument("methods", format!("{} is named twice", self.methods[at])));
        }
        if self.seeds == 0 || self.spec.seed.checked_add(self.seeds - 1).is_none() {
            let problem =
                format!("{} from {} on are not to be had; take 1 or more", self.seeds, self.spec.seed);
            return Err(Error::argument("seeds", problem));
        }
        if self.methods.contains(&Method::Ensemble) && self.members < 2 {
            return Err(Error::argument("members", "an ensemble has at least 2"));
        }
        if !(self.minutes > 0.0 && self.minutes.is_finite()) {
            return Err(Error::argument("minutes", format!("must be above 0, not {}", self.minutes)));
        }
        for method in &self.methods {
            let candidates = method.candidates(&self.spec);
            candidates.iter().try_for_each(|spec| method.run(spec, 1, self.members).check())?;
        }
        Ok(())
    }

    /// The methods that have a search, each once.
    pub(super) fn searched(&self) -> Vec<Method> {
        let mut searched = Vec::new();
        for method in self.methods.iter().map(|method| method.searched()) {
            if !searched.contains(&method) {
                searched.push(method);
            }
        }
        searched
    }

    /// The seeds of the runs.
    pub(super) fn run_seeds(&self) -> Vec<u32> {
        (0..self.seeds).map(|number| self.spec.seed + number).collect()
    }

    /// In what another setup differs: "--seeds 5, not 3", with what it is here first.
    pub(super) fn difference(&self, other: &Setup) -> Option<String> {
        let of = |setup: &Setup| {
            let Setup { methods, seeds, members, minutes, epochs, spec } = setup;
            let (data, network) = (&spec.data, &spec.network);
            let types: Vec<String> =
                data.types.iter().map(|(name, kind)| format!("{name}={}", written(kind))).collect();
            [
                ("--methods", written(methods)),
                ("--seeds", written(seeds)),
                ("--members", written(members)),
                ("--minutes", written(minutes)),
                ("--epochs", written(epochs)),
                ("--seed", written(&spec.seed)),
                ("--test", written(&data.test)),
                ("--valid", written(&data.valid)),
                ("--target", written(&data.target)),
                ("--task", written(&data.task)),
                ("--weight", written(&data.weight)),
                ("--ignore", written(&data.ignore)),
                ("--type", written(&types)),
                ("--hidden", written(&network.hidden)),
                ("--activation", written(&network.activation)),
            ]
        };
        let pairs = of(self).into_iter().zip(of(other));
        let mut different = pairs.filter(|((_, one), (_, other))| one != other);
        let first = different.next().map(|((option, one), (_, other))| match (&one[..], &other[..]) {
            ("", _) => format!("without {option}, not with {option} {other}"),
            (_, "") => format!("with {option} {one}, not without it"),
            _ => format!("with {option} {one}, not {other}"),
        });
        first.or_else(|| (self != other).then(|| "with another spec".into()))
    }
}

/// A value as it is typed after an option; nothing where there is none.
fn written(value: &impl Serialize) -> String {
    match json!(value) {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Array(values) => values.iter().map(written).collect::<Vec<_>>().join(","),
        value => value.to_string(),
    }
}

/// The rows of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Sets<'a> {
    /// What the networks learn from. The spec says which of its rows validate and which are the test part,
    /// as far as the other two fields do not have them.
    pub data: &'a Data,
    /// The rows to choose by.
    pub valid: Option<&'a Data>,
    /// The test part, which each network meets once, after its training.
    pub test: Option<&'a Data>,
}

/// The rows of the runs with one seed.
pub(super) struct Ready {
    pub prepared: Prepared,
    pub test: Examples,
}

impl Sets<'_> {
    /// Makes the rows of one seed ready.
    ///
    /// # Errors
    /// A spec or data that cannot be used, and parts that are too small to choose or judge by.
    pub(super) fn ready(&self, spec: &Spec, seed: u32) -> Result<Ready> {
        let prepared = prepare(self.data, self.valid, &Spec { seed, ..plain(spec) })?;
        let valid = prepared.valid.as_ref().map_or(0, Examples::rows);
        self.enough("validate", "data.valid", valid)?;
        let test = match self.test {
            Some(test) => prepared.pipeline.examples(test, None)?,
            None => {
                let rows = Parts::new(self.data, &prepared.spec.data, seed)?.test;
                self.enough("test", "data.test", rows.len())?;
                prepared.pipeline.examples(self.data, Some(&rows))?
            }
        };
        self.enough("test", "data.test", test.rows())?;
        Ok(Ready { prepared, test })
    }

    fn enough(&self, part: &str, field: &str, rows: usize) -> Result<()> {
        if rows >= FEWEST_ROWS {
            return Ok(());
        }
        let problem = format!(
            "{rows} of its {} rows {part}, and to compare by fewer than {FEWEST_ROWS} tells nothing; \
             raise {field}, name a file, or add rows",
            self.data.rows()
        );
        Err(Error::data(self.data.name(), problem))
    }

    /// A number that changes with any of the rows.
    pub(super) fn fingerprint(&self) -> Result<String> {
        let part = |part: Option<&Data>| match part {
            Some(data) => data.fingerprint(None).map(|number| format!("{number:016x}")),
            None => Ok("none".into()),
        };
        Ok([part(Some(self.data))?, part(self.valid)?, part(self.test)?].join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Table;

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let check = |change: &dyn Fn(&mut Setup)| {
            let mut setup = Setup::default();
            change(&mut setup);
            setup.check().map_err(|error| error.to_string())
        };
        check(&|_| ()).unwrap();
        let refused = |part: &str, change: &dyn Fn(&mut Setup)| {
            let error = check(change).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused("methods: there is none", &|setup| setup.methods.clear());
        refused("l2 is named twice", &|setup| setup.methods = vec![Method::L2, Method::L1, Method::L2]);
        refused("seeds", &|setup| setup.seeds = 0);
        refused("seeds", &|setup| setup.spec.seed = u32::MAX);
        refused("at least 2", &|setup| setup.members = 1);
        refused("minutes", &|setup| setup.minutes = f64::NAN);
        refused("data.test", &|setup| setup.spec.data.test = 1.5);
        refused("network", &|setup| setup.spec.network.hidden = vec![0]);
    }

    #[test]
    fn a_difference_is_named_by_its_option() {
        let setup = Setup::default();
        assert_eq!(setup.difference(&setup), None);
        let other = Setup { seeds: 3, minutes: 1.0, ..setup.clone() };
        assert_eq!(setup.difference(&other).unwrap(), "with --seeds 5, not 3");
        let mut other = setup.clone();
        other.spec.train.clip = 1.0;
        assert_eq!(setup.difference(&other).unwrap(), "with another spec");
        other.spec.data.ignore = vec!["id".into()];
        assert_eq!(setup.difference(&other).unwrap(), "without --ignore, not with --ignore id");
        assert_eq!(other.difference(&setup).unwrap(), "with --ignore id, not without it");
    }

    #[test]
    fn parts_that_are_too_small_are_refused() {
        let inputs: Vec<f32> = (0..90).map(|row| row as f32).collect();
        let targets: Vec<f32> = (0..90).map(|row| (row % 2) as f32).collect();
        let data = Data::from(Table::from_rows(&inputs, 1, Some(&targets)).unwrap());
        let sets = Sets { data: &data, valid: None, test: None };
        let mut spec = Spec::default();
        spec.data.test = 0.25;
        let error = |spec: &Spec| sets.ready(spec, 0).err().map(|error| error.to_string());
        // 23 test, and a fifth of the other 67 validate.
        let sentence = "rows in memory: 13 of its 90 rows validate, and to compare by fewer than 20 tells nothing; \
                        raise data.valid, name a file, or add rows";
        assert_eq!(error(&spec).as_deref(), Some(sentence));
        spec.data.valid = Some(0.5);
        assert_eq!(error(&spec), None);
        spec.data.test = 0.0;
        assert!(error(&spec).unwrap().contains("0 of its 90 rows test"));
    }
}
