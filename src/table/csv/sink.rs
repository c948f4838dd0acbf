//! A CSV file as a results table, upserted by row key in constant memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::commit::{Gone, Plan, commit};
use super::replacement::{remove_leftovers, resolve};
use super::results::Existing;
use crate::domain::results::ResultRow;
use crate::table::spool::Spool;
use crate::table::{Committed, SinkOptions, TableError, TableSink};

/// A CSV file that results are kept in.
///
/// Our columns are found by their headers; those that are missing are added at the right. Records that do
/// not change keep their bytes, and a file in which nothing changes is not touched. Encoding, delimiter and
/// line ends of an existing file stay; a new one is what Excel opens: UTF-8 with a byte order mark, every
/// field quoted. Texts that a spreadsheet could take for formulas get an apostrophe, and texts of more than
/// 50,000 UTF-16 units are cut.
#[derive(Debug)]
pub struct CsvSink {
    params: CsvSinkParams,
    /// Shared with the thread that does the work: it may outlive a caller that gave up waiting.
    open: Arc<Mutex<Option<Open>>>,
}

/// Which file, and how a new one is written.
#[derive(Clone, Debug)]
pub struct CsvSinkParams {
    /// The file; it need not exist, its folder must.
    pub path: PathBuf,
    /// The character between the fields of a new file, ASCII; none for a comma.
    pub delimiter: Option<u8>,
}

#[derive(Debug)]
struct Open {
    plan: Plan,
    spool: Spool,
    gone: Gone,
}

impl CsvSink {
    /// A sink that looks at the file when it is opened.
    pub fn new(params: CsvSinkParams) -> Self {
        Self { params, open: Arc::default() }
    }

    /// Does `work` on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Option<Open>) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, TableError> {
        let open = Arc::clone(&self.open);
        let working = tokio::task::spawn_blocking(move || {
            work(&mut open.lock().unwrap_or_else(PoisonError::into_inner))
        });
        match working.await {
            Ok(result) => result,
            Err(error) => Err(unavailable(self.name(), error.to_string())),
        }
    }

    async fn with_open<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Open) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, TableError> {
        let table = self.name();
        self.blocking(move |open| match open {
            Some(open) => work(open),
            None => Err(unavailable(table, "not open; it must be opened first".into())),
        })
        .await
    }
}

impl TableSink for CsvSink {
    fn name(&self) -> String {
        self.params.path.display().to_string()
    }

    fn open(&mut self, how: &SinkOptions) -> BoxFuture<'_, Result<(), TableError>> {
        let plan = Plan {
            target: self.params.path.clone(),
            table: self.name(),
            delimiter: self.params.delimiter,
            columns: how.layout.columns(),
            language: how.language,
            today: how.today,
        };
        self.blocking(move |open| {
            *open = None;
            *open = Some(Open::new(plan)?);
            Ok(())
        })
        .boxed()
    }

    fn upsert<'a>(&'a mut self, rows: &'a [ResultRow]) -> BoxFuture<'a, Result<(), TableError>> {
        let rows = rows.to_vec();
        self.with_open(move |open| {
            open.spool.put(&rows).map_err(|error| error.of_table(open.plan.table.clone()))
        })
        .boxed()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<Committed, TableError>> {
        self.with_open(|open| {
            let committed = commit(&open.plan, &mut open.spool, open.gone)?;
            open.gone = Gone::Keep;
            Ok(committed)
        })
        .boxed()
    }

    fn mark_gone(&mut self, accept_shrink: bool) -> BoxFuture<'_, Result<(), TableError>> {
        self.with_open(move |open| {
            open.gone = if accept_shrink { Gone::MarkAll } else { Gone::Mark };
            Ok(())
        })
        .boxed()
    }
}

impl Open {
    /// Finds out what would make a commit fail before anything is paid for.
    fn new(mut plan: Plan) -> Result<Self, TableError> {
        plan.target = resolve(&plan.target);
        Existing::open(&plan.target, &plan.table, plan.delimiter, &plan.columns)?;
        let what_to_do = "the folder must exist and be writable";
        remove_leftovers(&plan.target)
            .map_err(|error| TableError::from_io(&plan.table, &error, what_to_do))?;
        let spool = Spool::new().map_err(|error| error.of_table(plan.table.clone()))?;
        Ok(Self { plan, spool, gone: Gone::Keep })
    }
}

fn unavailable(table: String, detail: String) -> TableError {
    TableError::Unavailable { table, detail, retry_after: None }
}
