//! The search: how fast each method is, and which of its candidates the validation rows favour.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::comparison::Comparison;
use super::record::Record;
use super::rungs::{MILDEST, RUNGS, Rung, TYPICAL};
use super::setup::Ready;
use super::{Candidate, Event, Method, Plan, Stage};
use crate::error::Result;
use crate::spec::Spec;
use crate::train::{Ended, Outcome, Threads, side_by_side};

/// The part of the minutes in which speeds are measured.
const MEASURING: f64 = 0.03;
/// The most seconds for the speed of one method.
const MOST_SECONDS: f64 = 1.5;

/// What the search found.
pub(super) struct Searched {
    /// For each method with which any loss stayed finite.
    pub chosen: BTreeMap<Method, Chosen>,
    /// The plan of the last rung, whose runs had all epochs.
    pub plan: Plan,
}

/// What the search found for a method.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// Which of its candidates.
    pub candidate: usize,
    /// Rows that its network trained a second.
    pub speed: f64,
}

impl Comparison<'_> {
    /// Rows trained a second by each method, while all lanes are at work; none of a method whose loss does
    /// not stay finite for an epoch. Nothing but time is learned from these runs.
    fn speeds(&self, first: &Ready) -> Result<Option<BTreeMap<Method, f64>>> {
        let methods = self.setup.searched();
        let turns = methods.len().div_ceil(self.lanes) as f64;
        let minutes = (60.0 * self.setup.minutes * MEASURING / turns).min(MOST_SECONDS) / 60.0;
        let speed = |threads: &Threads, &method: &Method| {
            // The second where the loss of the first does not stay finite.
            for candidate in [TYPICAL, MILDEST] {
                let mut spec = self.candidate_spec(first, method, candidate);
                (spec.train.epochs, spec.train.minutes) = (u64::MAX, minutes);
                let outcome = first.prepared.train_only(&spec, threads, &mut self.watched())?;
                if outcome.rows > 0 {
                    return Ok(Some((method, outcome.rows as f64 / outcome.seconds)));
                }
            }
            Ok(None)
        };
        let speeds = side_by_side(self.lanes, self.threads_of_each, &methods, speed)?;
        Ok((!self.is_stopped()).then(|| speeds.into_iter().flatten().collect()))
    }

    /// Runs the rungs; what is written down already is not run again.
    pub fn search(&self, first: &Ready) -> Result<Option<Searched>> {
        let speeds = match self.written_plan(Stage::Search(0)) {
            Some(plan) => Some(plan.speeds),
            None => self.speeds(first)?,
        };
        let Some(speeds) = speeds else { return Ok(None) };
        let mut methods = self.setup.searched();
        methods.retain(|method| speeds.contains_key(method));
        let total = methods.len() * RUNGS.iter().map(|rung| rung.candidates(0).len()).sum::<usize>();
        self.done.store(0, Ordering::Relaxed);
        let mut plan = self.plan(first, Stage::Search(0), || speeds)?;
        let mut ran: Vec<Candidate> = Vec::new();
        for (number, rung) in RUNGS.into_iter().enumerate() {
            if rung == Rung::Rates {
                let shown = |method: Method| speed(ran.iter().filter(|run| run.method == method));
                let of = |(&method, &before): (&Method, &f64)| (method, shown(method).unwrap_or(before));
                let speeds = plan.speeds.iter().map(of).collect();
                plan = self.plan(first, Stage::Search(number), || speeds)?;
                ran.clear();
            }
            let of = |&method: &Method| {
                // Where no learning rate has a finite loss, no dose is tried.
                let places = match (rung, best(&ran, method)) {
                    (Rung::Doses, None) => Vec::new(),
                    (_, best) => rung.candidates(best.map_or(TYPICAL, |(candidate, _)| candidate)),
                };
                places.into_iter().map(move |candidate| (method, candidate))
            };
            let jobs: Vec<(Method, usize)> = methods.iter().flat_map(of).collect();
            let job = |threads: &Threads, &which: &(Method, usize)| {
                let candidate = self.candidate(first, &plan, which, (number, rung), threads)?;
                if let Some(candidate) = &candidate {
                    let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                    self.tell(&Event::Candidate { candidate, done, total });
                }
                Ok(candidate)
            };
            let results = side_by_side(self.lanes, self.threads_of_each, &jobs, job)?;
            let Some(results) = results.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
            ran.extend(results);
        }
        let mut chosen = BTreeMap::new();
        for (&method, &before) in &plan.speeds {
            let specs = method.candidates(&first.prepared.spec);
            let Some((candidate, loss)) = best(&ran, method) else { continue };
            self.tell(&Event::Chosen { method, spec: &specs[candidate], loss });
            // What is dropped makes a run faster or slower; strengths and learning rates do not.
            let alike =
                |run: &&Candidate| run.method == method && specs[run.candidate].thin == specs[candidate].thin;
            let speed = speed(ran.iter().filter(alike)).unwrap_or(before);
            chosen.insert(method, Chosen { candidate, speed });
        }
        Ok(Some(Searched { chosen, plan }))
    }

    /// One run of the search, or what is written down of it; none if it was stopped.
    fn candidate(
        &self,
        first: &Ready,
        plan: &Plan,
        (method, candidate): (Method, usize),
        (number, rung): (usize, Rung),
        threads: &Threads,
    ) -> Result<Option<Candidate>> {
        let is_it =
            |found: &Candidate| (found.method, found.candidate, found.rung) == (method, candidate, number);
        let written = self.folder().records.iter().find_map(|record| match record {
            Record::Candidate(found) if is_it(found) => Some(*found),
            _ => None,
        });
        if written.is_some() || self.is_stopped() {
            return Ok(written);
        }
        let epochs = rung.epochs(plan.epochs(method));
        let spec = method.run(&self.candidate_spec(first, method, candidate), epochs, 1);
        let outcome = first.prepared.train_only(&spec, threads, &mut self.watched())?;
        if self.is_stopped() {
            return Ok(None);
        }
        let is_finite = !matches!(outcome.ended, Ended::NotFinite { .. });
        let last = outcome.history.get((outcome.chosen_epoch as usize).wrapping_sub(1));
        let loss = last.and_then(|epoch| epoch.valid_loss).filter(|_| is_finite);
        let Outcome { rows, seconds, .. } = outcome;
        let elapsed = self.elapsed();
        let ran = Candidate { method, candidate, rung: number, epochs, loss, rows, seconds, elapsed };
        self.folder().append(Record::Candidate(ran))?;
        Ok(Some(ran))
    }

    fn candidate_spec(&self, first: &Ready, method: Method, candidate: usize) -> Spec {
        method.candidates(&first.prepared.spec)[candidate].clone()
    }
}

/// The candidate of a method with the lowest loss, of equals the first, and its loss.
fn best(ran: &[Candidate], method: Method) -> Option<(usize, f64)> {
    let own = ran.iter().filter(|run| run.method == method);
    let losses = own.filter_map(|run| Some((run.candidate, run.loss?)));
    losses.min_by(|one, other| one.1.total_cmp(&other.1))
}

/// Rows trained a second in some runs; none if they have trained none.
fn speed<'a>(runs: impl Iterator<Item = &'a Candidate>) -> Option<f64> {
    let (rows, seconds) =
        runs.fold((0, 0.0), |(rows, seconds), run| (rows + run.rows, seconds + run.seconds));
    (rows > 0 && seconds > 0.0).then(|| rows as f64 / seconds)
}
