//! The comparison from its first to its last row.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::budget::{self, Load};
use super::folder::{Folder, has_begun};
use super::record::Record;
use super::setup::Ready;
use super::{Compared, Event, Made, Method, Plan, Sets, Setup, Stage};
use crate::error::{Error, Result};
use crate::model::Prepared;
use crate::train::{self, Flow, Stop, Threads};

/// Multiply-adds of a mini-batch from which on the threads work inside the step, one run after the other.
const LARGE: usize = 100_000_000;
/// So many times the minutes that are needed are advised, for a machine whose speed changes.
const SPARE: f64 = 1.2;

/// Compares the methods of a setup, and leaves in `folder` the model of the best (`best.thinnet`), the first
/// model of each method (`models`), the spec of each run (`specs`) and all that was measured
/// (`results.json`). With `resume` it goes on with the comparison that was begun there. `threads` is how
/// many there are, 0 for as many as the machine has. `watch` hears of what happens and may stop the
/// comparison: the result is then none, and what is done is kept.
///
/// # Errors
/// A setup or data that cannot be used, a folder that cannot be written, or that holds another comparison or
/// one of another version or instruction set, too few minutes, or no method whose losses stay finite.
pub fn compare(
    sets: &Sets,
    setup: &Setup,
    folder: &Path,
    resume: bool,
    threads: usize,
    watch: &(dyn Fn(&Event) -> Flow + Sync),
) -> Result<Option<Compared>> {
    setup.check()?;
    let began = Instant::now();
    let first = Arc::new(sets.ready(&setup.spec, setup.spec.seed)?);
    let (path, was_there) = (folder, folder.exists());
    let threads = Threads::new(threads)?.count();
    let folder = Folder::open(path, resume, setup, sets, Made::now(threads)?)?;
    let lanes = if is_large(&first.prepared) { 1 } else { threads };
    let comparison = Comparison {
        sets,
        setup,
        before: folder.elapsed(),
        began,
        folder: Mutex::new(folder),
        lanes,
        threads_of_each: (threads / lanes).max(1),
        shelf: Mutex::new(BTreeMap::from([(setup.spec.seed, Arc::clone(&first))])),
        watch,
        stop: Stop::default(),
        done: AtomicUsize::new(0),
    };
    let (prepared, test_rows) = (&first.prepared, first.test.rows());
    comparison.tell(&Event::Ready { prepared, test_rows, lanes });
    let compared = comparison.run(&first);
    if !was_there && !has_begun(path) {
        // Nothing is in it; if there is after all, it stays.
        let _ = fs::remove_dir(path);
    }
    compared
}

/// Whether a step of a network is enough work for all threads.
fn is_large(prepared: &Prepared) -> bool {
    let widths = prepared.spec.network.widths(prepared.pipeline.input_units(), prepared.outputs());
    let weights: usize = widths.windows(2).map(|pair| pair[0].saturating_mul(pair[1])).sum();
    weights.saturating_mul(prepared.spec.train.batch_for(prepared.train.rows())) > LARGE
}

/// A comparison under way.
pub(super) struct Comparison<'a> {
    pub sets: &'a Sets<'a>,
    pub setup: &'a Setup,
    pub folder: Mutex<Folder>,
    /// How many runs go on at a time.
    pub lanes: usize,
    /// How many threads each lane has.
    pub threads_of_each: usize,
    /// The rows of the seeds that are at work.
    shelf: Mutex<BTreeMap<u32, Arc<Ready>>>,
    watch: &'a (dyn Fn(&Event) -> Flow + Sync),
    stop: Stop,
    /// Runs done in this stage.
    pub done: AtomicUsize,
    began: Instant,
    /// Seconds that went by before it was stopped and went on.
    before: f64,
}

