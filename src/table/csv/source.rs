//! A CSV file as a source: read from top to bottom, a page at a time, in constant memory.

use std::fs::File;
use std::io::BufRead as _;
use std::path::PathBuf;
use std::time::SystemTime;

use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use super::dialect::{Dialect, Input, Told};
use super::encoding::Encoding;
use super::record::{Limits, Record, RecordReader};
use crate::domain::cell::Cell;
use crate::domain::entry::RowLink;
use crate::table::{Header, RowCount, SourceRow, TableError, TableSource};

/// A CSV file that statuses are read from.
///
/// Rows are numbered as a spreadsheet shows them: a record with line breaks in its cells is one row, an
/// empty line is a row.
#[derive(Debug)]
pub struct CsvSource {
    params: CsvSourceParams,
    open: Option<Open>,
}

/// Which file, and how to read it.
#[derive(Clone, Debug)]
pub struct CsvSourceParams {
    /// The file.
    pub path: PathBuf,
    /// The row of the header, from 1.
    pub header_row: u64,
    /// The first row of data, below the header.
    pub data_start_row: u64,
    /// The encoding; none to look at the file. A byte order mark in the file overrules it.
    pub encoding: Option<Encoding>,
    /// The character between fields, ASCII; none to look at the file.
    pub delimiter: Option<u8>,
}

#[derive(Debug)]
struct Open {
    /// The file itself, whoever has its name now, and how it was when it was opened.
    file: File,
    was: Stamp,
    reader: RecordReader<Input<File>>,
    encoding: Encoding,
    record: Record,
    /// The number of the row that was read last.
    row: u64,
    /// Cells of the header.
    width: usize,
}

/// So much of a row is read; a cell of more is no status, and a file without line ends must not fill memory.
const LIMITS: Limits = Limits { field: 1 << 20, record: 1 << 24, fields: 1 << 14 };

impl CsvSource {
    /// A source that reads the file when it is opened.
    pub fn new(params: CsvSourceParams) -> Self {
        Self { params, open: None }
    }

    fn open_file(&mut self) -> Result<Header, TableError> {
        self.open = None;
        let file = File::open(&self.params.path).map_err(|error| self.io_error(&error))?;
        let (kept, was) = file
            .try_clone()
            .and_then(|kept| Stamp::of(&kept).map(|was| (kept, was)))
            .map_err(|error| self.io_error(&error))?;
        let told = Told { encoding: self.params.encoding, delimiter: self.params.delimiter };
        let (dialect, reader) = Dialect::open(file, told, LIMITS)
            .map_err(|error| self.io_error(&error))?
            .map_err(|not_csv| self.malformed(not_csv.to_string()))?;
        let mut open = Open {
            file: kept,
            was,
            reader,
            encoding: dialect.encoding,
            record: Record::default(),
            row: 0,
            width: 0,
        };
        let header_row = self.params.header_row.max(1);
        while open.row < header_row {
            if !open.next().map_err(|error| self.io_error(&error))? {
                let detail = format!("header_row is {header_row}, but the file has {} rows", open.row);
                return Err(self.malformed(detail));
            }
        }
        let names = open.record.texts(open.encoding);
        open.width = names.len();
        self.open = Some(open);
        Ok(Header { names, rows: self.row_count() })
    }

    /// There are no more rows than line ends; a pipe can be read only once.
    fn row_count(&self) -> RowCount {
        let path = &self.params.path;
        let lines = || -> std::io::Result<u64> {
            let mut file = std::io::BufReader::with_capacity(1 << 18, File::open(path)?);
            let mut lines = 0;
            loop {
                let bytes = file.fill_buf()?;
                if bytes.is_empty() {
                    return Ok(lines);
                }
                lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
                let read = bytes.len();
                file.consume(read);
            }
        };
        match path.is_file().then(lines) {
            Some(Ok(lines)) => RowCount::AtMost(lines),
            Some(Err(_)) | None => RowCount::Unknown,
        }
    }

    fn read_page(&mut self, max_rows: usize) -> Result<Vec<SourceRow>, TableError> {
        let Some(mut open) = self.open.take() else {
            let detail = "not open, or failed before; it must be opened again".to_owned();
            return Err(TableError::Unavailable { table: self.name(), detail, retry_after: None });
        };
        let mut page = Vec::new();
        while page.len() < max_rows.max(1) && open.next().map_err(|error| self.io_error(&error))? {
            if open.row >= self.params.data_start_row {
                let link = RowLink { url: self.file_name(), place: format!("row {}", open.row) };
                page.push(open.source_row(link));
            }
        }
        // What was read after a change may be torn: the end of one row and the beginning of another.
        if Stamp::of(&open.file).map_err(|error| self.io_error(&error))? != open.was {
            let detail =
                "somebody changed the file while it was read; what was read before is judged, run again";
            return Err(TableError::Unavailable {
                table: self.name(),
                detail: detail.to_owned(),
                retry_after: None,
            });
        }
        self.open = Some(open);
        Ok(page)
    }

