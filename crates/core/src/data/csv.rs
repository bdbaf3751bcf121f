//! CSV and TSV files, plain or gzipped.
//!
//! The first row names the columns. Cells may be quoted as RFC 4180 has it, lines may end with LF or CRLF,
//! and a UTF-8 byte order mark is skipped. White space around a cell does not count, outside its quotes or
//! inside. Blank lines are passed over, so a gap in a file of one column is written `""` or `NA`. A column
//! whose cells are all numbers or gaps is a column of numbers; every other one is a column of texts. The file
//! is read once for the numbers and, if there are texts, once more for them, so memory holds the table only.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

use super::gzip::{damage, unpacked};
use super::quotes::{Unpadded, read_start};
use super::table::TextColumn;
use super::{Cells, Column, ColumnType, ColumnTypes, Table};
use crate::error::{Error, Result};

/// What is put behind the last byte, the old mark of the end of a text. With it every record ends in a line
/// feed, so that lines can be counted, and a quote that is never closed swallows it, so that it is noticed.
const END: &[u8] = b"\n\x1a\n";

/// The cells that are gaps: `?`, and what pandas takes for one, so that a file means the same to both.
const GAP_MARKS: &[&str] = &[
    "", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// Reads a CSV or TSV file. Tabs separate the cells if the name ends in `.tsv` or `.tsv.gz` or the header
/// has one outside quotes, semicolons if the header has one there and no comma, otherwise commas.
///
/// Empty cells are gaps, and so are `?` and what pandas takes for one: `NA`, `<NA>`, `#NA`, `N/A`, `n/a`,
/// `#N/A`, `#N/A N/A`, `NaN`, `nan`, `-NaN`, `-nan`, `NULL`, `null`, `None`, `1.#IND`, `-1.#IND`, `1.#QNAN`
/// and `-1.#QNAN`. Infinite numbers are read, and refused where a column with one is used. `types` overrides
/// the types that reading finds; names that the file does not have are passed over.
///
/// # Errors
/// A sentence with file, line and column for: a file that cannot be read, is empty, cut off, binary or not
/// UTF-8; a header that is missing or names a column twice; a row with more or fewer cells than the header;
/// a text in a column that `types` says holds numbers.
pub fn read_csv(path: &Path, types: &ColumnTypes) -> Result<Table> {
    let name = path.display().to_string();
    let lower = name.to_lowercase();
    let tabs = lower.ends_with(".tsv") || lower.ends_with(".tsv.gz");
    let regular = path.metadata().map_err(Error::file("open", path))?.is_file();
    // What is no regular file, a pipe for example, can be read only once.
    let bytes = match regular {
        true => Vec::new(),
        false => std::fs::read(path).map_err(Error::file("read", path))?,
    };
    let open = || -> Result<Box<dyn BufRead + '_>> {
        if !regular {
            return Ok(Box::new(&bytes[..]));
        }
        let file = File::open(path).map_err(Error::file("open", path))?;
        Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
    };
    read_table(&Source { name: &name, tabs, open: &open }, types)
}

/// Reads a CSV or TSV file from memory, plain or gzipped, as [`read_csv`] does. `name` is what error
/// messages call it.
///
/// # Errors
/// As [`read_csv`].
///
/// ```
/// let table = thinnet::data::parse_csv("people", b"age,town\n41,Bonn\n,Aix\n", &Default::default())?;
/// assert_eq!((table.rows(), table.columns().len()), (2, 2));
/// # Ok::<(), thinnet::Error>(())
/// ```
pub fn parse_csv(name: &str, bytes: &[u8], types: &ColumnTypes) -> Result<Table> {
    let open = || -> Result<Box<dyn BufRead + '_>> { Ok(Box::new(bytes)) };
    read_table(&Source { name, tabs: false, open: &open }, types)
}

