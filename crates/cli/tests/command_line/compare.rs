//! Remedies side by side.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::*;

/// So few epochs that every machine has the time for them.
const SMALL: &str = "--methods nothing,dropout --seeds 2 --epochs 5 --minutes 0.1 --hidden 12";

/// The JSON without what a clock measured.
fn timeless(mut object: Value) -> Value {
    object["seconds"] = Value::Null;
    for method in object["methods"].as_array_mut().unwrap() {
        method["measures"]["seconds"] = Value::Null;
        for run in method["runs"].as_array_mut().unwrap() {
            (run["seconds"], run["elapsed"]) = (Value::Null, Value::Null);
        }
    }
    object
}

#[test]
fn a_person_reads_tables_and_a_sentence() {
    let folder = Folder::with_data("compare");
    let ran = folder.run(&format!("compare classes.csv {SMALL}"));
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    for part in ["2 methods at equal cost, 2 seeds", "search 16/16", "dropout: rate ", "run 4/4 "] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let parts = [
        "154 rows to train on, 38 to validate, 48 to test; 2 classes: no, yes",
        "ON THE TEST PART",
        "GAP: test nll less training nll",
        "less nothing",
        "classes-compare/best.thinnet holds the first model of",
        "thinnet measure classes-compare/best.thinnet classes.csv --part test",
    ];
    for part in parts {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let lines = |start: &str| ran.stdout.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((lines("nothing  "), lines("dropout  ")), (3, 3), "{}", ran.stdout);
    let sentences = ["The data do not tell", "Use ", "No remedy is shown"].map(lines);
    assert_eq!(sentences.iter().sum::<usize>(), 1, "{}", ran.stdout);
    // What other test rows would change: the binomial standard deviation of the error of the best.
    let of = folder.json(&format!("compare classes.csv {SMALL} --resume --json"));
    let is_best = |method: &&Value| method["method"] == of["best"];
    let best = of["methods"].as_array().unwrap().iter().find(is_best).unwrap();
    let error = best["measures"]["error"]["mean"].as_f64().unwrap();
    let scatter = 100.0 * (error * (1.0 - error) / 48.0).sqrt();
    let sentence = format!("would scatter by {scatter:.2} points");
    assert!(ran.stdout.contains(&sentence), "{sentence}: {}", ran.stdout);
}

#[test]
fn the_json_agrees_with_what_is_left() {
    let folder = Folder::with_data("compare-json");
    let of = folder.json(&format!("compare classes.csv {SMALL} --json -o left"));
    assert_eq!((&of["train_rows"], &of["test_rows"], &of["loss"]), (&154.into(), &48.into(), &"nll".into()));
    let methods = of["methods"].as_array().unwrap();
    assert_eq!((&methods[0]["method"], &methods[1]["method"]), (&"nothing".into(), &"dropout".into()));
    let against = &methods[1]["against_nothing"];
    assert!(against["p"].as_f64().unwrap() <= 1.0 && against["p_holm"] == against["p"], "{against}");
    for name in ["error", "nll", "ece", "brier", "gap", "correlation", "seconds"] {
        assert!(methods[0]["measures"][name]["standard_error"].is_f64(), "{name}: {of}");
    }
    // The first model of each method is measured again, on the same test part.
    for method in methods {
        let name = method["method"].as_str().unwrap();
        let line = format!("evaluate left/models/{name}.thinnet classes.csv --part test --json");
        let (measured, run) = (folder.json(&line), &method["runs"][0]["measured"]["test"]);
        for measure in ["rows", "error", "nll", "ece", "brier"] {
            assert_eq!(measured[measure], run[measure], "{name}, {measure}");
        }
        // So are its units, and what its spec gives again on the rows that it learned from and chose by.
        let line = format!("measure left/models/{name}.thinnet classes.csv --part test --json");
        let units = folder.json(&line)["coadaptation"][0]["mean_absolute_correlation"].as_f64().unwrap();
        let correlation = method["runs"][0]["measured"]["correlation"].as_f64().unwrap();
        assert!((units - correlation).abs() < 1e-5, "{name}: {correlation}, not {units}");
        let again = folder.json(&format!("fit classes.csv --json --spec left/specs/{name}-0.toml"));
        for part in ["train", "valid"] {
            assert_eq!(again[part]["nll"], method["runs"][0]["measured"][part]["nll"], "{name}, {part}");
        }
    }
    let best = of["best"].as_str().unwrap();
    folder.good(&format!("fit classes.csv -q --spec left/specs/{best}-0.toml -o again.thinnet"));
    assert!(folder.read("again.thinnet") == folder.read("left/best.thinnet"));
    folder.good(&format!("fit classes.csv -q --spec left/specs/{best}-1.toml"));
}

/// What a browser makes of it is tested by `cargo xtask pages`.
#[test]
fn a_page_shows_the_answer() {
    let folder = Folder::with_data("compare-page");
    for (data, best) in [("classes", "Confusion"), ("values", "Residuals")] {
        folder.good(&format!("compare {data}.csv -q {SMALL}"));
        // What is done is not done again, so a page can follow later.
        let line = format!("compare {data}.csv {SMALL} --resume --json --report {data}.html");
        let answer = folder.json(&line);
        let page = String::from_utf8(folder.read(&format!("{data}.html"))).unwrap();
        let json = page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
        let json: Value = serde_json::from_str(json).unwrap();
        assert_eq!(json["run"], answer);
        assert_eq!(json["closer"].as_object().unwrap().len(), 2);
        // One of the two methods thins networks, and there is no ensemble.
        assert_eq!(page.matches("training, thinned networks</li>").count(), 1, "{data}");
        assert_eq!(page.matches("training</li>").count(), 1, "{data}");
        assert!(!page.contains("first member"), "{data}");
        let parts = ["Loss of each epoch, nothing, seed 0", "Methods by nll", "Methods by gap", best];
        for part in parts.into_iter().filter(|part| *part != "Methods by nll" || data == "classes") {
            assert!(page.contains(part), "{data}: {part}");
        }
        assert!(
            page.contains(answer["sentence"].as_str().unwrap()) && page.contains("# thinnet fit"),
            "{data}"
        );
    }
    let error = folder.fails(1, &format!("compare classes.csv {SMALL} -o other --report no/such.html"));
    assert!(error.contains("cannot write no/such.html") && !folder.path("other").exists(), "{error}");
}

/// The members of an ensemble have histories and units of their own, and those of the first are shown.
#[test]
fn what_is_that_of_a_first_member_is_called_so() {
    let folder = Folder::with_data("compare-ensemble");
    let line = "compare classes.csv --methods nothing,l2,ensemble --members 2 --seeds 1 --epochs 5 --minutes 0.1 --hidden 12";
    let table = folder.good(line);
    assert!(table.contains("two units; of an ensemble, of its first member\n"), "{table}");
    let answer = folder.json(&format!("{line} --resume --json --report page.html"));
    let of = |method: usize, what: &str| answer["methods"][method]["runs"][0]["measured"][what].clone();
    assert_eq!(answer["methods"][2]["method"], "ensemble");
    for what in ["history", "chosen_epoch", "correlation"] {
        assert_eq!(of(2, what), of(0, what), "the first member has nothing, and the same seed");
    }
    assert!(of(2, "test") != of(0, "test"), "predictions are those of both members");
    let html = String::from_utf8(folder.read("page.html")).unwrap();
    let page = html.split("id=\"data\"").next().unwrap();
    let best = answer["best"].as_str().unwrap();
    let parts = [
        "<h3>Loss of each epoch, ensemble, member 1 of 2, seed 0</h3>",
        "<caption>What it takes, and the settings found; the correlation of the ensemble is that of its first member</",
        "0 to 1. That of an ensemble is that of its first member. Mean and standard error",
        "<h2>How far to trust the predictions</h2>",
        &format!("<caption>Confusion, {best}: the test rows"),
    ];
    for part in parts {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("thinned"), "nothing is thinned by any of these");
}

#[test]
fn a_page_replaces_nothing_of_the_comparison() {
    let folder = Folder::with_data("compare-over");
    for page in ["new/results.json", "new/best.thinnet"] {
        let error = folder.fails(2, &format!("compare classes.csv -q {SMALL} -o new --report {page}"));
        assert!(error.contains("--report would write over"), "{page}: {error}");
    }
    folder.good(&format!("compare classes.csv -q {SMALL} -o new --report new/page.html"));
    assert!(folder.path("new/page.html").exists());
    for page in
        ["new/results.json", "new/best.thinnet", "new/models/nothing.thinnet", "new/specs/dropout-1.toml"]
    {
        let line = format!("compare classes.csv -q {SMALL} -o new --resume --report {page}");
        let error = folder.fails(2, &line);
        assert!(error.contains("--report would write over"), "{page}: {error}");
    }
}

#[test]
fn names_with_spaces_can_be_typed_again() {
    let folder = Folder::with_data("compare-spaces");
    folder.write("my classes.csv", &classes(240));
    let mut command = folder.command(&format!("compare -q {SMALL} -o left"));
    assert!(command.arg("my classes.csv").status().unwrap().success());
    let spec = String::from_utf8(folder.read("left/specs/nothing-0.toml")).unwrap();
    assert!(spec.starts_with("# thinnet fit 'my classes.csv' --spec THIS-FILE\n"), "{spec}");
}

#[test]
fn an_interrupted_comparison_goes_on() {
    let folder = Folder::with_data("compare-interrupted");
    let line = format!("compare classes.csv {SMALL} --json --threads 1");
    let whole = timeless(folder.json(&format!("{line} -o whole")));
    let mut command = folder.command(&format!("{line} -o cut"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("search 2/16")), "the search never began");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let rest: Vec<String> = lines.collect();
    let status = child.wait().unwrap();
    // It may have been faster than the signal.
    if !status.success() {
        assert_eq!(status.code(), Some(1), "{rest:?}");
        let error = rest.last().unwrap();
        assert!(
            error.starts_with("error: you stopped the comparison") && error.contains("--resume"),
            "{error}"
        );
    }
    let mut resumed = timeless(folder.json(&format!("{line} -o cut --resume")));
    resumed["model"] = whole["model"].clone();
    assert_eq!(resumed, whole);
}

/// One that would go on for an hour.
#[test]
fn a_comparison_can_be_interrupted() {
    let folder = Folder::with_data("compare-stopped");
    let line = "compare classes.csv --methods nothing --seeds 1 --minutes 60 --epochs 100000000 --hidden 12 --threads 1";
    let mut command = folder.command(&format!("{line} -o cut"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().is_some(), "it never began");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest:?}");
    assert!(rest.last().unwrap().starts_with("error: you stopped the comparison"), "{rest:?}");
}

#[test]
fn what_cannot_be_compared_is_told() {
    let folder = Folder::with_data("compare-rude");
    let refused = |status: i32, line: &str, part: &str| {
        let error = folder.fails(status, &format!("compare {line}"));
        assert!(error.contains(part), "{line}: {error}");
    };
    refused(
        2,
        "classes.csv --methods nothing,drop-out",
        "there is no \"drop-out\"; there are nothing, early",
    );
    refused(2, "classes.csv --methods l2,l2", "l2 is named twice");
    refused(2, "classes.csv --members 1", "an ensemble has at least 2");
    refused(2, "classes.csv --test 1.5", "data.test: must be at least 0 and below 1");
    refused(2, "classes.csv --minutes 0", "minutes: must be above 0");
    refused(1, "missing.csv", "missing.csv");
    refused(1, "classes.csv --target labels", "did you mean \"label\"?");
    refused(1, "classes.csv --valid 0", "0 of its 240 rows validate");
    refused(1, "classes.csv --test 0.05", "12 of its 240 rows test");
    refused(1, "classes.csv --minutes 0.00001", "are too few");
    folder.write("few.csv", &classes(40));
    refused(1, "few.csv", "0 of its 40 rows validate");
    folder.write("one.csv", &classes(200).replace(",yes\n", ",no\n"));
    refused(1, "one.csv", "nothing to learn");
    folder.write("file", "");
    refused(1, "classes.csv -o file/folder", "file/folder");
    refused(1, "classes.csv --resume -o none", "leave --resume out");
    refused(1, "classes.csv --methods nothing,l2 --members 9", "only the method ensemble");
    folder.good(&format!("compare classes.csv -q {SMALL}"));
    refused(1, &format!("classes.csv {SMALL}"), "--resume goes on with it, -o names another folder");
    refused(
        1,
        &format!("classes.csv --resume {}", SMALL.replace("--seeds 2", "--seeds 3")),
        "begun with --seeds 2, not 3",
    );
    folder.write("classes.csv", &classes(241));
    refused(1, &format!("classes.csv --resume {SMALL}"), "other data");
}
