//! From a CSV file to predictions.

use super::*;

const SMALL: &str = "--hidden 64,64 --dropout 0.2 --lr 0.01 --patience 0";

#[test]
fn classes_from_a_table_with_gaps_and_texts() {
    let folder = Folder::with_data("classes");
    let ran = folder.run(&format!("fit classes.csv --epochs 60 {SMALL}"));
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("the target is the last column, label"), "{}", ran.stderr);
    let lines: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("epoch")).collect();
    assert!(lines[0].starts_with("epoch  1/60") && lines.last().unwrap().starts_with("epoch 60/60"));
    assert!(lines.len() <= 21, "{}", ran.stderr);
    assert!(ran.stdout.contains("thinnet predict classes.thinnet NEW.csv"), "{}", ran.stdout);

    let measured = folder.json("evaluate classes.thinnet classes.csv --json");
    assert_eq!((&measured["task"], &measured["rows"]), (&"classification".into(), &240.into()));
    for name in ["error", "accuracy", "nll", "brier", "ece", "auc"] {
        assert!(measured[name].is_f64(), "{name}: {measured}");
    }
    assert!(measured["error"].as_f64().unwrap() < 0.15, "{measured}");
    let table = folder.good("evaluate classes.thinnet classes.csv");
    assert!(table.contains("accuracy") && table.contains("auc"), "{table}");

    let all = folder.good("predict classes.thinnet classes.csv");
    assert_eq!(all.lines().next(), Some("class"));
    let rows = classes(240);
    let right = all.lines().skip(1).zip(rows.lines().skip(1)).filter(|(class, row)| row.ends_with(*class));
    let accuracy = right.count() as f64 / 240.0;
    assert!((accuracy - measured["accuracy"].as_f64().unwrap()).abs() < 1e-9, "{accuracy}, {measured}");
}

#[test]
fn predictions_need_no_target_and_stand_unseen_texts() {
    let folder = Folder::with_data("new");
    folder.good(&format!("fit classes.csv -q --epochs 20 -o m.thinnet {SMALL}"));
    folder.write("new.csv", "noise,colour,size\n0.5,violet,1.5\n0.5,,\n0.5,red,-1.5\n");
    assert_eq!(folder.good("predict m.thinnet new.csv -o out.csv"), "");
    let out = String::from_utf8(folder.read("out.csv")).unwrap();
    assert_eq!(out.lines().count(), 4, "{out}");

    let out = folder.good("predict m.thinnet new.csv --proba --average mc:20");
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("class,probability no,probability yes,spread no,spread yes"));
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |index: usize| cells[index].parse::<f64>().unwrap();
        assert!((number(1) + number(2) - 1.0).abs() < 1e-5, "{line}");
        assert_eq!(cells[0], if number(1) >= number(2) { "no" } else { "yes" }, "{line}");
        assert!(number(3) > 0.0 && (number(3) - number(4)).abs() < 1e-5, "{line}");
    }
    let again = "predict m.thinnet new.csv --average mc:20 --seed";
    assert_eq!(folder.good(&format!("{again} 1")), folder.good(&format!("{again} 1 --threads 1")));
    assert_ne!(folder.good(&format!("{again} 1")), folder.good(&format!("{again} 2")));
}

#[test]
fn values_with_their_spread() {
    let folder = Folder::with_data("values");
    let fitted = folder.json(&format!("fit values.csv --json --epochs 60 {SMALL}"));
    assert_eq!(fitted["task"], "regression");
    let scaled = folder.json("evaluate values.thinnet values.csv --json");
    // The target's own deviation is about 10.
    assert!(scaled["rmse"].as_f64().unwrap() < 3.0 && scaled["r2"].as_f64().unwrap() > 0.9, "{scaled}");
    assert!(scaled["log_likelihood"].is_null());
    let sampled = folder.json("evaluate values.thinnet values.csv --json --average mc:30");
    let coverage = sampled["coverage_90"].as_f64().unwrap();
    assert!(sampled["log_likelihood"].is_f64() && coverage > 0.7, "{sampled}");
    assert_eq!(sampled["average"], "mc:30");

    let out = folder.good("predict values.thinnet values.csv --average mc:30");
    assert_eq!(out.lines().next(), Some("value,spread"));
    let rows = values(240);
    let squares = out.lines().skip(1).zip(rows.lines().skip(1)).map(|(out, row)| {
        let (value, spread) = out.split_once(',').unwrap();
        assert!(spread.parse::<f64>().unwrap() > 0.0);
        (value.parse::<f64>().unwrap() - row.rsplit(',').next().unwrap().parse::<f64>().unwrap()).powi(2)
    });
    let rmse = (squares.sum::<f64>() / 240.0).sqrt();
    assert!((rmse - sampled["rmse"].as_f64().unwrap()).abs() < 1e-3, "{rmse}, {sampled}");
}

