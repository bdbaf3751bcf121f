//! The area in which the marks of a chart stand, with its axes.

use super::drawing::{Anchor, Room, at, text, text_width};
use super::scale::{Axis, Scale};

/// The area and its axes.
pub(super) struct Frame {
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub x: Scale,
    pub y: Scale,
    x_name: String,
    y_name: String,
}

/// Between an axis and its labels.
const GAP: f64 = 8.0;

impl Frame {
    /// Axes around values; the horizontal one ends with them, the vertical one at round values.
    pub fn new(
        room: Room,
        height: f64,
        (horizontal, vertical): (&Axis, &Axis),
        (x, y): (impl Iterator<Item = f64>, impl Iterator<Item = f64>),
    ) -> Self {
        let width = room.width();
        let (top, bottom) = (44.0, height - 42.0);
        let y = Scale::rounded(vertical, y, Self::lines(height)).between(bottom, top);
        let labels = y.ticks(Self::lines(height)).into_iter().map(|tick| text_width(&tick.label));
        let (left, right) = (labels.fold(0.0, f64::max) + GAP, width - 16.0);
        let x = Scale::tight(horizontal, x).between(left, right);
        let (x_name, y_name) = (horizontal.name.clone(), vertical.name.clone());
        Self { width, height, left, right, top, bottom, x, y, x_name, y_name }
    }

    /// About how many lines a height has room for.
    fn lines(height: f64) -> usize {
        (height / 56.0) as usize
    }

    /// A point's place, if it has one.
    pub fn place(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        Some((self.x.place(x)?, self.y.place(y)?))
    }

    /// The lines, labels and names of both axes.
    pub fn axes(&self) -> String {
        let mut svg = String::new();
        for tick in self.y.ticks(Self::lines(self.height)) {
            let Some(y) = self.y.place(tick.value) else { continue };
            svg += &format!("<path class=\"grid\" d=\"M{} {}H{}\"/>\n", at(self.left), at(y), at(self.right));
            svg += &text("tick", (self.left - GAP, y + 4.0), Anchor::End, &tick.label);
        }
        let about = ((self.right - self.left) / 60.0) as usize;
        for tick in self.x.ticks(about) {
            let Some(x) = self.x.place(tick.value) else { continue };
            svg += &format!("<path class=\"axis\" d=\"M{} {}v5\"/>\n", at(x), at(self.bottom));
            // The last label stays inside the drawing.
            let x = x.min(self.width - 0.5 * text_width(&tick.label));
            svg += &text("tick", (x, self.bottom + 19.0), Anchor::Middle, &tick.label);
        }
        let (left, bottom, right) = (at(self.left), at(self.bottom), at(self.right));
        svg += &format!("<path class=\"axis\" d=\"M{left} {bottom}H{right}\"/>\n");
        svg += &text("name", (0.0, 14.0), Anchor::Start, &self.y_name);
        svg + &text("name", (self.right, self.height - 4.0), Anchor::End, &self.x_name)
    }
}
