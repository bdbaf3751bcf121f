//! The `.thinnet` file: a safetensors file of f32 tensors whose `__metadata__` holds one entry,
//! `thinnet`, a JSON text `{"format": 2, "model": ...}`. Format 1 has the header of a single network.
//!
//! The same content gives the same bytes: tensors and JSON keys are sorted by name, and nothing
//! says when or where the file was written.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::layout::{Entry, KEY, Layout};
use super::write::atomic_write;
use crate::error::{Error, Result};

/// The version of the format that is written, and the newest that is read.
const FORMAT: u64 = 2;

/// The most bytes that the JSON part of a file may have. Real ones have kilobytes, and those with the longest
/// histories that are written some 20 MB.
const HEADER_LIMIT: u64 = 64 << 20;

/// Values are written and read in pieces of so many.
const PIECE: usize = 1 << 14;

/// What is wrong, as a sentence; [`read`] and [`write()`] add the file's name.
type Checked<T> = std::result::Result<T, Problem>;

/// Why a file could not be read: its content, or the operating system.
enum Problem {
    Content(String),
    System(io::Error),
}

impl From<String> for Problem {
    fn from(sentence: String) -> Self {
        Problem::Content(sentence)
    }
}

impl From<&str> for Problem {
    fn from(sentence: &str) -> Self {
        Problem::Content(sentence.to_owned())
    }
}

/// A named array of a model file.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its dimensions, the slowest first; for weights `[out, in]`.
    pub shape: Vec<usize>,
    /// Its values, row after row.
    pub values: Vec<f32>,
}

/// What is put around the caller's header.
#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    format: u64,
    model: T,
}

/// The part of the header that every version has.
#[derive(Deserialize)]
struct Version {
    format: u64,
}

/// Writes a model file, whole or not at all (see [`atomic_write`]). `header` becomes JSON; numbers
/// in it that are not finite become `null`. Each tensor is (name, shape, values).
///
/// # Errors
/// [`Error::Model`] if a name stands there twice, a shape does not fit its values, a value is not
/// finite, or the header has no JSON form; [`Error::File`] if the file cannot be written.
pub fn write<T: Serialize>(path: &Path, header: &T, tensors: &[(&str, &[usize], &[f32])]) -> Result<()> {
    let refused = |problem: String| Error::Model { path: path.to_owned(), problem };
    let mut sorted = tensors.to_vec();
    sorted.sort_by_key(|&(name, ..)| name);
    let json = json_part(header, &sorted).map_err(refused)?;
    atomic_write(path, |file| {
        file.write_all(&(json.len() as u64).to_le_bytes())?;
        file.write_all(&json)?;
        let mut bytes = Vec::with_capacity(4 * PIECE);
        for piece in sorted.iter().flat_map(|(_, _, values)| values.chunks(PIECE)) {
            bytes.clear();
            bytes.extend(piece.iter().flat_map(|value| value.to_le_bytes()));
            file.write_all(&bytes)?;
        }
        Ok(())
    })
}

/// The JSON part of a file with these tensors, which are sorted by name; padded with spaces so
/// that the tensors start at a multiple of 8 bytes, as the format recommends.
fn json_part<T: Serialize>(
    header: &T,
    tensors: &[(&str, &[usize], &[f32])],
) -> std::result::Result<Vec<u8>, String> {
    let no_json = |error: serde_json::Error| format!("the header cannot be written as JSON: {error}");
    // Through a `Value`, because its keys are sorted.
    let header: Value = serde_json::to_value(Versioned { format: FORMAT, model: header }).map_err(no_json)?;
    let metadata = HashMap::from([(KEY.to_owned(), header.to_string())]);

    let mut infos = Vec::with_capacity(tensors.len());
    let mut end = 0;
    for (index, &(name, shape, values)) in tensors.iter().enumerate() {
        if name == "__metadata__" || index > 0 && tensors[index - 1].0 == name {
            return Err(format!("two things in it would have the name {name:?}"));
        }
        if shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size)) != Some(values.len()) {
            return Err(format!("tensor {name:?} has shape {shape:?} and {} values", values.len()));
        }
        check_finite(name, values, 0)?;
        let start = end;
        end += 4 * values.len();
        let info = TensorInfo { dtype: Dtype::F32, shape: shape.to_vec(), data_offsets: (start, end) };
        infos.push((name.to_owned(), info));
    }
    let layout = Metadata::new(Some(metadata), infos).map_err(|error| error.to_string())?;
    let mut json = serde_json::to_vec(&layout).map_err(no_json)?;
    json.resize(json.len().next_multiple_of(8), b' ');
    if json.len() as u64 > HEADER_LIMIT {
        return Err(format!("the header has {} bytes; at most {HEADER_LIMIT} are allowed", json.len()));
    }
    Ok(json)
}

