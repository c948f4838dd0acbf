//! What hangs on ranges: names, filters, protections, rules, colours, merges, metadata.

use serde_json::{Value, json};

use crate::sandbox::sheets::bench::Bench;
use crate::sandbox::sheets::office::Switches;

fn add_name(id: &str, name: &str) -> Value {
    json!([{"addNamedRange": {"namedRange": {"namedRangeId": id, "name": name, "range": {"endRowIndex": 2}}}}])
}

fn delete_name(id: &str) -> Value {
    json!([{"deleteNamedRange": {"namedRangeId": id}}])
}

#[test]
fn chosen_ids_of_names_are_honoured_and_guarded() {
    let mut bench = Bench::new();
    let replies = bench.batch(&add_name("sv_1", "sv_1"));
    assert_eq!(
        replies[0]["addNamedRange"]["namedRange"],
        json!({"namedRangeId": "sv_1", "name": "sv_1", "range": {"endRowIndex": 2}})
    );
    for (requests, expected) in [
        (
            add_name("sv_1", "other"),
            "addNamedRange: Cannot add named range with id: sv_1, a named range with that id already exists.",
        ),
        (
            add_name("x", "SV_1"),
            "addNamedRange: Cannot add named range with name: SV_1, a named range with that name already exists.",
        ),
        (add_name("x", "A1"), "addNamedRange: Invalid name: A1"),
        (add_name("x", "two words"), "addNamedRange: Invalid name: two words"),
        (add_name("x", "true"), "addNamedRange: Invalid name: true"),
        (delete_name("sv_0"), "deleteNamedRange: No NamedRange with id: sv_0"),
    ] {
        assert_eq!(bench.batch_refused(&requests), format!("Invalid requests[0].{expected}"));
    }
    let swap = json!([delete_name("sv_1")[0], add_name("sv_2", "sv_2")[0]]);
    bench.batch(&swap);
    assert!(
        bench.batch_refused(&swap).ends_with("No NamedRange with id: sv_1"),
        "a late duplicate fails as a whole"
    );
    let rename = json!([{"updateNamedRange": {"namedRange": {"namedRangeId": "sv_2", "name": "New", "range": {"endRowIndex": 9}}, "fields": "name"}}]);
    bench.batch(&rename);
    assert_eq!(
        bench.fields("namedRanges")["namedRanges"],
        json!([{"namedRangeId": "sv_2", "name": "New", "range": {"endRowIndex": 2}}])
    );
}

#[test]
fn without_the_switch_the_server_gives_its_own_ids() {
    let mut bench = Bench::new();
    bench.office.set_switches(Switches { named_range_ids: false, ..Switches::default() });
    let id = |replies: &Value| replies[0]["addNamedRange"]["namedRange"]["namedRangeId"].clone();
    let first = bench.batch(&add_name("sv_1", "sv_1"));
    let second = bench.batch(&add_name("sv_1", "sv_1"));
    assert!(id(&first) != json!("sv_1") && id(&first) != id(&second));
    bench.batch(&delete_name("sv_1"));
    assert_eq!(bench.fields("namedRanges")["namedRanges"].as_array().unwrap().len(), 2);
    bench.batch(&delete_name(id(&first).as_str().unwrap()));
    assert_eq!(bench.fields("namedRanges")["namedRanges"].as_array().unwrap().len(), 1);
}

#[test]
fn a_filter_hides_rows() {
    let typed = json!([["name", "n"], ["a", "1"], ["b", "5"], ["c", "9"], ["", "7"]]);
    let mut bench = Bench::of(6, 3, &typed);
    let criteria = json!({"0": {"hiddenValues": ["a"]}, "1": {"condition": {"type": "NUMBER_GREATER", "values": [{"userEnteredValue": "5"}]}}});
    bench.batch(
        &json!([{"setBasicFilter": {"filter": {"range": {"endColumnIndex": 2}, "criteria": criteria}}}]),
    );
    let filter = bench.sheet("basicFilter")["basicFilter"].take();
    assert_eq!(
        filter["range"],
        json!({"startRowIndex": 0, "endRowIndex": 6, "startColumnIndex": 0, "endColumnIndex": 2})
    );
    assert_eq!(filter["criteria"], criteria);
    assert_eq!(
        filter["filterSpecs"][0],
        json!({"columnIndex": 0, "filterCriteria": {"hiddenValues": ["a"]}})
    );
    let rows = bench.sheet("data.rowMetadata.hiddenByFilter")["data"][0]["rowMetadata"].take();
    let hidden: Vec<bool> =
        rows.as_array().unwrap().iter().map(|row| row["hiddenByFilter"] == json!(true)).collect();
    assert_eq!(hidden, [false, true, true, false, false, true]);
    let sorted =
        json!({"range": {"endRowIndex": 4}, "sortSpecs": [{"dimensionIndex": 1, "sortOrder": "DESCENDING"}]});
    bench.batch(&json!([{"setBasicFilter": {"filter": sorted}}]));
    assert_eq!(bench.values("A1:A4"), json!([["name"], ["c"], ["b"], ["a"]]));
    bench.batch(&json!([{"clearBasicFilter": {"sheetId": 0}}]));
    assert_eq!(bench.sheet("basicFilter"), json!({}));
    bench.batch_refused(&json!([{"setBasicFilter": {"filter": {"range": {"endColumnIndex": 1}, "filterSpecs": [{"columnIndex": 2}]}}}]));
}

