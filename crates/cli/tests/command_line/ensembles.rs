//! Several networks in one model.

use super::*;

const SMALL: &str = "--epochs 12 --lr 0.01 --hidden 16 --dropout 0.2";

#[test]
fn a_fit_tells_of_every_member() {
    let folder = Folder::with_data("members");
    let options = "--members 3 --bootstrap --column-share 0.7 --member-hidden 16,8 --member-hidden 24 \
                   --member-activation relu --member-activation tanh";
    let fitted = folder.json(&format!("fit classes.csv --json -o m.thinnet {SMALL} {options}"));
    let members = fitted["members"].as_array().unwrap();
    assert_eq!(members.len(), 3);
    let hidden = |member: usize| members[member]["hidden"].to_string();
    assert_eq!([hidden(0), hidden(1), hidden(2)], ["[16,8]", "[24]", "[16,8]"]);
    assert_eq!((&members[1]["activation"], &members[2]["activation"]), (&"tanh".into(), &"relu".into()));
    let sum: u64 = members.iter().map(|member| member["parameters"].as_u64().unwrap()).sum();
    assert_eq!(fitted["parameters"], sum);
    let steps: u64 = members.iter().map(|member| member["steps"].as_u64().unwrap()).sum();
    assert_eq!((&fitted["steps"], &fitted["epochs"]), (&steps.into(), &12.into()));
    for member in members {
        assert!(member["valid"]["nll"].is_f64() && member["epochs"] == 12, "{member}");
        // 2 of 3 columns: size and its indicator, three colours, noise.
        assert!([3, 4, 5].map(Value::from).contains(&member["inputs"]), "{member}");
    }
    for name in ["deviation", "classes_differ", "mutual_information"] {
        assert!(fitted["disagreement"][name].as_f64().unwrap() > 0.0, "{fitted}");
    }

    let measured = folder.json("evaluate m.thinnet classes.csv --json");
    assert_eq!((measured["members"].as_array().unwrap().len(), &measured["rows"]), (3, &240.into()));
    assert!(measured["disagreement"]["deviation"].as_f64().unwrap() > 0.0);
    let table = folder.good("evaluate m.thinnet classes.csv --average mc:5");
    assert!(table.contains("mean of 3 members, of each the mean predictions of 5 thinned"), "{table}");
    assert!(table.contains("They find different classes for"), "{table}");

    let report = folder.good("inspect m.thinnet");
    assert!(report.contains("rows drawn with replacement") && report.contains("-24-2 tanh"), "{report}");
    let object = folder.json("inspect m.thinnet --json");
    assert_eq!(object["members"][1]["number"], 1);
    assert_eq!(object["members"][1]["inputs"].as_array().unwrap().len(), members[1]["inputs"]);
}

#[test]
fn a_person_reads_a_line_for_each_member() {
    let folder = Folder::with_data("lines");
    let ran = folder.run(&format!("fit values.csv --members 2 {SMALL}"));
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("2 members of 2-16-1 relu, dropout of 0.2"), "{}", ran.stderr);
    for member in ["member 1/2  12 epochs, ", "member 2/2  12 epochs, "] {
        assert_eq!(ran.stderr.lines().filter(|line| line.starts_with(member)).count(), 1, "{}", ran.stderr);
    }
    assert!(ran.stdout.contains("Each member alone, on the validation rows"), "{}", ran.stdout);
    assert!(ran.stdout.contains("in the target's unit"), "{}", ran.stdout);
}

