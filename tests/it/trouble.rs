//! People, and other programs, at work on the files while a run is under way: nothing of theirs is lost, nothing that was
//! paid for is paid for again, and every row ends in the results once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use calamine::{Reader as _, Xlsx, open_workbook};
use rust_xlsxwriter::Workbook;
use tokio::sync::Semaphore;

use crate::support::VALID;
use crate::support::cli::{Desk, Ended, Model, answer};

const ROWS: usize = 6;
const KINDS: [&str; 2] = ["csv", "xlsx"];

type Table = Vec<Vec<String>>;

/// A run that waits for its model, while something happens to the files.
struct Stage {
    desk: Desk,
    model: Model,
    gate: Arc<Semaphore>,
    kind: &'static str,
}

impl Stage {
    fn new(kind: &'static str, rows: usize) -> Self {
        let gate = Arc::new(Semaphore::new(0));
        let behind = Arc::clone(&gate);
        let model = Model::answering(move |_, _| answer(VALID).behind(&behind));
        let desk = Desk::with_model(rows, &model.url());
        let settings = desk.read("Settings.toml").replace("review.csv", &format!("review.{kind}"));
        desk.write("Settings.toml", settings.replace("projects.csv", &format!("projects.{kind}")));
        let stage = Self { desk, model, gate, kind };
        let table = csv_table(&stage.desk.read("projects.csv"));
        stage.write("projects", &table);
        stage
    }

    fn name(&self, name: &str) -> String {
        format!("{name}.{}", self.kind)
    }

    fn write(&self, name: &str, table: &Table) {
        let path = self.desk.path(&self.name(name));
        match self.kind {
            "csv" => write_csv(&path, table),
            _ => write_workbook(&path, table),
        }
    }

    fn read(&self, name: &str) -> Table {
        let path = self.desk.path(&self.name(name));
        match self.kind {
            "csv" => csv_table(&std::fs::read_to_string(path).unwrap()),
            _ => {
                let mut book: Xlsx<_> = open_workbook(path).unwrap();
                let sheet = book.sheet_names()[0].clone();
                let range = book.worksheet_range(&sheet).unwrap();
                range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
            }
        }
    }

    /// Runs; `during` happens while the first calls are on their way.
    fn run(&self, during: impl FnOnce(&Self)) -> Ended {
        let before = self.model.requests();
        let child = self.desk.start(&[]);
        while self.model.requests() == before {
            std::thread::yield_now();
        }
        during(self);
        self.gate.add_permits(10_000);
        let ended = child.wait_with_output().unwrap().into();
        self.gate.forget_permits(10_000);
        ended
    }

    /// The next run, undisturbed, ends well.
    fn mends(&self, about: &str) {
        self.gate.add_permits(10_000);
        let next = self.desk.run(&[]);
        assert_eq!(next.code, 0, "{about}: {next:?}");
    }

    /// Every project of the source stands in the results once.
    fn assert_each_once(&self, about: &str, rows: usize) {
        let table = self.read("review");
        let place = table[0].iter().position(|name| name == "Project name").unwrap();
        let mut found = BTreeMap::new();
        for row in &table[1..] {
            *found.entry(row[place].clone()).or_insert(0) += 1;
        }
        let expected: BTreeMap<String, i32> = (1..=rows).map(|n| (format!("Project {n}"), 1)).collect();
        assert_eq!(found, expected, "{about}");
    }
}

/// The table with other comments: all of its rows are to be judged anew.
fn reworded(table: &Table, word: &str) -> Table {
    table.iter().map(|row| row.iter().map(|cell| cell.replace("number", word)).collect()).collect()
}

fn csv_table(text: &str) -> Table {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn write_csv(path: &Path, table: &Table) {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_path(path).unwrap();
    table.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.flush().unwrap();
}

fn write_workbook(path: &Path, table: &Table) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Status Review").unwrap();
    for (row, line) in table.iter().enumerate() {
        for (column, text) in line.iter().enumerate() {
            sheet.write_string(row as u32, column as u16, text).unwrap();
        }
    }
    book.save(path).unwrap();
}

#[test]
fn people_work_in_the_results_while_they_are_judged() {
    for kind in KINDS {
        let stage = Stage::new(kind, ROWS);
        stage.mends(kind);
        stage.gate.forget_permits(10_000);
        stage.write("projects", &reworded(&stage.read("projects"), "no."));
        let ended = stage.run(|stage| {
            // Somebody sorts the rows the other way round and adds a column of his own.
            let table = stage.read("review");
            let place = table[0].iter().position(|name| name == "Project name").unwrap();
            let mut sorted = vec![[table[0].clone(), vec!["Mine".into()]].concat()];
            let mine = |row: &Vec<String>| [row.clone(), vec![format!("about {}", row[place])]].concat();
            sorted.extend(table[1..].iter().rev().map(mine));
            stage.write("review", &sorted);
        });
        assert_eq!(ended.code, 0, "{kind}: {ended:?}");
        stage.assert_each_once(kind, ROWS);
        let table = stage.read("review");
        let place = |name: &str| table[0].iter().position(|found| found == name).unwrap();
        let (project, mine, comment) = (place("Project name"), place("Mine"), place("Comment"));
        for row in &table[1..] {
            assert_eq!(row[mine], format!("about {}", row[project]), "{kind}: {row:?}");
            assert!(row[comment].contains("no."), "{kind}: the new result is there: {row:?}");
        }
        assert_eq!(stage.model.requests(), 2 * ROWS, "{kind}");
    }
}

