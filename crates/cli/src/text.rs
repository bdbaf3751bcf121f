//! Numbers and names as people read them, JSON as programs do, and the way out for both streams.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::Value;
use thinnet::Error;
pub use thinnet::data::typed;
use thinnet::measure::Estimate;
pub use thinnet::report::{count, number, percent};

/// Writes a line to standard error. If nobody listens there, nothing is lost.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes a warning to standard error.
pub fn warn(sentence: &str) {
    say(&format!("warning: {sentence}"));
}

/// Writes to standard output.
pub fn print(text: &str) -> thinnet::Result<()> {
    to_stdout(|out| out.write_all(text.as_bytes()))
}

/// Writes to standard output through `fill`.
pub fn to_stdout(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> thinnet::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = fill(&mut out).and_then(|()| out.flush());
    written.map_err(Error::file("write", Path::new("standard output")))
}

/// Writes a JSON object to standard output, in one line.
pub fn print_json(object: &Value) -> thinnet::Result<()> {
    print(&format!("{object}\n"))
}

/// Adds the fields of one object to another.
pub fn merge(object: &mut Value, fields: Value) {
    if let (Value::Object(object), Value::Object(fields)) = (object, fields) {
        object.extend(fields);
    }
}

/// "1 row", "12,345 rows"
pub fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { many })
}

/// So many significant digits of a number, as a number.
pub fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

/// 0.0342 ± 0.0064, 1.39 % ± 0.16 %: the error with two significant digits, the mean with as many decimals
pub fn estimate(of: Estimate, percent: bool) -> String {
    let (factor, unit) = if percent { (100.0, " %") } else { (1.0, "") };
    let (mean, show) = (factor * of.mean, if percent { self::percent } else { number });
    match of.standard_error.map(|error| factor * error) {
        Some(error) if error > 0.0 && error.is_finite() => {
            let decimals = (1.0 - error.log10().floor()).clamp(0.0, 9.0) as usize;
            format!("{mean:.decimals$}{unit} ± {error:.decimals$}{unit}")
        }
        Some(error) => format!("{} ± {error}{unit}", show(of.mean)),
        None => show(of.mean),
    }
}

/// 1.52 ± 0.06, both as `show` writes them
pub fn with_error(mean: f64, standard_error: Option<f64>, show: fn(f64) -> String) -> String {
    match standard_error {
        Some(error) => format!("{} ± {}", show(mean), show(error)),
        None => show(mean),
    }
}

/// 0.31 s, 12.3 s, 3 min 20 s
pub fn seconds(seconds: f64) -> String {
    match seconds {
        ..10.0 => format!("{seconds:.2} s"),
        ..120.0 => format!("{seconds:.1} s"),
        _ => format!("{} min {} s", seconds as u64 / 60, seconds as u64 % 60),
    }
}

/// 0:05, 12:34, 1:02:03
pub fn clock(seconds: f64) -> String {
    let total = seconds.round() as u64;
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// The first few names.
pub fn some_of(names: &[String], few: usize) -> String {
    let shown = names.len().min(few);
    names[..shown].join(", ") + if names.len() > shown { ", …" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!(counted(1, "row", "rows") + &counted(2, "row", "rows"), "1 row2 rows");
        assert_eq!([0.314, 45.67, 200.9].map(seconds), ["0.31 s", "45.7 s", "3 min 20 s"]);
        assert_eq!([4.6, 754.0, 3723.0].map(clock), ["0:05", "12:34", "1:02:03"]);
    }

    #[test]
    fn an_error_says_how_many_decimals_count() {
        let of = |mean, standard_error, percent| estimate(Estimate { mean, standard_error }, percent);
        assert_eq!(of(0.034_24, Some(0.006_393), false), "0.0342 ± 0.0064");
        assert_eq!(of(68_123.4, Some(691.2), false), "68123 ± 691");
        assert_eq!(of(0.013_92, Some(0.001_6), true), "1.39 % ± 0.16 %");
        assert_eq!(of(0.5, None, false), "0.5000");
        assert_eq!(of(0.25, Some(0.0), true), "25.00 % ± 0 %");
    }

    #[test]
    fn an_object_takes_the_fields_of_another() {
        let mut object = serde_json::json!({ "epochs": 1, "loss": 2 });
        merge(&mut object, serde_json::json!({ "loss": 3, "rows": 4 }));
        assert_eq!(object, serde_json::json!({ "epochs": 1, "loss": 3, "rows": 4 }));
    }
}