#[test]
fn evaluation_tells_how_far_confidence_and_intervals_hold() {
    let folder = Folder::with_data("calibrated");
    folder.good(&format!("fit classes.csv -q --epochs 20 -o c.thinnet {SMALL}"));
    let of = folder.json("evaluate c.thinnet classes.csv --json");
    let bins = of["reliability"].as_array().unwrap();
    let number = |bin: &Value, name: &str| bin[name].as_f64().unwrap_or(0.0);
    assert_eq!(bins.len(), 15);
    assert!((bins.iter().map(|bin| number(bin, "share")).sum::<f64>() - 1.0).abs() < 1e-9, "{of}");
    let accuracy: f64 = bins.iter().map(|bin| number(bin, "share") * number(bin, "accuracy")).sum();
    assert!((accuracy - of["accuracy"].as_f64().unwrap()).abs() < 1e-9, "{of}");
    assert!(folder.good("evaluate c.thinnet classes.csv").contains("mean confidence"));

    folder.good(&format!("fit values.csv -q --epochs 20 -o v.thinnet {SMALL}"));
    let of = folder.json("evaluate v.thinnet values.csv --json --average mc:30");
    // A distribution scores better than the point in its middle, and 90 % of a normal one are 3.29 wide.
    assert!(
        of["crps"].as_f64().unwrap() < of["mae"].as_f64().unwrap() && of["width_90"].as_f64() > Some(0.0)
    );
    let point = folder.json("evaluate v.thinnet values.csv --json");
    assert!(point["crps"].is_null() && point["width_90"].is_null(), "{point}");
}

