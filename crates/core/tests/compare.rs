//! Comparisons from the first row to the last: what they may depend on, and what they leave.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use thinnet::Spec;
use thinnet::compare::{Compared, Event, Method, Sets, Setup, compare, has_begun};
use thinnet::data::{Data, Table, Task};
use thinnet::model::fit;
use thinnet::prepare::Parts;
use thinnet::train::{Flow, Optimizer, Schedule, Threads};

const ROWS: usize = 150;

/// A folder of its own for a test.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("compare-{name}"));
    let _ = fs::remove_dir_all(&path);
    path
}

fn inputs(rows: usize) -> Vec<f32> {
    (0..2 * rows).map(|at| ((at * 7919 + at * at) % 101) as f32 / 50.0 - 1.0).collect()
}

fn table(targets: &[f32]) -> Data {
    Table::from_rows(&inputs(targets.len()), 2, Some(targets)).unwrap().into()
}

/// Which of two corners a point is in.
fn classes() -> Vec<f32> {
    inputs(ROWS).chunks_exact(2).map(|x| f32::from(x[0] * x[1] > 0.0)).collect()
}

fn values() -> Vec<f32> {
    inputs(ROWS).chunks_exact(2).map(|x| 30.0 * x[0] - 20.0 * x[1] * x[1] + 0.25).collect()
}

/// So few epochs that any machine has the time for them, and none decides how many there are.
fn setup(methods: &[Method]) -> Setup {
    let mut spec = Spec::default();
    spec.network.hidden = vec![8];
    (spec.data.test, spec.data.valid) = (0.25, Some(0.25));
    Setup { methods: methods.to_vec(), seeds: 2, members: 2, minutes: 0.1, epochs: 4, spec }
}

fn run(data: &Data, setup: &Setup, folder: &Path, resume: bool) -> Compared {
    let sets = Sets { data, valid: None, test: None };
    compare(&sets, setup, folder, resume, 2, &|_| Flow::Continue).unwrap().unwrap()
}

/// The records of a comparison in an order that threads do not change, without what a clock measured.
fn records(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("results.json")).unwrap();
    let timeless = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        for clock in ["seconds", "elapsed", "share", "speeds"] {
            record.as_object_mut().unwrap().remove(clock);
        }
        if record["record"] == "comparison" {
            record["made"]["threads"] = Value::Null;
        }
        record
    };
    let mut records: Vec<Value> = text.lines().map(timeless).collect();
    records.sort_by_key(|record| record.to_string());
    records
}

/// Every file of a folder but the records, with its bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for part in ["specs", "models"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            files.push((path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap()));
        }
    }
    files.push(("best.thinnet".into(), fs::read(folder.join("best.thinnet")).unwrap()));
    files.sort();
    files
}

/// Every full run has the same epochs, so that the search has met the chosen candidate's run of the first seed.
#[test]
fn the_search_takes_the_lowest_loss_on_the_validation_rows() {
    let setup = setup(&[Method::Nothing, Method::L2, Method::Dropout]);
    let folder = folder("chosen");
    run(&table(&classes()), &setup, &folder, false);
    let all = records(&folder);
    let mut judged = 0;
    for run in all.iter().filter(|record| record["record"] == "run" && record["seed"] == 0) {
        let of_method = |record: &&Value| {
            record["record"] == "candidate" && record["method"] == run["method"] && record["rung"] != 0
        };
        let loss = |record: &Value| record["loss"].as_f64().unwrap();
        let candidates: Vec<&Value> = all.iter().filter(of_method).collect();
        let chosen = candidates.iter().find(|record| record["candidate"] == run["candidate"]).unwrap();
        assert_eq!(candidates.len(), 7);
        assert!(candidates.iter().all(|record| loss(record) >= loss(chosen)), "{run}");
        let measured = &run["measured"];
        let epoch = measured["chosen_epoch"].as_u64().unwrap() as usize - 1;
        assert_eq!(measured["history"][epoch]["valid_loss"].as_f64(), Some(loss(chosen)));
        let valid = measured["valid"]["nll"].as_f64().unwrap();
        assert!((valid - loss(chosen)).abs() < 1e-5, "{valid}, not {}", loss(chosen));
        judged += 1;
    }
    assert_eq!(judged, 3);
}