/// Reads a model file: the header that was given to [`write()`], and the tensors by name. The file
/// is taken for hostile: every size is checked against the length of the file before memory is
/// asked for, and no content can do worse than an error.
///
/// # Errors
/// [`Error::Model`] with what is wrong with the content; [`Error::File`] if it cannot be read.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<(T, BTreeMap<String, Tensor>)> {
    let mut file = File::open(path).map_err(Error::file("open", path))?;
    let metadata = file.metadata().map_err(Error::file("open", path))?;
    let content = match metadata.is_file() {
        true => content(&mut file, metadata.len()),
        false => Err("it is not a regular file".into()),
    };
    content.map_err(|problem| match problem {
        Problem::Content(problem) => Error::Model { path: path.to_owned(), problem },
        Problem::System(source) => Error::File { action: "read", path: path.to_owned(), source },
    })
}

/// Reads a file of `length` bytes.
fn content<T: DeserializeOwned>(file: &mut impl Read, length: u64) -> Checked<(T, BTreeMap<String, Tensor>)> {
    let (json, rest) = json_bytes(file, length)?;
    let layout: Layout = serde_json::from_slice(&json).map_err(|error| {
        format!("it is not a thinnet model: its header is not as safetensors has it ({error})")
    })?;
    let header = header(&layout)?;
    let entries = layout.check(rest)?;
    let mut tensors = BTreeMap::new();
    for entry in entries {
        let values = values(file, &entry)?;
        tensors.insert(entry.name, Tensor { shape: entry.shape, values });
    }
    Ok((header, tensors))
}

/// The bytes of the JSON part, and how many bytes follow them.
fn json_bytes(file: &mut impl Read, length: u64) -> Checked<(Vec<u8>, u64)> {
    if length == 0 {
        return Err("the file is empty; train the model again".into());
    }
    let Some(after) = length.checked_sub(8) else {
        return Err("the file has fewer than 8 bytes: it was cut short; copy it again".into());
    };
    let mut size = [0; 8];
    fill(file, &mut size)?;
    let size = u64::from_le_bytes(size);
    if size > HEADER_LIMIT {
        return Err(format!(
            "it is not a thinnet model: its first 8 bytes announce a header of {size} bytes"
        )
        .into());
    }
    let Some(rest) = after.checked_sub(size) else {
        return Err(format!(
            "its header should have {size} bytes, but only {after} follow: \
             it was cut short, or is not a thinnet model"
        )
        .into());
    };
    let mut json = vec![0; size as usize];
    fill(file, &mut json)?;
    Ok((json, rest))
}

/// The caller's header, if this version can read it.
fn header<T: DeserializeOwned>(layout: &Layout) -> Checked<T> {
    let foreign = "it is a safetensors file, but not one that thinnet wrote";
    let text = layout.header().ok_or(foreign)?;
    let version: Version = serde_json::from_str(text).map_err(|_| foreign)?;
    match version.format {
        1..=FORMAT => {}
        0 => return Err(foreign.into()),
        newer => {
            return Err(format!(
                "it was written by a newer thinnet (format {newer}, this one reads up to {FORMAT}); \
                 update thinnet"
            )
            .into());
        }
    }
    let versioned: Versioned<T> = serde_json::from_str(text)
        .map_err(|error| format!("its header is damaged ({error}); copy it again or train it again"))?;
    Ok(versioned.model)
}