#[test]
fn views_of_filters() {
    let mut bench = Bench::of(4, 4, &json!([]));
    let view = json!({"title": "Mine", "range": {"endColumnIndex": 2}, "filterSpecs": [{"columnIndex": 1, "filterCriteria": {"hiddenValues": ["x"]}}]});
    let replies = bench.batch(&json!([{"addFilterView": {"filter": view}}]));
    let id = replies[0]["addFilterView"]["filter"]["filterViewId"].clone();
    bench.batch(&json!([
        {"updateFilterView": {"filter": {"filterViewId": id, "title": "New"}, "fields": "title"}},
        {"duplicateFilterView": {"filterId": id}},
    ]));
    let views = bench.sheet("filterViews(title,criteria)")["filterViews"].take();
    let criteria = json!({"1": {"hiddenValues": ["x"]}});
    assert_eq!(
        views,
        json!([{"title": "New", "criteria": criteria}, {"title": "Copy of New", "criteria": criteria}])
    );
    bench.batch(&json!([{"deleteFilterView": {"filterId": id}}]));
    assert!(
        bench
            .batch_refused(&json!([{"deleteFilterView": {"filterId": id}}]))
            .contains("No filter view with id")
    );
}

#[test]
fn protections() {
    let mut bench = Bench::new();
    let range =
        json!({"range": {"endRowIndex": 2}, "description": "d", "editors": {"users": ["a@example.com"]}});
    let replies = bench.batch(&json!([{"addProtectedRange": {"protectedRange": range}}]));
    let shown = &replies[0]["addProtectedRange"]["protectedRange"];
    let asked = json!({"users": ["a@example.com"]});
    assert_eq!((&shown["editors"], &shown["requestingUserCanEdit"]), (&asked, &json!(true)));
    let id = shown["protectedRangeId"].clone();
    bench.batch(&json!([{"updateProtectedRange": {"protectedRange": {"protectedRangeId": id, "warningOnly": true, "range": {"endRowIndex": 5}}, "fields": "warningOnly,range,description"}}]));
    let user = bench.office.user().to_owned();
    assert_eq!(
        bench.sheet("protectedRanges")["protectedRanges"],
        json!([{
            "protectedRangeId": id, "range": {"endRowIndex": 5}, "warningOnly": true, "requestingUserCanEdit": true,
            "editors": {"users": ["a@example.com", user]},
        }])
    );
    bench.batch(&json!([{"deleteProtectedRange": {"protectedRangeId": id}}]));
    assert!(
        bench
            .batch_refused(&json!([{"deleteProtectedRange": {"protectedRangeId": id}}]))
            .contains("No protected range")
    );
}

#[test]
fn what_somebody_else_has_locked_is_not_written() {
    let mut bench = Bench::of(6, 4, &json!([["a", "b"], ["c", "d"]]));
    let lock = bench.office.lock("book", "Sheet1!A1:A2").unwrap();
    let locked = "You are trying to edit a protected cell or object. Please contact the spreadsheet owner to remove protection if you need to edit.";
    assert_eq!(
        bench.refused("PUT", "/values/A1", "valueInputOption=RAW", &json!({"values": [["x"]]})),
        locked
    );
    assert_eq!(bench.batch_refused(&json!([{"deleteProtectedRange": {"protectedRangeId": lock}}])), locked);
    for request in [
        json!({"insertDimension": {"range": {"dimension": "ROWS", "startIndex": 1, "endIndex": 2}}}),
        json!({"deleteDimension": {"range": {"dimension": "ROWS", "startIndex": 1, "endIndex": 2}}}),
        json!({"sortRange": {"range": {"endRowIndex": 2}, "sortSpecs": [{"dimensionIndex": 0, "sortOrder": "DESCENDING"}]}}),
        json!({"repeatCell": {"range": {}, "cell": {"note": "n"}, "fields": "note"}}),
    ] {
        assert_eq!(bench.batch_refused(&json!([request])), locked, "{request}");
    }
    bench.type_in("B1", &json!([["free"]]));
    bench.batch(
        &json!([{"insertDimension": {"range": {"dimension": "ROWS", "startIndex": 0, "endIndex": 1}}}]),
    );
    assert_eq!(bench.sheet("protectedRanges")["protectedRanges"][0].get("requestingUserCanEdit"), None);
    bench.office.unlock("book", lock).unwrap();
    bench.type_in("A2", &json!([["x"]]));
    assert_eq!(bench.values("A2:B3"), json!([["x", "free"], ["c", "d"]]));
}

