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

    /// The given images, in the given order, of as many classes.
    ///
    /// # Errors
    /// Each index must be below [`Images::rows`].
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        if let Some(row) = rows.iter().find(|&&row| row >= self.rows()) {
            return Err(Error::argument("rows", format!("there is no image {row} in {}", self.rows())));
        }
        Ok(Self {
            name: self.name.clone(),
            pixels: rows.iter().flat_map(|&row| self.image(row)).copied().collect(),
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            ..*self
        })
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
    fn selects_images_in_order() {
        let images = Images::new("i", (1, 2), 255.0, vec![1, 2, 3, 4, 5, 6], vec![0, 2, 1]).unwrap();
        let selected = images.select(&[2, 0]).unwrap();
        assert_eq!((selected.pixels(), selected.labels()), (&[5, 6, 1, 2][..], &[1, 0][..]));
        assert_eq!(selected.classes(), 3, "class 2 may come again");
        assert!(images.select(&[3]).is_err());
    }
}
