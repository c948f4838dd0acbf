//! How a CSV file is written: its encoding and its delimiter, found by looking at its start.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use super::encoding::Encoding;
use super::record::{Limits, Record, RecordReader};

/// How a file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) encoding: Encoding,
    /// What separates fields, an ASCII character.
    pub(super) delimiter: u8,
    /// What stands before the first record: a byte order mark, Excel's `sep=;` line.
    pub(super) preamble: Vec<u8>,
}

/// What people say about a file; none is for looking.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// Holds unless the file has a byte order mark.
    pub(super) encoding: Option<Encoding>,
    pub(super) delimiter: Option<u8>,
}

/// Why a file is not CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotCsv {
    #[error("the file is empty; export the table again")]
    Empty,
    #[error("this is a workbook (XLSX) or another ZIP file, not CSV; name it .xlsx, or export it as CSV")]
    Zip,
    #[error("this is an old workbook (XLS), not CSV; save it as XLSX or CSV")]
    Xls,
}

/// A file whose dialect is known, at its first record.
pub(super) type Input<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// A file that was looked at and stands at its first record, or why it cannot be read as one.
pub(super) type Opened<R> = Result<(Dialect, RecordReader<Input<R>>), NotCsv>;

/// How much of a file is looked at.
const START: u64 = 1 << 20;

/// How many records decide which delimiter a file has.
const SAMPLE: usize = 50;

/// The delimiters that are looked for; the earlier one wins a tie.
pub(super) const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

impl Dialect {
    /// How new files are written: what Excel opens with a double click, whatever the letters.
    pub(super) fn new(delimiter: Option<u8>) -> Self {
        let encoding = Encoding::UTF_8;
        Self { encoding, delimiter: delimiter.unwrap_or(b','), preamble: encoding.bom().to_vec() }
    }

    /// Looks at the start of `file` and gives a reader that stands at the first record.
    pub(super) fn open<R: Read>(mut file: R, told: Told, limits: Limits) -> io::Result<Opened<R>> {
        let mut start = Vec::new();
        file.by_ref().take(START).read_to_end(&mut start)?;
        let whole = (start.len() as u64) < START;
        Ok(Self::detect(&start, whole, told).map(|dialect| {
            let mut input = Cursor::new(start);
            input.set_position(dialect.preamble.len() as u64);
            let reader = RecordReader::new(input.chain(file), dialect.encoding, dialect.delimiter, limits);
            (dialect, reader)
        }))
    }

    /// Decides from the start of a file; `whole` says that there is no more of it.
    fn detect(start: &[u8], whole: bool, told: Told) -> Result<Self, NotCsv> {
        if start.is_empty() {
            return Err(NotCsv::Empty);
        }
        if start.starts_with(b"PK\x03\x04") {
            return Err(NotCsv::Zip);
        }
        if start.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
            return Err(NotCsv::Xls);
        }
        let (encoding, bom) = Encoding::of_bom(start)
            .unwrap_or_else(|| (told.encoding.unwrap_or_else(|| Encoding::guess(start, whole)), 0));
        let body = start.get(bom..).unwrap_or_default();
        let (hint, hint_length) = separator_line(body, encoding);
        let body = body.get(hint_length..).unwrap_or_default();
        let delimiter = told.delimiter.or(hint).unwrap_or_else(|| guess_delimiter(body, whole, encoding));
        let preamble = start.get(..bom + hint_length).unwrap_or_default().to_vec();
        Ok(Self { encoding, delimiter, preamble })
    }
}

const SAMPLE_LIMITS: Limits = Limits { field: 1 << 16, record: START as usize, fields: 1 << 14 };

/// The delimiter of a first line `sep=;`, which spreadsheets obey and do not show, and the line's length.
fn separator_line(body: &[u8], encoding: Encoding) -> (Option<u8>, usize) {
    let mut record = Record::default();
    let start = body.get(..body.len().min(32)).unwrap_or_default(); // the line has seven characters
    let mut reader = RecordReader::new(start, encoding, b'\n', SAMPLE_LIMITS);
    if matches!(reader.read(&mut record), Ok(true)) && !record.line_end().is_empty() {
        let (line, _) = record.text(0, encoding);
        if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] = *line.as_bytes() {
            return (Some(delimiter), record.raw().len());
        }
    }
    (None, 0)
}

/// The delimiter that splits the most records cleanly; then the one that gives the most of them the same
/// number of fields; then the one that gives the most fields.
fn guess_delimiter(body: &[u8], whole: bool, encoding: Encoding) -> u8 {
    let mut best = (DELIMITERS[0], Fit::default());
    for delimiter in DELIMITERS {
        let fit = fit(body, whole, encoding, delimiter);
        if fit.alike > 0 && (fit > best.1 || best.1.alike == 0) {
            best = (delimiter, fit);
        }
    }
    best.0
}

