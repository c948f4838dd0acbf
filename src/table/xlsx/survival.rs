//! What people made in a workbook survives our changes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use calamine::{Data, Reader as _, Xlsx, open_workbook};
use proptest::prelude::*;
use rust_xlsxwriter::{
    Chart, ChartType, Color, ConditionalFormatDuplicate, DataValidation, Format, Formula, Note, Table,
    TableColumn, Url, Workbook,
};
use zip::ZipArchive;

use super::sink::tests::{column, options, row, run, texts};
use super::{XlsxSink, XlsxSinkParams};
use crate::domain::results::{ResultColumn, ResultRow};
use crate::table::{TableError, TableSink as _};

const SHEET: &str = "Status Review";

/// The content of every part.
fn parts(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ZipArchive::new(Cursor::new(fs::read(path).unwrap())).unwrap();
    let mut parts = BTreeMap::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        parts.insert(file.name().unwrap().into_owned(), bytes);
    }
    parts
}

pub(super) fn part(path: &Path, name: &str) -> String {
    String::from_utf8(parts(path)[name].clone()).unwrap()
}

/// A results sheet as somebody may have arranged it: a title above, our columns in another order between
/// columns of their own, everything else a workbook can have.
fn arranged(path: &Path) {
    let mut workbook = Workbook::new();
    let yellow = Format::new().set_background_color(Color::Yellow).set_num_format("0.00");
    let red = Format::new().set_font_color(Color::Red).set_italic();
    let sheet = workbook.add_worksheet().set_name(SHEET).unwrap();
    sheet.write_string(0, 0, "Review of the week").unwrap();
    let header = ["Owner", "Comment", "KEY", " project  name ", "Hours", "Is Valid", "Issues", "Row Number"];
    for (at, name) in (0..).zip(header) {
        sheet.write_string_with_format(2, at, name, &red).unwrap();
    }
    for (at, project) in (3..).zip(["b", "a", "mine"]) {
        sheet.write_string(at, 0, format!("owner of {project}")).unwrap();
        sheet.write_string_with_format(at, 1, "old comment", &red).unwrap();
        sheet.write_string(at, 3, project).unwrap();
        sheet
            .write_formula_with_format(
                at,
                4,
                Formula::new(format!("=LEN(A{})*2", at + 1)).set_result("20"),
                &yellow,
            )
            .unwrap();
    }
    sheet.write_string(3, 5, "YES").unwrap();
    sheet.write_string(4, 5, "NO").unwrap();
    sheet.write_url(3, 0, Url::new("https://people.example/b").set_text("owner of b")).unwrap();
    sheet.write_url(3, 3, Url::new("https://old.example/b").set_text("b")).unwrap();
    sheet.insert_note(4, 1, &Note::new("call them")).unwrap();
    let validation = DataValidation::new().allow_list_strings(&["Ann", "Bob"]).unwrap();
    sheet.add_data_validation(3, 0, 99, 0, &validation).unwrap();
    sheet.add_conditional_format(3, 4, 99, 4, &ConditionalFormatDuplicate::new()).unwrap();
    sheet.autofilter(2, 0, 5, 7).unwrap();
    sheet.merge_range(0, 0, 0, 3, "Review of the week", &red).unwrap();
    sheet.set_row_height(4, 77).unwrap();
    let other = workbook.add_worksheet().set_name("Plan").unwrap();
    other.write_formula(0, 0, Formula::new("='Status Review'!E4").set_result("20")).unwrap();
    let mut chart = Chart::new(ChartType::Column);
    chart.add_series().set_values("Plan!$A$1:$A$1");
    other.insert_chart(3, 3, &chart).unwrap();
    workbook.save(path).unwrap();
}

