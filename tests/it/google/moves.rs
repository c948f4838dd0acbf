//! People work in the source just where one page of it ends and the next one begins.

use serde_json::json;
use status_validator::domain::entry::RowLink;
use status_validator::sandbox::sheets::Office;
use status_validator::table::TableSource as _;

use super::source::{before_read, numbered, projects, read, rows_of};
use crate::support::stand::{SOURCE, Stand, edit, tab_id};

/// Rows of the first page that are given before the second one is read: those behind them wait.
const GIVEN: u32 = 1_995;

fn insert(office: &mut Office, at: u32) {
    let range = rows_of(office, at, at + 1);
    let id = tab_id(office, SOURCE, crate::support::stand::STATUSES).unwrap();
    let cell = json!({"values": [{"userEnteredValue": {"stringValue": "new"}}]});
    let start = json!({"sheetId": id, "rowIndex": at, "columnIndex": 0});
    edit(
        office,
        SOURCE,
        &json!([
            {"insertDimension": {"range": range}},
            {"updateCells": {"start": start, "rows": [cell], "fields": "userEnteredValue"}},
        ]),
    );
}

fn delete(office: &mut Office, from: u32, to: u32) {
    let range = rows_of(office, from, to);
    edit(office, SOURCE, &json!([{"deleteDimension": {"range": range}}]));
}

#[tokio::test(start_paused = true)]
async fn a_row_inserted_or_deleted_at_the_seam_costs_no_other_row() {
    for at in GIVEN - 5..GIVEN + 9 {
        let stand = Stand::new();
        stand.statuses(&numbered(3_000));
        before_read(&stand, 4, move |office| insert(office, at));
        let mut source = stand.source();
        let rows = read(&mut source, 500).await.unwrap();
        let names: Vec<String> = projects(&rows).into_iter().map(|(_, name)| name).collect();
        let old: Vec<&String> = names.iter().filter(|name| *name != "new").collect();
        assert_eq!(
            old,
            (2..=3_000).map(|n| format!("p{n}")).collect::<Vec<_>>().iter().collect::<Vec<_>>(),
            "{at}"
        );
        assert_eq!(
            names.len() - old.len(),
            usize::from(at >= GIVEN),
            "{at}: new rows behind what was read are read"
        );
        assert!(source.was_disturbed() || at >= GIVEN + 6, "{at}");
        let last = rows.last().unwrap();
        assert_eq!(last.row, 3_001, "{at}: rows have their new numbers");
        assert!(matches!(&last.link, Some(RowLink { place, .. }) if place.ends_with("range=3001:3001")));

        for count in [1, 4] {
            let stand = Stand::new();
            stand.statuses(&numbered(3_000));
            before_read(&stand, 4, move |office| delete(office, at, at + count));
            let mut source = stand.source();
            let rows = read(&mut source, 500).await.unwrap();
            let names: Vec<String> = projects(&rows).into_iter().map(|(_, name)| name).collect();
            // Rows that were read before they were deleted are among them.
            let is_gone = |n: u32| n > GIVEN && (at + 1..at + 1 + count).contains(&n);
            let expected: Vec<String> =
                (2..=3_000).filter(|n| !is_gone(*n)).map(|n| format!("p{n}")).collect();
            assert_eq!(names, expected, "{count} rows deleted at {at}");
            assert!(source.was_disturbed() || at >= GIVEN + 6, "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_change_places_across_the_seam_are_noticed() {
    let stand = Stand::new();
    stand.statuses(&numbered(3_000));
    // One goes from above to the end, one more comes in above: everything between stays where it is.
    before_read(&stand, 4, |office| {
        let first = rows_of(office, 1, 2);
        edit(office, SOURCE, &json!([{"moveDimension": {"source": first, "destinationIndex": 3_000}}]));
        insert(office, 1);
    });
    let error = read(&mut stand.source(), 500).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("run again"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn rows_that_say_the_same_are_read_without_a_word() {
    let stand = Stand::new();
    let mut rows = numbered(3_000);
    rows[2_500] = rows[5].clone();
    rows[2_900] = rows[5].clone();
    stand.statuses(&rows);
    let mut source = stand.source();
    let read = read(&mut source, 500).await.unwrap();
    assert_eq!(read.len(), 2_999);
    assert!(!source.was_disturbed() && read.iter().all(|row| row.warnings.is_empty()));
}
