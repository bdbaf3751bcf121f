//! A learning curve in plain text.

use super::table::width;

/// One curve: a name and one value for each epoch, the first epoch first. Values that are not
/// finite (and, on a logarithmic scale, not above 0) leave a gap.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// What the legend calls it.
    pub name: &'a str,
    /// One value for each epoch.
    pub values: &'a [f64],
}

/// How a learning curve is drawn.
///
/// ```
/// use thinnet::report::{Curve, Series};
/// let standard = Series { name: "standard", values: &[0.5, 0.3, 0.25, 0.27, 0.31] };
/// let dropout = Series { name: "dropout", values: &[0.6, 0.35, 0.25, 0.2, 0.18] };
/// let text = Curve { title: "test error", ..Curve::default() }.draw(&[standard, dropout]);
/// assert!(text.lines().all(|line| line.chars().count() <= 80));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Curve<'a> {
    /// What the values are; stands above the curve beside the legend.
    pub title: &'a str,
    /// What the horizontal axis counts.
    pub unit: &'a str,
    /// Columns of the whole drawing, labels included; at least 24.
    pub width: usize,
    /// Lines of the drawing area; at least 3.
    pub height: usize,
    /// Whether the vertical axis is logarithmic.
    pub logarithmic: bool,
}

impl Default for Curve<'_> {
    /// 80 columns, 12 lines, epochs, linear.
    fn default() -> Self {
        Self { title: "", unit: "epoch", width: 80, height: 12, logarithmic: false }
    }
}

/// The marks of the series, in order; they repeat when there are more.
const MARKS: [char; 6] = ['o', 'x', '+', '*', '#', '@'];

impl Curve<'_> {
    /// Draws the series over one another, on one scale. Where two meet, their marks alternate.
    pub fn draw(&self, series: &[Series]) -> String {
        let epochs = series.iter().map(|series| series.values.len()).max().unwrap_or(0);
        let Some((low, high)) = self.range(series) else {
            return format!(
                "{}: no values to draw\n",
                if self.title.is_empty() { "curve" } else { self.title }
            );
        };
        let height = self.height.max(3);
        let labels = self.labels(low, high, height);
        let margin = labels.iter().map(|label| label.len()).max().unwrap_or(0);
        let columns = self.width.max(24) - margin - 2;

        let mut area = vec![' '; columns * height];
        for column in 0..columns {
            // The last one drawn is the one that is seen, so the order turns from column to column.
            for turn in 0..series.len() {
                let index = (turn + column) % series.len();
                if let Some(value) = self.at(series[index].values, column, columns, epochs) {
                    let up = (value - low) / (high - low) * (height - 1) as f64;
                    let line = height - 1 - (up.round() as usize).min(height - 1);
                    area[line * columns + column] = MARKS[index % MARKS.len()];
                }
            }
        }

        let mut text = self.legend(series);
        for (label, line) in labels.iter().zip(area.chunks(columns)) {
            let line = format!("{label:>margin$} ┤{}", line.iter().collect::<String>());
            text += line.trim_end();
            text.push('\n');
        }
        text + &self.bottom(margin, columns, epochs)
    }

    /// A value as the vertical axis has it, if it can be drawn.
    fn scaled(&self, value: f64) -> Option<f64> {
        let scaled = if self.logarithmic { value.log10() } else { value };
        scaled.is_finite().then_some(scaled)
    }

    /// The lowest and highest scaled value, a little apart if they are the same.
    fn range(&self, series: &[Series]) -> Option<(f64, f64)> {
        let values = series.iter().flat_map(|series| series.values).filter_map(|&value| self.scaled(value));
        let (low, high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let room = if high > low { 0.0 } else { (0.1 * high.abs()).max(1e-3) };
        // Values whose distance f64 cannot hold are no learning curve.
        ((high - low).is_finite()).then_some((low - room, high + room))
    }

    /// The scaled value in a column: the mean of the epochs that fall into it, or the line between
    /// the epochs beside it if none does.
    fn at(&self, values: &[f64], column: usize, columns: usize, epochs: usize) -> Option<f64> {
        let per_column = epochs.saturating_sub(1) as f64 / (columns - 1) as f64;
        let position = column as f64 * per_column;
        let first = (position - 0.5 * per_column).ceil().max(0.0) as usize;
        let last = (position + 0.5 * per_column).floor() as usize;
        let scaled = |epoch: usize| values.get(epoch).and_then(|&value| self.scaled(value));
        let (mut sum, mut count) = (0.0, 0.0);
        for value in (first..=last).filter_map(scaled) {
            (sum, count) = (sum + value, count + 1.0);
        }
        if first <= last {
            return (count > 0.0).then(|| sum / count);
        }
        let (before, after) = (scaled(position.floor() as usize)?, scaled(position.ceil() as usize)?);
        Some(before + (after - before) * position.fract())
    }

    /// One label for each line of the drawing area, the top one first; most are empty.
    fn labels(&self, low: f64, high: f64, height: usize) -> Vec<String> {
        let parts = if height < 9 { 2 } else { 4 };
        let labelled = |line: usize| (0..=parts).any(|part| part * (height - 1) / parts == line);
        let label = |line: usize| {
            if !labelled(line) {
                return String::new();
            }
            let scaled = low + (high - low) * (height - 1 - line) as f64 / (height - 1) as f64;
            number(if self.logarithmic { 10f64.powf(scaled) } else { scaled })
        };
        (0..height).map(label).collect()
    }

    fn legend(&self, series: &[Series]) -> String {
        let mut parts: Vec<String> = Vec::new();
        let scale = if self.logarithmic { " (log scale)" } else { "" };
        if !self.title.is_empty() || self.logarithmic {
            parts.push(format!("{}{scale}", self.title).trim().to_owned());
        }
        for (index, series) in series.iter().enumerate() {
            parts.push(format!("{} {}", MARKS[index % MARKS.len()], series.name));
        }
        let mut text = String::new();
        let mut used = 0;
        for part in parts {
            let part: String = part.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            if used > 0 && used + 3 + width(&part) > self.width.max(24) {
                text.push('\n');
                used = 0;
            }
            let gap = if used > 0 { "   " } else { "" };
            used += gap.len() + width(&part);
            text = text + gap + &part;
        }
        text.push('\n');
        text
    }

    /// The horizontal axis: a rule, then the first and the last epoch at its ends.
    fn bottom(&self, margin: usize, columns: usize, epochs: usize) -> String {
        let (space, rule) = (" ".repeat(margin), "─".repeat(columns));
        let first = format!("{} 1", self.unit);
        let last = if epochs > 1 { epochs.to_string() } else { String::new() };
        let room = columns.saturating_sub(width(&first) + 1);
        let numbers = format!("{space}  {first} {last:>room$}");
        format!("{space} └{rule}\n{}\n", numbers.trim_end())
    }
}

