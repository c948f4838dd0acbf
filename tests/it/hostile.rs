//! Every hostile row on its whole way: through the true binary, from a file, into a file that another reader reads.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use calamine::{Data, Reader as _, Xlsx, open_workbook};
use rust_xlsxwriter::Workbook;

use crate::support::cli::{Desk, Ended};

const HOSTILE: &[u8] = include_bytes!("../fixtures/hostile.csv");
const EXPECT: &[u8] = include_bytes!("../fixtures/hostile-expect.csv");

/// What a cell holds at most, in UTF-16 units: in Google Sheets, which CSV files go to as well, and in Excel.
const CSV_UNITS: usize = 50_000;
const XLSX_UNITS: usize = 32_767;

/// The cells that a spreadsheet would evaluate: the row and the column of the source.
const FORMULAS: [(&str, usize); 12] = [
    ("H-001", COMMENT),
    ("H-002", COMMENT),
    ("H-003", COMMENT),
    ("H-004", COMMENT),
    ("H-005", COMMENT),
    ("H-006", COMMENT),
    ("H-007", COMMENT),
    ("H-008", COMMENT),
    ("H-009", COMMENT),
    ("H-011", MANAGER),
    ("H-012", STATUS),
    ("H-013", DATE),
];

/// Columns of the source. In the results they stand in the same places: the row's number is where the id was.
const PROJECT: usize = 1;
const MANAGER: usize = 2;
const STATUS: usize = 3;
const DATE: usize = 4;
const COMMENT: usize = 5;
const IS_VALID: usize = 6;
const ISSUES: usize = 7;

type Table = Vec<Vec<String>>;

#[test]
fn in_a_csv_file() {
    let desk = Desk::new(&settings());
    desk.write("hostile.csv", HOSTILE);
    let results = reviewed(&desk, "hostile.csv", "results.csv", &[24, 25], CSV_UNITS);
    assert_expected(&rows(HOSTILE), &results, |id, column, text| {
        let text = cut(text, CSV_UNITS);
        if FORMULAS.contains(&(id, column)) { format!("'{text}") } else { text }
    });
}

#[test]
fn in_a_workbook() {
    let desk = Desk::new(&settings());
    desk.write("hostile.csv", HOSTILE);
    let results = reviewed(&desk, "hostile.csv", "results.xlsx", &[22, 23, 24, 25], XLSX_UNITS);
    assert_expected(&rows(HOSTILE), &results, |_, _, text| cut(text, XLSX_UNITS));
    assert_no_formula(&desk.path("results.xlsx"));
}

#[test]
fn from_a_workbook_into_a_workbook_and_into_a_csv_file() {
    let desk = Desk::new(&settings());
    let source: Table = rows(HOSTILE)
        .into_iter()
        .map(|row| row.iter().map(|cell| start(cell, XLSX_UNITS)).collect()) // more a cell cannot hold
        .collect();
    workbook_of_texts(&desk.path("hostile.xlsx"), &source);
    let results = reviewed(&desk, "hostile.xlsx", "results.xlsx", &[], XLSX_UNITS);
    assert_expected(&source, &results, |_, _, text| text.to_owned());
    assert_no_formula(&desk.path("results.xlsx"));
    let results = reviewed(&desk, "hostile.xlsx", "results.csv", &[], CSV_UNITS);
    assert_expected(&source, &results, |id, column, text| {
        if FORMULAS.contains(&(id, column)) { format!("'{text}") } else { text.to_owned() }
    });
}

/// The settings that come with the program.
fn settings() -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Settings.toml")).unwrap();
    text.replace("examples/rules-en.toml", "rules.toml")
}

/// Reviews `source` twice, checks what the program says, that the rows `cut` are told of, and that the second
/// run changes nothing; gives the results.
fn reviewed(desk: &Desk, source: &str, output: &str, cut: &[usize], units: usize) -> Table {
    let store = desk.path(&format!("{output}.sqlite"));
    let run = || {
        let mut command = desk.command(&["run", "--source", source, "--output", output]);
        command.env("SV_CACHE_PATH", &store).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ended::from(command.output().unwrap())
    };
    let first = run();
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.summary()[0].starts_with("60 rows: ") && first.summary()[0].contains("0 not checked"));
    assert!(first.summary()[0].ends_with("1 skipped (blank row: 1)"), "{}", first.err);
    let mut warnings = vec!["warning: row 59 has the same identifier as row 58: both are kept".to_owned()];
    warnings
        .extend(cut.iter().map(|row| format!("warning: row {row}: «Comment» was cut to {units} characters")));
    let told: Vec<&str> = first.err.lines().filter(|line| line.starts_with("warning")).collect();
    assert_eq!(told, warnings);

    let before = std::fs::read(desk.path(output)).unwrap();
    let second = run();
    assert_eq!(second.code, 0, "{}", second.err);
    assert_eq!(second.summary()[2], "nothing: 59 rows said the same already, 0 gone");
    assert!(std::fs::read(desk.path(output)).unwrap() == before, "a second run changes nothing");
    if output.ends_with(".csv") { rows(&before) } else { sheet(&desk.path(output)) }
}

