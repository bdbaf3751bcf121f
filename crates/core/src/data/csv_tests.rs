//! Tests of `csv.rs`.

use std::path::Path;
use std::time::Instant;

use super::*;
use crate::data::gzip::packed;

fn parse(text: &str) -> Result<Table> {
    parse_csv("t.csv", text.as_bytes(), &ColumnTypes::new())
}

fn texts(table: &Table, column: &str) -> Vec<Option<String>> {
    let cells = &table.column(column).unwrap().cells;
    assert!(matches!(cells, Cells::Texts { .. }), "{column} holds numbers");
    (0..cells.rows()).map(|row| cells.text(row).map(|text| text.into_owned())).collect()
}

fn numbers(table: &Table, column: &str) -> Vec<f64> {
    match &table.column(column).unwrap().cells {
        Cells::Numbers(numbers) => numbers.clone(),
        Cells::Texts { .. } => panic!("{column} holds texts"),
    }
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| (!text.is_empty()).then(|| text.to_string())).collect()
}

#[test]
fn finds_types_quotes_and_gaps() {
    let table = parse("a, b ,c,d\n1,x,01,\n -2.5e1 , ?,7A,?\n+.5,\"y, \"\"z\"\"\n!\",02,NaN\n").unwrap();
    assert_eq!(numbers(&table, "a"), [1.0, -25.0, 0.5]);
    assert_eq!(texts(&table, "b"), some(&["x", "", "y, \"z\"\n!"]));
    // 01 was read as a number before 7A showed that the column holds texts; it stays as it was written.
    assert_eq!(texts(&table, "c"), some(&["01", "7A", "02"]));
    assert!(numbers(&table, "d").iter().all(|number| number.is_nan()));
}

/// The list is that of the documentation of `pandas.read_csv`, and `?`.
#[test]
fn what_pandas_takes_for_a_gap_is_one() {
    for mark in [
        "", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    ] {
        let table = parse(&format!("a,b\n1,x\n{mark},{mark}\n3,y\n")).unwrap();
        let number = numbers(&table, "a");
        assert!(number[0] == 1.0 && number[1].is_nan() && number[2] == 3.0, "{mark:?}: {number:?}");
        assert_eq!(texts(&table, "b"), some(&["x", "", "y"]), "{mark:?}");
    }
    assert_eq!(texts(&parse("a\nnone\nunknown\n-\n").unwrap(), "a"), some(&["none", "unknown", "-"]));
}

#[test]
fn types_can_be_overridden() {
    let types = |name: &str, kind| ColumnTypes::from([(name.to_string(), kind), ("other".into(), kind)]);
    let table = parse_csv("t", b"zip\n01\n2\n", &types("zip", ColumnType::Text)).unwrap();
    assert_eq!(texts(&table, "zip"), some(&["01", "2"]));
    let error = parse_csv("t", b"b,a\n1,1\n2,x\n", &types("a", ColumnType::Number)).unwrap_err();
    assert!(error.to_string().starts_with("t, line 3, column a: \"x\" is not a number"), "{error}");
}

#[test]
fn line_ends_marks_and_packing_do_not_matter() {
    let plain = "a,b\n1,x\n\"2\",\"y\"\n";
    let expected = parse(plain).unwrap();
    for other in [
        plain.replace('\n', "\r\n"),
        format!("\u{feff}{plain}"),
        plain.trim_end().to_string(),
        plain.replace(',', "\t"),
        plain.replace(',', ";"),
    ] {
        assert_eq!(parse(&other).unwrap(), expected, "{other:?}");
        assert_eq!(parse_csv("t.csv", &packed(other.as_bytes()), &ColumnTypes::new()).unwrap(), expected);
    }
    let members = [packed(b"a,b\n1,x\n"), packed(b"2,y\n")].concat();
    assert_eq!(parse_csv("t.csv", &members, &ColumnTypes::new()).unwrap(), expected);
}

#[test]
fn blank_lines_are_passed_over_and_counted() {
    for end in ["\n", "\r\n"] {
        let text = "\na,b\n\n1,\"x\ny\"\n\n\n3\n".replace('\n', end);
        let error = parse(&text).unwrap_err().to_string();
        let expected = "t.csv, line 8: the row has 1 cells, but the header has 2";
        assert!(error.starts_with(expected), "{error}");
        let table = parse(&text.replace("3", "3,z")).unwrap();
        assert_eq!(table.place(0, "b"), "t.csv, line 4, column b");
        assert_eq!(table.place(1, "b"), "t.csv, line 8, column b");
    }
}

