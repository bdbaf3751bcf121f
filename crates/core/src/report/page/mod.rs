//! One HTML page that holds everything it shows: no network, no font, no script from elsewhere.

mod markup;
mod table;

use serde_json::Value;

pub(super) use markup::escape;
pub use table::{Cell, Table};

use self::markup::escape_json;
use super::Chart;

/// What a section shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A chart.
    Chart(Chart),
    /// A table.
    Table(Table),
    /// Names and what they are: how a run was made.
    Facts(Vec<(String, String)>),
    /// Text to copy: what it is, and the text.
    Code(String, String),
}

impl From<Chart> for Item {
    fn from(chart: Chart) -> Self {
        Item::Chart(chart)
    }
}

impl From<Table> for Item {
    fn from(table: Table) -> Self {
        Item::Table(table)
    }
}

/// A part of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// What is said first.
    pub paragraphs: Vec<String>,
    /// What is shown.
    pub items: Vec<Item>,
}

/// A page.
///
/// ```
/// use thinnet::report::{Page, Section};
/// let section = Section { heading: "Loss & error".into(), ..Section::default() };
/// let page = Page { title: "digits".into(), sections: vec![section], ..Page::default() };
/// let html = page.to_html();
/// assert!(html.starts_with("<!doctype html>") && html.contains("<h2>Loss &amp; error</h2>"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What the page is about.
    pub title: String,
    /// What it says, in a paragraph.
    pub lead: String,
    /// Its parts.
    pub sections: Vec<Section>,
    /// Every number that it shows, unrounded, for programs: the element with the id `data`.
    pub data: Value,
}

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Nothing may be loaded, whatever a browser or a hostile name of a column would like.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

impl Page {
    /// The page as HTML.
    pub fn to_html(&self) -> String {
        let (title, lead) = (escape(&self.title), escape(&self.lead));
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"thinnet {}\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#content\">Skip to the content</a>\n\
             <header><p class=\"mark\">thinnet</p><h1>{title}</h1>\n<p class=\"lead\">{lead}</p></header>\n\
             <main id=\"content\" tabindex=\"-1\">\n",
            env!("CARGO_PKG_VERSION")
        );
        let mut charts = 0;
        for section in &self.sections {
            html += &format!("<section>\n<h2>{}</h2>\n", escape(&section.heading));
            for paragraph in &section.paragraphs {
                html += &format!("<p>{}</p>\n", escape(paragraph));
            }
            html += "<div class=\"items\">\n";
            for item in &section.items {
                charts += usize::from(matches!(item, Item::Chart(_)));
                item.write(&mut html, charts);
            }
            html += "</div>\n</section>\n";
        }
        html += &format!(
            "</main>\n<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{SCRIPT}</script>\n\
             </body>\n</html>\n",
            escape_json(&self.data)
        );
        html
    }
}

impl Item {
    fn write(&self, html: &mut String, number: usize) {
        match self {
            Item::Chart(chart) => chart.write(html, number),
            Item::Table(table) => table.write(html),
            Item::Facts(facts) => {
                *html += "<dl class=\"facts\">\n";
                for (name, value) in facts {
                    *html += &format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value));
                }
                *html += "</dl>\n";
            }
            Item::Code(name, text) => {
                let (name, text) = (escape(name), escape(text));
                *html += &format!(
                    "<div class=\"code\"><div class=\"head\"><span>{name}</span>\
                     <button type=\"button\" class=\"copy\" hidden>Copy</button></div>\n\
                     <pre tabindex=\"0\" role=\"region\" aria-label=\"{name}\"><code>{text}</code></pre></div>\n"
                );
            }
        }
    }
}
