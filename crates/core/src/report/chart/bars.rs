//! Bars with error bars: one number for each of several methods.

use super::drawing::{Anchor, Drawing, Room, at, text, text_width};
use super::scale::Scale;
use super::{Axis, Chart};
use crate::measure::Estimate;
use crate::report::{Cell, Table};

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Whose number it is.
    pub name: String,
    /// How long it is, and its error bar.
    pub value: Estimate,
    /// The number as it is written beside it.
    pub text: String,
    /// Whether it stands out.
    pub chosen: bool,
}

/// Horizontal bars from 0, from top to bottom, with error bars of one standard error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// What is seen.
    pub title: String,
    /// How to read it, and what it shows, in sentences.
    pub description: String,
    /// What the bars measure.
    pub axis: Axis,
    /// The bars.
    pub bars: Vec<Bar>,
}

/// The height of a bar.
const THICK: f64 = 16.0;

impl Bars {
    /// The chart of a page.
    pub fn draw(&self) -> Chart {
        Chart {
            kind: "bars",
            title: self.title.clone(),
            description: self.description.clone(),
            half: false,
            legend: Vec::new(),
            drawings: Room::BOTH.map(|room| self.drawing(room)).into(),
            table: self.table(),
        }
    }

    /// With little room, names stand above their bars.
    fn drawing(&self, room: Room) -> Drawing {
        let widest =
            |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| text_width(text)).fold(0.0, f64::max);
        let name = widest(&mut self.bars.iter().map(|bar| &bar.name));
        let (left, pitch) = match room {
            Room::Wide => (name.min(240.0) + 14.0, THICK + 14.0),
            _ => (0.0, THICK + 30.0),
        };
        let above = if room == Room::Wide { 0.0 } else { 18.0 };
        let width = room.width();
        let right = width - widest(&mut self.bars.iter().map(|bar| &bar.text)) - 14.0;
        let axis = Axis { reach: [&self.axis.reach[..], &[0.0]].concat(), ..self.axis.clone() };
        let ends = self.bars.iter().flat_map(|Bar { value, .. }| {
            let error = value.standard_error.unwrap_or(0.0);
            [value.mean, value.mean - error, value.mean + error]
        });
        let about = ((right - left) / 90.0) as usize;
        let scale = Scale::rounded(&axis, ends, about).between(left, right);
        let (top, bottom) = (26.0, 26.0 + pitch * self.bars.len() as f64);
        let mut marks = text("name", (left, 12.0), Anchor::Start, &self.axis.name);
        for tick in scale.ticks(about) {
            let Some(x) = scale.place(tick.value) else { continue };
            marks += &format!("<path class=\"grid\" d=\"M{} {}V{}\"/>\n", at(x), at(top), at(bottom));
            let x = x.max(0.5 * text_width(&tick.label));
            marks += &text("tick", (x, bottom + 16.0), Anchor::Middle, &tick.label);
        }
        for (index, bar) in self.bars.iter().enumerate() {
            let y = top + pitch * index as f64 + above + 0.5 * (pitch - above - THICK);
            let class = if bar.chosen { "value" } else { "label" };
            match room {
                Room::Wide => {
                    let name = shortened(&bar.name, left - 12.0);
                    marks += &text(class, (left - 12.0, y + 12.0), Anchor::End, &name);
                }
                _ => marks += &text(class, (0.0, y - 5.0), Anchor::Start, &shortened(&bar.name, width)),
            }
            marks += &draw_bar(&scale, bar, y);
            marks += &text("value", (width, y + 12.5), Anchor::End, &bar.text);
        }
        if let Some(zero) = scale.place(0.0) {
            marks += &format!("<path class=\"axis\" d=\"M{} {}V{}\"/>\n", at(zero), at(top), at(bottom));
        }
        Drawing { room, name: String::new(), width, height: bottom + 24.0, marks }
    }

    fn table(&self) -> Table {
        let row = |bar: &Bar| {
            let Estimate { mean, standard_error } = bar.value;
            let cell = |value: f64| Cell::number(value, super::lines::written(&self.axis, value));
            vec![bar.name.as_str().into(), cell(mean), standard_error.map_or("-".into(), cell)]
        };
        let headers = vec!["".into(), self.axis.name.clone(), "standard error".into()];
        Table { caption: self.title.clone(), headers, rows: self.bars.iter().map(row).collect(), half: false }
    }
}

