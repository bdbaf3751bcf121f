//! Whether a data set is the one that it was.

use super::{Cells, Data};

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
    /// A number that changes with any cell, name of a column, pixel or label, and with their order.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Hash(0xcbf2_9ce4_8422_2325);
        match self {
            Data::Table(table) => {
                for column in table.columns() {
                    hash.text(&column.name);
                    match &column.cells {
                        Cells::Numbers(numbers) => {
                            numbers.iter().for_each(|number| hash.add(&number.to_bits().to_le_bytes()));
                        }
                        Cells::Texts { codes, categories } => {
                            categories.iter().for_each(|text| hash.text(text));
                            codes.iter().for_each(|code| hash.add(&code.to_le_bytes()));
                        }
                    }
                }
            }
            Data::Images(images) => {
                [images.height(), images.width()]
                    .iter()
                    .for_each(|&size| hash.add(&(size as u64).to_le_bytes()));
                hash.add(&images.white().to_le_bytes());
                hash.add(images.pixels());
                images.labels().iter().for_each(|label| hash.add(&label.to_le_bytes()));
            }
        }
        hash.0
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
            Data::from(parse_csv("t", text.as_bytes(), &Default::default()).unwrap()).fingerprint()
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
    fn every_change_of_images_is_noticed() {
        let of = |size, white, pixels: &[u8], labels: &[u32]| {
            Data::from(Images::new("i", size, white, pixels.to_vec(), labels.to_vec()).unwrap()).fingerprint()
        };
        let first = of((1, 2), 255.0, &[1, 2, 3, 4], &[0, 1]);
        assert_ne!(first, of((2, 1), 255.0, &[1, 2, 3, 4], &[0, 1]));
        assert_ne!(first, of((1, 2), 16.0, &[1, 2, 3, 4], &[0, 1]));
        assert_ne!(first, of((1, 2), 255.0, &[1, 2, 4, 3], &[0, 1]));
        assert_ne!(first, of((1, 2), 255.0, &[1, 2, 3, 4], &[1, 0]));
    }
}
