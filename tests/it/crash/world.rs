//! A table, a results table that people work in too, a model that counts what it is paid for, and the program beside
//! them: all that has to hold of them after a crash.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use calamine::{Data, Reader as _, Xlsx, open_workbook};
use serde_json::{Value, json};
use status_validator::store::Store;

use crate::support::VALID;
use crate::support::cli::{Desk, Ended, Model, answer};
use crate::support::served::Served;

/// Rows of the source.
pub(crate) const ROWS: usize = 12;
/// Rows that are judged, and worked on by people, before anything goes wrong.
pub(crate) const BEFORE: usize = 4;
pub(crate) const WORKERS: usize = 3;

/// Of which kind the tables are.
#[derive(Clone)]
pub(crate) enum Kind {
    Csv,
    Xlsx,
    /// Google's, in a sandbox that all worlds share; each has a tab of its own.
    Sheets(Arc<Served>),
}

pub(crate) struct World {
    desk: Desk,
    model: Model,
    kind: Kind,
    /// The results' tab.
    tab: String,
}

/// The results as people see them: by project, how often it stands there, its verdict, comment and note.
pub(crate) type Results = BTreeMap<String, Vec<Row>>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) valid: String,
    pub(crate) comment: String,
    pub(crate) note: String,
}

impl World {
    /// A new one; `name` tells it from others of the same sandbox.
    pub(crate) fn new(kind: &Kind, name: &str) -> Self {
        // Long enough for a call to be caught on its way.
        let model = Model::answering(|_, _| answer(VALID).after(Duration::from_millis(25)));
        let tables = match kind {
            Kind::Csv => "[source]\npath = \"projects.csv\"\n[target]\npath = \"review.csv\"".to_owned(),
            Kind::Xlsx => "[source]\npath = \"projects.xlsx\"\n[target]\npath = \"review.xlsx\"".to_owned(),
            Kind::Sheets(served) => format!(
                "[sheets]\ncredentials_file = \"{}\"\napi_base_url = \"http://{}\"\nsource_spreadsheet_id = \"weeks\"\n\
                 source_sheet_name = \"Statuses\"\ntarget_spreadsheet_id = \"results\"\ntarget_sheet_name = \"{name}\"",
                served.settings.with_file_name("service-account.json").display(),
                served.address,
            ),
        };
        let desk = Desk::new(&format!(
            "rules_text = \"Every comment says what was done.\"\n{tables}\n\
             [columns]\nstatus = \"Status\"\ncomment = \"Comment\"\nidentifier = \"Project\"\n\
             [llm]\nmax_workers = {WORKERS}\nrequests_per_minute = 60000\n\
             [llm.providers.1]\nname = \"local\"\nmodel = \"m-1\"\nbase_url = \"{}/v1\"\n",
            model.url()
        ));
        desk.projects(ROWS);
        if matches!(kind, Kind::Xlsx) {
            let mut book = rust_xlsxwriter::Workbook::new();
            let sheet = book.add_worksheet();
            for (row, record) in csv::ReaderBuilder::new()
                .has_headers(false)
                .from_path(desk.path("projects.csv"))
                .unwrap()
                .records()
                .enumerate()
            {
                for (column, text) in record.unwrap().iter().enumerate() {
                    sheet.write_string(row as u32, column as u16, text).unwrap();
                }
            }
            book.save(desk.path("projects.xlsx")).unwrap();
        }
        Self { desk, model, kind: kind.clone(), tab: name.to_owned() }
    }

    /// Runs the program to its end, with these faults.
    pub(crate) fn run(&self, faults: &str, args: &[&str]) -> Ended {
        let mut command = self.desk.command(args);
        command.env("FAILPOINTS", faults);
        command.output().unwrap().into()
    }

