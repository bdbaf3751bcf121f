//! IDX files, the form of MNIST and Fashion-MNIST, plain or gzipped.
//!
//! The format is described at the foot of Yann LeCun's MNIST page: two zero bytes, a byte for the type
//! (8 for unsigned bytes), a byte for the number of dimensions, each dimension as a big-endian u32, then
//! the data, the last dimension running fastest.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::gzip::{damage, unpacked};
use super::{Images, Part};
use crate::error::{Error, Result};

/// Deflate packs at most 1032 bytes into one.
const LARGEST_RATIO: u64 = 1032;

/// Reads one part of a folder with the four files of MNIST: `train-images-idx3-ubyte`,
/// `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each with or without
/// `.gz`, and with `.idx` in place of `-idx` too. The files of the other part may be missing.
///
/// # Errors
/// A missing or unreadable file; a file whose size is not what its header says; images and labels that
/// are not equally many.
pub fn read_idx_folder(folder: &Path, part: Part) -> Result<Images> {
    let stem = match part {
        Part::Train => "train",
        Part::Test => "t10k",
    };
    let images_path = find(folder, &format!("{stem}-images"), "idx3-ubyte")?;
    let labels_path = find(folder, &format!("{stem}-labels"), "idx1-ubyte")?;
    let ([rows, height, width], pixels) = read_file(&images_path)?;
    let ([labels_rows], labels) = read_file(&labels_path)?;
    if rows != labels_rows {
        let problem = format!("{labels_rows} labels for the {rows} images in {}", images_path.display());
        return Err(Error::data(labels_path.display().to_string(), problem));
    }
    let labels = labels.into_iter().map(u32::from).collect();
    Images::new(folder.display().to_string(), (height, width), 255.0, pixels, labels)
}

/// The files of a folder that [`read_idx_folder`] reads, of both parts, as far as they are there.
pub(super) fn idx_files(folder: &Path) -> Vec<PathBuf> {
    let kinds = [("images", "idx3-ubyte"), ("labels", "idx1-ubyte")];
    let names = ["train", "t10k"].into_iter().flat_map(|part| kinds.map(|(what, kind)| (part, what, kind)));
    names.filter_map(|(part, what, kind)| find(folder, &format!("{part}-{what}"), kind).ok()).collect()
}

fn find(folder: &Path, stem: &str, kind: &str) -> Result<PathBuf> {
    let names = ["", ".gz"].map(|end| [format!("{stem}-{kind}{end}"), format!("{stem}.{kind}{end}")]);
    let mut paths = names.iter().flatten().map(|name| folder.join(name));
    paths.find(|path| path.exists()).ok_or_else(|| {
        let problem = format!("the folder has no file {stem}-{kind} or {stem}-{kind}.gz, as MNIST has them");
        Error::data(folder.display().to_string(), problem)
    })
}

fn read_file<const DIMENSIONS: usize>(path: &Path) -> Result<([usize; DIMENSIONS], Vec<u8>)> {
    let file = File::open(path).map_err(Error::file("open", path))?;
    let stored = file.metadata().map_err(Error::file("read", path))?.len();
    read_idx(&path.display().to_string(), BufReader::with_capacity(1 << 16, file), stored)
}

/// Reads one IDX file of unsigned bytes with this number of dimensions. `stored` is the size of what
/// `reader` holds, packed or not: memory is only asked for what can come out of that.
pub(super) fn read_idx<const DIMENSIONS: usize>(
    name: &str,
    reader: impl BufRead,
    stored: u64,
) -> Result<([usize; DIMENSIONS], Vec<u8>)> {
    let fail = |problem: String| Error::data(name, problem);
    let broken = |error: std::io::Error| match damage(&error) {
        Some(problem) => fail(problem.into()),
        None => fail(format!("it cannot be read: {error}")),
    };
    let (mut reader, packed) = unpacked(reader).map_err(broken)?;
    let mut header = Vec::new();
    let header_size = 4 + 4 * DIMENSIONS;
    reader.by_ref().take(header_size as u64).read_to_end(&mut header).map_err(broken)?;
    let dimensions: [usize; DIMENSIONS] = dimensions(&header).map_err(fail)?;

    let size = dimensions.iter().try_fold(1_u64, |size, &next| size.checked_mul(next as u64));
    let available = match packed {
        true => stored.saturating_mul(LARGEST_RATIO),
        false => stored.saturating_sub(header_size as u64),
    };
    let says = format!("its header says {dimensions:?}");
    let size = size.filter(|&size| size <= available).ok_or_else(|| {
        fail(format!("{says}, but the file is too small for that; it is cut off or damaged"))
    })?;
    let mut bytes = Vec::new();
    usize::try_from(size)
        .ok()
        .and_then(|size| bytes.try_reserve_exact(size).ok())
        .ok_or_else(|| fail(format!("{says}, which is more than the memory of this machine")))?;
    reader.by_ref().take(size).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 != size {
        return Err(fail(format!("{says}, but only {} bytes follow; it is cut off", bytes.len())));
    }
    // Reading past the end also makes the decoder compare its checksum.
    if reader.read(&mut [0]).map_err(broken)? != 0 {
        return Err(fail(format!("{says}, but more bytes follow; the file is damaged")));
    }
    Ok((dimensions, bytes))
}

