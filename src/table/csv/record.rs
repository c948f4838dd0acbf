//! Splitting a CSV file into records and fields, without decoding it.
//!
//! The csv crate skips empty lines, so that row numbers would differ from what a spreadsheet shows, and it
//! forgets how a record was written, so that a record that nobody changed could not be copied as it is.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;

use super::encoding::{Encoding, Unit};

/// A record: the bytes as they stand in the file, and where its fields are.
#[derive(Debug, Default)]
pub(super) struct Record {
    raw: Vec<u8>,
    fields: Vec<Range<usize>>,
    /// Where the line end begins.
    end: usize,
    /// A limit was met and the rest of a field, or of the record, left out.
    pub(super) cut: bool,
    /// A quote was opened and the file ended.
    pub(super) unclosed: bool,
}

/// How much of a record is kept in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of one field.
    pub(super) field: usize,
    /// Bytes of one record.
    pub(super) record: usize,
    /// Fields of one record.
    pub(super) fields: usize,
}

/// Reads records one by one.
#[derive(Debug)]
pub(super) struct RecordReader<R> {
    units: Units<R>,
    delimiter: u16,
    limits: Limits,
}

impl Record {
    /// The number of fields; an empty line has one, which is empty.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// True for an empty line.
    pub(super) fn is_empty_line(&self) -> bool {
        self.end == 0
    }

    /// All bytes, the line end included.
    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The bytes of the line end; none after the last record of many a file.
    pub(super) fn line_end(&self) -> &[u8] {
        self.raw.get(self.end..).unwrap_or_default()
    }

    /// The bytes of a field with its quotes; none where the record is too short.
    pub(super) fn raw_field(&self, index: usize) -> Option<&[u8]> {
        self.raw.get(self.fields.get(index)?.clone())
    }

    /// The text of a field, empty where the record is too short; true if some bytes are not text.
    pub(super) fn text(&self, index: usize, encoding: Encoding) -> (String, bool) {
        let (text, malformed) = encoding.decode(self.raw_field(index).unwrap_or_default());
        (unquote(&text).into_owned(), malformed)
    }

    /// The texts of all fields.
    pub(super) fn texts(&self, encoding: Encoding) -> Vec<String> {
        (0..self.len()).map(|index| self.text(index, encoding).0).collect()
    }

    fn clear(&mut self) {
        self.raw.clear();
        self.fields.clear();
        (self.end, self.cut, self.unclosed) = (0, false, false);
    }
}

const QUOTE: u16 = b'"' as u16;
const CR: u16 = b'\r' as u16;
const LF: u16 = b'\n' as u16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote in a quoted field: its end, or half of a doubled quote.
    QuoteSeen,
}

impl<R: Read> RecordReader<R> {
    pub(super) fn new(input: R, encoding: Encoding, delimiter: u8, limits: Limits) -> Self {
        Self { units: Units::new(input, encoding.unit()), delimiter: u16::from(delimiter), limits }
    }

    /// Reads the next record into `record`; false at the end of the file.
    ///
    /// CR, LF and CR LF end a record outside quotes. A quote is one only at the start of a field; what
    /// follows a closing quote belongs to the field.
    pub(super) fn read(&mut self, record: &mut Record) -> io::Result<bool> {
        record.clear();
        if self.units.peek()?.is_none() {
            return Ok(false);
        }
        let mut state = State::FieldStart;
        let mut field = 0;
        loop {
            let Some((unit, bytes)) = self.units.next()? else {
                record.unclosed = state == State::Quoted;
                self.limits.end_field(record, field);
                record.end = record.raw.len();
                return Ok(true);
            };
            state = match (state, unit) {
                (State::FieldStart, QUOTE) | (State::QuoteSeen, QUOTE) => State::Quoted,
                (State::Quoted, QUOTE) => State::QuoteSeen,
                (State::Quoted, _) => State::Quoted,
                (_, CR | LF) => {
                    self.limits.end_field(record, field);
                    record.end = record.raw.len();
                    record.raw.extend_from_slice(bytes);
                    if unit == CR
                        && self.units.peek()? == Some(LF)
                        && let Some((_, bytes)) = self.units.next()?
                    {
                        record.raw.extend_from_slice(bytes);
                    }
                    return Ok(true);
                }
                (_, unit) if unit == self.delimiter => {
                    self.limits.end_field(record, field);
                    record.raw.extend_from_slice(if record.cut { &[] } else { bytes });
                    field = record.raw.len();
                    state = State::FieldStart;
                    continue;
                }
                _ => State::Plain,
            };
            self.limits.push(record, field, bytes);
        }
    }
}

