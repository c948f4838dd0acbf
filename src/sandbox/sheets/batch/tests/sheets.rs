//! Sheets added, deleted, duplicated, renamed, hidden and put in order.

use serde_json::{Value, json};

use crate::sandbox::sheets::bench::Bench;
use crate::sandbox::sheets::office::Switches;

fn titles(bench: &mut Bench) -> Vec<String> {
    let sheets = bench.fields("sheets.properties.title")["sheets"].take();
    sheets
        .as_array()
        .unwrap()
        .iter()
        .map(|sheet| sheet["properties"]["title"].as_str().unwrap().to_owned())
        .collect()
}

fn properties(properties: &Value, fields: &str) -> Value {
    json!([{"updateSheetProperties": {"properties": properties, "fields": fields}}])
}

#[test]
fn a_new_sheet_has_what_it_is_given() {
    let mut bench = Bench::new();
    let replies = bench.batch(&json!([{"addSheet": {"properties": {
        "title": "T", "sheetId": 7, "index": 0, "hidden": true, "rightToLeft": true,
        "gridProperties": {"rowCount": 3, "columnCount": 4, "frozenRowCount": 1, "hideGridlines": true},
        "tabColor": {"red": 0.5},
    }}}]));
    let color = json!({"red": 0.49803922});
    assert_eq!(
        replies[0]["addSheet"]["properties"],
        json!({
            "sheetId": 7, "title": "T", "index": 0, "sheetType": "GRID",
            "gridProperties": {"rowCount": 3, "columnCount": 4, "frozenRowCount": 1, "hideGridlines": true},
            "hidden": true, "tabColor": color, "rightToLeft": true, "tabColorStyle": {"rgbColor": color},
        })
    );
    let replies = bench.batch(&json!([{"addSheet": {}}]));
    let plain = &replies[0]["addSheet"]["properties"];
    assert_eq!((&plain["title"], &plain["index"]), (&json!("Sheet3"), &json!(2)));
    assert_eq!(plain["gridProperties"], json!({"rowCount": 1000, "columnCount": 26}));
    for (properties, expected) in [
        (
            json!({"title": "sheet1"}),
            "A sheet with the name \"sheet1\" already exists. Please enter another name.",
        ),
        (json!({"sheetId": 7}), "Sheet with id 7 already exists."),
        (json!({"sheetId": -1}), "Sheet id must be non-negative."),
        (json!({"title": "x".repeat(101)}), "The sheet name cannot be greater than 100 characters."),
        (
            json!({"gridProperties": {"rowCount": 5_000_000}}),
            "This action would increase the number of cells in the workbook above the limit of 10000000 cells.",
        ),
    ] {
        let refused = bench.batch_refused(&json!([{"addSheet": {"properties": properties}}]));
        assert_eq!(refused, format!("Invalid requests[0].addSheet: {expected}"));
    }
}

#[test]
fn the_last_sheet_stays_and_one_is_always_seen() {
    let mut bench = Bench::new();
    let delete = |id: i32| json!([{"deleteSheet": {"sheetId": id}}]);
    assert_eq!(
        bench.batch_refused(&delete(0)),
        "Invalid requests[0].deleteSheet: You can't remove all the sheets in a document."
    );
    let hide = properties(&json!({"sheetId": 0, "hidden": true}), "hidden");
    assert_eq!(
        bench.batch_refused(&hide),
        "Invalid requests[0].updateSheetProperties: You can't hide all the sheets in a document."
    );
    bench.batch(&json!([{"addSheet": {"properties": {"sheetId": 5, "hidden": true}}}]));
    assert_eq!(
        bench.batch_refused(&delete(0)),
        "Invalid requests[0].deleteSheet: You can't remove all the visible sheets in a document."
    );
    bench.batch(&properties(&json!({"sheetId": 5}), "hidden"));
    bench.batch(&delete(0));
    assert_eq!(bench.batch_refused(&delete(3)), "Invalid requests[0].deleteSheet: No sheet with id: 3");
}

