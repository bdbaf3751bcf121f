//! Numbers as people read them.

/// 12,345
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// 1.25 %
pub fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// Four significant digits, and no fewer than the whole part has.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 || !value.is_finite() {
        value.to_string()
    } else if !(1e-4..1e9).contains(&magnitude) {
        format!("{value:.3e}")
    } else {
        let decimals = (3.0 - magnitude.log10().floor()).max(0.0) as usize;
        format!("{value:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!([0, 999, 1000, 1234567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0.0, 0.012345, 1.0, 68123.4, -12.345, 1e-9].map(number),
            ["0", "0.01235", "1.000", "68123", "-12.35", "1.000e-9"].map(str::to_string)
        );
        assert_eq!(percent(0.0125), "1.25 %");
    }
}
