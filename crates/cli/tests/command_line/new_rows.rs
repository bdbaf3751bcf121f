//! Rows that a model has never seen: texts that are new to it, columns that come along, standard input.

use super::*;

const SMALL: &str = "-q --steps 5 --hidden 8";

#[test]
fn texts_that_the_training_rows_did_not_have_are_named() {
    let folder = Folder::with_data("new-texts");
    folder.good(&format!("fit classes.csv {SMALL} -o m.thinnet"));
    let rows = classes(80).replace("blue", "azul");
    folder.write("new.csv", &rows);
    let cells = rows.matches("azul").count();
    let sentence = format!(
        "column colour: {cells} of 80 cells hold texts that the training rows did not have (azul); none of \
         its inputs is set for them, as for a gap"
    );
    for mode in ["predict", "evaluate", "measure"] {
        let ran = folder.run(&format!("{mode} m.thinnet new.csv"));
        assert_eq!((ran.status, ran.stderr), (0, format!("warning: {sentence}\n")), "{mode}");
    }
    let unseen = |data: &str| folder.json(&format!("evaluate m.thinnet {data} --json"))["unseen"].clone();
    assert_eq!(unseen("new.csv"), serde_json::json!([sentence]));
    assert_eq!(unseen("classes.csv"), serde_json::json!([]));
    // A gap is none of them.
    let warning = |colours: &[&str]| {
        let rows: String = colours.iter().map(|colour| format!("1,{colour},0.5\n")).collect();
        folder.write("few.csv", &format!("size,colour,noise\n{rows}"));
        folder.run("predict m.thinnet few.csv").stderr
    };
    let four = warning(&["Rot", "a", "", "red", "b", "c"]);
    assert!(four.contains("4 of 6 cells hold texts") && four.contains("(Rot, a, b, …)"), "{four}");
    let one = warning(&["red", "RED"]);
    assert!(one.contains("1 of 2 cells holds a text") && one.contains("(RED)"), "{one}");
    assert_eq!(warning(&["red", ""]), "");
}

#[test]
fn columns_are_carried_along() {
    let folder = Folder::with_data("keep");
    folder.good(&format!("fit classes.csv {SMALL} -o m.thinnet"));
    let rows = "size,id,colour,noise,\"my, note\"\n1.50,01000,red,0.5,\"say \"\"hi\"\"\"\n,NA,blue,0.25,\n";
    folder.write("new.csv", rows);
    let alone = folder.good("predict m.thinnet new.csv --proba");
    let kept = folder.good("predict m.thinnet new.csv --proba --keep id,colour --keep size");
    let starts = ["id,colour,size,", "01000,red,1.5,", ",blue,,"];
    let expected = alone.lines().zip(starts).map(|(line, start)| format!("{start}{line}\n"));
    assert_eq!(kept, expected.collect::<String>());
    folder.write("notes.csv", &rows.replace("my, note", "note").replace("hi", "hi, you"));
    let notes = folder.good("predict m.thinnet notes.csv --keep note");
    assert!(notes.starts_with("note,class\n\"say \"\"hi, you\"\"\","), "{notes}");
    let error = folder.fails(1, "predict m.thinnet new.csv --keep idd");
    assert!(error.contains("new.csv: there is no column \"idd\", did you mean \"id\"?"), "{error}");
}

/// The target and the weight are not read in another way, or the rows would not be those of the model.
#[test]
fn a_target_is_carried_along_with_its_part() {
    let folder = Folder::with_data("keep-target");
    folder.good(&format!("fit values.csv {SMALL} --test 0.25 -o m.thinnet"));
    let kept = folder.good("predict m.thinnet values.csv --part test --keep y,a");
    assert!(kept.starts_with("y,a,value\n"), "{kept}");
    assert_eq!(kept.lines().count(), 1 + 60);
    let whole = folder.good("predict m.thinnet values.csv --keep y");
    let numbers = |csv: &str, at: usize| -> Vec<f64> {
        csv.lines().skip(1).map(|line| line.split(',').nth(at).unwrap().parse().unwrap()).collect()
    };
    assert_eq!(numbers(&whole, 0), numbers(&values(240), 2));
}

#[test]
fn images_have_no_columns_to_carry_along() {
    let folder = Folder::new("keep-images");
    folder.good("fit digits -q --steps 5 --hidden 4 -o m.thinnet");
    let error = folder.fails(1, "predict m.thinnet digits --keep id");
    assert!(error.contains("holds images, which have no columns; leave --keep out"), "{error}");
}

#[test]
fn a_table_comes_from_standard_input() {
    let folder = Folder::with_data("standard-input");
    let piped = |line: &str, name: &str| {
        let file = fs::File::open(folder.path(name)).unwrap();
        Ran::new(line, folder.command(line).stdin(file).output().unwrap())
    };
    let fitted = piped(&format!("fit - {SMALL}"), "classes.csv");
    assert_eq!(fitted.status, 0, "{}", fitted.stderr);
    let predicted = piped("predict model.thinnet -", "classes.csv");
    assert_eq!(predicted.status, 0, "{}", predicted.stderr);
    assert_eq!(predicted.stdout, folder.good("predict model.thinnet classes.csv"));
    let measured = piped("evaluate model.thinnet - --json", "classes.csv");
    let measured: Value = serde_json::from_str(&measured.stdout).unwrap();
    assert_eq!((&measured["rows"], &measured["data"]), (&240.into(), &"standard input".into()));
    folder.write("torn.csv", "size,colour,noise\n1,red\n");
    let error = piped("predict model.thinnet -", "torn.csv").failed(1);
    assert!(error.contains("standard input, line 2"), "{error}");
    // A file of that name goes first.
    folder.write("-", "size,colour,noise\n1,red,0.5\n");
    assert_eq!(piped("predict model.thinnet -", "classes.csv").stdout.lines().count(), 2);
}
