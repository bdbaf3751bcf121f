//! Tests of `pipeline.rs`.

use std::path::Path;

use super::*;
use crate::data::{Column, digits, parse_csv, read_csv};

fn data(text: &str) -> Data {
    Data::from(parse_csv("t.csv", text.as_bytes(), &ColumnTypes::new()).unwrap())
}

fn fit(data: &Data, spec: &DataSpec) -> (Pipeline, Vec<String>) {
    let rows: Vec<usize> = (0..data.rows()).collect();
    Pipeline::fit(data, &rows, spec, &PrepareSpec::default()).unwrap()
}

fn refusal(data: &Data, spec: &DataSpec) -> String {
    let rows: Vec<usize> = (0..data.rows()).collect();
    Pipeline::fit(data, &rows, spec, &PrepareSpec::default()).unwrap_err().to_string()
}

const ROWS: &str = "id,age,town,weight,price\n7,20,Bonn,1,1.5\n8,40,Aix,2,2.5\n9,,Bonn,0,3.5\n";

fn spec() -> DataSpec {
    DataSpec { ignore: vec!["id".into()], weight: Some("weight".into()), ..DataSpec::default() }
}

#[test]
fn a_table_becomes_a_matrix() {
    let data = data(ROWS);
    let (pipeline, warnings) = fit(&data, &spec());
    assert!(warnings.is_empty());
    assert_eq!((pipeline.task(), pipeline.target_name()), (Task::Regression, Some("price")));
    assert_eq!(pipeline.input_names(), ["age", "age is missing", "town = Aix", "town = Bonn"]);
    let inputs = pipeline.inputs(&data, None).unwrap();
    assert_eq!(inputs.row(0), [-1.0, 0.0, 0.0, 1.0]);
    assert_eq!(inputs.row(1), [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(inputs.row(2), [0.0, 1.0, 0.0, 1.0]);
    assert_eq!(pipeline.weights(&data, Some(&[1, 2])).unwrap(), Some(vec![2.0, 0.0]));
    // The numbers 1.5, 2.5, 3.5 have mean 2.5 and standard deviation sqrt(2/3).
    let Targets::Values(values) = pipeline.targets(&data, None).unwrap() else { panic!("classes") };
    let step = 1.5_f32.sqrt();
    for (value, expected) in values.values().iter().zip([-step, 0.0, step]) {
        assert!((value - expected).abs() < 1e-6);
    }
    assert!((pipeline.denormalise(step) - 3.5).abs() < 1e-6);
    assert!((pipeline.denormalise_spread(step) - 1.0).abs() < 1e-6);
}

#[test]
fn only_the_training_rows_are_learned_from() {
    let data = data("x,t,y\n1,a,0\n3,b,1\n1000,c,1\n,d,0\n");
    let (pipeline, _) = Pipeline::fit(&data, &[1, 0], &DataSpec::default(), &PrepareSpec::default()).unwrap();
    assert_eq!(pipeline.input_names(), ["x", "t = a", "t = b"]);
    let inputs = pipeline.inputs(&data, Some(&[3, 2])).unwrap();
    // A gap takes the median, which is the mean here; texts that were never seen are 0 everywhere.
    assert_eq!(inputs.values(), [0.0, 0.0, 0.0, 998.0, 0.0, 0.0]);
    assert_eq!(
        pipeline.targets(&data, Some(&[3, 2])).unwrap(),
        Targets::Classes { labels: vec![0, 1], classes: 2 }
    );
}

#[test]
fn new_rows_may_come_in_another_order_and_without_target() {
    let (pipeline, _) = fit(&data(ROWS), &spec());
    let new = data("town,extra,age\nAix,1,40\nUlm,2,\n");
    let inputs = pipeline.inputs(&new, None).unwrap();
    assert_eq!(inputs.values(), [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    let missing = pipeline.targets(&new, None).unwrap_err().to_string();
    assert!(missing.starts_with("t.csv: there is no column \"price\""), "{missing}");
    let missing = pipeline.inputs(&data("town,agee\nAix,1\n"), None).unwrap_err().to_string();
    assert!(missing.contains("no column \"age\", did you mean \"agee\"?"), "{missing}");
    let text = pipeline.inputs(&data("town,age\nAix,1\nAix,old\n"), None).unwrap_err().to_string();
    assert!(text.starts_with("t.csv, line 3, column age: \"old\" is not a number"), "{text}");
    assert!(pipeline.inputs(&new, Some(&[2])).is_err());
    assert!(pipeline.inputs(&digits().unwrap().into(), None).is_err());
}

#[test]
fn a_column_of_texts_stays_one_in_a_file_that_happens_to_hold_numbers() {
    let data = data("code,y\n01,a\nx2,b\n01,a\n");
    let (pipeline, _) = fit(&data, &DataSpec::default());
    let types = pipeline.column_types();
    let (text, y) = (ColumnType::Text, "y".to_string());
    assert_eq!(types, ColumnTypes::from([("code".into(), text), (y, text)]));
    let new = parse_csv("new", b"code\n01\n", &types).unwrap().into();
    assert_eq!(pipeline.inputs(&new, None).unwrap().values(), [1.0, 0.0]);
}

#[test]
fn whole_numbers_that_are_all_different_are_named() {
    let table = |rows: u32, again: u32| {
        let row = |row: u32| format!("{row},{},{}.5,{},{}\n", 1000 - row, row, row % again, row % 2);
        data(&format!("RowNumber,my id,x,count,y\n{}", (0..rows).map(row).collect::<String>()))
    };
    let (pipeline, warnings) = fit(&table(100, 99), &DataSpec::default());
    assert_eq!(pipeline.input_names(), ["RowNumber", "my id", "x", "count"], "they are kept");
    let expected = "RowNumber and my id hold a different whole number in every row, as identifiers do; if so, \
                    --ignore RowNumber --ignore 'my id' leave them out";
    assert_eq!(warnings, [expected]);
    assert!(fit(&table(99, 99), &DataSpec::default()).1.is_empty(), "too few rows to tell");
    let ignored = DataSpec { ignore: vec!["RowNumber".into(), "my id".into()], ..DataSpec::default() };
    assert!(fit(&table(100, 99), &ignored).1.is_empty());
    assert!(
        fit(&table(100, 200), &ignored).1[0].starts_with("count holds a different whole number in every row")
    );
    let rows: String = (0..100).map(|row| format!("{row},{}\n", row % 2)).collect();
    let (_, warnings) = fit(&data(&format!("$id,y\n{rows}")), &DataSpec::default());
    assert!(
        warnings[0].ends_with("if so, --ignore '$id' leaves it out"),
        "a shell would fill in $id: {warnings:?}"
    );
}

#[test]
fn a_column_that_is_kept_can_have_a_warning() {
    let row = |row: u32| format!("{},{},{}\n", row % 58, ["a", "b"][row as usize % 2], row % 2);
    let rows: String = (0..200).map(row).collect();
    let data = data(&format!("age,town,y\nunknown,a,0\n{rows}"));
    let (pipeline, warnings) = fit(&data, &DataSpec::default());
    assert_eq!(pipeline.input_units(), 59 + 2);
    let expected = "column age is taken as text, one input for each of its 59 texts: most are numbers; the \
                    first that is not is \"unknown\" at t.csv, line 2, column age; correct it or leave the \
                    cell empty, or give the column a type with --type age=text";
    assert_eq!(warnings, [expected]);
    let types = ColumnTypes::from([("age".into(), ColumnType::Text)]);
    let (again, warnings) = fit(&data, &DataSpec { types, ..DataSpec::default() });
    assert!(again == pipeline && warnings.is_empty(), "{warnings:?}");
}

#[test]
fn one_bad_cell_does_not_throw_a_column_away() {
    let rows: String = (0..300).map(|row| format!("{row}.25,{row},{}\n", row % 2)).collect();
    let with = |cell: &str| data(&format!("income,x,y\n{cell},0.5,1\n{rows}"));
    let expected = "t.csv, line 2, column income: \"unknown\" is not a number, and 300 of the column's \
                    301 cells are; correct it or leave the cell empty, or leave the column out with --ignore \
                    income";
    assert_eq!(refusal(&with("unknown"), &DataSpec::default()), expected);
    let ignored = DataSpec { ignore: vec!["income".into()], ..DataSpec::default() };
    assert_eq!(fit(&with("unknown"), &ignored).0.input_names(), ["x"]);
    let (pipeline, warnings) = fit(&with("None"), &DataSpec::default());
    assert_eq!(pipeline.input_names(), ["income", "income is missing", "x"]);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn a_count_that_is_taken_as_classes_has_a_warning() {
    let rows: String = (0..100).map(|row| format!("{row}.5,{}\n", 4 + row % 11)).collect();
    let (pipeline, warnings) = fit(&data(&format!("x,goals\n{rows}")), &DataSpec::default());
    assert_eq!((pipeline.task(), pipeline.classes().len()), (Task::Classification, 11));
    let expected =
        "the whole numbers of goals are taken as 11 classes; --task regression takes them as values";
    assert_eq!(warnings, [expected]);
}

#[test]
fn an_infinite_number_stops_who_uses_it() {
    let expected =
        |column: &str| format!("t.csv, line 3, column {column}: inf is not a finite number; correct it");
    let with = |row: &str| data(&ROWS.replace("8,40,Aix,2,2.5", row));
    let error = refusal(&with("8,inf,Aix,2,2.5"), &spec());
    assert_eq!(error, expected("age") + ", or leave the cell empty");
    let error = refusal(&with("8,40,Aix,2,1e999"), &spec());
    assert!(error.starts_with("t.csv, line 3, column price: inf is not a finite number"), "{error}");
    let (pipeline, _) = fit(&with("8,40,Aix,inf,2.5"), &spec());
    let error = pipeline.weights(&with("8,40,Aix,inf,2.5"), None).unwrap_err().to_string();
    assert!(error.starts_with(&expected("weight")), "{error}");
    // Nobody uses the column that is ignored, nor what a model does not know.
    let ignored = with("inf,40,Aix,2,2.5");
    let (pipeline, _) = fit(&ignored, &spec());
    assert_eq!(pipeline.examples(&ignored, None).unwrap().rows(), 3);
    assert!(pipeline.inputs(&data("town,extra,age\nAix,-inf,40\n"), None).is_ok());
    let error = pipeline.inputs(&data("town,age\nAix,40\nAix,inf\n"), None).unwrap_err().to_string();
    assert!(error.starts_with(&expected("age")), "{error}");
}

#[test]
fn columns_that_say_nothing_are_left_out_with_a_warning() {
    let mut text = String::from("name,void,x,y\n");
    (0..30).for_each(|row| text += &format!("person {row},,{row},{}\n", row % 2));
    let (pipeline, warnings) = fit(&data(&text), &DataSpec::default());
    assert_eq!(pipeline.input_names(), ["x"]);
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].starts_with("column name is left out: it holds 30 different"), "{}", warnings[0]);
    assert!(warnings[1].starts_with("column void is left out: it is empty"), "{}", warnings[1]);
    let spec = DataSpec { ignore: vec!["x".into()], ..DataSpec::default() };
    let error = refusal(&data(&text), &spec);
    assert!(error.contains("no column is left") && error.contains("column void"), "{error}");
}

#[test]
fn names_in_the_spec_must_exist() {
    let data = data(ROWS);
    let with = |change: &dyn Fn(&mut DataSpec)| {
        let mut spec = DataSpec::default();
        change(&mut spec);
        refusal(&data, &spec)
    };
    let ignore = with(&|spec| spec.ignore = vec!["town".into(), "idd".into()]);
    let expected = "spec, data.ignore: in t.csv, there is no column \"idd\", did you mean \"id\"?";
    assert!(ignore.starts_with(expected), "{ignore}");
    assert!(with(&|spec| spec.weight = Some("w".into())).starts_with("spec, data.weight"));
    assert!(with(&|spec| spec.target = Some("y".into())).contains("no column \"y\""));
    let types = with(&|spec| spec.types = ColumnTypes::from([("z".into(), ColumnType::Text)]));
    assert!(types.starts_with("spec, data.types"), "{types}");
    let images = refusal(&digits().unwrap().into(), &spec());
    assert!(images.starts_with("spec, data.ignore: digits holds images"), "{images}");
}

#[test]
fn weights_must_be_numbers_from_0() {
    for (cell, expected) in [("-1", "a weight"), ("", "a weight"), ("heavy", "not a number")] {
        let data = data(&ROWS.replace("Aix,2", &format!("Aix,{cell}")));
        let rows = [0, 1, 2];
        let (pipeline, _) = Pipeline::fit(&data, &rows, &spec(), &PrepareSpec::default()).unwrap();
        let error = pipeline.weights(&data, None).unwrap_err().to_string();
        assert!(error.starts_with("t.csv, line 3, column weight") && error.contains(expected), "{error}");
    }
}

#[test]
fn images_are_divided_by_white() {
    let data = Data::from(digits().unwrap());
    let (pipeline, _) = fit(&data, &DataSpec::default());
    assert_eq!((pipeline.input_units(), pipeline.output_units()), (64, 10));
    assert_eq!(
        (pipeline.input_names()[0].as_str(), &*pipeline.input_names()[28]),
        ("pixel 0,0", "pixel 3,4")
    );
    assert_eq!((pipeline.classes()[0].as_str(), pipeline.classes().len()), ("0", 10));
    let inputs = pipeline.inputs(&data, Some(&[0, 1796])).unwrap();
    assert_eq!(inputs.row(0)[..4], [0.0, 0.0, 5.0 / 16.0, 13.0 / 16.0]);
    let labels = pipeline.targets(&data, Some(&[0, 1796])).unwrap();
    assert_eq!(labels, Targets::Classes { labels: vec![0, 8], classes: 10 });
    let other = Data::from(Images::new("big", (9, 8), 255.0, vec![0; 72], vec![1]).unwrap());
    let error = pipeline.inputs(&other, None).unwrap_err().to_string();
    assert!(error.contains("9 x 8") && error.contains("8 x 8"), "{error}");
    let unseen = Data::from(Images::new("new", (8, 8), 16.0, vec![0; 64], vec![10]).unwrap());
    assert!(pipeline.targets(&unseen, None).unwrap_err().to_string().contains("class \"10\""));
}

#[test]
fn json_keeps_every_bit() {
    let column = |factor: f64| (1..200).map(|row| (f64::from(row) * factor).sin()).collect();
    let columns = vec![Column::numbers("x", column(0.7)), Column::numbers("y", column(1.3))];
    let data = Data::from(Table::new("t", columns).unwrap());
    for data in [data, Data::from(digits().unwrap()), self::data("code,y\n01,a\nx2,b\n")] {
        let (pipeline, _) = fit(&data, &DataSpec::default());
        let json = serde_json::to_string(&pipeline).unwrap();
        let back: Pipeline = serde_json::from_str(&json).unwrap();
        assert_eq!(back, pipeline);
        assert_eq!(back.check(), Ok(()));
    }
}

#[test]
fn a_pipeline_from_a_hostile_file_is_checked() {
    let number = |mean: &str, deviation: &str| {
        format!(
            r#"{{"inputs": {{"table": [{{"name": "x", "preparation": {{"number": {{
                "impute": {{"median": 0, "indicator": false}},
                "scale": {{"mean": {mean}, "deviation": {deviation}}}}}}}}}]}},
                "target": {{"classes": {{"column": "y", "names": ["a", "b"], "text": true}}}}}}"#
        )
    };
    let check = |json: &str| serde_json::from_str::<Pipeline>(json).unwrap().check();
    let good = number("0", "1");
    assert_eq!(check(&good), Ok(()));
    let images = |height: &str| {
        format!(
            r#"{{"inputs": {{"images": {{"height": {height}, "width": 8}}}}, {}"#,
            &good[good.find("\"target\"").unwrap()..]
        )
    };
    for wrong in [
        number("0", "-1"),
        good.replace(r#"["a", "b"]"#, r#"["a"]"#),
        images("8"),
        images("0").replace("\"y\"", "null"),
        images("18446744073709551615").replace("\"y\"", "null"),
    ] {
        assert!(check(&wrong).is_err(), "{wrong}");
    }
    assert_eq!(check(&images("8").replace("\"y\"", "null")), Ok(()));
}

