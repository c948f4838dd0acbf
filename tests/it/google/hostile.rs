//! Cells that are meant to do harm: in every column of the results, as keys, and in the source they are texts.

use std::collections::HashSet;

use status_validator::domain::cell::Cell;
use status_validator::domain::key::Occurrences;
use status_validator::domain::results::{Layout, ResultColumn, ResultRow};
use status_validator::sandbox::Door;
use status_validator::sandbox::sheets::Typed;
use status_validator::table::{SinkOptions, TableSink as _, TableSource as _};

use super::sink::row;
use crate::support::stand::{REVIEW, Stand, TARGET, edit, options};

const HOSTILE: &[u8] = include_bytes!("../../fixtures/hostile.csv");
/// What a cell holds, in UTF-16 units.
const UNITS: usize = 50_000;
/// Longer keys end in a hash.
const KEY_UNITS: usize = 4_000;
const CUT: &str = "… [cut]";

/// The rows below the header.
fn hostile() -> Vec<Vec<String>> {
    let records = csv::Reader::from_reader(HOSTILE).into_records();
    records.map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// All cells, each text once.
fn cells() -> Vec<String> {
    let mut cells: Vec<String> = hostile().into_iter().flatten().collect();
    cells.extend(MORE.map(str::to_owned));
    cells.sort();
    cells.dedup();
    cells
}

/// Texts that a spreadsheet would make something else of.
const MORE: [&str; 14] = [
    "'0009",
    "0042",
    "1e5",
    "5%",
    "$20.50",
    "1/2",
    "10:30",
    "TRUE",
    "2026-06-30",
    "#N/A",
    "{=1+1}",
    " x ",
    "\"",
    "\\",
];

/// So many units of a text.
fn start(text: &str, units: usize) -> String {
    let kept = text.chars().scan(0, |used, c| {
        *used += c.len_utf16();
        (*used <= units).then_some(c)
    });
    kept.collect()
}

/// What is left of a text in a cell.
fn kept(text: &str) -> String {
    if text.encode_utf16().count() <= UNITS {
        return text.to_owned();
    }
    start(text, UNITS - CUT.chars().count()) + CUT
}

/// A row that says this in every column that takes a text.
fn said(text: &str, number: u64, known: &mut Occurrences) -> ResultRow {
    let told = || text.to_owned();
    ResultRow {
        key: known.next(text, number).key,
        project: Some(told()),
        project_manager: Some(told()),
        status: told(),
        completion_date: told(),
        comment: told(),
        issues: told(),
        rewrite: told(),
        raw: told(),
        check_date: told(),
        model: told(),
        rules: told(),
        severity: told(),
        ..row("x", number)
    }
}

#[tokio::test(start_paused = true)]
async fn hostile_texts_are_kept_as_texts_in_every_column() {
    let stand = Stand::new();
    // A country where more texts are numbers and dates than elsewhere.
    stand.sandbox.with_office(|office| office.set_locale(TARGET, "ru_RU", "Europe/Moscow").unwrap());
    let layout = Layout { identifier: true, project_manager: true };
    let options = SinkOptions { layout, ..options() };
    let cells = cells();
    assert!(cells.len() > 80, "{}", cells.len());
    let mut known = Occurrences::default();
    let rows: Vec<ResultRow> =
        (2..).zip(&cells).map(|(number, text)| said(text, number, &mut known)).collect();
    let mut sink = stand.sink();
    sink.open(&options).await.unwrap();
    for lot in rows.chunks(20) {
        sink.upsert(lot).await.unwrap();
        assert_eq!(sink.commit().await.unwrap().written, lot.len() as u64);
    }
    sink.close().await.unwrap();
    stand.assert_proper_requests();

    let columns = layout.columns();
    stand.sandbox.with_office(|office| {
        let book = office.look(TARGET, jiff::Timestamp::UNIX_EPOCH).unwrap();
        let sheet = book.sheet(REVIEW).unwrap();
        assert_eq!(sheet.entered_rows() as usize, rows.len() + 1);
        let mut keys = HashSet::new();
        for (at, row) in (1..).zip(&rows) {
            for (place, column) in (0..).zip(&columns) {
                let cell = sheet.cell(at, place);
                assert_eq!((cell.formula, cell.links), (None, Vec::new()), "{at} {column:?}");
                let entered = cell.entered.unwrap_or_default();
                if *column == ResultColumn::RowNumber {
                    assert_eq!(entered["numberValue"].as_f64(), Some(row.row as f64));
                    continue;
                }
                let wanted = kept(&row.text(*column));
                let found = entered["stringValue"].as_str().unwrap_or_default();
                if *column == ResultColumn::Key && wanted.encode_utf16().count() > KEY_UNITS {
                    assert!(found.encode_utf16().count() <= KEY_UNITS && keys.insert(found.to_owned()));
                    continue;
                }
                assert!(found == wanted, "row {at}, {column:?}: {found:?} is not {wanted:?}");
            }
        }
    });

    // What stands there is what was meant: nobody writes it again.
    stand.sandbox.clear_seen();
    let other = stand.another();
    let mut sink = other.sink();
    sink.open(&options).await.unwrap();
    sink.upsert(&rows).await.unwrap();
    sink.mark_gone(false).await.unwrap();
    let done = sink.commit().await.unwrap();
    assert_eq!((done.written, done.unchanged), (0, rows.len() as u64));
    assert_eq!(stand.count(Door::Write), 0);
}

#[tokio::test(start_paused = true)]
async fn texts_that_are_too_long_are_cut_and_told() {
    let stand = Stand::new();
    let mut long = row("long", 7);
    long.comment = "я🙂".repeat(30_000);
    let done = super::sink::run(&stand, &[long.clone()]).await;
    assert_eq!(done.warnings.len(), 1);
    assert!(
        done.warnings[0].contains("row 7") && done.warnings[0].contains("«Comment»"),
        "{:?}",
        done.warnings
    );
    let comment = stand.column("Comment").remove(0);
    assert!(comment.encode_utf16().count() <= UNITS && comment.ends_with(CUT));
    assert!(comment == kept(&long.comment), "cut between whole characters");
}

#[tokio::test(start_paused = true)]
async fn hostile_cells_of_a_source_are_read_as_they_are() {
    let stand = Stand::new();
    let table: Vec<Vec<String>> = hostile()
        .into_iter()
        .map(|row| row.iter().map(|cell| start(cell, UNITS)).collect()) // more a cell cannot hold
        .collect();
    let header: Vec<Typed> = (0..6).map(|n| Typed::Text(format!("Column {n}"))).collect();
    let cells = |row: &Vec<String>| row.iter().cloned().map(Typed::Text).collect();
    let rows: Vec<Vec<Typed>> = std::iter::once(header).chain(table.iter().map(cells)).collect();
    stand.statuses(&rows);
    let mut source = stand.source();
    source.open().await.unwrap();
    let mut read = Vec::new();
    loop {
        let page = source.next_page(7).await.unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read.len(), 60);
    for (row, wanted) in read.iter().zip(&table) {
        assert!(row.cells.iter().all(|cell| matches!(cell, Cell::Text(_) | Cell::Empty)), "{}", row.row);
        let found = (0..6).map(|at| row.cells.get(at).map(Cell::display).unwrap_or_default());
        assert!(found.eq(wanted.iter().cloned()), "{}", wanted[0]);
    }
    stand.assert_proper_requests();
}

#[tokio::test(start_paused = true)]
async fn what_people_make_formulas_of_is_written_anew() {
    let stand = Stand::new();
    super::sink::run(&stand, &[row("gate", 2), row("roof", 3)]).await;
    let tab = stand.tab_id(TARGET, REVIEW);
    let at = stand.review()[0].iter().position(|name| name == "Comment").unwrap();
    stand.sandbox.with_office(|office| {
        let cell = serde_json::json!({"values": [{"userEnteredValue": {(["formula", "Value"].concat()): "=\"Done: \"&2&\" gates\""}}]});
        let start = serde_json::json!({"sheetId": tab, "rowIndex": 1, "columnIndex": at});
        let write = serde_json::json!([{"updateCells": {"start": start, "rows": [cell], "fields": "userEnteredValue"}}]);
        edit(office, TARGET, &write);
    });
    assert_eq!(stand.column("Comment")[0], "Done: 2 gates", "it looks the same");
    let done = super::sink::run(&stand.another(), &[row("gate", 2), row("roof", 3)]).await;
    assert_eq!((done.written, done.unchanged), (1, 1));
    stand.sandbox.with_office(|office| {
        let book = office.look(TARGET, jiff::Timestamp::UNIX_EPOCH).unwrap();
        let cell = book.sheet(REVIEW).unwrap().cell(1, at as u32);
        assert_eq!((cell.formula, cell.text.as_str()), (None, "Done: 2 gates"));
    });
}
