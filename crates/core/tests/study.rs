//! A study from its file to its findings: records, resuming, and what the kinds of runs measure.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use thinnet::study::{Form, Happening, Judge, Measure, Record, Study, Verdict, Version};
use thinnet::train::{Flow, Threads};

/// A folder of its own for a test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("study-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const DIGITS: &str = r#"title = "t"
source = "s"
minutes = 1
quick_minutes = 1
seeds = 2
show = ["error", "nll"]
matches = 5
averages = ["scale", "mc:20", "moments"]
data = { path = "digits", test_share = 0.5 }

[spec]
data.valid = 0
network.hidden = [32]
train = { batch = 32, learning_rate = 0.003, epochs = 3 }

[[variant]]
name = "standard"
spec.thin.hidden = 0.0
averages = ["scale"]

[[variant]]
name = "dropout"
spec.thin.hidden = 0.3
resample = { average = "mc:30:shared", most = 10, draws = 20 }
expected = [
  { measure = "error", value = 7.0 },
  { measure = "nll", of = "mc:20", value = 1e9 },
]

[[contrast]]
measure = "error"
of.variant = "dropout"
against.variant = "standard"

[[contrast]]
measure = "seconds"
as = "ratio"
of.variant = "dropout"
against.variant = "dropout"

[[contrast]]
measure = "error"
of = { variant = "dropout", of = "mc:20", less = "scale" }
against = { variant = "dropout", of = "scale", less = "scale" }
"#;

fn parse(text: &str) -> Study {
    Study::parse("digits", text, Version::Full).unwrap()
}

fn run(study: &Study, data: &Path, output: &Path, threads: usize) -> Vec<Record> {
    study.run(data, output, &Threads::new(threads).unwrap(), &|_: &Happening| Flow::Continue).unwrap()
}

/// Without what a clock says.
fn timeless(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        record.found.seconds = 0.0;
        for of in &mut record.found.measures {
            of.values.retain(|measure, _| !matches!(measure, Measure::Seconds | Measure::StepMilliseconds));
        }
    }
    records
}