#[test]
fn rules_of_formatting_have_an_order() {
    let mut bench = Bench::of(4, 2, &json!([["5"], ["=A1+5"], ["x"]]));
    let rule = |kind: &str, value: &str, color: &Value| {
        let condition = json!({"type": kind, "values": [{"userEnteredValue": value}]});
        json!({"ranges": [{"endColumnIndex": 1}], "booleanRule": {"condition": condition, "format": {"backgroundColor": color}}})
    };
    let (red, blue) = (json!({"red": 1}), json!({"blue": 1}));
    bench.batch(&json!([
        {"addConditionalFormatRule": {"rule": rule("NUMBER_GREATER", "1", &red), "index": 0}},
        {"addConditionalFormatRule": {"rule": rule("CUSTOM_FORMULA", "=AND(ISNUMBER(A1),A1>7)", &blue), "index": 0}},
    ]));
    let background = |bench: &mut Bench, cell: &str| {
        bench.cell(cell, "effectiveFormat.backgroundColor")["effectiveFormat"]["backgroundColor"].take()
    };
    let white = json!({"red": 1, "green": 1, "blue": 1});
    assert_eq!(
        [background(&mut bench, "A1"), background(&mut bench, "A2"), background(&mut bench, "A3")],
        [red.clone(), blue.clone(), white]
    );
    let moved =
        bench.batch(&json!([{"updateConditionalFormatRule": {"sheetId": 0, "index": 0, "newIndex": 1}}]));
    assert_eq!(moved[0]["updateConditionalFormatRule"]["newIndex"], json!(1));
    assert_eq!(background(&mut bench, "A2"), red);
    let replaced = bench.batch(&json!([{"updateConditionalFormatRule": {"sheetId": 0, "index": 0, "rule": rule("TEXT_CONTAINS", "X", &blue)}}]));
    assert_eq!(
        replaced[0]["updateConditionalFormatRule"]["oldRule"]["booleanRule"]["condition"]["type"],
        json!("NUMBER_GREATER")
    );
    assert_eq!(background(&mut bench, "A3"), blue);
    let deleted = bench.batch(&json!([{"deleteConditionalFormatRule": {"sheetId": 0, "index": 1}}]));
    assert_eq!(deleted[0]["deleteConditionalFormatRule"]["rule"]["ranges"], json!([{"endColumnIndex": 1}]));
    let gone = json!([{"deleteConditionalFormatRule": {"sheetId": 0, "index": 1}}]);
    assert_eq!(
        bench.batch_refused(&gone),
        "Invalid requests[0].deleteConditionalFormatRule: No conditional format on sheet: 0 at index: 1"
    );
    let no_end = json!({"ranges": [{}], "gradientRule": {"minpoint": {"type": "MIN", "color": {}}}});
    assert!(
        bench
            .batch_refused(&json!([{"addConditionalFormatRule": {"rule": no_end}}]))
            .ends_with("No interpolationPointType specified.")
    );
}

#[test]
fn alternating_colours() {
    let mut bench = Bench::of(6, 2, &json!([["h"], ["1"], ["2"], ["3"]]));
    let color = |part: &str| json!({part: 1});
    let rows = json!({"headerColor": color("red"), "firstBandColor": color("green"), "secondBandColor": color("blue")});
    let banding = json!([{"addBanding": {"bandedRange": {"range": {"endRowIndex": 4, "endColumnIndex": 1}, "rowProperties": rows}}}]);
    let replies = bench.batch(&banding);
    let id = replies[0]["addBanding"]["bandedRange"]["bandedRangeId"].clone();
    assert_eq!(
        bench.batch_refused(&banding),
        "Invalid requests[0].addBanding: You cannot add alternating background colors to a range that already has alternating background colors."
    );
    for (cell, part) in [("A1", "red"), ("A2", "green"), ("A3", "blue"), ("A4", "green")] {
        let format = bench.cell(cell, "effectiveFormat.backgroundColor");
        assert_eq!(format["effectiveFormat"]["backgroundColor"], color(part), "{cell}");
    }
    bench.batch(&json!([
        {"updateBanding": {"bandedRange": {"bandedRangeId": id, "rowProperties": {"firstBandColor": color("red")}}, "fields": "rowProperties"}},
    ]));
    assert_eq!(
        bench.sheet("bandedRanges.rowProperties.firstBandColor")["bandedRanges"][0]["rowProperties"]["firstBandColor"],
        color("red")
    );
    bench.batch(&json!([{"deleteBanding": {"bandedRangeId": id}}]));
    assert_eq!(bench.sheet("bandedRanges"), json!({}));
}

