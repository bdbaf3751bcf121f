//! `cargo xtask pages`: the pages that thinnet writes, seen by a browser.

mod browser;
mod check;
mod driver;
mod seen;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use self::driver::Driver;
use self::seen::Seen;
use crate::command::{cargo, complaint, run, target};

/// A window of each size and scheme that a page is looked at in.
const WINDOWS: [(&str, u32, bool); 4] = [
    ("desktop", 1280, false),
    ("desktop-dark", 1280, true),
    ("phone", 360, false),
    ("phone-dark", 360, true),
];

/// A page, and what the command that wrote it has answered.
pub struct Written {
    pub page: PathBuf,
    pub answer: Value,
}

/// Writes pages with the program, and checks what a browser makes of them. With a folder, their pictures go
/// there.
pub fn run_pages(pictures: Option<&Path>) -> Result<()> {
    let Some((chromium, chromedriver)) = browser::provide() else {
        println!("pages: skipped, there is no Chromium here (Debian: chromium, chromium-driver)");
        return Ok(());
    };
    run(cargo().args(["build", "--quiet", "--package", "thinnet-cli"]))?;
    let began = Instant::now();
    let folder = target().join("pages");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("values.csv"), values())?;
    fs::write(folder.join("classes.csv"), classes())?;
    // A comparison would only go on where it ended.
    let _ = fs::remove_dir_all(folder.join("compared"));
    let lines = [
        ("digits.html", "fit digits --epochs 8 --hidden 48,24 -o digits.thinnet --report digits.html"),
        (
            "values.html",
            "fit values.csv --epochs 30 --hidden 16 --members 2 -o values.thinnet --report values.html",
        ),
        ("classes.html", "fit classes.csv --epochs 4 --hidden 16 -o classes.thinnet --report classes.html"),
        ("measured.html", "measure digits.thinnet digits --rows 300 --pairs 10 --report measured.html"),
        (
            "compared.html",
            "compare digits --methods nothing,l2,dropout --seeds 2 --epochs 6 --minutes 0.2 --hidden 48,24 \
             -o compared --report compared.html",
        ),
    ];
    let driver = Driver::start(&chromium, &chromedriver, &folder.join("profile"))?;
    for (page, line) in lines {
        let written = Written { page: folder.join(page), answer: answer(&folder, line)? };
        look(&driver, &written, pictures).with_context(|| format!("{page}, written by thinnet {line}"))?;
    }
    println!("pages: {} are as they should be, {:.0} s", lines.len(), began.elapsed().as_secs_f64());
    Ok(())
}

/// Looks at a page in each window.
fn look(driver: &Driver, written: &Written, pictures: Option<&Path>) -> Result<()> {
    for (name, width, dark) in WINDOWS {
        driver.resize(width, dark)?;
        driver.log("performance")?;
        driver.open(&written.page)?;
        let seen: Seen = serde_json::from_value(driver.script(include_str!("look.js"))?)?;
        check::silence(driver, &seen, &written.page)?;
        check::layout(&seen, width, dark).with_context(|| name.to_string())?;
        check::charts(&seen)?;
        match written.answer["methods"].is_array() {
            true => check::compared(&seen, &written.answer)?,
            false => check::numbers(&seen, &written.answer)?,
        }
        if let Some(pictures) = pictures {
            let stem = written.page.file_stem().unwrap_or_default().to_string_lossy();
            picture(driver, width, &pictures.join(format!("{stem}-{name}.png")))?;
        }
    }
    check::hands(driver)?;
    check::paper(driver).context("paper")
}

/// What a command answers; every page is written by one that speaks JSON.
fn answer(folder: &Path, line: &str) -> Result<Value> {
    let program = target().join("debug/thinnet");
    let mut command = Command::new(&program);
    command.current_dir(folder).args(line.split_whitespace()).arg("--json").env_remove("THINNET_ISA");
    let output = command.output().with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(output.status.success(), "{line}: {}", complaint(&String::from_utf8_lossy(&output.stderr)));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A regression whose columns have names that are hostile to a page: y = 30 a - 20 b, and a little more.
fn values() -> String {
    let row = |row: u32| {
        let (a, b) = (f64::from(row * 7919 % 101) / 101.0, f64::from(row * 104_729 % 97) / 97.0);
        format!("{a:.4},{b:.4},{:.4}\n", 30.0 * a - 20.0 * b + f64::from(row * row % 13) / 6.0)
    };
    let rows: String = (0..300).map(row).collect();
    format!("<b>a</b>,\"b & 'c'\",</script><script>throw 1</script>\n{rows}")
}

/// As many classes as a matrix has, of names that are long beside each other, and more columns than bars are
/// drawn of, one with a name that is too long for its bar.
fn classes() -> String {
    let row = |row: u32| {
        let noise: String = (2..22).map(|column| format!("{},", row * (7 + column) % 13)).collect();
        format!("{},{},{noise}category_{:02}\n", row % 18, row * 7919 % 101, row % 18)
    };
    let names: String = (2..22).map(|column| format!("noise {column},")).collect();
    let long = "the number of the row less all whole multiples of the number of the classes that there are";
    format!("{long},b,{names}class\n{}", (0..900).map(row).collect::<String>())
}

/// A picture of the first screens of a page.
fn picture(driver: &Driver, width: u32, path: &Path) -> Result<()> {
    let clip = json!({ "x": 0, "y": 0, "width": width, "height": if width < 600 { 1600 } else { 2400 }, "scale": 1 });
    let shot = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
    let answer = driver.devtools("Page.captureScreenshot", &shot)?;
    fs::write(path, browser::base64(answer["data"].as_str().context("no picture")?))?;
    Ok(())
}