#[test]
fn a_stopped_study_goes_on_to_the_same_end() {
    let (whole, parts) = (Folder::new("whole"), Folder::new("parts"));
    let study = parse(DIGITS);
    let expected = timeless(run(&study, Path::new("."), &whole.0, 1));
    let names: Vec<(&str, u32)> = expected.iter().map(|record| (&record.variant[..], record.seed)).collect();
    assert_eq!(names, [("standard", 0), ("standard", 1), ("dropout", 0), ("dropout", 1)]);

    // Stopped within the second run.
    let began = AtomicUsize::new(0);
    let stop = |happening: &Happening| {
        let began = match happening {
            Happening::Began { .. } => began.fetch_add(1, Ordering::Relaxed) + 1,
            _ => began.load(Ordering::Relaxed),
        };
        let within = matches!(happening, Happening::Training { .. });
        if began > 1 && within { Flow::Stop } else { Flow::Continue }
    };
    let threads = Threads::new(1).unwrap();
    let first = study.run(Path::new("."), &parts.0, &threads, &stop).unwrap();
    assert_eq!(first.len(), 1);

    let (kept, ended) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let hear = |happening: &Happening| {
        match happening {
            Happening::Kept(record) => kept.lock().unwrap().push((record.variant.clone(), record.seed)),
            Happening::Ended(_) => drop(ended.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
        Flow::Continue
    };
    let rest = study.run(Path::new("."), &parts.0, &threads, &hear).unwrap();
    assert_eq!(*kept.lock().unwrap(), [("standard".to_string(), 0)]);
    assert_eq!(ended.load(Ordering::Relaxed), 3);
    assert_eq!(timeless(rest), expected);
    assert_eq!(fs::read_dir(&parts.0).unwrap().count(), 4, "nothing but records");

    // A further seed adds to them, and side by side the runs are the same.
    let mut further = study.clone();
    further.head.seeds = 3;
    further.head.side_by_side = true;
    let records = timeless(run(&further, Path::new("."), &parts.0, 3));
    let others = Folder::new("others");
    assert_eq!(records, timeless(run(&further, Path::new("."), &others.0, 3)));
    assert_eq!((records.len(), &records[1], &records[3]), (6, &expected[1], &expected[2]));
}

#[test]
fn records_of_other_settings_are_refused() {
    let folder = Folder::new("refused");
    let study = parse(DIGITS);
    run(&study, Path::new("."), &folder.0, 1);
    let other = parse(&DIGITS.replace("epochs = 3", "epochs = 4"));
    let threads = Threads::new(1).unwrap();
    let go = |study: &Study| study.run(Path::new("."), &folder.0, &threads, &|_: &Happening| Flow::Continue);
    let error = go(&other).unwrap_err().to_string();
    assert!(error.contains("standard-0.json: it is the record of a run with other settings"), "{error}");
    fs::write(folder.0.join("dropout-1.json"), "{\"variant\": 1").unwrap();
    let error = go(&study).unwrap_err().to_string();
    assert!(error.contains("dropout-1.json: it is no record of a run"), "{error}");
}

/// 60 rows of which the last one is of the given class.
fn write_rows(path: &Path, last: &str) {
    let row = |row: usize| {
        let class = if row == 59 { last } else { ["a", "b"][row * 7 % 13 % 2] };
        format!("{},{},{class}\n", row % 7, row * row % 11)
    };
    fs::write(path, "x,y,class\n".to_string() + &(0..60).map(row).collect::<String>()).unwrap();
}

#[test]
fn records_of_other_data_are_refused() {
    let folder = Folder::new("other-data");
    let (rows, out) = (folder.0.join("rows.csv"), folder.0.join("out"));
    write_rows(&rows, "a");
    let text = DIGITS[..DIGITS.find("averages").unwrap()].to_string()
        + "data = { path = \"rows.csv\", test_share = 0.5 }\n[spec]\ndata.valid = 0\nnetwork.hidden = [4]\n\
           train.epochs = 2\n[[variant]]\nname = \"plain\"\nspec.thin.hidden = 0.0\n";
    let mut study = parse(&text);
    study.head.seeds = 1;
    let threads = Threads::new(1).unwrap();
    let go = |study: &Study| study.run(&folder.0, &out, &threads, &|_: &Happening| Flow::Continue);
    let records = go(&study).unwrap();
    assert_eq!(records[0].data.as_ref().unwrap().len(), 33, "two of 16 digits");
    // Data that no run needs any more are not read.
    write_rows(&rows, "b");
    assert_eq!(go(&study).unwrap(), records);
    study.head.seeds = 2;
    let error = go(&study).unwrap_err().to_string();
    let sentence = "it is the record of a run on other data: delete it, or choose another folder with -o";
    assert!(error.ends_with(&format!("plain-0.json: {sentence}")), "{error}");
    // As a record of an earlier version, which does not say on what it was run.
    let path = out.join("plain-0.json");
    let mut record: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert!(record.as_object_mut().unwrap().remove("data").is_some());
    fs::write(&path, record.to_string()).unwrap();
    assert_eq!(go(&study).unwrap().len(), 2);
    // The second one knows the rows of now.
    study.head.seeds = 3;
    write_rows(&rows, "a");
    let error = go(&study).unwrap_err().to_string();
    assert!(error.contains("plain-1.json: it is the record of a run on other data"), "{error}");
    write_rows(&rows, "b");
    assert_eq!(go(&study).unwrap().len(), 3);
}

#[test]
fn findings_are_means_over_the_records() {
    let folder = Folder::new("findings");
    let mut study = parse(DIGITS);
    study.head.seeds = 3;
    let records = run(&study, Path::new("."), &folder.0, 2);
    let findings = study.findings(&records).unwrap();
    let lines: Vec<(&str, &str)> =
        findings.lines.iter().map(|line| (&line.variant[..], &line.of[..])).collect();
    assert_eq!(
        lines,
        [("standard", "scale"), ("dropout", "scale"), ("dropout", "mc:20"), ("dropout", "moments")]
    );
    let error = |at: usize, of| records[at].found.value(of, Measure::Error).unwrap();
    let errors = [3, 4, 5].map(|at| error(at, None));
    let ours = findings.lines[1].cells[0].ours.as_ref().unwrap();
    let mean = errors.iter().sum::<f64>() / 3.0;
    assert!((ours.mean - mean).abs() < 1e-12 && ours.values == errors);
    // Student's t with two degrees of freedom: 4.3027 standard errors.
    let squares = errors.iter().map(|error| (error - mean).powi(2)).sum::<f64>();
    let half = 4.302653 * (squares / 2.0 / 3.0).sqrt();
    assert!((ours.half_width.unwrap() - half).abs() < 1e-4 * half, "{ours:?}");
    let nll = findings.lines[2].cells[1].expected.as_ref().unwrap();
    assert_eq!(nll.verdict, Some(Verdict::Better));
    assert!(findings.lines[1].cells[1].expected.is_none());

    // Of rows that only one gets right, the difference is that of the errors.
    let rows = records[3].found.test_rows as f64;
    let test = &findings.paired[0];
    assert_eq!((&test.of[..], &test.against[..], test.runs.len()), ("mc:20", "scale", 3));
    for (run, at) in test.runs.iter().zip(3..) {
        let difference = (run.only_second as f64 - run.only_first as f64) / rows * 100.0;
        assert!((difference - (error(at, Some("mc:20")) - error(at, Some("scale")))).abs() < 1e-9, "{run:?}");
    }
    assert_eq!(test.all.only_first, test.runs.iter().map(|run| run.only_first).sum::<usize>());

    let curve = &findings.curves[0];
    assert_eq!((curve.points.len(), curve.points[9].networks), (10, 10));
    assert!(curve.points[0].error > curve.points[9].error, "{curve:?}");
    assert!(curve.points.iter().all(|point| point.low <= point.error && point.error <= point.high));
    assert_eq!((curve.error, curve.matches), (ours.mean, Some(5)));
    for (matching, record) in curve.matching.iter().zip(&records[3..]) {
        let enough = record.found.curve.iter().filter(|point| point.error <= error_of(record));
        assert_eq!(*matching, enough.map(|point| point.networks).min());
    }
    let made = records[0].made.as_ref().unwrap();
    assert_eq!((made.threads, &made.version[..]), (2, env!("CARGO_PKG_VERSION")));
}

fn error_of(record: &Record) -> f64 {
    record.found.value(None, Measure::Error).unwrap()
}

#[test]
fn contrasts_are_pairs_of_runs_beside_what_is_published() {
    let folder = Folder::new("contrasts");
    let mut study = parse(DIGITS);
    study.head.seeds = 3;
    let records = run(&study, Path::new("."), &folder.0, 2);
    let findings = |study: &Study| study.findings(&records).unwrap().contrasts;
    let contrasts = findings(&study);
    let ours = contrasts[0].ours.as_ref().unwrap();
    let pairs = records[3..].iter().zip(&records[..3]);
    assert_eq!(ours.values, pairs.map(|(this, that)| error_of(this) - error_of(that)).collect::<Vec<_>>());
    // The interval ends at 0 where p is 0.05.
    assert_eq!(contrasts[0].p.unwrap() < 0.05, ours.mean.abs() > ours.half_width.unwrap());
    assert_eq!((contrasts[1].p, contrasts[1].verdict), (None, None));
    assert_eq!(contrasts[1].ours.as_ref().unwrap().values, [1.0, 1.0, 1.0]);
    // What Monte Carlo gains over weight scaling with dropout, less what it gains over itself, which is nothing.
    let gain =
        |record: &Record| record.found.value(Some("mc:20"), Measure::Error).unwrap() - error_of(record);
    let gains = contrasts[2].ours.as_ref().unwrap();
    assert_eq!(gains.values, records[3..].iter().map(gain).collect::<Vec<_>>());

    // A low error is good, and so is a high saving.
    let half = ours.half_width.unwrap();
    let mut judged_by = |judge: Judge, value: f64, standard_error: f64| {
        study.head.judge = judge;
        let contrast = &mut study.head.contrast[0];
        (contrast.value, contrast.standard_error) = (Some(value), Some(standard_error));
        findings(&study)[0].verdict.unwrap()
    };
    let mut judged = |value: f64, standard_error: f64| judged_by(Judge::Intervals, value, standard_error);
    assert_eq!(judged(ours.mean + 0.9 * half, 0.0), Verdict::Within);
    assert_eq!(judged(ours.mean + 1.1 * half, 0.0), Verdict::Better);
    assert_eq!(judged(ours.mean - 1.1 * half, 0.0), Verdict::Outside);
    assert_eq!(judged(ours.mean - 1.1 * half, half), Verdict::Within);
    // One standard error of theirs, without an interval of ours.
    assert_eq!(judged_by(Judge::StandardError, ours.mean - 0.9 * half, half), Verdict::Within);
    assert_eq!(judged_by(Judge::StandardError, ours.mean - 1.1 * half, half), Verdict::Outside);
    study.head.contrast[1].form = Form::Saving;
    study.head.contrast[1].value = Some(-1.0);
    assert_eq!(findings(&study)[1].verdict, Some(Verdict::Better));
    // Two pairs are too few.
    study.head.contrast[1].value = Some(0.0);
    let few: Vec<Record> = records.iter().filter(|record| record.seed < 2).cloned().collect();
    assert_eq!(study.findings(&few).unwrap().contrasts[1].verdict, None);
}

/// An unfinished study says what is there.
#[test]
fn findings_without_records() {
    let findings = parse(DIGITS).findings(&[]).unwrap();
    assert_eq!(findings.lines.len(), 3, "one for each variant, and one more where something is published");
    let cell = &findings.lines[1].cells[0];
    assert!(cell.ours.is_none() && cell.expected.as_ref().unwrap().verdict.is_none());
    assert!(findings.contrasts[0].ours.is_none() && findings.paired.is_empty() && findings.curves.is_empty());
}

#[test]
fn an_autoencoder_learns_its_inputs() {
    let folder = Folder::new("autoencoder");
    let text = DIGITS[..DIGITS.find("[[variant]]").unwrap()].to_string()
        + "[[variant]]\nname = \"a\"\nautoencoder = true\naverages = [\"scale\"]\n\
           spec.thin.hidden = 0.0\nspec.network = { hidden = [64], activation = \"identity\" }\n\
           spec.train.epochs = 40\nspec.train.learning_rate = 0.01\n";
    let mut study = parse(&text);
    study.head.seeds = 1;
    let found = &run(&study, Path::new("."), &folder.0, 1)[0].found;
    // Pixels have a standard deviation of 0.38; as many linear units as pixels lose nothing.
    assert!(found.value(None, Measure::Rmse).unwrap() < 0.02, "{found:?}");
    for measure in [Measure::MeanActivation, Measure::Correlation, Measure::EffectiveRank, Measure::Decov] {
        assert!(found.value(Some("layer 1"), measure).is_some(), "{measure:?}");
    }
    assert_eq!(found.value(Some("layer 2"), Measure::Decov), None);
}

/// y = 3 a - 2 b with noise of standard deviation about 0.3, with two splits.
fn splits(folder: &Path) {
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1 << 24) as f64 - 0.5
    };
    let row = |_| {
        let (a, b) = (4.0 * random(), 4.0 * random());
        format!("{a} {b} {}\n", 3.0 * a - 2.0 * b + 1.04 * random())
    };
    fs::write(folder.join("data.txt"), (0..200).map(row).collect::<String>()).unwrap();
    let rows = |keep: fn(usize) -> bool| -> String {
        (0..200).filter(|&row| keep(row)).map(|row| format!("{row}\n")).collect()
    };
    for (name, content) in [
        ("index_features.txt", "0\n1\n".into()),
        ("index_target.txt", "2\n".into()),
        ("n_splits.txt", "2\n".into()),
        ("dropout_rates.txt", "0.005\n0.6\n".into()),
        ("tau_values.txt", "0.01\n11\n1000\n".into()),
        ("index_train_0.txt", rows(|row| row % 10 != 0)),
        ("index_test_0.txt", rows(|row| row % 10 == 0)),
        ("index_train_1.txt", rows(|row| row % 10 != 1)),
        ("index_test_1.txt", rows(|row| row % 10 == 1)),
    ] {
        let content: String = content;
        fs::write(folder.join(name), content).unwrap();
    }
}