/// Checks every row: its texts are what `kept` makes of those of the source, its verdict is what is expected.
fn assert_expected(source: &Table, results: &Table, kept: impl Fn(&str, usize, &str) -> String) {
    let expected = rows(EXPECT);
    assert_eq!((source.len(), expected.len(), results.len()), (60, 60, 59), "all but the blank row");
    let mut left = results.iter();
    for (index, (cells, expected)) in source.iter().zip(&expected).enumerate() {
        let (id, class, what) = (cells[0].as_str(), expected[1].as_str(), expected[2].as_str());
        assert_eq!(id, expected[0]);
        if class == "blank" {
            continue;
        }
        let row = left.next().unwrap();
        assert_eq!(row[0], (index + 2).to_string(), "{id}: the row's number");
        for column in [PROJECT, MANAGER, STATUS, DATE, COMMENT] {
            let text = kept(id, column, &cells[column].replace('\0', "\u{fffd}"));
            assert!(row[column] == text, "{id}, {what}: {:?} is not {text:?}", row[column]);
        }
        match expected[4].as_str() {
            // What only a model can see is none of the code's business.
            "false" if !["injection", "duplicate"].contains(&class) => {
                assert_eq!(row[IS_VALID], "NO", "{id}, {what}")
            }
            _ => assert!(["YES", "NO"].contains(&row[IS_VALID].as_str()), "{id}: {}", row[IS_VALID]),
        }
        for (hostile, word) in ISSUES_TELL {
            assert!(hostile != id || row[ISSUES].contains(word), "{id}: {}", row[ISSUES]);
        }
    }
}

/// What the issues of some rows must tell.
const ISSUES_TELL: [(&str, &str); 6] = [
    ("H-012", "R1 "),
    ("H-013", "R2 "),
    ("H-021", "R12 "),
    ("H-030", "U+200B"),
    ("H-032", "U+041E"),
    ("H-060", "a cell holds the spreadsheet error value"),
];

/// The sheet has no formula, and no link but those of the projects to the source.
fn assert_no_formula(path: &Path) {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut part = |name: &str| {
        let mut text = String::new();
        zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let xml = part("xl/worksheets/sheet1.xml");
    assert!(xml.contains("=1+1") && !xml.contains("<f>") && !xml.contains("<f "));
    assert!(xml.matches("<hyperlink ").count() == xml.matches("<hyperlink ref=\"B").count(), "projects link");
    let links = part("xl/worksheets/_rels/sheet1.xml.rels");
    assert!(links.matches(" Target=").count() == links.matches(" Target=\"hostile.").count(), "{links}");
    let mut workbook: Xlsx<_> = open_workbook(path).unwrap();
    let name = workbook.sheet_names()[0].clone();
    assert!(workbook.worksheet_formula(&name).unwrap().is_empty());
}

/// The text, or what is left of it in a cell of so many UTF-16 units, with the mark of a cut.
fn cut(text: &str, units: usize) -> String {
    let mark = "… [cut]";
    if text.encode_utf16().count() <= units {
        return text.to_owned();
    }
    start(text, units - mark.chars().count()) + mark
}

/// The whole characters of the first units of a text.
fn start(text: &str, units: usize) -> String {
    let kept = text.chars().scan(0, |used, c| {
        *used += c.len_utf16();
        (*used <= units).then_some(c)
    });
    kept.collect()
}

/// The rows below the header.
fn rows(text: &[u8]) -> Table {
    let records = csv::Reader::from_reader(text).into_records();
    records.map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The rows below the header of the only sheet; but for the row's number each cell is a text.
fn sheet(path: &PathBuf) -> Table {
    let mut workbook: Xlsx<_> = open_workbook(path).unwrap();
    let range = workbook.worksheet_range_at(0).unwrap().unwrap();
    let cell = |(column, data): (usize, &Data)| match data {
        Data::Float(number) if column == 0 => number.to_string(),
        Data::String(text) => text.clone(),
        Data::Empty => String::new(),
        other => panic!("a text became {other:?}"),
    };
    range.rows().skip(1).map(|row| row.iter().enumerate().map(cell).collect()).collect()
}

/// A workbook with the hostile header and these texts.
fn workbook_of_texts(path: &Path, table: &Table) {
    let header = csv::Reader::from_reader(HOSTILE).headers().unwrap().iter().map(str::to_owned).collect();
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (at, row) in (0..).zip(std::iter::once(&header).chain(table)) {
        for (column, cell) in (0..).zip(row) {
            sheet.write_string(at, column, cell).unwrap();
        }
    }
    workbook.save(path).unwrap();
}
