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

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws the strokes again: the class and the tone of each cell.
    fn drawn(svg: &str, rows: usize, columns: usize) -> Vec<Option<(String, f64)>> {
        let mut cells = vec![None; rows * columns];
        for path in svg.lines() {
            let attribute = |name: &str| path.split_once(name).and_then(|(_, rest)| rest.split('"').nth(1));
            let class = attribute("class=").unwrap().to_string();
            let tone = attribute("stroke-opacity=").map_or(0.0, |tone| tone.parse().unwrap());
            for run in attribute(" d=").unwrap().split('M').skip(1) {
                let numbers: Vec<usize> =
                    run.split([' ', 'h']).map(|number| number.parse().unwrap()).collect();
                for column in numbers[0]..numbers[0] + numbers[2] {
                    let cell = &mut cells[numbers[1] * columns + column];
                    assert!(cell.is_none(), "drawn twice");
                    *cell = Some((class.clone(), tone));
                }
            }
        }
        cells
    }

    #[test]
    fn every_cell_is_drawn_once_in_its_tone() {
        let values: Vec<f64> = (0..6 * 7).map(|at| f64::from((at * at + 3 * at) % 17) / 8.0 - 1.0).collect();
        let drawn = drawn(&cells(&values, 7), 6, 7);
        for (value, cell) in values.iter().zip(&drawn) {
            let (class, tone) = cell.as_ref().unwrap();
            assert_eq!(*tone, value.abs(), "eighths are tones");
            let expected = if *value < 0.0 {
                "minus"
            } else if *value > 0.0 {
                "plus"
            } else {
                "zero"
            };
            assert_eq!(class, expected);
        }
    }

    #[test]
    fn neighbours_of_one_tone_are_one_stroke() {
        assert_eq!(cells(&[1.0, 1.0, 1.0, -2.0, 0.0, 0.0], 3).matches('M').count(), 3);
        assert!(cells(&[], 3).is_empty());
    }
}
