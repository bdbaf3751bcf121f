//! Whether a data set is the one that it was.

use std::borrow::Cow;

use super::{Cells, Column, Data, GAP};
use crate::error::{Error, Result};

/// The hash of Fowler, Noll and Vo (FNV-1a, 64 bits): changes are noticed, forgeries are not.
struct Hash(u64);

impl Hash {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn text(&mut self, text: &str) {
        self.add(&(text.len() as u64).to_le_bytes());
        self.add(text.as_bytes());
    }
}

impl Data {
    /// A number that changes with any cell, name of a column, pixel or label, and with their order: of the
    /// given rows, or of all. Other rows do not matter.
    ///
    /// # Errors
    /// Each index must be below [`Data::rows`].
    pub fn fingerprint(&self, rows: Option<&[usize]>) -> Result<u64> {
        self.fingerprint_of(None, rows)
    }

    /// The same of the named columns of a table alone, in the order of the names; images have no columns.
    ///
    /// # Errors
    /// A column that is not there, and as [`Data::fingerprint`].
    pub(crate) fn fingerprint_of(&self, columns: Option<&[&str]>, rows: Option<&[usize]>) -> Result<u64> {
        let (mut hash, all) = (Hash(0xcbf2_9ce4_8422_2325), self.rows());
        let rows: Cow<[usize]> = rows.map_or_else(|| (0..all).collect(), Cow::Borrowed);
        if let Some(row) = rows.iter().find(|&&row| row >= all) {
            return Err(Error::argument("rows", format!("there is no row {row}; there are {all}")));
        }
        match self {
            Data::Table(table) => {
                let columns: Vec<&Column> = match columns {
                    Some(names) => names.iter().map(|name| table.column(name)).collect::<Result<_>>()?,
                    None => table.columns().iter().collect(),
                };
                for column in columns {
                    hash.text(&column.name);
                    match &column.cells {
                        Cells::Numbers(numbers) => {
                            rows.iter().for_each(|&row| hash.add(&numbers[row].to_bits().to_le_bytes()));
                        }
                        Cells::Texts { codes, categories } => {
                            let cell = |&row: &usize| categories.get(codes[row] as usize);
                            rows.iter().for_each(|row| match cell(row) {
                                Some(text) => hash.text(text),
                                None => hash.add(&GAP.to_le_bytes()),
                            });
                        }
                    }
                }
            }
            Data::Images(images) => {
                [images.height(), images.width()]
                    .iter()
                    .for_each(|&size| hash.add(&(size as u64).to_le_bytes()));
                hash.add(&images.white().to_le_bytes());
                for &row in rows.iter() {
                    hash.add(images.image(row));
                    hash.add(&images.labels()[row].to_le_bytes());
                }
            }
        }
        Ok(hash.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Images, parse_csv};

    #[test]
    fn the_hash_is_the_published_one() {
        // Test vectors of the authors for FNV-1a with 64 bits: "", "a" and "foobar".
        for (text, expected) in
            [("", 0xcbf29ce484222325), ("a", 0xaf63dc4c8601ec8c), ("foobar", 0x85944171f73967e8)]
        {
            let mut hash = Hash(0xcbf29ce484222325);
            hash.add(text.as_bytes());
            assert_eq!(hash.0, expected, "{text}");
        }
    }

    #[test]
    fn every_change_of_a_table_is_noticed() {
        let of = |text: &str| {
            Data::from(parse_csv("t", text.as_bytes(), &Default::default()).unwrap())
                .fingerprint(None)
                .unwrap()
        };
        let first = "a,b\n1,x\n2,y\n";
        assert_eq!(of(first), of("a, b\n1.0,x\n2,y\n"), "it is the same table");
        for changed in
            ["a,c\n1,x\n2,y\n", "a,b\n2,x\n1,y\n", "a,b\n1,y\n2,x\n", "a,b\n1,x\n", "b,a\nx,1\ny,2\n"]
        {
            assert_ne!(of(first), of(changed), "{changed}");
        }
    }

    #[test]
    fn only_the_given_rows_matter() {
        let of = |text: &str| {
            let data = Data::from(parse_csv("t", text.as_bytes(), &Default::default()).unwrap());
            data.fingerprint(Some(&[1, 2])).unwrap()
        };
        assert_eq!(of("a,b\n1,z\n2,y\n3,x\n"), of("a,b\n5,x\n2,y\n3,x\n"));
        assert_ne!(of("a,b\n1,z\n2,y\n3,x\n"), of("a,b\n1,z\n2,y\n3,\n"));
        let data = Data::from(parse_csv("t", b"a\n1\n", &Default::default()).unwrap());
        assert!(data.fingerprint(Some(&[1])).is_err());
    }

    #[test]
    fn only_the_given_columns_matter_in_their_order() {
        let of = |text: &str| {
            let data = Data::from(parse_csv("t", text.as_bytes(), &Default::default()).unwrap());
            data.fingerprint_of(Some(&["b", "a"]), None)
        };
        let first = of("a,b,c\n1,x,5\n2,y,5\n").unwrap();
        assert_eq!(of("b,a\nx,1\ny,2\n").unwrap(), first);
        assert_ne!(of("a,b\n1,x\n2,z\n").unwrap(), first);
        assert!(of("a,c\n1,x\n").is_err());
    }

    #[test]
    fn every_change_of_images_is_noticed() {
        let of = |size, white, pixels: &[u8], labels: &[u32]| {
            Data::from(Images::new("i", size, white, pixels.to_vec(), labels.to_vec()).unwrap())
                .fingerprint(None)
                .unwrap()
        };
        let first = of((1, 2), 255.0, &[1, 2, 3, 4], &[0, 1]);
        assert_ne!(first, of((2, 1), 255.0, &[1, 2, 3, 4], &[0, 1]));
        assert_ne!(first, of((1, 2), 16.0, &[1, 2, 3, 4], &[0, 1]));
        assert_ne!(first, of((1, 2), 255.0, &[1, 2, 4, 3], &[0, 1]));
        assert_ne!(first, of((1, 2), 255.0, &[1, 2, 3, 4], &[1, 0]));
    }
}