/// Where the bytes come from; it can be opened more than once.
struct Source<'a> {
    name: &'a str,
    tabs: bool,
    open: &'a dyn Fn() -> Result<Box<dyn BufRead + 'a>>,
}

/// A column while it is read.
enum Growing {
    Numbers { numbers: Vec<f64>, wanted: bool },
    Texts(TextColumn),
}

fn read_table(source: &Source, types: &ColumnTypes) -> Result<Table> {
    let mut records = Records::open(source)?;
    let header = records.header()?;
    let mut columns: Vec<Growing> = header.iter().map(|name| Growing::new(types.get(name))).collect();
    let mut lines = Vec::new();
    while records.next()? {
        lines.push(records.line);
        for (index, column) in columns.iter_mut().enumerate() {
            column.push_number(records.cell(index)?).map_err(|problem| {
                Error::data(format!("{}, column {}", records.place(), header[index]), problem)
            })?;
        }
    }
    if lines.is_empty() {
        return Err(Error::data(source.name, "it has a header but no rows"));
    }
    if columns.iter().any(|column| matches!(column, Growing::Texts(_))) {
        read_texts(source, &mut columns, lines.len())?;
    }
    let finished = |(name, column): (String, Growing)| Column { name, cells: column.finish() };
    Table::from_file(source.name, header.into_iter().zip(columns).map(finished).collect(), lines)
}

/// The second reading, for the columns that the first one found to hold texts.
fn read_texts(source: &Source, columns: &mut [Growing], rows: usize) -> Result<()> {
    let mut records = Records::open(source)?;
    records.header()?;
    let mut read = 0;
    while records.next()? {
        read += 1;
        for (index, column) in columns.iter_mut().enumerate() {
            if let Growing::Texts(texts) = column {
                let cell = records.cell(index)?;
                texts.push((!is_gap(cell)).then_some(cell));
            }
        }
    }
    match read == rows {
        true => Ok(()),
        false => Err(Error::data(source.name, "it changed while it was read; try again")),
    }
}

fn is_gap(cell: &str) -> bool {
    GAP_MARKS.contains(&cell)
}

impl Growing {
    fn new(wanted: Option<&ColumnType>) -> Self {
        match wanted {
            Some(ColumnType::Text) => Growing::Texts(TextColumn::default()),
            _ => Growing::Numbers { numbers: Vec::new(), wanted: wanted.is_some() },
        }
    }

    /// The first reading: keeps a number, or finds that the column holds texts.
    fn push_number(&mut self, cell: &str) -> std::result::Result<(), String> {
        let Growing::Numbers { numbers, wanted } = self else {
            return Ok(());
        };
        match cell.parse::<f64>() {
            Ok(number) => numbers.push(number),
            Err(_) if is_gap(cell) => numbers.push(f64::NAN),
            Err(_) if *wanted => {
                return Err(format!("{cell:?} is not a number; correct it, or leave the cell empty"));
            }
            Err(_) => *self = Growing::Texts(TextColumn::default()),
        }
        Ok(())
    }

    fn finish(self) -> Cells {
        match self {
            Growing::Texts(texts) => texts.finish(),
            Growing::Numbers { numbers, .. } => Cells::Numbers(numbers),
        }
    }
}

/// The rows of a file, one after the other.
struct Records<'a> {
    name: &'a str,
    reader: Reader<Box<dyn Read + 'a>>,
    packed: bool,
    record: ByteRecord,
    columns: usize,
    /// The line of the file at which the record starts, counted from 1.
    line: u32,
}

impl<'a> Records<'a> {
    fn open(source: &Source<'a>) -> Result<Self> {
        let name = source.name;
        let (mut bytes, packed) =
            unpacked((source.open)()?).map_err(|error| unreadable(name, true, error))?;
        let (start, found) = read_start(&mut bytes).map_err(|error| unreadable(name, packed, error))?;
        check_start(&start).map_err(|problem| Error::data(name, problem))?;
        let separator = if source.tabs { b'\t' } else { found };
        let whole = Cursor::new(start).chain(bytes).chain(END);
        let bytes: Box<dyn Read + 'a> = Box::new(Unpadded::new(whole, separator));
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(bytes);
        Ok(Self { name, reader, packed, record: ByteRecord::new(), columns: 0, line: 0 })
    }

