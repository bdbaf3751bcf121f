//! Outlines and points in plain text.

use super::table::width;

/// One drawing. Points are pairs of numbers, right and up; those that are not finite leave a gap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sketch<'a> {
    /// What stands above it.
    pub title: &'a str,
    /// A closed curve: each point is joined to the next and the last one to the first.
    pub outline: &'a [[f64; 2]],
    /// Points that are joined to no other.
    pub points: &'a [[f64; 2]],
}

/// What a drawing is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dots {
    /// Unicode's braille patterns: two dots beside and four above each other in a character.
    #[default]
    Braille,
    /// Dots, apostrophes and colons: two places above each other in a character.
    Ascii,
}

/// How drawings are laid out.
///
/// ```
/// use thinnet::report::{Dots, Sheet, Sketch};
/// let wedge = [[0.0, 0.0], [7.0, 0.0], [7.0, 7.0]];
/// let sheet = Sheet { width: 8, across: 1, dots: Dots::Ascii };
/// let expected = "\
/// a wedge
///       .:
///     .' :
///   .'   :
/// .:.....:
/// ";
/// assert_eq!(sheet.draw(&[Sketch { title: "a wedge", outline: &wedge, points: &[] }]), expected);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sheet {
    /// Columns of a line; at least 8 for each drawing.
    pub width: usize,
    /// How many drawings stand side by side.
    pub across: usize,
    /// What they are made of.
    pub dots: Dots,
}

impl Default for Sheet {
    /// 80 columns, two drawings side by side, braille.
    fn default() -> Self {
        Self { width: 80, across: 2, dots: Dots::Braille }
    }
}

/// Columns between two drawings.
const BETWEEN: usize = 2;

impl Sheet {
    /// Draws the sketches, all on one scale and none higher than it is wide.
    pub fn draw(&self, sketches: &[Sketch]) -> String {
        let across = self.across.max(1);
        let columns = (self.width + BETWEEN).div_euclid(across).saturating_sub(BETWEEN).max(8);
        let Some(scale) = Scale::new(sketches, columns * self.dots.columns(), self.dots) else {
            return String::new();
        };
        let mut text = String::new();
        for row in sketches.chunks(across) {
            let drawings: Vec<Vec<String>> =
                row.iter().map(|sketch| self.lines(sketch, columns, &scale)).collect();
            for line in 0..drawings[0].len() {
                let parts: Vec<&str> = drawings.iter().map(|drawing| drawing[line].as_str()).collect();
                text += parts.join(&" ".repeat(BETWEEN)).trim_end();
                text.push('\n');
            }
        }
        text
    }

    /// The title and the drawing below it, each line `columns` wide.
    fn lines(&self, sketch: &Sketch, columns: usize, scale: &Scale) -> Vec<String> {
        let (wide, high) = (self.dots.columns(), self.dots.rows());
        let mut area = Area::new(columns * wide, scale.rows);
        let places: Vec<_> = sketch.outline.iter().map(|&point| scale.place(point)).collect();
        for (from, to) in places.iter().zip(places.iter().cycle().skip(1)) {
            if let (Some(from), Some(to)) = (from, to) {
                area.join(*from, *to);
            }
        }
        for place in sketch.points.iter().filter_map(|&point| scale.place(point)) {
            area.join(place, place);
        }
        let clean = sketch.title.chars().map(|c| if c.is_control() { ' ' } else { c });
        let title: String = clean.take(columns).collect();
        let title = format!("{title}{}", " ".repeat(columns.saturating_sub(width(&title))));
        let line = |row: usize| {
            let set = |column: usize, x: usize, y: usize| area.is_set(column * wide + x, row * high + y);
            (0..columns).map(|column| self.dots.character(|x, y| set(column, x, y))).collect()
        };
        std::iter::once(title).chain((0..scale.rows / high).map(line)).collect()
    }
}

impl Dots {
    /// Dots beside each other in a character.
    fn columns(self) -> usize {
        match self {
            Dots::Braille => 2,
            Dots::Ascii => 1,
        }
    }

