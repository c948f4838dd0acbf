//! The source tab: what its cells are, which tab it is, and people who work in it while it is read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use jiff::civil::date;
use serde_json::{Value, json};
use status_validator::domain::cell::Cell;
use status_validator::sandbox::sheets::{ErrorKind, Office, Typed};
use status_validator::sandbox::{ACCOUNT, Arrival, Door, Fault};
use status_validator::table::google::{GoogleSource, GoogleSourceParams};
use status_validator::table::{RowCount, SourceRow, TableError, TableSource as _};

use crate::support::stand::{SOURCE, STATUSES, Stand, edit, tab_id, texts};

/// What a person does.
type Change = fn(&mut Office);

const HEADER: [&str; 4] = ["Project", "Status", "Completion Date", "Comment"];

/// Reads from the header to the end, so many rows at a time.
pub(super) async fn read(source: &mut GoogleSource, page: usize) -> Result<Vec<SourceRow>, TableError> {
    source.open().await?;
    let mut rows = Vec::new();
    loop {
        let next = source.next_page(page).await?;
        if next.is_empty() {
            return Ok(rows);
        }
        rows.extend(next);
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// So many rows, the header among them; those far below have a project only, which is quicker to read.
pub(super) fn numbered(rows: u64) -> Vec<Vec<Typed>> {
    let row = |n: u64| {
        let cells = [format!("p{n}"), "On Track".to_owned(), "2026-06-30".to_owned(), format!("c{n}")];
        let filled = if n <= 20 { 4 } else { 1 };
        cells.into_iter().take(filled).map(Typed::Text).collect()
    };
    texts(&[HEADER]).into_iter().chain((2..=rows).map(row)).collect()
}

/// The projects and the numbers of rows that are not blank.
pub(super) fn projects(rows: &[SourceRow]) -> Vec<(u64, String)> {
    rows.iter().filter_map(|row| Some((row.row, row.cells.first()?.display()))).collect()
}

/// Lets a person work in the source just before the n-th read.
pub(super) fn before_read(stand: &Stand, n: u64, work: impl Fn(&mut Office) + Send + 'static) {
    stand.sandbox.set_script(move |arrival: &Arrival, office: &mut Office| {
        if arrival.door == Door::Read && arrival.of_door == n {
            work(office);
        }
        Fault::None
    });
}

/// What a person does with rows of the source tab.
pub(super) fn rows_of(office: &Office, start: u32, end: u32) -> Value {
    let id = tab_id(office, SOURCE, STATUSES).unwrap();
    json!({"sheetId": id, "dimension": "ROWS", "startIndex": start, "endIndex": end})
}

fn first_column(office: &Office) -> Value {
    let id = tab_id(office, SOURCE, STATUSES).unwrap();
    json!({"sheetId": id, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1})
}

#[tokio::test(start_paused = true)]
async fn cells_keep_their_types() {
    let stand = Stand::new();
    let day = date(2026, 6, 30);
    let row = |cell: Typed| vec![Typed::Text("p".into()), cell];
    let mut rows = texts(&[["Project", "Value"]]);
    rows.extend(
        [
            Typed::Text(" On Track ".into()),
            Typed::Text("0042".into()),
            Typed::Text("=1+1".into()),
            Typed::Text("#N/A".into()),
            Typed::Number(42.5),
            Typed::Bool(false),
            Typed::Date(day.at(0, 0, 0, 0)),
            Typed::Date(day.at(23, 59, 59, 0)),
            Typed::Formula("=6*7".into()),
            Typed::Formula("=1/0".into()),
            Typed::Error(ErrorKind::NotAvailable),
            Typed::Error(ErrorKind::Reference),
            Typed::Error(ErrorKind::Name),
            Typed::Error(ErrorKind::Error),
            Typed::Number(0.25),
            Typed::Number(1999.5),
            Typed::Number(46203.0),
        ]
        .map(row),
    );
    stand.statuses(&rows);
    let tab = stand.tab_id(SOURCE, STATUSES);
    let look = |row: u32, kind: &str, pattern: &str| {
        json!({"repeatCell": {
            "range": {"sheetId": tab, "startRowIndex": row - 1, "endRowIndex": row},
            "cell": {"userEnteredFormat": {"numberFormat": {"type": kind, "pattern": pattern}}},
            "fields": "userEnteredFormat.numberFormat",
        }})
    };
    stand.edit_source(&json!([
        look(16, "PERCENT", "0%"),
        look(17, "CURRENCY", "#,##0.00 [$€]"),
        look(18, "DATE", "dd.mm.yyyy"),
    ]));
    let read = read(&mut stand.source(), 100).await.unwrap();
    let values: Vec<Cell> = read.iter().map(|row| row.cells[1].clone()).collect();
    let error = |name: &str| Cell::Error(name.to_owned());
    let expected = [
        text(" On Track "),
        text("0042"),
        text("=1+1"),
        text("#N/A"),
        Cell::Number(42.5),
        Cell::Bool(false),
        Cell::Date(day),
        Cell::Date(day),
        Cell::Number(42.0),
        error("#DIV/0!"),
        error("#N/A"),
        error("#REF!"),
        error("#NAME?"),
        error("#ERROR!"),
        Cell::Number(0.25),
        Cell::Number(1999.5),
        Cell::Date(date(2026, 6, 30)),
    ];
    assert_eq!(values, expected);
    assert_eq!(read.iter().map(|row| row.row).collect::<Vec<_>>(), (2..=18).collect::<Vec<_>>());
    let link = read[0].link.clone().unwrap().to_string();
    assert_eq!(link, format!("https://docs.google.com/spreadsheets/d/{SOURCE}/edit#gid={tab}&range=2:2"));
    stand.assert_proper_requests();
}

#[tokio::test(start_paused = true)]
async fn hidden_filtered_and_merged_rows_are_rows() {
    let stand = Stand::new();
    stand.statuses(&numbered(8));
    let tab = stand.tab_id(SOURCE, STATUSES);
    let rows = |start: u32, end: u32| json!({"sheetId": tab, "startRowIndex": start, "endRowIndex": end});
    let mut merged = rows(4, 6);
    merged["startColumnIndex"] = 3.into();
    merged["endColumnIndex"] = 4.into();
    let hidden = json!({"sheetId": tab, "dimension": "ROWS", "startIndex": 2, "endIndex": 3});
    stand.edit_source(&json!([
        {"updateDimensionProperties": {
            "range": hidden, "properties": {"hiddenByUser": true}, "fields": "hiddenByUser"}},
        {"setBasicFilter": {"filter": {
            "range": rows(0, 8), "criteria": {"0": {"hiddenValues": ["p7", "p8"]}}}}},
        {"mergeCells": {"range": merged, "mergeType": "MERGE_ALL"}},
    ]));
    let read = read(&mut stand.source(), 3).await.unwrap();
    let names: Vec<String> = read.iter().map(|row| row.cells[0].display()).collect();
    assert_eq!(names, ["p2", "p3", "p4", "p5", "p6", "p7", "p8"]);
    assert_eq!(read[3].cells.get(3), Some(&text("c5")), "the top left cell of a merge has the value");
    assert_eq!(read[4].cells.get(3), None);
    let told = read[4].warnings.join(" ");
    assert!(told.contains("column D") && told.contains("row 5"), "{told}");
    assert!(read.iter().all(|row| row.row == 6 || row.warnings.is_empty()), "of no other row");
}

#[tokio::test(start_paused = true)]
async fn the_table_may_begin_anywhere_below_a_title() {
    let stand = Stand::new();
    let mut rows = texts(&[["Statuses of March", ""], ["", ""]]);
    rows.push(vec![Typed::Text("Project".into()), Typed::Number(11.0), Typed::Text(" Comment ".into())]);
    rows.extend(texts(&[["(name)", "(week)", "(text)"], ["p5", "x", "c5"], ["p6", "y", "c6"]]));
    stand.statuses(&rows);
    let mut source =
        GoogleSource::new(GoogleSourceParams { header_row: 3, data_start_row: 5, ..stand.source_params() });
    assert_eq!(source.open().await.unwrap().names, ["Project", "11", " Comment "]);
    let page = source.next_page(10).await.unwrap();
    assert_eq!(projects(&page), [(5, "p5".to_owned()), (6, "p6".to_owned())]);
    assert_eq!(page[1].cells[2], text("c6"));
    assert!(source.next_page(10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_tab_is_found_by_its_number_and_by_its_name_however_it_is_spelt() {
    let stand = Stand::new();
    let tabs =
        ["Статусы недели", "It's «Q1»!", "D3", "A1:B2", "2026", "tab 'x' & + % #", "🌵 desert", "R1C1"];
    stand.sandbox.with_office(|office| {
        for title in tabs {
            office.load_sheet(SOURCE, title, &texts(&[["Project"], [title]])).unwrap();
        }
    });
    let params = |tab: &str, gid| GoogleSourceParams { tab: tab.to_owned(), gid, ..stand.source_params() };
    let spellings = [("  статусы   НЕДЕЛИ ", "Статусы недели"), ("it's «q1»!", "It's «Q1»!")];
    for (name, title) in tabs.into_iter().map(|title| (title, title)).chain(spellings) {
        let rows = read(&mut GoogleSource::new(params(name, None)), 10).await;
        let rows = rows.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(projects(&rows), [(2, title.to_owned())], "{name}");
    }
    for title in tabs {
        let gid = Some(stand.tab_id(SOURCE, title));
        let mut source = GoogleSource::new(params("called otherwise", gid));
        let rows = read(&mut source, 10).await.unwrap();
        assert_eq!(projects(&rows), [(2, title.to_owned())]);
        let told = rows[0].warnings.join(" ");
        assert!(told.contains("«called otherwise»") && told.contains(&format!("«{title}» now")), "{told}");
        assert!(source.name().contains(&format!("«{title}», in the settings «called otherwise»")));
    }
    let other = Some(stand.tab_id(SOURCE, "D3"));
    let error = read(&mut GoogleSource::new(params("2026", other)), 10).await.unwrap_err();
    assert!(matches!(error, TableError::Mismatch { .. }), "{error}");
    assert!(error.to_string().contains("is the tab «D3»"), "{error}");
    stand.assert_proper_requests();
}

#[tokio::test(start_paused = true)]
async fn a_source_asks_only_for_the_right_to_read() {
    let stand = Stand::new();
    stand.statuses(&numbered(4));
    read(&mut stand.source(), 10).await.unwrap();
    let seen = stand.sandbox.seen();
    let tokens: Vec<_> = seen.iter().filter(|seen| seen.arrival.door == Door::Token).collect();
    assert_eq!(tokens.len(), 1, "one token is enough");
    let form = tokens[0].arrival.body.as_ref().unwrap();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let parts: Vec<&str> = form["assertion"].as_str().unwrap().split('.').collect();
    let [header, claims, _] = parts.as_slice() else { panic!("{parts:?}") };
    let json = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE.decode(part).unwrap()).unwrap() };
    assert_eq!(json(header)["alg"], "RS256");
    let claims = json(claims);
    assert_eq!(claims["iss"], ACCOUNT);
    assert_eq!(claims["aud"], "http://127.0.0.1:1/token");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/spreadsheets.readonly");
    let (issued, expires) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!(issued < expires && expires - issued <= 3600, "{claims}");
    let reads = seen.iter().filter(|seen| seen.arrival.door == Door::Read);
    assert!(reads.clone().count() > 0);
    for read in reads {
        assert_eq!(read.scopes, ["https://www.googleapis.com/auth/spreadsheets.readonly"]);
        assert_eq!((read.arrival.method.as_str(), read.status), ("GET", Some(200)));
    }
    assert_eq!(stand.count(Door::Write), 0);
}

#[tokio::test(start_paused = true)]
async fn pages_are_sized_by_cells_and_blank_rows_cost_little() {
    let stand = Stand::new();
    let wide = |n: usize| (0..40).map(|c| Typed::Text(format!("{n}.{c}"))).collect::<Vec<_>>();
    stand.statuses(&(1..=1000).map(wide).collect::<Vec<_>>());
    let mut source = stand.source();
    assert!(matches!(source.open().await.unwrap().rows, RowCount::AtMost(rows) if rows >= 999));
    let mut source = stand.source();
    stand.sandbox.clear_seen();
    let rows = read(&mut source, 10_000).await.unwrap();
    assert_eq!(rows.len(), 999);
    let asked = source.take_requests();
    assert_eq!(asked.reads as usize, stand.count(Door::Read));
    assert!((5..=10).contains(&asked.reads), "{asked:?}");
    for seen in stand.sandbox.seen() {
        for (_, range) in seen.arrival.query.iter().filter(|(name, _)| name == "ranges") {
            let (_, cells) = range.rsplit_once('!').unwrap();
            let numbers: Vec<u64> = cells
                .split(':')
                .map(|end| end.trim_start_matches(char::is_alphabetic).parse().unwrap())
                .collect();
            let height = numbers.last().unwrap() - numbers[0] + 1;
            assert!(height * 40 <= 8_400, "{range}: {height} rows of 40 cells at once");
        }
    }

    // Two rows, a gap, a third one, and then nothing for 100,000 rows.
    let sparse = Stand::new();
    let mut rows = numbered(3);
    rows.resize(900, Vec::new());
    rows.push(texts(&[["p901"]]).remove(0));
    sparse.statuses(&rows);
    let tab = sparse.tab_id(SOURCE, STATUSES);
    sparse
        .edit_source(&json!([{"appendDimension": {"sheetId": tab, "dimension": "ROWS", "length": 99_000}}]));
    let mut source = sparse.source();
    let read = read(&mut source, 50).await.unwrap();
    assert_eq!(read.len(), 900, "blank rows within the table are rows, those below it are not");
    assert_eq!(projects(&read), [(2, "p2".to_owned()), (3, "p3".to_owned()), (901, "p901".to_owned())]);
    assert!(source.take_requests().reads <= 10);
}

#[tokio::test(start_paused = true)]
async fn a_tab_that_is_renamed_or_shrinks_meanwhile_is_read_on() {
    let stand = Stand::new();
    stand.statuses(&numbered(5_000));
    before_read(&stand, 4, |office| {
        let id = tab_id(office, SOURCE, STATUSES).unwrap();
        let properties = json!({"sheetId": id, "title": "Statuses (old)"});
        edit(
            office,
            SOURCE,
            &json!([
                {"updateSheetProperties": {"properties": properties, "fields": "title"}},
                {"addSheet": {"properties": {"title": STATUSES}}},
                {"deleteDimension": {"range": {
                    "sheetId": id, "dimension": "ROWS", "startIndex": 4_500, "endIndex": 5_000}}},
            ]),
        );
    });
    let rows = read(&mut stand.source(), 200).await.unwrap();
    let expected: Vec<(u64, String)> = (2..=4_500).map(|n| (n, format!("p{n}"))).collect();
    assert_eq!(projects(&rows), expected);
    let warned: Vec<&String> = rows.iter().flat_map(|row| &row.warnings).collect();
    assert_eq!(warned.len(), 1);
    assert!(warned[0].contains("renamed to «Statuses (old)»"), "{warned:?}");
    stand.assert_proper_requests();
}

#[tokio::test(start_paused = true)]
async fn rows_that_move_between_two_pages_are_followed() {
    let moves: [(&str, Change, i64); 3] = [
        (
            "inserted",
            |office| {
                let range = rows_of(office, 1, 4);
                edit(office, SOURCE, &json!([{"insertDimension": {"range": range}}]));
            },
            3,
        ),
        (
            "deleted",
            |office| {
                let range = rows_of(office, 9, 29);
                edit(office, SOURCE, &json!([{"deleteDimension": {"range": range}}]));
            },
            -20,
        ),
        (
            "edited",
            |office| {
                let id = tab_id(office, SOURCE, STATUSES).unwrap();
                let cell = json!({"values": [{"userEnteredValue": {"stringValue": "edited"}}]});
                let start = json!({"sheetId": id, "rowIndex": 1999, "columnIndex": 3});
                edit(
                    office,
                    SOURCE,
                    &json!([{"updateCells": {"start": start, "rows": [cell], "fields": "userEnteredValue"}}]),
                );
            },
            0,
        ),
    ];
    for (what, change, shift) in moves {
        let stand = Stand::new();
        stand.statuses(&numbered(4_500));
        before_read(&stand, 4, change);
        let rows = read(&mut stand.source(), 500).await.unwrap();
        let read = projects(&rows);
        let names: Vec<&str> = read.iter().map(|(_, name)| name.as_str()).collect();
        let expected: Vec<String> = (2..=4_500).map(|n| format!("p{n}")).collect();
        assert_eq!(names, expected, "{what}: each row once");
        assert_eq!(read.last().unwrap().0 as i64, 4_500 + shift, "{what}: rows have their new numbers");
        let warned = rows.iter().flat_map(|row| &row.warnings).count();
        assert_eq!(warned, 1, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_cannot_be_followed_end_the_reading() {
    let changes: [(&str, Change); 3] = [
        ("sorted", |office| {
            let id = tab_id(office, SOURCE, STATUSES).unwrap();
            let range = json!({"sheetId": id, "startRowIndex": 1});
            let specs = json!([{"dimensionIndex": 0, "sortOrder": "DESCENDING"}]);
            edit(office, SOURCE, &json!([{"sortRange": {"range": range, "sortSpecs": specs}}]));
        }),
        ("a column inserted", |office| {
            let range = first_column(office);
            edit(office, SOURCE, &json!([{"insertDimension": {"range": range}}]));
        }),
        ("deleted by the thousand", |office| {
            let range = rows_of(office, 1, 1_500);
            edit(office, SOURCE, &json!([{"deleteDimension": {"range": range}}]));
        }),
    ];
    for (what, change) in changes {
        let stand = Stand::new();
        stand.statuses(&numbered(4_500));
        before_read(&stand, 4, change);
        let mut source = stand.source();
        let error = read(&mut source, 500).await.unwrap_err();
        assert!(error.is_transient(), "{what}: {error}");
        let told = error.to_string();
        assert!(told.contains(SOURCE) && told.contains("run again"), "{what}: {told}");
        assert!(source.next_page(500).await.is_err(), "{what}: it does not go on by itself");
        stand.sandbox.clear_script();
        let again = read(&mut source, 500).await;
        assert!(again.is_ok_and(|rows| rows.len() > 2_900), "{what}: opened again, it is read");
    }
}

#[tokio::test(start_paused = true)]
async fn a_header_may_tell_the_time_and_gain_columns() {
    let stand = Stand::new();
    stand.statuses(&numbered(3_000));
    // As a formula does it: the name of a column is another one each time.
    stand.sandbox.set_script(|arrival: &Arrival, office: &mut Office| {
        if arrival.door == Door::Read {
            let id = tab_id(office, SOURCE, STATUSES).unwrap();
            let write = |column: u32, text: String| {
                let cell = json!({"values": [{"userEnteredValue": {"stringValue": text}}]});
                let start = json!({"sheetId": id, "columnIndex": column});
                json!({"updateCells": {"start": start, "rows": [cell], "fields": "userEnteredValue"}})
            };
            let n = arrival.of_door;
            let new = u32::try_from(n).unwrap() + 4;
            let edits = json!([write(1, format!("Status at {n}:00")), write(new, "New".into())]);
            edit(office, SOURCE, &edits);
        }
        Fault::None
    });
    let mut source = stand.source();
    let rows = read(&mut source, 500).await.unwrap();
    assert_eq!(rows.len(), 2_999);
    assert!(rows.iter().all(|row| row.cells[0] == text(&format!("p{}", row.row))));
    assert!(stand.count(Door::Read) >= 4);
}

#[tokio::test(start_paused = true)]
async fn columns_that_move_are_never_read_under_wrong_headers() {
    let changes: [(&str, Change); 3] = [
        ("inserted", |office| {
            let range = first_column(office);
            edit(office, SOURCE, &json!([{"insertDimension": {"range": range}}]));
        }),
        ("moved", |office| {
            let range = first_column(office);
            edit(office, SOURCE, &json!([{"moveDimension": {"source": range, "destinationIndex": 3}}]));
        }),
        ("deleted", |office| {
            let range = first_column(office);
            edit(office, SOURCE, &json!([{"deleteDimension": {"range": range}}]));
        }),
    ];
    for (what, change) in changes {
        // Between the header and the first page, and between two pages.
        for n in [3, 4] {
            let stand = Stand::new();
            stand.statuses(&numbered(4_500));
            before_read(&stand, n, change);
            let mut source = stand.source();
            source.open().await.unwrap();
            let told = loop {
                match source.next_page(500).await {
                    Ok(rows) => {
                        assert!(!rows.is_empty(), "{what} before read {n}: nobody noticed");
                        for row in rows {
                            let number = row.row;
                            assert_eq!(row.cells[0], text(&format!("p{number}")), "{what} before read {n}");
                        }
                    }
                    Err(error) => break error.to_string(),
                }
            };
            assert!(told.contains("run again"), "{what} before read {n}: {told}");
        }
    }
}
