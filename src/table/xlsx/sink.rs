//! A sheet of a workbook as a results table.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::edit::{self, Stop, Task};
use super::{address, guard};
use crate::domain::results::{ResultColumn, ResultRow};
use crate::table::replacement::{Replacement, remove_leftovers, resolve};
use crate::table::spool::Spool;
use crate::table::{Committed, Gone, SinkOptions, TableError, TableSink};

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
            Err(error) if error.is_panic() => Err(TableError::Malformed {
                table: self.name(),
                detail: "it is damaged in an unknown way; open it in Excel and save it as .xlsx again"
                    .to_owned(),
            }),
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
            open.gone = Gone::marked(accept_shrink);
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

#[cfg(test)]
pub(super) mod tests {
    use calamine::{Data, Reader as _, Xlsx, open_workbook};

    use super::*;
    use crate::domain::entry::RowLink;
    use crate::domain::key::RowKey;
    use crate::domain::language::Language;
    use crate::domain::results::{IsValid, Layout};
    use crate::table::spool::tests::result_row;

    pub(in super::super) fn options() -> SinkOptions {
        SinkOptions {
            layout: Layout { identifier: true, project_manager: true },
            language: Language::En,
            today: jiff::civil::date(2026, 3, 13),
            time_zone: jiff::tz::TimeZone::UTC,
            unsettled: None,
        }
    }

    /// A result row with a link to the source.
    pub(in super::super) fn row(project: &str, row: u64) -> ResultRow {
        let place = format!("'Weekly'!A{row}");
        let link = Some(RowLink { url: "statuses.xlsx".into(), place });
        ResultRow { link, project_manager: Some("Sam".into()), ..result_row(project, row) }
    }

    /// A run that offers `rows`, `batch` at a time, and reads the source to its end.
    pub(in super::super) async fn run(path: &Path, rows: &[ResultRow], batch: usize) -> Vec<Committed> {
        let mut sink = XlsxSink::new(XlsxSinkParams { path: path.to_owned(), sheet: None });
        let mut all = Vec::new();
        sink.open(&options()).await.unwrap();
        for batch in rows.chunks(batch) {
            sink.upsert(batch).await.unwrap();
            all.push(sink.commit().await.unwrap());
        }
        sink.mark_gone(false).await.unwrap();
        all.push(sink.commit().await.unwrap());
        all
    }

    /// The texts of a sheet, row by row.
    pub(in super::super) fn texts(path: &Path, sheet: &str) -> Vec<Vec<String>> {
        let mut workbook: Xlsx<_> = open_workbook(path).unwrap();
        let range = workbook.worksheet_range(sheet).unwrap();
        let text = |cell: &Data| match cell {
            Data::String(text) => text.clone(),
            other => other.to_string(),
        };
        range.rows().map(|row| row.iter().map(text).collect()).collect()
    }

    /// The texts in one of our columns, below the header in row 1.
    pub(in super::super) fn column(path: &Path, sheet: &str, column: ResultColumn) -> Vec<String> {
        let rows = texts(path, sheet);
        let at = rows[0].iter().position(|name| name == column.name()).unwrap();
        rows[1..].iter().map(|row| row[at].clone()).collect()
    }

    const SHEET: &str = "Status Review";