#[test]
fn published_splits_choose_on_validation_rows() {
    let folder = Folder::new("splits");
    splits(&folder.0);
    let text = DIGITS[..DIGITS.find("averages").unwrap()].to_string()
        + "[spec]\nnetwork.hidden = [20]\ntrain = { batch = 32, learning_rate = 0.01, epochs = 60 }\n\
           [[variant]]\nname = \"dropout\"\ndata.path = \"\"\naverages = [\"mc:1\", \"scale\"]\nspec.thin.share = \"row\"\n\
           grid = { rates = \"published\", taus = \"published\", length_scale = 0.01, average = \"mc:50\" }\n\
           [[variant]]\nname = \"ensemble\"\ndata.path = \"\"\nspec.thin.hidden = 0.0\nspec.ensemble.members = 3\n\
           grid = { l2 = [0.0, 10.0], taus = { errors = [0.1, 1.0, 10.0] } }\n\
           [[variant]]\nname = \"deep ensemble\"\ndata.path = \"\"\nspec.thin.hidden = 0.0\nspec.ensemble.members = 3\n\
           spec.train.loss = \"normal\"\ngrid.l2 = [0.0, 10.0]\n";
    let text = text.replace("data.path = \"\"", "data.path = \"linear\"");
    fs::rename(&folder.0, folder.0.with_extension("set")).unwrap();
    fs::create_dir_all(&folder.0).unwrap();
    fs::rename(folder.0.with_extension("set"), folder.0.join("linear")).unwrap();
    let study = parse(&text);
    let records = run(&study, &folder.0, &folder.0.join("out"), 1);
    assert_eq!(records.len(), 6);
    for record in &records {
        let found = &record.found;
        assert_eq!((found.train_rows, found.test_rows), (180, 20));
        let chosen = found.chosen.unwrap();
        let value = |of, measure| found.value(Some(of), measure).unwrap();
        // The noise has a precision of 12 / 1.04^2 = 11.
        assert!(value("scale", Measure::Rmse) < 0.6, "{record:?}");
        if record.variant == "ensemble" {
            assert_eq!((chosen.rate, chosen.l2), (None, 0.0));
            assert!((3.0..30.0).contains(&chosen.tau.unwrap()), "{chosen:?}");
            continue;
        }
        if record.variant == "deep ensemble" {
            assert_eq!((chosen.rate, chosen.l2, chosen.tau), (None, 0.0, None));
            // That of the noise, which is uniform with variance 1.04² / 12, under a normal distribution.
            let best = -0.5 * (std::f64::consts::TAU * std::f64::consts::E * 1.04_f64.powi(2) / 12.0).ln();
            let likelihood = value("scale", Measure::LogLikelihood);
            assert!((best - 0.5..best + 0.3).contains(&likelihood), "{likelihood}, at best {best}");
            continue;
        }
        assert_eq!((chosen.rate, chosen.tau), (Some(0.005), Some(11.0)));
        // l² keep / (N tau) with all 180 rows.
        let l2 = 0.0001 * 0.995 / (180.0 * 11.0);
        assert!((f64::from(chosen.l2) / l2 - 1.0).abs() < 1e-6, "{chosen:?}");
        // The likelihood of a single network with this precision follows from its error.
        for of in ["mc:1", "scale"] {
            let rmse = value(of, Measure::Rmse);
            let expected = 0.5 * (11.0 / std::f64::consts::TAU).ln() - 0.5 * 11.0 * rmse * rmse;
            let found = value(of, Measure::LogLikelihood);
            assert!((found - expected).abs() < 1e-3, "{of}: {found}, not {expected}");
        }
    }
    // Splits have other rows to train on.
    let errors: BTreeMap<String, f64> = records
        .iter()
        .map(|record| {
            (format!("{} {}", record.variant, record.seed), record.found.value(None, Measure::Rmse).unwrap())
        })
        .collect();
    assert_ne!(errors["ensemble 0"], errors["ensemble 1"]);
    let mut third = study.clone();
    third.head.seeds = 3;
    let threads = Threads::new(1).unwrap();
    let error = third.run(&folder.0, &folder.0.join("out"), &threads, &|_: &Happening| Flow::Continue);
    assert!(error.unwrap_err().to_string().contains("there is no split 2"));
}

