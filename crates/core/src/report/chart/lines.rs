//! Lines over a horizontal axis: learning curves, errors against a rate.

use super::drawing::{Anchor, Drawing, Room, at, marker, style, text, text_width};
use super::frame::Frame;
use super::{Axis, Chart, Entry, Key};
use crate::report::number::number;
use crate::report::{Cell, Table};

/// One line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// What the legend calls it.
    pub name: String,
    /// Where it goes, from left to right. A value that is not finite leaves a gap.
    pub points: Vec<(f64, f64)>,
    /// How far each point can be trusted: a band of so much above and below is drawn. None, or one
    /// for each point.
    pub errors: Vec<f64>,
}

/// The area between two lines, where the first is above the second.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// What the legend calls it.
    pub name: String,
    /// The index of the upper line.
    pub upper: usize,
    /// The index of the lower one, whose points have the same horizontal places.
    pub lower: usize,
}

/// A place on the horizontal axis that stands out.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// What is there.
    pub name: String,
    /// Where.
    pub at: f64,
}

/// Lines over a horizontal axis.
///
/// ```
/// use thinnet::report::{Axis, Line, Lines};
/// let points = vec![(1.0, 0.9), (2.0, 0.5), (3.0, 0.4)];
/// let line = Line { name: "training".into(), points, ..Line::default() };
/// let chart = Lines {
///     title: "Loss".into(),
///     horizontal: Axis::new("epoch"),
///     vertical: Axis::new("nats a row"),
///     lines: vec![line],
///     ..Lines::default()
/// };
/// assert_eq!(chart.draw().table.rows.len(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// What is seen.
    pub title: String,
    /// How to read it, and what it shows, in sentences.
    pub description: String,
    /// The horizontal axis.
    pub horizontal: Axis,
    /// The vertical axis.
    pub vertical: Axis,
    /// The lines.
    pub lines: Vec<Line>,
    /// An area to shade.
    pub area: Option<Area>,
    /// A place to point at.
    pub place: Option<Place>,
}

/// The most rows that the table behind a chart has; of more, every second, third, ... is taken.
const TABLE_ROWS: usize = 200;
/// A line with no more points than this has a marker on each; a longer one has a few.
const MARKED: usize = 16;

impl Lines {
    /// The chart of a page.
    pub fn draw(&self) -> Chart {
        let mut legend: Vec<Entry> = self
            .lines
            .iter()
            .enumerate()
            .map(|(index, line)| Entry { name: line.name.clone(), key: Key::Line(index) })
            .collect();
        if let Some(area) = &self.area {
            legend.push(Entry { name: area.name.clone(), key: Key::Area });
        }
        Chart {
            kind: "lines",
            title: self.title.clone(),
            description: self.description.clone(),
            half: false,
            legend,
            drawings: Room::BOTH.map(|room| self.drawing(room)).into(),
            table: self.table(),
        }
    }

    fn drawing(&self, room: Room) -> Drawing {
        let height = if room == Room::Wide { 360.0 } else { 290.0 };
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let ends = self.lines.iter().flat_map(|line| {
            let error = |index: usize| line.errors.get(index).copied().unwrap_or(0.0);
            let ends = line.points.iter().enumerate();
            ends.flat_map(move |(index, &(_, y))| [y - error(index), y + error(index)])
        });
        let axes = (&self.horizontal, &self.vertical);
        let frame = Frame::new(room, height, axes, (points().map(|point| point.0), ends));
        let mut marks = frame.axes();
        if let Some(area) = &self.area {
            marks += &self.shade(&frame, area);
        }
        for (index, line) in self.lines.iter().enumerate() {
            marks += &band(&frame, index, line);
        }
        if let Some(place) = &self.place {
            marks += &point_at(&frame, place);
        }
        for (index, line) in self.lines.iter().enumerate() {
            marks += &curve(&frame, index, line);
        }
        Drawing { room, name: String::new(), width: frame.width, height, marks }
    }

    /// Where the upper line is above the lower one, the area between them.
    fn shade(&self, frame: &Frame, area: &Area) -> String {
        let (Some(upper), Some(lower)) = (self.lines.get(area.upper), self.lines.get(area.lower)) else {
            return String::new();
        };
        let both = upper.points.iter().zip(&lower.points).map(|(&(x, upper), &(_, lower))| {
            Some((frame.x.place(x)?, frame.y.place(upper)?, frame.y.place(lower)?))
        });
        let both: Vec<Option<(f64, f64, f64)>> = both.collect();
        let mut path = String::new();
        for pair in both.windows(2) {
            let [Some(one), Some(other)] = *pair else { continue };
            // On a page, up is less.
            let open = |(_, upper, lower): (f64, f64, f64)| lower - upper;
            let (first, last) = (open(one), open(other));
            let [one, other] = match (first > 0.0, last > 0.0) {
                (false, false) => continue,
                (true, true) => [one, other],
                (true, false) => [one, between(one, other, first / (first - last))],
                (false, true) => [between(one, other, first / (first - last)), other],
            };
            path += &format!("M{} {}", at(one.0), at(one.1));
            path += &format!("L{} {}V{}L{} {}z", at(other.0), at(other.1), at(other.2), at(one.0), at(one.2));
        }
        format!("<path class=\"area\" d=\"{path}\"/>\n")
    }

