//! What people look at: plain-text tables, curves and drawings for a terminal, charts and tables on one
//! self-contained HTML [`Page`], and the elephant as a picture.
//!
//! A page is sections of items: charts ([`Lines`], [`Bars`], [`Reliability`], [`HeatMap`], [`ImageGrid`],
//! [`Scatter`]), tables, facts, text to copy. Charts are SVG with a title, a description and the table of
//! their numbers; colours, dashes and sizes stand in one style sheet, `page/style.css`.
//! docs/report.md tells how to read a page.

mod chart;
mod curve;
mod elephant;
mod number;
mod outline;
mod page;
mod table;

pub use chart::{
    Area, Axis, Bar, Bars, Chart, HeatMap, Image, ImageGrid, Line, Lines, Panel, Place, Reference,
    Reliability, ReliabilityCurve, Scatter,
};
pub use curve::{Curve, Series};
pub use elephant::{ElephantFit, ElephantPicture};
pub use number::{count, number, percent};
pub use outline::{Dots, Sheet, Sketch};
pub use page::{Cell, Item, Page, Section, Table};
pub use table::table;