/// Against numbers printed by Python's csv and statistics modules, every fifth row left out.
#[test]
fn agrees_with_python_on_the_california_houses() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/california.csv.gz");
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    let data = Data::from(read_csv(&path, &ColumnTypes::new()).unwrap());
    let rows: Vec<usize> = (0..data.rows()).filter(|row| row % 5 != 0).collect();
    let spec = DataSpec { target: Some("median_house_value".into()), ..DataSpec::default() };
    let (pipeline, warnings) = Pipeline::fit(&data, &rows, &spec, &PrepareSpec::default()).unwrap();
    assert!(warnings.is_empty() && rows.len() == 16_512);
    // Nine columns, an indicator for one of them, five texts instead of the last.
    assert_eq!((pipeline.input_units(), pipeline.task()), (8 + 1 + 5, Task::Regression));
    let names = pipeline.input_names();
    assert_eq!(names[5], "total_bedrooms is missing");
    assert_eq!(
        names[9..],
        ["<1H OCEAN", "INLAND", "ISLAND", "NEAR BAY", "NEAR OCEAN"]
            .map(|text| format!("ocean_proximity = {text}"))
    );
    let (mean, deviation) = (536.888_583_134_593_1, 415.358_575_773_324_33);
    let inputs = pipeline.inputs(&data, Some(&[0, 327])).unwrap();
    // Row 0 has 129 bedrooms, row 327 none; the median is 434.
    for (input, expected) in [(inputs.row(0)[4], 129.0), (inputs.row(1)[4], 434.0)] {
        assert!((f64::from(input) - (expected - mean) / deviation).abs() < 1e-6);
    }
    assert_eq!((inputs.row(0)[5], inputs.row(1)[5], inputs.row(0)[12]), (0.0, 1.0, 1.0));
    assert!((pipeline.denormalise(1.0) - (207_496.401_465_600_76 + 115_565.976_405_749_81)).abs() < 1e-6);
}

