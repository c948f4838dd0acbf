//! A sheet of a workbook as a results table.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::edit::{self, Gone, Stop, Task};
use super::{address, guard};
use crate::domain::results::{ResultColumn, ResultRow};
use crate::table::replacement::{Replacement, remove_leftovers, resolve};
use crate::table::spool::Spool;
use crate::table::{Committed, SinkOptions, TableError, TableSink};

/// A sheet of an Excel workbook that results are kept in.
///
/// Our columns are found by their headers; those that are missing are added at the right. A workbook that
/// is there is changed in place: other sheets, people's columns, formats, formulas and comments stay, and a
/// workbook in which nothing changes is not touched. Texts are written as texts, never as formulas; those of
/// more than 32,767 UTF-16 units are cut.
#[derive(Debug)]
pub struct XlsxSink {
    params: XlsxSinkParams,
    /// Shared with the thread that does the work: it may outlive a caller that gave up waiting.
    open: Arc<Mutex<Option<Open>>>,
}

/// Which sheet of which workbook.
#[derive(Clone, Debug)]
pub struct XlsxSinkParams {
    /// The workbook; it need not exist, its folder must.
    pub path: PathBuf,
    /// The sheet, by its name without regard to case; none for `Status Review`. It is made if the workbook
    /// does not have it.
    pub sheet: Option<String>,
}

/// The name of the results sheet, unless the settings give another.
const DEFAULT_SHEET: &str = "Status Review";

#[derive(Debug)]
struct Open {
    /// The file itself, not a link to it.
    target: PathBuf,
    /// What people call it.
    table: String,
    sheet: String,
    columns: Vec<ResultColumn>,
    options: SinkOptions,
    spool: Spool,
    gone: Gone,
}

impl XlsxSink {
    /// A sink that looks at the workbook when it is opened.
    pub fn new(params: XlsxSinkParams) -> Self {
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

impl TableSink for XlsxSink {
    fn name(&self) -> String {
        self.params.path.display().to_string()
    }

    fn open(&mut self, how: &SinkOptions) -> BoxFuture<'_, Result<(), TableError>> {
        let (params, options) = (self.params.clone(), how.clone());
        self.blocking(move |open| {
            *open = None;
            *open = Some(Open::new(params, options)?);
            Ok(())
        })
        .boxed()
    }

    fn upsert<'a>(&'a mut self, rows: &'a [ResultRow]) -> BoxFuture<'a, Result<(), TableError>> {
        let mut rows = rows.to_vec();
        for row in &mut rows {
            row.key = edit::stored_key(row.key.clone());
        }
        self.with_open(move |open| open.spool.put(&rows).map_err(|error| error.of_table(open.table.clone())))
            .boxed()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<Committed, TableError>> {
        self.with_open(Open::commit).boxed()
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
    fn new(params: XlsxSinkParams, options: SinkOptions) -> Result<Self, TableError> {
        let table = params.path.display().to_string();
        let sheet = params.sheet.unwrap_or_else(|| DEFAULT_SHEET.to_owned());
        rust_xlsxwriter::utility::check_sheet_name(&sheet)
            .map_err(|error| TableError::Malformed { table: table.clone(), detail: error.to_string() })?;
        let target = resolve(&params.path);
        let columns = options.layout.columns();
        if fs::exists(&target).map_err(|error| TableError::from_io(&table, &error, "check the path"))? {
            let bytes = guard::admit(&target)?;
            edit::check(&bytes, &sheet, &columns).map_err(|stop| of_table(&table, stop))?;
        }
        remove_leftovers(&target)
            .map_err(|error| TableError::from_io(&table, &error, "the folder must exist and be writable"))?;
        let spool = Spool::new().map_err(|error| error.of_table(table.clone()))?;
        Ok(Self { target, table, sheet, columns, options, spool, gone: Gone::Keep })
    }

    fn commit(&mut self) -> Result<Committed, TableError> {
        let io_error = |error| TableError::from_io(&self.table, &error, "the file is as it was");
        let old = match fs::metadata(&self.target) {
            Ok(metadata) => Some((metadata, guard::admit(&self.target)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(io_error(error)),
        };
        let address = |url: &str| address::from_workbook(&self.target, url);
        let task = Task {
            sheet: &self.sheet,
            columns: &self.columns,
            language: self.options.language,
            today: self.options.today,
            gone: self.gone,
            address: &address,
        };
        let of_spool = |error: crate::table::spool::SpoolError| error.of_table(self.table.clone());
        let batch = self.spool.batch().map_err(of_spool)?;
        let (new, mut committed) =
            edit::update(old.as_ref().map(|(_, bytes)| bytes.as_slice()), &task, &batch)
                .map_err(|stop| of_table(&self.table, stop))?;
        if let Some(new) = new {
            let mut replacement = Replacement::new(&self.target, old.as_ref().map(|(metadata, _)| metadata));
            replacement.write(&new).and_then(|()| replacement.finish()).map_err(io_error)?;
            committed.warnings.extend(owner_warning(&self.target));
        }
        batch.finish().map_err(of_spool)?;
        self.gone = Gone::Keep;
        Ok(committed)
    }
}

/// A warning if somebody has the workbook open: spreadsheet programs leave a file beside it that says so.
fn owner_warning(target: &Path) -> Option<String> {
    let name = target.file_name()?.to_str()?;
    let marks = [format!("~${name}"), format!(".~lock.{name}#")];
    marks.iter().any(|mark| target.with_file_name(mark).exists()).then(|| {
        "somebody has the workbook open: it must be closed without saving, or the new results are lost"
            .to_owned()
    })
}

fn of_table(table: &str, stop: Stop) -> TableError {
    let table = table.to_owned();
    match stop {
        Stop::Header(problems) => TableError::Header { table, problems },
        Stop::Spool(error) => error.of_table(table),
        Stop::Damage(_) | Stop::NoResults(_) | Stop::Create(_) => {
            TableError::Malformed { table, detail: stop.to_string() }
        }
    }
}

fn unavailable(table: String, detail: String) -> TableError {
    TableError::Unavailable { table, detail, retry_after: None }
}