    fn table(&self) -> Table {
        let longest = self.lines.iter().map(|line| line.points.len()).max().unwrap_or(0);
        let every = longest.div_ceil(TABLE_ROWS).max(1);
        let errors = |line: &Line| !line.errors.is_empty();
        let mut headers = vec![self.horizontal.name.clone()];
        for line in &self.lines {
            headers.push(line.name.clone());
            headers.extend(errors(line).then(|| format!("{}, ±", line.name)));
        }
        let cell = |axis: &Axis, value: Option<f64>| {
            value
                .filter(|value| value.is_finite())
                .map_or("-".into(), |value| Cell::number(value, written(axis, value)))
        };
        let row = |index: usize| {
            let x = self.lines.iter().find_map(|line| Some(line.points.get(index)?.0));
            let mut row = vec![cell(&self.horizontal, x)];
            for line in &self.lines {
                row.push(cell(&self.vertical, line.points.get(index).map(|point| point.1)));
                row.extend(errors(line).then(|| cell(&self.vertical, line.errors.get(index).copied())));
            }
            row
        };
        let rows = (0..longest).filter(|&index| index % every == 0 || index + 1 == longest).map(row);
        Table { caption: self.title.clone(), headers, rows: rows.collect(), half: false }
    }
}

/// A value as the table behind a chart writes it.
pub(super) fn written(axis: &Axis, value: f64) -> String {
    match axis.percent {
        true => format!("{} %", number(100.0 * value)),
        false if value.fract() == 0.0 && value.abs() < 1e6 => format!("{value}"),
        false => number(value),
    }
}

/// A point between two, a share of the way.
fn between(one: (f64, f64, f64), other: (f64, f64, f64), share: f64) -> (f64, f64, f64) {
    let mix = |one: f64, other: f64| one + share * (other - one);
    (mix(one.0, other.0), mix(one.1, other.1), mix(one.2, other.2))
}

/// A line, with markers that tell it from the others.
fn curve(frame: &Frame, index: usize, line: &Line) -> String {
    let places: Vec<Option<(f64, f64)>> = line.points.iter().map(|&(x, y)| frame.place(x, y)).collect();
    let places = envelope(places, frame.right - frame.left);
    let (mut path, mut pen_is_down) = (String::new(), false);
    for place in &places {
        if let Some((x, y)) = place {
            path += &format!("{}{} {}", if pen_is_down { "L" } else { "M" }, at(*x), at(*y));
        }
        pen_is_down = place.is_some();
    }
    let every = if places.len() <= MARKED { 1 } else { places.len() / 6 };
    // The markers of different lines stand beside each other, not on each other.
    let offset = if every > 1 { index * every / 4 + every / 2 } else { 0 };
    let marked = places.iter().skip(offset).step_by(every).flatten();
    let markers: String = marked.map(|&place| marker(index, place, 1.0)).collect();
    let style = style(index);
    format!("<path class=\"line {style}\" d=\"{path}\"/>\n<path class=\"marker {style}\" d=\"{markers}\"/>\n")
}