#[tokio::test]
async fn what_people_made_survives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.xlsx");
    arranged(&path);
    let before = parts(&path);
    let done = run(&path, &[row("a", 2), row("b", 3), row("c", 4)], 100).await;
    assert_eq!((done[0].written, done[1].marked_gone), (3, 0));
    let after = parts(&path);
    let changed: Vec<&str> = after
        .iter()
        .filter(|(name, bytes)| before.get(*name) != Some(bytes))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        changed,
        ["xl/workbook.xml", "xl/worksheets/_rels/sheet1.xml.rels", "xl/worksheets/sheet1.xml"]
    );
    assert!(before.keys().all(|name| after.contains_key(name)));
    let rows = texts(&path, SHEET);
    assert_eq!(rows[0][0], "Review of the week");
    assert_eq!(
        rows[2][..8],
        ["Owner", "Comment", "KEY", " project  name ", "Hours", "Is Valid", "Issues", "Row Number"]
    );
    assert_eq!(
        rows[2][8..],
        [
            "Project manager",
            "Status Value",
            "Completion Date",
            "Rewrite Suggestion",
            "Raw LLM JSON",
            "Check date",
            "Model",
            "Rules",
            "Severity"
        ]
    );
    assert_eq!(rows[3][..8], ["owner of b", "Done: 3 gates", "b", "b", "20", "YES", "", "3"]);
    assert_eq!(rows[4][..8], ["owner of a", "Done: 2 gates", "a", "a", "20", "YES", "", "2"]);
    assert_eq!(rows[5][..8], ["owner of mine", "old comment", "", "mine", "20", "", "", ""], "not ours");
    assert_eq!(rows[6][..8], ["", "Done: 4 gates", "c", "c", "", "YES", "", "4"]);
    let sheet = part(&path, "xl/worksheets/sheet1.xml");
    let old = String::from_utf8(before["xl/worksheets/sheet1.xml"].clone()).unwrap();
    for kept in ["<dataValidations", "<conditionalFormatting", "<mergeCells", "<legacyDrawing", "<sheetViews"]
    {
        let element = |xml: &str| xml[xml.find(kept).unwrap()..].split('>').next().unwrap().to_owned();
        assert_eq!(element(&sheet), element(&old));
    }
    assert!(sheet.contains("<row r=\"5\" spans=\"1:15\" ht=\"77.25\" customHeight=\"1\">"), "{sheet}");
    assert!(sheet.contains("<autoFilter ref=\"A3:H7\"/>"), "{sheet}");
    assert!(part(&path, "xl/workbook.xml").contains("'Status Review'!$A$3:$H$7"));
    let before = fs::read(&path).unwrap();
    assert_eq!(run(&path, &[row("a", 2), row("b", 3), row("c", 4)], 2).await[0].unchanged, 2);
    assert_eq!(fs::read(&path).unwrap(), before, "the second time changes nothing");
}

#[tokio::test]
async fn links_lead_to_the_source_and_those_of_people_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.xlsx");
    arranged(&path);
    run(&path, &[row("a", 2), row("b", 3)], 100).await;
    let mut workbook: Xlsx<_> = open_workbook(&path).unwrap();
    let links = workbook.hyperlinks_by_sheet_name(SHEET).unwrap();
    let of = |row, column| {
        let link = links.iter().find(|link| link.contains(row, column)).unwrap();
        (link.target.clone().unwrap_or_default(), link.location.clone().unwrap_or_default())
    };
    assert_eq!(of(3, 0).0, "https://people.example/b");
    assert_eq!(of(3, 3), ("statuses.xlsx".into(), "'Weekly'!A3".into()));
    assert_eq!(of(4, 3), ("statuses.xlsx".into(), "'Weekly'!A2".into()));
    assert_eq!(links.len(), 3);
    let relations = part(&path, "xl/worksheets/_rels/sheet1.xml.rels");
    assert_eq!(relations.matches("Target=\"statuses.xlsx\"").count(), 1, "{relations}");
}

