//! The folder that a comparison leaves, and from which it can go on.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::record::{Begun, Record};
use super::{Made, Method, Sets, Setup};
use crate::error::{Error, Result};
use crate::model::{Model, atomic_write};
use crate::spec::Spec;

/// The version of `results.json`.
const FORMAT: u32 = 3;
/// What has been done, one JSON object in each line.
const RESULTS: &str = "results.json";
/// The spec of each run.
const SPECS: &str = "specs";
/// The first model of each method.
const MODELS: &str = "models";
/// The model to use.
const BEST: &str = "best.thinnet";

/// The folder, and what has been done.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Of `results.json`.
    text: String,
    pub records: Vec<Record>,
}

impl Folder {
    /// Makes the folder, or with `resume` reads what has been done in it.
    ///
    /// # Errors
    /// A folder that cannot be written; one that holds a comparison, unless it is to go on; one that holds
    /// none, or another one, or one of another version or instruction set, if it is.
    pub fn open(path: &Path, resume: bool, setup: &Setup, sets: &Sets, made: Made) -> Result<Self> {
        let results = path.join(RESULTS);
        let refused = |problem: String| Error::data(path.display().to_string(), problem);
        let (data, made) = (sets.fingerprint()?, Some(made));
        let begun = Begun { format: FORMAT, setup: setup.clone(), data, made };
        if !resume {
            if has_begun(path) {
                return Err(refused(
                    "it holds a comparison already; --resume goes on with it, -o names another folder".into(),
                ));
            }
            make(path)?;
            let mut folder = Self { path: path.into(), text: String::new(), records: Vec::new() };
            folder.note(Record::Comparison(Box::new(begun)))?;
            return Ok(folder);
        }
        if !has_begun(path) {
            return Err(refused("it holds no comparison that could go on; leave --resume out".into()));
        }
        let text = fs::read_to_string(&results).map_err(Error::file("read", &results))?;
        let records = read(&results, &text)?;
        let Some(Record::Comparison(found)) = records.first() else {
            return Err(refused(format!(
                "{RESULTS} does not begin with what is compared; name another folder"
            )));
        };
        if found.format != FORMAT {
            let problem = format!(
                "{RESULTS} has the format {}, and this version reads {FORMAT}; name another folder with -o, or take \
                 the version that began it",
                found.format
            );
            return Err(refused(problem));
        }
        let runs = records.iter().filter(|record| matches!(record, Record::Run(_))).count();
        let is_done = runs == setup.methods.len() * setup.seeds as usize;
        if let (Some(was), Some(is), false) = (&found.made, &begun.made, is_done)
            && !was.has_the_bits_of(is)
        {
            return Err(refused(format!(
                "the comparison in it was begun by version {} on {}, and this is version {} on {}, whose \
                 runs have other bits; go on with the former, or name another folder",
                was.version, was.instructions, is.version, is.instructions
            )));
        }
        if let Some(difference) = found.setup.difference(setup) {
            let problem =
                format!("the comparison in it was begun {difference}; it can only go on as it was begun");
            return Err(refused(problem));
        }
        if found.data != begun.data {
            return Err(refused(
                "the comparison in it was begun with other data, or they have changed".into(),
            ));
        }
        Ok(Self { path: path.into(), text, records })
    }

    /// Writes a record down, with what has only been noted before it.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written; what was there before then still is.
    pub fn append(&mut self, record: Record) -> Result<()> {
        if self.records.len() == 1 {
            make(&self.path.join(SPECS))?;
            make(&self.path.join(MODELS))?;
        }
        self.note(record)?;
        atomic_write(&self.path.join(RESULTS), |file| file.write_all(self.text.as_bytes()))
    }

    /// Keeps a record in mind: a comparison that ends before its plan leaves no results.
    fn note(&mut self, record: Record) -> Result<()> {
        let line = serde_json::to_string(&record).map_err(|error| Error::data(RESULTS, error.to_string()))?;
        self.text += &line;
        self.text.push('\n');
        self.records.push(record);
        Ok(())
    }