/// Where nothing is left to run there are no other bits that could be mixed in.
#[test]
fn a_comparison_that_is_done_is_read_by_any_version() {
    let (setup, folder) = (setup(&[Method::Nothing]), folder("done"));
    let done = run(&table(&classes()), &setup, &folder, false);
    let path = folder.join("results.json");
    let text = fs::read_to_string(&path).unwrap();
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version));
    let earlier = text.replace(&version, "\"version\":\"0.0.9\"");
    fs::write(&path, &earlier).unwrap();
    assert_eq!(run(&table(&classes()), &setup, &folder, true).sentence, done.sentence);
    // The last line is a run.
    let cut = earlier.trim_end().rsplit_once('\n').unwrap().0;
    fs::write(&path, format!("{cut}\n")).unwrap();
    let (data, threads) = (table(&classes()), 2);
    let sets = Sets { data: &data, valid: None, test: None };
    let error = compare(&sets, &setup, &folder, true, threads, &|_| Flow::Continue).unwrap_err().to_string();
    assert!(error.contains("begun by version 0.0.9"), "{error}");
}

#[test]
fn test_targets_change_nothing_but_the_test() {
    let setup = setup(&[Method::Nothing, Method::EarlyStopping, Method::Dropout]);
    let targets = values();
    let data = table(&targets);
    let test = Parts::new(&data, &setup.spec.data, 0).unwrap().test;
    let mut changed = targets.clone();
    test.iter().for_each(|&row| changed[row] = 1000.0 - 3.0 * changed[row]);

    let [first, second] = [folder("test-first"), folder("test-second")];
    let one = run(&data, &setup, &first, false);
    let other = run(&table(&changed), &setup, &second, false);
    assert!(files(&first) == files(&second), "specs and models");
    assert_eq!(one.best, other.best);
    let mut tested = 0;
    for (mut one, mut other) in records(&first).into_iter().zip(records(&second)) {
        if one["record"] == "comparison" {
            assert_ne!(one["data"], other["data"]);
            continue;
        }
        if one["record"] == "run" {
            assert_ne!(one["measured"]["test"]["rmse"], other["measured"]["test"]["rmse"]);
            assert!(other["measured"]["test"]["rmse"].as_f64().unwrap() > 500.0, "{other}");
            (one["measured"]["test"], other["measured"]["test"]) = (Value::Null, Value::Null);
            tested += 1;
        }
        assert_eq!(one, other);
    }
    assert_eq!(tested, 6, "each network meets the test part once");
}

/// The same where the test part is a file of its own.
#[test]
fn a_test_file_changes_nothing_but_the_test() {
    let mut setup = setup(&[Method::Nothing, Method::L2]);
    setup.spec.data.test = 0.0;
    let (data, targets) = (table(&classes()), classes());
    let flipped: Vec<f32> = targets.iter().map(|target| 1.0 - target).collect();
    let compared = |test: &[f32], name: &str| {
        let (test, folder) = (table(test), folder(name));
        let sets = Sets { data: &data, valid: None, test: Some(&test) };
        let compared = compare(&sets, &setup, &folder, false, 1, &|_| Flow::Continue).unwrap().unwrap();
        (compared, files(&folder))
    };
    let (one, one_files) = compared(&targets, "file-first");
    let (other, other_files) = compared(&flipped, "file-second");
    assert!(one_files == other_files);
    assert_eq!((one.test_rows, one.best), (ROWS, other.best));
    for (one, other) in one.methods.iter().zip(&other.methods) {
        assert_eq!(one.valid_loss, other.valid_loss);
        let error = |summary: &thinnet::compare::Summary| summary.estimate("error").unwrap().mean;
        assert!((error(one) + error(other) - 1.0).abs() < 1e-9, "all labels are turned");
    }
}