#[test]
fn measures_of_classes_and_values() {
    let folder = Folder::with_data("measures");
    for (data, task, curve) in [("classes", "classification", "error"), ("values", "regression", "loss")] {
        folder.good(&format!(
            "fit {data}.csv -q --epochs 12 -o m.thinnet --hidden 20,1 --lr 0.01 --patience 0"
        ));
        let line = format!("measure m.thinnet {data}.csv --rows 200 --pairs 30 --samples 8 --seed 2");
        let of = folder.json(&format!("{line} --json --threads 1"));
        assert_eq!(of, folder.json(&format!("{line} --json --threads 3")), "{data}");
        assert_eq!((&of["rows"], &of["ablated_rows"], &of["seed"]), (&200.into(), &200.into(), &2.into()));
        assert_eq!(of["overfitting"]["gaps"].as_array().unwrap().len(), 12, "{of}");
        let layers = of["coadaptation"].as_array().unwrap();
        assert_eq!((layers.len(), &layers[0]["units"], &layers[1]["layer"]), (2, &20.into(), &2.into()));
        assert_eq!(layers[0]["interaction"]["pairs"], 30);
        assert!(layers[1]["interaction"].is_null(), "one unit has no pair: {of}");
        for name in ["mean_absolute_correlation", "decov", "effective_rank", "sparsity", "mean_activation"] {
            assert!(layers[0][name].is_f64(), "{name}: {of}");
        }
        let silenced = layers[0]["silenced"].as_array().unwrap();
        assert_eq!((silenced.len(), &silenced[5]["units"]), (10, &10.into()));
        assert!(silenced[5][curve]["standard_error"].is_f64(), "{of}");
        assert!(of["inference_gap"]["gap"].as_f64() > Some(0.0) && of["inference_gap"]["samples"] == 8);
        assert_eq!((&of["whole"]["task"], &of["sampled"]["task"]), (&task.into(), &task.into()));
        if data == "classes" {
            // Nothing silenced is the whole network, by the weights of the rows too.
            folder.good("fit classes.csv -q --epochs 2 -o w.thinnet --hidden 20 --weight noise");
            let weighted = folder.json("measure w.thinnet classes.csv --json");
            for of in [&of, &weighted] {
                for layer in of["coadaptation"].as_array().unwrap() {
                    for (name, whole) in [("error", "error"), ("loss", "nll")] {
                        let none = layer["silenced"][0][name]["mean"].as_f64().unwrap();
                        let whole = of["whole"][whole].as_f64().unwrap();
                        assert!((none - whole).abs() < 1e-5, "{name}: {none}, not {whole}");
                    }
                }
            }
        }
        let page = folder.good(&line);
        for part in ["OVERFITTING", "CO-ADAPTATION", "WITHOUT a share", "INFERENCE GAP", "CALIBRATION"] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
}

#[test]
fn measures_say_what_cannot_be_measured() {
    let folder = Folder::with_data("unmeasured");
    folder.good("fit classes.csv -q --epochs 3 -o m.thinnet --hidden none --dropout 0 --valid 0");
    let page = folder.good("measure m.thinnet classes.csv");
    for sentence in ["held no rows out", "no hidden layers", "Nothing was dropped"] {
        assert!(page.contains(sentence), "{sentence}: {page}");
    }
    let of = folder.json("measure m.thinnet classes.csv --json");
    assert!(of["overfitting"].is_null() && of["inference_gap"].is_null() && of["sampled"].is_null(), "{of}");
    folder.write("new.csv", "size,colour,noise\n0.5,red,0.1\n");
    assert!(folder.fails(1, "measure m.thinnet new.csv").contains("label"));
    assert!(folder.fails(2, "measure m.thinnet classes.csv --samples 1").contains("--samples"));
}

#[test]
fn the_json_of_a_fit_is_complete() {
    let folder = Folder::with_data("json");
    let fitted = folder.json("fit classes.csv --json --epochs 3 --hidden 16 --seed 7 -o m.thinnet");
    assert_eq!(fitted["model"], "m.thinnet");
    assert_eq!(fitted["rows"], 240);
    assert_eq!((&fitted["epochs"], &fitted["seed"]), (&3.into(), &7.into()));
    // 192 rows train, in batches of 32.
    assert_eq!(fitted["steps"], 18);
    // size, size is missing, three colours, noise: 6 inputs; 16 units; 2 classes.
    assert_eq!(fitted["inputs"], 6);
    assert_eq!(fitted["parameters"], 7 * 16 + 17 * 2);
    assert_eq!((&fitted["train"]["rows"], &fitted["valid"]["rows"]), (&192.into(), &48.into()));
    assert!(fitted["seconds"].as_f64() > Some(0.0) && fitted["rows_per_second"].as_f64() > Some(0.0));
    assert!(fitted["train"]["error"].is_f64() && fitted["valid"]["nll"].is_f64());
    assert_eq!(fitted["classes"], serde_json::json!(["no", "yes"]));
    assert_eq!(folder.run("fit classes.csv --json -q --epochs 3 --hidden 16").stderr, "");
}

#[test]
fn inspection_shows_every_part() {
    let folder = Folder::with_data("inspect");
    folder.good("fit classes.csv -q --epochs 5 --hidden 16,8 --dropout 0.3,0.2 -o m.thinnet");
    let report = folder.good("inspect m.thinnet");
    for part in
        ["classification of label", "colour", "one-hot of 3: blue, green, red", "indicated", "266", "epoch"]
    {
        assert!(report.contains(part), "{part}: {report}");
    }
    let object = folder.json("inspect m.thinnet --json");
    assert_eq!(object["parameters"], 7 * 16 + 17 * 8 + 9 * 2);
    assert_eq!(object["run"]["history"].as_array().unwrap().len(), 5);
    assert_eq!(object["spec"]["thin"]["hidden"].as_array().unwrap().len(), 2);
}

/// The average that a model is made for is taken where none is asked for, and refused before training.
#[test]
fn a_spec_says_which_average_its_model_is_for() {
    let folder = Folder::with_data("average");
    folder.write("a.toml", "average = \"mc:7\"\n");
    folder.good("fit classes.csv -q --steps 5 --hidden 8 --dropout 0.5 --spec a.toml -o m.thinnet");
    let average = |options: &str| {
        let object = folder.json(&format!("evaluate m.thinnet classes.csv --json {options}"));
        (object["average"].as_str().unwrap().to_owned(), object["nll"].as_f64().unwrap())
    };
    assert_eq!(average(""), average("--average mc:7"));
    assert_eq!(average("").0, "mc:7");
    assert_ne!(average("").1, average("--average scale").1);
    assert_eq!(
        folder.good("predict m.thinnet classes.csv --proba"),
        folder.good("predict m.thinnet classes.csv --proba --average mc:7")
    );
    assert!(folder.good("inspect m.thinnet").contains("average mc:7"));

    folder.good("fit classes.csv -q --steps 5 --hidden 8 --spec a.toml --average scale -o m.thinnet");
    assert_eq!(average("").0, "scale");
    let refused = folder.fails(1, "fit classes.csv --drop gaussian --average exact -o n.thinnet");
    assert!(refused.contains("exact needs units"), "{refused}");
    assert!(!folder.path("n.thinnet").exists());
}

#[test]
fn inspection_tells_how_a_model_was_trained() {
    let folder = Folder::with_data("inspect-training");
    let report = |options: &str| {
        folder.good(&format!("fit classes.csv -q --steps 5 --hidden 16,16 -o m.thinnet {options}"));
        folder.good("inspect m.thinnet")
    };
    for (options, parts) in [
        (
            "--l1 0.001 --l2 0.002 --max-norm 3 --label-smoothing 0.1 --clip 0.5 --min-improvement 0.01",
            &[
                "cross-entropy, adam",
                "L1 of 0.001",
                "L2 of 0.002",
                "max-norm 3",
                "label smoothing of 0.1",
                "norm 0.5 at most",
                "improvement of 0.01",
            ][..],
        ),
        (
            "--optimizer sgd --momentum linear:0.5:0.9:100 --warmup 20 --class-weights yes=2,no=1",
            &["sgd with momentum linear:0.5:0.9:100", "rising over 20 steps", "class weights no=1 yes=2"],
        ),
        (
            "--pair r-drop:2 --temperature --weight-average ema:0.9 --class-weights balanced",
            &["r-drop:2", "temperature fitted", "ema:0.9", "balanced class weights"],
        ),
        (
            "--count exact --rate-schedule early:0.5 --schedule constant",
            &["an exact count", "rates early:0.5", "(constant)"],
        ),
        (
            "--scaling at-prediction --loss binary-cross-entropy",
            &["scaled at prediction", "binary-cross-entropy"],
        ),
        (
            "--optimizer adamw --weight-decay 0.3 --pool 7",
            &["weight decay of 0.3", "one of 7 masks for each slice"],
        ),
        ("--masks 4:2", &["4 fixed masks at scale 2"]),
        ("--drop concrete --length-scale 0.5", &["concrete noise", "length scale 0.5"]),
        ("--members 2 --temperature", &["cross-entropy", "by member"]),
    ] {
        let report = report(options);
        for part in parts {
            assert!(report.contains(part), "{options}, {part}: {report}");
        }
        assert!(!options.contains("masks") || !report.contains("one mask for each"), "{report}");
    }
    let usual = report("");
    for absent in ["L1", "momentum", "temperature", "class weights", "scale", "count", "over the run"] {
        assert!(!usual.contains(absent), "{absent}: {usual}");
    }
}

/// docs/family.md says which members have schedules of the rate.
#[test]
fn edges_have_schedules_of_the_rate() {
    let folder = Folder::with_data("rate-schedules");
    for drop in ["units", "edges", "edges-gaussian", "gaussian"] {
        let fit = |schedule: &str| {
            let line =
                format!("fit classes.csv -q --epochs 4 --hidden 16 --dropout 0.5 --drop {drop} -o m.thinnet");
            folder.good(&format!("{line} --rate-schedule {schedule}"));
            folder.json("inspect m.thinnet --json")["run"]["history"].clone()
        };
        assert!(fit("late:0.5") != fit("constant"), "{drop}");
    }
}

#[test]
fn a_fit_says_what_it_replaces_and_what_comes_next() {
    let folder = Folder::with_data("next");
    let fit = |options: &str| folder.good(&format!("fit classes.csv --steps 5 --hidden 8 {options}"));
    let first = fit("");
    assert!(
        !first.contains("replaced") && first.contains("Next, with new rows of your own (TEST.csv"),
        "{first}"
    );
    assert!(fit("").contains(", and has replaced the file of that name."));
    assert!(fit("--test 0.3").contains("evaluate classes.thinnet classes.csv --part test"));
    assert_eq!(folder.json("fit classes.csv --steps 5 --hidden 8 --json")["replaced"], true);
    let mut rows = "id,x,label\n".to_string();
    (0..130).for_each(|row| rows += &format!("{row},{}.5,{}\n", row % 7, row % 2));
    folder.write("id.csv", &rows);
    let ran = folder.run("fit id.csv -q --steps 5 --hidden 8");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("id holds a different whole number in every row")
            && ran.stderr.contains("--ignore id")
    );
}