#[test]
fn an_index_is_counted_before_the_move() {
    let mut bench = Bench::new();
    bench.batch(&json!([{"addSheet": {"properties": {"title": "S2", "sheetId": 2}}}, {"addSheet": {"properties": {"title": "S3", "sheetId": 3}}}]));
    for (index, expected) in [
        (0, ["Sheet1", "S2", "S3"]),
        (1, ["Sheet1", "S2", "S3"]),
        (2, ["S2", "Sheet1", "S3"]),
        (9, ["S2", "S3", "Sheet1"]),
        (0, ["Sheet1", "S2", "S3"]),
    ] {
        bench.batch(&properties(&json!({"sheetId": 0, "index": index}), "index"));
        assert_eq!(titles(&mut bench), expected, "{index}");
    }
}

#[test]
fn formulas_know_a_renamed_sheet_and_miss_a_deleted_one() {
    let mut bench = Bench::new();
    bench.batch(&json!([{"addSheet": {"properties": {"title": "Data", "sheetId": 5}}}]));
    bench.type_in("Data!A1", &json!([["5", "=A1"]]));
    bench.type_in("Sheet1!A1", &json!([["=data!a1", "=SUM(Data!A:A)", "=\"Data!A1\""]]));
    bench.batch(&properties(&json!({"sheetId": 5, "title": "New 'Data'"}), "title"));
    assert_eq!(
        bench.formulas("A1:C1"),
        json!([["='New ''Data'''!A1", "=SUM('New ''Data'''!A:A)", "=\"Data!A1\""]])
    );
    assert_eq!(bench.values("A1:B1"), json!([["5", "5"]]));
    bench.batch(&json!([{"addNamedRange": {"namedRange": {"name": "N", "range": {"sheetId": 5}}}}, {"deleteSheet": {"sheetId": 5}}]));
    assert_eq!(
        (bench.formulas("A1:B1"), bench.fields("namedRanges")),
        (json!([["=#REF!", "=SUM(#REF!)"]]), json!({}))
    );
    let taken = properties(&json!({"sheetId": 0, "title": ""}), "title");
    bench.batch_refused(&taken);
}

#[test]
fn a_copy_has_everything_but_ids() {
    let mut bench = Bench::of(5, 5, &json!([["a", "=A1"]]));
    bench.batch(&json!([
        {"mergeCells": {"range": {"startRowIndex": 2, "endRowIndex": 4, "endColumnIndex": 2}}},
        {"addProtectedRange": {"protectedRange": {"range": {"endRowIndex": 1}, "warningOnly": true}}},
    ]));
    let replies = bench.batch(&json!([{"duplicateSheet": {"sourceSheetId": 0, "insertSheetIndex": 1}}]));
    let properties = replies[0]["duplicateSheet"]["properties"].clone();
    assert_eq!((&properties["title"], &properties["index"]), (&json!("Copy of Sheet1"), &json!(1)));
    assert_eq!(bench.formulas("'Copy of Sheet1'!A1:B1"), json!([["a", "=A1"]]));
    let sheets = bench.fields("sheets(merges,protectedRanges(protectedRangeId))")["sheets"].take();
    assert_eq!(sheets[0]["merges"][0]["endRowIndex"], sheets[1]["merges"][0]["endRowIndex"]);
    assert_ne!(sheets[0]["protectedRanges"], sheets[1]["protectedRanges"]);
    bench.batch(&json!([{"duplicateSheet": {"sourceSheetId": 0, "newSheetName": "Mine", "newSheetId": 44}}, {"duplicateSheet": {"sourceSheetId": 0}}]));
    assert_eq!(titles(&mut bench), ["Copy of Sheet1 2", "Mine", "Sheet1", "Copy of Sheet1"]);
}

