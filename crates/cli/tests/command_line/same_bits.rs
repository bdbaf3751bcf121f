//! The same spec, data and seed give the same model file, to the last bit.

use thinnet::data::Data;
use thinnet::model::Model;
use thinnet::prepare::Parts;

use super::*;

const OPTIONS: &str =
    "--hidden 32,16 --dropout 0.3,0.2 --input-dropout 0.1 --epochs 4 --batch 64 --slice 16 --clip 1";

#[test]
fn on_any_number_of_threads() {
    let folder = Folder::with_data("threads");
    for data in ["classes", "values"] {
        for share in ["row", "slice"] {
            let fit = |threads: u32| {
                folder.good(&format!(
                    "fit {data}.csv -q -o {threads}.thinnet --threads {threads} --share {share} {OPTIONS}"
                ));
                folder.read(&format!("{threads}.thinnet"))
            };
            let one = fit(1);
            for threads in [2, 3, 4] {
                assert!(fit(threads) == one, "{data}, {share}, {threads} threads");
            }
        }
    }
}

#[test]
fn from_a_spec_that_was_printed() {
    let folder = Folder::with_data("spec");
    let other = "--optimizer nesterov --momentum linear:0.5:0.9:20 --schedule step:2:0.5 --warmup 3 --seed 9 \
                 --label-smoothing 0.1 --class-weights yes=2,no=0.5 --max-norm 2 --valid 0.25 --type noise=text";
    for (data, options) in
        [("classes", ""), ("classes", other), ("values", "--loss huber --lr 0.003 --l2 0.0001")]
    {
        let first = format!("{data}.csv {OPTIONS} {options}");
        folder.good(&format!("fit {first} -q -o first.thinnet"));
        folder.write("run.toml", &folder.good(&format!("fit {first} --print-spec")));
        folder.good(&format!("fit {data}.csv -q --spec run.toml -o second.thinnet"));
        assert!(folder.read("first.thinnet") == folder.read("second.thinnet"), "{options}");
        let again = folder.good(&format!("fit {data}.csv --spec run.toml --print-spec"));
        assert_eq!(again.into_bytes(), folder.read("run.toml"));
        folder.good(&format!("fit {data}.csv -q --spec run.toml --seed 10 -o third.thinnet"));
        assert!(folder.read("first.thinnet") != folder.read("third.thinnet"), "the option overrides");
    }
}

#[test]
fn from_a_validation_file() {
    let folder = Folder::with_data("valid-file");
    folder.write("held.csv", &classes(40));
    let fit = "fit classes.csv --valid held.csv";
    folder.good(&format!("{fit} -q -o first.thinnet {OPTIONS}"));
    folder.write("run.toml", &folder.good(&format!("{fit} --print-spec {OPTIONS}")));
    folder.good(&format!("{fit} -q --spec run.toml -o second.thinnet"));
    assert!(folder.read("first.thinnet") == folder.read("second.thinnet"));
}

/// The rows that a spec sets aside are looked at by `evaluate --part test` only.
#[test]
fn a_test_part_is_never_learned_from() {
    let folder = Folder::with_data("test-part");
    let fit = |data: &str, model: &str| {
        folder.good(&format!("fit {data} -q --test 0.25 -o {model} {OPTIONS}"));
        folder.read(model)
    };
    let first = fit("values.csv", "first.thinnet");
    let model = Model::load(&folder.path("first.thinnet")).unwrap();
    let data = Data::open(&folder.path("values.csv"), None, &Default::default()).unwrap();
    let parts = Parts::new(&data, &model.spec.data, model.spec.seed).unwrap();
    assert_eq!([parts.train.len(), parts.valid.len(), parts.test.len()], [144, 36, 60]);

    let values = values(240);
    let change = |(line, row): (usize, &str)| match line.checked_sub(1).filter(|at| parts.test.contains(at)) {
        Some(_) => format!("{},-1000\n", row.rsplit_once(',').unwrap().0),
        None => format!("{row}\n"),
    };
    folder.write("changed.csv", &values.lines().enumerate().map(change).collect::<String>());
    assert!(fit("changed.csv", "second.thinnet") == first);

    let rmse = |data: &str, part: &str| {
        let of = folder.json(&format!("evaluate first.thinnet {data} --json --part {part}"));
        (of["rows"].as_u64().unwrap(), of["rmse"].as_f64().unwrap())
    };
    assert_eq!(rmse("values.csv", "train"), rmse("changed.csv", "train"));
    let (rows, error) = rmse("changed.csv", "test");
    assert!(rows == 60 && error > 1000.0 && rmse("values.csv", "test").1 < 30.0, "{error}");
    assert_eq!(folder.good("predict first.thinnet values.csv --part test").lines().count(), 61);
}