#[test]
fn a_printed_spec_has_every_field() {
    let folder = Folder::with_data("every-field");
    let spec = folder.good("fit classes.csv --print-spec");
    for field in ["share_rows = 0", "test = 0.0", "test_seed = 0", "class_weights = \"equal\"", "pool = 0"] {
        assert!(spec.lines().any(|line| line == field), "{field}: {spec}");
    }
    assert!(spec.contains("\n# Without a value, and so not in it: data.weight, thin.masks\n"), "{spec}");
    folder.write("run.toml", &spec);
    assert_eq!(folder.good("fit classes.csv --print-spec --spec run.toml"), spec);
    let spec = folder.good("fit classes.csv --print-spec --class-weights yes=2 --masks 4:2");
    assert!(spec.contains("yes = 2.0") && spec.contains("members = 4"), "{spec}");
    folder.write("run.toml", &spec);
    assert_eq!(folder.good("fit classes.csv --print-spec --spec run.toml"), spec);
    assert!(
        folder
            .good("fit classes.csv --print-spec --spec run.toml --class-weights equal")
            .contains("\"equal\"")
    );
}

#[test]
fn every_option_is_a_field_of_the_spec() {
    let folder = Folder::with_data("every-option");
    for (options, line) in [
        ("--seed 7", "seed = 7"),
        ("--target colour", "target = \"colour\""),
        ("--task classification", "task = \"classification\""),
        ("--weight noise", "weight = \"noise\""),
        ("--ignore noise", "ignore = [\"noise\"]"),
        ("--type size=number", "size = \"number\""),
        ("--valid 0.4", "valid = 0.4"),
        ("--test 0.3", "test = 0.3"),
        ("--hidden 9,8", "hidden = [9, 8]"),
        ("--activation tanh", "activation = \"tanh\""),
        ("--initialise glorot", "initialise = \"glorot\""),
        ("--dropout 0.4", "hidden = 0.4"),
        ("--hidden 9,8 --dropout 0.4,0.1", "hidden = [0.4, 0.1]"),
        ("--input-dropout 0.15", "input = 0.15"),
        ("--share row", "share = \"row\""),
        ("--drop edges --share slice --share-rows 16", "share_rows = 16"),
        ("--scaling at-prediction", "scaling = \"at-prediction\""),
        ("--drop gaussian", "drop = \"gaussian\""),
        ("--count exact", "count = \"exact\""),
        ("--rate-schedule late:0.5", "schedule = \"late:0.5\""),
        ("--pool 6", "pool = 6"),
        ("--masks 4:2", "members = 4"),
        ("--drop standout --standout-slope 2", "standout_slope = 2.0"),
        ("--drop variational --divergence-warmup 9", "divergence_warmup = 9"),
        ("--drop concrete --length-scale 0.5", "length_scale = 0.5"),
        ("--members 3", "members = 3"),
        ("--members 3 --bootstrap", "bootstrap = true"),
        ("--members 3 --column-share 0.5", "columns = 0.5"),
        ("--members 2 --member-hidden 5 --member-hidden 6,7", "networks = [[5], [6, 7]]"),
        ("--members 2 --member-activation tanh", "activations = [\"tanh\"]"),
        ("--loss cross-entropy", "loss = \"cross-entropy\""),
        ("--label-smoothing 0.2", "label_smoothing = 0.2"),
        ("--pair r-drop:2", "pair = \"r-drop:2\""),
        ("--class-weights balanced", "class_weights = \"balanced\""),
        ("--l1 0.003", "l1 = 0.003"),
        ("--l2 0.004", "l2 = 0.004"),
        ("--max-norm 3", "max_norm = 3.0"),
        ("--clip 0.5", "clip = 0.5"),
        ("--optimizer sgd", "optimizer = \"sgd\""),
        ("--lr 0.03", "learning_rate = 0.03"),
        ("--schedule inverse:9", "schedule = \"inverse:9\""),
        ("--warmup 12", "warmup = 12"),
        ("--optimizer sgd --momentum 0.7", "momentum = 0.7"),
        ("--optimizer adamw --weight-decay 0.2", "weight_decay = 0.2"),
        ("--epochs 13", "epochs = 13"),
        ("--steps 14", "steps = 14"),
        ("--minutes 0.5", "minutes = 0.5"),
        ("--batch 17", "batch = 17"),
        ("--slice 7", "slice = 7"),
        ("--patience 6", "patience = 6"),
        ("--min-improvement 0.01", "min_improvement = 0.01"),
        ("--weight-average ema:0.9", "weight_average = \"ema:0.9\""),
        ("--temperature", "temperature = true"),
        ("--average mc:9", "average = \"mc:9\""),
    ] {
        let has = |options: &str| {
            let spec = folder.good(&format!("fit classes.csv --print-spec {options}"));
            spec.lines().any(|found| found == line)
        };
        assert!(has(options), "{options}: no {line}");
        // Without it the line is not there, unless the data say the same.
        assert!(!has("") || ["--task", "--loss"].iter().any(|same| options.starts_with(same)), "{options}");
    }
}