impl Comparison<'_> {
    fn run(&self, first: &Ready) -> Result<Option<Compared>> {
        let Some(searched) = self.search(first)? else { return Ok(None) };
        let speeds = || searched.chosen.iter().map(|(&method, chosen)| (method, chosen.speed)).collect();
        let plan = self.plan(first, Stage::Runs, speeds)?;
        let Some(runs) = self.runs(&searched.chosen, &plan)? else { return Ok(None) };
        let mut compared = Compared::new(self.setup, first, runs, (plan, &searched.plan))?;
        let folder = self.folder();
        folder.keep(compared.best)?;
        compared.folder = folder.path().into();
        compared.seconds = self.elapsed();
        Ok(Some(compared))
    }

    /// How many epochs each method has from a stage on: as it was written down, or by the time that is left
    /// and the speeds that are known by now.
    pub fn plan(
        &self,
        first: &Ready,
        stage: Stage,
        speeds: impl FnOnce() -> BTreeMap<Method, f64>,
    ) -> Result<Plan> {
        let plan = match self.written_plan(stage) {
            Some(plan) => plan,
            None => {
                let plan = self.new_plan(first, stage, speeds());
                if stage == Stage::Search(0) {
                    self.check(&plan, first.prepared.train.rows())?;
                }
                self.folder().append(Record::Plan(plan.clone()))?;
                plan
            }
        };
        self.tell(&Event::Planned(&plan));
        Ok(plan)
    }

    fn new_plan(&self, first: &Ready, stage: Stage, speeds: BTreeMap<Method, f64>) -> Plan {
        let elapsed = self.elapsed();
        let left = 60.0 * self.setup.minutes - elapsed;
        let share = Load::from(stage, self.setup, self.lanes).share(left);
        let rows = first.prepared.train.rows();
        let most = budget::most_epochs(self.setup.epochs, rows, first.prepared.spec.train.batch_for(rows));
        let epochs =
            |(&method, &speed): (&Method, &f64)| (method, budget::epochs(share, speed, rows, most).max(1));
        Plan { stage, share, epochs: speeds.iter().map(epochs).collect(), speeds, most, elapsed }
    }

    /// Refuses a budget in which the first candidates would have less than an epoch.
    fn check(&self, plan: &Plan, rows: usize) -> Result<()> {
        let fewest = budget::FEWEST_EPOCHS.min(plan.most);
        let slowest = plan.speeds.iter().min_by(|one, other| one.1.total_cmp(other.1));
        match slowest {
            Some((&method, &speed)) if budget::epochs(plan.share, speed, rows, fewest) < fewest => {
                let needed = budget::seconds(fewest, speed, rows);
                let all = plan.elapsed + Load::from(plan.stage, self.setup, self.lanes).seconds(needed);
                let problem = format!(
                    "{} are too few: a run of {method} would have {:.1} seconds, and {fewest} of its epochs take \
                     {needed:.1}; take about {:.1}, fewer methods, or fewer seeds",
                    self.setup.minutes,
                    plan.share,
                    (SPARE * all / 6.0).ceil() / 10.0
                );
                Err(Error::argument("minutes", problem))
            }
            _ => Ok(()),
        }
    }

    /// The plan of a stage, if it is written down.
    pub fn written_plan(&self, stage: Stage) -> Option<Plan> {
        self.folder().records.iter().find_map(|record| match record {
            Record::Plan(plan) if plan.stage == stage => Some(plan.clone()),
            _ => None,
        })
    }

    /// The rows of a seed, for all lanes that are at work with it. Those of a seed that no lane is at work
    /// with are given up when another is asked for.
    pub fn ready(&self, seed: u32) -> Result<Arc<Ready>> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.retain(|&other, ready| other == seed || Arc::strong_count(ready) > 1);
        if let Some(ready) = shelf.get(&seed) {
            return Ok(Arc::clone(ready));
        }
        let ready = Arc::new(self.sets.ready(&self.setup.spec, seed)?);
        shelf.insert(seed, Arc::clone(&ready));
        Ok(ready)
    }

    pub fn folder(&self) -> MutexGuard<'_, Folder> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since the comparison began, without those between being stopped and going on.
    pub fn elapsed(&self) -> f64 {
        self.before + self.began.elapsed().as_secs_f64()
    }

    /// Tells of something; who stops one run stops them all.
    pub fn tell(&self, event: &Event) -> Flow {
        self.stop.hear((self.watch)(event))
    }

    /// What a run is watched with.
    pub fn watched(&self) -> impl FnMut(&train::Event) -> Flow + Send {
        |_| self.tell(&Event::Step)
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.is_set()
    }
}