/// No more points than can be seen: of many in one pixel, the highest and the lowest.
fn envelope(places: Vec<Option<(f64, f64)>>, pixels: f64) -> Vec<Option<(f64, f64)>> {
    let each = (places.len() as f64 / pixels).ceil() as usize;
    if each <= 2 {
        return places;
    }
    let extremes = |places: &[Option<(f64, f64)>]| {
        let finite = || places.iter().flatten().copied();
        let high = finite().reduce(|one, other| if other.1 < one.1 { other } else { one });
        let low = finite().reduce(|one, other| if other.1 > one.1 { other } else { one });
        let mut both = [high, low];
        both.sort_by(|one, other| {
            one.map(|place| place.0)
                .partial_cmp(&other.map(|place| place.0))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        both
    };
    places.chunks(each).flat_map(extremes).collect()
}

/// The band that a line can be trusted within.
fn band(frame: &Frame, index: usize, line: &Line) -> String {
    let ends = line
        .points
        .iter()
        .zip(&line.errors)
        .filter_map(|(&(x, y), &error)| Some((frame.place(x, y + error)?, frame.place(x, y - error)?)));
    let ends: Vec<_> = ends.collect();
    if ends.is_empty() {
        return String::new();
    }
    let point = |(x, y): (f64, f64)| format!("{} {}", at(x), at(y));
    let there = ends.iter().map(|end| point(end.0));
    let back = ends.iter().rev().map(|end| point(end.1));
    let path: Vec<String> = there.chain(back).collect();
    format!("<path class=\"band {}\" d=\"M{}z\"/>\n", style(index), path.join("L"))
}

/// A dashed line up to the name of a place.
fn point_at(frame: &Frame, place: &Place) -> String {
    let Some(x) = frame.x.place(place.at) else { return String::new() };
    let half = 0.5 * text_width(&place.name);
    let middle = x.clamp(frame.left + half, (frame.width - half).max(frame.left + half));
    let line =
        format!("<path class=\"place\" d=\"M{} {}V{}\"/>\n", at(x), at(frame.bottom), at(frame.top - 4.0));
    line + &text("label", (middle, frame.top - 9.0), Anchor::Middle, &place.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    fn line(values: &[f64]) -> Line {
        let points = values.iter().enumerate().map(|(index, &value)| (index as f64 + 1.0, value));
        Line { name: "loss".into(), points: points.collect(), errors: Vec::new() }
    }

    /// The data of the first path of a class.
    fn path<'a>(drawing: &'a Drawing, class: &str) -> &'a str {
        let (_, rest) = drawing.marks.split_once(&format!("class=\"{class}")).unwrap();
        rest.split_once(" d=\"").unwrap().1.split('"').next().unwrap()
    }

    fn drawing(lines: Lines) -> Drawing {
        lines.draw().drawings.remove(0)
    }

    #[test]
    fn what_is_not_finite_leaves_a_gap() {
        let lines =
            Lines { lines: vec![line(&[3.0, 2.0, NAN, 2.0, f64::INFINITY, 1.0])], ..Lines::default() };
        let drawing = drawing(lines.clone());
        let path = path(&drawing, "line");
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (3, 1), "{path}");
        assert_eq!(self::path(&drawing, "marker").matches('z').count(), 4);
        let table = lines.draw().table;
        assert_eq!((table.rows.len(), &table.rows[2][1]), (6, &Cell::from("-")));
        assert_eq!(table.rows[1], [Cell::number(2.0, "2"), Cell::number(2.0, "2")]);
    }

    /// Two lines that cross in the middle between two points: the area is a triangle and a trapezium.
    #[test]
    fn only_what_is_above_is_shaded() {
        let lines = Lines {
            lines: vec![line(&[1.0, 2.0, 4.0]), line(&[2.0, 1.0, 0.0])],
            area: Some(Area { name: "gap".into(), upper: 0, lower: 1 }),
            ..Lines::default()
        };
        let drawing = drawing(lines);
        let polygons: Vec<&str> = path(&drawing, "area").split('M').skip(1).collect();
        assert_eq!(polygons.len(), 2, "{polygons:?}");
        let first = |polygon: &str| polygon.split([' ', 'L']).next().unwrap().parse::<f64>().unwrap();
        let points: Vec<f64> = path(&drawing, "line").split(['M', 'L']).skip(1).map(first).collect();
        assert!((first(polygons[0]) - 0.5 * (points[0] + points[1])).abs() < 0.2, "{polygons:?}, {points:?}");
        assert!((first(polygons[1]) - points[1]).abs() < 0.2, "{polygons:?}, {points:?}");
    }

    #[test]
    fn a_long_line_keeps_its_peaks_and_a_short_table() {
        let values: Vec<f64> =
            (0..50_000).map(|at| if at == 31_234 { 9.0 } else { f64::from(at % 7) }).collect();
        let lines = Lines { lines: vec![line(&values)], ..Lines::default() };
        let drawing = drawing(lines.clone());
        let path = path(&drawing, "line");
        assert!(path.len() < 30_000, "{}", path.len());
        let heights =
            path.split(['M', 'L']).skip(1).map(|point| point.split_once(' ').unwrap().1.parse::<f64>());
        let highest = heights.map(Result::unwrap).fold(f64::INFINITY, f64::min);
        let axis = drawing
            .marks
            .split("class=\"grid\" d=\"M")
            .skip(1)
            .map(|line| line.split([' ', 'H']).nth(1).unwrap().parse::<f64>().unwrap());
        let (top, bottom) =
            axis.fold((f64::INFINITY, 0.0_f64), |(top, bottom), y| (top.min(y), bottom.max(y)));
        // The axis goes from 0 to 10.
        assert!((highest - (bottom + 0.9 * (top - bottom))).abs() < 0.2, "{highest}, {top} to {bottom}");
        let rows = lines.draw().table.rows;
        assert!(rows.len() <= 201 && rows.last().unwrap()[0].value == Some(50_000.0));
    }

    #[test]
    fn errors_are_a_band_and_a_column() {
        let mut with = line(&[1.0, 2.0]);
        with.errors = vec![0.25, 0.5];
        let chart = Lines { lines: vec![with], ..Lines::default() }.draw();
        assert_eq!(path(&chart.drawings[0], "band").matches(['M', 'L']).count(), 4);
        assert_eq!(chart.table.headers, ["", "loss", "loss, ±"]);
        assert_eq!(chart.table.rows[1][2].value, Some(0.5));
    }

    #[test]
    fn nothing_to_draw_is_an_empty_frame() {
        let chart = Lines { lines: vec![line(&[]), line(&[NAN])], ..Lines::default() }.draw();
        assert!(chart.drawings.iter().all(|drawing| !drawing.marks.contains("NaN")));
    }
}
