//! Every average, the spread of what it averages, and averages of the weights.

use super::*;

/// 12 droppable units, so that all masks can be asked.
const SMALL: &str = "--hidden 12 --dropout 0.25 --lr 0.02 --epochs 30 --patience 0 -q";

fn numbers(csv: &str) -> Vec<Vec<f64>> {
    let cells = |line: &str| line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect();
    csv.lines().skip(1).map(cells).collect()
}

#[test]
fn every_average_predicts_and_is_measured() {
    let folder = Folder::with_data("averages");
    folder.good(&format!("fit classes.csv {SMALL} -o m.thinnet"));
    let exact = numbers(&folder.good("predict m.thinnet classes.csv --proba --average exact"));
    for average in ["mc:4000", "mc:4000:rows", "mc:4000:shared", "moments", "mc-geometric:4000"] {
        let measured = folder.json(&format!("evaluate m.thinnet classes.csv --json --average {average}"));
        assert_eq!(measured["average"], average);
        let rows =
            numbers(&folder.good(&format!("predict m.thinnet classes.csv --proba --average {average}")));
        // The geometric mean is another one, and surer.
        let (first, tolerance) = match average {
            "mc-geometric:4000" => (3, 0.04),
            "moments" => (1, 0.1),
            _ => (1, 0.04),
        };
        for (row, exact) in rows.iter().zip(&exact) {
            assert!((row[1] + row[2] - 1.0).abs() < 1e-5, "{average}: {row:?}");
            let distances = (first..5).map(|at| (row[at] - exact[at]).abs());
            assert!(distances.fold(0.0, f64::max) < tolerance, "{average}: {row:?}, exact {exact:?}");
        }
    }
    let table = folder.good("evaluate m.thinnet classes.csv --average exact");
    assert!(table.contains("mean predictions of all thinned networks"), "{table}");
}

#[test]
fn averages_that_make_no_sense_are_refused() {
    let folder = Folder::with_data("refused");
    folder.good(&format!("fit values.csv {SMALL} -o m.thinnet"));
    folder.good(&format!("fit classes.csv {} -o wide.thinnet", SMALL.replace("12", "40")));
    let refused = |line: &str, part: &str| {
        let error = folder.fails(1, line);
        assert!(error.contains(part), "{line}: {error}");
    };
    refused("predict wide.thinnet classes.csv --average exact", "exact asks all 2^40 thinned networks");
    refused("predict m.thinnet values.csv --average mc-geometric:5", "which a regression has none of");
    refused("predict m.thinnet values.csv --average exact --interval 1.5", "above 0 and below 1, not 1.5");
    refused("predict wide.thinnet classes.csv --interval 0.9", "predicts classes, which have no interval");
    refused("evaluate wide.thinnet classes.csv --tau 2", "a classification has no precision");
    refused("evaluate m.thinnet values.csv --tau -2", "must be above 0");
    refused("evaluate m.thinnet values.csv --length-scale 2", "trained without L2");
    refused("predict m.thinnet values.csv --tau 2", "has no spread for it; add --average");
    refused(&format!("fit values.csv {SMALL} --temperature"), "a regression has no logits");
    refused(&format!("fit classes.csv {SMALL} --temperature --valid 0"), "there are none; set rows aside");
    let both = folder.fails(2, "evaluate m.thinnet values.csv --tau 1 --length-scale 2");
    assert!(both.contains("cannot be used with"), "{both}");
}