#[test]
fn a_comparison_that_is_cut_off_ends_as_if_it_had_not_been() {
    let setup = setup(&[Method::Nothing, Method::L1, Method::Ensemble]);
    let (data, whole) = (table(&classes()), folder("whole"));
    let uninterrupted = run(&data, &setup, &whole, false);
    let text = fs::read_to_string(whole.join("results.json")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // The setup, three plans, 8 runs of the search for each of two methods, 6 runs.
    assert_eq!(lines.len(), 26);
    for kept in [1, 2, 3, 4, 5, 11, 14, 18, 20, 21, 23, 26] {
        let cut = folder("cut");
        fs::create_dir_all(cut.join("specs")).unwrap();
        fs::create_dir_all(cut.join("models")).unwrap();
        for (path, bytes) in files(&whole).iter().filter(|(path, _)| path.starts_with("models")) {
            fs::write(cut.join(path), bytes).unwrap();
        }
        let start = lines[..kept].join("\n") + "\n";
        fs::write(cut.join("results.json"), &start).unwrap();
        let resumed = run(&data, &setup, &cut, true);
        let now = fs::read_to_string(cut.join("results.json")).unwrap();
        assert!(now.starts_with(&start) && now.lines().count() == 26, "{kept}: nothing is done twice");
        assert_eq!(records(&cut), records(&whole), "{kept}");
        assert_eq!(fs::read(resumed.best_path()).unwrap(), fs::read(uninterrupted.best_path()).unwrap());
        assert_eq!(resumed.best, uninterrupted.best);
        for (one, other) in resumed.methods.iter().zip(&uninterrupted.methods) {
            assert_eq!(one.measures[..6], other.measures[..6], "{kept}");
            assert_eq!((one.against_nothing, one.against_best), (other.against_nothing, other.against_best));
        }
    }
}

#[test]
fn a_comparison_that_is_stopped_can_go_on() {
    let setup = setup(&[Method::Nothing, Method::MaxNorm]);
    let (data, whole, stopped) = (table(&classes()), folder("unstopped"), folder("stopped"));
    run(&data, &setup, &whole, false);
    let sets = Sets { data: &data, valid: None, test: None };
    let (mut resume, mut sessions) = (false, 1);
    loop {
        // Each time in the middle of a run, four runs further on than the time before.
        let done = AtomicUsize::new(0);
        let watch = |event: &Event| {
            let done = match event {
                Event::Candidate { .. } | Event::Run { .. } => done.fetch_add(1, Ordering::Relaxed),
                _ => done.load(Ordering::Relaxed),
            };
            if done >= 4 * sessions && matches!(event, Event::Step) { Flow::Stop } else { Flow::Continue }
        };
        if compare(&sets, &setup, &stopped, resume, 1, &watch).unwrap().is_some() {
            break;
        }
        (resume, sessions) = (true, sessions + 1);
    }
    assert_eq!(sessions, 5, "20 runs, of which each session does four");
    assert_eq!(records(&stopped), records(&whole));
    assert!(files(&stopped) == files(&whole));
}

/// A spec that a comparison wrote trains the same network on the same rows.
#[test]
fn every_spec_gives_its_model_again() {
    let mut setup = setup(&Method::ALL);
    (setup.epochs, setup.seeds) = (2, 1);
    setup.spec.network.hidden = vec![20, 12];
    for (data, task) in [(table(&classes()), "classes"), (table(&values()), "values")] {
        let folder = folder(&format!("again-{task}"));
        let compared = run(&data, &setup, &folder, false);
        assert_eq!(compared.methods.len(), Method::ALL.len());
        for method in Method::ALL {
            let spec = Spec::read(&folder.join(format!("specs/{method}-0.toml"))).unwrap();
            let threads = Threads::new(3).unwrap();
            let model = fit(&data, None, &spec, &threads, &mut |_| Flow::Continue).unwrap().model;
            let again = folder.join("again.thinnet");
            model.save(&again).unwrap();
            let first = fs::read(folder.join(format!("models/{method}.thinnet"))).unwrap();
            assert!(fs::read(&again).unwrap() == first, "{method}, {task}");
            assert_eq!((spec.train.minutes, spec.train.epochs), (0.0, 2), "{method}");
        }
        let best = fs::read(folder.join(format!("models/{}.thinnet", compared.best))).unwrap();
        assert!(fs::read(compared.best_path()).unwrap() == best);
    }
}

#[test]
fn a_regression_is_measured_in_the_units_of_its_target() {
    let mut setup = setup(&[Method::Nothing]);
    (setup.epochs, setup.spec.train.learning_rate) = (60, 0.01);
    setup.spec.data.task = Some(Task::Regression);
    let compared = run(&table(&values()), &setup, &folder("regression"), false);
    let estimate = |name: &str| compared.methods[0].estimate(name).unwrap().mean;
    // The target has a deviation of about 20, and is a function of the inputs.
    assert!(estimate("rmse") < 6.0, "{}", estimate("rmse"));
    assert!((0.6..=1.0).contains(&estimate("coverage_90")), "{}", estimate("coverage_90"));
    // Of a normal distribution whose deviation is the rmse: -ln(rmse) - ln(2 pi e) / 2, or less where it is not.
    let normal = -estimate("rmse").ln() - 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln();
    assert!((estimate("log_likelihood") - normal).abs() < 0.5, "{}, {normal}", estimate("log_likelihood"));
    assert!(estimate("gap").abs() < 3.0 && compared.methods[0].loss_name() == "rmse");
}

#[test]
fn too_few_minutes_are_told_before_anything_is_run() {
    let mut setup = setup(&Method::ALL);
    (setup.epochs, setup.minutes) = (100_000, 1e-5);
    let (data, folder) = (table(&classes()), folder("minutes"));
    let sets = Sets { data: &data, valid: None, test: None };
    let error = compare(&sets, &setup, &folder, false, 1, &|_| Flow::Continue).unwrap_err().to_string();
    assert!(error.starts_with("minutes: 0.00001 are too few") && error.contains("take about"), "{error}");
}

#[test]
fn what_diverges_is_refused_with_a_way_out() {
    let mut setup = setup(&[Method::Nothing]);
    setup.spec.train.learning_rate = 1e30;
    let (data, folder) = (table(&classes()), folder("diverges"));
    let sets = Sets { data: &data, valid: None, test: None };
    let error = compare(&sets, &setup, &folder, false, 1, &|_| Flow::Continue).unwrap_err().to_string();
    assert!(error.contains("train.learning_rate: no method has a run for every seed"), "{error}");
}

#[test]
fn a_method_that_diverges_does_not_end_the_others() {
    let setup = setup(&[Method::Nothing, Method::L2]);
    let (data, whole) = (table(&classes()), folder("one-diverges"));
    let one = run(&data, &setup, &whole, false);
    assert!(one.failed.is_empty());
    // As if the loss of every candidate of one method had not stayed finite.
    let text = fs::read_to_string(whole.join("results.json")).unwrap();
    let diverged = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        if record["record"] == "candidate" && record["method"] == "l2" {
            record["loss"] = Value::Null;
        }
        record.to_string() + "\n"
    };
    let is_search =
        |line: &&str| !line.contains("\"record\":\"run\"") && !line.contains("\"stage\":\"runs\"");
    let search: String = text.lines().filter(is_search).map(diverged).collect();
    let cut = folder("one-diverged");
    for part in ["specs", "models"] {
        fs::create_dir_all(cut.join(part)).unwrap();
    }
    fs::write(cut.join("results.json"), search).unwrap();
    let other = run(&data, &setup, &cut, true);
    assert_eq!((other.best, &other.failed[..]), (Method::Nothing, &[Method::L2][..]));
    assert_eq!(other.methods[0].valid_loss, one.of(Method::Nothing).unwrap().valid_loss);
}

