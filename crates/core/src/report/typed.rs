//! What a person can type.

use std::path::Path;

/// A path as it can be typed in a shell.
pub fn typed(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "-_./+,=@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_typed() {
        assert_eq!(typed(Path::new("a/b-1.csv")), "a/b-1.csv");
        assert_eq!(typed(Path::new("my rows.csv")), "'my rows.csv'");
        assert_eq!(typed(Path::new("it's")), "'it'\\''s'");
    }
}