#[tokio::test]
async fn a_table_on_the_sheet_grows_with_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.xlsx");
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name(SHEET).unwrap();
    let names = ["Project name", "Is Valid", "Note", "Key", "Issues", "Row Number"];
    let columns: Vec<TableColumn> = names.iter().map(|name| TableColumn::new().set_header(*name)).collect();
    sheet.add_table(0, 0, 2, 5, &Table::new().set_columns(&columns)).unwrap();
    for (at, project) in (1..).zip(["a", "b"]) {
        sheet.write_string(at, 0, project).unwrap().write_string(at, 1, "YES").unwrap();
    }
    workbook.save(&path).unwrap();
    run(&path, &[row("a", 2), row("b", 3), row("c", 4), row("d", 5)], 100).await;
    let table = part(&path, "xl/tables/table1.xml");
    assert_eq!(table.matches("ref=\"A1:F5\"").count(), 2, "{table}");
    assert_eq!(column(&path, SHEET, ResultColumn::Key), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_sheet_is_added_to_a_workbook_that_has_none() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sheet) in [("absent.xlsx", "Plan"), ("blank.xlsx", SHEET)] {
        let path = folder.path().join(name);
        let mut workbook = Workbook::new();
        let bold = Format::new().set_bold();
        workbook
            .add_worksheet()
            .set_name("Budget")
            .unwrap()
            .write_string_with_format(0, 0, "x", &bold)
            .unwrap();
        workbook.add_worksheet().set_name(sheet).unwrap();
        workbook.save(&path).unwrap();
        let before = parts(&path);
        run(&path, &[row("a", 2), row("=b", 3)], 1).await;
        assert_eq!(column(&path, SHEET, ResultColumn::ProjectName), ["a", "=b"]);
        assert_eq!(texts(&path, "Budget"), [["x"]]);
        assert_eq!(parts(&path)["xl/worksheets/sheet1.xml"], before["xl/worksheets/sheet1.xml"]);
        let new = if sheet == SHEET { "xl/worksheets/sheet2.xml" } else { "xl/worksheets/sheet3.xml" };
        let xml = part(&path, new);
        assert!(xml.contains("<conditionalFormatting") && !xml.contains("tabSelected"), "{xml}");
        assert_eq!(run(&path, &[row("a", 2), row("=b", 3)], 9).await[0].unchanged, 2);
    }
}

/// A sheet as the Python StatusValidator left it, with project names as formulas.
fn python(path: &Path, shared: bool) {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name(SHEET).unwrap();
    let names = [
        "Row Number",
        "Project name",
        "Project manager",
        "Status Value",
        "Completion Date",
        "Comment",
        "Is Valid",
        "Issues",
        "Rewrite Suggestion",
        "Raw LLM JSON",
        "Check date",
        "Model",
        "Seen by",
    ];
    for (at, name) in (0..).zip(names) {
        sheet.write_string(0, at, name).unwrap();
    }
    for (at, project) in (1..).zip(["Gate", "Roof", "Gate"]) {
        sheet.write_number(at, 0, f64::from(at + 1)).unwrap();
        let link = format!("=HYPERLINK(\"https://docs.example/#range=A{}\",\"{project}\")", at + 1);
        sheet.write_formula(at, 1, Formula::new(link).set_result(project)).unwrap();
        sheet.write_string(at, 6, "NO").unwrap();
        sheet.write_string(at, 12, format!("boss {at}")).unwrap();
    }
    workbook.save(path).unwrap();
    if shared {
        let xml = part(path, "xl/worksheets/sheet1.xml");
        let mut edited = xml.clone();
        for (at, formula) in [
            (2, "<f t=\"shared\" ref=\"B2:B4\" si=\"0\">A2&amp;$C$1</f>"),
            (3, "<f t=\"shared\" si=\"0\"/>"),
            (4, "<f t=\"shared\" si=\"0\"/>"),
        ] {
            let cell = edited.find(&format!("<c r=\"B{at}\"")).unwrap();
            let from = cell + edited[cell..].find("<f>").unwrap();
            let to = from + edited[from..].find("</f>").unwrap() + 4;
            edited.replace_range(from..to, formula);
        }
        rezip(path, &[("xl/worksheets/sheet1.xml", &edited)]);
    }
}

/// Writes parts of a workbook anew.
pub(super) fn rezip(path: &Path, changed: &[(&str, &str)]) {
    use std::io::Write as _;
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut all = parts(path);
    for (name, xml) in changed {
        all.insert((*name).to_owned(), xml.as_bytes().to_vec());
    }
    for (name, bytes) in all {
        out.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(&bytes).unwrap();
    }
    fs::write(path, out.finish().unwrap().into_inner()).unwrap();
}

