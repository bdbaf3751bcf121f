//! The runs with what the search found, each of which is measured and can be repeated.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use thinnet_kernels::Isa;

use super::comparison::Comparison;
use super::folder::model_path;
use super::record::{Measured, Record};
use super::search::Chosen;
use super::setup::Ready;
use super::{Event, Method, Plan, Run, Setup};
use crate::data::{Data, Examples, typed};
use crate::error::{Error, Result};
use crate::measure::mean_absolute_correlation;
use crate::model::{Fitted, Model};
use crate::thin::{self, Thinning};
use crate::train::{Ended, Threads, side_by_side};

/// The most rows on which the correlation of units is measured.
const CORRELATED_ROWS: usize = 1_000;

/// The runs of some methods in the order in which they begin: the longest first, so that no lane is left
/// alone with one, and of equals seed by seed, so that all methods meet the same machine.
pub(super) fn jobs(methods: &[Method], setup: &Setup) -> Vec<(u32, Method)> {
    let of_seed = |seed: u32| methods.iter().map(move |&method| (seed, method));
    let mut jobs: Vec<(u32, Method)> = setup.run_seeds().into_iter().flat_map(of_seed).collect();
    jobs.sort_by_key(|(_, method)| Reverse(method.networks(setup.members)));
    jobs
}

impl Comparison<'_> {
    /// One run for each method and seed; what is written down already is not run again. In the order of seeds
    /// and of methods.
    pub fn runs(&self, chosen: &BTreeMap<Method, Chosen>, plan: &Plan) -> Result<Option<Vec<Run>>> {
        let mut methods = self.setup.methods.clone();
        methods.retain(|method| chosen.contains_key(&method.searched()));
        let jobs = jobs(&methods, self.setup);
        self.done.store(0, Ordering::Relaxed);
        let job = |threads: &Threads, &(seed, method): &(u32, Method)| {
            let Some(Chosen { candidate, .. }) = chosen.get(&method.searched()) else { return Ok(None) };
            let run = self.one_run(method, seed, *candidate, plan.epochs(method), threads)?;
            if let Some(run) = &run {
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                self.tell(&Event::Run { run, done, total: jobs.len() });
            }
            Ok(run)
        };
        let runs = side_by_side(self.lanes, self.threads_of_each, &jobs, job)?;
        let runs: Option<Vec<Run>> = runs.into_iter().collect();
        Ok(runs.map(|mut runs| {
            let place = |method: Method| self.setup.methods.iter().position(|&other| other == method);
            runs.sort_by_key(|run| (run.seed, place(run.method)));
            runs
        }))
    }

    /// One run, or what is written down of it; none if it was stopped.
    fn one_run(
        &self,
        method: Method,
        seed: u32,
        candidate: usize,
        epochs: u64,
        threads: &Threads,
    ) -> Result<Option<Run>> {
        let written = self.folder().records.iter().find_map(|record| match record {
            Record::Run(run) if (run.method, run.seed) == (method, seed) => Some((**run).clone()),
            _ => None,
        });
        if written.is_some() || self.is_stopped() {
            return Ok(written);
        }
        let ready = self.ready(seed)?;
        let mut prepared = ready.prepared.clone();
        let spec = &method.candidates(&prepared.spec)[candidate];
        prepared.spec = method.run(spec, epochs, self.setup.members);
        self.folder().write_spec(method, &prepared.spec, &self.command())?;
        let fitted = prepared.fit(threads, &mut self.watched());
        if self.is_stopped() {
            return Ok(None);
        }
        let mut run =
            Run { method, seed, candidate, epochs, measured: None, rows: 0, seconds: 0.0, elapsed: 0.0 };
        match fitted {
            Ok(fitted) => {
                (run.rows, run.seconds) = (fitted.rows, fitted.seconds);
                if stayed_finite(&fitted.model) {
                    if seed == self.setup.spec.seed {
                        let path = model_path(self.folder().path(), method);
                        fitted.model.save(&path)?;
                    }
                    run.measured = Some(measure(fitted, &ready, threads)?);
                }
            }
            Err(Error::NotFinite { .. }) => {}
            Err(error) => return Err(error),
        }
        run.elapsed = self.elapsed();
        self.folder().append(Record::Run(Box::new(run.clone())))?;
        Ok(Some(run))
    }

    /// The command line that does a run again.
    fn command(&self) -> String {
        let named = |data: &Data| typed(data.name());
        let valid = self.sets.valid.map_or(String::new(), |valid| format!(" --valid {}", named(valid)));
        format!("thinnet fit {} --spec THIS-FILE{valid}", named(self.sets.data))
    }
}

/// Whether no loss went astray. Where one did, an earlier epoch is restored, which is not what the method
/// is: one that does nothing would be stopped early.
fn stayed_finite(model: &Model) -> bool {
    !model.members().iter().any(|member| matches!(member.run.ended, Ended::NotFinite { .. }))
}

/// Measures a trained network, on the test part too.
fn measure(fitted: Fitted, ready: &Ready, threads: &Threads) -> Result<Measured> {
    let model = &fitted.model;
    let valid = ready.prepared.valid.as_ref().unwrap_or(&ready.prepared.train);
    Ok(Measured {
        ended: model.run().ended,
        chosen_epoch: model.run().chosen_epoch,
        history: model.run().history.clone(),
        train: model.measure_with_noise(&ready.prepared.train, threads)?,
        valid: model.measure_with_noise(valid, threads)?,
        test: model.measure_with_noise(&ready.test, threads)?,
        correlation: correlation(model, &ready.test, threads)?,
    })
}

/// The mean over hidden layers of the mean absolute correlation of two units, in the first network; none
/// where no layer has two units that vary.
fn correlation(model: &Model, examples: &Examples, threads: &Threads) -> Result<Option<f64>> {
    let rows = examples.rows().min(CORRELATED_ROWS);
    let inputs = examples.inputs.select(&(0..rows).map(|at| at * examples.rows() / rows).collect::<Vec<_>>());
    let isa = Isa::from_environment().map_err(Error::Machine)?;
    let network = model.network();
    let thinning = Thinning::new(&model.spec.thin, network, model.spec.seed)?;
    let of_layer = |layer: usize| {
        let activations = thin::activations(isa, network, &thinning, &inputs, layer);
        mean_absolute_correlation(isa, &activations, None)
    };
    let layers = threads.run(|| (1..network.layers().len()).map(of_layer).collect::<Result<Vec<_>>>())?;
    let layers: Vec<f64> = layers.into_iter().flatten().collect();
    Ok((!layers.is_empty()).then(|| layers.iter().sum::<f64>() / layers.len() as f64))
}
