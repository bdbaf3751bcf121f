//! What a page must be: silent, of the right width, legible, complete, and true.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::driver::Driver;
use super::seen::{Cell, Chart, Drawing, Seen, Table, contrast, numbers as of};

/// Nothing in the console, nothing from the network.
pub fn silence(driver: &Driver, seen: &Seen, page: &Path) -> Result<()> {
    let console = driver.log("browser")?;
    ensure!(console.is_empty(), "the console says {}", console[0]["message"]);
    ensure!(seen.resources.is_empty(), "{} is loaded", seen.resources[0]);
    let page = format!("file://{}", page.display());
    let mut asked = false;
    for entry in driver.log("performance")? {
        let message: Value = serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
        let at = |path: &str| message.pointer(path).and_then(Value::as_str).unwrap_or_default();
        // The browser's own first page may ask for its parts.
        let sent = at("/message/method") == "Network.requestWillBeSent";
        if sent && at("/message/params/documentURL") == page {
            let url = at("/message/params/request/url");
            ensure!(url == page || url.starts_with("data:"), "{url} is asked for");
            asked = true;
        }
    }
    ensure!(asked, "the log of the network is empty");
    Ok(())
}

/// Nothing wider than the window; one drawing of each kind of room; colours that can be told from paper.
pub fn layout(seen: &Seen, width: u32, dark: bool) -> Result<()> {
    ensure!(seen.width <= width, "the page is {} pixels wide in a window of {width}", seen.width);
    let bright = seen.background.iter().sum::<f64>() > 3.0 * 128.0;
    ensure!(bright != dark, "the background is {:?}", seen.background);
    for (colour, on, least) in
        [("ink", "paper", 7.0), ("soft", "paper", 4.5), ("soft", "raised", 4.5), ("link", "paper", 4.5)]
    {
        let contrast = seen.contrast(colour, on);
        ensure!(contrast >= least, "{colour} on {on} has a contrast of {contrast:.2}");
    }
    let lowest = seen.shades.iter().copied().map(contrast).fold(f64::INFINITY, f64::min);
    ensure!(lowest >= 4.5, "a shaded cell has a contrast of {lowest:.2}");
    for colour in ["plus", "minus", "s0", "s1", "s2", "s3", "s4", "s5"] {
        let contrast = seen.contrast(colour, "paper");
        ensure!(contrast >= 3.0, "{colour} has a contrast of {contrast:.2}");
    }
    for mark in &seen.marks {
        let contrast = mark.contrast(seen.background);
        ensure!(contrast >= 3.0, "a mark {:?} has a contrast of {contrast:.2}", mark.name);
    }
    for (kind, class) in [("lines", "line"), ("bars", "bar"), ("reliability", "share"), ("scatter", "points")]
    {
        let is_there = seen.charts.iter().any(|chart| chart.kind == kind);
        let is_seen = seen.marks.iter().any(|mark| mark.name.split(' ').any(|name| name == class));
        ensure!(is_seen || !is_there, "the marks of {kind} have no colours");
    }
    for chart in &seen.charts {
        let shown = chart.drawings.iter().filter(|drawing| drawing.shown).count();
        let expected = if chart.kind == "heat-map" { chart.drawings.len() } else { 1 };
        ensure!(shown == expected, "{}: {shown} drawings are seen", chart.title);
        ensure!(
            chart.drawings.iter().all(|drawing| drawing.title.starts_with(&chart.title)),
            "{}",
            chart.title
        );
        ensure!(chart.drawings.iter().all(|drawing| !drawing.description.is_empty()), "{}", chart.title);
    }
    Ok(())
}

/// Nothing is cut off at the edge of a sheet of paper.
pub fn paper(driver: &Driver) -> Result<()> {
    // A4 without margins of 15 mm.
    driver.print(680)?;
    let script = "return [...document.querySelectorAll('html, .scroll, pre')]
        .filter((box) => box.getClientRects().length > 0 && box.scrollWidth > box.clientWidth)
        .map((box) => `${box.ariaLabel ?? 'the page'}: ${box.scrollWidth} pixels in ${box.clientWidth}`)";
    let cut = driver.script(script)?;
    ensure!(cut == json!([]), "on paper the end is cut off of {cut}");
    Ok(())
}

/// Each drawing has a mark for each number of its table, and each number is written as it is.
pub fn charts(seen: &Seen) -> Result<()> {
    ensure!(!seen.charts.is_empty(), "there are no charts");
    let of_charts = seen.charts.iter().map(|chart| &chart.table);
    for table in of_charts.chain(&seen.tables) {
        ensure!(!table.rows.is_empty(), "{} has no rows", table.caption);
        for cell in table.rows.iter().flatten() {
            cell.is_rounded().with_context(|| table.caption.clone())?;
        }
    }
    for chart in &seen.charts {
        for drawing in &chart.drawings {
            marks(chart, drawing).with_context(|| chart.title.clone())?;
        }
    }
    Ok(())
}

