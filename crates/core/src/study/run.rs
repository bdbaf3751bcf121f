//! Runs a study: what is not there yet is run, and each finished run is kept.

use std::fs;
use std::path::Path;
use std::time::Instant;

use super::autoencoder::autoencode;
use super::fit::{Watch, fit};
use super::grid::fit_split;
use super::record::{Found, Record};
use super::source::Rows;
use super::trial::{Source, Trial};
use super::{Made, Study, Variant};
use crate::data::DataSpec;
use crate::error::{Error, Result};
use crate::spec::Spec;
use crate::train::{Event, Flow, Stop, Threads, side_by_side};

/// Something that happened in a study.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'a> {
    /// A run was finished before, and is not run again.
    Kept(&'a Record),
    /// A run begins.
    Began {
        /// The variant.
        variant: &'a str,
        /// The number of the run.
        seed: u32,
    },
    /// Something happened in the training of a run.
    Training {
        /// The variant.
        variant: &'a str,
        /// The number of the run.
        seed: u32,
        /// What happened.
        event: &'a Event<'a>,
    },
    /// A run is finished and kept.
    Ended(&'a Record),
}

/// Hears of a study, from several threads, and may stop it.
pub type Listener<'a> = dyn Fn(&Happening) -> Flow + Sync + 'a;

/// A data set that was read, because a run on it is still to be done.
struct Set {
    source: Source,
    spec: DataSpec,
    rows: Rows,
    fingerprint: String,
}

/// A run that is still to be done.
struct Task<'a> {
    at: usize,
    variant: &'a Variant,
    seed: u32,
    set: &'a Set,
}

impl Study {
    /// Runs what has no record in the folder `output` yet, with the data sets in the folder `data`, and
    /// returns all records: variant by variant, and seed by seed. Where somebody stopped the study there are
    /// fewer than [`Study::runs`].
    ///
    /// # Errors
    /// Data that cannot be read, a spec that cannot be run on them, a record of a run with other settings, or
    /// on other data where these are read again, or a folder that cannot be written to.
    pub fn run(
        &self,
        data: &Path,
        output: &Path,
        threads: &Threads,
        watch: &Listener,
    ) -> Result<Vec<Record>> {
        fs::create_dir_all(output).map_err(Error::file("create", output))?;
        let of = |variant| (0..self.seeds(variant)).map(move |seed| (variant, seed));
        let runs = || self.variants.iter().flat_map(of);
        let mut records = Vec::new();
        for (variant, seed) in runs() {
            records.push(Record::read(&Record::path(output, variant, seed), variant, seed)?);
        }
        let stopped = records.iter().flatten().any(|record| watch(&Happening::Kept(record)) == Flow::Stop);
        if stopped {
            return Ok(records.into_iter().flatten().collect());
        }
        let mut read: Vec<Set> = Vec::new();
        let place = |read: &[Set], Trial { data, spec, .. }: &Trial| {
            read.iter().position(|set| set.source.is_same_set(data) && set.spec == spec.data)
        };
        for ((Variant { trial, .. }, _), _) in runs().zip(&records).filter(|(_, record)| record.is_none()) {
            if place(&read, trial).is_none() {
                let (source, spec) = (trial.data.clone(), trial.spec.data.clone());
                let rows = source.read(data, &spec)?;
                let fingerprint = rows.fingerprint()?;
                read.push(Set { source, spec, rows, fingerprint });
            }
        }
        let set = |variant: &Variant| place(&read, &variant.trial).map(|place| &read[place]);
        for ((variant, seed), record) in runs().zip(&records) {
            if let (Some(record), Some(Set { fingerprint, .. })) = (record, set(variant)) {
                record.check_data(&Record::path(output, variant, seed), fingerprint)?;
            }
        }
        let missing = runs().enumerate().filter(|(at, _)| records[*at].is_none());
        let tasks: Vec<Task> = missing
            .filter_map(|(at, (variant, seed))| Some(Task { at, variant, seed, set: set(variant)? }))
            .collect();
        for (at, record) in self.all(&tasks, output, threads, watch)? {
            records[at] = Some(record);
        }
        Ok(records.into_iter().flatten().collect())
    }

