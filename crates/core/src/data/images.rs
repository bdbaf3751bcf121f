//! Pictures in shades of grey, each with a class.

use crate::error::{Error, Result};

/// Pictures of one size, each with the number of its class.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    name: String,
    height: usize,
    width: usize,
    white: f32,
    pixels: Vec<u8>,
    labels: Vec<u32>,
    classes: usize,
}

impl Images {
    /// Pictures from their pixels `[rows, height, width]` and one label each. `white` is the largest value
    /// that a pixel can have; `name` is what error messages call them.
    ///
    /// # Errors
    /// The sizes must fit together and not be 0; `white` must be a positive number.
    pub fn new(
        name: impl Into<String>,
        (height, width): (usize, usize),
        white: f32,
        pixels: Vec<u8>,
        labels: Vec<u32>,
    ) -> Result<Self> {
        let name = name.into();
        let size = height.checked_mul(width).filter(|&size| size > 0);
        let expected = size.and_then(|size| size.checked_mul(labels.len()));
        if labels.is_empty() || expected != Some(pixels.len()) {
            let problem = format!(
                "{} labels and {} pixels do not make images of {height} x {width}",
                labels.len(),
                pixels.len()
            );
            return Err(Error::data(name, problem));
        }
        if !(white > 0.0 && white.is_finite()) {
            return Err(Error::data(name, format!("white cannot be {white}; it must be above 0")));
        }
        let classes = labels.iter().max().map_or(0, |&label| label as usize + 1);
        Ok(Self { name, height, width, white, pixels, labels, classes })
    }

    /// What error messages call the images.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many images there are.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Rows of pixels in each image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of pixels in each image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The value of a white pixel: 255 in IDX files, 16 in the embedded digits.
    pub fn white(&self) -> f32 {
        self.white
    }

    /// All pixels `[rows, height, width]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels of one image `[height, width]`. The index must be below [`Images::rows`].
    pub fn image(&self, row: usize) -> &[u8] {
        let size = self.height * self.width;
        &self.pixels[row * size..][..size]
    }

    /// The class of each image, below [`Images::classes`].
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// One more than the largest label.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The given images, in the given order. There are as many classes as before, also where some have no
    /// image left.
    ///
    /// # Errors
    /// Each index must be below [`Images::rows`].
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        if let Some(row) = rows.iter().find(|&&row| row >= self.rows()) {
            return Err(Error::argument("rows", format!("there is no row {row} in {} rows", self.rows())));
        }
        let pixels = rows.iter().flat_map(|&row| self.image(row)).copied().collect();
        let labels = rows.iter().map(|&row| self.labels[row]).collect();
        let Self { ref name, height, width, white, classes, .. } = *self;
        Ok(Self { name: name.clone(), height, width, white, pixels, labels, classes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_must_fit() {
        let images = Images::new("i", (1, 2), 255.0, vec![1, 2, 3, 4], vec![0, 2]).unwrap();
        assert_eq!((images.rows(), images.classes(), images.image(1)), (2, 3, &[3, 4][..]));
        assert!(Images::new("i", (1, 2), 255.0, vec![1, 2, 3], vec![0, 2]).is_err());
        assert!(Images::new("i", (0, 2), 255.0, vec![], vec![0, 2]).is_err());
        assert!(Images::new("i", (1, 2), 255.0, vec![], vec![]).is_err());
        assert!(Images::new("i", (usize::MAX, 2), 255.0, vec![], vec![0]).is_err());
        assert!(Images::new("i", (1, 1), 0.0, vec![0], vec![0]).is_err());
    }

    #[test]
    fn selected_images_keep_their_classes() {
        let images = Images::new("i", (1, 2), 255.0, vec![1, 2, 3, 4], vec![2, 0]).unwrap();
        let second = images.select(&[1, 1]).unwrap();
        assert_eq!((second.pixels(), second.labels(), second.classes()), (&[3, 4, 3, 4][..], &[0, 0][..], 3));
        assert!(images.select(&[2]).is_err());
    }
}
