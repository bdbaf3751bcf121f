//! What cannot work ends with one sentence and the right status.

use super::*;

#[track_caller]
fn says(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "no {part:?} in: {error}");
    }
}

#[test]
fn data_that_cannot_be_used() {
    let folder = Folder::with_data("data");
    folder.write("empty.csv", "");
    folder.write("short.csv", "a,b\n1,2\n3\n");
    folder.write("infinite.csv", "a,y\n1,2\ninf,3\n2,4\n");
    folder.write("same.csv", "a,y\n1,2\n2,2\n");
    let fails = |line: &str| folder.fails(1, &format!("fit -q --epochs 1 --hidden 4 {line}"));
    says(&fails("missing.csv"), &["missing.csv"]);
    says(&fails("empty.csv"), &["empty.csv", "header"]);
    says(&fails("short.csv"), &["short.csv, line 3"]);
    says(&fails("infinite.csv"), &["infinite.csv, line 3", "column a"]);
    says(&fails("same.csv"), &["column y", "nothing to learn"]);
    for target in ["1e39", "3e38"] {
        folder.write("large.csv", &format!("a,y\n1,2.5\n2,{target}\n3,4.5\n4,1\n"));
        says(&fails("large.csv"), &["large.csv, line 3", "column y", "too large for a target"]);
    }
    folder.write("four.csv", "a,y\n1,2.5\n2,7.5\n3,4.5\n4,1\n");
    says(&fails("four.csv --valid 0.001"), &["data.valid: 0.001 of 4 rows"]);
    says(&fails("four.csv --valid 0 --test 0.001"), &["data.test: 0.001 of 4 rows"]);
    says(&fails("classes.csv --target lable"), &["lable", "label"]);
    says(&fails("classes.csv --ignore lable"), &["lable", "label"]);
    says(&fails("classes.csv --type label=number --task regression"), &["label", "line 2"]);
    says(&fails("classes.csv --loss squared"), &["train.loss", "cross-entropy"]);
    says(&fails("classes.csv --valid missing.csv"), &["missing.csv"]);
    says(&fails("."), &[]);
}

#[test]
fn a_gap_is_no_error_in_an_input_but_in_the_target() {
    let folder = Folder::with_data("gaps");
    let rows = classes(60).replacen(",yes\n", ",NaN\n", 1);
    let line = rows.lines().position(|row| row.ends_with("NaN")).unwrap() + 1;
    folder.write("gap.csv", &rows);
    says(&folder.fails(1, "fit gap.csv -q --epochs 1 --hidden 4"), &[&format!("line {line}"), "label"]);
}

#[test]
fn numbers_that_are_written_in_another_way() {
    let folder = Folder::new("foreign");
    let rows = |row: fn(usize) -> String| (0..300).map(row).collect::<String>();
    let stray = format!("a,y\nunknown,1.5\n{}", rows(|row| format!("{row}.5,{row}.25\n")));
    folder.write("stray.csv", &stray);
    folder.write("gap.csv", &stray.replace("unknown", "None"));
    folder.write("comma.csv", &format!("a;Preis\n{}", rows(|row| format!("{row};{},5\n", row % 298))));
    folder.write("thousands.csv", &format!("a,y\n{}", rows(|row| format!("{row},\"{row},744.82\"\n"))));
    let fails = |line: &str| folder.fails(1, &format!("fit -q --epochs 1 --hidden 4 {line}"));
    says(&fails("stray.csv"), &["stray.csv, line 2, column a: \"unknown\" is not", "300 of", "--ignore a"]);
    folder.good("fit -q --epochs 1 --hidden 4 gap.csv");
    says(&fails("comma.csv"), &["comma.csv, line 2, column Preis: \"0,5\" is not", "decimal comma"]);
    says(&fails("comma.csv --task classification"), &["298 classes in 300 rows", "decimal comma"]);
    says(&fails("thousands.csv"), &["thousands.csv, line 2, column y: \"0,744.82\"", "thousands"]);
}