impl Limits {
    fn push(&self, record: &mut Record, field: usize, bytes: &[u8]) {
        if record.raw.len() - field < self.field && record.raw.len() < self.record {
            record.raw.extend_from_slice(bytes);
        } else {
            record.cut = true;
        }
    }

    fn end_field(&self, record: &mut Record, start: usize) {
        if record.fields.len() < self.fields {
            record.fields.push(start..record.raw.len());
        } else {
            record.cut = true;
        }
    }
}

/// Takes the quotes off a field.
fn unquote(field: &str) -> Cow<'_, str> {
    let Some(mut rest) = field.strip_prefix('"') else {
        return Cow::Borrowed(field);
    };
    let mut text = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('"') {
        text.push_str(before);
        let Some(doubled) = after.strip_prefix('"') else {
            rest = after; // the closing quote: what follows is taken as it is
            break;
        };
        text.push('"');
        rest = doubled;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The code units of a file, with a look at the next one.
#[derive(Debug)]
struct Units<R> {
    input: R,
    unit: Unit,
    buffer: Vec<u8>,
    /// The part of the buffer that is not consumed.
    rest: Range<usize>,
}

/// Bytes read at once. Even, so that no pair is split but at the end of the file.
const BUFFER: usize = 64 * 1024;

/// Stands for half a pair at the end of a file: no structure.
const HALF_PAIR: u16 = 0xFFFD;

impl<R: Read> Units<R> {
    fn new(input: R, unit: Unit) -> Self {
        Self { input, unit, buffer: vec![0; BUFFER], rest: 0..0 }
    }

    fn peek(&mut self) -> io::Result<Option<u16>> {
        if self.rest.is_empty() {
            self.fill()?;
        }
        let rest = self.buffer.get(self.rest.clone()).unwrap_or_default();
        Ok(match (self.unit, rest) {
            (_, []) => None,
            (Unit::Byte, [byte, ..]) => Some(u16::from(*byte)),
            (Unit::PairLe, [low, high, ..]) | (Unit::PairBe, [high, low, ..]) => {
                Some(u16::from_be_bytes([*high, *low]))
            }
            (_, [_]) => Some(HALF_PAIR),
        })
    }

    fn next(&mut self) -> io::Result<Option<(u16, &[u8])>> {
        let Some(unit) = self.peek()? else {
            return Ok(None);
        };
        let start = self.rest.start;
        let length = if self.unit == Unit::Byte { 1 } else { 2.min(self.rest.len()) };
        self.rest.start += length;
        Ok(Some((unit, self.buffer.get(start..start + length).unwrap_or_default())))
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut filled = 0;
        while let Some(free) = self.buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
            match self.input.read(free) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.rest = 0..filled;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { field: 1000, record: 4000, fields: 100 };

    fn read_with(bytes: &[u8], encoding: Encoding, limits: Limits) -> Vec<(Vec<String>, bool, bool)> {
        let mut reader = RecordReader::new(bytes, encoding, b',', limits);
        let (mut record, mut records, mut raw) = (Record::default(), Vec::new(), Vec::new());
        while reader.read(&mut record).unwrap() {
            raw.extend_from_slice(record.raw());
            records.push((record.texts(encoding), record.cut, record.unclosed));
        }
        if records.iter().all(|(_, cut, _)| !cut) {
            assert_eq!(raw, bytes, "the raw records are the file");
        }
        records
    }

    fn read(text: &str) -> Vec<Vec<String>> {
        read_with(text.as_bytes(), Encoding::UTF_8, LIMITS).into_iter().map(|(fields, ..)| fields).collect()
    }

    #[test]
    fn records_are_split_as_a_spreadsheet_does() {
        let cases: [(&str, &[&[&str]]); 14] = [
            ("", &[]),
            ("a,b\nc,d", &[&["a", "b"], &["c", "d"]]),
            ("a\r\nb\rc\n", &[&["a"], &["b"], &["c"]]),
            ("a\n\n\r\nb\n", &[&["a"], &[""], &[""], &["b"]]),
            (",\n,,", &[&["", ""], &["", "", ""]]),
            ("\"a,\"\"b\"\"\r\nc\",d", &[&["a,\"b\"\r\nc", "d"]]),
            ("\"\",\"\"\"\"", &[&["", "\""]]),
            ("a\"b\",\"c\"d\"e", &[&["a\"b\"", "cd\"e"]]),
            (" \"a,b\"", &[&[" \"a", "b\""]]),
            ("\"a\" ,b", &[&["a ", "b"]]),
            ("a\0b,c", &[&["a\0b", "c"]]),
            ("\"open,\nb", &[&["open,\nb"]]),
            ("\"", &[&[""]]),
            ("\n", &[&[""]]),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_open_quote_is_reported_and_nothing_is_lost() {
        let records = read_with(b"a\n\"b\nc,d", Encoding::UTF_8, LIMITS);
        assert_eq!(records[1], (vec!["b\nc,d".to_owned()], false, true));
        assert!(!records[0].2);
    }

    #[test]
    fn limits_hold_and_the_next_record_is_whole() {
        let limits = Limits { field: 10, record: 25, fields: 4 };
        let long = "x".repeat(5000);
        for (text, kept) in [
            (format!("{long},b\nc,d\n"), vec!["xxxxxxxxxx", "b"]),
            (format!("\"{long}\",b\nc,d\n"), vec!["xxxxxxxxx", "b"]),
            (format!("{long},{long},{long}\nc,d\n"), vec!["xxxxxxxxxx", "xxxxxxxxxx", "xxxxx"]),
            ("1,2,3,4,5,6\nc,d\n".to_owned(), vec!["1", "2", "3", "4"]),
        ] {
            let records = read_with(text.as_bytes(), Encoding::UTF_8, limits);
            assert_eq!(records[0], (kept.iter().map(|s| (*s).to_owned()).collect(), true, false));
            assert_eq!(records[1].0, ["c", "d"]);
        }
    }

    #[test]
    fn pairs_of_bytes_are_units_and_half_a_pair_is_kept() {
        // U+0A22 and U+2C0A hold the bytes of a quote, a comma and a line feed
        let text = "\u{a22},\"\u{2c0a},b\"\r\n";
        let mut bytes = Vec::new();
        Encoding::UTF_16LE.encode(text, &mut bytes).unwrap();
        let records = read_with(&bytes, Encoding::UTF_16LE, LIMITS);
        assert_eq!(records, [(vec!["\u{a22}".to_owned(), "\u{2c0a},b".to_owned()], false, false)]);
        bytes.push(b'x');
        let records = read_with(&bytes, Encoding::UTF_16LE, LIMITS);
        assert_eq!(records[1].0, ["\u{fffd}"]);
    }

    #[test]
    fn records_longer_than_the_buffer_are_whole() {
        let cell = "я".repeat(60_000);
        let limits = Limits { field: 1 << 20, ..Limits { record: 1 << 20, ..LIMITS } };
        let mut bytes = Vec::new();
        Encoding::UTF_16BE.encode(&format!("a,{cell}\r\nb"), &mut bytes).unwrap();
        let records = read_with(&bytes, Encoding::UTF_16BE, limits);
        assert!(records[0].0[1] == cell && records[1].0 == ["b"]);
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_csv_crate_where_that_one_looks(text in "[a,\"\n\r ]{0,24}") {
            let mut oracle =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> =
                oracle.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
            let mut reader = RecordReader::new(text.as_bytes(), Encoding::UTF_8, b',', LIMITS);
            let (mut record, mut ours) = (Record::default(), Vec::new());
            while reader.read(&mut record).unwrap() {
                if !record.is_empty_line() {
                    ours.push(record.texts(Encoding::UTF_8));
                }
            }
            proptest::prop_assert_eq!(ours, theirs);
        }
    }
}