    /// How many runs the study has.
    pub fn runs(&self) -> usize {
        self.variants.iter().map(|variant| self.seeds(variant) as usize).sum()
    }

    /// How many runs a variant has.
    fn seeds(&self, variant: &Variant) -> u32 {
        self.head.seeds.min(variant.seeds.unwrap_or(u32::MAX))
    }

    /// Does the tasks, one after the other on all threads, or side by side on one each.
    fn all(
        &self,
        tasks: &[Task],
        output: &Path,
        threads: &Threads,
        watch: &Listener,
    ) -> Result<Vec<(usize, Record)>> {
        let stop = Stop::default();
        let work = |threads: &Threads, task: &Task| -> Result<Option<(usize, Record)>> {
            if stop.is_set() {
                return Ok(None);
            }
            let record = task.run(output, threads, &stop, watch);
            if record.is_err() {
                stop.hear(Flow::Stop);
            }
            Ok(record?.map(|record| (task.at, record)))
        };
        let lanes = if self.head.side_by_side { threads.count().min(tasks.len()) } else { 1 };
        let done = match lanes {
            0 | 1 => tasks.iter().map(|task| work(threads, task)).collect::<Result<Vec<_>>>()?,
            _ => side_by_side(lanes, 1, tasks, work)?,
        };
        Ok(done.into_iter().flatten().collect())
    }
}

impl Task<'_> {
    /// Runs and keeps; nothing if the study was stopped meanwhile.
    fn run(&self, output: &Path, threads: &Threads, stop: &Stop, watch: &Listener) -> Result<Option<Record>> {
        let Self { variant: Variant { name, trial, .. }, seed, .. } = *self;
        let tell = |happening: &Happening| stop.hear(watch(happening));
        if tell(&Happening::Began { variant: name, seed }) == Flow::Stop {
            return Ok(None);
        }
        let began = Instant::now();
        let mut hear = |event: &Event| tell(&Happening::Training { variant: name, seed, event });
        let found = self.found(threads, &mut hear);
        let found = found.map_err(|error| match error {
            Error::NotFinite { .. } | Error::Spec { .. } | Error::Argument { .. } => {
                Error::data(format!("variant {name:?}, seed {seed}"), error.to_string())
            }
            other => other,
        })?;
        let Some(mut found) = found else { return Ok(None) };
        found.seconds = began.elapsed().as_secs_f64();
        let (data, made) = (Some(self.set.fingerprint.clone()), Some(Made::now(threads.count())?));
        let record = Record { variant: name.clone(), seed, trial: trial.clone(), found, data, made };
        record.write(&Record::path(output, self.variant, seed))?;
        tell(&Happening::Ended(&record));
        Ok(Some(record))
    }

    fn found(&self, threads: &Threads, watch: &mut Watch) -> Result<Option<Found>> {
        let (trial, seed) = (&self.variant.trial, self.seed);
        let spec = Spec { seed: trial.spec.seed.wrapping_add(seed), ..trial.spec.clone() };
        match (&self.set.rows, &trial.grid) {
            (Rows::Splits(splits), Some(grid)) => fit_split(trial, grid, &spec, splits, seed, threads, watch),
            (Rows::Splits(_), None) => Err(Error::spec("grid", "data with published splits need one")),
            (Rows::Parts { .. }, Some(_)) => Err(Error::spec("grid", "it is for data with published splits")),
            (Rows::Parts { train, test }, None) => {
                let drawn = trial.data.drawn(train, spec.seed)?;
                let run = if trial.autoencoder { autoencode } else { fit };
                run(trial, &spec, drawn.as_ref().unwrap_or(train), test, threads, watch)
            }
        }
    }
}
