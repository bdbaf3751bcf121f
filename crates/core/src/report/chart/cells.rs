//! A rectangle of numbers from -1 to 1 as coloured cells.

/// How many tones each sign has.
const TONES: usize = 8;

/// Cells of one unit each, row after row. Neighbours of one tone are one stroke. What is below 0 has
/// another colour and is less high, so that its sign is also seen without colours.
pub(super) fn cells(values: &[f64], columns: usize) -> String {
    let tone = |value: f64| {
        let tone = (value.abs().min(1.0) * TONES as f64).round() as i32;
        if value < 0.0 { -tone } else { tone }
    };
    let mut paths = vec![String::new(); 2 * TONES + 1];
    for (row, values) in values.chunks(columns.max(1)).enumerate() {
        let tones: Vec<i32> = values.iter().copied().map(tone).collect();
        let mut column = 0;
        for run in tones.chunk_by(|one, other| one == other) {
            paths[(run[0] + TONES as i32) as usize] += &format!("M{column} {row}h{}", run.len());
            column += run.len();
        }
    }
    let path = |(index, path): (usize, String)| {
        let tone = index as i32 - TONES as i32;
        if path.is_empty() {
            return String::new();
        }
        let class = match tone {
            0 => "zero",
            1.. => "plus",
            _ => "minus",
        };
        let share = f64::from(tone.abs()) / TONES as f64;
        let strength = if tone == 0 { String::new() } else { format!(" stroke-opacity=\"{share}\"") };
        format!("<path class=\"{class}\"{strength} d=\"{path}\"/>\n")
    };
    paths.into_iter().enumerate().map(path).collect()
}
