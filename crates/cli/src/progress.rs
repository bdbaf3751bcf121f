//! What is seen of a run while it goes on, and Ctrl-C.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use thinnet::Spec;
use thinnet::train::{Epoch, Event, Flow};

use crate::text;

/// The exit status of a program that Ctrl-C ends: 128 + the number of the signal.
const INTERRUPTED: i32 = 130;
/// The same of a request to terminate.
const TERMINATED: i32 = 143;
/// How long a second signal is taken for the first one.
const GRACE: Duration = Duration::from_secs(1);
/// Plain lines of a run.
const LINES: f64 = 20.0;
/// Positions of the bar.
const LENGTH: u64 = 1000;
/// A done part of the bar, the part that is under way, the rest.
const CHARACTERS: &str = "━╸─";
/// Between two looks of the bar at the run.
const PAUSE: Duration = Duration::from_millis(100);

/// Watches a run: shows how far it is, and ends it after Ctrl-C.
pub struct Progress {
    look: Look,
    interrupted: Arc<AtomicBool>,
    began: Instant,
    epochs: u64,
    minutes: f64,
    /// The part of the run that is done, from 0 to 1.
    done: f64,
    rows: u64,
    last: Option<Epoch>,
    /// What is done of each member of an ensemble.
    members: Vec<Done>,
    ended: usize,
}

/// What a member has done: which part of its run, from 0 to 1, and how many rows.
#[derive(Clone, Copy, Default)]
struct Done {
    part: f64,
    rows: u64,
}

enum Look {
    Nothing,
    /// Lines for some of the epochs: how many parts of the run have had theirs, and the last epoch with one.
    Lines {
        parts: f64,
        epoch: u64,
    },
    Bar {
        bar: ProgressBar,
        next: Instant,
    },
}