#[test]
fn the_results_go_away_and_come_back() {
    for kind in KINDS {
        for (trouble, code) in [("deleted", 0), ("a folder", 4), ("rubbish", 4)] {
            let about = format!("{kind}, {trouble}");
            let stage = Stage::new(kind, ROWS);
            stage.mends(&about);
            stage.gate.forget_permits(10_000);
            stage.write("projects", &reworded(&stage.read("projects"), "no."));
            let path = stage.desk.path(&stage.name("review"));
            let ended = stage.run(|_| {
                std::fs::remove_file(&path).unwrap();
                match trouble {
                    "a folder" => std::fs::create_dir(&path).unwrap(),
                    "rubbish" => std::fs::write(&path, b"\x00\x01 no table, \xff\xfe at all\n\n\n").unwrap(),
                    _ => {}
                }
            });
            assert_eq!(ended.code, code, "{about}: {ended:?}");
            if code != 0 {
                assert!(ended.err.contains("review."), "{about}: it is named: {ended:?}");
            }
            let asked = stage.model.requests();
            match trouble {
                "a folder" => std::fs::remove_dir(&path).unwrap(),
                "rubbish" => std::fs::remove_file(&path).unwrap(),
                _ => {}
            }
            stage.mends(&about);
            stage.assert_each_once(&about, ROWS);
            assert_eq!(
                stage.model.requests() - asked,
                2 * ROWS - asked,
                "{about}: what was paid for is kept"
            );
        }
    }
}

#[test]
fn a_workbook_that_somebody_has_open_is_written_and_said() {
    let stage = Stage::new("xlsx", ROWS);
    let ended = stage.run(|stage| stage.desk.write("~$review.xlsx", "somebody"));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains("somebody has the workbook open"), "{ended:?}");
    stage.assert_each_once("open in Excel", ROWS);
}

/// More rows than are read at a time.
const MANY: usize = 450;

#[test]
fn the_source_changes_while_it_is_read() {
    for kind in KINDS {
        for trouble in ["edited", "sorted", "shrunk", "deleted", "a folder"] {
            let about = format!("{kind}, {trouble}");
            let stage = Stage::new(kind, MANY);
            let settings = stage.desk.read("Settings.toml");
            stage.desk.write(
                "Settings.toml",
                settings.replace("max_workers = 2", "max_workers = 40\nrequests_per_minute = 1000000"),
            );
            let path = stage.desk.path(&stage.name("projects"));
            let whole = stage.read("projects");
            let ended = stage.run(|stage| match trouble {
                "edited" => {
                    stage.write("projects", &reworded(&whole, "new number"));
                }
                "sorted" => {
                    let mut sorted = whole.clone();
                    sorted[1..].reverse();
                    stage.write("projects", &sorted);
                }
                "shrunk" => stage.write("projects", &whole[..20].to_vec()),
                "deleted" => std::fs::remove_file(&path).unwrap(),
                _ => {
                    std::fs::remove_file(&path).unwrap();
                    std::fs::create_dir(&path).unwrap();
                }
            });
            assert!([0, 3, 4].contains(&ended.code), "{about}: {ended:?}");
            assert!(!ended.err.contains("panic") && !ended.err.contains("internal"), "{about}: {ended:?}");
            // Whatever was written is a row of the source as it was or as it is, with its own verdict.
            if stage.desk.path(&stage.name("review")).exists() {
                let table = stage.read("review");
                let place = |name: &str| table[0].iter().position(|found| found == name).unwrap();
                let (project, comment) = (place("Project name"), place("Comment"));
                for row in &table[1..] {
                    let number = row[project].strip_prefix("Project ").unwrap();
                    let texts =
                        [format!("Comment number {number}."), format!("Comment new number {number}.")];
                    assert!(texts.contains(&row[comment]), "{about}: {row:?}");
                }
            }
            if trouble == "a folder" {
                std::fs::remove_dir(&path).unwrap();
            }
            stage.write("projects", &whole);
            stage.mends(&about);
            stage.assert_each_once(&about, MANY);
            let edited = if trouble == "edited" { 2 * MANY } else { MANY };
            assert!(stage.model.requests() <= edited, "{about}: {} requests", stage.model.requests());
        }
    }
}
