//! One commit, as a whole or not at all: what has to be known first, and what an error means.

use std::io;
use std::path::PathBuf;

use super::encoding::{Encoding, Unencodable};
use super::merge::Merge;
use super::record::Record;
use super::results::{Existing, ResultsFile};
use crate::domain::language::Language;
use crate::domain::results::ResultColumn;
use crate::domain::upsert::is_suspicious_shrink;
use crate::table::replacement::Replacement;
use crate::table::spool::{Batch, Spool, SpoolError};
use crate::table::{Committed, Gone, TableError};

/// Where and how results are written.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The file itself, not a link to it.
    pub(super) target: PathBuf,
    /// What people call it.
    pub(super) table: String,
    /// What separates the fields of a new file.
    pub(super) delimiter: Option<u8>,
    pub(super) columns: Vec<ResultColumn>,
    pub(super) language: Language,
    pub(super) today: jiff::civil::Date,
}

/// Writes the waiting rows into the file. After an error they still wait and the file is as it was.
pub(super) fn commit(plan: &Plan, spool: &mut Spool, gone: Gone) -> Result<Committed, TableError> {
    let result = merge(plan, spool, gone, None).or_else(|stop| match stop {
        Stop::Unencodable(_) => {
            let mut committed = merge(plan, spool, gone, Some(Encoding::UTF_8))?;
            committed.warnings.push("the file is now UTF-8: its old encoding lacks a character".into());
            Ok(committed)
        }
        other => Err(other),
    });
    result.map_err(|stop| match stop {
        Stop::Table(error) => error,
        Stop::Spool(error) => error.of_table(plan.table.clone()),
        Stop::Io(error) => TableError::from_io(&plan.table, &error, "the file is as it was"),
        Stop::Unencodable(error) => TableError::from_io(&plan.table, &io::Error::other(error), ""),
    })
}

/// Why an attempt ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Unencodable(#[from] Unencodable),
}

fn merge(plan: &Plan, spool: &mut Spool, gone: Gone, encoding: Option<Encoding>) -> Result<Committed, Stop> {
    let batch = spool.batch()?;
    let old = Existing::open(&plan.target, &plan.table, plan.delimiter, &plan.columns)?;
    let committed = match old {
        Existing::Table(old) => {
            let survey = survey(plan, &batch, &old, gone)?;
            Merge::of_table(plan, &old, &survey, encoding)?.run(*old, &batch, &survey)?
        }
        Existing::Blank(_) | Existing::Absent if batch.is_empty()? => Committed::default(),
        Existing::Blank(metadata) => {
            Merge::of_new(plan, Replacement::new(&plan.target, Some(&metadata)))?.end(&batch)?
        }
        Existing::Absent => Merge::of_new(plan, Replacement::new(&plan.target, None))?.end(&batch)?,
    };
    batch.finish()?;
    Ok(committed)
}

/// What has to be known of a table before its first record is written.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Fields of the longest record, where columns are to be added behind it.
    pub(super) width: usize,
    /// Rows that are gone from the source are to be marked.
    pub(super) mark: bool,
    /// Rows that are gone, but not to be marked because nearly all are.
    pub(super) refused: u64,
}