#[test]
fn whole_numbers_as_classes_have_a_warning() {
    let folder = Folder::new("counts");
    let rows: String = (0..300).map(|row| format!("{row}.5,{}\n", 4 + row % 11)).collect();
    folder.write("counts.csv", &format!("a,goals\n{rows}"));
    let stderr = |options: &str| {
        let ran = folder.run(&format!("fit counts.csv -q --epochs 1 --hidden 4 {options}"));
        assert_eq!(ran.status, 0, "{options}: {}", ran.stderr);
        ran.stderr
    };
    says(&stderr(""), &["warning: the whole numbers of goals are taken as 11 classes; --task regression"]);
    for task in ["classification", "regression"] {
        assert!(!stderr(&format!("--task {task}")).contains("warning"), "{task}");
    }
}

#[test]
fn models_that_cannot_be_used() {
    let folder = Folder::with_data("models");
    folder.good("fit classes.csv -q --epochs 1 --hidden 4 -o m.thinnet");
    let bytes = folder.read("m.thinnet");
    fs::write(folder.path("cut.thinnet"), &bytes[..bytes.len() - 9]).unwrap();
    for mode in ["predict", "evaluate"] {
        says(&folder.fails(1, &format!("{mode} cut.thinnet classes.csv")), &["cut.thinnet", "cut short"]);
        says(&folder.fails(1, &format!("{mode} classes.csv classes.csv")), &["not a thinnet model"]);
        says(&folder.fails(1, &format!("{mode} none.thinnet classes.csv")), &["none.thinnet"]);
        says(&folder.fails(1, &format!("{mode} m.thinnet values.csv")), &["values.csv", "no column"]);
        says(&folder.fails(1, &format!("{mode} m.thinnet digits")), &["images"]);
        says(&folder.fails(1, &format!("{mode} m.thinnet classes.csv --part test")), &["part"]);
    }
    says(&folder.fails(1, "inspect cut.thinnet"), &["cut.thinnet"]);
    folder.write("strange.csv", "size,colour,noise,label\n1,red,0.5,maybe\n");
    says(&folder.fails(1, "evaluate m.thinnet strange.csv"), &["maybe", "line 2"]);
    folder.write("text.csv", "size,colour,noise,label\n1,red,0.5,yes\nbig,red,0.5,yes\n");
    says(&folder.fails(1, "predict m.thinnet text.csv"), &["line 3", "size", "big"]);
    folder.good("fit values.csv -q --epochs 1 --hidden 4");
    says(&folder.fails(1, "predict values.thinnet values.csv --proba"), &["--proba"]);
}

#[test]
fn outputs_that_cannot_be_written() {
    let folder = Folder::with_data("outputs");
    folder.good("fit classes.csv -q --epochs 1 --hidden 4 -o m.thinnet");
    // Found out before the run: so many epochs would take hours.
    for output in ["no/such/m.thinnet", "."] {
        says(
            &folder.fails(1, &format!("fit classes.csv -q --epochs 1000000 -o {output}")),
            &["cannot write"],
        );
    }
    says(
        &folder.fails(1, "predict m.thinnet classes.csv -o no/such/out.csv"),
        &["cannot write no/such/out.csv"],
    );
    let names = fs::read_dir(folder.path(".")).unwrap().count();
    assert_eq!(names, 3, "two data sets, one model, nothing left over");
}

#[test]
fn what_is_read_is_not_written_over() {
    let folder = Folder::with_data("written-over");
    folder.good("fit classes.csv -q --epochs 1 --hidden 4 -o m.thinnet");
    folder.write("spec.toml", "[train]\nepochs = 1\n");
    folder.write("valid.csv", &classes(60));
    fs::create_dir(folder.path("sub")).unwrap();
    fs::create_dir(folder.path("images")).unwrap();
    folder.write("images/t10k-labels-idx1-ubyte.gz", "");
    #[cfg(unix)]
    std::os::unix::fs::symlink("classes.csv", folder.path("link.csv")).unwrap();
    #[cfg(not(unix))]
    fs::copy(folder.path("classes.csv"), folder.path("link.csv")).unwrap();
    let names = ["classes.csv", "m.thinnet", "spec.toml", "valid.csv"];
    let before = names.map(|name| folder.read(name));
    for line in [
        "fit classes.csv -o classes.csv",
        "fit classes.csv -o sub/../classes.csv",
        "fit classes.csv --spec spec.toml -o spec.toml",
        "fit classes.csv --spec spec.toml --report spec.toml",
        "fit classes.csv --valid valid.csv -o ./valid.csv",
        "predict m.thinnet classes.csv -o classes.csv",
        "predict m.thinnet classes.csv -o m.thinnet",
        #[cfg(unix)]
        "predict m.thinnet link.csv -o classes.csv",
        #[cfg(unix)]
        "fit classes.csv -o link.csv",
        "measure m.thinnet classes.csv --report ./classes.csv",
        "compare classes.csv --report classes.csv",
        "fit images -o images/t10k-labels-idx1-ubyte.gz",
    ] {
        says(&folder.fails(2, line), &["would write over", "another name"]);
    }
    assert!(names.map(|name| folder.read(name)) == before);
}