/// Three significant digits, as short as that goes.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e5).contains(&magnitude) {
        format!("{value:.1e}")
    } else {
        let decimals = (2.0 - magnitude.log10().floor()).max(0.0) as usize;
        format!("{value:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    #[test]
    fn a_straight_line_goes_from_corner_to_corner() {
        let series = Series { name: "loss", values: &[10.0, 8.0, 6.0, 4.0, 2.0, 0.0] };
        let text = Curve { title: "train", width: 27, height: 6, ..Curve::default() }.draw(&[series]);
        let expected = "\
train   o loss
10.0 ┤ooo
     ┤   oooo
6.00 ┤       oooo
     ┤           oooo
     ┤               oooo
   0 ┤                   oo
     └─────────────────────
      epoch 1             6
";
        assert_eq!(text, expected);
    }

    #[test]
    fn halving_is_a_straight_line_on_a_logarithmic_scale() {
        let halving: Vec<f64> = (0..21).map(|epoch| 0.5f64.powi(epoch)).collect();
        let halving = Series { name: "", values: &halving };
        let falling: Vec<f64> = (0..21).map(|epoch| -f64::from(epoch)).collect();
        let falling = Series { name: "", values: &falling };
        let marks = |text: String| -> Vec<usize> {
            let line = |line: &str| line.split_once('┤').map(|(_, area)| area.find('o'));
            text.lines().filter_map(line).flatten().collect()
        };
        let logarithmic = Curve { logarithmic: true, ..Curve::default() }.draw(&[halving]);
        assert!(logarithmic.starts_with("(log scale)"));
        assert_eq!(marks(logarithmic).len(), 12);
        let linear = marks(Curve::default().draw(&[falling]));
        assert_eq!(linear.len(), 12);
        let steps: Vec<usize> = linear.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().max().unwrap() - steps.iter().min().unwrap() <= 4, "{steps:?}");
    }

    #[test]
    fn curves_on_top_of_each_other_are_both_seen() {
        let values = [0.5; 10];
        let (a, b) = (Series { name: "a", values: &values }, Series { name: "b", values: &values });
        let text = Curve::default().draw(&[a, b]);
        assert!(text.contains("oxoxox"), "{text}");
    }

    #[test]
    fn what_is_not_finite_leaves_a_gap_and_an_early_stop_an_end() {
        let long = Series { name: "long", values: &[1.0, NAN, f64::INFINITY, 1.0, 1.0, 0.0, 0.5] };
        let short = Series { name: "short", values: &[0.25, 0.25] };
        let text = Curve { width: 26, height: 5, ..Curve::default() }.draw(&[long, short]);
        // 19 columns for 7 epochs: three columns an epoch.
        let expected = "\
o long   x short
 1.00 ┤o        oooo
      ┤             o
0.500 ┤                  o
      ┤xxxx          o oo
    0 ┤               o
      └───────────────────
       epoch 1           7
";
        assert_eq!(text, expected);
    }

    #[test]
    fn nothing_to_draw_is_said() {
        assert_eq!(Curve::default().draw(&[]), "curve: no values to draw\n");
        let gaps = Series { name: "loss", values: &[NAN, 0.0, -1.0] };
        let text = Curve { title: "loss", logarithmic: true, ..Curve::default() }.draw(&[gaps]);
        assert_eq!(text, "loss: no values to draw\n");
    }

    #[test]
    fn every_shape_fits_its_width() {
        let values: Vec<f64> = (0..500).map(|epoch| 1e4 / f64::from(epoch + 1) - 5.0).collect();
        for epochs in [1, 2, 3, 79, 80, 81, 500] {
            for width in [0, 24, 80, 200] {
                for height in [0, 3, 12, 40] {
                    let series = Series { name: "validation error", values: &values[..epochs] };
                    let curve = Curve { title: "error", width, height, ..Curve::default() };
                    let text = curve.draw(&[series, series, series]);
                    assert_eq!(text.lines().filter(|line| line.contains('┤')).count(), height.max(3));
                    let widest = text.lines().map(super::width).max().unwrap();
                    assert!(widest <= width.max(24), "{widest} for {width}:\n{text}");
                }
            }
        }
    }

    #[test]
    fn numbers_have_three_digits() {
        let texts = [0.0, 0.01234, 1.0, -12.345, 123.4, 12345.0, 1e6, 1e-5].map(number);
        assert_eq!(texts, ["0", "0.0123", "1.00", "-12.3", "123", "12345", "1.0e6", "1.0e-5"]);
    }
}