/// The values of the next tensor. Its size has been checked against the length of the file.
fn values(file: &mut impl Read, entry: &Entry) -> Checked<Vec<f32>> {
    let mut values = Vec::with_capacity(entry.count);
    let mut bytes = vec![0; 4 * entry.count.min(PIECE)];
    while values.len() < entry.count {
        let start = values.len();
        let piece = &mut bytes[..4 * (entry.count - start).min(PIECE)];
        fill(file, piece)?;
        let (quads, _) = piece.as_chunks::<4>();
        values.extend(quads.iter().map(|&quad| f32::from_le_bytes(quad)));
        check_finite(&entry.name, &values[start..], start)?;
    }
    Ok(values)
}

/// Checks values that start at index `start` of a tensor.
fn check_finite(name: &str, values: &[f32], start: usize) -> std::result::Result<(), String> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(format!(
            "tensor {name:?} holds {} at index {}, and a model's numbers must be finite; \
             train it again",
            values[at],
            start + at
        )),
    }
}

fn fill(file: &mut impl Read, bytes: &mut [u8]) -> Checked<()> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => "it became shorter while it was read; try again".into(),
        _ => Problem::System(error),
    })
}

#[cfg(test)]
mod tests {
    use super::super::write::tests::Folder;
    use super::*;
    use proptest::prelude::*;
    use safetensors::SafeTensors;
    use serde_json::json;
    use std::fs;

    const WEIGHTS: [f32; 6] = [1.0, -0.0, 1e-45, f32::MAX, -2.5, 0.1];
    const BIASES: [f32; 2] = [3.0, 4.0];
    const TENSORS: [(&str, &[usize], &[f32]); 3] =
        [("layer.1.weight", &[2, 3], &WEIGHTS), ("layer.1.bias", &[2], &BIASES), ("none", &[0, 4], &[])];

    fn written(header: &Value, tensors: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
        let folder = Folder::new(&format!("written-{:?}", std::thread::current().id()));
        let path = folder.0.join("a.thinnet");
        write(&path, header, tensors).unwrap();
        fs::read(&path).unwrap()
    }

    fn parse(bytes: &[u8]) -> std::result::Result<(Value, BTreeMap<String, Tensor>), String> {
        content(&mut &bytes[..], bytes.len() as u64).map_err(|problem| match problem {
            Problem::Content(sentence) => sentence,
            Problem::System(error) => panic!("{error}"),
        })
    }

    /// A file with this JSON part and these bytes behind it.
    fn file(json: &str, data: &[u8]) -> Vec<u8> {
        [&(json.len() as u64).to_le_bytes(), json.as_bytes(), data].concat()
    }

    /// A file with a good header and this text for its tensors.
    fn tensors(entries: &str, data: &[u8]) -> Vec<u8> {
        let metadata = r#""__metadata__":{"thinnet":"{\"format\":1,\"model\":null}"}"#;
        file(&format!("{{{metadata}{entries}}}"), data)
    }

    #[track_caller]
    fn refused(bytes: &[u8], part: &str) {
        let sentence = parse(bytes).unwrap_err();
        assert!(sentence.contains(part), "{sentence}");
    }