    /// The first rows are judged, and people write their notes beside them.
    pub(crate) fn people_work(&self) {
        let ended = self.run("", &["--limit", &BEFORE.to_string()]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let table = self.table();
        let notes: Vec<Vec<String>> = std::iter::once("Our note".to_owned())
            .chain((2..=table.len()).map(|row| format!("note of people, line {row}")))
            .map(|note| vec![note])
            .collect();
        let column = table[0].len();
        match &self.kind {
            Kind::Csv => {
                let mut writer = csv::Writer::from_path(self.desk.path("review.csv")).unwrap();
                for (record, note) in table.iter().zip(&notes) {
                    writer.write_record(record.iter().chain(note)).unwrap();
                }
                writer.flush().unwrap();
            }
            Kind::Xlsx => {
                // As a spreadsheet program saves it: the whole book anew.
                let mut book = rust_xlsxwriter::Workbook::new();
                let sheet = book.add_worksheet();
                sheet.set_name("Status Review").unwrap();
                for (row, (record, note)) in table.iter().zip(&notes).enumerate() {
                    for (column, text) in record.iter().chain(note).enumerate() {
                        sheet.write_string(row as u32, column as u16, text).unwrap();
                    }
                }
                book.save(self.desk.path("review.xlsx")).unwrap();
            }
            Kind::Sheets(served) => {
                let book = served.get("/v4/spreadsheets/results?fields=sheets.properties(sheetId,title)");
                let mut tabs = book["sheets"].as_array().unwrap().iter();
                let id = &tabs.find(|tab| tab["properties"]["title"] == self.tab).unwrap()["properties"]["sheetId"];
                let wider = json!({"sheetId": id, "dimension": "COLUMNS", "length": 1});
                let requests = json!({"requests": [{"appendDimension": wider}]});
                served.call("POST", "/v4/spreadsheets/results:batchUpdate", &requests);
                let letter = char::from(b'A' + u8::try_from(column).unwrap());
                let range = format!("{}!{letter}1:{letter}{}", self.tab, notes.len());
                let path = format!("/v4/spreadsheets/results/values/{range}?valueInputOption=RAW");
                served.call("PUT", &path, &json!({"range": range, "values": notes}));
            }
        }
    }

    /// The results, header and all.
    pub(crate) fn table(&self) -> Vec<Vec<String>> {
        match &self.kind {
            Kind::Csv => {
                let Ok(text) = std::fs::read_to_string(self.desk.path("review.csv")) else {
                    return Vec::new();
                };
                let text = text.trim_start_matches('\u{feff}');
                let mut reader =
                    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
                reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
            }
            Kind::Xlsx => {
                let Ok(mut book) = open_workbook::<Xlsx<_>, _>(self.desk.path("review.xlsx")) else {
                    return Vec::new();
                };
                let range = book.worksheet_range("Status Review").unwrap();
                let text = |cell: &Data| cell.to_string();
                range.rows().map(|row| row.iter().map(text).collect()).collect()
            }
            Kind::Sheets(served) => {
                let answer = served.get(&format!("/v4/spreadsheets/results/values/{}", self.tab));
                let text = |cell: &Value| cell.as_str().unwrap_or_default().to_owned();
                let line = |line: &Value| line.as_array().unwrap().iter().map(text).collect();
                answer["values"].as_array().into_iter().flatten().map(line).collect()
            }
        }
    }

    /// The results by project.
    pub(crate) fn results(&self) -> Results {
        let table = self.table();
        let Some((header, rows)) = table.split_first() else { return Results::new() };
        let place = |name: &str| header.iter().position(|found| found == name);
        let cell = |row: &Vec<String>, name| {
            place(name).and_then(|place| row.get(place)).cloned().unwrap_or_default()
        };
        let mut results = Results::new();
        for row in rows {
            let [valid, comment, note] = ["Is Valid", "Comment", "Our note"].map(|name| cell(row, name));
            results.entry(cell(row, "Project name")).or_default().push(Row { valid, comment, note });
        }
        results
    }

    /// A file of its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.desk.path(name)
    }

    /// Requests that the model was sent so far.
    pub(crate) fn requests(&self) -> usize {
        self.model.requests()
    }

    /// Answers that are kept.
    pub(crate) fn answers(&self) -> usize {
        let path = self.desk.path("status_validator.sqlite");
        if !path.exists() {
            return 0; // killed before it had a store
        }
        // Killed before it was one: an empty file, which becomes one.
        Store::open(path).unwrap().stats().unwrap().answers as usize
    }

    /// Results that wait to be written.
    pub(crate) fn outbox(&self) -> u64 {
        Store::open(self.desk.path("status_validator.sqlite")).unwrap().stats().unwrap().outbox
    }

    /// What stands beside the files that belong there.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let known = |name: &String| {
            ["Settings.toml", "rules.toml", "statuses.csv"].contains(&name.as_str())
                || ["projects.", "review.", "status_validator.sqlite"]
                    .iter()
                    .any(|ours| name.starts_with(ours))
        };
        let entries = std::fs::read_dir(self.desk.path("")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !known(name)).collect()
    }
}
