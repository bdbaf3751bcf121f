//! A table of a page, whose numbers a program can read too.

use super::markup::escape;

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
        for (column, header) in self.headers.iter().enumerate() {
            let class = if numeric(column) { " class=\"number\"" } else { "" };
            *html += &format!("<th scope=\"col\"{class}>{}</th>", escape(header));
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
