//! People at work in a results tab, between any two requests: what they do, and what of it must survive.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};
use status_validator::sandbox::sheets::Office;

use crate::support::stand::{REVIEW, TARGET, edit, tab_id};

/// What people own in the tab. Everything they write is a word of its own, so that it can be found again.
#[derive(Debug, Default)]
pub(crate) struct People {
    words: u32,
    /// Rows of theirs: the word in their own column, and the one in ours.
    pub(crate) rows: BTreeMap<String, String>,
    /// Words in their own columns beside results or rows of theirs.
    pub(crate) notes: BTreeSet<String>,
    /// Notes that stood beside a result from the beginning, and its key.
    pub(crate) beside: BTreeMap<String, String>,
    /// What they did, for who has to understand a failure.
    pub(crate) log: Vec<String>,
}

/// The tab as people see it.
struct Tab {
    id: i32,
    texts: Vec<Vec<String>>,
    rows: u32,
}

/// The header of people's own column.
pub(crate) const NOTE: &str = "PMO note";

impl People {
    fn word(&mut self, kind: char) -> String {
        self.words += 1;
        format!("{kind}{:04}", self.words)
    }

    /// Before the program ever ran: a column of their own at the left, and notes beside results.
    pub(crate) fn settle_in(&mut self, office: &mut Office, rng: &mut Rng) {
        let Some(tab) = look(office) else { return };
        let column = json!({"sheetId": tab.id, "dimension": "COLUMNS", "startIndex": 1, "endIndex": 2});
        edit(office, TARGET, &json!([{"insertDimension": {"range": column}}]));
        put(office, tab.id, 0, 1, NOTE);
        for row in 1..tab.texts.len() {
            let key = tab.texts[row].last().cloned().unwrap_or_default();
            if rng.bool() && !key.is_empty() {
                let note = self.word('N');
                put(office, tab.id, row as u32, 1, &note);
                self.notes.insert(note.clone());
                self.beside.insert(note, key);
            }
        }
    }

    /// Does something, or nothing if there is no tab yet.
    pub(crate) fn act(&mut self, office: &mut Office, rng: &mut Rng) {
        let Some(tab) = look(office) else { return };
        let body = tab.texts.len() as u32;
        let Some(note_column) = tab.column(NOTE) else { return };
        let row = if body > 1 { rng.u32(1..body) } else { 1 };
        match rng.u8(0..13) {
            0 | 1 => {
                self.log.push(format!("insert a row at {row}"));
                insert(office, tab.id, "ROWS", row);
            }
            2 | 3 => self.add_row(office, &tab, row, note_column),
            4 => {
                let at = body.min(tab.rows - 1);
                self.add_row(office, &tab, at, note_column);
            }
            // Whoever misses a note of theirs does not delete rows, nor write in its place, before it is back.
            5 if body > 4 && self.misses_nothing(&tab) => {
                let cells = &tab.texts[row as usize];
                self.log.push(format!("delete row {row}: {cells:?}"));
                for cell in cells {
                    self.rows.remove(cell);
                    self.notes.remove(cell);
                    self.beside.remove(cell);
                }
                let range =
                    json!({"sheetId": tab.id, "dimension": "ROWS", "startIndex": row, "endIndex": row + 1});
                edit(office, TARGET, &json!([{"deleteDimension": {"range": range}}]));
            }
            6 | 7 => {
                let by = rng.u32(0..tab.width());
                let order = if rng.bool() { "ASCENDING" } else { "DESCENDING" };
                self.log.push(format!("sort by column {by} {order}"));
                let range = json!({"sheetId": tab.id, "startRowIndex": 1});
                let spec = json!([{"dimensionIndex": by, "sortOrder": order}]);
                edit(office, TARGET, &json!([{"sortRange": {"range": range, "sortSpecs": spec}}]));
            }
            8 => {
                let at = rng.u32(0..=tab.width());
                let name = if rng.bool() { self.word('H') } else { String::new() };
                self.log.push(format!("insert column {at} {name}"));
                insert(office, tab.id, "COLUMNS", at);
                put(office, tab.id, 0, at, &name);
                let word = self.word('N');
                if tab.texts[row as usize % tab.texts.len()].iter().any(|cell| !cell.is_empty()) && row < body
                {
                    put(office, tab.id, row, at, &word);
                    self.notes.insert(word);
                }
            }
            9 if row < body
                && self.misses_nothing(&tab)
                && tab.texts[row as usize][note_column as usize].is_empty() =>
            {
                let note = self.word('N');
                self.log.push(format!("note {note} in row {row}"));
                put(office, tab.id, row, note_column, &note);
                self.notes.insert(note);
            }
            10 => {
                self.log.push("filter".into());
                let hidden = json!({"columnIndex": 0, "filterCriteria": {"hiddenValues": ["3", "4"]}});
                let filter = json!({"range": {"sheetId": tab.id}, "filterSpecs": [hidden]});
                edit(office, TARGET, &json!([{"setBasicFilter": {"filter": filter}}]));
            }
            11 => {
                let from = rng.u32(0..tab.width());
                let to = rng.u32(0..=tab.width());
                if to < from || to > from + 1 {
                    self.log.push(format!("move column {from} to {to}"));
                    let source = json!({"sheetId": tab.id, "dimension": "COLUMNS", "startIndex": from, "endIndex": from + 1});
                    let moving = json!({"source": source, "destinationIndex": to});
                    edit(office, TARGET, &json!([{"moveDimension": moving}]));
                }
            }
            _ => {
                // Reading along changes nothing.
            }
        }
    }