/// The loss of a run becomes larger from epoch to epoch until it is no number. What its first epoch left is
/// no result: with patience 0 the last epoch counts.
#[test]
fn a_run_that_diverges_after_its_first_epoch_has_no_result() {
    let mut setup = setup(&[Method::Nothing, Method::L2]);
    (setup.seeds, setup.spec.network.hidden) = (1, Vec::new());
    let train = &mut setup.spec.train;
    // One step in each epoch.
    (train.batch, train.optimizer, train.schedule) = (Some(1000), Optimizer::Sgd, Some(Schedule::Constant));
    train.learning_rate = 0.01;
    let (data, whole) = (table(&values()), folder("before-it-diverges"));
    assert!(run(&data, &setup, &whole, false).failed.is_empty());
    // As if all but the runs of one method had been done at another learning rate.
    let cut = folder("diverges-later");
    for part in ["specs", "models"] {
        fs::create_dir_all(cut.join(part)).unwrap();
    }
    fs::copy(whole.join("models/nothing.thinnet"), cut.join("models/nothing.thinnet")).unwrap();
    let text = fs::read_to_string(whole.join("results.json")).unwrap();
    let changed = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        if record["record"] == "comparison" {
            record["setup"]["spec"]["train"]["learning_rate"] = 1e15_f32.into();
        }
        let is_left_out = record["record"] == "run" && record["method"] == "l2";
        (!is_left_out).then(|| record.to_string() + "\n")
    };
    fs::write(cut.join("results.json"), text.lines().filter_map(changed).collect::<String>()).unwrap();
    setup.spec.train.learning_rate = 1e15;
    let compared = run(&data, &setup, &cut, true);
    assert_eq!((compared.best, &compared.failed[..]), (Method::Nothing, &[Method::L2][..]));
    let records = records(&cut);
    let found = records.iter().find(|record| record["record"] == "run" && record["method"] == "l2").unwrap();
    assert!(found["rows"].as_u64() > Some(0), "it had an epoch: {found}");
    assert!(found["measured"].is_null() && !cut.join("models/l2.thinnet").exists(), "{found}");
}

#[test]
fn a_comparison_that_is_stopped_at_once_leaves_nothing() {
    let (data, folder) = (table(&classes()), folder("at-once"));
    let sets = Sets { data: &data, valid: None, test: None };
    let stopped = compare(&sets, &setup(&[Method::Nothing]), &folder, false, 1, &|_| Flow::Stop).unwrap();
    assert!(stopped.is_none() && !folder.exists() && !has_begun(&folder));
    // A folder that somebody else has made stays.
    fs::create_dir(&folder).unwrap();
    compare(&sets, &setup(&[Method::Nothing]), &folder, false, 1, &|_| Flow::Stop).unwrap();
    assert!(folder.exists());
}
