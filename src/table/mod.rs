//! Tables: where rows come from and where results go.
//!
//! [`TableSource`] and [`TableSink`] are what the engine knows of a table; anyone can implement them.

mod a1;
pub mod csv;
pub mod google;
pub mod memory;
mod places;
mod replacement;
mod spool;
pub mod xlsx;

use std::fmt;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};

use crate::domain::cell::Cell;
use crate::domain::columns::HeaderProblems;
use crate::domain::entry::RowLink;
use crate::domain::foreign::ForeignVerdicts;
use crate::domain::language::Language;
use crate::domain::results::{Layout, ResultRow};

/// A table that is read from top to bottom, a page at a time.
pub trait TableSource: Send {
    /// What people call it: a path, a spreadsheet and its tab.
    fn name(&self) -> String;

    /// Starts at the top, again if it was open before, and gives the header row.
    fn open(&mut self) -> BoxFuture<'_, Result<Header, TableError>>;

    /// The next rows, at most `max_rows`; an empty page is the end. Blank rows are rows.
    fn next_page(&mut self, max_rows: usize) -> BoxFuture<'_, Result<Vec<SourceRow>, TableError>>;

    /// True if rows moved while they were read: a row that was not given may be there all the same.
    fn was_disturbed(&self) -> bool {
        false
    }

    /// The requests to a service since this was last asked; files make none.
    fn take_requests(&mut self) -> Requests {
        Requests::default()
    }
}

/// The header of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The names, untrimmed.
    pub names: Vec<String>,
    /// How many data rows there are, as far as the table knows without reading them.
    pub rows: RowCount,
}

/// How many data rows a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowCount {
    /// So many.
    Exactly(u64),
    /// So many at most: the last ones may be blank.
    AtMost(u64),
    /// Nobody knows.
    Unknown,
}

/// A row as read.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRow {
    /// Its number in the table, from 1 with the header.
    pub row: u64,
    /// The cells; a short row has fewer than the header.
    pub cells: Vec<Cell>,
    /// Where the row can be looked at.
    pub link: Option<RowLink>,
    /// Things about the row that people should know, such as bytes that are not text.
    pub warnings: Vec<String>,
}

impl SourceRow {
    /// A row without a link and without warnings.
    pub fn new(row: u64, cells: Vec<Cell>) -> Self {
        Self { row, cells, link: None, warnings: Vec::new() }
    }
}

/// A results table, kept in step by row key.
///
/// The order of calls is `open`, any number of `upsert` and `commit`, at most one `mark_gone`, `commit`,
/// `close`. Every call is safe to repeat after an error: rows are found by key at the moment of writing, so
/// nothing is ever written twice.
pub trait TableSink: Send {
    /// What people call it.
    fn name(&self) -> String;

    /// Makes ready to take rows, again if it was open before. Rows taken but not committed are forgotten:
    /// whoever gave them still has them.
    fn open(&mut self, how: &SinkOptions) -> BoxFuture<'_, Result<(), TableError>>;

    /// Takes rows. They count as written only when a later `commit` has returned.
    fn upsert<'a>(&'a mut self, rows: &'a [ResultRow]) -> BoxFuture<'a, Result<(), TableError>>;

    /// Makes all rows taken so far durable: nobody ever sees half a row, nor, in a file, half a table.
    fn commit(&mut self) -> BoxFuture<'_, Result<Committed, TableError>>;

    /// Called once after the whole source was read and every row upserted: rows of the table whose keys
    /// were not upserted since `open` are marked as gone from the source, unless nearly all would be and
    /// `accept_shrink` is false. Takes effect with the next `commit`.
    fn mark_gone(&mut self, accept_shrink: bool) -> BoxFuture<'_, Result<(), TableError>>;

    /// The run is over and everything is committed: takes away what only a run needs.
    fn close(&mut self) -> BoxFuture<'_, Result<(), TableError>> {
        std::future::ready(Ok(())).boxed()
    }

    /// True if so much is taken that it should be committed now, for the sake of memory.
    fn is_full(&self) -> bool {
        false
    }

    /// How long after a commit began it may still take effect although whoever began it is gone; zero where
    /// a commit ends with its process.
    fn settles_within(&self) -> Duration {
        Duration::ZERO
    }

    /// False while a commit that ended with an error may still take effect.
    fn is_settled(&self) -> bool {
        true
    }

    /// Verdicts that another tool wrote into the table, as it was when it was opened.
    fn foreign_verdicts(&mut self) -> ForeignVerdicts {
        ForeignVerdicts::default()
    }

    /// The requests to a service since this was last asked; files make none.
    fn take_requests(&mut self) -> Requests {
        Requests::default()
    }
}

