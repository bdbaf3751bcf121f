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
    /// The numbers that it shows, unrounded where its author has not rounded them, for programs: the element
    /// with the id `data`.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::measure::{Estimate, ReliabilityBin};
    use crate::report::{
        Axis, Bar, Bars, HeatMap, Image, ImageGrid, Line, Lines, Panel, Reference, Reliability,
        ReliabilityCurve, Scatter,
    };

    /// A name that would break out of any place if it could.
    const RUDE: &str = "</title></script>\"'><b>&amp;\u{7}";

    /// A page with every kind of item, all of rude names.
    fn page() -> Page {
        let (title, description, name) = (RUDE.to_string(), RUDE.to_string(), RUDE.to_string());
        let axis = || Axis::new(RUDE);
        let points = vec![(1.0, 2.0), (2.0, 1.5)];
        let line = Line { name: name.clone(), points: points.clone(), errors: vec![0.1, 0.2] };
        let value = Estimate { mean: 1.0, standard_error: Some(0.1) };
        let bin =
            ReliabilityBin { above: 0.5, up_to: 1.0, share: 1.0, confidence: Some(0.8), accuracy: Some(0.7) };
        let charts = [
            Lines {
                title: title.clone(),
                description: description.clone(),
                horizontal: axis(),
                vertical: axis(),
                lines: vec![line],
                ..Lines::default()
            }
            .draw(),
            Bars {
                title: title.clone(),
                description: description.clone(),
                axis: axis(),
                bars: vec![Bar { name: name.clone(), value, text: name.clone(), chosen: true }],
            }
            .draw(),
            Reliability {
                title: title.clone(),
                description: description.clone(),
                curves: vec![ReliabilityCurve { name: name.clone(), bins: vec![bin] }],
            }
            .draw(),
            HeatMap {
                title: title.clone(),
                description: description.clone(),
                panels: vec![Panel { name: name.clone(), rows: vec![vec![1.0, -0.5], vec![-0.5, 1.0]] }],
            }
            .draw(),
            ImageGrid {
                title: title.clone(),
                description: description.clone(),
                width: 2,
                images: vec![Image { name: name.clone(), values: vec![0.5, -0.25, 0.0, 1.0] }],
            }
            .draw(),
            Scatter {
                title: title.clone(),
                description,
                horizontal: axis(),
                vertical: axis(),
                points,
                reference: (Reference::Same, name.clone()),
            }
            .draw(),
        ];
        let cells = vec![Cell::from(RUDE).noted(RUDE), Cell::number(0.25, RUDE).shaded(0.7)];
        let table = Table {
            caption: name.clone(),
            headers: vec![name.clone(), name.clone()],
            rows: vec![cells],
            half: true,
        };
        let mut items: Vec<Item> = charts.into_iter().map(Item::from).collect();
        items.extend([
            table.into(),
            Item::Facts(vec![(name.clone(), name.clone())]),
            Item::Code(name.clone(), name.clone()),
        ]);
        let section = Section { heading: name.clone(), paragraphs: vec![name.clone()], items };
        Page {
            title,
            lead: name.clone(),
            sections: vec![section],
            data: json!({ "name": name, "value": 0.1 }),
        }
    }

    /// The tags of a page in their order, with the names of those that are open at each.
    fn check_tags(html: &str) -> Vec<&str> {
        let (mut open, mut tags, mut rest) = (Vec::new(), Vec::new(), html);
        while let Some((_, from)) = rest.split_once('<') {
            let end = from.find('>').unwrap();
            let (tag, after) = (&from[..end], &from[end + 1..]);
            rest = after;
            let name = tag.split([' ', '\n']).next().unwrap();
            if let Some(name) = name.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "before {:?}", &after[..after.len().min(80)]);
            } else if !tag.ends_with('/') && !["!doctype", "meta", "link"].contains(&name) {
                open.push(name);
                tags.push(name);
                if ["script", "style"].contains(&name) {
                    // What is between these is no HTML, and ends at the first end.
                    rest = &after[after.find("</").unwrap()..];
                }
            }
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        }
        assert!(open.is_empty(), "{open:?}");
        tags
    }

    #[test]
    fn a_page_is_well_formed_whatever_its_names() {
        let html = page().to_html();
        let tags = check_tags(&html);
        let count = |name: &str| tags.iter().filter(|tag| **tag == name).count();
        assert_eq!(
            (count("figure"), count("b"), count("title")),
            (6, 0, 10),
            "one title, and one for each drawing"
        );
        assert_eq!((count("main"), count("h1"), count("pre"), count("script")), (1, 1, 1, 2));
        assert!(!html.contains('\u{7}'));
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        let html = page().to_html();
        for word in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!html.contains(word), "{word}");
        }
        assert!(html.contains("default-src 'none'"));
    }

    #[test]
    fn ids_are_there_once_and_names_lead_to_them() {
        let html = page().to_html();
        let attributes = |name: &str| {
            let before = format!(" {name}=\"");
            let found = html.split(before.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap());
            found.collect::<Vec<&str>>()
        };
        let mut ids = attributes("id");
        let total = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), total);
        let labels = attributes("aria-labelledby");
        assert_eq!(labels.len(), 9);
        assert!(labels.iter().flat_map(|label| label.split(' ')).all(|label| ids.contains(&label)));
    }

    #[test]
    fn the_data_come_back_as_they_went() {
        let (page, html) = (page(), page().to_html());
        let (_, from) = html.split_once("id=\"data\">").unwrap();
        let data: Value = serde_json::from_str(from.split_once("</script>").unwrap().0).unwrap();
        assert_eq!(data, page.data);
    }
}
