//! What Google refuses, and what people have done: each error says where, what is not lost, and what to do.

use serde_json::{Value, json};
use status_validator::domain::results::ResultRow;
use status_validator::sandbox::sheets::Office;
use status_validator::sandbox::{ACCOUNT, Arrival, Door, Fault, SandboxParams, ThrowAwayKey};
use status_validator::table::google::KeyFile;
use status_validator::table::{TableError, TableSink as _, TableSource as _};

use super::sink::{row, run};
use crate::support::stand::{REVIEW, SOURCE, STATUSES, Stand, TARGET, edit, key, options, tab_id, texts};

fn rows(count: u64) -> Vec<ResultRow> {
    (2..count + 2).map(|n| row(&format!("p{n}"), n)).collect()
}

/// What an error tells, which must have all of these words.
fn assert_tells(error: &TableError, words: &[&str]) {
    let told = error.to_string();
    for word in words {
        assert!(told.contains(word), "«{word}» is not told by: {told}");
    }
}

/// The error that a sink ends with when it is to write these rows.
async fn refused(stand: &Stand, rows: &[ResultRow]) -> TableError {
    let mut sink = stand.sink();
    if let Err(error) = sink.open(&options()).await {
        return error;
    }
    sink.upsert(rows).await.unwrap();
    sink.commit().await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_spreadsheet_that_is_not_shared() {
    let stand = Stand::new();
    stand.sandbox.with_office(|office| {
        office.share(SOURCE, false).unwrap();
        office.share(TARGET, false).unwrap();
    });
    let error = refused(&stand, &rows(3)).await;
    assert!(matches!(error, TableError::Forbidden { .. }) && !error.is_transient());
    let address = "https://docs.google.com/spreadsheets/d/target-1/edit";
    assert_tells(&error, &[TARGET, REVIEW, ACCOUNT, address, "share it with this address as Editor"]);
    let error = stand.source().open().await.unwrap_err();
    assert_tells(&error, &[SOURCE, STATUSES, ACCOUNT, "share it with this address as Viewer"]);
    let error = stand.rules().publish(&[vec!["R1".into()]]).await.unwrap_err();
    assert_tells(&error, &[TARGET, "Rules", ACCOUNT, "as Editor"]);
    let error = stand.sink().prove_writable().await.unwrap_err();
    assert_tells(&error, &[TARGET, ACCOUNT, "as Editor"]);

    // It is shared: the same objects go on.
    stand.sandbox.with_office(|office| office.share(TARGET, true).unwrap());
    stand.sink().prove_writable().await.unwrap();
    assert_eq!(stand.tabs(), ["Sheet1"], "to prove it changes nothing");
    assert_eq!(run(&stand, &rows(3)).await.written, 3);
}

#[tokio::test(start_paused = true)]
async fn there_is_no_such_spreadsheet_or_tab() {
    let stand = Stand::new();
    let mut params = stand.source_params();
    params.spreadsheet_id = "no-such-id".into();
    let error = status_validator::table::google::GoogleSource::new(params).open().await.unwrap_err();
    assert!(matches!(error, TableError::Mismatch { .. }));
    assert_tells(&error, &["no-such-id", STATUSES, "between /d/ and /edit", ACCOUNT, "as Viewer"]);
    stand.statuses(&texts(&[["Project"]]));
    let mut params = stand.source_params();
    params.tab = "Statusses".into();
    let error = status_validator::table::google::GoogleSource::new(params).open().await.unwrap_err();
    assert_tells(&error, &[SOURCE, "Statusses", "did you mean «Statuses»"]);
    for (header_row, words) in
        [(5_000, "the tab has 1000 rows"), (2, "row 2, which header_row names, is blank")]
    {
        let mut params = stand.source_params();
        (params.header_row, params.data_start_row) = (header_row, header_row + 1);
        let error = status_validator::table::google::GoogleSource::new(params).open().await.unwrap_err();
        assert_tells(&error, &[SOURCE, STATUSES, words]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_api_is_switched_off() {
    let stand = Stand::new();
    let address = "https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=7";
    let body = json!({"error": {
        "code": 403,
        "message": format!("Google Sheets API has not been used in project 7 before or it is disabled. Enable it by \
                            visiting {address} then retry."),
        "status": "PERMISSION_DENIED",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": {"activationUrl": address, "consumer": "projects/7"},
        }],
    }});
    stand.fault(Door::Read, 1, Fault::Answer { status: 403, retry_after: None, body });
    let error = refused(&stand, &rows(1)).await;
    assert!(matches!(error, TableError::Forbidden { .. }));
    assert_tells(&error, &[TARGET, ACCOUNT, "switched off", address, "wait"]);
    assert_eq!(stand.count(Door::Read), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_google_only_shows() {
    let stand = Stand::new();
    stand.statuses(&texts(&[["Project"]]));
    let body = json!({"error": {"code": 400, "status": "FAILED_PRECONDITION",
        "message": "This operation is not supported for this document. The document must not be an Office file."}});
    for n in [1, 2] {
        stand.sandbox.set_script({
            let (from, body) = (stand.count(Door::Read) as u64, body.clone());
            move |arrival: &Arrival, _: &mut Office| match arrival.door {
                Door::Read if arrival.of_door >= from + n => {
                    Fault::Answer { status: 400, retry_after: None, body: body.clone() }
                }
                _ => Fault::None,
            }
        });
        let error = stand.source().open().await.unwrap_err();
        assert!(matches!(error, TableError::Mismatch { .. }));
        assert_tells(&error, &[SOURCE, STATUSES, "Office file", "Save as Google Sheets", "id of that one"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_source_tab_is_deleted_while_it_is_read() {
    let stand = Stand::new();
    stand.statuses(&texts(&[["Project"], ["p2"]]));
    let mut source = stand.source();
    source.open().await.unwrap();
    let tab = stand.tab_id(SOURCE, STATUSES);
    stand.edit_source(
        &json!([{"addSheet": {"properties": {"title": "Other"}}}, {"deleteSheet": {"sheetId": tab}}]),
    );
    let error = source.next_page(10).await.unwrap_err();
    assert!(matches!(error, TableError::NotFound { .. }), "{error}");
    assert_tells(&error, &[SOURCE, STATUSES, "deleted while it was read", "restore it"]);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_cannot_sign_in() {
    let deleted = Stand::new();
    deleted.sandbox.delete_account();
    let skewed = |hours| {
        let skew = jiff::SignedDuration::from_hours(hours);
        Stand::with(SandboxParams { skew, ..SandboxParams::new(key()) })
    };
    let other_key = Stand::with(SandboxParams::new(ThrowAwayKey::new().unwrap()));
    for (stand, words) in [
        (deleted, "the service account was deleted"),
        (skewed(2), "the clock of this machine is wrong"),
        (skewed(-2), "the clock of this machine is wrong"),
        (other_key, "the key was deleted or belongs to another account"),
    ] {
        let error = refused(&stand, &rows(1)).await;
        assert!(matches!(error, TableError::Forbidden { .. }), "{error}");
        assert_tells(&error, &[TARGET, REVIEW, ACCOUNT, "signing in", words]);
        assert_eq!(stand.count(Door::Token), 1, "asked once: nothing will be better the next time");
        assert_eq!(stand.count(Door::Read) + stand.count(Door::Write), 0);
    }
}

#[test]
fn a_key_file_that_cannot_be_used_is_told_without_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    let error = KeyFile::read(&path).unwrap_err().to_string();
    assert!(
        error.contains("key.json") && error.contains("does not exist") && error.contains("Keys"),
        "{error}"
    );
    let file = key().file("http://127.0.0.1:1/token");
    std::fs::write(&path, file.to_string()).unwrap();
    assert_eq!(KeyFile::read(&path).unwrap().email(), ACCOUNT);
    let secret = file["private_key"].as_str().unwrap()[40..80].to_owned();
    let mut user = file.clone();
    user["type"] = "authorized_user".into();
    let mut cut = file.clone();
    cut["private_key"] = Value::Null;
    for (text, words) in [
        (user.to_string(), "not a service account's"),
        (cut.to_string(), "lacks private_key"),
        (file.to_string()[..900].to_owned(), "no JSON"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = KeyFile::read(&path).unwrap_err().to_string();
        assert!(error.contains("key.json") && error.contains(words), "{error}");
        assert!(!error.contains(&secret), "the key is nobody's business");
    }
}

#[test]
fn a_key_that_is_damaged_is_told_before_it_is_used() {
    let mut file = key().file("http://127.0.0.1:1/token");
    let pem = file["private_key"].as_str().unwrap().to_owned();
    let (first, rest) = pem.split_at(200);
    for damaged in [
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned(),
        format!("{first}{}", &rest[100..]),
        format!("{first}…{rest}"),
        pem[..300].to_owned(),
    ] {
        file["private_key"] = damaged.into();
        let error = KeyFile::from_json(&file.to_string()).unwrap_err().to_string();
        assert!(error.contains("damaged") && error.contains("download it again"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_protected_range_is_in_the_way() {
    let stand = Stand::new();
    run(&stand, &rows(3)).await;
    let before = stand.review();
    let lock = stand.sandbox.with_office(|office| office.lock(TARGET, "Status Review!A:P").unwrap());
    let mut changed = rows(4);
    changed[0].comment = "Another.".into();
    let other = stand.another();
    let mut sink = other.sink();
    sink.open(&options()).await.unwrap();
    sink.upsert(&changed).await.unwrap();
    let error = sink.commit().await.unwrap_err();
    assert!(matches!(error, TableError::Forbidden { .. }), "{error}");
    let kept = "nothing that was judged is lost";
    assert_tells(&error, &[TARGET, REVIEW, ACCOUNT, "protected range", "Protected sheets and ranges", kept]);
    assert_eq!(stand.review(), before, "nothing is half written");
    assert!(stand.count(Door::Write) < 20, "{}", stand.count(Door::Write));
    stand.sandbox.with_office(|office| office.unlock(TARGET, lock).unwrap());
    assert_eq!(sink.commit().await.unwrap().written, 2, "the rows were kept");
    assert_eq!(stand.column("Comment")[0], "Another.");
}

#[tokio::test(start_paused = true)]
async fn a_spreadsheet_that_is_full() {
    let grid = |rows: u32| {
        json!([{"addSheet": {"properties": {
        "title": "Archive", "gridProperties": {"rowCount": rows, "columnCount": 26}}}}])
    };
    let full = Stand::new();
    full.edit(&grid(383_500)); // 9,997,000 cells with those of the first tab
    let error = refused(&full, &rows(3)).await;
    assert!(matches!(error, TableError::Full { .. }), "{error}");
    let kept = "nothing that was judged is lost";
    assert_tells(&error, &[TARGET, REVIEW, "10 million cells", "remove tabs", "another spreadsheet", kept]);
    assert_eq!(full.tabs(), ["Sheet1", "Archive"]);

    // There was room for the tab, not for more rows of it.
    let stand = Stand::new();
    run(&stand, &rows(999)).await;
    let before = stand.review();
    let tab = stand.tab_id(TARGET, "Sheet1");
    stand.edit(&grid(382_996));
    stand.edit(&json!([{"appendDimension": {"sheetId": tab, "dimension": "ROWS", "length": 10}}]));
    let error = refused(&stand.another(), &rows(1_999)).await;
    assert!(matches!(error, TableError::Full { .. }), "{error}");
    assert_eq!(stand.review(), before);
}

#[tokio::test(start_paused = true)]
async fn somebody_else_has_a_table_where_results_are_to_be() {
    let stand = Stand::new();
    let table = texts(&[["Week", "Budget", "Key"], ["11", "100", "k"], ["12", "200", "l"]]);
    stand.sandbox.with_office(|office| office.load_sheet(TARGET, REVIEW, &table).unwrap());
    let before = stand.review();
    let error = refused(&stand, &rows(3)).await;
    assert!(matches!(error, TableError::Mismatch { .. }) && !error.is_transient());
    assert_tells(&error, &[TARGET, REVIEW, "something else", "«Is Valid»", "sheets.target_sheet_name"]);
    assert_eq!((stand.review(), stand.count(Door::Write)), (before, 0), "untouched");

    // Some of our names stand in other tables, too.
    let assets = texts(&[
        ["Asset", "Check date", "Comment", "Key", "Model"],
        ["Boiler", "01.02.2026", "ok", "p2", "X200"],
    ]);
    stand.sandbox.with_office(|office| office.load_sheet(TARGET, REVIEW, &assets).unwrap());
    let before = stand.review();
    let error = refused(&stand, &rows(3)).await;
    assert!(matches!(error, TableError::Mismatch { .. }), "{error}");
    assert_tells(&error, &[TARGET, REVIEW, "exists already", "«Is Valid» with 2 of", "nothing was written"]);
    assert_eq!((stand.review(), stand.count(Door::Write)), (before, 0), "untouched");

    // A column of ours twice: nobody can tell which one is meant.
    let twice = texts(&[["Row Number", "Is Valid", "Comment", "comment ", "Issues", "Model"]]);
    stand.sandbox.with_office(|office| office.load_sheet(TARGET, REVIEW, &twice).unwrap());
    let error = refused(&stand, &rows(3)).await;
    assert!(matches!(error, TableError::Header { .. }), "{error}");
    assert_tells(&error, &[TARGET, REVIEW, "«Comment»", "3, 4", "delete all but one", "is kept"]);
    assert_eq!(stand.count(Door::Write), 0);
}

#[tokio::test(start_paused = true)]
async fn the_results_tab_is_deleted_or_renamed_during_a_run() {
    let stand = Stand::new();
    run(&stand, &rows(3)).await;
    let other = stand.another();
    let mut sink = other.sink();
    sink.open(&options()).await.unwrap();
    let tab = stand.tab_id(TARGET, REVIEW);
    let renamed = json!({"sheetId": tab, "title": "Review of March"});
    stand.edit(&json!([{"updateSheetProperties": {"properties": renamed, "fields": "title"}}]));
    sink.upsert(&rows(4)).await.unwrap();
    assert_eq!(sink.commit().await.unwrap().written, 1);
    assert_eq!(stand.tabs()[..2], ["Sheet1", "Review of March"]);
    assert_eq!(stand.texts(TARGET, "Review of March").len(), 5);
    sink.close().await.unwrap();

    // The next run finds it by its mark and says so.
    let done = run(&stand.another(), &rows(5)).await;
    assert_eq!((done.written, done.unchanged), (1, 4));
    assert!(
        done.warnings[0].contains("«Status Review» is called «Review of March» now"),
        "{:?}",
        done.warnings
    );

    let other = stand.another();
    let mut sink = other.sink();
    sink.open(&options()).await.unwrap();
    sink.upsert(&rows(6)).await.unwrap();
    stand.edit(&json!([{"deleteSheet": {"sheetId": tab}}]));
    let error = sink.commit().await.unwrap_err();
    assert!(matches!(error, TableError::NotFound { .. }), "{error}");
    assert_tells(
        &error,
        &[TARGET, REVIEW, "deleted during the run", "nothing that was judged is lost", "makes a new one"],
    );
    assert_eq!(stand.tabs(), ["Sheet1"]);
    assert_eq!(run(&stand.another(), &rows(6)).await.written, 6);
    assert_eq!(stand.column("Key").len(), 6);
}

/// Renames a header of the results.
fn rename(office: &mut Office, from: &str, to: &str) {
    let book = office.look(TARGET, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let at = book.sheet(REVIEW).unwrap().texts()[0].iter().position(|name| name == from).unwrap();
    let start = json!({"sheetId": tab_id(office, TARGET, REVIEW).unwrap(), "rowIndex": 0, "columnIndex": at});
    let cell = json!({"values": [{"userEnteredValue": {"stringValue": to}}]});
    let write = json!([{"updateCells": {"start": start, "rows": [cell], "fields": "userEnteredValue"}}]);
    edit(office, TARGET, &write);
}

#[tokio::test(start_paused = true)]
async fn the_header_of_the_results_is_edited_during_a_run() {
    for name in ["Key", "Comment", "Row Number", "Project name"] {
        let stand = Stand::new();
        run(&stand, &rows(3)).await;
        let other = stand.another();
        let mut sink = other.sink();
        sink.open(&options()).await.unwrap();
        sink.upsert(&rows(5)).await.unwrap();
        stand.sandbox.with_office(|office| rename(office, name, "Mine"));
        stand.sandbox.clear_seen();
        let error = sink.commit().await.unwrap_err();
        assert!(matches!(error, TableError::Header { .. }), "{error}");
        assert_tells(&error, &[TARGET, REVIEW, name, "edited during the run", "put the header back", "kept"]);
        assert_eq!(stand.count(Door::Write), 0, "nothing is written under a header that nobody knows");
        stand.sandbox.with_office(|office| rename(office, "Mine", name));
        assert_eq!(sink.commit().await.unwrap().written, 2, "the rows were kept");
        sink.close().await.unwrap();
        assert_eq!(stand.column("Key"), ["p2", "p3", "p4", "p5", "p6"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_header_that_is_edited_between_look_and_write_is_told() {
    let stand = Stand::new();
    run(&stand, &rows(3)).await;
    let writes = stand.count(Door::Write) as u64;
    stand.sandbox.set_script(move |arrival: &Arrival, office: &mut Office| {
        if arrival.door == Door::Write && arrival.of_door == writes + 1 {
            rename(office, "Comment", "Mine");
        }
        Fault::None
    });
    let mut changed = rows(3);
    changed[1].comment = "Another.".into();
    let error = refused(&stand.another(), &changed).await;
    assert_tells(&error, &[TARGET, REVIEW, "«Comment»", "put the header back"]);
    stand.sandbox.clear_script();
    stand.sandbox.with_office(|office| rename(office, "Mine", "Comment"));
    run(&stand.another(), &changed).await;
    assert_eq!(stand.column("Comment"), ["Done: 2 gates", "Another.", "Done: 4 gates"]);
    assert_eq!(stand.tabs(), ["Sheet1", REVIEW]);
}

#[tokio::test(start_paused = true)]
async fn nearly_all_rows_of_the_source_are_gone() {
    let stand = Stand::new();
    run(&stand, &rows(20)).await;
    let before = stand.review();
    stand.sandbox.clear_seen();
    let done = run(&stand.another(), &rows(2)).await;
    assert_eq!((done.shrink_refused, done.marked_gone, done.unchanged), (18, 0, 2));
    assert_eq!((stand.review(), stand.count(Door::Write)), (before, 0));

    let done = run(&stand.another(), &rows(3)).await;
    assert_eq!((done.shrink_refused, done.marked_gone), (0, 17), "85 of 100 may be");
    let other = stand.another();
    let mut sink = other.sink();
    sink.open(&options()).await.unwrap();
    sink.upsert(&rows(20)[19..]).await.unwrap();
    sink.mark_gone(true).await.unwrap();
    let done = sink.commit().await.unwrap();
    assert_eq!((done.shrink_refused, done.marked_gone, done.written), (0, 3, 1), "it was wanted");
    let gone =
        stand.column("Row Number").iter().filter(|number| number.contains("not in the source")).count();
    assert_eq!(gone, 19);
}
