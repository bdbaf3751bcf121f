//! The result as a table for people and as JSON for programs.

use serde_json::{Map, Value, json};

use crate::checks::{Check, Results};
use crate::contest::{Contest, Workers};
use crate::machine::{cores, instruction_sets, processor};

/// The circumstances of a run.
pub struct Setting {
    /// Threads for each contestant.
    pub threads: usize,
    /// Rounds of each contest.
    pub rounds: usize,
    /// Whether the contestants were kept on the first cores.
    pub pinned: bool,
    /// What was left out, one sentence each.
    pub left_out: Vec<String>,
}

/// The whole report as plain text.
pub fn text(setting: &Setting, workers: &Workers, results: &Results, checks: &[Check]) -> String {
    let mut out = format!(
        "\n{}, {} cores, {}; {} threads{}, {} rounds\n",
        processor(),
        cores(),
        instruction_sets().join(" "),
        setting.threads,
        if setting.pinned { " on the first cores" } else { ", not pinned" },
        setting.rounds,
    );
    let libraries: Vec<&str> = workers.values().map(|worker| worker.library.as_str()).collect();
    out += &format!("{}\n", libraries.join(", "));
    for line in &setting.left_out {
        out += &format!("left out: {line}\n");
    }
    for contest in results.steps.iter().chain([&results.predict, &results.gemm]).chain(&results.own) {
        out += &table(contest);
    }
    out += "\nchecks\n";
    for check in checks {
        let value = check.value.map_or("-".into(), |value| format!("{value:.3}"));
        out += &format!("  {:<72} {value:>9}  {:<17} {}\n", check.name, check.demand(), check.verdict());
    }
    out
}

/// A contest, with the speed of each contestant against the fastest peer with dropout where there is one.
fn table(contest: &Contest) -> String {
    let peer = contest.fastest_peer();
    let heading = if peer.is_some() { "  times as fast as the fastest peer with dropout" } else { "" };
    let mut out =
        format!("\n{}\n  {:<36} {:>10} {:>10}{heading}\n", contest.title, "", "median ms", "min ms");
    for timing in &contest.timings {
        let (median, minimum) = (timing.median(), timing.minimum());
        let speed = peer.map_or(String::new(), |peer| format!("{:.2}", peer / median));
        let line =
            format!("  {:<36} {median:>10.4} {minimum:>10.4}  {speed:<6} {}", timing.label, timing.note);
        out += &format!("{}\n", line.trim_end());
    }
    out
}

/// The whole report for a file.
pub fn json(setting: &Setting, workers: &Workers, results: &Results, checks: &[Check]) -> Value {
    let libraries: Map<String, Value> =
        workers.iter().map(|(name, worker)| ((*name).to_owned(), json!(worker.library))).collect();
    let steps: Map<String, Value> =
        results.steps.iter().map(|contest| (contest.title.clone(), contest.json())).collect();
    json!({
        "machine": { "processor": processor(), "cores": cores(), "instruction_sets": instruction_sets() },
        "threads": setting.threads,
        "pinned": setting.pinned,
        "rounds": setting.rounds,
        "libraries": libraries,
        "left_out": setting.left_out,
        "steps": steps,
        "predict": results.predict.json(),
        "gemm": results.gemm.json(),
        "own": results.own.iter().map(|contest| (contest.title.clone(), contest.json())).collect::<Map<_, _>>(),
        "peak_megabytes_W2": results.peak_megabytes,
        "checks": checks.iter().map(Check::json).collect::<Vec<_>>(),
    })
}