/// Requests to a service, whatever came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Those that read.
    pub reads: u64,
    /// Those that wrote.
    pub writes: u64,
}

/// How a results table is written.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// Which columns it has.
    pub layout: Layout,
    /// The language of our own words.
    pub language: Language,
    /// Today, for the mark of rows that are gone.
    pub today: jiff::civil::Date,
    /// The time zone of dates in the table.
    pub time_zone: jiff::tz::TimeZone,
    /// A commit began so long ago and nobody knows how it ended: its process died. It may take effect until
    /// [`TableSink::settles_within`] is over.
    pub unsettled: Option<Duration>,
}

/// What happens to rows of a results table that the source did not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    /// Nothing: the source may not be read to its end.
    Keep,
    /// They are marked, if not nearly all of them.
    Mark,
    /// They are marked, however many.
    MarkAll,
}

impl Gone {
    /// What [`TableSink::mark_gone`] asks for.
    fn marked(accept_shrink: bool) -> Self {
        if accept_shrink { Self::MarkAll } else { Self::Mark }
    }
}

/// What a commit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Rows that were added or changed.
    pub written: u64,
    /// Rows that said the same already and were left alone.
    pub unchanged: u64,
    /// Rows newly marked as gone from the source.
    pub marked_gone: u64,
    /// Rows that would have been marked, had not nearly all been gone.
    pub shrink_refused: u64,
    /// Things people should know: a text that was cut, a column that is missing.
    pub warnings: Vec<String>,
}

/// What went wrong with a table. Every variant names the table; nothing that was committed is lost.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Not there.
    #[error("{table}: not found: {detail}")]
    NotFound {
        /// The table.
        table: String,
        /// What was looked for, and what to do.
        detail: String,
    },
    /// The service answers, but what is there is not what the settings say: no such tab, no header in its row, somebody
    /// else's table.
    #[error("{table}: not as the settings say: {detail}")]
    Mismatch {
        /// The table.
        table: String,
        /// What was looked for, what there is, and what to do.
        detail: String,
    },
    /// There, but not to be read or written by us.
    #[error("{table}: access refused: {detail}")]
    Forbidden {
        /// The table.
        table: String,
        /// Who was refused what, and what to do.
        detail: String,
    },
    /// The header does not fit the settings. Nothing was spent, nothing was written.
    #[error("{table}: {problems}")]
    Header {
        /// The table.
        table: String,
        /// All of its problems.
        problems: HeaderProblems,
    },
    /// Not a table of this kind, or a damaged one.
    #[error("{table}: cannot be read: {detail}")]
    Malformed {
        /// The table.
        table: String,
        /// What is wrong, and what to do.
        detail: String,
    },
    /// It can take no more.
    #[error("{table}: full: {detail}")]
    Full {
        /// The table.
        table: String,
        /// Which limit is reached, and what to do.
        detail: String,
    },
    /// Cannot be reached or written just now; the same call may succeed later.
    #[error("{table}: unavailable: {detail}")]
    Unavailable {
        /// The table.
        table: String,
        /// What happened.
        detail: String,
        /// When to try again, where the table says so.
        retry_after: Option<Duration>,
    },
}

impl TableError {
    /// True if the same call may succeed later without anyone doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::NotFound { .. }
            | Self::Mismatch { .. }
            | Self::Forbidden { .. }
            | Self::Header { .. }
            | Self::Malformed { .. }
            | Self::Full { .. } => false,
        }
    }

    /// The error for an I/O error of a local file, by its kind.
    pub fn from_io(table: impl fmt::Display, error: &std::io::Error, what_to_do: &str) -> Self {
        use std::io::ErrorKind as Kind;
        let table = table.to_string();
        let detail = if what_to_do.is_empty() { error.to_string() } else { format!("{error}; {what_to_do}") };
        match error.kind() {
            Kind::NotFound => Self::NotFound { table, detail },
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Self::Forbidden { table, detail },
            Kind::IsADirectory | Kind::NotADirectory | Kind::InvalidData => Self::Malformed { table, detail },
            Kind::StorageFull | Kind::QuotaExceeded => Self::Full { table, detail },
            _ => Self::Unavailable { table, detail, retry_after: None },
        }
    }
}
