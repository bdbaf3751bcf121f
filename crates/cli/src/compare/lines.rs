//! What is seen of a comparison while it goes on: lines on standard error.

use std::time::Instant;

use thinnet::compare::{Event, Plan, Setup, Stage};
use thinnet::model::Evaluation;

use crate::text;

/// Lines of progress of the search.
const LINES: usize = 10;

/// Lines on standard error while the comparison goes on.
pub struct Lines<'a> {
    setup: &'a Setup,
    began: Instant,
    quiet: bool,
}

impl<'a> Lines<'a> {
    /// None but warnings if `quiet`.
    pub fn new(setup: &'a Setup, quiet: bool) -> Self {
        Self { setup, began: Instant::now(), quiet }
    }

    /// Hears of what happens.
    pub fn tell(&self, event: &Event) {
        if let Event::Ready { prepared, .. } = event {
            prepared.warnings.iter().for_each(|warning| text::warn(warning));
        }
        let line = match event {
            _ if self.quiet => None,
            Event::Ready { lanes, .. } => Some(format!(
                "{}, {}, {} in all, {} at a time",
                text::counted(self.setup.methods.len(), "method", "methods at equal cost"),
                text::counted(self.setup.seeds as usize, "seed", "seeds"),
                text::seconds(60.0 * self.setup.minutes),
                text::counted(*lanes, "run", "runs")
            )),
            Event::Planned(plan) => Some(planned(plan)),
            Event::Candidate { done, total, .. } => {
                let parts = |done: usize| done * LINES / total;
                (parts(*done) > parts(done - 1)).then(|| format!("search {done}/{total}  {}", self.clock()))
            }
            Event::Chosen { method, spec, loss } => {
                Some(format!("{method}: {}, valid loss {loss:.4}", method.settings(spec)))
            }
            Event::Run { run, done, total } => {
                let width = total.to_string().len();
                let loss = match run.measured.as_ref().map(|of| &of.valid) {
                    Some(Evaluation::Classification(of)) => format!("valid nll {:.4}", of.nll),
                    Some(Evaluation::Regression(of)) => format!("valid rmse {}", text::number(of.rmse)),
                    None => "no longer finite".into(),
                };
                Some(format!(
                    "run {done:>width$}/{total}  {}, seed {}: {} in {}, {loss}  {}",
                    run.method,
                    run.seed,
                    epochs(run.epochs),
                    text::seconds(run.seconds),
                    self.clock()
                ))
            }
            Event::Step => None,
        };
        if let Some(line) = line {
            text::say(&line);
        }
    }

    fn clock(&self) -> String {
        text::clock(self.began.elapsed().as_secs_f64())
    }
}

/// How long the runs of a stage are.
fn planned(plan: &Plan) -> String {
    let what = match plan.stage {
        Stage::Search(0) => "a quarter of a run for each, to see how long it takes",
        Stage::Search(_) => "search for settings",
        Stage::Runs => "runs",
    };
    let (fewest, most) = (plan.epochs.values().min(), plan.epochs.values().max());
    let (fewest, most) = (fewest.copied().unwrap_or(0), most.copied().unwrap_or(0));
    let each = if fewest == most { epochs(most) } else { format!("{fewest} to {}", epochs(most)) };
    let capped = plan.capped();
    let capped = match (capped.len(), plan.epochs.len()) {
        (0, _) => String::new(),
        (some, all) if some == all => "; more would be of no use, so it will end before its minutes".into(),
        _ => {
            let names: Vec<&str> = capped.iter().map(|method| method.name()).collect();
            format!("; more would be of no use to {}", names.join(", "))
        }
    };
    format!("{what}: {} and {each} for each network{capped}", text::seconds(plan.share))
}

fn epochs(number: u64) -> String {
    text::counted(number as usize, "epoch", "epochs")
}
