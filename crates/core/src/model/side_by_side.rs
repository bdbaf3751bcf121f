//! The members of an ensemble are trained side by side, each on its own threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use thinnet_kernels::Isa;

use super::members::{Draw, Member};
use super::{Prepared, Run};
use crate::average::{Link, temperature};
use crate::data::{Examples, Targets};
use crate::error::{Error, Result};
use crate::spec::Spec;
use crate::thin::{self, Drop, Thinning};
use crate::train::{Ended, Event, Flow, Loss, Outcome, Threads, Trainer};

/// A member, and what its run took.
pub(super) struct Trained {
    pub member: Member,
    pub rows: u64,
    pub seconds: f64,
}

/// Hears of a run.
type Watch<'a> = dyn FnMut(&Event) -> Flow + Send + 'a;

/// Trains every member that the spec asks for, in the order of their numbers.
///
/// A pool that several members shared would mix their work, and a step's small pieces would wait for
/// each other. So each member has a pool of its own, of one thread where there are as many members as
/// threads, and as many members are trained at a time as there are threads.
pub(super) fn train(
    prepared: &Prepared,
    isa: Isa,
    threads: &Threads,
    watch: &mut Watch,
) -> Result<Vec<Trained>> {
    let members = prepared.spec.ensemble.members;
    if members == 1 {
        return Ok(vec![train_member(prepared, 0, prepared.spec.train.minutes, isa, threads, watch)?]);
    }
    let lanes = threads.count().min(members);
    let minutes = prepared.spec.train.minutes / members.div_ceil(lanes) as f64;
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (watch, trained) = (Mutex::new(watch), Mutex::new(Vec::new()));
    let tell = |event: &Event| {
        let flow = watch.lock().unwrap_or_else(PoisonError::into_inner)(event);
        // Who stops one member stops them all.
        if flow == Flow::Stop {
            stopped.store(true, Ordering::Relaxed);
        }
        if stopped.load(Ordering::Relaxed) { Flow::Stop } else { Flow::Continue }
    };
    let lane = || -> Result<()> {
        let threads = Threads::new(threads.count() / lanes)?;
        while !stopped.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= members {
                break;
            }
            let mut watch = |event: &Event| tell(&Event::Member { member: number, event });
            let member = train_member(prepared, number, minutes, isa, &threads, &mut watch);
            match &member {
                Ok(Trained { member, .. }) => drop(tell(&member.ended())),
                Err(_) => stopped.store(true, Ordering::Relaxed),
            }
            trained.lock().unwrap_or_else(PoisonError::into_inner).push((number, member));
        }
        Ok(())
    };
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        let ended = lanes.into_iter().map(|lane| lane.join().unwrap_or_else(|_| Err(broken())));
        ended.collect::<Result<Vec<()>>>()
    })?;
    let mut trained = trained.into_inner().unwrap_or_else(PoisonError::into_inner);
    trained.sort_by_key(|(number, _)| *number);
    let trained = trained.into_iter().map(|(_, member)| member).collect::<Result<_>>()?;
    Ok(without_beginners(trained))
}

fn broken() -> Error {
    Error::Machine("a thread that trained a member ended without a result".into())
}

/// Leaves out the members that were stopped within their first epoch, where there are others: they have
/// seen too little to be worth a vote.
fn without_beginners(mut trained: Vec<Trained>) -> Vec<Trained> {
    let begins = |Trained { member: Member { run, .. }, rows, .. }: &Trained| {
        run.ended == Ended::Interrupted && *rows < run.training_rows as u64
    };
    if !trained.iter().all(begins) {
        trained.retain(|member| !begins(member));
    }
    trained
}

/// Trains one member on what it draws.
fn train_member(
    prepared: &Prepared,
    number: usize,
    minutes: f64,
    isa: Isa,
    threads: &Threads,
    watch: &mut Watch,
) -> Result<Trained> {
    let Prepared { spec: whole, pipeline, train, valid, .. } = prepared;
    let mut spec = whole.member(number);
    spec.train.minutes = minutes;
    let draw = Draw::new(pipeline, train.rows(), whole.ensemble.columns, whole.ensemble.bootstrap, spec.seed);
    let (train, valid) = (draw.training(train), valid.as_ref().map(|valid| draw.validating(valid)));
    let trainer =
        Trainer { network: &spec.network, thin: &spec.thin, train: &spec.train, seed: spec.seed, isa };
    let outcome = trainer.run(&train, valid.as_deref(), threads, watch)?;
    if let (Ended::NotFinite { step, learning_rate }, 0) = (outcome.ended, outcome.chosen_epoch) {
        return Err(Error::NotFinite { step, learning_rate });
    }
    let Outcome { network, ended, history, chosen_epoch, steps, rows, seconds } = outcome;
    let (network, pruned) = match spec.thin.drop {
        Drop::SparseVariational => {
            let (mut network, pruned) = thin::prune(isa, &network, &spec.network)?;
            network.index_sparse();
            (network, Some(pruned))
        }
        _ => (network, None),
    };
    let run = Run {
        training_rows: train.rows(),
        validation_rows: valid.as_deref().map_or(0, Examples::rows),
        noise: None,
        pruned,
        temperature: 1.0,
        steps,
        ended,
        chosen_epoch,
        history,
    };
    let mut member = Member { number, inputs: draw.inputs, network, run };
    if let (true, Some(valid)) = (spec.train.temperature, &valid) {
        member.run.temperature = member.fitted_temperature(&spec, valid, isa, threads)?;
    }
    Ok(Trained { member, rows, seconds })
}

impl Member {
    /// The temperature at which the whole network gives the rows' classes the highest likelihood; `spec` is
    /// that of its run.
    fn fitted_temperature(
        &self,
        spec: &Spec,
        examples: &Examples,
        isa: Isa,
        threads: &Threads,
    ) -> Result<f32> {
        let Targets::Classes { labels, .. } = &examples.targets else { return Ok(1.0) };
        let thinning = Thinning::new(&spec.thin, &self.network, spec.seed)?;
        let outputs = threads.run(|| thin::outputs(isa, &self.network, &thinning, &examples.inputs))?;
        let link = Link::of(spec.train.loss.unwrap_or(Loss::CrossEntropy));
        Ok(temperature(link, &outputs, labels, examples.weights.as_deref()))
    }

    fn ended(&self) -> Event<'_> {
        let run = &self.run;
        let chosen = run.chosen_epoch.checked_sub(1).and_then(|index| run.history.get(index as usize));
        Event::MemberEnded { member: self.number, ended: run.ended, epochs: run.history.len() as u64, chosen }
    }
}
