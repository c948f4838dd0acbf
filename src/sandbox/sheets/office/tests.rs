//! The office as a whole: who may see what, what is created, what a copy costs.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::sheets::bench::{Bench, encoded, now};
use crate::sandbox::sheets::cell::Content;
use crate::sandbox::sheets::load::Typed;

#[test]
fn what_is_not_there_and_what_is_not_shared() {
    let mut bench = Bench::new();
    let not_found =
        json!({"error": {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}});
    for path in
        ["/v4/spreadsheets/none", "/v4/spreadsheets/none/values/A1", "/v4/fly", "/v4/spreadsheets/a/b/c"]
    {
        assert_eq!(bench.call("GET", path, "", &Value::Null), (404, not_found.clone()), "{path}");
    }
    bench.office.share("book", false).unwrap();
    let denied = json!({"error": {"code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED"}});
    assert_eq!(bench.call("GET", "", "", &Value::Null), (403, denied.clone()));
    let write = bench.call("PUT", "/values/A1", "valueInputOption=RAW", &json!({"values": [[1]]}));
    assert_eq!(write, (403, denied));
    let (status, drive) = bench.call("GET", "/drive/v3/files/book", "", &Value::Null);
    assert_eq!((status, &drive["error"]["errors"][0]["reason"]), (404, &json!("notFound")));
    bench.office.share("book", true).unwrap();
    bench.ok("GET", "", "", &Value::Null);
}

