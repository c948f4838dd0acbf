//! A results table in a CSV file, as it stands: its header, and whose row each record is.

use std::fs::{self, File, Metadata};
use std::path::Path;

use super::dialect::{DELIMITERS, Dialect, Input, NotCsv, Told};
use super::neutralise::{restore, restore_exact};
use super::record::{Limits, Record, RecordReader};
use crate::domain::key::RowKey;
use crate::domain::results::ResultColumn;
use crate::domain::upsert::{ExistingKeys, is_gone_mark};
use crate::table::TableError;
use crate::table::places::{Owner, Places, header_score, telling_headers};

/// What stands where the results are to be written.
#[derive(Debug)]
pub(super) enum Existing {
    /// No file.
    Absent,
    /// A file with nothing in it.
    Blank(Metadata),
    /// A results table.
    Table(Box<ResultsFile>),
}

/// A results table that is read record by record, below its header.
#[derive(Debug)]
pub(super) struct ResultsFile {
    table: String,
    pub(super) metadata: Metadata,
    pub(super) dialect: Dialect,
    pub(super) header: Record,
    pub(super) places: Places,
    reader: RecordReader<Input<File>>,
    keys: ExistingKeys,
    row: u64,
}

/// A row of the table is read whole or not at all: it is to be written back.
const LIMITS: Limits = Limits { field: 1 << 26, record: 1 << 26, fields: 1 << 14 };

impl Existing {
    /// Looks at the file. `delimiter` is what new files get; an existing one may have another.
    pub(super) fn open(
        path: &Path,
        table: &str,
        delimiter: Option<u8>,
        columns: &[ResultColumn],
    ) -> Result<Self, TableError> {
        let malformed = |detail: String| TableError::Malformed { table: table.to_owned(), detail };
        let io_error = |error| TableError::from_io(table, &error, "give the path of a results file");
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(malformed("not a file; give the path of a CSV file".into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::Absent),
            Err(error) => return Err(io_error(error)),
        }
        // the header decides: only with the right delimiter does it have our columns
        let others = DELIMITERS.map(Some);
        for delimiter in [delimiter, None].into_iter().chain(others) {
            let file = File::open(path).map_err(io_error)?;
            let metadata = file.metadata().map_err(io_error)?;
            let told = Told { encoding: None, delimiter };
            let (dialect, reader) = match Dialect::open(file, told, LIMITS).map_err(io_error)? {
                Ok(opened) => opened,
                Err(NotCsv::Empty) => return Ok(Self::Blank(metadata)),
                Err(other) => return Err(malformed(other.to_string())),
            };
            let mut file = ResultsFile {
                table: table.to_owned(),
                metadata,
                dialect,
                header: Record::default(),
                places: Places::default(),
                reader,
                keys: ExistingKeys::default(),
                row: 0,
            };
            let mut header = Record::default();
            if !file.read(&mut header)? {
                return Ok(Self::Blank(file.metadata));
            }
            let names = header.texts(file.dialect.encoding);
            if header_score(&names, Owner::Unknown).is_some() {
                file.places = Places::locate(&names, columns)
                    .map_err(|problems| TableError::Header { table: table.to_owned(), problems })?;
                file.header = header;
                return Ok(Self::Table(Box::new(file)));
            }
        }
        Err(malformed(format!(
            "the file exists already and is no results table, whose header has {}; it was not touched: give another path, \
             or put the header back",
            telling_headers()
        )))
    }
}

impl ResultsFile {
    /// Reads the next record; false at the end.
    ///
    /// # Errors
    /// Also for a record that cannot be written back as it is.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, TableError> {
        let table = &self.table;
        let found = self
            .reader
            .read(record)
            .map_err(|error| TableError::from_io(table, &error, "nothing was written"))?;
        self.row += u64::from(found);
        let problem = if record.unclosed {
            "a quote is never closed, so the rows below cannot be told apart; close it"
        } else if record.cut {
            "the row is over 64 MiB or 16,384 cells; shorten it"
        } else {
            return Ok(found);
        };
        Err(TableError::Malformed { table: table.clone(), detail: format!("row {}: {problem}", self.row) })
    }

    /// The key of the record that was read last; none for a row of people. To be asked once a record.
    pub(super) fn key(&mut self, record: &Record) -> Option<RowKey> {
        let (places, encoding) = (&self.places, self.dialect.encoding);
        self.keys.next(|column| {
            let cell = record.text(places.of(column)?, encoding).0;
            Some(match column {
                ResultColumn::Key => restore_exact(&cell).to_owned(),
                _ => restore(&cell).to_owned(),
            })
        })
    }

    /// True for a row that is marked already as gone from the source.
    pub(super) fn is_marked_gone(&self, record: &Record) -> bool {
        let place = self.places.of(ResultColumn::RowNumber);
        place.is_some_and(|place| is_gone_mark(&record.text(place, self.dialect.encoding).0))
    }
}
