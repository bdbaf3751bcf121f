//! What a person can type.

use std::ffi::OsStr;

/// The path of a file, or the name of a column, as it can be typed in a shell.
pub fn typed(argument: impl AsRef<OsStr>) -> String {
    let text = argument.as_ref().to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./+,=@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_path_can_be_typed() {
        assert_eq!(typed(Path::new("a/b-1.csv")), "a/b-1.csv");
        assert_eq!(typed(Path::new("my rows.csv")), "'my rows.csv'");
        assert_eq!(typed(Path::new("it's")), "'it'\\''s'");
    }

    #[test]
    fn a_shell_takes_a_name_as_it_is() {
        assert_eq!(typed("$id"), "'$id'");
        assert_eq!(typed("a`b`\"c\"!"), "'a`b`\"c\"!'");
        assert_eq!(typed("größe"), "größe");
        assert_eq!(typed(""), "''");
    }
}