    #[tokio::test]
    async fn a_run_keeps_the_sheet_in_step() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("review.xlsx");
        let rows: Vec<ResultRow> = (2..7).map(|number| row(&format!("p{number}"), number)).collect();
        let written: Vec<u64> = run(&path, &rows, 2).await.iter().map(|done| done.written).collect();
        assert_eq!(written, [2, 2, 1, 0]);
        let before = fs::read(&path).unwrap();
        let stamp = fs::metadata(&path).unwrap().modified().unwrap();
        let again = run(&path, &rows, 100).await;
        assert_eq!((again[0].written, again[0].unchanged, again[1].marked_gone), (0, 5, 0));
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), stamp, "the file is not replaced");
        let last = run(&path, &rows[1..], 100).await.pop().unwrap();
        assert_eq!((last.written, last.marked_gone, last.shrink_refused), (0, 1, 0));
        let numbers = column(&path, SHEET, ResultColumn::RowNumber);
        assert_eq!(numbers, ["not in the source since 2026-03-13", "3", "4", "5", "6"]);
        let back = run(&path, &rows, 100).await;
        assert_eq!((back[0].written, back[0].unchanged), (1, 4));
        assert_eq!(column(&path, SHEET, ResultColumn::RowNumber)[0], "2");
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["review.xlsx"]);
    }

    #[tokio::test]
    async fn nearly_nothing_left_of_the_source_marks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("review.xlsx");
        let rows: Vec<ResultRow> = (2..22).map(|number| row(&format!("p{number}"), number)).collect();
        run(&path, &rows, 100).await;
        let before = fs::read(&path).unwrap();
        let last = run(&path, &rows[..1], 100).await.pop().unwrap();
        assert_eq!((last.marked_gone, last.shrink_refused), (0, 19));
        assert_eq!(fs::read(&path).unwrap(), before);
        let mut sink = XlsxSink::new(XlsxSinkParams { path: path.clone(), sheet: None });
        sink.open(&options()).await.unwrap();
        sink.mark_gone(true).await.unwrap();
        assert_eq!(sink.commit().await.unwrap().marked_gone, 20);
        sink.mark_gone(true).await.unwrap();
        assert_eq!(sink.commit().await.unwrap(), Committed::default(), "they are marked once");
    }

    #[tokio::test]
    async fn a_verdict_changes_in_its_row_and_a_deleted_row_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("review.xlsx");
        let mut rows = vec![row("a", 2), row("b", 3)];
        run(&path, &rows, 100).await;
        rows[0].is_valid = IsValid::No;
        rows[0].issues = "R5 — no date\nR7 — no plan".into();
        rows.push(row("c", 4));
        let done = run(&path, &rows, 100).await;
        assert_eq!((done[0].written, done[0].unchanged), (2, 1));
        assert_eq!(column(&path, SHEET, ResultColumn::IsValid), ["NO", "YES", "YES"]);
        assert_eq!(column(&path, SHEET, ResultColumn::Issues)[0], rows[0].issues);
        assert_eq!(column(&path, SHEET, ResultColumn::Key), ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn after_an_error_the_rows_wait_for_the_next_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("review.xlsx");
        run(&path, &[row("a", 2)], 100).await;
        let good = fs::read(&path).unwrap();
        let mut sink = XlsxSink::new(XlsxSinkParams { path: path.clone(), sheet: None });
        sink.open(&options()).await.unwrap();
        sink.upsert(&[row("b", 3)]).await.unwrap();
        fs::write(&path, &good[..good.len() / 2]).unwrap();
        let error = sink.commit().await.unwrap_err();
        assert!(
            matches!(&error, TableError::Malformed { table, .. } if table.ends_with("review.xlsx")),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), good[..good.len() / 2], "nothing is half written");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(sink.commit().await.unwrap_err().to_string().contains("a folder"));
        fs::remove_dir(&path).unwrap();
        fs::write(&path, good).unwrap();
        assert_eq!(sink.commit().await.unwrap().written, 1);
        assert_eq!(column(&path, SHEET, ResultColumn::Key), ["a", "b"]);
        assert_eq!(sink.commit().await.unwrap(), Committed::default(), "nothing waits any more");
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_said_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let open = async |path: PathBuf, sheet: Option<&str>| {
            let sheet = sheet.map(str::to_owned);
            XlsxSink::new(XlsxSinkParams { path, sheet })
                .open(&options())
                .await
                .map_err(|error| error.to_string())
        };
        let path = folder.path().join("review.xlsx");
        assert!(open(folder.path().to_owned(), None).await.unwrap_err().contains("a folder"));
        assert!(
            open(folder.path().join("no/review.xlsx"), None).await.unwrap_err().contains("folder must exist")
        );
        assert!(open(path.clone(), Some("a/b")).await.is_err());
        let leftover = folder.path().join(".review.xlsx.sv-a1B2c3");
        fs::write(&leftover, "").unwrap();
        open(path.clone(), None).await.unwrap();
        assert!(!leftover.exists() && !path.exists());
        let mut other = rust_xlsxwriter::Workbook::new();
        other.add_worksheet().set_name(SHEET).unwrap().write_string(4, 4, "Budget").unwrap();
        other.save(&path).unwrap();
        assert!(open(path.clone(), None).await.unwrap_err().contains("holds something else"));
        let mut other = rust_xlsxwriter::Workbook::new();
        let sheet = other.add_worksheet().set_name(SHEET).unwrap();
        sheet.write_row(0, 0, ["Asset", "Check date", "Comment", "Key", "Model"]).unwrap();
        other.save(&path).unwrap();
        let told = open(path.clone(), None).await.unwrap_err();
        assert!(told.contains("exists already") && told.contains("«Is Valid» with 2 of"), "{told}");
        assert!(open(path, Some("Results")).await.is_ok());
    }

    #[tokio::test]
    async fn a_legend_above_the_header_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("review.xlsx");
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet().set_name(SHEET).unwrap();
        let legend = ["Is Valid", "Issues", "Row Number", "Comment", "Model"];
        let header = ["Row Number", "Project name", "Comment", "Is Valid", "Issues", "Model", "Mine"];
        sheet.write_row(0, 0, legend).unwrap().write_row(2, 0, header).unwrap();
        sheet.write_row(3, 0, ["2", "a", "old", "NO", "", "", "note"]).unwrap();
        workbook.save(&path).unwrap();
        assert_eq!(run(&path, &[row("a", 2)], 100).await[0].written, 1);
        let rows = texts(&path, SHEET);
        assert_eq!((rows.len(), &rows[0][..5]), (4, &legend.map(str::to_owned)[..]));
        assert_eq!((rows[3][1].as_str(), rows[3][3].as_str(), rows[3][6].as_str()), ("a", "YES", "note"));
    }

    #[tokio::test]
    async fn an_owner_file_beside_the_workbook_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("review.xlsx");
        fs::write(folder.path().join("~$review.xlsx"), "").unwrap();
        let done = run(&path, &[row("a", 2)], 100).await;
        assert!(done[0].warnings[0].contains("has the workbook open"), "{:?}", done[0]);
        assert_eq!((done[0].written, done[1].warnings.len()), (1, 0));
    }

    #[tokio::test]
    async fn keys_too_long_for_a_cell_find_their_rows_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("review.xlsx");
        let long = "длинный ".repeat(5_000);
        let mut rows = vec![row(&long, 2), row(&(long.clone() + "другой"), 3)];
        rows[1].key = RowKey::of_identifier(&rows[1].project.clone().unwrap(), 1);
        let first = run(&path, &rows, 100).await;
        assert!(first[0].warnings[0].contains("row 2: «Project name» was cut"), "{:?}", first[0].warnings);
        let again = run(&path, &rows, 100).await;
        assert_eq!((again[0].written, again[0].unchanged, again[1].marked_gone), (0, 2, 0));
        assert_eq!(column(&path, SHEET, ResultColumn::ProjectName)[0].encode_utf16().count(), 32_767);
    }
}