fn marks(chart: &Chart, drawing: &Drawing) -> Result<()> {
    let Table { headers, rows, .. } = &chart.table;
    match chart.kind.as_str() {
        "lines" => {
            let columns = (1..headers.len()).filter(|&column| !headers[column].ends_with(", ±"));
            let count = |column: usize| rows.iter().filter(|row| row[column].value.is_some()).count();
            let expected: Vec<usize> = columns.map(count).collect();
            ensure!(drawing.points == expected, "{:?} points, not {expected:?}", drawing.points);
            ensure!(drawing.markers.iter().all(|&markers| markers > 0), "a line has no markers");
        }
        "bars" => ensure!(drawing.bars == rows.len(), "{} bars", drawing.bars),
        "reliability" => {
            ensure!(drawing.points.iter().sum::<usize>() == rows.len(), "{:?} points", drawing.points);
            ensure!(drawing.markers.iter().sum::<usize>() == rows.len(), "{:?} markers", drawing.markers);
            ensure!(drawing.shares == rows.len(), "{} bars", drawing.shares);
        }
        // These two are held against the data: their tables are shorter.
        "heat-map" | "image-grid" => ensure!(drawing.cells > 0, "there are no cells"),
        "scatter" => ensure!(drawing.circles >= rows.len(), "{} points", drawing.circles),
        kind => ensure!(false, "{kind} is not known"),
    }
    Ok(())
}

/// The numbers of the page are those of its data, and those of the command's answer.
pub fn numbers(seen: &Seen, answer: &Value) -> Result<()> {
    let data: Value = serde_json::from_str(&seen.data)?;
    ensure!(data["run"] == *answer, "the page holds another answer than the command gave");
    learning(seen, "", &data["history"])?;
    let measures = seen.table("How good it is")?;
    for (column, header) in measures.headers.iter().enumerate().skip(1) {
        let part = match header.as_str() {
            "training" => &answer["train"],
            "validation" => &answer["valid"],
            // The other parts are of more rows than the answer of measure.
            _ => continue,
        };
        let name = |row: &Vec<Cell>| part[&row[0].text].as_f64();
        measures.holds(column, &measures.rows.iter().map(name).collect::<Vec<_>>())?;
    }
    if let Some(counts) = data["confusion"].as_array() {
        let table = seen.table("Confusion")?;
        let bins = answer.pointer("/valid/reliability").map(with_rows);
        if let Some(bins) = bins {
            let curve = &seen.chart("Confidence and accuracy")?.table;
            for (column, name) in [(1, "/share"), (2, "/confidence"), (3, "/accuracy")] {
                curve.holds(column, &of(&bins, name))?;
            }
        }
        for class in 0..counts.len() {
            table.holds(class + 1, &of(&data["confusion"], &format!("/{class}")))?;
        }
    }
    if let Some(points) = data["predictions"].as_array() {
        for title in ["Predictions and targets", "Residuals"] {
            let drawings = &seen.chart(title)?.drawings;
            ensure!(drawings.iter().all(|drawing| drawing.circles == points.len()), "{title}: not all rows");
        }
    }
    if let Some(columns) = data["importance"].as_array() {
        let bars = &seen.chart("Importance of columns")?.table;
        let measure = if columns.iter().any(|of| of["nll"].is_object()) { "nll" } else { "rmse" };
        let drawn = json!(columns.iter().take(20).collect::<Vec<_>>());
        for (column, part) in [(1, "mean"), (2, "standard_error")] {
            bars.holds(column, &of(&drawn, &format!("/{measure}/{part}")))?;
        }
    }
    units(seen, None, &data)
}

/// The same of the page of a comparison.
pub fn compared(seen: &Seen, answer: &Value) -> Result<()> {
    let data: Value = serde_json::from_str(&seen.data)?;
    ensure!(data["run"] == *answer, "the page holds another answer than the command gave");
    for table in ["On the test rows", "What it takes"] {
        let table = seen.table(table)?;
        for (column, name) in table.headers.iter().enumerate().skip(1) {
            let [means, errors] = ["mean", "standard_error"]
                .map(|part| of(&answer["methods"], &format!("/measures/{name}/{part}")));
            table.holds(column, &means)?;
            let bars = &seen.chart(&format!("Methods by {name}"))?.table;
            bars.holds(1, &means)?;
            bars.holds(2, &errors)?;
        }
    }
    let tests = seen.table("Difference of the test")?;
    for (column, name) in ["/against_nothing/mean", "/against_nothing/p_holm"].into_iter().enumerate() {
        tests.holds(1 + column, &of(&answer["methods"], name))?;
    }
    let mut curves = Vec::new();
    for method in answer["methods"].as_array().context("no methods")? {
        let name = method["method"].as_str().unwrap_or_default();
        learning(seen, &format!(", {name}, seed 0"), &method["runs"][0]["measured"]["history"])?;
        let Some(closer) = data["closer"].get(name) else { continue };
        units(seen, Some(name), closer)?;
        curves.push(with_rows(&method["runs"][0]["measured"]["test"]["reliability"]));
    }
    ensure!(curves.len() > 1, "only {} networks are looked at", curves.len());
    let rows: usize = curves.iter().filter_map(|bins| Some(bins.as_array()?.len())).sum();
    let curve = &seen.chart("Confidence and accuracy")?.table;
    ensure!(curve.rows.len() == rows, "{} bins, not {rows}", curve.rows.len());
    let counts = data["confusion"].as_array().context("no confusion")?;
    let total: f64 = counts.iter().flat_map(|row| row.as_array()).flatten().filter_map(Value::as_f64).sum();
    ensure!(answer["test_rows"].as_f64() == Some(total), "{total} rows are confused");
    Ok(())
}