#[test]
fn intervals_hold_their_share_of_the_targets() {
    let folder = Folder::with_data("interval");
    folder.good(&format!("fit values.csv {SMALL} --l2 0.0001 -o m.thinnet"));
    for average in ["scale", "mc:50", "exact", "moments"] {
        let out = folder.good(&format!("predict m.thinnet values.csv --average {average} --interval 0.9"));
        // One pass of the whole network has intervals, all of the same width, but no spread.
        let scale = average == "scale";
        let names = if scale { "value,low,high" } else { "value,spread,low,high" };
        assert_eq!(out.lines().next(), Some(names));
        let (targets, rows) = (numbers(&values(240)), numbers(&out));
        let ends = |row: &[f64]| (row[row.len() - 2], row[row.len() - 1]);
        let within = |(row, of): &(&Vec<f64>, &Vec<f64>)| ends(row).0 <= of[2] && of[2] <= ends(row).1;
        let inside = rows.iter().zip(&targets).filter(within).count();
        assert!(inside > 200, "{average}: {inside} of 240");
        for row in &rows {
            let half = if scale { ends(&rows[0]).1 - rows[0][0] } else { 1.644_854 * row[1] };
            assert!((ends(row).1 - row[0] - half).abs() < 1e-3, "{average}: {row:?}");
        }
    }
    // By one pass of the whole network the precision is all there is: 1.6448 / 2 to each side.
    let out = folder.good("predict m.thinnet values.csv --interval 0.9 --tau 4");
    assert!(numbers(&out).iter().all(|row| (row[2] - row[1] - 1.644_854).abs() < 1e-3), "{out}");
    let tau = |options: &str| {
        let line = format!("evaluate m.thinnet values.csv --json --average mc:50 {options}");
        let measured = folder.json(&line);
        (measured["tau"].as_f64().unwrap(), measured["log_likelihood"].as_f64().unwrap())
    };
    let (fitted, likelihood) = tau("");
    assert!(likelihood > tau("--tau 0.0001").1 && likelihood > tau("--tau 10000").1);
    // tau grows with the square of the length.
    let (one, two) = (tau("--length-scale 1").0, tau("--length-scale 2").0);
    assert!((two / one - 4.0).abs() < 1e-4 && fitted != one, "{one}, {two}, {fitted}");
}

/// The noise of values.csv is the same in all rows, so that the predicted one is about that of the errors.
#[test]
fn a_predicted_variance_gives_every_average_a_spread() {
    let folder = Folder::with_data("variance");
    folder.good(&format!("fit values.csv {SMALL} --loss normal --members 2 -o m.thinnet"));
    let targets = numbers(&values(240));
    for average in ["scale", "mc:20", "exact", "moments"] {
        let out = folder.good(&format!("predict m.thinnet values.csv --average {average} --interval 0.9"));
        assert_eq!(out.lines().next(), Some("value,spread,low,high,disagreement"));
        let rows = numbers(&out);
        let inside = rows.iter().zip(&targets).filter(|(row, of)| row[2] <= of[2] && of[2] <= row[3]).count();
        assert!(inside > 200, "{average}: {inside} of 240");
        let spreads: Vec<f64> = rows.iter().map(|row| row[1]).collect();
        assert!(spreads.iter().any(|spread| (spread - spreads[0]).abs() > 1e-3), "one for all rows");
        let measured = folder.json(&format!("evaluate m.thinnet values.csv --json --average {average}"));
        assert!(measured["log_likelihood"].is_f64() && measured["tau"].is_null(), "{measured}");
    }
    let refused = |line: &str, part: &str| {
        let error = folder.fails(1, line);
        assert!(error.contains(part), "{line}: {error}");
    };
    refused("evaluate m.thinnet values.csv --tau 1", "predicts the variance of its observations");
    refused("fit classes.csv --loss normal", "train.loss: does not suit");
    let paired = folder.fails(2, "fit values.csv --loss normal --pair r-drop:1");
    assert!(paired.contains("train.pair: is not defined for loss"), "{paired}");
    assert!(folder.good("inspect m.thinnet").contains("normal"));
}

#[test]
fn a_temperature_and_a_mean_of_weights_are_kept() {
    let folder = Folder::with_data("kept");
    let fit = |options: &str, model: &str| {
        folder.good(&format!("fit classes.csv {SMALL} -o {model} {options}"));
        folder.json(&format!("inspect {model} --json"))
    };
    let plain = fit("", "plain.thinnet");
    assert!(plain["run"]["temperature"].is_null());
    let tempered = fit("--temperature", "tempered.thinnet");
    let temperature = tempered["run"]["temperature"].as_f64().unwrap();
    assert!(temperature > 0.01 && temperature != 1.0);
    // The same network, less or more sure.
    let logit = |model: &str| {
        let rows = numbers(&folder.good(&format!("predict {model} classes.csv --proba")));
        rows.iter().map(|row| (row[1] / row[2]).ln()).collect::<Vec<f64>>()
    };
    for (plain, tempered) in logit("plain.thinnet").iter().zip(logit("tempered.thinnet")) {
        assert!((plain / temperature - tempered).abs() < 1e-3 * (1.0 + plain.abs()), "{plain}, {tempered}");
    }
    for average in ["ema:0.99", "swa:0.5"] {
        let model = fit(&format!("--weight-average {average}"), "mean.thinnet");
        assert_eq!(model["spec"]["train"]["weight_average"], average);
        assert!(logit("mean.thinnet") != logit("plain.thinnet"), "{average}");
    }
    let error = folder.fails(2, &format!("fit classes.csv {SMALL} --weight-average ema:2"));
    assert!(error.contains("train.weight_average"), "{error}");
}
