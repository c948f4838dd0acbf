//! What the Python StatusValidator left in a spreadsheet goes on as it is: its results, its verdicts, its rules.

use jiff::civil::{DateTime, date};
use serde_json::json;
use status_validator::domain::entry::{DateCell, Entry, RowLink};
use status_validator::domain::key::RowKey;
use status_validator::domain::language::Language;
use status_validator::domain::results::ResultRow;
use status_validator::domain::rules::{Rulebook, sheet};
use status_validator::engine::{Parts, RunOutcome, RunRequest};
use status_validator::sandbox::sheets::Typed;
use status_validator::sandbox::{Door, Fault};
use status_validator::table::google::Published;
use status_validator::table::{SinkOptions, TableError, TableSink as _};

use super::sink::{row, run};
use crate::support::stand::{REVIEW, Stand, TARGET, options, texts};
use crate::support::{self, model, paused_parts, projects};

/// The header of the Python StatusValidator, with columns that people have added.
const HEADER: [&str; 14] = [
    "Row Number",
    "Project name",
    "Note",
    "Project manager",
    "Status Value",
    "Completion Date",
    "Comment",
    "Is Valid",
    "Issues",
    "Rewrite Suggestion",
    "Raw LLM JSON",
    "Check date",
    "Model",
    "Seen by",
];

/// A row as it typed it: links as formulas, dates as the spreadsheet's country reads them.
fn python(number: u32, project: &str, comment: &str, verdict: &str, checked: DateTime) -> Vec<Typed> {
    let text = |text: &str| Typed::Text(text.to_owned());
    let link =
        format!("=HYPERLINK(\"https://docs.google.com/x/edit#range={number}:{number}\"; \"{project}\")");
    vec![
        Typed::Number(f64::from(number)),
        Typed::Formula(link),
        text(&format!("note of {number}")),
        text("Sam Exampleton"),
        text("On Track"),
        Typed::Date(date(2026, 6, 30).at(0, 0, 0, 0)),
        text(comment),
        text(verdict),
        text("{'rule': 4}"),
        text(""),
        text("{\n  \"is_valid\": true\n}"),
        Typed::Date(checked),
        text("gpt-4o-mini"),
        text(&format!("boss {number}")),
    ]
}

/// A Russian office's results: three projects, one of them twice, and rows that people wrote between them.
fn taken_over() -> Stand {
    let stand = Stand::new();
    let this_week = date(2026, 3, 10).at(7, 5, 0, 0);
    let mut rows = texts(&[HEADER]);
    rows.push(python(2, "Gate", "Posts are set.", "YES", this_week));
    rows.push(python(3, "Крыша", "Лист уложен.", "NO", this_week));
    rows.push(texts(&[["", "Gate", "people's own row about the gate"]]).remove(0));
    rows.push(python(4, "Gate", "Another gate.", "YES", date(2026, 3, 2).at(7, 5, 0, 0)));
    rows.push(python(5, "Bridge", "It stands.", "YES", this_week));
    rows.push(vec![Typed::Text("total".into()), Typed::Blank, Typed::Formula("=COUNTA(N2:N6)".into())]);
    stand.sandbox.with_office(|office| {
        office.set_locale(TARGET, "ru_RU", "Europe/Moscow").unwrap();
        office.load_sheet(TARGET, REVIEW, &rows).unwrap();
    });
    stand
}

fn in_moscow() -> SinkOptions {
    SinkOptions { time_zone: jiff::tz::TimeZone::get("Europe/Moscow").unwrap(), ..options() }
}

fn linked(project: &str, occurrence: u32, number: u64, comment: &str) -> ResultRow {
    let link = RowLink {
        url: "https://docs.google.com/spreadsheets/d/source-1/edit".into(),
        place: format!("gid=0&range={number}:{number}"),
    };
    ResultRow {
        key: RowKey::of_identifier(project, occurrence),
        comment: comment.into(),
        link: Some(link),
        ..row(project, number)
    }
}