/// A long training would be lost.
#[test]
fn what_could_not_be_measured_is_refused_before_the_training() {
    let folder = Folder::new("unmeasured");
    splits(&folder.0);
    let values: String = (0..60).map(|row| format!("{},{}\n", row % 7, 0.37 * row as f32)).collect();
    fs::write(folder.0.join("values.csv"), "x,y\n".to_string() + &values).unwrap();
    let head = &DIGITS[..DIGITS.find("averages").unwrap()];
    let usual = "network.hidden = [8]\ntrain.epochs = 1\n[[variant]]\nname = \"v\"\n";
    let digits = "data = { path = \"digits\", test_share = 0.5 }\n";
    let values = "data = { path = \"values.csv\", test_share = 0.5 }\n";
    let refused = |data: &str, spec: &str, variant: &str, sentence: &str| {
        let study = parse(&format!("{head}{data}[spec]\n{spec}{usual}{variant}"));
        let trained = AtomicUsize::new(0);
        let hear = |happening: &Happening| {
            let is_training = matches!(happening, Happening::Training { .. });
            trained.fetch_add(usize::from(is_training), Ordering::Relaxed);
            Flow::Continue
        };
        let error = study.run(&folder.0, &folder.0.join("out"), &Threads::new(1).unwrap(), &hear);
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(&format!("variant \"v\", seed 0: {sentence}")), "{error}");
        assert_eq!(trained.load(Ordering::Relaxed), 0, "{sentence}");
    };
    let moments = "averages = [\"scale\", \"moments\"]";
    refused(digits, "data.valid = 0\nthin.drop = \"edges\"\n", moments, "average: moments needs units");
    let resample = "resample = { average = \"mc:9\", most = 3, draws = 2 }";
    refused(values, "data = { target = \"y\", valid = 0 }\n", resample, "spec, resample: means of networks");
    let geometric = "autoencoder = true\naverages = [\"scale\", \"mc-geometric:3\"]";
    refused(digits, "data.valid = 0\n", geometric, "average: mc-geometric:3 is a mean of probabilities");
    let exact = "averages = [\"mc:5\", \"exact\"]\ngrid.taus.errors = [1.0]\nspec.network.hidden = [30]";
    refused("data.path = \".\"\n", "", exact, "average: exact asks all 2^30 thinned networks");
}

#[test]
fn a_run_that_cannot_be_done_names_its_variant() {
    let folder = Folder::new("wrong");
    let threads = Threads::new(1).unwrap();
    let sentence = |from: &str, to: &str| {
        let study = parse(&DIGITS.replace(from, to));
        let error = study.run(Path::new("."), &folder.0, &threads, &|_: &Happening| Flow::Continue);
        error.unwrap_err().to_string()
    };
    let rows = sentence("name = \"standard\"", "name = \"standard\"\ndata.rows = 5000");
    assert_eq!(
        rows,
        "variant \"standard\", seed 0: spec, data.rows: 5000 of digits, which has 898 rows to train on"
    );
    let grid = sentence("name = \"standard\"", "name = \"standard\"\ngrid.taus = \"published\"");
    assert!(
        grid.starts_with("variant \"standard\", seed 0: spec, grid: it is for data with published splits"),
        "{grid}"
    );
    let missing = sentence("path = \"digits\"", "path = \"no-such-set\"");
    assert!(missing.contains("no-such-set"), "{missing}");
}