/// How well a delimiter fits; the greater, the better.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// Records that it splits cleanly, less those that it does not.
    clean: i32,
    /// Cleanly split records that have the commonest number of fields.
    alike: usize,
    /// That number.
    fields: usize,
}

fn fit(body: &[u8], whole: bool, encoding: Encoding, delimiter: u8) -> Fit {
    let mut reader = RecordReader::new(body, encoding, delimiter, SAMPLE_LIMITS);
    let mut record = Record::default();
    let mut clean = 0;
    let mut records_of = BTreeMap::new();
    for _ in 0..SAMPLE {
        let found = matches!(reader.read(&mut record), Ok(true));
        if !found || (record.line_end().is_empty() && !whole) {
            break;
        }
        if record.len() > 1 && has_clean_quotes(&record, encoding) {
            clean += 1;
            *records_of.entry(record.len()).or_insert(0) += 1;
        } else if !record.is_empty_line() {
            clean -= 1;
        }
    }
    let (alike, fields) =
        records_of.into_iter().map(|(fields, records)| (records, fields)).max().unwrap_or_default();
    Fit { clean, alike, fields }
}

/// False if a quoted field goes on after its closing quote: it was quoted because of another delimiter.
fn has_clean_quotes(record: &Record, encoding: Encoding) -> bool {
    (0..record.len()).all(|index| {
        let (field, _) = encoding.decode(record.raw_field(index).unwrap_or_default());
        field.strip_prefix('"').is_none_or(|rest| rest.ends_with('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(text: &str) -> Dialect {
        Dialect::detect(text.as_bytes(), true, Told::default()).unwrap()
    }

    #[test]
    fn delimiters_are_found() {
        for (text, expected) in [
            ("a,b,c\n1,2,3\n", b','),
            ("a;b;c\n1,5;2,5;3\n", b';'),
            ("a;b,c;d\n", b';'),
            ("a\tb\n\"x;y;z\"\t2\n", b'\t'),
            ("a,b\n\"x;y\nz;u;v;w\",2\n\"1;2;3\",4\n", b','),
            ("Отчёт за неделю, предварительный\n\nПроект;Статус\nА, Б, В;1\nГ;2\n", b';'),
            ("a;b\n\n\n1;2\n", b';'),
            ("\"a\",\"b\"\n\"\n;\n;\n\",\";\"\n", b','),
            ("a;b;c\n1;well, no\n2;yes, sir;3;4\n", b';'),
            ("alone\nand alone\n", b','),
            ("\n\n", b','),
            ("a;b\n\"never closed;,,,,\n,,,,", b';'),
        ] {
            assert_eq!(char::from(detect(text).delimiter), char::from(expected), "{text:?}");
        }
    }

    #[test]
    fn what_people_say_holds_but_for_a_byte_order_mark() {
        let told = Told { encoding: Encoding::for_label("koi8-r"), delimiter: Some(b'|') };
        let dialect = Dialect::detect(b"a|b,c,d\n", true, told).unwrap();
        assert_eq!((dialect.encoding.name(), dialect.delimiter), ("KOI8-R", b'|'));
        let dialect = Dialect::detect(b"\xEF\xBB\xBFa,b\n", true, told).unwrap();
        assert_eq!(dialect.encoding, Encoding::UTF_8);
        assert_eq!(dialect.preamble, b"\xEF\xBB\xBF");
    }

    #[test]
    fn a_separator_line_is_obeyed_and_is_no_record() {
        let text = "\u{feff}sep=;\r\na,b;c,d\r\n";
        let (dialect, mut reader) =
            Dialect::open(text.as_bytes(), Told::default(), SAMPLE_LIMITS).unwrap().unwrap();
        assert_eq!((dialect.delimiter, dialect.preamble.len()), (b';', 10));
        let mut record = Record::default();
        assert!(reader.read(&mut record).unwrap());
        assert_eq!(record.texts(dialect.encoding), ["a,b", "c,d"]);
        assert_eq!(detect("sep=\n1\n").preamble, b"", "a header of that name is a header");
    }

    #[test]
    fn other_kinds_of_files_are_named() {
        let detect = |bytes: &[u8]| Dialect::detect(bytes, true, Told::default()).unwrap_err();
        assert_eq!(detect(b""), NotCsv::Empty);
        assert_eq!(detect(b"PK\x03\x04rest"), NotCsv::Zip);
        assert_eq!(detect(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), NotCsv::Xls);
    }
}