#[test]
fn prepares_the_shared_tables() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for (file, target, units, left_out, classes) in [
        // 6 columns of numbers and 8 of texts, counted with Python: 105 inputs in all.
        ("adult-train.csv.gz", "income", 105, 0, "<=50K >50K"),
        // 10 columns are left: 8 of numbers, 3 countries, 2 sexes; RowNumber and CustomerId are ignored.
        ("churn.csv.gz", "Exited", 13, 1, "0 1"),
        ("phoneme.csv.gz", "class", 5, 0, "0 1"),
    ] {
        let path = folder.join(file);
        if !path.exists() {
            println!("skipped: {} is not there", path.display());
            continue;
        }
        let data = Data::open(&path, None, &ColumnTypes::new()).unwrap();
        let mut spec = DataSpec::default();
        if file.starts_with("churn") {
            spec.ignore = vec!["RowNumber".into(), "CustomerId".into()];
        }
        let (pipeline, warnings) = fit(&data, &spec);
        assert_eq!((pipeline.target_name(), pipeline.input_units()), (Some(target), units), "{file}");
        assert_eq!(warnings.len(), left_out, "{warnings:?}");
        assert_eq!(pipeline.classes().join(" "), classes);
        assert_eq!(pipeline.examples(&data, None).unwrap().rows(), data.rows());
        let test = folder.join(file.replace("train", "test"));
        let test = Data::open(&test, None, &pipeline.column_types()).unwrap();
        assert_eq!(pipeline.examples(&test, None).unwrap().rows(), test.rows());
    }
}