/// The losses, and where there are classes the errors, of a network whose charts are titled so.
fn learning(seen: &Seen, titled: &str, history: &Value) -> Result<()> {
    let losses = seen.chart(&format!("Loss of each epoch{titled}"))?;
    for (column, name) in ["/epoch", "/train_loss", "/valid_loss"].into_iter().enumerate() {
        losses.table.holds(column, &of(history, name))?;
    }
    let marked = |drawing: &Drawing| drawing.areas == 1 && drawing.places == 1;
    ensure!(losses.drawings.iter().all(marked), "the gap or the chosen epoch is not drawn");
    if titled.is_empty() && history[0]["valid_error"].is_f64() {
        seen.chart("Error of each epoch")?.table.holds(1, &of(history, "/valid_error"))?;
    }
    Ok(())
}

/// The bins of a reliability curve that have rows.
fn with_rows(bins: &Value) -> Value {
    let bins = bins.as_array().map_or(&[][..], |bins| bins);
    bins.iter().filter(|bin| !bin["accuracy"].is_null()).cloned().collect()
}

/// The units of the only network, or of one among others by its name.
fn units(seen: &Seen, named: Option<&str>, data: &Value) -> Result<()> {
    let layers = data.pointer("/measures/coadaptation").and_then(Value::as_array).context("no measures")?;
    let titled = named.map_or(String::new(), |name| format!(", {name}"));
    let coadaptation = seen.table(&format!("Co-adaptation of each hidden layer{titled}"))?;
    for (index, layer) in layers.iter().enumerate() {
        let what = if layer.pointer("/silenced/0/error/mean").is_some() { "error" } else { "loss" };
        let of_layer = format!("layer {}", index + 1);
        let (end, header) = named.map_or(("one layer", of_layer.as_str()), |name| (of_layer.as_str(), name));
        let title = format!("without a share of the units of {end}");
        let silenced = seen.charts.iter().find(|chart| chart.title.ends_with(&title)).context(title)?;
        let column = silenced.table.headers.iter().position(|other| other == header);
        let column = column.with_context(|| format!("{} has no line {header}", silenced.title))?;
        silenced.table.holds(column, &of(&layer["silenced"], &format!("/{what}/mean")))?;
        let names = [
            "/units",
            "/constant_units",
            "/mean_absolute_correlation",
            "/effective_rank",
            "/decov",
            "/interaction/mean",
            "/sparsity",
            "/mean_activation",
        ];
        let values: Vec<Option<f64>> =
            names.iter().map(|name| layer.pointer(name).and_then(Value::as_f64)).collect();
        coadaptation.holds(1 + index, &values)?;
        let map = seen.chart(&format!("Correlation of the units of layer {}{titled}", index + 1))?;
        let units = data["correlations"][index]["units"].as_array().map_or(0, Vec::len);
        ensure!(map.drawings.len() == 2, "{}: not before and after", map.title);
        ensure!(
            map.drawings.iter().all(|drawing| drawing.cells == units * units),
            "{}: not all cells",
            map.title
        );
    }
    if let Some(images) = data["first_weights"].as_array() {
        let pixels: usize = images.iter().filter_map(|image| Some(image["weights"].as_array()?.len())).sum();
        let grid = seen.chart(&format!("What units of the first layer look for{titled}"))?;
        ensure!(
            grid.drawings[0].cells == pixels && pixels > 0,
            "{} cells for {pixels} weights",
            grid.drawings[0].cells
        );
        ensure!(grid.table.rows.len() == images.len(), "{} images", grid.table.rows.len());
    }
    Ok(())
}

/// On a phone: by keyboard the first stop is the way past the head, and the button copies; by ear a chart has a name.
pub fn hands(driver: &Driver) -> Result<()> {
    driver.press("\u{e004}")?;
    let focused = driver.script("return document.activeElement.className")?;
    ensure!(focused == "skip", "the first stop of the keyboard is {focused}");
    let (role, name) = driver.accessible("figure.chart .narrow svg")?;
    let title = driver.script("return document.querySelector('figure.chart h3').textContent")?;
    ensure!(["img", "image"].iter().any(|expected| role == *expected), "a chart has the role {role}");
    ensure!(
        name.as_str().zip(title.as_str()).is_some_and(|(name, title)| name.starts_with(title)),
        "a chart is called {name}"
    );
    driver.script("document.querySelector('button.copy').click()")?;
    let wait = "return new Promise((done) => setTimeout(() => done(document.querySelector('button.copy').textContent), 200))";
    let said = driver.script(wait)?;
    ensure!([json!("Copied"), json!("Selected")].contains(&said), "the button to copy says {said}");
    Ok(())
}