#[test]
fn one_column_has_gaps_but_no_blank_lines() {
    for end in ["\n", "\r\n"] {
        let table = parse(&"x\n1\n\n \t\n3\n".replace('\n', end)).unwrap();
        assert_eq!(numbers(&table, "x"), [1.0, 3.0]);
        assert_eq!(table.place(1, "x"), "t.csv, line 5, column x");
        let gaps = parse(&"x\n1\n\"\"\nNA\n \" \" \n3\n".replace('\n', end)).unwrap();
        let is_gap: Vec<bool> = numbers(&gaps, "x").iter().map(|number| number.is_nan()).collect();
        assert_eq!(is_gap, [false, true, true, true, false]);
        assert_eq!(parse(&"a\nx\n\ny\n".replace('\n', end)).unwrap().rows(), 2);
    }
}

#[test]
fn the_header_may_be_quoted_and_stand_below_blank_lines() {
    for (separator, header, names) in [
        (";", "\n \r\nIncome;Age;y", ["Income", "Age", "y"]),
        (";", "\"Income, net\";Age;y", ["Income, net", "Age", "y"]),
        (";", "\u{feff}\"Income, net\";Age;y", ["Income, net", "Age", "y"]),
        (";", "\"Wage\n(EUR)\";Age;y", ["Wage\n(EUR)", "Age", "y"]),
        (",", "\"Income\tnet\",Age,y", ["Income\tnet", "Age", "y"]),
        ("\t", "\"In;come\"\tAge\t\"y\"", ["In;come", "Age", "y"]),
    ] {
        let row = ["1", "2", "x"].join(separator);
        let table = parse(&format!("{header}\n{row}\n")).unwrap();
        let found: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(found, names);
        assert_eq!(texts(&table, "y"), some(&["x"]));
    }
}

#[test]
fn white_space_beside_quotes_does_not_count() {
    let table =
        parse("x, \"z\", \"y\" \n1, 2, \"a, b\" \r\n 3,\t\" 4\"\t, \"c\"\"\n d\"\n5,6,7\" e\n").unwrap();
    assert_eq!((numbers(&table, "x"), numbers(&table, "z")), (vec![1.0, 3.0, 5.0], vec![2.0, 4.0, 6.0]));
    assert_eq!(texts(&table, "y"), some(&["a, b", "c\"\n d", "7\" e"]));
    assert_eq!(table.place(1, "x"), "t.csv, line 3, column x");
    assert_eq!(table.place(2, "x"), "t.csv, line 5, column x");
    let table = parse("a\t\"b\"\n\"1\" \t \"x\ty\"\n").unwrap();
    assert_eq!((numbers(&table, "a"), texts(&table, "b")), (vec![1.0], some(&["x\ty"])));
    // Many times as long as what is read at once.
    let table = parse(&format!("a, \"b\"\n{}", "1, \"x,  y\"\n".repeat(10_000))).unwrap();
    assert_eq!(table.rows(), 10_000);
    assert!(texts(&table, "b").iter().all(|text| text.as_deref() == Some("x,  y")));
    assert_eq!(table.place(9_999, "b"), "t.csv, line 10001, column b");
}

#[test]
fn infinite_numbers_are_left_to_whom_they_concern() {
    let table = parse("a,b\n1,inf\n2,-1e999\n").unwrap();
    assert_eq!(numbers(&table, "b"), [f64::INFINITY, f64::NEG_INFINITY]);
    // Among texts the word is one.
    assert_eq!(texts(&parse("a\ninf\nx\n").unwrap(), "a"), some(&["inf", "x"]));
}