#[test]
fn a_sheet_is_copied_to_another_spreadsheet() {
    let mut bench = Bench::of(5, 5, &json!([["a"]]));
    let other = bench.ok("POST", "/v4/spreadsheets", "", &json!({"properties": {"title": "Other"}}));
    let target = other["spreadsheetId"].as_str().unwrap().to_owned();
    let copied = bench.ok("POST", "/sheets/0:copyTo", "", &json!({"destinationSpreadsheetId": target}));
    assert_eq!((&copied["title"], &copied["index"]), (&json!("Copy of Sheet1"), &json!(1)));
    bench.id = target;
    assert_eq!(bench.values("Copy of Sheet1!A1"), json!([["a"]]));
    let refused = bench.refused("POST", "/sheets/0:copyTo", "", &json!({"destinationSpreadsheetId": "none"}));
    assert_eq!(refused, "Requested entity was not found.");
}

#[test]
fn a_mask_of_everything_changes_what_is_given() {
    let mut bench = Bench::new();
    bench.batch(&properties(
        &json!({"sheetId": 0, "title": "T", "tabColorStyle": {"rgbColor": {"red": 1}}}),
        "*",
    ));
    let shown = bench.sheet("properties")["properties"].take();
    assert_eq!((&shown["title"], &shown["tabColor"]), (&json!("T"), &json!({"red": 1})));
    assert_eq!(shown["gridProperties"], json!({"rowCount": 1000, "columnCount": 26}));
    bench.batch(&properties(&json!({"sheetId": 0, "tabColorStyle": {"rgbColor": null}}), "tabColorStyle"));
    assert_eq!(bench.sheet("properties(tabColor,tabColorStyle)"), json!({"properties": {}}));
    let freeze = |rows: u32| {
        properties(&json!({"gridProperties": {"frozenRowCount": rows}}), "gridProperties/frozenRowCount")
    };
    assert_eq!(
        bench.batch_refused(&freeze(1000)),
        "Invalid requests[0].updateSheetProperties: You can't freeze all visible rows on the sheet."
    );
    bench.batch(&freeze(2));
    bench.batch(&freeze(0));
    assert_eq!(
        bench.sheet("properties.gridProperties.frozenRowCount"),
        json!({"properties": {"gridProperties": {}}})
    );
}

#[test]
fn properties_of_the_spreadsheet() {
    let mut bench = Bench::new();
    let update = |properties: Value, fields: &str| json!([{"updateSpreadsheetProperties": {"properties": properties, "fields": fields}}]);
    bench.batch(&update(
        json!({"title": "New", "locale": "de_DE", "timeZone": "Europe/Berlin"}),
        "title,locale,timeZone",
    ));
    let shown = bench.fields("properties(title,locale,timeZone)");
    assert_eq!(shown["properties"], json!({"title": "New", "locale": "de_DE", "timeZone": "Europe/Berlin"}));
    bench.batch(&update(json!({"timeZone": "GMT-07:00"}), "timeZone"));
    assert_eq!(
        bench.batch_refused(&update(json!({"timeZone": "Moon/Sea"}), "timeZone")),
        "Invalid requests[0].updateSpreadsheetProperties: Invalid time zone: Moon/Sea"
    );
    bench.batch_refused(&update(json!({"locale": "x"}), "locale"));
    bench.batch_refused(&update(json!({}), "title"));
}