    /// A row of their own, with a word in one of our columns too.
    fn add_row(&mut self, office: &mut Office, tab: &Tab, at: u32, note_column: u32) {
        let (theirs, ours) = (self.word('R'), self.word('C'));
        self.log.push(format!("add a row {theirs} at {at}"));
        insert(office, tab.id, "ROWS", at);
        put(office, tab.id, at, note_column, &theirs);
        if let Some(comment) = tab.column("Comment") {
            put(office, tab.id, at, comment, &ours);
        }
        self.rows.insert(theirs, ours);
    }

    fn misses_nothing(&self, tab: &Tab) -> bool {
        let all: BTreeSet<&String> = tab.texts.iter().flatten().collect();
        self.notes.iter().chain(self.rows.keys()).chain(self.rows.values()).all(|word| all.contains(word))
    }

    /// Whatever people own is there, once, where they put it.
    pub(crate) fn assert_untouched(&self, office: &Office, about: &str) {
        let tab = look(office).unwrap();
        let at = |name| tab.column(name).unwrap() as usize;
        let find = |word: &str| {
            let rows = tab.texts.iter().filter(|row| row.iter().any(|cell| cell == word));
            let rows: Vec<&Vec<String>> = rows.collect();
            assert_eq!(
                rows.len(),
                1,
                "{about}: {word} stands in {} rows: {:#?}\n{:#?}",
                rows.len(),
                self.log,
                tab.texts
            );
            rows[0]
        };
        for (theirs, ours) in &self.rows {
            let row = find(theirs);
            assert_eq!(&row[at("Comment")], ours, "{about}: {row:?} {:#?}", self.log);
            assert!(row[at("Is Valid")].is_empty(), "{about}: {row:?}");
        }
        for note in &self.notes {
            find(note);
        }
        for (note, key) in &self.beside {
            let row = find(note);
            assert_eq!(&row[at("Key")], key, "{about}: {row:?} {:#?}", self.log);
        }
    }
}

impl Tab {
    fn column(&self, name: &str) -> Option<u32> {
        self.texts.first()?.iter().position(|header| header == name).map(|at| at as u32)
    }

    fn width(&self) -> u32 {
        self.texts.first().map_or(1, |header| header.len() as u32)
    }
}

fn look(office: &Office) -> Option<Tab> {
    let id = tab_id(office, TARGET, REVIEW)?;
    let book = office.look(TARGET, Timestamp::UNIX_EPOCH)?;
    let sheet = book.sheet(REVIEW)?;
    Some(Tab { id, texts: sheet.texts(), rows: sheet.rows() }).filter(|tab| !tab.texts.is_empty())
}

fn insert(office: &mut Office, tab: i32, dimension: &str, at: u32) {
    let range = json!({"sheetId": tab, "dimension": dimension, "startIndex": at, "endIndex": at + 1});
    edit(office, TARGET, &json!([{"insertDimension": {"range": range, "inheritFromBefore": at > 0}}]));
}

fn put(office: &mut Office, tab: i32, row: u32, column: u32, text: &str) {
    let cell: Value =
        if text.is_empty() { json!({}) } else { json!({"userEnteredValue": {"stringValue": text}}) };
    let start = json!({"sheetId": tab, "rowIndex": row, "columnIndex": column});
    let update = json!({"start": start, "rows": [{"values": [cell]}], "fields": "userEnteredValue"});
    edit(office, TARGET, &json!([{"updateCells": update}]));
}