#[test]
fn every_error_says_where() {
    for (text, expected) in [
        ("", "t.csv: it is empty"),
        ("\n\n", "t.csv: it is empty"),
        ("a,b\n", "t.csv: it has a header but no rows"),
        ("a,b,a\n1,2,3\n", "t.csv, line 1: columns 1 and 3 are both named \"a\""),
        ("1,2.5\n3,4\n", "t.csv, line 1: the first line holds numbers only"),
        ("a,b\n1,2\n1,2,3\n", "t.csv, line 3: the row has 3 cells, but the header has 2"),
        ("a,b\n1,\"2\n1,2\n", "t.csv, line 2: a quote in this row is never closed"),
        ("a,b\n1,2\n\n1,\"", "t.csv, line 4: a quote in this row is never closed"),
        ("a,b\n1,2\n\"\"\n", "t.csv, line 3: the row has 1 cells, but the header has 2"),
        ("a,b\n1, \"2\n1,2\n", "t.csv, line 2: a quote in this row is never closed"),
        ("a,b\r1,2\r", "t.csv: its lines end with a carriage return alone"),
        ("a\0b,c\n", "t.csv: it is a binary file"),
        ("PK\x03\x04zip", "t.csv: it is a binary file"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
    let parse = |bytes: &[u8]| parse_csv("t.csv", bytes, &ColumnTypes::new()).unwrap_err().to_string();
    assert!(parse(b"a,b\n1,\xff\n").starts_with("t.csv, line 2, column 2: the cell is not valid UTF-8"));
    assert!(parse(b"\xff\xfea\0").contains("UTF-16"));
    let whole = packed("a,b\n1,2\n".repeat(1000).as_bytes());
    assert_eq!(parse(&whole[..20]), "t.csv: the gzip file is cut off; copy or download it again");
    let mut damaged = whole.clone();
    let at = whole.len() - 6;
    damaged[at] ^= 0xff;
    assert_eq!(parse(&damaged), "t.csv: the gzip file is damaged; copy or download it again");
}

#[test]
fn reads_the_shared_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for (file, rows, columns, text_columns) in [
        ("adult-train.csv.gz", 32_561, 15, 9),
        ("adult-test.csv.gz", 16_281, 15, 9),
        ("california.csv.gz", 20_640, 10, 1),
        ("churn.csv.gz", 10_000, 14, 3),
        ("phoneme.csv.gz", 5_404, 6, 0),
    ] {
        let path = folder.join(file);
        if !path.exists() {
            println!("skipped: {} is not there", path.display());
            continue;
        }
        let start = Instant::now();
        let table = read_csv(&path, &ColumnTypes::new()).unwrap();
        println!("{file}: {:?}", start.elapsed());
        let found = table.columns().iter().filter(|column| matches!(column.cells, Cells::Texts { .. }));
        assert_eq!((table.rows(), table.columns().len(), found.count()), (rows, columns, text_columns));
        if file.starts_with("california") {
            // The number of gaps that Géron's book (2017, chapter 2) reports for this column.
            let gaps = numbers(&table, "total_bedrooms").iter().filter(|number| number.is_nan()).count();
            assert_eq!(gaps, 207);
        }
    }
}

proptest::proptest! {
    /// What another writer writes, with quotes where needed, is read back.
    #[test]
    fn reads_back_what_was_written(
        rows in proptest::collection::vec(("[ -~\n]{0,8}", proptest::num::f64::NORMAL), 1..30),
        semicolons: bool,
    ) {
        let delimiter = if semicolons { b';' } else { b',' };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(["text", "number"]).unwrap();
        for (text, number) in &rows {
            writer.write_record([format!("x{text}"), number.to_string()]).unwrap();
        }
        let table = parse_csv("t", &writer.into_inner().unwrap(), &ColumnTypes::new()).unwrap();
        let expected: Vec<_> = rows.iter().map(|(text, _)| Some(format!("x{text}").trim().to_owned())).collect();
        proptest::prop_assert_eq!(texts(&table, "text"), expected);
        let expected: Vec<f64> = rows.iter().map(|(_, number)| *number).collect();
        proptest::prop_assert_eq!(numbers(&table, "number"), expected);
    }

    #[test]
    fn any_bytes_are_an_error_or_a_table(bytes: Vec<u8>, text in "[a1,;\t\"\r\n?]{0,40}") {
        let _ = parse_csv("t", &bytes, &ColumnTypes::new());
        if let Ok(table) = parse_csv("t", text.as_bytes(), &ColumnTypes::new()) {
            proptest::prop_assert!(table.rows() > 0);
        }
    }
}
