//! The pages of `--report`. What a browser makes of them is looked at by `cargo xtask pages`.

use super::*;

const SMALL: &str = "-q --epochs 4 --hidden 12,8 --patience 0";

/// The numbers that a page holds.
#[track_caller]
fn data(html: &str) -> Value {
    let (_, from) = html.split_once("id=\"data\">").unwrap();
    serde_json::from_str(from.split_once("</script>").unwrap().0).unwrap()
}

#[track_caller]
fn page(folder: &Folder, line: &str) -> (String, Value) {
    let answer = folder.json(&format!("{line} --report page.html --json"));
    assert_eq!(answer["report"], "page.html");
    let html = String::from_utf8(folder.read("page.html")).unwrap();
    assert_eq!(data(&html)["run"], answer, "{line}");
    (html, answer)
}

#[test]
fn a_page_of_classes_and_one_of_values() {
    let folder = Folder::with_data("pages");
    let (html, answer) = page(&folder, &format!("fit classes.csv {SMALL}"));
    assert!(html.contains("<h1>label, learned from classes.csv</h1>"));
    let confusion = data(&html)["confusion"].clone();
    let rows: f64 = confusion
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|n| n.as_f64().unwrap())
        .sum();
    let right = confusion[0][0].as_f64().unwrap() + confusion[1][1].as_f64().unwrap();
    assert_eq!(rows, answer["valid"]["rows"].as_f64().unwrap());
    assert!((right / rows - answer["valid"]["accuracy"].as_f64().unwrap()).abs() < 1e-9);
    let columns: Vec<String> = ["size", "colour", "noise"].map(|name| format!("\"{name}\"")).into();
    let worth = data(&html)["importance"].to_string();
    assert!(html.contains("What each column is worth") && columns.iter().all(|name| worth.contains(name)));

    for loss in ["squared", "normal"] {
        let (html, answer) = page(&folder, &format!("fit values.csv {SMALL} --loss {loss}"));
        let points: Vec<(f64, f64)> = serde_json::from_value(data(&html)["predictions"].clone()).unwrap();
        let squares: f64 = points.iter().map(|(target, prediction)| (target - prediction).powi(2)).sum();
        let rmse = (squares / points.len() as f64).sqrt();
        assert!((rmse / answer["valid"]["rmse"].as_f64().unwrap() - 1.0).abs() < 1e-3, "{rmse}, {answer}");
    }
}

#[test]
fn a_page_does_not_depend_on_the_number_of_threads() {
    let folder = Folder::with_data("page-threads");
    folder.good(&format!("fit classes.csv {SMALL} -o m.thinnet"));
    let of = |threads: u32| {
        let line = format!("measure m.thinnet classes.csv --rows 100 --pairs 5 --threads {threads}");
        page(&folder, &line).0
    };
    assert_eq!(of(1), of(3));
}

#[test]
fn without_held_out_rows_the_page_says_so() {
    let folder = Folder::with_data("page-training");
    let (html, _) = page(&folder, &format!("fit classes.csv --valid 0 {SMALL}"));
    assert!(html.contains("No rows were held out") && html.contains("cannot be told"));
    assert_eq!(data(&html)["rows"], "training rows");
    let (html, _) = page(&folder, "fit values.csv -q --epochs 2 --hidden none --dropout 0");
    assert!(html.contains("There are no hidden layers"));
}

#[test]
fn only_a_run_that_thins_is_said_to_thin() {
    let folder = Folder::with_data("page-thins");
    for (options, thins) in [("", true), ("--dropout 0", false), ("--dropout 0 --input-dropout 0.2", true)] {
        let (html, _) = page(&folder, &format!("fit classes.csv {SMALL} {options} -o m.thinnet"));
        assert_eq!(html.contains("thinned networks</li>"), thins, "{options}");
        assert_eq!(html.contains("harder task"), thins, "{options}");
        let measured = folder.good("measure m.thinnet classes.csv --rows 60 --pairs 2");
        assert_eq!(measured.contains("harder task"), thins, "{options}");
    }
}

#[test]
fn rows_that_are_set_aside_are_told_of() {
    let folder = Folder::with_data("page-test-part");
    let rows = |options: &str| {
        let (html, _) = page(&folder, &format!("fit classes.csv {SMALL} {options}"));
        let (_, from) = html.split_once("<dt>Rows</dt><dd>").unwrap();
        from.split_once("</dd>").unwrap().0.to_string()
    };
    let test = ", and a share of 0.2 of all set aside as the test part";
    assert_eq!(rows("--test 0.2"), format!("154 to train on, 38 to validate{test}"));
    assert_eq!(rows(""), "192 to train on, 48 to validate");
}

#[test]
fn what_cannot_be_shown_is_left_out() {
    let folder = Folder::with_data("page-rest");
    let letters: String = (0..480).map(|row| format!("{},{},c{}\n", row % 24, row % 7, row % 24)).collect();
    folder.write("many.csv", &format!("a,b,class\n{letters}"));
    let (html, _) = page(&folder, &format!("fit many.csv {SMALL}"));
    assert!(html.contains("The most frequent confusions"), "a matrix of 24 classes");

    let (html, _) = page(&folder, &format!("fit values.csv {SMALL} --drop sparse-variational"));
    let of_layers = data(&html)["correlations"].clone();
    assert!(of_layers[0]["before"].is_null() && of_layers[0]["after"].is_array(), "{of_layers}");
    assert!(!html.contains("before training"));
}

#[test]
fn a_page_replaces_no_model_and_no_data() {
    let folder = Folder::with_data("page-refused");
    folder.good(&format!("fit classes.csv {SMALL} -o m.thinnet"));
    let model = folder.read("m.thinnet");
    for line in [
        "fit classes.csv -o m.thinnet --report ./m.thinnet",
        "fit classes.csv --report classes.csv",
        "measure m.thinnet classes.csv --report m.thinnet",
    ] {
        assert!(folder.fails(2, line).contains("would write over"), "{line}");
    }
    assert_eq!(folder.read("m.thinnet"), model);
    let error = folder.fails(1, "fit classes.csv -o n.thinnet --report none/page.html");
    assert!(
        error.starts_with("cannot write none/page.html") && !folder.path("n.thinnet").exists(),
        "{error}"
    );
}