#[test]
fn options_decide_which_rows_validate() {
    let folder = Folder::with_data("valid");
    let fit = |options: &str| folder.json(&format!("fit classes.csv --json --hidden 8 {options}"));
    assert!(fit("--epochs 2 --valid 0")["valid"].is_null());
    assert_eq!(fit("--epochs 2 --valid 0.5")["valid"]["rows"], 120);
    folder.write("held.csv", &classes(30));
    let held = fit("--epochs 2 --valid held.csv");
    assert_eq!((&held["valid"]["rows"], &held["train"]["rows"]), (&30.into(), &240.into()));
    let stopped = fit("--epochs 400 --patience 2 --lr 0.05");
    assert_eq!(stopped["ended"], "patience");
    assert_eq!(stopped["epochs"].as_u64().unwrap(), stopped["chosen_epoch"].as_u64().unwrap() + 2);
}

#[test]
fn the_digits_are_built_in_and_a_demo_compares() {
    let folder = Folder::new("digits");
    folder.good("fit digits --epochs 1 --hidden 32 -q");
    assert_eq!(folder.json("evaluate digits.thinnet digits --json")["rows"], 1797);
    let demo = folder.json("demo --seeds 2 --epochs 2 --json");
    assert_eq!(demo["networks"][1]["name"], "dropout");
    assert_eq!(demo["networks"][0]["test_loss"].as_array().unwrap().len(), 2);
    let report = folder.good("demo --seeds 1 --epochs 2");
    assert!(report.contains("standard") && report.contains("more seeds would tell"), "{report}");
}