fn dimensions<const DIMENSIONS: usize>(header: &[u8]) -> std::result::Result<[usize; DIMENSIONS], String> {
    if header.len() < 4 || header[..3] != [0, 0, 8] {
        return Err("it is not an IDX file of unsigned bytes (they start with the bytes 0, 0, 8)".into());
    }
    if usize::from(header[3]) != DIMENSIONS {
        return Err(format!("it has {} dimensions, {DIMENSIONS} are needed", header[3]));
    }
    if header.len() < 4 + 4 * DIMENSIONS {
        return Err("it ends within its header; it is cut off".into());
    }
    Ok(std::array::from_fn(|index| {
        let at = 4 + 4 * index;
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::gzip::packed;

    fn idx(dimensions: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
        dimensions.iter().for_each(|dimension| bytes.extend(dimension.to_be_bytes()));
        bytes.extend(data);
        bytes
    }

    fn read3(bytes: &[u8]) -> Result<([usize; 3], Vec<u8>)> {
        read_idx("x", bytes, bytes.len() as u64)
    }

    #[test]
    fn reads_plain_and_gzipped() {
        let plain = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let expected = ([2, 1, 3], vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(read3(&plain).unwrap(), expected);
        assert_eq!(read3(&packed(&plain)).unwrap(), expected);
    }

    #[test]
    fn refuses_hostile_files_without_asking_for_their_memory() {
        let good = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let huge = idx(&[u32::MAX, u32::MAX, u32::MAX], &[1]);
        let large = idx(&[1 << 30, 28, 28], &[1]);
        let packed_good = packed(&good);
        let mut wrong_sum = packed_good.clone();
        let at = wrong_sum.len() - 8;
        wrong_sum[at] ^= 1;
        for (bytes, part) in [
            (huge.clone(), "too small"),
            (packed(&huge), "too small"),
            (large.clone(), "too small"),
            (packed(&large), "too small"),
            (good[..good.len() - 1].to_vec(), "too small"),
            (packed(&good[..good.len() - 1]), "cut off"),
            (packed_good[..packed_good.len() - 9].to_vec(), "cut off"),
            (wrong_sum, "damaged"),
            ([&good[..], &[0]].concat(), "more bytes"),
            (packed(&[&good[..], &[0]].concat()), "more bytes"),
            (good[..7].to_vec(), "within its header"),
            (vec![], "not an IDX file"),
            (b"age,income\n1,2\n".to_vec(), "not an IDX file"),
            (idx(&[2, 3], &[1, 2, 3, 4, 5, 6]), "2 dimensions"),
        ] {
            let error = read3(&bytes).unwrap_err().to_string();
            assert!(error.starts_with("x: ") && error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn a_folder_is_two_parts() {
        let folder = std::env::temp_dir().join(format!("thinnet-idx-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
        write("train-images-idx3-ubyte.gz", &packed(&idx(&[2, 1, 1], &[7, 9])));
        write("train-labels.idx1-ubyte", &idx(&[2], &[0, 3]));
        let train = read_idx_folder(&folder, Part::Train).unwrap();
        assert_eq!((train.pixels(), train.labels(), train.classes()), (&[7, 9][..], &[0, 3][..], 4));
        let missing = read_idx_folder(&folder, Part::Test).unwrap_err().to_string();
        assert!(missing.contains("t10k-images-idx3-ubyte"), "{missing}");
        write("train-labels.idx1-ubyte", &idx(&[3], &[0, 3, 1]));
        let uneven = read_idx_folder(&folder, Part::Train).unwrap_err().to_string();
        assert!(uneven.contains("3 labels for the 2 images"), "{uneven}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_error_or_an_array(mut bytes: Vec<u8>, start: bool) {
            if start && bytes.len() >= 4 {
                bytes[..4].copy_from_slice(&[0, 0, 8, 3]);
            }
            if let Ok((dimensions, data)) = read3(&bytes) {
                proptest::prop_assert_eq!(dimensions.iter().product::<usize>(), data.len());
            }
        }
    }
}