#[tokio::test(start_paused = true)]
async fn results_are_taken_over_as_they_are() {
    let stand = taken_over();
    let before = stand.review();
    let rows = [
        linked("Gate", 1, 2, "Posts are set."),
        linked("Крыша", 1, 3, "Лист уложен, конёк готов."),
        linked("Gate", 2, 4, "Another gate."),
        linked("Wall", 1, 5, "Begun."),
    ];
    let done = run(&stand, &rows).await;
    assert_eq!((done.written, done.marked_gone), (4, 1), "{done:?}");
    stand.assert_proper_requests();
    let after = stand.review();
    assert_eq!(after[0][..14], HEADER, "the header stays, ours is added behind it");
    assert_eq!(after[0][14..], ["Rules", "Severity", "Key"]);
    assert_eq!(after.len(), before.len() + 1, "every row was matched, one is new");
    let keys: Vec<&str> = after[1..].iter().map(|row| row[16].as_str()).collect();
    assert_eq!(keys, ["gate", "крыша", "", "gate #2", "bridge", "", "wall"]);
    for (at, (old, new)) in before.iter().zip(&after).enumerate() {
        for column in [2, 3, 13] {
            assert_eq!(
                old[column], new[column],
                "row {at}, column {column} is people's, or not of this layout"
            );
        }
    }
    for at in [3, 6] {
        assert_eq!(after[at][..14], before[at], "rows of people are not touched");
    }
    assert_eq!(after[2][6], "Лист уложен, конёк готов.");
    assert_eq!(after[5][0], "not in the source since 2026-03-13");
    assert_eq!(after[5][1..13], before[5][1..13], "what is gone keeps its last verdict");
    stand.sandbox.with_office(|office| {
        let book = office.look(TARGET, jiff::Timestamp::UNIX_EPOCH).unwrap();
        let sheet = book.sheet(REVIEW).unwrap();
        let total = sheet.cell(6, 2);
        assert!(total.formula.is_some_and(|formula| formula.contains("COUNTA")));
        for (at, row) in [(1, &rows[0]), (2, &rows[1]), (4, &rows[2]), (7, &rows[3])] {
            let cell = sheet.cell(at, 1);
            assert_eq!((cell.formula, cell.text.as_str()), (None, row.project.as_deref().unwrap()));
            assert_eq!(cell.links[0].uri, row.link.as_ref().unwrap().to_string());
        }
        let gone = sheet.cell(5, 1);
        assert!(gone.formula.unwrap().contains("range=5:5"), "its link stays");
    });

    let again = run(&stand.another(), &rows).await;
    assert_eq!((again.written, again.unchanged, again.marked_gone), (0, 4, 0));
    assert_eq!(stand.review(), after);
}

#[tokio::test(start_paused = true)]
async fn the_table_may_stand_below_a_title() {
    let stand = Stand::new();
    let mut rows = texts(&[["Statuses of March"], [""]]);
    rows.extend(texts(&[
        ["", "is valid", "PROJECT  NAME", "Row Number", "issues", "Comment"],
        ["", "NO", "Gate", "2", "", ""],
    ]));
    stand.sandbox.with_office(|office| office.load_sheet(TARGET, REVIEW, &rows).unwrap());
    assert_eq!(run(&stand, &[row("gate", 2), row("roof", 3)]).await.written, 2);
    let after = stand.review();
    assert_eq!(after[0][0], "Statuses of March");
    assert_eq!(after[2][..4], ["", "is valid", "PROJECT  NAME", "Row Number"]);
    assert_eq!(after[3][1..4], ["YES", "gate", "2"]);
    assert_eq!(after[4][1..4], ["YES", "roof", "3"]);
    assert_eq!(after.len(), 5);
    assert_eq!(run(&stand.another(), &[row("gate", 2), row("roof", 3)]).await.unchanged, 2);
}

fn entry(project: &str, occurrence: u32, comment: &str) -> Entry {
    Entry {
        key: RowKey::of_identifier(project, occurrence),
        comment: comment.into(),
        completion_date: DateCell::Date(date(2026, 6, 30)),
        identifier: Some(project.into()),
        ..support::entry(2)
    }
}