    /// The name without the folders: results are read on other machines.
    fn file_name(&self) -> String {
        let name = self.params.path.file_name().unwrap_or(self.params.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    fn io_error(&self, error: &std::io::Error) -> TableError {
        TableError::from_io(self.name(), error, "give the path of a CSV file that can be read")
    }

    fn malformed(&self, detail: String) -> TableError {
        TableError::Malformed { table: self.name(), detail }
    }
}

impl TableSource for CsvSource {
    fn name(&self) -> String {
        self.params.path.display().to_string()
    }

    fn open(&mut self) -> BoxFuture<'_, Result<Header, TableError>> {
        future::ready(self.open_file()).boxed()
    }

    fn next_page(&mut self, max_rows: usize) -> BoxFuture<'_, Result<Vec<SourceRow>, TableError>> {
        future::ready(self.read_page(max_rows)).boxed()
    }
}

/// By what a change of a file is seen, as finely as the file system keeps time; a pipe is not looked at.
#[derive(Debug, PartialEq, Eq)]
struct Stamp(Option<(u64, SystemTime, i64)>);

impl Stamp {
    fn of(file: &File) -> std::io::Result<Self> {
        let metadata = file.metadata()?;
        // Tools that set the time of a change back do not set this one.
        #[cfg(unix)]
        let touched = {
            use std::os::unix::fs::MetadataExt as _;
            metadata.ctime() ^ metadata.ctime_nsec().rotate_left(32)
        };
        #[cfg(not(unix))]
        let touched = 0;
        let stamp = || metadata.modified().map(|at| (metadata.len(), at, touched));
        Ok(Self(metadata.is_file().then(stamp).transpose()?))
    }
}

impl Open {
    fn next(&mut self) -> std::io::Result<bool> {
        let found = self.reader.read(&mut self.record)?;
        self.row += u64::from(found);
        Ok(found)
    }