    /// Dots above each other in a character. Characters are twice as high as wide.
    fn rows(self) -> usize {
        2 * self.columns()
    }

    /// The character whose dots are set where `is_set(x, y)`, counted from the left and from the top.
    fn character(self, is_set: impl Fn(usize, usize) -> bool) -> char {
        match self {
            // The patterns came with six dots, column by column; the fourth row was added later.
            Dots::Braille => {
                let places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
                let bit = |(at, &(x, y)): (usize, &(usize, usize))| u32::from(is_set(x, y)) << at;
                let dots: u32 = places.iter().enumerate().map(bit).sum();
                char::from_u32(0x2800 + dots).filter(|_| dots > 0).unwrap_or(' ')
            }
            Dots::Ascii => match (is_set(0, 0), is_set(0, 1)) {
                (true, true) => ':',
                (true, false) => '\'',
                (false, true) => '.',
                (false, false) => ' ',
            },
        }
    }
}

/// Where points lie among the dots: (0, 0) is at the top left.
struct Scale {
    left: f64,
    top: f64,
    /// Length of a dot.
    dot: f64,
    /// Dots above each other, a multiple of those of a character.
    rows: usize,
}

impl Scale {
    /// The scale on which everything fits into so many columns of dots; none if there is nothing to draw.
    fn new(sketches: &[Sketch], columns: usize, dots: Dots) -> Option<Self> {
        let all = sketches.iter().flat_map(|sketch| sketch.outline.iter().chain(sketch.points));
        let [low, high] = bounds(all);
        let (width, height) = (high[0] - low[0], high[1] - low[1]);
        let longest = width.max(height);
        if !longest.is_finite() || longest < 0.0 {
            return None;
        }
        let dot = if longest > 0.0 { longest / (columns - 1) as f64 } else { 1.0 };
        let rows = ((height / dot).round() as usize + 1).next_multiple_of(dots.rows());
        Some(Self { left: low[0], top: high[1], dot, rows })
    }

    fn place(&self, point: [f64; 2]) -> Option<[f64; 2]> {
        is_finite(&point).then(|| [(point[0] - self.left) / self.dot, (self.top - point[1]) / self.dot])
    }
}

/// The least and the greatest of both coordinates of those points that are finite.
pub(super) fn bounds<'a>(points: impl Iterator<Item = &'a [f64; 2]>) -> [[f64; 2]; 2] {
    let nowhere = [[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]];
    points.filter(|point| is_finite(point)).fold(nowhere, |[low, high], point| {
        [[0, 1].map(|axis| low[axis].min(point[axis])), [0, 1].map(|axis| high[axis].max(point[axis]))]
    })
}

pub(super) fn is_finite(point: &[f64; 2]) -> bool {
    point.iter().all(|number| number.is_finite())
}

/// Dots, of which some are set.
struct Area {
    columns: usize,
    set: Vec<bool>,
}

impl Area {
    fn new(columns: usize, rows: usize) -> Self {
        Self { columns, set: vec![false; columns * rows] }
    }

    fn is_set(&self, column: usize, row: usize) -> bool {
        self.set[row * self.columns + column]
    }

