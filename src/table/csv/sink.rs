//! A CSV file as a results table, upserted by row key in constant memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::commit::{Plan, commit};
use super::results::Existing;
use crate::domain::results::ResultRow;
use crate::table::replacement::{remove_leftovers, resolve};
use crate::table::spool::Spool;
use crate::table::{Committed, Gone, SinkOptions, TableError, TableSink};

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
            // What a panic says may hold anything: it is for the log, not for a report.
            Err(_panic) => Err(unavailable(self.name(), "its code panicked, told in the log".to_owned())),
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
            open.gone = Gone::marked(accept_shrink);
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::domain::cell::Cell;
    use crate::domain::key::RowKey;
    use crate::domain::language::Language;
    use crate::domain::results::Layout;
    use crate::table::csv::neutralise::neutralise;
    use crate::table::csv::{CsvSource, CsvSourceParams};
    use crate::table::spool::tests::result_row;
    use crate::table::{SourceRow, TableSource as _};

    fn sink(path: &Path) -> CsvSink {
        CsvSink::new(CsvSinkParams { path: path.to_owned(), delimiter: None })
    }

    fn options() -> SinkOptions {
        SinkOptions {
            layout: Layout { identifier: true, project_manager: true },
            language: Language::Ru,
            today: jiff::civil::date(2026, 3, 13),
            time_zone: jiff::tz::TimeZone::UTC,
            unsettled: None,
        }
    }

    fn read(path: &Path) -> Vec<SourceRow> {
        let mut source = CsvSource::new(CsvSourceParams {
            path: path.to_owned(),
            header_row: 1,
            data_start_row: 2,
            encoding: None,
            delimiter: None,
        });
        source.open().now_or_never().unwrap().unwrap();
        source.next_page(usize::MAX).now_or_never().unwrap().unwrap()
    }

    /// A run that offers `rows`, `batch` at a time.
    async fn run(path: &Path, rows: &[ResultRow], batch: usize) -> Vec<Committed> {
        let mut sink = sink(path);
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

    #[tokio::test]
    async fn a_run_keeps_the_table_in_step() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("review.csv");
        let rows: Vec<ResultRow> = (2..7).map(|row| result_row(&format!("p{row}"), row)).collect();
        let written: Vec<u64> = run(&path, &rows, 2).await.iter().map(|done| done.written).collect();
        assert_eq!(written, [2, 2, 1, 0]);
        let last = run(&path, &rows[1..], 100).await.pop().unwrap();
        assert_eq!((last.written, last.unchanged, last.marked_gone), (0, 0, 1));
        assert_eq!(read(&path)[0].cells[0], Cell::Text("нет в источнике с 2026-03-13".into()));
        let again = run(&path, &rows, 100).await;
        assert_eq!((again[0].written, again[0].unchanged), (1, 4));
    }

    #[tokio::test]
    async fn rows_taken_before_it_was_opened_again_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("review.csv");
        let mut sink = sink(&path);
        for at in [2, 3] {
            sink.open(&options()).await.unwrap();
            sink.upsert(&[result_row("a", at)]).await.unwrap();
        }
        assert_eq!(sink.commit().await.unwrap().written, 1);
        assert_eq!(read(&path)[0].cells[0], Cell::Text("3".into()));
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_refused_before_anything_is_paid_for() {
        let dir = tempfile::tempdir().unwrap();
        let in_no_folder = dir.path().join("absent/review.csv");
        assert!(matches!(sink(&in_no_folder).open(&options()).await, Err(TableError::NotFound { .. })));
        assert!(matches!(sink(dir.path()).open(&options()).await, Err(TableError::Malformed { .. })));
        let path = dir.path().join("review.csv");
        fs::write(&path, "Is Valid,Row Number,Comment,Model,Issues,issues\n").unwrap();
        let mut sink = sink(&path);
        assert!(matches!(sink.open(&options()).await, Err(TableError::Header { .. })));
        assert!(sink.upsert(&[]).await.unwrap_err().is_transient(), "it is not open");
        assert!(sink.commit().await.is_err());
    }

    #[tokio::test]
    async fn a_crash_leaves_the_old_file_and_the_next_run_cleans_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("review.csv");
        run(&path, &[result_row("a", 2)], 1).await;
        let before = fs::read(&path).unwrap();
        fs::write(dir.path().join(".review.csv.sv-Ab3x9Q"), "half a fi").unwrap();
        let done = run(&path, &[result_row("a", 2)], 1).await;
        assert_eq!((done[0].written, done[0].unchanged), (0, 1));
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_long_table_is_written_and_updated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("review.csv");
        let mut rows: Vec<ResultRow> = (2..5002).map(|row| result_row(&format!("p{row}"), row)).collect();
        assert_eq!(run(&path, &rows, 2500).await.iter().map(|done| done.written).sum::<u64>(), 5000);
        rows[4000].comment = "changed".into();
        rows.reverse();
        let done = run(&path, &rows, 5000).await;
        assert_eq!((done[0].written, done[0].unchanged, done[1].marked_gone), (1, 4999, 0));
        let read = read(&path);
        assert_eq!((read.len(), read[4000].cells[5].display()), (5000, "changed".to_owned()));
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    const CELL: &str = "[a-cЖ😀\",;\t\r\n '=+@0-9\u{feff}\u{85}\0-]{0,9}";

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(40))]

        #[test]
        fn what_is_written_is_read_back(
            texts in proptest::collection::vec([CELL, CELL, "(?s).{0,9}"], 1..6),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("review.csv");
            let rows: Vec<ResultRow> = texts
                .iter()
                .zip(2..)
                .map(|([project, status, comment], row)| ResultRow {
                    key: RowKey::of_identifier(project, row as u32),
                    project: Some(project.clone()),
                    status: status.clone(),
                    comment: comment.clone(),
                    ..result_row("", row)
                })
                .collect();
            block_on(run(&path, &rows, 3));
            let before = fs::read(&path).unwrap();
            let read = read(&path);
            proptest::prop_assert_eq!(read.len(), rows.len());
            for (read, row) in read.iter().zip(&rows) {
                let cell = |index: usize| read.cells[index].display();
                proptest::prop_assert_eq!(cell(0), row.row.to_string());
                proptest::prop_assert_eq!(cell(1), neutralise(row.project.as_deref().unwrap()));
                proptest::prop_assert_eq!(cell(3), neutralise(&row.status));
                proptest::prop_assert_eq!(cell(5), neutralise(&row.comment));
            }
            block_on(run(&path, &rows, 2));
            proptest::prop_assert_eq!(fs::read(&path).unwrap(), before, "the same again changes nothing");
        }

        #[test]
        fn cells_of_people_survive(
            cells in proptest::collection::vec([CELL, CELL, CELL], 1..6),
            delimiter in "[,;\t]",
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("review.csv");
            let mut writer = csv::WriterBuilder::new()
                .delimiter(delimiter.as_bytes()[0])
                .flexible(true)
                .from_path(&path)
                .unwrap();
            writer.write_record(["Note", "Project name", "Key", "Is Valid", "Issues", "Row Number", "More"]).unwrap();
            for (at, [note, more, extra]) in cells.iter().enumerate() {
                let (project, key) = (format!("p{at}"), format!("p{at}"));
                writer.write_record([note, &project, &key, "YES", "", "2", more, extra]).unwrap();
            }
            drop(writer);
            let rows: Vec<ResultRow> = (0..8).map(|at| result_row(&format!("p{at}"), at + 2)).collect();
            block_on(run(&path, &rows, 100));
            let read = read(&path);
            proptest::prop_assert_eq!(read.len(), 8);
            for (at, [note, more, extra]) in cells.iter().enumerate() {
                let cell = |index: usize| read[at].cells[index].display();
                proptest::prop_assert_eq!([&cell(0), &cell(6), &cell(7)], [note, more, extra]);
                proptest::prop_assert_eq!(cell(1), format!("p{at}"));
            }
        }
    }
}