#[tokio::test]
async fn the_table_of_the_python_tool_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.xlsx");
    python(&path, false);
    let mut second = row("Gate", 4);
    second.key = crate::domain::key::RowKey::of_identifier("Gate", 2);
    let rows = [row("Gate", 2), row("Roof", 3), second];
    assert_eq!(run(&path, &rows, 100).await[0].written, 3);
    assert!(!part(&path, "xl/worksheets/sheet1.xml").contains("<f>"));
    assert_eq!(column(&path, SHEET, ResultColumn::ProjectName), ["Gate", "Roof", "Gate"]);
    assert_eq!(column(&path, SHEET, ResultColumn::Key), ["gate", "roof", "gate #2"]);
    let bosses: Vec<String> = texts(&path, SHEET)[1..].iter().map(|row| row[12].clone()).collect();
    assert_eq!(bosses, ["boss 1", "boss 2", "boss 3"]);
    assert_eq!(run(&path, &rows, 100).await[0].unchanged, 3);
}

#[tokio::test]
async fn formulas_that_lose_the_cell_they_share_get_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.xlsx");
    python(&path, true);
    run(&path, &[row("Gate", 2)], 100).await;
    let xml = part(&path, "xl/worksheets/sheet1.xml");
    let formulas: Vec<&str> =
        xml.split("<f").skip(1).map(|rest| rest.split("</f>").next().unwrap()).collect();
    assert_eq!(formulas[0], ">A3&amp;$C$1");
    assert_eq!(formulas[1], ">A4&amp;$C$1");
}

#[tokio::test]
async fn the_order_of_calculation_does_not_name_what_is_no_formula_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.xlsx");
    python(&path, false);
    let types = part(&path, "[Content_Types].xml").replace(
        "</Types>",
        "<Override PartName=\"/xl/calcChain.xml\" \
        ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml\"/></Types>",
    );
    let relations = part(&path, "xl/_rels/workbook.xml.rels").replace("</Relationships>", "<Relationship Id=\"rId99\" \
        Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain\" Target=\"calcChain.xml\"/></Relationships>");
    let chain = "<calcChain><c r=\"B2\" i=\"1\"/></calcChain>";
    rezip(
        &path,
        &[
            ("[Content_Types].xml", &types),
            ("xl/_rels/workbook.xml.rels", &relations),
            ("xl/calcChain.xml", chain),
        ],
    );
    run(&path, &[row("Gate", 2)], 100).await;
    assert!(!parts(&path).contains_key("xl/calcChain.xml"));
    assert!(!part(&path, "xl/_rels/workbook.xml.rels").contains("calcChain"));
    assert!(!part(&path, "[Content_Types].xml").contains("calcChain"));
}

/// Texts of every class that has ever broken a spreadsheet.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "=1+1",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "＝1+1",
        "'=1",
        "- a point",
        "007",
        "1E5",
        "3/4",
        "TRUE",
        "#REF!",
        " edges ",
        "two\nlines",
        "cr\r\nlf",
        "\u{1b}[31m\u{0}\u{7f}",
        "_x0041_",
        "_x0041\u{1}",
        "a\u{fffe}\u{ffff}b",
        "👩‍👩‍👧‍👦🇪🇺",
        "\u{202e}gnp.exe",
        "مرحبا",
        "e\u{301}",
        "<c r=\"A1\"><f>1</f></c>",
        "]]>&amp;",
        "{\"a\":1}",
        "\u{feff}bom",
        "javascript:alert(1)",
        "=HYPERLINK(\"https://x.invalid\",\"y\")",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("😀".repeat(30_000));
    texts.push("line\n".repeat(2_000));
    texts
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.xlsx");
    let rows: Vec<ResultRow> = (2..)
        .zip(hostile())
        .map(|(number, text)| ResultRow {
            comment: text.clone(),
            issues: text.clone(),
            raw: text.clone(),
            model: text.clone(),
            ..row(&format!("{text} {number}"), number)
        })
        .collect();
    let done = run(&path, &rows, 7).await;
    let warnings: Vec<&String> = done.iter().flat_map(|done| &done.warnings).collect();
    assert_eq!(warnings.len(), 5, "{warnings:?}");
    let xml = part(&path, "xl/worksheets/sheet1.xml");
    assert!(!xml.contains("<f>") && !xml.contains("<f "));
    for at in [ResultColumn::Comment, ResultColumn::Issues, ResultColumn::RawLlmJson] {
        for (read, text) in column(&path, SHEET, at).into_iter().zip(hostile()) {
            let (kept, _) = crate::domain::clip::clip(&text, 32_767);
            assert_eq!(read, kept, "{at:?}");
        }
    }
    assert!(xml.contains(" ht=\"180\" customHeight=\"1\">"), "2,000 lines do not fill the screen");
    let again = run(&path, &rows, 100).await;
    assert_eq!((again[0].written, again[0].unchanged, again[1].marked_gone), (0, rows.len() as u64, 0));
}

