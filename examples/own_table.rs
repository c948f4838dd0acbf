//! Brings a table of one's own: rows come from a list of tickets, results go to the terminal.
//!
//! `cargo run --example own_table`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use futures_util::future::BoxFuture;
use status_validator::domain::cell::Cell;
use status_validator::domain::columns::ColumnNames;
use status_validator::domain::results::ResultRow;
use status_validator::domain::rules::Rulebook;
use status_validator::engine::{Engine, Parts, RunRequest};
use status_validator::table::{
    Committed, Header, RowCount, SinkOptions, SourceRow, TableError, TableSink, TableSource,
};

const TICKETS: [(&str, &str, &str); 3] = [
    ("T-1", "On Track", "Done: cable laid 3 Mar."),
    ("T-2", "Fine, thanks", "Done: cable laid 4 Mar."),
    ("T-3", "Delayed", "Waiting for the crane since 2 Mar."),
];

/// Reads the tickets.
#[derive(Default)]
struct Tickets {
    next: usize,
}

impl TableSource for Tickets {
    fn name(&self) -> String {
        "tickets".into()
    }

    fn open(&mut self) -> BoxFuture<'_, Result<Header, TableError>> {
        self.next = 0;
        let names = ["Ticket", "State", "Text"].map(String::from).to_vec();
        Box::pin(async move { Ok(Header { names, rows: RowCount::Exactly(TICKETS.len() as u64) }) })
    }

    fn next_page(&mut self, max_rows: usize) -> BoxFuture<'_, Result<Vec<SourceRow>, TableError>> {
        let page: Vec<SourceRow> = TICKETS
            .iter()
            .enumerate()
            .skip(self.next)
            .take(max_rows)
            .map(|(i, (id, state, text))| {
                SourceRow::new(i as u64 + 2, [*id, *state, *text].map(Cell::text).to_vec())
            })
            .collect();
        self.next += page.len();
        Box::pin(async move { Ok(page) })
    }
}

/// Prints results. It keeps nothing, so every run writes every row.
#[derive(Default)]
struct Terminal {
    taken: Vec<ResultRow>,
}

impl TableSink for Terminal {
    fn name(&self) -> String {
        "terminal".into()
    }

    fn open(&mut self, _how: &SinkOptions) -> BoxFuture<'_, Result<(), TableError>> {
        self.taken.clear();
        Box::pin(async { Ok(()) })
    }

    fn upsert<'a>(&'a mut self, rows: &'a [ResultRow]) -> BoxFuture<'a, Result<(), TableError>> {
        self.taken.extend(rows.iter().cloned());
        Box::pin(async { Ok(()) })
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<Committed, TableError>> {
        let rows = std::mem::take(&mut self.taken);
        for row in &rows {
            println!("{:<5} {:<4} {}", row.key.as_str(), row.is_valid.as_str(), row.issues);
        }
        let written = rows.len() as u64;
        Box::pin(async move { Ok(Committed { written, ..Committed::default() }) })
    }

    fn mark_gone(&mut self, _accept_shrink: bool) -> BoxFuture<'_, Result<(), TableError>> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let columns = ColumnNames {
        status: "State".into(),
        comment: "Text".into(),
        completion_date: None,
        identifier: Some("Ticket".into()),
        project_manager: None,
        context: Vec::new(),
    };
    // No model: only what code can decide is checked, here the allowed statuses.
    let engine = Engine::start(Parts {
        source: Some(Box::<Tickets>::default()),
        sink: Some(Box::<Terminal>::default()),
        allowed_statuses: ["On Track", "At Risk", "Delayed"].map(String::from).to_vec(),
        ..Parts::new(Rulebook::Free("Say what was done.".into()), columns)
    })?;
    engine.handle().run(RunRequest::default()).await?;
    engine.shutdown(Duration::from_secs(30)).await;
    Ok(())
}