#[test]
fn predictions_tell_how_far_members_disagree() {
    let folder = Folder::with_data("disagreement");
    folder.good(&format!("fit classes.csv -q --members 3 -o c.thinnet {SMALL}"));
    let out = folder.good("predict c.thinnet classes.csv");
    assert_eq!(out.lines().next(), Some("class,spread,disagreement"));
    let out = folder.good("predict c.thinnet classes.csv --proba --average mc:5");
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("class,probability no,probability yes,spread no,spread yes,disagreement"));
    let line: Vec<f64> = lines.next().unwrap().split(',').skip(1).map(|cell| cell.parse().unwrap()).collect();
    assert!(line[2] > line[4] && line[4] > 0.0, "the spread has more than the members' part: {line:?}");

    folder.good(&format!("fit values.csv -q --members 3 -o v.thinnet {SMALL}"));
    let out = folder.good("predict v.thinnet values.csv");
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("value,spread,disagreement"));
    let line: Vec<f64> = lines.next().unwrap().split(',').map(|cell| cell.parse().unwrap()).collect();
    assert!(line[0] > 400.0 && line[1] > line[2] && line[2] > 0.0, "{line:?}");
    let measured = folder.json("evaluate v.thinnet values.csv --json");
    assert!(measured["coverage_90"].is_f64() && measured["members"][2]["rmse"].is_f64(), "{measured}");
    assert!(measured["disagreement"]["classes_differ"].is_null());
}

#[test]
fn fixed_masks_are_members() {
    let folder = Folder::with_data("masks-members");
    for (data, measure) in [("classes.csv", "nll"), ("values.csv", "rmse")] {
        folder.good(&format!("fit {data} -q --masks 4:2 -o m.thinnet {SMALL}"));
        let evaluate = |average: &str| folder.json(&format!("evaluate m.thinnet {data} --json {average}"));
        let measured = evaluate("--average mc:4");
        let members = measured["members"].as_array().unwrap();
        let mut each: Vec<f64> = members.iter().map(|member| member[measure].as_f64().unwrap()).collect();
        each.dedup();
        assert_eq!(each.len(), 4, "each mask has a network of its own: {measured}");
        assert!(measured["disagreement"]["deviation"].as_f64().unwrap() > 0.0);
        let mean = each.iter().sum::<f64>() / 4.0;
        assert!(measured[measure].as_f64().unwrap() < mean, "{measured}");
        let twice = evaluate("--average mc:8");
        assert_eq!(
            (&twice["members"], &twice["disagreement"]),
            (&measured["members"], &measured["disagreement"])
        );
        assert!(evaluate("")["members"].is_null(), "the whole network is one");
        let table = folder.good(&format!("evaluate m.thinnet {data} --average mc:4"));
        assert!(table.contains("Each member alone:") && !table.contains("mean of 4 members"), "{table}");
    }
}

#[test]
fn a_printed_spec_gives_the_same_model_on_any_number_of_threads() {
    let folder = Folder::with_data("ensemble-spec");
    let options = "--members 4 --bootstrap --column-share 0.5 --member-hidden 16,8 --member-hidden none";
    let fit = |rest: &str| {
        folder.good(&format!("fit classes.csv -q -o m.thinnet {rest}"));
        folder.read("m.thinnet")
    };
    let first = fit(&format!("--threads 1 {SMALL} {options}"));
    let printed = folder.good(&format!("fit classes.csv --print-spec {SMALL} {options}"));
    assert!(printed.contains("[ensemble]\nmembers = 4\nbootstrap = true\ncolumns = 0.5\n"), "{printed}");
    folder.write("run.toml", &printed);
    for threads in [2, 3, 4] {
        assert!(fit(&format!("--threads {threads} --spec run.toml")) == first, "{threads} threads");
    }
    assert!(fit("--spec run.toml --members 2") != first, "the option overrides");
}

#[test]
fn options_that_cannot_be_used_are_refused() {
    let folder = Folder::with_data("ensemble-options");
    for (options, part) in [
        ("--members 0", "ensemble.members: must be from 1 to 10000, not 0"),
        ("--members 2 --column-share 1.5", "ensemble.columns: must be above 0 and at most 1"),
        ("--member-hidden 8 --member-hidden 4", "2 by turns for 1 members; ask for at least 2"),
        ("--members 2 --member-hidden 8 --member-hidden 8,8 --dropout 0.5,0.5", "2 rates for 1 hidden"),
        ("--members 2 --member-hidden 8,0", "network 1 has a layer without units"),
    ] {
        let error = folder.fails(2, &format!("fit classes.csv {options}"));
        assert!(error.contains(part), "{options}: {error}");
    }
}