#[test]
fn a_spec_that_cannot_be_used() {
    let folder = Folder::with_data("specs");
    folder.write("unknown.toml", "seed = 1\n[train]\nepoch = 3\n");
    says(&folder.fails(1, "fit classes.csv --spec unknown.toml"), &["unknown.toml, line 3", "epoch"]);
    folder.write("type.toml", "[network]\nhidden = \"many\"\n");
    says(&folder.fails(1, "fit classes.csv --spec type.toml"), &["type.toml, line 2"]);
    says(&folder.fails(1, "fit classes.csv --spec none.toml"), &["none.toml"]);
    folder.write("range.toml", "seed = 1\n\n[train]\nlearning_rate = -1.0\n");
    for mode in ["fit", "compare"] {
        let error = folder.fails(1, &format!("{mode} classes.csv --spec range.toml"));
        says(&error, &["range.toml, line 4, train.learning_rate: must be above 0"]);
    }
    folder.write("idle.toml", "train.huber_delta = 2\n");
    says(&folder.fails(1, "fit classes.csv --spec idle.toml"), &["idle.toml, line 1, train.huber_delta"]);
    // The file can be used, and what was typed cannot.
    folder.write("good.toml", "[train]\nepochs = 1\n");
    says(&folder.fails(2, "fit classes.csv --spec good.toml --lr -1"), &["train.learning_rate", "--help"]);
    folder.good("fit classes.csv -q --spec range.toml --lr 0.01 --steps 2 --hidden 4");
    fs::write(folder.path("binary.toml"), [0x1f, 0x8b, 0xff, 0xfe]).unwrap();
    says(&folder.fails(1, "fit classes.csv --spec binary.toml"), &["binary.toml", "TOML", "--print-spec"]);
}

#[test]
fn a_wrong_command_line() {
    let folder = Folder::with_data("wrong");
    let fails = |line: &str| folder.fails(2, line);
    says(&fails("fit"), &["<DATA>", "thinnet fit --help"]);
    says(&fails("fti classes.csv"), &["fti", "thinnet --help"]);
    says(&fails("fit classes.csv --lrr 1"), &["--lrr", "'--lr'"]);
    says(&fails("fit classes.csv --activation reluu"), &["--activation", "relu, leaky-relu"]);
    says(&fails("fit classes.csv --schedule cosin"), &["cosine", "step:EPOCHS:FACTOR"]);
    says(&fails("fit classes.csv --hidden many"), &["512,512"]);
    says(&fails("fit classes.csv --type size=real"), &["number", "text"]);
    says(&fails("fit classes.csv --seed -1"), &["--seed"]);
    says(&fails("fit classes.csv --threads 5000"), &["1024"]);
    says(&fails("predict m.thinnet classes.csv --average mc:0"), &["mc:50"]);
    says(&fails("predict m.thinnet classes.csv --part valid"), &["train", "test"]);
    for (option, field) in [
        ("--epochs 0", "train.epochs"),
        ("--dropout 1", "thin.hidden"),
        ("--dropout 0.1,0.2,0.3", "thin.hidden"),
        ("--lr 0", "train.learning_rate"),
        ("--lr -1", "train.learning_rate"),
        ("--lr NaN", "train.learning_rate"),
        ("--valid 1.5", "data.valid"),
        ("--hidden 8,0", "network.hidden"),
        ("--batch 0", "train.batch"),
        ("--warmup -1", "write a whole number from 0 on"),
        ("--patience -1", "write a whole number from 0 on"),
        ("--members x", "write a whole number from 0 on"),
        ("--epochs 0 --minutes 1 --schedule cosine", "train.schedule"),
        ("--huber-delta 2", "train.huber_delta"),
        ("--weight-decay 0.1", "train.weight_decay"),
        ("--standout-slope 2", "thin.standout_slope"),
        ("--divergence-warmup 9", "thin.divergence_warmup"),
        ("--length-scale 1", "thin.length_scale"),
        ("--precision 2", "thin.precision"),
        ("--dropout 0 --masks 4:2", "thin.masks"),
        ("--dropout 0 --pool 9", "thin.pool"),
        ("--dropout 0 --pair r-drop:1", "train.pair"),
    ] {
        says(&fails(&format!("fit classes.csv {option}")), &[field]);
    }
    assert_eq!(folder.run("").status, 2);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let word = std::ffi::OsStr::from_bytes(b"\xff");
        says(
            &Ran::new("0xff", folder.command("").arg(word).output().unwrap()).failed(2),
            &["thinnet --help"],
        );
    }
}