#[test]
fn help_names_every_mode() {
    let folder = Folder::new("help");
    let help = folder.good("--help");
    for mode in ["demo", "elephant", "fit", "predict", "evaluate", "measure", "inspect"] {
        assert!(help.contains(&format!("thinnet {mode} ")), "{help}");
        assert!(folder.good(&format!("{mode} --help")).contains("Example"), "{mode}");
    }
}

/// Every member of the family that acts on units, from the command line to the report of its model.
#[test]
fn noise_on_units() {
    let folder = Folder::with_data("noise");
    for options in [
        "--drop gaussian --share row",
        "--drop variational --share row --divergence-warmup 50 --precision 4",
        "--drop concrete --share row --length-scale 0.1",
        "--drop standout --share row --standout-slope 0.5",
        "--count exact --rate-schedule flat-cosine:0.5",
        "--pool 100 --rate-schedule off:0.2",
        "--masks 4:2",
    ] {
        let fitted =
            folder.json(&format!("fit values.csv -q --json --epochs 40 -o m.thinnet {SMALL} {options}"));
        let deviation = fitted["train"]["rmse"].as_f64().unwrap();
        assert!(deviation < 6.0, "{options}: {deviation} of a deviation of 10");
        let (whole, sampled) = ("evaluate m.thinnet values.csv --json", "--average mc:4");
        for average in ["", sampled] {
            let rmse = folder.json(&format!("{whole} {average}"))["rmse"].as_f64().unwrap();
            assert!(rmse < 7.0, "{options}, {average}: {rmse}");
        }
        let (report, inspected) = (folder.good("inspect m.thinnet"), folder.json("inspect m.thinnet --json"));
        let learned = &inspected["layers"][1]["learned_noise"];
        assert_eq!(learned, &fitted["learned_noise"][1], "{options}");
        if options.contains("concrete") {
            let rate = learned["rate"].as_f64().unwrap();
            assert!(
                rate > 0.0 && rate < 1.0 && report.contains("The rate of layer 2 was learned: "),
                "{report}"
            );
        } else if options.contains("variational") {
            let largest = learned["alpha"]["largest"].as_f64().unwrap();
            assert!(largest > 0.0 && largest <= 1.0, "{learned}");
            assert!(report.contains("The variances of the noise of layer 2 were learned: "), "{report}");
        } else {
            assert!(learned.is_null() && !report.contains("learned:"), "{report}");
        }
    }
    // The networks of fixed masks are those of the run, whatever the seed of the prediction.
    let sampled = |seed| folder.good(&format!("predict m.thinnet values.csv --average mc:4 --seed {seed}"));
    assert_eq!(sampled(1), sampled(2));
}