    fn source_row(&self, link: RowLink) -> SourceRow {
        let mut warnings = Vec::new();
        let mut cells = Vec::with_capacity(self.record.len());
        for index in 0..self.record.len() {
            let (text, malformed) = self.record.text(index, self.encoding);
            if malformed {
                let encoding = self.encoding.name();
                warnings.push(format!(
                    "column {} has bytes that are not {encoding}; they are read as \u{fffd}",
                    index + 1
                ));
            }
            cells.push(Cell::text(text));
        }
        if cells.iter().skip(self.width).any(|cell| !cell.is_blank()) {
            warnings.push(format!("{} cells, but the header has {}", cells.len(), self.width));
        }
        if self.record.cut {
            warnings
                .push("too long: a cell over 1 MiB, or a row over 16 MiB or 16,384 cells, was cut".into());
        }
        if self.record.unclosed {
            warnings.push("a quote is never closed: the rest of the file was read as this row".into());
        }
        SourceRow { row: self.row, cells, link: Some(link), warnings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: &str = "Проект;Статус;Комментарий\r\n\
        Замена окон;Завершен;\"Заменены 140 окон; акт подписан\r\n«комендантом», сумма 1,5 млн\"\r\n\
        \r\n\
        Учёт «тары»;В графике;\"Сделано: \"\"12\"\" ящиков\"\r\n\
        ;;\r\n\
        Касса;Есть риски\r\n";

    fn source(dir: &tempfile::TempDir, bytes: &[u8]) -> CsvSource {
        let path = dir.path().join("statuses.csv");
        std::fs::write(&path, bytes).unwrap();
        CsvSource::new(CsvSourceParams {
            path,
            header_row: 1,
            data_start_row: 2,
            encoding: None,
            delimiter: None,
        })
    }

    fn read(bytes: &[u8]) -> (Vec<String>, Vec<SourceRow>) {
        let dir = tempfile::tempdir().unwrap();
        let mut source = source(&dir, bytes);
        let header = source.open_file().unwrap();
        let mut rows = Vec::new();
        loop {
            let page = source.read_page(2).unwrap();
            if page.is_empty() {
                return (header.names, rows);
            }
            assert!(page.len() <= 2);
            rows.extend(page);
        }
    }

    /// The same table with another delimiter, as a spreadsheet would export it.
    fn delimited(delimiter: char) -> String {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(b';')
            .from_reader(STATUSES.as_bytes());
        let mut text = String::new();
        for (at, record) in reader.records().enumerate() {
            if at == 2 {
                text.push_str("\r\n"); // the empty line, which the csv crate skips
            }
            let quoted = |field: &str| match field.contains([delimiter, '"', '\n']) {
                true => format!("\"{}\"", field.replace('"', "\"\"")),
                false => field.to_owned(),
            };
            let fields: Vec<String> = record.unwrap().iter().map(quoted).collect();
            text.push_str(&fields.join(&delimiter.to_string()));
            text.push_str("\r\n");
        }
        text
    }

    #[test]
    fn every_encoding_and_delimiter_gives_the_same_rows() {
        let expected = read(STATUSES.as_bytes());
        assert_eq!(expected.0, ["Проект", "Статус", "Комментарий"]);
        let numbers: Vec<u64> = expected.1.iter().map(|row| row.row).collect();
        assert_eq!(numbers, [2, 3, 4, 5, 6], "an empty line is a row, a line break in a cell is none");
        let comment = "Заменены 140 окон; акт подписан\r\n«комендантом», сумма 1,5 млн";
        assert_eq!(expected.1[0].cells[2], Cell::Text(comment.into()));
        assert_eq!(expected.1[1].cells, [Cell::Empty]);
        assert_eq!(expected.1[4].cells.len(), 2);
        assert!(expected.1.iter().all(|row| row.warnings.is_empty()));
        for delimiter in [',', ';', '\t'] {
            let text = delimited(delimiter);
            for (encoding, bom) in [
                (Encoding::UTF_8, false),
                (Encoding::UTF_8, true),
                (Encoding::UTF_16LE, true),
                (Encoding::UTF_16LE, false),
                (Encoding::UTF_16BE, true),
                (Encoding::UTF_16BE, false),
                (Encoding::WINDOWS_1251, false),
            ] {
                let mut bytes = if bom { encoding.bom().to_vec() } else { Vec::new() };
                encoding.encode(&text, &mut bytes).unwrap();
                assert_eq!(read(&bytes), expected, "{delimiter:?} {encoding:?} {bom}");
            }
        }
    }

    #[test]
    fn rubbish_is_reported_with_its_row() {
        let mut bytes = b"a,b\nlong,row,extra\nshort\nlong,row,,\n".to_vec();
        bytes.extend(vec![b'x'; (1 << 20) + 10]);
        bytes.extend(b",next\nbad \xFF,byte\n\"open,\nend");
        let (_, rows) = read(&bytes);
        let told = |row: usize| rows[row - 2].warnings.join("; ");
        assert_eq!(told(2), "3 cells, but the header has 2");
        assert_eq!((told(3), told(4)), (String::new(), String::new()));
        assert!(told(5).contains("was cut") && rows[3].cells[1] == Cell::Text("next".into()));
        assert_eq!(told(6), "column 1 has bytes that are not UTF-8; they are read as \u{fffd}");
        assert!(told(7).contains("never closed"));
        assert_eq!(rows[5].cells, [Cell::Text("open,\nend".into())]);
    }

    #[test]
    fn header_and_data_start_where_they_are_said_to() {
        let dir = tempfile::tempdir().unwrap();
        let mut source = source(&dir, b"Report\n\na,b\nunits,-\n1,2\n");
        (source.params.header_row, source.params.data_start_row) = (3, 5);
        for _ in 0..2 {
            assert_eq!(source.open_file().unwrap().names, ["a", "b"], "opened again, it starts at the top");
            let page = source.read_page(10).unwrap();
            assert_eq!(page.len(), 1);
            assert_eq!(page[0].row, 5);
            let link = RowLink { url: "statuses.csv".into(), place: "row 5".into() };
            assert_eq!(page[0].link, Some(link));
            assert!(source.read_page(10).unwrap().is_empty());
        }
    }

    #[test]
    fn a_file_without_rows_has_none() {
        for text in ["a,b", "a,b\r\n", "\u{feff}a,b\n"] {
            assert_eq!(read(text.as_bytes()), (vec!["a".into(), "b".into()], Vec::new()));
        }
    }

    #[test]
    fn what_is_not_a_table_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for (bytes, expected) in [
            (&b""[..], "the file is empty"),
            (b"PK\x03\x04", "workbook (XLSX)"),
            (b"\xD0\xCF\x11\xE0", "old workbook"),
            (b"\xEF\xBB\xBF", "header_row is 1, but the file has 0 rows"),
        ] {
            let error = source(&dir, bytes).open_file().unwrap_err();
            assert!(matches!(error, TableError::Malformed { .. }));
            let text = error.to_string();
            assert!(text.contains(expected) && text.contains("statuses.csv"), "{text}");
        }
        let mut beyond = source(&dir, b"a\nb\n");
        beyond.params.header_row = 7;
        let text = beyond.open_file().unwrap_err().to_string();
        assert!(text.contains("header_row is 7, but the file has 2 rows"), "{text}");
        let mut folder = source(&dir, b"a");
        folder.params.path = dir.path().to_owned();
        assert!(matches!(folder.open_file(), Err(TableError::Malformed { .. })));
        folder.params.path = dir.path().join("absent.csv");
        assert!(matches!(folder.open_file(), Err(TableError::NotFound { .. })));
        assert!(matches!(folder.read_page(1), Err(TableError::Unavailable { .. })));
    }

    #[test]
    fn a_long_table_is_read_a_page_at_a_time() {
        let mut text = String::from("Project,Comment\n");
        for row in 2..=20_000 {
            text.push_str(&format!("Project {row},\"line\nbreak {row}\"\n"));
        }
        let (_, rows) = read(text.as_bytes());
        assert_eq!(rows.len(), 19_999);
        assert_eq!(rows[19_998].row, 20_000);
        assert_eq!(rows[19_998].cells[1], Cell::Text("line\nbreak 20000".into()));
        let dir = tempfile::tempdir().unwrap();
        let header = source(&dir, text.as_bytes()).open_file().unwrap();
        assert_eq!(header.rows, RowCount::AtMost(2 * 19_999 + 1), "a line end within a cell counts, too");
    }
}
