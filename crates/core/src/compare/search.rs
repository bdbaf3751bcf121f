//! The search: how fast each method is, and which of its candidates the validation rows favour.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::comparison::Comparison;
use super::halving::{Rung, lowest, rungs};
use super::method::CANDIDATES;
use super::record::Record;
use super::setup::Ready;
use super::{Candidate, Event, Method, Plan, Stage};
use crate::error::Result;
use crate::spec::Spec;
use crate::train::{Ended, Outcome, side_by_side};

/// The part of the minutes in which speeds are measured.
const MEASURING: f64 = 0.03;
/// The most seconds for the speed of one method.
const MOST_SECONDS: f64 = 1.5;
/// The candidate whose speed is taken for all of its method, from the middle.
const TYPICAL: usize = 4;
/// The one with the lowest learning rate, where the loss of that one does not stay finite.
const MILDEST: usize = 0;

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
    /// Rows trained a second by each method, while all lanes are at work; none of a method whose loss does not
    /// stay finite for an epoch. Nothing but time is learned from these runs.
    fn speeds(&self, first: &Ready) -> Result<Option<BTreeMap<Method, f64>>> {
        let methods = self.setup.searched();
        let all = 60.0 * self.setup.minutes * MEASURING * self.lanes as f64;
        let minutes = (all / methods.len() as f64).min(MOST_SECONDS) / 60.0;
        let speed = |&method: &Method| {
            for candidate in [TYPICAL, MILDEST] {
                let mut spec = self.candidate_spec(first, method, candidate);
                (spec.train.epochs, spec.train.minutes) = (u64::MAX, minutes);
                let threads = self.lane_threads()?;
                let outcome = first.prepared.train_only(&spec, &threads, &mut self.watched())?;
                if outcome.rows > 0 {
                    return Ok(Some((method, outcome.rows as f64 / outcome.seconds)));
                }
            }
            Ok(None)
        };
        let speeds = side_by_side(self.lanes, &methods, speed)?;
        Ok((!self.is_stopped()).then(|| speeds.into_iter().flatten().collect()))
    }

    /// Runs the candidates rung by rung; what is written down already is not run again.
    pub fn search(&self, first: &Ready) -> Result<Option<Searched>> {
        let speeds = match self.written_plan(Stage::Search(0)) {
            Some(plan) => Some(plan.speeds),
            None => self.speeds(first)?,
        };
        let Some(speeds) = speeds else { return Ok(None) };
        let mut methods = self.setup.searched();
        methods.retain(|method| speeds.contains_key(method));
        let specs: Vec<Vec<Spec>> =
            methods.iter().map(|method| method.candidates(&first.prepared.spec)).collect();
        let rungs = rungs(CANDIDATES);
        let total = methods.len() * rungs.iter().map(|rung| rung.candidates).sum::<usize>();
        self.done.store(0, Ordering::Relaxed);
        let mut left: Vec<Vec<usize>> = vec![(0..CANDIDATES).collect(); methods.len()];
        let mut plan = self.plan(first, Stage::Search(0), || speeds)?;
        let mut ran: Vec<Candidate> = Vec::new();
        for (number, rung) in rungs.iter().enumerate() {
            if number > 0 {
                let known = methods.iter().zip(&specs).zip(&left);
                let speeds =
                    || known.map(|((&of, specs), left)| (of, speed(of, specs, left, &ran))).collect();
                plan = self.plan(first, Stage::Search(number), speeds)?;
            }
            let places =
                left.iter().enumerate().flat_map(|(at, of)| of.iter().map(move |&place| (at, place)));
            let jobs: Vec<(usize, usize)> = places.collect();
            let job = |&(at, candidate): &(usize, usize)| {
                let candidate = self.candidate(first, &plan, methods[at], candidate, number, *rung)?;
                if let Some(candidate) = &candidate {
                    let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                    self.tell(&Event::Candidate { candidate, done, total });
                }
                Ok(candidate)
            };
            let Some(results) = side_by_side(self.lanes, &jobs, job)?.into_iter().collect::<Option<Vec<_>>>()
            else {
                return Ok(None);
            };
            ran.extend(results);
            let keep = rungs.get(number + 1).map_or(1, |rung| rung.candidates);
            for (at, left) in left.iter_mut().enumerate() {
                let of = |of: &&Candidate| of.method == methods[at] && of.rung == number;
                let losses: Vec<f64> =
                    ran.iter().filter(of).map(|of| of.loss.unwrap_or(f64::INFINITY)).collect();
                let best = lowest(&losses, keep).into_iter().filter(|&place| losses[place].is_finite());
                *left = best.map(|place| left[place]).collect();
            }
        }
        let mut chosen = BTreeMap::new();
        for ((&method, specs), left) in methods.iter().zip(&specs).zip(&left) {
            let best = ran.iter().rev().find(|run| run.method == method && left.contains(&run.candidate));
            let Some((candidate, loss)) = best.and_then(|best| Some((best.candidate, best.loss?))) else {
                continue;
            };
            self.tell(&Event::Chosen { method, spec: &specs[candidate], loss });
            chosen.insert(method, Chosen { candidate, speed: speed(method, specs, left, &ran) });
        }
        Ok(Some(Searched { chosen, plan }))
    }

    /// One run of the search, or what is written down of it; none if it was stopped.
    fn candidate(
        &self,
        first: &Ready,
        plan: &Plan,
        method: Method,
        candidate: usize,
        rung: usize,
        of: Rung,
    ) -> Result<Option<Candidate>> {
        let is_it =
            |found: &Candidate| (found.method, found.candidate, found.rung) == (method, candidate, rung);
        let written = self.folder().records.iter().find_map(|record| match record {
            Record::Candidate(found) if is_it(found) => Some(*found),
            _ => None,
        });
        if written.is_some() || self.is_stopped() {
            return Ok(written);
        }
        let epochs = of.epochs(plan.epochs(method));
        let spec = method.run(&self.candidate_spec(first, method, candidate), epochs, 1);
        let outcome = first.prepared.train_only(&spec, &self.lane_threads()?, &mut self.watched())?;
        if self.is_stopped() {
            return Ok(None);
        }
        let is_finite = !matches!(outcome.ended, Ended::NotFinite { .. });
        let last = outcome.history.get((outcome.chosen_epoch as usize).wrapping_sub(1));
        let loss = last.and_then(|epoch| epoch.valid_loss).filter(|_| is_finite);
        let Outcome { rows, seconds, .. } = outcome;
        let elapsed = self.elapsed();
        let ran = Candidate { method, candidate, rung, epochs, loss, rows, seconds, elapsed };
        self.folder().append(Record::Candidate(ran))?;
        Ok(Some(ran))
    }

    fn candidate_spec(&self, first: &Ready, method: Method, candidate: usize) -> Spec {
        method.candidates(&first.prepared.spec)[candidate].clone()
    }
}

/// Rows trained a second in the runs of a method that thin as one of the candidates that are left: what is
/// dropped makes a run faster or slower; strengths and learning rates do not.
fn speed(method: Method, specs: &[Spec], left: &[usize], ran: &[Candidate]) -> f64 {
    let alike = |run: &&Candidate| {
        run.method == method && left.iter().any(|&place| specs[place].thin == specs[run.candidate].thin)
    };
    let add = |(rows, seconds), run: &Candidate| (rows + run.rows, seconds + run.seconds);
    let (rows, seconds) = ran.iter().filter(alike).fold((0, 0.0), add);
    rows as f64 / f64::max(seconds, f64::MIN_POSITIVE)
}