/// The start of a name that has no room for all of it; the table below has the rest.
fn shortened(name: &str, room: f64) -> String {
    if text_width(name) <= room {
        return name.into();
    }
    let mut short = String::new();
    for letter in name.chars() {
        short.push(letter);
        if text_width(&short) + text_width("…") > room {
            short.pop();
            break;
        }
    }
    short + "…"
}

/// A bar from 0, and its error bar with a cap at each end.
fn draw_bar(scale: &Scale, bar: &Bar, y: f64) -> String {
    let (Some(zero), Some(end)) = (scale.place(0.0), scale.place(bar.value.mean)) else {
        return String::new();
    };
    let class = if bar.chosen { "bar chosen" } else { "bar" };
    let (left, width) = (zero.min(end), (end - zero).abs());
    let mut svg = format!(
        "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{THICK}\"/>\n",
        at(left),
        at(y),
        at(width)
    );
    if let Some(error) = bar.value.standard_error
        && let (Some(from), Some(to)) =
            (scale.place(bar.value.mean - error), scale.place(bar.value.mean + error))
    {
        let (middle, cap) = (at(y + 0.5 * THICK), at(y + 0.25 * THICK));
        let tall = at(0.5 * THICK);
        let (from, to) = (at(from), at(to));
        let path = format!("M{from} {middle}H{to}M{from} {cap}v{tall}M{to} {cap}v{tall}");
        // On a dark bar the error is seen by its pale edge.
        svg += &format!("<path class=\"halo\" d=\"{path}\"/><path class=\"error\" d=\"{path}\"/>\n");
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, mean: f64, standard_error: Option<f64>) -> Bar {
        Bar {
            name: name.into(),
            value: Estimate { mean, standard_error },
            text: format!("{mean}"),
            chosen: false,
        }
    }

    fn numbers(svg: &str, before: &str) -> Vec<f64> {
        svg.split(before).skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let bars = vec![bar("a", 1.0, Some(0.5)), bar("b", 4.0, None), bar("c", -2.0, Some(1.0))];
        let chart = Bars { bars, ..Bars::default() }.draw();
        for drawing in &chart.drawings {
            let svg = &drawing.marks;
            let widths = numbers(svg, "width=\"");
            assert!((widths[1] / widths[0] - 4.0).abs() < 0.02 && (widths[2] / widths[0] - 2.0).abs() < 0.02);
            let left = numbers(svg, "<rect class=\"bar\" x=\"");
            // The bar below 0 ends where the others begin.
            assert!((left[2] + widths[2] - left[0]).abs() < 0.2, "{left:?}, {widths:?}");
            assert_eq!(svg.matches("class=\"error\"").count(), 2);
        }
        assert_eq!(chart.table.rows[1], [Cell::from("b"), Cell::number(4.0, "4"), "-".into()]);
    }

    #[test]
    fn a_long_name_is_shortened_to_its_room() {
        let long = "many words ".repeat(20);
        let chart =
            Bars { bars: vec![bar(&long, 1.0, None), bar("short", 2.0, None)], ..Bars::default() }.draw();
        for drawing in &chart.drawings {
            let names: Vec<&str> = drawing
                .marks
                .split("class=\"label\"")
                .skip(1)
                .map(|rest| rest.split(['>', '<']).nth(1).unwrap())
                .collect();
            let room = if drawing.room == Room::Wide { 242.0 } else { drawing.width };
            assert!(names[0].ends_with('…') && text_width(names[0]) <= room, "{names:?}");
            assert!(text_width(names[0]) > room - 15.0 && names[1] == "short", "{names:?}");
        }
        assert_eq!(chart.table.rows[0][0], Cell::from(long.as_str()));
    }

    #[test]
    fn what_is_not_finite_has_no_bar() {
        let chart =
            Bars { bars: vec![bar("a", f64::NAN, None), bar("b", 1.0, None)], ..Bars::default() }.draw();
        assert!(chart.drawings.iter().all(|drawing| drawing.marks.matches("<rect").count() == 1));
        assert_eq!(Bars::default().draw().table.rows.len(), 0);
    }
}
