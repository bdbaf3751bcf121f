//! Rows that are held out: in a file of their own, as a part of the data, and unknown to the model.

use std::path::Path;

use thinnet::data::{Cells, Column, ColumnType, ColumnTypes, Data, DataSpec};
use thinnet::model::{Known, Model};

use crate::arguments::Rows;
use crate::text;

/// The file that holds some rows, if it is one.
pub fn file(rows: Option<&Rows>) -> Option<&Path> {
    match rows {
        Some(Rows::File(path)) => Some(path),
        _ => None,
    }
}

/// Opens the file that holds some rows, if it is one, in the same way as the data.
pub fn open_like(data: &Data, spec: &DataSpec, rows: Option<&Rows>) -> thinnet::Result<Option<Data>> {
    file(rows).map(|path| Data::open(path, None, &types(data, spec))).transpose()
}

/// The types of a table's columns, so that another file is read in the same way. Those that nothing is learned
/// from may hold anything there.
fn types(data: &Data, spec: &DataSpec) -> ColumnTypes {
    let Data::Table(table) = data else { return ColumnTypes::new() };
    let kind = |column: &Column| match &column.cells {
        _ if spec.ignore.contains(&column.name) => None,
        Cells::Numbers(numbers) => {
            numbers.iter().any(|number| !number.is_nan()).then_some(ColumnType::Number)
        }
        Cells::Texts { .. } => Some(ColumnType::Text),
    };
    table.columns().iter().filter_map(|column| Some((column.name.clone(), kind(column)?))).collect()
}

/// Refuses to set a test part aside in data that come with one, where no mode would find it again.
pub fn check_test(data: &Path, share: f64) -> anyhow::Result<()> {
    if share > 0.0 && Data::has_parts(data) {
        anyhow::bail!(
            "{}: a folder of IDX files has a test part already, so that no other can be set aside; leave --test \
             (data.test) out",
            data.display()
        );
    }
    Ok(())
}

/// Whether a model knows the data, from learning or choosing by them; if so, warns of it.
pub fn knows(model: &Model, data: &Data) -> anyhow::Result<bool> {
    let known = model.known(data)?;
    if let Some(known) = known {
        let did = match known {
            Known::Learned => "was trained on rows of these data",
            Known::Chose => "chose its epoch by these rows",
        };
        let remedy = match known {
            Known::Learned if model.spec.data.test > 0.0 => "--part test takes those that it has never seen",
            _ => "take rows that it has never seen",
        };
        let name = data.name();
        text::warn(&format!("{name} {did} and looks better here than it is; {remedy}"));
    }
    Ok(known.is_some())
}

/// A sentence for each column with texts that the model does not know; warns of them.
pub fn unseen(model: &Model, data: &Data) -> thinnet::Result<Vec<String>> {
    let sentences = model.pipeline.unseen(data)?;
    sentences.iter().for_each(|sentence| text::warn(sentence));
    Ok(sentences)
}

#[cfg(test)]
mod tests {
    use super::*;
    use thinnet::data::Table;

    #[test]
    fn another_file_has_the_types_of_the_columns_that_are_learned_from() {
        let columns = vec![
            Column::numbers("size", vec![1.0, f64::NAN]),
            Column::numbers("empty", vec![f64::NAN; 2]),
            Column::texts("colour", [Some("red"), None]),
            Column::numbers("note", vec![1.0, 2.0]),
        ];
        let data = Data::from(Table::new("rows", columns).unwrap());
        let spec = DataSpec { ignore: vec!["note".into()], ..DataSpec::default() };
        let expected = [("colour", ColumnType::Text), ("size", ColumnType::Number)];
        let expected = ColumnTypes::from(expected.map(|(name, kind)| (name.to_string(), kind)));
        assert_eq!(types(&data, &spec), expected);
    }

    #[test]
    fn a_folder_has_a_test_part_of_its_own() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(check_test(folder, 0.0).is_ok());
        assert!(check_test(folder, 0.2).is_err());
        assert!(check_test(&folder.join("Cargo.toml"), 0.2).is_ok());
    }
}
