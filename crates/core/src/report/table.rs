//! A table in plain text.

/// Lays out a table: a line of headers, a rule, and one line for each row. Columns are two spaces
/// apart; a column that holds nothing but numbers ("12", "1.2 %", "0.11 ± 0.02", "-") is aligned
/// right, every other one left. A row may be shorter or longer than the headers. Control
/// characters are shown as spaces, so that no cell can break the layout or command the terminal.
///
/// The width of characters is that of most terminals: 2 for those of East Asian scripts and
/// emoji, 0 for combining marks, 1 for all others.
///
/// ```
/// let rows = [vec!["standard".into(), "2.1 %".into()], vec!["dropout".into(), "13.6 %".into()]];
/// let expected = "\
/// network    error
/// ────────  ──────
/// standard   2.1 %
/// dropout   13.6 %
/// ";
/// assert_eq!(thinnet::report::table(&["network", "error"], &rows), expected);
/// ```
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0).max(headers.len());
    let header = |column: usize| clean(headers.get(column).copied().unwrap_or(""));
    let cell = |row: &Vec<String>, column: usize| clean(row.get(column).map_or("", String::as_str));

    let width_of = |column: usize| {
        let cells = rows.iter().map(|row| width(&cell(row, column)));
        cells.max().unwrap_or(0).max(width(&header(column)))
    };
    let widths: Vec<usize> = (0..columns).map(width_of).collect();
    let right: Vec<bool> = (0..columns)
        .map(|column| {
            let cells: Vec<String> = rows.iter().map(|row| cell(row, column)).collect();
            cells.iter().all(|cell| cell.is_empty() || is_number(cell))
                && cells.iter().any(|cell| cell.chars().any(|character| character.is_ascii_digit()))
        })
        .collect();

    let mut text = String::new();
    let mut line = |cells: Vec<String>| {
        let padded = cells.iter().enumerate().map(|(column, cell)| {
            let space = " ".repeat(widths[column] - width(cell));
            if right[column] { space + cell } else { cell.clone() + &space }
        });
        let joined = padded.collect::<Vec<_>>().join("  ");
        text.push_str(joined.trim_end());
        text.push('\n');
    };
    line((0..columns).map(header).collect());
    line(widths.iter().map(|&width| "─".repeat(width)).collect());
    for row in rows {
        line((0..columns).map(|column| cell(row, column)).collect());
    }
    text
}

fn clean(cell: &str) -> String {
    cell.trim().chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Whether a cell reads as a number, perhaps with a unit or an error behind it, or as a missing one.
fn is_number(cell: &str) -> bool {
    let first = cell.split([' ', '±']).next().unwrap_or("");
    let bare = first.trim_end_matches(['%', 'x', 's']);
    ["-", "–", "—"].contains(&cell) || bare.replace(',', "").parse::<f64>().is_ok()
}

/// How many terminal cells a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(character_width).sum()
}

/// The blocks of Unicode's EastAsianWidth.txt that matter in names of columns and classes.
fn character_width(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036F | 0x200B..=0x200F | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(headers: &[&str], rows: &[&[&str]]) -> Vec<String> {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| cell.to_string()).collect()).collect();
        table(headers, &rows).lines().map(str::to_owned).collect()
    }

    #[test]
    fn numbers_go_right_and_words_left() {
        let rows: &[&[&str]] =
            &[&["a", "1.5", "784-10"], &["long name", "-12.25 ± 0.1", "64-256"], &["b", "-"]];
        let expected = [
            "name                  x  units",
            "─────────  ────────────  ──────",
            "a                   1.5  784-10",
            "long name  -12.25 ± 0.1  64-256",
            "b                     -",
        ];
        assert_eq!(lines(&["name", "x", "units"], rows), expected);
    }

    #[test]
    fn wide_and_combining_characters_stay_aligned() {
        let lines = lines(&["名前", "n"], &[&["e\u{301}", "1"], &["日本語", "22"]]);
        assert_eq!(lines, ["名前     n", "──────  ──", "e\u{301}        1", "日本語  22"]);
        assert!(lines.iter().all(|line| width(line) == 10));
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let text = table(&["a\tb"], &[vec!["x\u{1b}[2J\ny".into()]]);
        assert_eq!(text, "a b\n───────\nx [2J y\n");
    }

    #[test]
    fn tables_without_rows_or_columns_are_short() {
        assert_eq!(lines(&["a", "bc"], &[]), ["a  bc", "─  ──"]);
        assert_eq!(lines(&["a"], &[&["1", "extra"]]), ["a", "─  ─────", "1  extra"]);
        assert_eq!(table(&[], &[]), "\n\n");
    }
}