#[tokio::test(start_paused = true)]
async fn what_it_judged_this_week_stands() {
    let stand = taken_over();
    let mut sink = stand.sink();
    sink.open(&in_moscow()).await.unwrap();
    let verdicts = sink.foreign_verdicts();
    let monday = "2026-03-08T21:00:00Z".parse().unwrap();
    assert!(verdicts.stands(&entry("Gate", 1, "Posts are set."), monday));
    assert!(verdicts.stands(&entry("Крыша", 1, "Лист  уложен. "), monday), "but for spaces the same");
    assert!(!verdicts.stands(&entry("Gate", 2, "Another gate."), monday), "a week ago");
    assert!(!verdicts.stands(&entry("Gate", 1, "Posts are set. Gates hang."), monday), "another text");
    assert!(!verdicts.stands(&entry("Wall", 1, ""), monday), "nobody judged it");
    let checked = "2026-03-10T04:05:00Z".parse().unwrap();
    assert!(verdicts.stands(&entry("Gate", 1, "Posts are set."), checked), "by the clocks of Moscow");
    assert_eq!(stand.count(Door::Write), 0);
}

#[test]
fn the_engine_does_not_pay_for_them_again() {
    let stand = taken_over();
    let mut rows = texts(&[["Project", "Status", "Completion Date", "Comment"]]);
    for (project, comment) in
        [("Gate", "Posts are set."), ("Крыша", "Лист уложен."), ("Gate", "Another gate.")]
    {
        rows.extend(texts(&[[project, "On Track", "2026-06-30", comment]]));
    }
    stand.statuses(&rows);
    let before = stand.review();
    let model = model(100);
    let parts = paused_parts(&projects(0), stand.sink(), model.clone());
    let parts = Parts { source: Some(Box::new(stand.source())), ..parts };
    let not_before = Some("2026-03-09T00:00:00Z".parse().unwrap());
    let report = support::run(parts, RunRequest { not_before, ..RunRequest::default() });
    assert_eq!((report.outcome, model.calls()), (RunOutcome::Ok, 1), "only the verdict of last week is old");
    let after = stand.review();
    for at in [1, 2, 5] {
        assert_eq!(after[at][..14], before[at], "row {at} keeps the verdict that was paid for");
    }
    assert_eq!(after[4][12], "content", "judged by the model of today");
    assert_eq!(after.len(), before.len());
}

/// The rows of the rules tab without blanks at their ends.
fn shown(stand: &Stand) -> Vec<Vec<String>> {
    let mut rows = stand.texts(TARGET, "Rules");
    for row in &mut rows {
        row.truncate(row.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1));
    }
    rows.truncate(rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1));
    rows
}

fn rulebook(rules: usize) -> Vec<Vec<String>> {
    let rules: String = (1..=rules)
        .map(|n| format!("[[rule]]\nid = \"R{n}\"\ntitle = \"Rule {n}\"\ntext = \"=1+{n}\"\n"))
        .collect();
    let numbered = Rulebook::from_toml(&format!("version = \"7\"\n{rules}")).unwrap();
    sheet::table(&numbered, Language::En)
}

#[tokio::test(start_paused = true)]
async fn rules_are_shown_and_shown_once() {
    let stand = Stand::new();
    let rows = rulebook(5);
    assert_eq!(stand.rules().publish(&rows).await.unwrap(), Published::Written);
    assert_eq!(stand.tabs(), ["Sheet1", "Rules"]);
    assert_eq!(shown(&stand)[0][..3], ["Rule", "Title", "Text"]);
    assert_eq!(shown(&stand)[1][0], "version 7");
    assert_eq!(shown(&stand)[2][..3], ["R1", "Rule 1", "=1+1"], "a text, whatever it begins with");
    stand.assert_proper_requests();
    stand.sandbox.clear_seen();
    assert_eq!(stand.rules().publish(&rows).await.unwrap(), Published::Unchanged);
    assert_eq!(stand.count(Door::Write), 0);

    // People write beside it, and move it to another place; there are fewer rules next time.
    let tab = stand.tab_id(TARGET, "Rules");
    let cell = json!({"values": [{"userEnteredValue": {"stringValue": "we discuss this one"}}]});
    let start = json!({"sheetId": tab, "rowIndex": 6, "columnIndex": 7});
    stand.edit(&json!([
        {"appendDimension": {"sheetId": tab, "dimension": "COLUMNS", "length": 3}},
        {"updateCells": {"start": start, "rows": [cell], "fields": "userEnteredValue"}},
        {"updateSheetProperties": {"properties": {"sheetId": tab, "index": 0}, "fields": "index"}},
    ]));
    assert_eq!(
        stand.rules().publish(&rows).await.unwrap(),
        Published::Unchanged,
        "theirs is no change of ours"
    );
    assert_eq!(stand.rules().publish(&rulebook(3)).await.unwrap(), Published::Written);
    let rows = shown(&stand);
    assert_eq!(rows.len(), 7);
    assert!(rows[5].is_empty() && rows[6][..7].iter().all(String::is_empty), "{rows:?}");
    assert_eq!(rows[6][7], "we discuss this one");
}