#[test]
fn what_the_data_leave_without_an_effect_is_refused() {
    let folder = Folder::with_data("idle");
    for (line, field) in [
        ("values.csv --label-smoothing 0.1", "train.label_smoothing"),
        ("values.csv --class-weights balanced", "train.class_weights"),
        ("classes.csv --valid 0 --patience 5", "train.patience"),
        ("classes.csv --valid 0 --min-improvement 0.1", "train.min_improvement"),
        ("classes.csv --class-weights yes=0,no=0", "train.class_weights"),
        ("values.csv --patience 0 --min-improvement 5", "train.min_improvement"),
        ("classes.csv --drop concrete --precision 50", "thin.precision"),
    ] {
        says(&folder.fails(1, &format!("fit {line} -q --epochs 1 --hidden 4")), &[field]);
    }
    // A spec with every default can be run again.
    for data in ["classes.csv --valid 0", "values.csv", "values.csv --epochs 0 --minutes 0.01"] {
        folder.write("whole.toml", &folder.good(&format!("fit {data} --hidden 4 --print-spec")));
        folder.good(&format!(
            "fit {} -q --spec whole.toml --steps 3",
            data.split_once(' ').map_or(data, |d| d.0)
        ));
    }
}

#[test]
fn a_schedule_that_needs_the_length_is_not_there_where_only_minutes_end_the_run() {
    let folder = Folder::with_data("minutes");
    for (options, wanted) in
        [("", "cosine"), ("--epochs 0 --steps 9", "cosine"), ("--epochs 0 --minutes 1", "constant")]
    {
        let spec = folder.good(&format!("fit classes.csv --print-spec {options}"));
        let train = spec.split_once("[train]").unwrap().1;
        assert!(train.contains(&format!("schedule = \"{wanted}\"")), "{options}: {train}");
    }
}

#[test]
fn an_instruction_set_that_is_not_there() {
    let folder = Folder::with_data("isa");
    for line in ["fit classes.csv -q", "demo"] {
        let output = folder.command(line).env("THINNET_ISA", "sse9").output().unwrap();
        says(&Ran::new(line, output).failed(1), &["THINNET_ISA", "sse9", "scalar"]);
    }
    let line = "fit classes.csv -q --epochs 1 --hidden 4";
    assert!(folder.command(line).env("THINNET_ISA", "scalar").status().unwrap().success());
}

#[test]
fn a_loss_that_is_not_finite() {
    let folder = Folder::with_data("astray");
    for options in ["", "--valid 0", "--valid 0 --steps 1", "--batch 1000"] {
        let error =
            folder.fails(1, &format!("fit classes.csv -q --hidden 8 --lr 1e30 -o m.thinnet {options}"));
        says(&error, &["no longer finite at step", "learning rate"]);
        assert!(!folder.path("m.thinnet").exists(), "{options}: there is nothing to keep");
    }
    for valid in ["0", "0.2"] {
        // Two good epochs, then steps that are far too long.
        let line = "fit classes.csv -q --hidden 8 --epochs 9 --schedule step:2:1e30 -o m.thinnet";
        let ran = folder.run(&format!("{line} --valid {valid}"));
        says(&ran.failed(1), &["no longer finite"]);
        says(&ran.stderr, &["warning: m.thinnet holds the parameters of epoch 2"]);
        assert!(folder.json("evaluate m.thinnet classes.csv --json")["nll"].is_f64());
        fs::remove_file(folder.path("m.thinnet")).unwrap();
    }
}