/// Noise on edges; what it prunes makes the file smaller.
#[test]
fn noise_on_edges() {
    let folder = Folder::with_data("edges");
    for (options, average) in [
        ("--drop edges --share row", "dropconnect:50"),
        ("--drop edges --share-rows 16 --scaling at-prediction", "mc:4"),
        ("--drop edges-gaussian", "dropconnect:50"),
        ("--drop sparse-variational --divergence-warmup 50", "mc:4"),
    ] {
        let fitted =
            folder.json(&format!("fit values.csv -q --json --epochs 60 -o m.thinnet {SMALL} {options}"));
        assert!(fitted["train"]["rmse"].as_f64().unwrap() < 6.0, "{options}: {fitted}");
        for average in ["scale", average] {
            let line = format!("evaluate m.thinnet values.csv --json --average {average}");
            let rmse = folder.json(&line)["rmse"].as_f64().unwrap();
            assert!(rmse < 7.0, "{options}, {average}: {rmse}");
        }
        let (report, inspected) = (folder.good("inspect m.thinnet"), folder.json("inspect m.thinnet --json"));
        let pruned = &inspected["run"]["pruned"];
        if !options.contains("sparse") {
            assert!(pruned.is_null() && fitted["sparsity"].is_null(), "{options}");
            continue;
        }
        assert_eq!(pruned, &fitted["pruned"]);
        let sparsity = fitted["sparsity"].as_f64().unwrap();
        assert!(sparsity > 0.5 && sparsity < 1.0, "{sparsity}");
        assert!(report.contains(&format!("a sparsity of {:.1} %", 100.0 * sparsity)), "{report}");
        folder.good(&format!("fit values.csv -q --epochs 60 -o whole.thinnet {SMALL}"));
        let [pruned, whole] = ["m.thinnet", "whole.thinnet"].map(|name| folder.read(name).len());
        assert!(2 * pruned < whole, "{pruned} bytes, and {whole} of the whole network");
    }
    let sentence = folder.fails(1, "evaluate whole.thinnet values.csv --average dropconnect:5");
    assert!(sentence.contains("for networks whose edges were dropped"), "{sentence}");
}

#[test]
fn noise_that_makes_no_sense_is_refused() {
    let folder = Folder::with_data("no-noise");
    for (options, field) in [
        ("--share-rows 16", "thin.share_rows"),
        ("--drop edges --share-rows 20", "thin.share_rows"),
        ("--drop edges --share row --share-rows 16", "thin.share_rows"),
        ("--drop edges-gaussian --scaling at-prediction", "thin.scaling"),
        ("--drop sparse-variational --rate-schedule early:0.5", "thin.schedule"),
        ("--drop gaussian --count exact", "thin.count"),
        ("--drop standout --input-dropout 0.2", "thin.input"),
        ("--drop concrete --rate-schedule early:0.5", "thin.schedule"),
        ("--pool 5 --share row", "thin.pool"),
        ("--drop variational --dropout 0.7", "thin.hidden"),
    ] {
        let sentence = folder.fails(2, &format!("fit values.csv -q {options}"));
        assert!(sentence.contains(field), "{options}: {sentence}");
    }
}