    /// Writes the spec of a run; `command` is the command line that runs it again.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written.
    pub fn write_spec(&self, method: Method, spec: &Spec, command: &str) -> Result<()> {
        let text = format!("# {command}\n{}", spec.to_toml()?);
        let path = spec_path(&self.path, method, spec.seed);
        atomic_write(&path, |file| file.write_all(text.as_bytes()))
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the first model of a method as the one to use.
    ///
    /// # Errors
    /// As [`Model::load`] and [`Model::save`].
    pub fn keep(&self, method: Method) -> Result<()> {
        Model::load(&model_path(&self.path, method))?.save(&best_path(&self.path))
    }

    /// Seconds since the comparison began when the last record was written.
    pub fn elapsed(&self) -> f64 {
        self.records.last().map_or(0.0, |record| match record {
            Record::Comparison(_) => 0.0,
            Record::Plan(plan) => plan.elapsed,
            Record::Candidate(candidate) => candidate.elapsed,
            Record::Run(run) => run.elapsed,
        })
    }
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(Error::file("make the folder", folder))
}

/// Whether a folder holds a comparison that can go on, or is done.
pub fn has_begun(folder: &Path) -> bool {
    folder.join(RESULTS).exists()
}

/// Every file that a comparison may leave in its folder.
pub fn files(folder: &Path, setup: &Setup) -> Vec<PathBuf> {
    let of = |&method: &Method| {
        let specs = setup.run_seeds().into_iter().map(move |seed| spec_path(folder, method, seed));
        specs.chain([model_path(folder, method)])
    };
    setup.methods.iter().flat_map(of).chain([folder.join(RESULTS), best_path(folder)]).collect()
}

/// Where the model to use is, in such a folder.
pub(super) fn best_path(folder: &Path) -> PathBuf {
    folder.join(BEST)
}

/// Where the first model of a method is.
pub(super) fn model_path(folder: &Path, method: Method) -> PathBuf {
    folder.join(MODELS).join(format!("{method}.thinnet"))
}

/// Where the spec of a run is.
pub(super) fn spec_path(folder: &Path, method: Method, seed: u32) -> PathBuf {
    folder.join(SPECS).join(format!("{method}-{seed}.toml"))
}

/// The records of a file, one in each line.
fn read(path: &Path, text: &str) -> Result<Vec<Record>> {
    let record = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            Error::data(format!("{}, line {}", path.display(), index + 1), error.to_string())
        })
    };
    text.lines().enumerate().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Candidate, Plan, Stage};
    use crate::data::{Data, Table};

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("thinnet-compare-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    fn data(last: f32) -> Data {
        Table::from_rows(&[1.0, 2.0], 1, Some(&[0.0, last])).unwrap().into()
    }

    fn open(path: &Path, resume: bool, setup: &Setup, data: &Data) -> Result<Folder> {
        let sets = Sets { data, valid: None, test: None };
        Folder::open(path, resume, setup, &sets, Made::now(1).unwrap())
    }

    fn plan() -> Plan {
        let (epochs, speeds) = Default::default();
        Plan { stage: Stage::Search(0), share: 1.0, epochs, speeds, most: 300, elapsed: 2.0 }
    }

    #[test]
    fn records_come_back_to_the_bit() {
        let (path, setup) = (folder("records"), Setup::default());
        let mut first = open(&path, false, &setup, &data(1.0)).unwrap();
        assert!(open(&path, true, &setup, &data(1.0)).is_err(), "nothing is done yet");
        let candidate = Candidate {
            method: Method::Dropout,
            candidate: 3,
            rung: 1,
            epochs: 12,
            loss: Some(0.1 + 0.2),
            rows: 1 << 40,
            seconds: 1e-7 / 3.0,
            elapsed: 4.0,
        };
        first.append(Record::Candidate(candidate)).unwrap();
        let again = open(&path, true, &setup, &data(1.0)).unwrap();
        assert_eq!((again.records.len(), again.elapsed()), (2, 4.0));
        assert!(matches!(again.records[1], Record::Candidate(found) if found == candidate));
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn only_the_same_comparison_goes_on() {
        let (path, setup) = (folder("refused"), Setup::default());
        let error =
            |resume, setup: &Setup, last| open(&path, resume, setup, &data(last)).unwrap_err().to_string();
        assert!(error(true, &setup, 1.0).contains("leave --resume out"));
        open(&path, false, &setup, &data(1.0)).unwrap().append(Record::Plan(plan())).unwrap();
        assert!(error(false, &setup, 1.0).contains("--resume goes on with it"));
        let other = Setup { seeds: 3, ..setup.clone() };
        assert!(error(true, &other, 1.0).contains("begun with --seeds 5, not 3"));
        assert!(error(true, &setup, 2.0).contains("other data"));
        fs::write(path.join(RESULTS), "{\"record\":\"strange\"}\n").unwrap();
        assert!(error(true, &setup, 1.0).contains("results.json, line 1: unknown variant"));
        fs::write(path.join(RESULTS), "").unwrap();
        assert!(error(true, &setup, 1.0).contains("does not begin"));
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn only_what_gives_the_same_bits_goes_on() {
        let (path, setup) = (folder("made"), Setup::default());
        open(&path, false, &setup, &data(1.0)).unwrap().append(Record::Plan(plan())).unwrap();
        let text = fs::read_to_string(path.join(RESULTS)).unwrap();
        let go_on = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}: {text}");
            fs::write(path.join(RESULTS), text.replace(from, to)).unwrap();
            open(&path, true, &setup, &data(1.0)).map(|_| ()).map_err(|error| error.to_string())
        };
        let made = Made::now(1).unwrap();
        let version = format!("\"version\":\"{}\"", made.version);
        let error = go_on(&version, "\"version\":\"0.0.9\"").unwrap_err();
        let (is, on) = (&made.version, &made.instructions);
        let sentence = format!("was begun by version 0.0.9 on {on}, and this is version {is} on {on}");
        assert!(error.contains(&sentence), "{error}");
        let instructions = format!("\"instructions\":\"{}\"", made.instructions);
        let error = go_on(&instructions, "\"instructions\":\"mmx\"").unwrap_err();
        assert!(error.contains("on mmx, and this is version"), "{error}");
        // The number of threads changes no bit.
        assert_eq!(go_on("\"threads\":1", "\"threads\":16"), Ok(()));
        // A file of an earlier format does not say by what it was made.
        let line = text.lines().next().unwrap();
        let earlier = line.split(",\"made\"").next().unwrap().replace("\"format\":3", "\"format\":2") + "}";
        let error = go_on(line, &earlier).unwrap_err();
        assert!(error.contains("has the format 2, and this version reads 3"), "{error}");
        fs::remove_dir_all(&path).unwrap();
    }
}