#[test]
fn a_copy_has_the_names_and_the_metadata_of_its_source() {
    let mut bench = Bench::of(5, 5, &json!([["a", "b"]]));
    bench.batch(&json!([
        {"addNamedRange": {"namedRange": {"namedRangeId": "n1", "name": "Total", "range": {"endRowIndex": 1, "endColumnIndex": 1}}}},
        {"createDeveloperMetadata": {"developerMetadata": {"metadataId": 7, "metadataKey": "k", "visibility": "DOCUMENT", "location": {"sheetId": 0}}}},
        {"addProtectedRange": {"protectedRange": {"range": {}, "unprotectedRanges": [{"endRowIndex": 1}]}}},
        {"setBasicFilter": {"filter": {"range": {"endRowIndex": 2}}}},
        {"addConditionalFormatRule": {"rule": {"ranges": [{"endRowIndex": 1}], "booleanRule": {"condition": {"type": "NOT_BLANK"}, "format": {}}}}},
        {"duplicateSheet": {"sourceSheetId": 0, "newSheetId": 8, "insertSheetIndex": 1, "newSheetName": "Its copy"}},
    ]));
    let names = bench.fields("namedRanges")["namedRanges"].take();
    assert_eq!((names.as_array().unwrap().len(), &names[0]["name"]), (2, &json!("Total")));
    assert_eq!((&names[1]["name"], &names[1]["range"]["sheetId"]), (&json!("'Its copy'!Total"), &json!(8)));
    assert_ne!(names[0]["namedRangeId"], names[1]["namedRangeId"]);
    let copy =
        bench.fields("sheets(basicFilter,conditionalFormats,developerMetadata,protectedRanges)")["sheets"][1]
            .take();
    let metadata = &copy["developerMetadata"][0];
    assert!(metadata["metadataKey"] == "k" && metadata["metadataId"] != 7, "{copy}");
    assert_eq!(metadata["location"]["sheetId"], 8);
    assert_eq!(copy["protectedRanges"][0]["unprotectedRanges"][0]["sheetId"], 8);
    assert_eq!(copy["basicFilter"]["range"]["sheetId"], 8);
    assert_eq!(copy["conditionalFormats"][0]["ranges"][0]["sheetId"], 8);
    bench.type_in("'Its copy'!Total", &json!([["changed"]]));
    assert_eq!(bench.values("Total"), json!([["a"]]));
    assert_eq!(bench.values("'Its copy'!A1"), json!([["changed"]]));
    let keep = json!([{"updateNamedRange": {"namedRange": {"namedRangeId": names[1]["namedRangeId"], "name": "'Its copy'!Total", "range": {"sheetId": 8}}, "fields": "*"}}]);
    bench.batch(&keep);
    bench.batch(&json!([{"deleteSheet": {"sheetId": 8}}]));
    assert_eq!(bench.fields("namedRanges")["namedRanges"].as_array().unwrap().len(), 1);
    bench.office.set_switches(Switches { copies_named_ranges: false, ..Switches::default() });
    bench.batch(&json!([{"duplicateSheet": {"sourceSheetId": 0}}]));
    assert_eq!(bench.fields("namedRanges")["namedRanges"].as_array().unwrap().len(), 1);
}

#[test]
fn the_name_of_a_deleted_sheet_stays_taken_though_nobody_sees_it() {
    for keeps_deleted_names in [true, false] {
        let mut bench = Bench::new();
        bench.office.set_switches(Switches { keeps_deleted_names, ..Switches::default() });
        let add = json!([{"addNamedRange": {"namedRange": {"namedRangeId": "n1", "name": "N", "range": {"endRowIndex": 1}}}}]);
        bench.batch(&add);
        bench.type_in("A1", &json!([["=N"]]));
        bench.batch(&json!([{"addSheet": {"properties": {"sheetId": 3}}}, {"deleteSheet": {"sheetId": 0}}]));
        assert_eq!(bench.fields("namedRanges"), json!({}));
        let add = json!([{"addNamedRange": {"namedRange": {"namedRangeId": "n2", "name": "N", "range": {"sheetId": 3, "endRowIndex": 1}}}}]);
        if keeps_deleted_names {
            let refused = bench.batch_refused(&add);
            assert!(refused.ends_with("a named range with that name already exists."), "{refused}");
            bench.batch(&json!([{"deleteNamedRange": {"namedRangeId": "n1"}}]));
        }
        bench.batch(&add);
    }
}