fn survey(plan: &Plan, batch: &Batch<'_>, old: &ResultsFile, gone: Gone) -> Result<Survey, Stop> {
    let mut survey = Survey { mark: gone != Gone::Keep, ..Survey::default() };
    if gone != Gone::Mark && old.places.missing(&plan.columns).is_empty() {
        return Ok(survey);
    }
    let mut lost = 0;
    let again = Existing::open(&plan.target, &plan.table, plan.delimiter, &plan.columns)?;
    if let Existing::Table(mut table) = again {
        survey.width = table.header.len();
        let mut record = Record::default();
        while table.read(&mut record)? {
            survey.width = survey.width.max(record.len());
            if let Some(key) = table.key(&record)
                && !table.is_marked_gone(&record)
                && !batch.knows(&key)?
            {
                lost += 1;
            }
        }
    }
    if gone == Gone::Mark && is_suspicious_shrink(batch.keys()? + lost, lost) {
        (survey.mark, survey.refused) = (false, lost);
    }
    Ok(survey)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::domain::key::RowKey;
    use crate::domain::results::{IsValid, Layout, ResultRow};
    use crate::table::spool::tests::result_row;

    const PYTHON: &str = "Note;Project name;Row Number;Is Valid;Comment;Issues\n\
        keep;Gate;2;YES;old\n\
        \n\
        \"a;b\"  ; ROOF ;3;NO;\"two\nlines\";;extra\n\
        mine;;;;\n\
        mine too;Roof;;;about the roof";

    struct Bench {
        dir: tempfile::TempDir,
        plan: Plan,
        spool: Spool,
    }

    impl Bench {
        fn new(old: &[u8]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let plan = Plan {
                target: dir.path().join("review.csv"),
                table: "review.csv".into(),
                delimiter: None,
                columns: Layout { identifier: true, project_manager: false }.columns(),
                language: Language::En,
                today: jiff::civil::date(2026, 3, 13),
            };
            if !old.is_empty() {
                fs::write(&plan.target, old).unwrap();
            }
            Self { dir, plan, spool: Spool::new().unwrap() }
        }

        /// The next run on the same file.
        fn again(&mut self) -> &mut Self {
            self.spool = Spool::new().unwrap();
            self
        }

        fn put(&mut self, rows: &[ResultRow]) -> &mut Self {
            self.spool.put(rows).unwrap();
            self
        }

        fn try_commit(&mut self, gone: Gone) -> Result<Committed, TableError> {
            let result = commit(&self.plan, &mut self.spool, gone);
            let left = fs::read_dir(self.dir.path()).unwrap().count();
            assert!(left <= 1, "nothing is left beside the file");
            result
        }

        fn commit(&mut self) -> Committed {
            self.try_commit(Gone::Keep).unwrap()
        }

        fn bytes(&self) -> Vec<u8> {
            fs::read(&self.plan.target).unwrap()
        }

        fn text(&self) -> String {
            String::from_utf8(self.bytes()).unwrap()
        }

        /// The texts in a column, by its header.
        fn column(&self, column: ResultColumn) -> Vec<String> {
            let plan = &self.plan;
            let old = Existing::open(&plan.target, &plan.table, plan.delimiter, &plan.columns).unwrap();
            let Existing::Table(mut table) = old else { panic!("no table") };
            let place = table.places.of(column).unwrap();
            let (mut record, mut texts) = (Record::default(), Vec::new());
            while table.read(&mut record).unwrap() {
                texts.push(record.text(place, table.dialect.encoding).0);
            }
            texts
        }
    }

    fn counts(written: u64, unchanged: u64, marked_gone: u64, shrink_refused: u64) -> Committed {
        Committed { written, unchanged, marked_gone, shrink_refused, ..Committed::default() }
    }

    #[test]
    fn a_new_file_is_what_excel_opens() {
        let mut bench = Bench::new(b"");
        assert_eq!(bench.commit(), Committed::default());
        assert!(!bench.plan.target.exists(), "without rows there is nothing to write");
        let mut row = result_row("Gate \"7\"", 2);
        row.comment = "=1+1".into();
        assert_eq!(bench.put(&[row]).commit(), counts(1, 0, 0, 0));
        assert_eq!(
            bench.text(),
            "\u{feff}\"Row Number\",\"Project name\",\"Status Value\",\"Completion Date\",\"Comment\",\"Is Valid\",\
             \"Issues\",\"Rewrite Suggestion\",\"Raw LLM JSON\",\"Check date\",\"Model\",\"Rules\",\"Severity\",\
             \"Key\"\r\n\"2\",\"Gate \"\"7\"\"\",\"On Track\",\"2026-06-30\",\"'=1+1\",\"YES\",\"\",\"\",\"{}\",\
             \"13.03.2026 09:00\",\"small\",\"\",\"\",\"gate \"\"7\"\"\"\r\n"
        );
    }

    #[test]
    fn a_second_run_that_finds_the_same_does_not_touch_the_file() {
        let rows = [result_row("=1", 2), result_row("@17", 3), result_row("'=1", 4), result_row("#1", 5)];
        let rows = rows.map(|row| ResultRow { raw: String::new(), ..row }); // no answer whose date would tell
        let mut bench = Bench::new(b"");
        bench.put(&rows).commit();
        let before = (bench.bytes(), fs::metadata(&bench.plan.target).unwrap().modified().unwrap());
        let later = rows.map(|row| ResultRow { check_date: "14.03.2026 09:00".into(), ..row });
        assert_eq!(bench.again().put(&later).commit(), counts(0, 4, 0, 0));
        let after = (bench.bytes(), fs::metadata(&bench.plan.target).unwrap().modified().unwrap());
        assert_eq!(before, after);
    }

    #[test]
    fn a_table_of_another_tool_is_taken_over_and_peoples_cells_stay() {
        let mut bench = Bench::new(PYTHON.as_bytes());
        let mut roof = result_row("Roof", 3);
        roof.is_valid = IsValid::No;
        let committed = bench.put(&[result_row("Gate", 2), roof, result_row("Yard", 4)]).commit();
        assert_eq!(committed, counts(3, 0, 0, 0));
        let text = bench.text();
        let lines: Vec<&str> = text.split('\n').collect();
        let added = "\"Status Value\";\"Completion Date\";\"Rewrite Suggestion\";\"Raw LLM JSON\";\
                     \"Check date\";\"Model\";\"Rules\";\"Severity\";\"Key\"";
        assert_eq!(lines[0], format!("Note;Project name;Row Number;Is Valid;Comment;Issues;;{added}"));
        assert!(lines[1].starts_with("keep;Gate;2;YES;\"Done: 2 gates\";;;\"On Track\";"), "{}", lines[1]);
        assert!(lines[1].ends_with(";\"gate\""));
        assert_eq!(lines[2], "", "an empty line stays one");
        assert!(lines[3].starts_with("\"a;b\"  ;\"Roof\";3;NO;\"Done: 3 gates\";;extra;\"On Track\""));
        assert_eq!(lines[4], format!("mine;;;;;{}", ";".repeat(10)), "filled up to the new width");
        assert_eq!(lines[5], format!("mine too;Roof;;;about the roof;{}", ";".repeat(10)));
        assert!(lines[6].starts_with("\"\";\"Yard\";\"4\";\"YES\";"), "{}", lines[6]);
        assert_eq!((lines[7], lines.len()), ("", 8));
    }

    #[test]
    fn encoding_delimiter_and_line_ends_stay() {
        let old =
            "Row Number\tProject name\tIs Valid\tЗаметка\tIssues\tModel\r2\tКровля\tYES\tсвоё\t\tsmall\r";
        for (encoding, bom) in [
            (Encoding::WINDOWS_1251, false),
            (Encoding::UTF_16LE, true),
            (Encoding::UTF_16BE, true),
            (Encoding::UTF_16LE, false),
            (Encoding::UTF_8, false),
            (Encoding::UTF_8, true),
        ] {
            let mut bytes = if bom { encoding.bom().to_vec() } else { Vec::new() };
            encoding.encode(old, &mut bytes).unwrap();
            let mut bench = Bench::new(&bytes);
            let committed = bench.put(&[result_row("Кровля", 2), result_row("Двор", 3)]).commit();
            assert_eq!(committed, counts(2, 0, 0, 0), "{encoding:?}");
            let new = bench.bytes();
            assert_eq!(new.starts_with(encoding.bom()), bom || encoding.bom().is_empty());
            let (text, malformed) = encoding.decode(&new);
            assert!(!malformed && text.contains("\r2\tКровля\tYES\tсвоё\t\tsmall\t\"On Track\"\t"), "{text}");
            assert!(text.contains("\r\"3\"\t\"Двор\"\t\"YES\"\t\"\"\t") && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_character_that_the_encoding_lacks_makes_the_file_utf_8() {
        let mut bytes = Vec::new();
        let old = "sep=;\r\nRow Number;Project name;Is Valid;Заметка;Issues;Model\r\n2;Кровля;YES;своё;;small\r\nитог;;;всё\r\n";
        Encoding::WINDOWS_1251.encode(old, &mut bytes).unwrap();
        let mut bench = Bench::new(&bytes);
        let mut row = result_row("Двор", 3);
        row.comment = "✅".into();
        let committed = bench.put(&[row]).commit();
        assert_eq!(committed.written, 1);
        assert!(committed.warnings[0].contains("now UTF-8"), "{:?}", committed.warnings);
        let text = bench.text();
        assert!(text.starts_with("\u{feff}sep=;\r\nRow Number;Project name;Is Valid;Заметка;"), "{text}");
        assert!(text.contains("\r\n2;Кровля;YES;своё;") && text.contains("\"✅\""));
        let after = bench.again().put(&[result_row("Кровля", 2)]).commit();
        assert_eq!((after.written, after.warnings.len()), (1, 0));
    }

    #[test]
    fn a_table_may_be_sorted_and_rows_deleted_or_copied() {
        let rows = [result_row("a", 2), result_row("b", 3), result_row("c", 4)];
        let mut bench = Bench::new(b"");
        bench.put(&rows).commit();
        let text = bench.text();
        let lines: Vec<&str> = text.split_inclusive("\r\n").collect();
        let sorted = [lines[0], lines[3], lines[1], lines[1], "note\r\n"].concat();
        fs::write(&bench.plan.target, &sorted).unwrap();
        assert_eq!(bench.again().put(&rows).commit(), counts(1, 2, 0, 0));
        assert_eq!(bench.text(), format!("{sorted}{}", lines[2]));
    }

    #[test]
    fn several_commits_of_a_run_count_each_row_once() {
        let mut bench = Bench::new(b"");
        assert_eq!(bench.put(&[result_row("a", 2), result_row("b", 3)]).commit(), counts(2, 0, 0, 0));
        assert_eq!(bench.commit(), Committed::default());
        assert_eq!(bench.put(&[result_row("c", 4), result_row("a", 2)]).commit(), counts(1, 1, 0, 0));
        assert_eq!(bench.column(ResultColumn::RowNumber), ["2", "3", "4"]);
    }

    #[test]
    fn rows_gone_from_the_source_are_marked_once_and_come_back() {
        let rows: Vec<ResultRow> = (2..8).map(|row| result_row(&format!("p{row}"), row)).collect();
        let mut bench = Bench::new(b"");
        bench.put(&rows).commit();
        let marked = bench.again().put(&rows[2..]).try_commit(Gone::Mark).unwrap();
        assert_eq!(marked, counts(0, 4, 2, 0));
        let mark = "not in the source since 2026-03-13";
        assert_eq!(bench.column(ResultColumn::RowNumber), [mark, mark, "4", "5", "6", "7"]);
        bench.plan.today = jiff::civil::date(2026, 3, 20);
        let same = bench.again().put(&rows[2..]).try_commit(Gone::Mark).unwrap();
        assert_eq!(same, counts(0, 4, 0, 0), "the first mark stays");
        let back = bench.again().put(&rows[1..]).try_commit(Gone::Mark).unwrap();
        assert_eq!(back, counts(1, 4, 0, 0));
        assert_eq!(bench.column(ResultColumn::RowNumber), [mark, "3", "4", "5", "6", "7"]);
    }

    #[test]
    fn a_source_that_shrinks_to_nearly_nothing_marks_nothing_unless_told() {
        let rows: Vec<ResultRow> = (2..12).map(|row| result_row(&format!("p{row}"), row)).collect();
        let mut bench = Bench::new(b"");
        bench.put(&rows).commit();
        let refused = bench.again().put(&rows[..1]).try_commit(Gone::Mark).unwrap();
        assert_eq!(refused, counts(0, 1, 0, 9));
        let empty = bench.again().try_commit(Gone::Mark).unwrap();
        assert_eq!(empty, counts(0, 0, 0, 10));
        let told = bench.again().put(&rows[..1]).try_commit(Gone::MarkAll).unwrap();
        assert_eq!(told, counts(0, 1, 9, 0));
    }

    #[test]
    fn a_marked_row_without_a_key_gets_one() {
        let mut bench =
            Bench::new(b"Row Number,Source URL,Is Valid,Issues,Model\n2,x,YES,,small\n3,y,YES,,small\n");
        bench.plan.columns = Layout { identifier: false, project_manager: false }.columns();
        let row = |number| ResultRow { key: RowKey::of_row(number), project: None, ..result_row("", number) };
        bench.put(&[row(2)]).try_commit(Gone::Mark).unwrap();
        assert_eq!(bench.column(ResultColumn::Key), ["'@2", "'@3"]);
        let back = bench.again().put(&[row(2), row(3)]).commit();
        assert_eq!(back, counts(1, 1, 0, 0));
        assert_eq!(bench.column(ResultColumn::RowNumber), ["2", "3"]);
    }

    #[test]
    fn texts_too_long_for_a_cell_are_cut_and_said_so() {
        let mut bench = Bench::new(b"");
        let fits = ResultRow { comment: "x".repeat(50_000), ..result_row("fits", 2) };
        let long = ResultRow { comment: "😀".repeat(30_000), ..result_row("long", 3) };
        let committed = bench.put(&[fits.clone(), long.clone()]).commit();
        assert_eq!(committed.warnings, ["row 3: «Comment» was cut to 50000 characters"]);
        let comments = bench.column(ResultColumn::Comment);
        assert_eq!(comments[0], fits.comment);
        assert_eq!(comments[1], format!("{}… [cut]", "😀".repeat(24_996)));
        assert_eq!(bench.again().put(&[fits, long]).commit(), counts(0, 2, 0, 0));
    }

    #[test]
    fn an_error_leaves_the_file_and_the_waiting_rows() {
        let mut bench = Bench::new(b"");
        bench.put(&[result_row("a", 2)]);
        fs::create_dir(&bench.plan.target).unwrap();
        assert!(matches!(bench.try_commit(Gone::Keep), Err(TableError::Malformed { .. })));
        fs::remove_dir(&bench.plan.target).unwrap();
        let unclosed = "Row Number,Is Valid,Issues,Comment,Model\n2,YES\n3,\"NO\n4,YES\n";
        fs::write(&bench.plan.target, unclosed).unwrap();
        let error = bench.try_commit(Gone::Keep).unwrap_err().to_string();
        assert!(error.contains("row 3: a quote is never closed"), "{error}");
        assert_eq!(bench.text(), unclosed);
        fs::remove_file(&bench.plan.target).unwrap();
        assert_eq!(bench.commit(), counts(1, 0, 0, 0));
    }

    #[test]
    fn what_is_no_results_table_is_not_written_into() {
        for (old, expected) in [
            ("Project,Status,Comment\nGate,On Track,text\n", "no results table"),
            (
                "Asset,Check date,Comment,Key,Model\nBoiler,1,ok,INV-1,X\n",
                "exists already and is no results table",
            ),
            (
                "Is Valid,Issues,Row Number,Model,Key,key \nYES,,2,m,a,b\n",
                "several columns are named «Key» (results table; delete all but one",
            ),
            ("PK\u{3}\u{4}", "workbook (XLSX)"),
        ] {
            let mut bench = Bench::new(old.as_bytes());
            let error = bench.put(&[result_row("a", 2)]).try_commit(Gone::Keep).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert_eq!(bench.text(), old);
        }
        let mut blank = Bench::new("\u{feff}".as_bytes());
        assert_eq!(blank.put(&[result_row("a", 2)]).commit(), counts(1, 0, 0, 0));
    }

    #[test]
    fn the_delimiter_that_was_told_is_for_new_files_and_for_files_that_have_it() {
        let mut bench = Bench::new(b"");
        bench.plan.delimiter = Some(b'|');
        bench.put(&[result_row("a", 2)]).commit();
        assert!(bench.text().contains("\"Row Number\"|\"Project name\"|"));
        assert_eq!(bench.again().put(&[result_row("a", 2)]).commit(), counts(0, 1, 0, 0));
        let mut other = Bench::new(b"Row Number;Project name;Is Valid;Issues;Model\r\n2;a;YES;;small\r\n");
        other.plan.delimiter = Some(b'|');
        assert_eq!(other.put(&[result_row("a", 2)]).commit(), counts(1, 0, 0, 0));
        assert!(other.text().contains("\r\n2;a;YES;;small;\"On Track\";"));
    }
}