    #[test]
    fn what_was_written_is_read_to_the_bit() {
        let folder = Folder::new("round");
        let path = folder.0.join("a.thinnet");
        let header = json!({"spec": {"seed": 7}, "mean": 0.1f32, "classes": ["a", "\u{e9}\"\n"]});
        write(&path, &header, &TENSORS).unwrap();
        let (read_header, tensors): (Value, _) = read(&path).unwrap();
        assert_eq!(read_header, header);
        assert_eq!(tensors.len(), 3);
        for (name, shape, values) in TENSORS {
            assert_eq!(tensors[name].shape, shape);
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&tensors[name].values), bits(values));
        }
    }

    #[test]
    fn the_file_is_what_safetensors_writes() {
        let bytes = written(&json!({"b": 1, "a": 2}), &TENSORS);
        let views = TENSORS.map(|(name, shape, values)| {
            let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (name, shape.to_vec(), data)
        });
        let views = views.iter().map(|(name, shape, data)| {
            (*name, safetensors::tensor::TensorView::new(Dtype::F32, shape.clone(), data).unwrap())
        });
        let text = r#"{"format":2,"model":{"a":2,"b":1}}"#.to_owned();
        let metadata = HashMap::from([(KEY.to_owned(), text)]);
        assert_eq!(bytes, safetensors::serialize(views, Some(metadata)).unwrap());
    }

    #[test]
    fn the_order_of_tensors_and_keys_changes_no_byte() {
        let (mut forwards, mut backwards) = (serde_json::Map::new(), serde_json::Map::new());
        for key in ["a", "b", "c"] {
            forwards.insert(key.into(), json!(key));
        }
        for key in ["c", "b", "a"] {
            backwards.insert(key.into(), json!(key));
        }
        let mut turned = TENSORS;
        turned.reverse();
        assert_eq!(written(&forwards.into(), &TENSORS), written(&backwards.into(), &turned));
    }

    #[test]
    fn more_values_than_one_piece_are_read() {
        let values: Vec<f32> = (0..2 * PIECE + 5).map(|value| value as f32).collect();
        let bytes = written(&Value::Null, &[("a", &[values.len()], &values)]);
        assert_eq!(parse(&bytes).unwrap().1["a"].values, values);
    }

    #[test]
    fn what_cannot_be_read_back_is_not_written() {
        let folder = Folder::new("unwritten");
        let path = folder.0.join("a.thinnet");
        let sentence = |tensors: &[(&str, &[usize], &[f32])]| {
            write(&path, &Value::Null, tensors).unwrap_err().to_string()
        };
        assert!(sentence(&[("a", &[1], &[f32::NAN])]).contains("holds NaN at index 0"));
        assert!(sentence(&[("a", &[2], &[1.0])]).contains("has shape [2] and 1 values"));
        assert!(sentence(&[("a", &[1], &[1.0]), ("a", &[1], &[1.0])]).contains("the name \"a\""));
        assert!(sentence(&[("__metadata__", &[1], &[1.0])]).contains("__metadata__"));
        let long = Value::String("a".repeat(HEADER_LIMIT as usize));
        assert!(write(&path, &long, &[]).unwrap_err().to_string().contains("at most"));
        assert!(folder.names().is_empty());
    }

    #[test]
    fn a_file_that_is_missing_or_a_folder_is_named() {
        let folder = Folder::new("named");
        let missing = folder.0.join("missing.thinnet");
        let sentence = read::<Value>(&missing).unwrap_err().to_string();
        assert!(sentence.starts_with(&format!("cannot open {}", missing.display())), "{sentence}");
        let sentence = read::<Value>(&folder.0).unwrap_err().to_string();
        assert!(sentence.ends_with("it is not a regular file"), "{sentence}");
    }

    #[test]
    fn an_empty_file_is_refused() {
        refused(b"", "the file is empty");
    }

    #[test]
    fn a_file_cut_short_is_refused_wherever_it_is_cut() {
        let bytes = written(&json!({"seed": 1}), &TENSORS);
        refused(&bytes[..7], "fewer than 8 bytes");
        refused(&bytes[..100], "was cut short");
        refused(&bytes[..bytes.len() - 1], "its tensors need 32 bytes, but only 31 are there");
        for length in 0..bytes.len() {
            assert!(parse(&bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_header_longer_than_the_file_is_refused() {
        refused(&[&1000u64.to_le_bytes()[..], b"{}"].concat(), "should have 1000 bytes, but only 2 follow");
    }

    #[test]
    fn a_header_of_absurd_length_is_refused() {
        refused(&[0xff; 100], "a header of 18446744073709551615 bytes");
        refused(b"age,income\n39,77516\n", "it is not a thinnet model");
    }

    #[test]
    fn a_header_that_is_no_json_is_refused() {
        refused(&file("{\"a\":", b""), "its header is not as safetensors has it");
        refused(&file("[1, 2]", b""), "expected the names of tensors");
        refused(&file(&"[".repeat(100_000), b""), "its header is not");
        refused(&file(&format!("{{\"a\":{}", "[".repeat(100_000)), b""), "its header is not");
        refused(&[&4u64.to_le_bytes()[..], b"\"\xff\xff\""].concat(), "its header is not");
    }

    #[test]
    fn a_file_of_another_program_is_refused() {
        let foreign = "not one that thinnet wrote";
        refused(&file("{}", b""), foreign);
        refused(&file(r#"{"__metadata__":{"format":"pt"}}"#, b""), foreign);
        refused(&file(r#"{"__metadata__":{"thinnet":"?"}}"#, b""), foreign);
        refused(&file(r#"{"__metadata__":{"thinnet":"{\"format\":0}"}}"#, b""), foreign);
    }

    #[test]
    fn a_file_of_a_newer_version_asks_for_an_update() {
        let json = r#"{"__metadata__":{"thinnet":"{\"format\":3,\"new\":[]}"},
            "a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}"#;
        refused(&file(json, b"x"), "written by a newer thinnet (format 3, this one reads up to 2); update");
    }

    #[test]
    fn a_header_that_does_not_fit_the_model_is_refused() {
        let bytes = written(&json!({"seed": "seven"}), &[]);
        #[derive(Debug, serde::Deserialize)]
        struct Header {
            #[serde(rename = "seed")]
            _seed: u64,
        }
        let result: Checked<(Header, _)> = content(&mut &bytes[..], bytes.len() as u64);
        let Err(Problem::Content(sentence)) = result else { panic!("it was read") };
        assert!(sentence.contains("its header is damaged (invalid type: string"), "{sentence}");
    }

    #[test]
    fn a_name_that_stands_there_twice_is_refused() {
        let entry = r#","a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
        refused(&tensors(&entry.repeat(2), &[0; 4]), "the name \"a\" stands there twice");
        refused(&tensors(r#","__metadata__":{}"#, b""), "twice");
    }

    #[test]
    fn offsets_that_are_out_of_range_are_refused() {
        let entry = r#","a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
        refused(&tensors(entry, &[0; 4]), "its tensors need 8 bytes, but only 4 are there");
        refused(&tensors(entry, &[0; 12]), "4 bytes after its last tensor belong to nothing");
        let entry = r#","a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}"#;
        refused(&tensors(entry, &[0; 8]), "starts at byte 8 where the one before ends at byte 0");
        let entry = r#","a":{"dtype":"F32","shape":[2],"data_offsets":[0,-8]}"#;
        refused(&tensors(entry, &[0; 8]), "its header is not");
    }

    #[test]
    fn tensors_that_overlap_or_leave_a_gap_are_refused() {
        let first = r#","a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
        let overlap = format!(r#"{first},"b":{{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#);
        refused(&tensors(&overlap, &[0; 12]), "\"b\" starts at byte 4 where the one before ends at byte 8");
        let gap = format!(r#"{first},"b":{{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}"#);
        refused(&tensors(&gap, &[0; 16]), "starts at byte 12");
    }

    #[test]
    fn a_shape_that_does_not_fit_its_bytes_is_refused() {
        let entry = r#","a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}"#;
        refused(&tensors(entry, &[0; 8]), "goes from byte 0 to 8, but its shape needs 12 bytes");
    }

    #[test]
    fn a_shape_that_overflows_is_refused() {
        for shape in ["4294967296,4294967296", "4611686018427387904", "18446744073709551615,2"] {
            let entry = format!(r#","a":{{"dtype":"F32","shape":[{shape}],"data_offsets":[0,0]}}"#);
            refused(&tensors(&entry, b""), "more values than any memory can hold");
        }
        // Just below the limit: refused by its size, before any memory is asked for.
        let entry = r#","a":{"dtype":"F32","shape":[4611686018427387903],
            "data_offsets":[0,18446744073709551612]}"#;
        refused(&tensors(entry, b""), "need 18446744073709551612 bytes, but only 0 are there");
    }

    #[test]
    fn a_wrong_type_is_refused() {
        let entry = r#","a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}"#;
        refused(&tensors(entry, &[0; 4]), "tensor \"a\" holds F16 values");
    }

    #[test]
    fn weights_that_are_not_finite_are_refused() {
        let entry = r#","a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
        for (value, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
            let data = [1f32.to_le_bytes(), value.to_le_bytes()].concat();
            refused(&tensors(entry, &data), &format!("tensor \"a\" holds {name} at index 1"));
        }
    }

    /// Numbers and words that an attacker would put into a header.
    const HOSTILE: [&str; 8] =
        ["0", "-1", "18446744073709551615", "4611686018427387904", "1e400", "null", "[]", "\"__metadata__\""];

    /// What is read must be what the safetensors crate reads from the same bytes.
    fn agrees_with_safetensors(bytes: &[u8]) {
        if let Ok((_, tensors)) = parse(bytes) {
            let theirs = SafeTensors::deserialize(bytes).unwrap();
            assert_eq!(theirs.len(), tensors.len());
            for (name, tensor) in tensors {
                let view = theirs.tensor(&name).unwrap();
                assert_eq!(view.shape(), tensor.shape);
                let data: Vec<u8> = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
                assert_eq!(view.data(), data);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            agrees_with_safetensors(&bytes);
        }

        #[test]
        fn random_headers_never_panic(json in "[\\[\\]{}\",:0-9a-f_]{0,60}", data in any::<[u8; 8]>()) {
            agrees_with_safetensors(&file(&json, &data));
        }

        #[test]
        fn changed_bytes_never_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let json = json_part(&json!({"seed": 1}), &sorted()).unwrap();
            let data: Vec<u8> =
                sorted().iter().flat_map(|tensor| tensor.2).flat_map(|value| value.to_le_bytes()).collect();
            let mut bytes = file(&String::from_utf8(json).unwrap(), &data);
            for (index, byte) in changes {
                *index.get_mut(&mut bytes) = byte;
            }
            let length = cut.map_or(bytes.len(), |cut| cut.index(bytes.len()));
            agrees_with_safetensors(&bytes[..length]);
        }

        #[test]
        fn changed_headers_never_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0..HOSTILE.len()), 1..4),
        ) {
            let mut json = String::from_utf8(json_part(&json!({"seed": 1}), &sorted()).unwrap()).unwrap();
            for (index, word) in changes {
                let numbers: Vec<(usize, &str)> =
                    json.match_indices(|character: char| character.is_ascii_digit()).collect();
                let at = if numbers.is_empty() { 0 } else { index.get(&numbers).0 };
                json.replace_range(at..at + 1, HOSTILE[word]);
            }
            agrees_with_safetensors(&file(&json, &[0; 32]));
        }

        #[test]
        fn every_number_of_a_header_is_read_to_the_bit(number in any::<f64>(), small in any::<f32>()) {
            let header = json!({"number": number, "small": small});
            let json = String::from_utf8(json_part(&header, &[]).unwrap()).unwrap();
            let (read, _) = parse(&file(&json, b"")).unwrap();
            prop_assert_eq!(read["number"].as_f64().map(f64::to_bits), header["number"].as_f64().map(f64::to_bits));
            prop_assert_eq!(read["small"].as_f64().map(|value| value as f32), small.is_finite().then_some(small));
        }
    }

    fn sorted() -> Vec<(&'static str, &'static [usize], &'static [f32])> {
        let mut sorted = TENSORS.to_vec();
        sorted.sort_by_key(|&(name, ..)| name);
        sorted
    }
}