    /// Sets the dots from one place to another.
    fn join(&mut self, from: [f64; 2], to: [f64; 2]) {
        let steps = (to[0] - from[0]).abs().max((to[1] - from[1]).abs()).ceil().max(1.0);
        for step in 0..=steps as usize {
            let part = step as f64 / steps;
            let [column, row] = [0, 1].map(|axis| (from[axis] + (to[axis] - from[axis]) * part).round());
            let at = row as usize * self.columns + (column as usize).min(self.columns - 1);
            if let Some(dot) = self.set.get_mut(at) {
                *dot = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Square, 1 long.
    const SQUARE: [[f64; 2]; 4] = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];

    fn square() -> Sketch<'static> {
        Sketch { title: "a square", outline: &SQUARE, points: &[] }
    }

    #[test]
    fn a_square_is_closed() {
        let text = Sheet { width: 8, across: 1, dots: Dots::Braille }.draw(&[square()]);
        let expected = "\
a square
⡏⠉⠉⠉⠉⠉⠉⢹
⡇      ⢸
⡇      ⢸
⣇⣀⣀⣀⣀⣀⣀⣸
";
        assert_eq!(text, expected);
        let text = Sheet { width: 8, across: 1, dots: Dots::Ascii }.draw(&[square()]);
        let expected = "\
a square
:'''''':
:      :
:      :
:......:
";
        assert_eq!(text, expected);
    }

    /// Unicode names the patterns by their dots: 1, 2, 3 and 7 are the left column from the top, 4, 5, 6
    /// and 8 the right one; dot n is bit n - 1 of the character.
    #[test]
    fn every_dot_has_its_bit() {
        for (dot, place) in
            [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)].into_iter().enumerate()
        {
            let character = Dots::Braille.character(|x, y| (x, y) == place);
            assert_eq!(u32::from(character), 0x2800 + (1 << dot));
        }
        assert_eq!(Dots::Braille.character(|_, _| false), ' ');
        assert_eq!(Dots::Braille.character(|_, _| true), '⣿');
    }

    #[test]
    fn drawings_side_by_side_have_one_scale() {
        let small = SQUARE.map(|point| point.map(|at| 0.5 * at));
        let small = Sketch { title: "half", outline: &small, points: &[] };
        let sheet = Sheet { width: 18, across: 2, dots: Dots::Ascii };
        let expected = "\
a square  half
:'''''':
:      :
:      :  :''':
:......:  :...:
a square
:'''''':
:      :
:      :
:......:
";
        assert_eq!(sheet.draw(&[square(), small, square()]), expected);
    }

    #[test]
    fn points_are_joined_to_nothing_and_gaps_stay_open() {
        let points = [[0.0, 0.0], [7.0, 7.0], [3.0, f64::NAN]];
        let sketch = Sketch { title: "", outline: &[], points: &points };
        let sheet = Sheet { width: 8, across: 1, dots: Dots::Ascii };
        assert_eq!(sheet.draw(&[sketch]), "\n       '\n\n\n.\n");
        let gap = [[0.0, 0.0], [f64::INFINITY, 0.0], [7.0, 7.0], [0.0, 7.0]];
        let text = sheet.draw(&[Sketch { title: "", outline: &gap, points: &[] }]);
        assert_eq!(text, "\n:'''''''\n:\n:\n:\n");
    }

    #[test]
    fn nothing_and_a_single_point_can_be_drawn() {
        assert_eq!(Sheet::default().draw(&[]), "");
        assert_eq!(Sheet::default().draw(&[Sketch::default()]), "");
        let gap = Sketch { outline: &[[f64::NAN; 2]], ..Sketch::default() };
        assert_eq!(Sheet::default().draw(&[gap]), "");
        let point = Sketch { title: "p", outline: &[], points: &[[3.0, 4.0]] };
        assert_eq!(Sheet::default().draw(&[point]), "p\n⠁\n");
    }

    #[test]
    fn every_shape_fits_its_width_and_is_no_higher() {
        for shape in [[1.0, 1.0], [3.0, 0.0], [0.0, 3.0], [1e-9, 1e9], [1e300, 1.0], [0.1, 0.07]] {
            let outline = SQUARE.map(|[right, up]| [right * shape[0] - 1.0, up * shape[1] + 5.0]);
            let sketch =
                Sketch { title: "a title that is longer than it should be", outline: &outline, points: &[] };
            for width in [0, 8, 17, 80] {
                for across in [0, 1, 2, 3] {
                    for dots in [Dots::Braille, Dots::Ascii] {
                        let text = Sheet { width, across, dots }.draw(&[sketch; 3]);
                        let room = width.max(across.max(1) * 10 - 2);
                        let widest = text.lines().map(super::width).max().unwrap();
                        assert!(widest <= room, "{widest} of {room} for {shape:?}:\n{text}");
                        assert!(text.lines().count() <= 3 * (1 + room.div_ceil(2)), "{shape:?}:\n{text}");
                    }
                }
            }
        }
    }
}
