//! What several topics need: small tables, engines under a paused clock, a runtime to wait in.

pub(crate) mod cli;
pub(crate) mod discovery;
pub(crate) mod http;
pub(crate) mod reference;
pub(crate) mod served;
pub(crate) mod stand;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use status_validator::domain::columns::ColumnNames;
use status_validator::domain::entry::Entry;
use status_validator::domain::rules::Rulebook;
use status_validator::engine::{
    Engine, FixedClock, Parts, Placement, Provider, RunReport, RunRequest, Stamped,
};
use status_validator::llm::ChatModel;
use status_validator::store::Store;
use status_validator::table::TableSink;
use status_validator::table::memory::{MemorySink, MemorySource};
use status_validator::testing::FakeModel;

/// Friday of the samples' reporting week.
pub(crate) const AS_OF: jiff::civil::Date = jiff::civil::date(2026, 3, 13);

pub(crate) const VALID: &str = r#"{"is_valid": true, "issues": [], "rewrite_suggestion": ""}"#;

pub(crate) fn columns() -> ColumnNames {
    ColumnNames {
        status: "Status".into(),
        comment: "Comment".into(),
        completion_date: Some("Completion Date".into()),
        identifier: Some("Project".into()),
        project_manager: None,
        context: Vec::new(),
    }
}

/// A table of `rows` projects that all say something else.
pub(crate) fn projects(rows: usize) -> MemorySource {
    let header = vec!["Project".to_owned(), "Status".into(), "Completion Date".into(), "Comment".into()];
    let body = (0..rows).map(|i| {
        vec![format!("Project {i}"), "On Track".into(), "2026-06-30".into(), format!("Comment number {i}.")]
    });
    MemorySource::new(std::iter::once(header).chain(body))
}

pub(crate) fn free_rules() -> Rulebook {
    Rulebook::Free("Every comment says what was done.".to_owned())
}

/// Everything that happened, for assertions.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Stamped>>>);

impl Log {
    pub(crate) fn events(&self) -> Vec<Stamped> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn observer(&self) -> impl Fn(&Stamped) + Send + Sync + 'static {
        let log = self.clone();
        move |event: &Stamped| log.0.lock().unwrap().push(event.clone())
    }
}

/// An engine's parts under a paused clock, with a free-text rulebook.
pub(crate) fn paused_parts(
    source: &MemorySource,
    sink: impl TableSink + 'static,
    model: impl ChatModel + 'static,
) -> Parts {
    Parts {
        source: Some(Box::new(source.clone())),
        sink: Some(Box::new(sink)),
        providers: vec![Provider::new(model)],
        clock: Arc::new(FixedClock("2026-03-13T09:00:00Z".parse().unwrap())),
        as_of: Some(AS_OF),
        placement: Placement::Paused,
        seed: Some(1),
        ..Parts::new(free_rules(), columns())
    }
}

/// Parts that share a store file, for several runs.
pub(crate) fn with_store(parts: Parts, path: &std::path::Path) -> Parts {
    let path = path.to_owned();
    Parts { store: Arc::new(move || Store::open(&path)), ..parts }
}

/// Runs once over the whole table and shuts the engine down.
pub(crate) fn run(parts: Parts, request: RunRequest) -> RunReport {
    wait(async move {
        let engine = Engine::start(parts).unwrap();
        let report = engine.handle().run(request).await.unwrap();
        let ended = engine.shutdown(Duration::from_secs(30)).await;
        assert!(ended.clean, "the engine ended in time");
        report
    })
}

/// Waits for a future in a runtime of the test's own.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Each row that was read is in exactly one state.
pub(crate) fn assert_every_row_in_one_state(report: &RunReport) {
    let t = &report.tally;
    assert_eq!(
        t.rows_read,
        t.rows_skipped + t.rows_valid + t.rows_invalid + t.rows_not_checked,
        "rows in one state each: {t:?}"
    );
}

/// The keys of a results table, sorted.
pub(crate) fn keys(sink: &MemorySink) -> Vec<String> {
    let mut keys: Vec<String> = sink.rows().iter().map(|row| row["Key"].clone()).collect();
    keys.sort();
    keys
}

/// A row that is sent alone; equal numbers say the same.
pub(crate) fn entry(n: u64) -> Entry {
    Entry::single(n, "On Track", format!("Single number {n}."))
}

/// A model that finds every row valid after so many milliseconds.
pub(crate) fn model(ms: u64) -> FakeModel {
    FakeModel::content_after(Duration::from_millis(ms))
}

/// Waits for what must not hang.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(8), what).await.unwrap()
}
