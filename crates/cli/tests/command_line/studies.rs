//! Studies: two quick ones from end to end, and those of a file.

use super::*;

#[test]
fn a_quick_study_is_run_once_and_shown_beside_the_paper() {
    let folder = Folder::new("study");
    let ran = folder.run("study srivastava-table-2 --quick --seeds 1");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("Dropout networks on MNIST\nSrivastava et al. 2014, table 2\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("1.25") && ran.stdout.contains("1.06"), "{}", ran.stdout);
    assert_eq!(
        ran.stderr.lines().filter(|line| line.contains(", seed 0: error, %")).count(),
        3,
        "{}",
        ran.stderr
    );

    let again = folder.run("study srivastava-table-2 --quick --seeds 2 --json");
    assert_eq!(
        again.stderr.lines().filter(|line| line.contains(", seed 1: ")).count(),
        3,
        "{}",
        again.stderr
    );
    assert!(!again.stderr.contains("seed 0"), "{}", again.stderr);
    let object: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(
        (&object["runs"], &object["finished"], &object["quick"]),
        (&6.into(), &6.into(), &true.into())
    );
    let line = &object["findings"]["lines"][0];
    assert_eq!((&line["of"], &line["runs"]), (&"scale".into(), &2.into()));
    let cell = &line["cells"][0];
    assert_eq!((&cell["measure"], &cell["expected"]["value"]), (&"error".into(), &1.25.into()));
    assert!(cell["expected"]["verdict"].is_null() && cell["ours"]["mean"].as_f64() < Some(20.0), "{cell}");
    assert!(folder.path("srivastava-table-2-quick/dropout-3-x-1024-1.json").exists());
}

#[test]
fn a_quick_study_draws_the_mean_of_sampled_networks() {
    let folder = Folder::new("study-curve");
    let shown = folder.good("study srivastava-figure-11 --quick --seeds 1 -o runs --threads 1");
    for part in [
        "McNemar's test",
        "mean of sampled networks",
        "95 % of draws",
        "As low as scale from so many networks on, in each run: ",
        "; published: about 50.",
        "(no max-norm by mc:100:rows less scale) less (max-norm by mc:100:rows less scale)",
        "-0.12 ± 0.039; Ma",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // Everything is there, and on other threads it would be the same.
    let object = |line: &str| folder.json(line)["findings"].clone();
    let one = object("study srivastava-figure-11 --quick --seeds 1 -o runs --json");
    let mut other = object("study srivastava-figure-11 --quick --seeds 1 -o others --json --threads 3");
    for line in other["lines"].as_array_mut().unwrap().iter_mut().zip(one["lines"].as_array().unwrap()) {
        line.0["seconds"] = line.1["seconds"].clone();
    }
    assert_eq!(one, other);
}

#[test]
fn studies_are_listed_and_wrong_names_refused() {
    let folder = Folder::new("study-list");
    let list = folder.good("study --list");
    for part in ["srivastava-table-9", "gal-uci", "mnist", "uci", "quick"] {
        assert!(list.contains(part), "{part}: {list}");
    }
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
    assert!(folder.fails(2, "study srivastava").contains("there is no study \"srivastava\""));
    folder.fails(2, "study");
    folder.fails(2, "study gal-uci --seeds 0");
    assert!(folder.fails(1, "study no.toml").starts_with("cannot read no.toml"));
    assert!(folder.fails(1, "study gal-uci --data nowhere").contains("nowhere/uci/bostonHousing"));
    assert!(folder.fails(1, "study gal-uci --quick --json --data nowhere").contains("bostonHousing"));
    assert!(list.contains("gal-uci, deep-ensembles-uci") && list.contains("need their data"), "{list}");
}

#[test]
fn a_study_of_a_file() {
    let folder = Folder::with_data("study-file");
    let text = "title = \"Mine\"\nsource = \"nobody\"\nminutes = 0.1\nquick_minutes = 0.1\nseeds = 3\nside_by_side = true\n\
                show = [\"rmse\"]\ndata = { path = \"values.csv\", test_share = 0.5 }\n\
                [spec]\ndata = { target = \"y\", valid = 0 }\nnetwork.hidden = [8]\n\
                train = { epochs = 20, learning_rate = 0.01, batch = 32 }\n\
                [[variant]]\nname = \"plain\"\nspec.thin.hidden = 0\n\
                expected = [{ measure = \"rmse\", value = 1000 }]\n\
                [[variant]]\nname = \"dropout\"\n\
                [[contrast]]\nmeasure = \"rmse\"\nof.variant = \"plain\"\nagainst.variant = \"dropout\"\nsays = \"less\"\n";
    folder.write("mine.toml", text);
    let shown = folder.good("study mine.toml --data . --threads 2");
    assert!(shown.contains("better") && shown.contains("rmse: plain less dropout"), "{shown}");
    assert!(folder.path("mine-study/plain-0.json").exists());
    // Two runs are not judged, and runs of several makes are told apart.
    assert!(!folder.good("study mine.toml --data . --seeds 2").contains("better\n"));
    let path = folder.path("mine-study/plain-1.json");
    let record = std::fs::read_to_string(&path).unwrap();
    let threads = record.lines().find(|line| line.contains("\"threads\"")).unwrap();
    folder.write("mine-study/plain-1.json", &record.replace(threads, "    \"threads\": 16"));
    let shown = folder.good("study mine.toml --data . --seeds 3");
    assert!(
        shown.contains("Not all runs were made by the same thing") && shown.contains("16 threads"),
        "{shown}"
    );
    folder.write("mine.toml", &text.replace("network.hidden", "network.hiden"));
    let error = folder.fails(1, "study mine.toml --data .");
    assert!(error.starts_with("mine.toml, line 11, column 9: unknown field `hiden`"), "{error}");
}