#[tokio::test(start_paused = true)]
async fn rules_replace_those_of_the_predecessor_and_nothing_else() {
    // It wrote the lines of its rules into the first column; a few of them have changed since.
    let stand = Stand::new();
    let lines = texts(&[["1. Dates."], [""], ["2. Facts."], ["3. Nothing else."]]);
    stand.sandbox.with_office(|office| office.load_sheet(TARGET, "rules", &lines).unwrap());
    let free = sheet::table(&Rulebook::free("1. Dates.\n\n2. Facts."), Language::En);
    assert_eq!(stand.rules().publish(&free).await.unwrap(), Published::Written);
    let shown: Vec<Vec<String>> = stand.texts(TARGET, "rules");
    assert_eq!(shown, [["1. Dates."], [""], ["2. Facts."]]);

    // Other lines are somebody's notes, even if one of them is a rule.
    let stand = Stand::new();
    let notes = [["Call the bank."], ["1. Dates."], ["Nobody reads this."]];
    stand.sandbox.with_office(|office| office.load_sheet(TARGET, "Rules", &texts(&notes)).unwrap());
    let told = stand.rules().publish(&free).await.unwrap_err().to_string();
    for words in [TARGET, "«Rules»", "empty it", "sheets.rules_sheet_name", "nothing was written"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(
        (stand.texts(TARGET, "Rules"), stand.count(Door::Write)),
        (notes.map(|row| row.map(str::to_owned).to_vec()).to_vec(), 0)
    );

    // A tab that somebody emptied is free.
    let stand = Stand::new();
    stand.sandbox.with_office(|office| office.load_sheet(TARGET, "Rules", &texts(&[[" "], [""]])).unwrap());
    assert_eq!(stand.rules().publish(&free).await.unwrap(), Published::Written);

    // Several columns are somebody's table.
    let stand = Stand::new();
    let table = texts(&[["Week", "Budget"], ["11", "100"]]);
    stand.sandbox.with_office(|office| office.load_sheet(TARGET, "Rules", &table).unwrap());
    let error = stand.rules().publish(&rulebook(2)).await.unwrap_err();
    assert!(matches!(error, TableError::Mismatch { .. }));
    let told = error.to_string();
    for words in [TARGET, "«Rules»", "something else", "sheets.rules_sheet_name", "nothing was written"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(stand.count(Door::Write), 0);
    assert_eq!(stand.texts(TARGET, "Rules"), [["Week", "Budget"], ["11", "100"]]);
}

#[tokio::test(start_paused = true)]
async fn rules_come_through_every_fault() {
    let minutes = std::time::Duration::from_secs(170);
    for fault in [
        Fault::ResetBeforeCommit,
        Fault::CommitThenReset,
        Fault::CommitThenStatus(503),
        Fault::CommitThenCut,
        Fault::Hang,
        Fault::LateCommit(minutes),
        Fault::Status(429),
        Fault::Html(502),
    ] {
        let stand = Stand::new();
        stand.fault(Door::Write, 1, fault.clone());
        let rows = rulebook(4);
        let done = stand.rules().publish(&rows).await;
        assert_eq!(
            done.unwrap_or_else(|error| panic!("{fault:?}: {error}")),
            Published::Written,
            "{fault:?}"
        );
        tokio::time::sleep(minutes).await; // until what comes late has come
        assert_eq!(stand.tabs(), ["Sheet1", "Rules"], "{fault:?}: one tab");
        let shown = shown(&stand);
        assert_eq!((shown.len(), shown[5][0].as_str()), (rows.len(), "R4"), "{fault:?}");
        assert!(stand.count(Door::Write) <= 3, "{fault:?}");
        stand.sandbox.clear_seen();
        assert_eq!(stand.rules().publish(&rows).await.unwrap(), Published::Unchanged, "{fault:?}");
    }
}
