//! The members of an ensemble are trained side by side, each on its own threads.

use std::sync::{Mutex, PoisonError};

use thinnet_kernels::Isa;

use super::members::{Draw, Member};
use super::{Prepared, Run};
use crate::average::{Link, temperature};
use crate::data::{Examples, Targets, Task};
use crate::error::{Error, Result};
use crate::spec::Spec;
use crate::thin::{self, Drop, Thinning};
use crate::train::{Ended, Event, Flow, Outcome, Stop, Threads, Trainer, side_by_side};

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
    let (members, minutes) = (prepared.spec.ensemble.members, prepared.spec.train.minutes);
    if members == 1 {
        return Ok(vec![train_member(prepared, 0, minutes, isa, threads, watch)?]);
    }
    let lanes = threads.count().min(members);
    let minutes = minutes / members.div_ceil(lanes) as f64;
    let (stop, watch) = (Stop::default(), Mutex::new(watch));
    let tell = |event: &Event| {
        let flow = watch.lock().unwrap_or_else(PoisonError::into_inner)(event);
        stop.hear(flow)
    };
    let work = |threads: &Threads, &number: &usize| {
        if stop.is_set() {
            return Ok(None);
        }
        let mut watch = |event: &Event| tell(&Event::Member { member: number, event });
        let trained = train_member(prepared, number, minutes, isa, threads, &mut watch);
        match &trained {
            Ok(Trained { member, .. }) => tell(&member.ended()),
            Err(_) => stop.hear(Flow::Stop),
        };
        trained.map(Some)
    };
    let numbers: Vec<usize> = (0..members).collect();
    let trained = side_by_side(lanes, threads.count() / lanes, &numbers, work)?;
    Ok(without_beginners(trained.into_iter().flatten().collect()))
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
        let link = Link::of(spec.train.loss_for(Task::Classification));
        Ok(temperature(link, &outputs, labels, examples.weights.as_deref()))
    }

    fn ended(&self) -> Event<'_> {
        let run = &self.run;
        let chosen = run.chosen_epoch.checked_sub(1).and_then(|index| run.history.get(index as usize));
        Event::MemberEnded { member: self.number, ended: run.ended, epochs: run.history.len() as u64, chosen }
    }
}