impl Progress {
    /// A bar where standard error is a terminal, else lines; nothing if `quiet`. From here on the first
    /// Ctrl-C ends the run after its step, and one a second later the program.
    pub fn new(spec: &Spec, quiet: bool) -> anyhow::Result<Self> {
        let interrupted = interrupted()?;
        let look = if quiet {
            Look::Nothing
        } else if is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(LENGTH), ProgressDrawTarget::stderr());
            bar.set_style(ProgressStyle::with_template("{bar:8} {wide_msg}")?.progress_chars(CHARACTERS));
            Look::Bar { bar, next: Instant::now() }
        } else {
            Look::Lines { parts: 0.0, epoch: 0 }
        };
        let (epochs, minutes) = (spec.train.epochs, spec.train.minutes);
        let members = match spec.ensemble.members {
            1 => Vec::new(),
            several => vec![Done::default(); several],
        };
        let began = Instant::now();
        let (done, rows, last, ended) = (0.0, 0, None, 0);
        Ok(Self { look, interrupted, began, epochs, minutes, done, rows, last, members, ended })
    }

    /// Hears of an event of the run.
    pub fn note(&mut self, event: &Event) -> Flow {
        match event {
            Event::Step { steps, total_steps, loss, rows } => {
                self.rows = *rows;
                self.step(*steps as f64 / *total_steps as f64, *loss);
            }
            Event::Epoch(epoch) => self.epoch(epoch),
            Event::Member { member, event } => self.member(*member, event),
            Event::MemberEnded { member, epochs, chosen, .. } => self.member_ended(*member, *epochs, *chosen),
        }
        if self.interrupted.load(Ordering::Relaxed) { Flow::Stop } else { Flow::Continue }
    }

    fn member(&mut self, member: usize, event: &Event) {
        match event {
            Event::Step { steps, total_steps, loss, rows } => {
                let part = *steps as f64 / *total_steps as f64;
                self.rows += *rows - self.members[member].rows;
                self.members[member] = Done { part, rows: *rows };
                let sum: f64 = self.members.iter().map(|member| member.part).sum();
                self.step(sum / self.members.len() as f64, *loss);
            }
            Event::Epoch(epoch) => self.last = Some(**epoch),
            _ => {}
        }
    }

    fn member_ended(&mut self, member: usize, epochs: u64, chosen: Option<&Epoch>) {
        self.ended += 1;
        self.members[member].part = 1.0;
        if let Look::Lines { .. } = self.look {
            let width = self.members.len().to_string().len();
            let mut line = format!("member {:>width$}/{}  {epochs} epochs", member + 1, self.members.len());
            if let Some(chosen) = chosen {
                let valid = valid(chosen).map_or(String::new(), |valid| format!("  {valid}"));
                line += &format!(", {} kept{valid}", chosen.epoch);
            }
            text::say(&format!("{line}  {}", text::clock(self.began.elapsed().as_secs_f64())));
        }
    }

    fn step(&mut self, steps_done: f64, loss: f64) {
        let Look::Bar { bar, next } = &mut self.look else {
            self.done = steps_done;
            return;
        };
        let now = Instant::now();
        if now < *next {
            return;
        }
        *next = now + PAUSE;
        let seconds = (now - self.began).as_secs_f64();
        let minutes_done = if self.minutes > 0.0 { seconds / 60.0 / self.minutes } else { 0.0 };
        self.done = steps_done.max(minutes_done).min(1.0);
        bar.set_position((self.done * LENGTH as f64) as u64);
        let number = self.last.map_or(1, |epoch| epoch.epoch + 1);
        let mut message = match self.members.len() {
            0 => format!("{number}{}  loss {loss:.4}", of(self.epochs)),
            members => format!("{}/{members} members  loss {loss:.4}", self.ended),
        };
        if let Some((loss, epoch)) = self.last.as_ref().and_then(|epoch| Some((epoch.valid_loss?, epoch))) {
            let error =
                epoch.valid_error.map_or(String::new(), |error| format!(" ({})", text::percent(error)));
            message += &format!("  valid {loss:.4}{error}");
        }
        message += &format!("  {} rows/s", text::count((self.rows as f64 / seconds) as u64));
        if self.done > 0.0 {
            message += &format!("  {} left", text::clock(seconds * (1.0 - self.done) / self.done));
        }
        bar.set_message(message);
    }

    fn epoch(&mut self, epoch: &Epoch) {
        self.last = Some(*epoch);
        let Look::Lines { parts, .. } = &mut self.look else { return };
        let minutes = self.began.elapsed().as_secs_f64() / 60.0;
        let minutes_done = if self.minutes > 0.0 { minutes / self.minutes } else { 0.0 };
        // The first epoch has a line, and the one that ends each 20th of the run.
        let part = (self.done.max(minutes_done) * (LINES - 1.0)).floor();
        if epoch.epoch == 1 || part > *parts {
            *parts = part;
            self.line();
        }
    }

    /// A line for the last epoch, if it has none yet.
    fn line(&mut self) {
        let (Look::Lines { epoch: written, .. }, Some(epoch)) = (&mut self.look, &self.last) else { return };
        if *written == epoch.epoch {
            return;
        }
        *written = epoch.epoch;
        let width = self.epochs.to_string().len();
        let mut line =
            format!("epoch {:>width$}{}  loss {:.4}", epoch.epoch, of(self.epochs), epoch.train_loss);
        if let Some(valid) = valid(epoch) {
            line += &format!("  {valid}");
        }
        let seconds = self.began.elapsed().as_secs_f64();
        let rate = text::count((self.rows as f64 / seconds) as u64);
        text::say(&format!("{line}  {rate} rows/s  {}", text::clock(seconds)));
    }

    /// The run is over: the bar goes, the last epoch has its line.
    pub fn finish(mut self) {
        if self.members.is_empty() {
            self.line();
        }
        if let Look::Bar { bar, .. } = &self.look {
            bar.finish_and_clear();
        }
    }
}

/// From here on the first Ctrl-C, or a request to terminate, sets this flag, and a second one that comes
/// [`GRACE`] later ends the program. One that comes sooner is the same again: some programs signal a process and
/// then its group.
pub fn interrupted() -> anyhow::Result<Arc<AtomicBool>> {
    let [interrupted, ends] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    for (signal, status) in [(SIGINT, INTERRUPTED), (SIGTERM, TERMINATED)] {
        flag::register_conditional_shutdown(signal, status, Arc::clone(&ends))?;
        flag::register(signal, Arc::clone(&interrupted))?;
    }
    let first = Arc::clone(&interrupted);
    std::thread::spawn(move || {
        while !first.load(Ordering::Relaxed) {
            std::thread::sleep(PAUSE);
        }
        std::thread::sleep(GRACE);
        ends.store(true, Ordering::Relaxed);
    });
    Ok(interrupted)
}

fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

fn of(epochs: u64) -> String {
    if epochs > 0 { format!("/{epochs}") } else { String::new() }
}

fn valid(epoch: &Epoch) -> Option<String> {
    let loss = format!("valid loss {:.4}", epoch.valid_loss?);
    Some(epoch.valid_error.map_or(loss.clone(), |error| format!("{loss}, error {}", text::percent(error))))
}

/// A bar that counts runs where standard error is a terminal, else nothing.
pub fn runs(count: usize) -> ProgressBar {
    let target = if is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{bar:20} {pos} of {len} runs, {eta} left");
    let bar = ProgressBar::with_draw_target(Some(count as u64), target);
    match style {
        Ok(style) => bar.with_style(style.progress_chars(CHARACTERS)),
        Err(_) => bar,
    }
}
