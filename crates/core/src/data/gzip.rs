//! Files that may be gzipped, told apart by their first two bytes.

use std::io::{self, BufRead, BufReader, ErrorKind};

use flate2::bufread::MultiGzDecoder;

/// A reader of the unpacked bytes, and whether they were packed.
pub(super) fn unpacked<'a>(mut reader: impl BufRead + 'a) -> io::Result<(Box<dyn BufRead + 'a>, bool)> {
    if reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        Ok((Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader))), true))
    } else {
        Ok((Box::new(reader), false))
    }
}

/// What is wrong with a gzipped file that could not be read to its end, if the file is to blame.
pub(super) fn damage(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::UnexpectedEof => Some("the gzip file is cut off; copy or download it again"),
        ErrorKind::InvalidInput | ErrorKind::InvalidData => {
            Some("the gzip file is damaged; copy or download it again")
        }
        _ => None,
    }
}

#[cfg(test)]
pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
