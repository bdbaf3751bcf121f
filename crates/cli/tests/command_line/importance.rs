//! What each column is to a model.

use super::*;

/// y = 30 a - 20 b + 500 with a and b uniform on 0 to 1: a shuffled column adds 2 x 30² / 12 or 2 x 20² / 12 to
/// the mean squared error, as twice the variance of what it is worth.
#[test]
fn a_shuffled_column_costs_twice_its_variance() {
    let folder = Folder::with_data("importance of values");
    folder.good(
        "fit values.csv -q --epochs 100 --hidden 64,64 --dropout 0 --lr 0.01 --patience 0 -o m.thinnet",
    );
    let measured = folder.json("evaluate m.thinnet values.csv --importance=30 --json");
    let columns = measured["importance"].as_array().unwrap();
    let names: Vec<&str> = columns.iter().map(|of| of["column"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
    let whole = measured["rmse"].as_f64().unwrap();
    for (of, expected) in columns.iter().zip([150.0, 66.67]) {
        let shuffled = whole + of["rmse"]["mean"].as_f64().unwrap();
        let cost = shuffled.powi(2) - whole.powi(2);
        assert!((cost / expected - 1.0).abs() < 0.15, "{of}: {cost}, not {expected}");
        assert!(of["rmse"]["standard_error"].as_f64().unwrap() < 0.3 && of.get("nll").is_none(), "{of}");
    }
    let without = folder.json("evaluate m.thinnet values.csv --json");
    assert!(without.get("importance").is_none(), "{without}");
}

#[test]
fn columns_of_classes_are_ranked_in_a_table() {
    let folder = Folder::with_data("importance of classes");
    folder.good(
        "fit classes.csv -q --epochs 60 --hidden 64,64 --dropout 0.2 --lr 0.01 --patience 0 -o m.thinnet",
    );
    let text = folder.good("evaluate m.thinnet classes.csv --importance");
    let table = text.split("of 5 shuffles.").nth(1).unwrap();
    let first = |line: &str| line.split_whitespace().next().map(str::to_string);
    let columns: Vec<String> = table.lines().filter_map(first).collect();
    assert!(table.contains("nll") && table.contains("error"), "{text}");
    assert_eq!((&columns[0], &columns[4]), (&"column".to_string(), &"noise".to_string()), "{text}");
}

#[test]
fn images_have_no_columns() {
    let folder = Folder::new("importance of images");
    folder.good("fit digits --epochs 1 --hidden 8 -q");
    let sentence = folder.fails(1, "evaluate digits.thinnet digits --importance");
    assert!(sentence.contains("images have no columns"), "{sentence}");
    folder.fails(2, "evaluate digits.thinnet digits --importance=0");
}
