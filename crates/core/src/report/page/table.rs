//! A table of a page, whose numbers a program can read too.

use super::markup::escape;
use crate::report::table::width;

/// A shaded cell has room for so many characters. Longer headers are written upwards: across, a matrix of many
/// names would be wider than a window or a sheet of paper.
const ACROSS: usize = 4;

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// What is seen.
    pub text: String,
    /// The number that is seen, unrounded, where it is one.
    pub value: Option<f64>,
    /// How dark the cell is, from 0 to 1, where its number is to be seen at a glance.
    pub shade: Option<f64>,
    /// What explains it, in small letters below.
    pub note: String,
}

impl Cell {
    /// A number, and how it is written.
    pub fn number(value: f64, text: impl Into<String>) -> Self {
        Self { text: text.into(), value: Some(value), ..Self::default() }
    }

    /// The same cell, so dark.
    #[must_use]
    pub fn shaded(self, shade: f64) -> Self {
        Self { shade: Some(shade), ..self }
    }

    /// The same cell, so explained.
    #[must_use]
    pub fn noted(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// What stands between the tags.
    fn content(&self) -> String {
        let text = escape(&self.text);
        let text = match self.value {
            // A line may end before the error of a number, but not at its unit or its sign.
            Some(value) => {
                let text = text.replace(" %", "&nbsp;%").replace("± ", "±&nbsp;").replace('-', "\u{2212}");
                format!("<data value=\"{value}\">{text}</data>")
            }
            None => text,
        };
        match self.note.is_empty() {
            true => text,
            false => format!("{text}<small>{}</small>", escape(&self.note)),
        }
    }

    /// The classes and the style of the cell's element; `numeric` says whether its column is one of numbers.
    fn attributes(&self, numeric: bool) -> String {
        let Some(shade) = self.shade else {
            let right = self.value.is_some() || numeric && self.text == "-";
            return if right { " class=\"number\"".into() } else { String::new() };
        };
        let none = if self.value == Some(0.0) { " none" } else { "" };
        format!(" class=\"shade{none}\" style=\"--shade:{:.0}%\"", 100.0 * shade.clamp(0.0, 1.0))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_string().into()
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

/// A table with a line of headers. The first cell of each row is its header.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What the table holds, a sentence or its beginning.
    pub caption: String,
    /// The header of each column.
    pub headers: Vec<String>,
    /// The rows; a row may be shorter than the headers.
    pub rows: Vec<Vec<Cell>>,
    /// Whether it stands beside something else where there is room.
    pub half: bool,
}

impl Table {
    /// A column is aligned to the right if its cells are numbers.
    pub(in crate::report) fn write(&self, html: &mut String) {
        let caption = escape(&self.caption);
        let half = if self.half { " half" } else { "" };
        *html +=
            &format!("<div class=\"scroll{half}\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">");
        *html += "<table>\n";
        if !caption.is_empty() {
            *html += &format!("<caption>{caption}</caption>\n");
        }
        let numeric = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.filter(|cell| !cell.text.is_empty() && cell.text != "-").all(|cell| cell.value.is_some())
        };
        *html += "<thead><tr>";
        let shaded = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).any(|cell| cell.shade.is_some())
        };
        let headers = || self.headers.iter().enumerate();
        let upwards = headers().any(|(column, header)| shaded(column) && width(header) > ACROSS);
        for (column, header) in headers() {
            let header = escape(header);
            *html += &match (upwards && shaded(column), numeric(column)) {
                (true, _) => format!("<th scope=\"col\" class=\"upwards\"><span>{header}</span></th>"),
                (false, true) => format!("<th scope=\"col\" class=\"number\">{header}</th>"),
                (false, false) => format!("<th scope=\"col\">{header}</th>"),
            };
        }
        *html += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            *html += "<tr>";
            for (column, cell) in row.iter().enumerate() {
                let (attributes, content) = (cell.attributes(numeric(column)), cell.content());
                *html += &match column {
                    0 => format!("<th scope=\"row\"{attributes}>{content}</th>"),
                    _ => format!("<td{attributes}>{content}</td>"),
                };
            }
            *html += "</tr>\n";
        }
        *html += "</tbody></table></div>\n";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_stand_upwards_above_shaded_cells_alone() {
        let html = |name: &str, cell: Cell| {
            let headers = vec!["class of the row".into(), name.into(), "b".into()];
            let rows = vec![vec!["a".into(), cell.clone(), cell]];
            let mut html = String::new();
            Table { headers, rows, ..Table::default() }.write(&mut html);
            html
        };
        let (plain, shaded) = (Cell::number(7.0, "7"), Cell::number(7.0, "7").shaded(0.5));
        let upwards = |name: &str| format!("<th scope=\"col\" class=\"upwards\"><span>{name}</span></th>");
        let of = html("category_07", shaded.clone());
        assert!(of.contains(&upwards("category_07")) && of.contains(&upwards("b")), "{of}");
        assert!(of.contains("<th scope=\"col\">class of the row</th>"), "{of}");
        assert!(!html("cat", shaded).contains("upwards") && !html("category_07", plain).contains("upwards"));
    }
}