    /// The names of the columns, from the first row.
    fn header(&mut self) -> Result<Vec<String>> {
        let name = self.name;
        if !self.next()? {
            return Err(Error::data(name, "it is empty; it needs a header line and at least one row"));
        }
        self.columns = self.record.len();
        let mut header = Vec::with_capacity(self.columns);
        for index in 0..self.columns {
            header.push(match self.cell(index)? {
                "" => format!("column {}", index + 1),
                cell => cell.to_owned(),
            });
        }
        if header.iter().all(|cell| cell.parse::<f64>().is_ok()) {
            let problem = "the first line holds numbers only; put a line with the columns' names above it";
            return Err(Error::data(format!("{name}, line {}", self.line), problem));
        }
        let mut seen = HashMap::new();
        for (index, column) in header.iter().enumerate() {
            if let Some(before) = seen.insert(column, index) {
                let problem =
                    format!("columns {} and {} are both named {column:?}; rename one", before + 1, index + 1);
                return Err(Error::data(format!("{name}, line {}", self.line), problem));
            }
        }
        Ok(header)
    }

    /// Goes to the next row. A blank line is none: [`Unpadded`] has emptied it, and the csv crate passes over
    /// empty lines.
    fn next(&mut self) -> Result<bool> {
        let (name, packed) = (self.name, self.packed);
        let more =
            self.reader.read_byte_record(&mut self.record).map_err(|error| match error.into_kind() {
                csv::ErrorKind::Io(error) => unreadable(name, packed, error),
                kind => Error::data(name, format!("it cannot be read: {kind:?}")),
            })?;
        if !more || (self.record.len() == 1 && self.record[0] == *END.trim_ascii()) {
            return Ok(false);
        }
        let breaks = self.record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
        let open_quote = self.record.iter().next_back().is_some_and(|cell| cell.ends_with(END));
        let line = self.reader.position().line().saturating_sub(breaks + u64::from(!open_quote));
        self.line = u32::try_from(line).unwrap_or(u32::MAX);
        if open_quote {
            return Err(Error::data(self.place(), "a quote in this row is never closed; close it"));
        }
        if self.columns != 0 && self.record.len() != self.columns {
            let problem = format!(
                "the row has {} cells, but the header has {}; correct it, or its quotes",
                self.record.len(),
                self.columns
            );
            return Err(Error::data(self.place(), problem));
        }
        Ok(true)
    }

    fn cell(&self, index: usize) -> Result<&str> {
        let cell = std::str::from_utf8(&self.record[index]).map_err(|_| {
            let place = format!("{}, column {}", self.place(), index + 1);
            Error::data(place, "the cell is not valid UTF-8; save the file as UTF-8")
        })?;
        Ok(cell.trim())
    }

    fn place(&self) -> String {
        format!("{}, line {}", self.name, self.line)
    }
}

fn check_start(start: &[u8]) -> std::result::Result<(), &'static str> {
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Err("it is in UTF-16; save it as UTF-8");
    }
    if start.contains(&0) || start.starts_with(b"PK\x03\x04") {
        return Err("it is a binary file, not CSV; save it as CSV");
    }
    if !start.contains(&b'\n') && start.trim_ascii().contains(&b'\r') {
        return Err("its lines end with a carriage return alone; save it with line feeds");
    }
    Ok(())
}

fn unreadable(name: &str, packed: bool, error: std::io::Error) -> Error {
    match damage(&error) {
        Some(problem) if packed => Error::data(name, problem),
        _ => Error::File { action: "read", path: name.into(), source: error },
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
