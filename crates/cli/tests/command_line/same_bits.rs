//! The same spec, data and seed give the same model file, to the last bit.

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
