//! Which bytes of a CSV file stand in quotes: to find what separates its cells, and to drop the white space
//! in front of an opening quote, behind which the csv crate takes the quote for a letter of the cell.

use std::io::{self, BufRead, Read};

/// How far into a file its header is looked for.
const LONGEST_HEADER: u64 = 1 << 20;

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Where in a cell a byte stands, as the csv crate has it: a quote opens at the start of a cell only.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// Nothing but white space is between it and the separator or line feed before it.
    Start,
    /// In a cell without quotes, or behind its quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// Behind a quote in quotes, which closes them unless this byte is a second one.
    Closed,
}

impl Place {
    /// Where the next byte stands.
    fn after(self, byte: u8, separates: impl Fn(u8) -> bool) -> Self {
        match self {
            Place::Quoted if byte == b'"' => Place::Closed,
            Place::Quoted => Place::Quoted,
            _ if byte == b'\n' || separates(byte) => Place::Start,
            Place::Start | Place::Closed if byte == b'"' => Place::Quoted,
            Place::Start if is_blank(byte) => Place::Start,
            _ => Place::Plain,
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// Reads a file up to the end of its header, which is the first line that is not blank and, where a quote is
/// open at its end, what follows until it is closed. Gives what was read, without a byte order mark, and what
/// separates the cells: tabs if the header has one outside quotes, semicolons if it has one there and no
/// comma, otherwise commas.
pub(super) fn read_start(file: impl BufRead) -> io::Result<(Vec<u8>, u8)> {
    let mut file = file.take(LONGEST_HEADER);
    let (mut start, mut outside, mut place) = (Vec::new(), Vec::new(), Place::Start);
    loop {
        let read = start.len();
        if file.read_until(b'\n', &mut start)? == 0 {
            break;
        }
        if read == 0 && start.starts_with(MARK) {
            start.drain(..MARK.len());
        }
        for &byte in &start[read..] {
            if place != Place::Quoted {
                outside.push(byte);
            }
            place = place.after(byte, |byte| b",;\t".contains(&byte));
        }
        if place == Place::Quoted {
            continue;
        }
        if !outside.trim_ascii().is_empty() {
            break;
        }
        outside.clear();
    }
    let has = |separator| outside.contains(&separator);
    let separator = match has(b'\t') {
        true => b'\t',
        false if has(b';') && !has(b',') => b';',
        false => b',',
    };
    Ok((start, separator))
}

/// The bytes of a file without the white space in front of its cells, which does not count anyhow. So every
/// opening quote is the first byte of its cell and every blank line is empty, and the csv crate reads the one
/// and passes over the other. Line feeds stay, so lines can be counted, and so does all that is in quotes.
pub(super) struct Unpadded<R> {
    file: R,
    separator: u8,
    /// Where the next byte of the file stands.
    place: Place,
}

impl<R: Read> Unpadded<R> {
    /// `file` must begin where a line does.
    pub(super) fn new(file: R, separator: u8) -> Self {
        Self { file, separator, place: Place::Start }
    }

    /// Moves the bytes that stay to the front. Gives their number.
    fn close_up(&mut self, bytes: &mut [u8]) -> usize {
        let (separator, mut place, mut kept) = (self.separator, self.place, 0);
        // Most files have neither quotes nor white space, and it is seen fast that nothing is to be dropped.
        let matters = |byte: u8| byte == b'"' || is_blank(byte) && byte != separator;
        let none = !bytes.iter().fold(false, |found, &byte| found | matters(byte));
        if let (Place::Start | Place::Plain, true, Some(&last)) = (place, none, bytes.last()) {
            self.place = place.after(last, |byte| byte == separator);
            return bytes.len();
        }
        for at in 0..bytes.len() {
            let byte = bytes[at];
            let dropped = place == Place::Start && is_blank(byte) && byte != separator;
            place = place.after(byte, |byte| byte == separator);
            bytes[kept] = byte;
            kept += usize::from(!dropped);
        }
        self.place = place;
        kept
    }
}

impl<R: Read> Read for Unpadded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.file.read(buffer)?;
            let kept = self.close_up(&mut buffer[..read]);
            // Nothing but white space was read: 0 would say that the file has ended.
            if kept == 0 && read > 0 {
                continue;
            }
            return Ok(kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at once.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    #[test]
    fn white_space_in_front_of_cells_is_dropped() {
        for (separator, text, expected) in [
            (b',', " a,  \"b, c\" , d\r\n\r\n \t\ne", "a,\"b, c\" ,d\r\n\n\ne"),
            (b',', "\"a\"\" ,  b\", c\n \"\n d\"\r\n  e", "\"a\"\" ,  b\",c\n\"\n d\"\r\ne"),
            // A quote within a cell is a letter, so the comma behind it ends the cell.
            (b',', "5\", x\n6\", \"y\"\n", "5\",x\n6\",\"y\"\n"),
            (b',', "\"a\" \"b, c\"\n", "\"a\" \"b,c\"\n"),
            (b'\t', "a\t \"b\tc\"\t\t d\n\t\n", "a\t\"b\tc\"\t\td\n\t\n"),
            (b';', ";; ;\"\r\n \";\r\n", ";;;\"\r\n \";\n"),
        ] {
            for step in [1, 2, 3, 5, 1000] {
                let mut found = String::new();
                Unpadded::new(Slow(text.as_bytes(), step), separator).read_to_string(&mut found).unwrap();
                assert_eq!(found, expected, "{text:?}, {step} at once");
            }
        }
    }

    #[test]
    fn the_start_ends_with_the_header() {
        for (text, header, expected) in [
            ("a,b\n1;2\n", "a,b\n", b','),
            ("\u{feff}\r\n \n\"a\nb\";c\n1,2\n", "\r\n \n\"a\nb\";c\n", b';'),
            ("\"a\t;\",b\n1\t2\n", "\"a\t;\",b\n", b','),
            ("5\";b\n1,2\n", "5\";b\n", b';'),
            ("a;b,c", "a;b,c", b','),
            ("\n\n", "\n\n", b','),
            ("\"a;b\n1,2\n", "\"a;b\n1,2\n", b','),
        ] {
            let (start, separator) = read_start(text.as_bytes()).unwrap();
            assert_eq!((&start[..], separator), (header.as_bytes(), expected), "{text:?}");
        }
    }

    #[test]
    fn no_more_is_read_than_the_longest_header() {
        let blank = vec![b'\n'; 3 * LONGEST_HEADER as usize];
        assert_eq!(read_start(&blank[..]).unwrap().0.len(), LONGEST_HEADER as usize);
    }
}