#[test]
fn merges_keep_the_first_value() {
    let mut bench = Bench::of(4, 4, &json!([["a", "b"], ["c", "d"]]));
    let range = |bottom: u32, right: u32| json!({"startRowIndex": 0, "endRowIndex": bottom, "startColumnIndex": 0, "endColumnIndex": right});
    bench.batch(&json!([{"mergeCells": {"range": range(2, 2), "mergeType": "MERGE_ROWS"}}]));
    assert_eq!(bench.values("Sheet1"), json!([["a"], ["c"]]));
    assert_eq!(bench.sheet("merges")["merges"].as_array().unwrap().len(), 2);
    let cut = json!([{"mergeCells": {"range": range(2, 1)}}]);
    assert_eq!(
        bench.batch_refused(&cut),
        "Invalid requests[0].mergeCells: You must select all cells in a merged range to merge or unmerge them."
    );
    bench.batch(&json!([{"mergeCells": {"range": range(3, 3), "mergeType": "MERGE_ALL"}}]));
    assert_eq!(bench.sheet("merges"), json!({"merges": [range(3, 3)]}));
    bench.batch_refused(&json!([{"unmergeCells": {"range": range(1, 1)}}]));
    bench.batch(&json!([{"unmergeCells": {"range": {}}}]));
    assert_eq!((bench.sheet("merges"), bench.values("Sheet1")), (json!({}), json!([["a"]])));
}

#[test]
fn metadata_is_created_changed_and_deleted() {
    let mut bench = Bench::new();
    let create = |id: Option<i32>, key: &str, location: Value| json!([{"createDeveloperMetadata": {"developerMetadata": {"metadataId": id, "metadataKey": key, "metadataValue": "v", "visibility": "PROJECT", "location": location}}}]);
    bench.batch(&create(Some(5), "k", json!({"spreadsheet": true})));
    bench.batch(&create(None, "k", json!({"sheetId": 0})));
    assert_eq!(
        bench.fields("developerMetadata")["developerMetadata"][0],
        json!({
            "metadataId": 5, "metadataKey": "k", "metadataValue": "v",
            "location": {"locationType": "SPREADSHEET", "spreadsheet": true}, "visibility": "PROJECT",
        })
    );
    assert_eq!(
        bench.sheet("developerMetadata.location")["developerMetadata"][0]["location"],
        json!({"locationType": "SHEET", "sheetId": 0})
    );
    for (requests, expected) in [
        (create(Some(5), "k", json!({"sheetId": 0})), "Developer metadata with id 5 already exists."),
        (create(None, "", json!({"sheetId": 0})), "Developer metadata must have a key."),
        (create(None, "k", json!({"sheetId": 9})), "No grid with id: 9"),
        (
            create(
                None,
                "k",
                json!({"dimensionRange": {"dimension": "ROWS", "startIndex": 0, "endIndex": 2}}),
            ),
            "Developer metadata must be on a spreadsheet, a sheet, or one row or column.",
        ),
    ] {
        assert_eq!(
            bench.batch_refused(&requests),
            format!("Invalid requests[0].createDeveloperMetadata: {expected}")
        );
    }
    let filter = json!({"developerMetadataLookup": {"metadataKey": "k", "locationType": "SHEET"}});
    let replies = bench.batch(&json!([{"updateDeveloperMetadata": {"dataFilters": [filter], "developerMetadata": {"metadataValue": "new"}, "fields": "metadataValue"}}]));
    assert_eq!(replies[0]["updateDeveloperMetadata"]["developerMetadata"][0]["metadataValue"], json!("new"));
    let replies = bench.batch(&json!([{"deleteDeveloperMetadata": {"dataFilter": {"developerMetadataLookup": {"metadataKey": "k"}}}}]));
    assert_eq!(
        replies[0]["deleteDeveloperMetadata"]["deletedDeveloperMetadata"].as_array().unwrap().len(),
        2
    );
    assert_eq!(bench.fields("developerMetadata"), json!({}));
}