#[test]
fn a_body_is_read_before_the_spreadsheet_is_looked_for() {
    let mut bench = Bench::new();
    let (status, answer) =
        bench.call("POST", "/v4/spreadsheets/none:batchUpdate", "", &json!({"requests": [{"fly": 1}]}));
    assert_eq!((status, &answer["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    let violation = &answer["error"]["details"][0]["fieldViolations"][0];
    assert_eq!(violation["field"], json!("requests[0]"));
    let bad = bench.call("GET", "/v4/spreadsheets/none", "fields=sheets.sheetProperties", &Value::Null);
    assert_eq!(bad.1["error"]["message"], json!("Request contains an invalid argument."));
    assert_eq!(bad.1["error"]["details"][0]["fieldViolations"][0]["field"], json!("sheets.sheetProperties"));
}

#[test]
fn the_same_seed_gives_the_same_answers() {
    let run = |seed: u64| {
        let mut office = Office::new(seed);
        let body = json!({"properties": {"title": "T"}, "sheets": [{}, {}]}).to_string();
        let call =
            Call { method: "POST", path: "/v4/spreadsheets", query: "", body: body.as_bytes(), now: now() };
        office.answer(&call).body
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn a_spreadsheet_is_created_as_it_is_asked_for() {
    let mut bench = Bench::new();
    let range = json!({"endRowIndex": 2, "endColumnIndex": 1});
    let sheet = json!({
        "properties": {"title": "First", "sheetId": 3, "gridProperties": {"rowCount": 5, "columnCount": 4, "frozenRowCount": 1}},
        "data": [{"startRow": 1, "startColumn": 1, "rowData": [{"values": [{"userEnteredValue": {"stringValue": "x"}, "note": "n"}]}]}],
        "merges": [range],
        "basicFilter": {"range": {"endRowIndex": 4}},
    });
    let body = json!({
        "properties": {"title": "T", "locale": "ru_RU", "timeZone": "Europe/Moscow"},
        "sheets": [sheet, {"properties": {"title": "Second"}}],
        "namedRanges": [{"name": "N", "range": {"sheetId": 3, "endRowIndex": 1}}],
    });
    let made = bench.ok("POST", "/v4/spreadsheets", "", &body);
    bench.id = made["spreadsheetId"].as_str().unwrap().to_owned();
    assert_eq!(bench.id.len(), 44);
    assert_eq!(made["properties"]["locale"], json!("ru_RU"));
    assert_eq!(made["sheets"][1]["properties"]["title"], json!("Second"));
    assert!(made["sheets"][0].get("data").is_none());
    assert_eq!(
        (bench.values("First!A1:D5"), bench.cell("First!B2", "note")),
        (json!([[], ["", "x"]]), json!({"note": "n"}))
    );
    assert_eq!(bench.sheet("merges")["merges"][0]["sheetId"], json!(3));
    let untitled = bench.ok(
        "POST",
        "/v4/spreadsheets",
        "fields=properties.title,sheets.properties(sheetId,title)",
        &Value::Null,
    );
    assert_eq!(
        untitled,
        json!({"properties": {"title": "Untitled spreadsheet"}, "sheets": [{"properties": {"sheetId": 0, "title": "Sheet1"}}]})
    );
    let twice = json!({"sheets": [{"properties": {"title": "A"}}, {"properties": {"title": "a"}}]});
    bench.refused("POST", "/v4/spreadsheets", "", &twice);
}

#[test]
fn a_change_is_seen_in_the_file() {
    let mut bench = Bench::new();
    let file = |bench: &mut Bench| {
        bench.ok("GET", "/drive/v3/files/book", "fields=version,modifiedTime", &Value::Null)
    };
    let before = file(&mut bench);
    bench.values("A1");
    assert_eq!(file(&mut bench), before);
    bench.type_in("A1", &json!([["x"]]));
    assert_ne!(file(&mut bench)["version"], before["version"]);
    assert_eq!(file(&mut bench)["modifiedTime"], json!("2026-03-13T06:00:00.000Z"));
}

#[test]
fn a_large_sheet_is_shared_until_it_is_changed() {
    let mut bench = Bench::new();
    let row: Vec<Typed> = (0..26).map(|column| Typed::Text(format!("column {column}"))).collect();
    bench.office.load_sheet("book", "Large", &vec![row; 50_000]).unwrap();
    let page = bench.values("Large!A49001:Z50000");
    assert_eq!((page.as_array().unwrap().len(), &page[999][25]), (1000, &json!("column 25")));
    let before = bench.office.clone();
    bench.type_in("Large!C7", &json!([["changed"]]));
    bench.batch(&json!([{"insertDimension": {"range": {"sheetId": 0, "dimension": "ROWS", "startIndex": 100, "endIndex": 101}}}]));
    let (old, new) =
        (before.documents[0].book.tab(0).unwrap(), bench.office.documents[0].book.tab(0).unwrap());
    let copied =
        (0..50_000).filter(|row| !new.grid.shares_row(*row + u32::from(*row >= 100), &old.grid, *row));
    assert_eq!(copied.collect::<Vec<_>>(), [6], "only the row that was written is copied");
    assert_eq!(old.grid.cell(6, 2).content(), &Content::text("column 2"));
}

#[test]
fn odd_calls_are_answered_without_harm() {
    let mut bench = Bench::of(4, 4, &json!([["a"]]));
    for (method, path, query, body) in [
        ("GET", "/values/%FF%FE", "", json!(null)),
        ("GET", "/values/A1", "fields=", json!(null)),
        ("GET", "/values:batchGet", "", json!(null)),
        ("GET", "", "ranges=A1&ranges=Nope", json!(null)),
        ("POST", "/values/A1:append", "valueInputOption=RAW", json!({})),
        ("POST", "/values/A1:append", "valueInputOption=RAW", json!({"values": [[]]})),
        ("PUT", "/values/A1", "valueInputOption=RAW", json!({"values": []})),
        ("POST", ":getByDataFilter", "", json!({"dataFilters": [{}]})),
        ("POST", "/values:batchUpdate", "", json!({"valueInputOption": "RAW"})),
        ("GET", "/developerMetadata/x", "", json!(null)),
        ("GET", "/developerMetadata/5", "", json!(null)),
        ("POST", "/sheets/9:copyTo", "", json!({"destinationSpreadsheetId": "book"})),
        ("POST", "/sheets/0:copyTo", "", json!({})),
    ] {
        let (status, answer) = bench.call(method, path, query, &body);
        assert!(
            status == 200 || answer["error"]["code"] == json!(status),
            "{method} {path}: {status} {answer}"
        );
    }
    let empty = bench.ok("GET", "/values:batchGet", "", &Value::Null);
    assert_eq!(empty, json!({"spreadsheetId": "book"}));
}

proptest::proptest! {
    #[test]
    fn any_call_gets_an_answer(range in "\\PC{0,10}|[A-D$]{0,2}[0-9:!]{0,5}", body in "\\PC{0,20}|\\{\"values\": \\[.{0,10}\\]\\}", kind in 0usize..4) {
        let mut office = Bench::new().office;
        let path = format!("/v4/spreadsheets/book/values/{}", encoded(&range));
        let (method, path) = [("GET", path.clone()), ("PUT", path.clone()), ("POST", format!("{path}:append")), ("POST", format!("{path}:clear"))][kind].clone();
        let call = Call { method, path: &path, query: "valueInputOption=USER_ENTERED", body: body.as_bytes(), now: now() };
        let answer = office.answer(&call);
        proptest::prop_assert!(answer.body.is_some() && answer.status < 500);
    }
}

#[test]
fn loaded_cells_are_typed() {
    let mut bench = Bench::new();
    let date = jiff::civil::date(2026, 3, 13);
    let row = vec![
        Typed::Text("=1".into()),
        Typed::Number(1.5),
        Typed::Bool(true),
        Typed::Date(date.at(0, 0, 0, 0)),
        Typed::Date(date.at(14, 49, 0, 0)),
        Typed::Error(crate::sandbox::sheets::ErrorKind::NotAvailable),
        Typed::Formula("=B1*2".into()),
        Typed::Blank,
    ];
    bench.office.set_locale("book", "ru_RU", "Europe/Moscow").unwrap();
    bench.office.load_sheet("book", "T", &[row]).unwrap();
    let shown = json!([["=1", "1,5", "ИСТИНА", "13.03.2026", "13.03.2026 14:49:00", "#N/A", "3"]]);
    assert_eq!(bench.values("T!A1:Z1"), shown);
    assert_eq!(
        bench.cell("T!F1", "userEnteredValue"),
        json!({"userEnteredValue": {"errorValue": {"type": "N_A"}}})
    );
    let look = bench.office.look("book", now()).unwrap();
    let sheet = look.sheet("T").unwrap();
    assert_eq!(
        (sheet.rows(), sheet.columns(), sheet.entered_rows(), sheet.texts()[0][3].as_str()),
        (1000, 26, 1, "13.03.2026")
    );
    assert_eq!(sheet.cell(0, 6).formula.as_deref(), Some("=B1*2"));
}