/// Commits into `bytes`: whatever they are, that is no reason to panic.
fn try_commit(path: &Path, bytes: &[u8]) -> Result<(), TableError> {
    fs::write(path, bytes).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut sink = XlsxSink::new(XlsxSinkParams { path: path.to_owned(), sheet: None });
        sink.open(&options()).await?;
        sink.upsert(&[row("a", 2), row("z", 9)]).await?;
        sink.commit().await.map(drop)
    })
}

fn sample() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.xlsx");
    arranged(&path);
    (folder, path)
}

#[test]
fn a_workbook_without_one_of_its_parts_is_an_error_or_does_not_need_it() {
    let (_folder, path) = sample();
    let whole = parts(&path);
    for missing in whole.keys() {
        use std::io::Write as _;
        let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in whole.iter().filter(|(name, _)| *name != missing) {
            out.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            out.write_all(bytes).unwrap();
        }
        let result = try_commit(&path, &out.finish().unwrap().into_inner());
        let needed = [
            "[Content_Types].xml",
            "xl/workbook.xml",
            "xl/_rels/workbook.xml.rels",
            "xl/worksheets/sheet1.xml",
            "xl/sharedStrings.xml",
            "xl/styles.xml",
        ];
        assert_eq!(result.is_err(), needed.contains(&missing.as_str()), "{missing}: {result:?}");
        assert!(
            result.is_ok() || matches!(result, Err(TableError::Malformed { .. })),
            "{missing}: {result:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_file_is_an_error_and_never_a_panic(at in 0.0..1.0f64, byte: u8, cut in proptest::bool::weighted(0.3)) {
        let (_folder, path) = sample();
        let mut bytes = fs::read(&path).unwrap();
        let at = ((bytes.len() - 1) as f64 * at) as usize;
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let result = try_commit(&path, &bytes);
        prop_assert!(matches!(result, Ok(()) | Err(TableError::Malformed { .. })), "{result:?}");
    }

    #[test]
    fn a_damaged_part_is_an_error_and_never_a_panic(part_at in 0..6usize, at in 0.0..1.0f64, what in "[<>/\"&= a0-9]{0,3}") {
        let (_folder, path) = sample();
        let names = ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml",
            "xl/_rels/workbook.xml.rels", "xl/worksheets/_rels/sheet1.xml.rels"];
        let mut xml = part(&path, names[part_at]);
        let at = ((xml.len() - 4) as f64 * at) as usize;
        xml.replace_range(at..at + 3, &what);
        rezip(&path, &[(names[part_at], &xml)]);
        let bytes = fs::read(&path).unwrap();
        let result = try_commit(&path, &bytes);
        prop_assert!(matches!(result, Ok(()) | Err(TableError::Malformed { .. } | TableError::Header { .. })), "{result:?}");
    }
}

#[test]
fn numbers_are_numbers() {
    let (_folder, path) = sample();
    let bytes = fs::read(&path).unwrap();
    try_commit(&path, &bytes).unwrap();
    let mut workbook: Xlsx<_> = open_workbook(&path).unwrap();
    let range = workbook.worksheet_range(SHEET).unwrap();
    assert_eq!(range.get_value((4, 7)), Some(&Data::Float(2.0)));
}
