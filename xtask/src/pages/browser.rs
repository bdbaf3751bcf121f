//! Where the browser comes from, and what it sends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Chromium and its driver; where they are missing and may be installed, they are.
pub fn provide() -> Option<(PathBuf, PathBuf)> {
    let both = || Some((find("chromium")?, find("chromedriver")?));
    if let Some(found) = both() {
        return Some(found);
    }
    let user = Command::new("id").arg("-u").output().ok()?;
    if user.stdout.trim_ascii() == b"0" && find("apt-get").is_some() {
        println!("installing chromium and chromium-driver ...");
        // Whether it worked is seen below.
        for arguments in [&["update"][..], &["install", "--yes", "chromium", "chromium-driver"]] {
            let mut command = Command::new("apt-get");
            command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
            let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
    both()
}

/// A program on the path.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| Path::is_file(file))
}

/// The bytes of a text in base64 (RFC 4648).
pub fn base64(text: &str) -> Vec<u8> {
    let digit = |character: u8| match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len() / 4 * 3), 0_u32, 0);
    for digit in text.bytes().filter_map(digit) {
        (bits, count) = (bits << 6 | u32::from(digit), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    /// The test vectors of RFC 4648, section 10.
    #[test]
    fn base64_is_read() {
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")]
        {
            assert_eq!(super::base64(text), bytes.as_bytes());
        }
        assert_eq!(super::base64("+/8="), [0xfb, 0xff]);
    }
}
