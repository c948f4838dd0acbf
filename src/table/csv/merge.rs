//! Writing the new file: the old one's records beside the waiting rows, then the new rows.

use super::commit::{Plan, Stop, Survey};
use super::dialect::Dialect;
use super::encoding::Encoding;
use super::line::Line;
use super::neutralise::{neutralise, neutralise_exact};
use super::record::Record;
use super::results::ResultsFile;
use crate::domain::clip::clip;
use crate::domain::results::{ResultColumn, ResultRow};
use crate::domain::upsert::{RowChange, change, gone_mark};
use crate::table::Committed;
use crate::table::places::Places;
use crate::table::replacement::Replacement;
use crate::table::spool::Batch;

/// The new file while it is written.
pub(super) struct Merge<'a> {
    plan: &'a Plan,
    out: Replacement,
    line: Line,
    line_end: Vec<u8>,
    /// The record written last has no line end.
    is_line_open: bool,
    places: Places,
    /// Fields of a whole record; shorter ones of people are filled up only if columns were added.
    width: usize,
    fill_up: bool,
    committed: Committed,
    cut_cells: usize,
}

impl<'a> Merge<'a> {
    /// Begins a file of which nothing is taken over.
    pub(super) fn of_new(plan: &'a Plan, out: Replacement) -> Result<Self, Stop> {
        let dialect = Dialect::new(plan.delimiter);
        let places = Places::of_new_table(&plan.columns);
        let mut merge = Self::new(plan, out, Line::new(&dialect, dialect.encoding), places);
        merge.out.write(&dialect.preamble)?;
        for column in &plan.columns {
            merge.line.field(column.name())?;
        }
        merge.line.text("\r\n")?;
        merge.line_end = b"\r\n".to_vec();
        merge.out.write(merge.line.bytes())?;
        merge.width = plan.columns.len();
        Ok(merge)
    }

    /// Begins the file that follows on `old`, with its header.
    pub(super) fn of_table(
        plan: &'a Plan,
        old: &ResultsFile,
        survey: &Survey,
        encoding: Option<Encoding>,
    ) -> Result<Self, Stop> {
        let encoding = encoding.unwrap_or(old.dialect.encoding);
        let out = Replacement::new(&plan.target, Some(&old.metadata));
        let mut merge = Self::new(plan, out, Line::new(&old.dialect, encoding), old.places.clone());
        merge.committed.shrink_refused = survey.refused;
        if old.header.line_end().is_empty() {
            merge.line.text("\r\n")?;
        } else {
            merge.line.copy(old.header.line_end())?;
        }
        merge.line_end = merge.line.bytes().to_vec();
        if merge.line.keeps_bytes() {
            merge.out.keep(&old.dialect.preamble)?;
        } else {
            merge.out.write(encoding.bom())?;
            merge.line.clear();
            merge.line.copy(&old.dialect.preamble)?;
            merge.out.write(merge.line.bytes())?;
        }
        let missing = merge.places.missing(&plan.columns);
        merge.width = old.header.len();
        if !missing.is_empty() {
            merge.places.add(&missing, survey.width);
            merge.width = survey.width + missing.len();
            merge.fill_up = true;
        }
        let names: Vec<(usize, String)> =
            missing.iter().zip(survey.width..).map(|(column, at)| (at, column.name().to_owned())).collect();
        merge.record(&old.header, &names)?;
        Ok(merge)
    }

    fn new(plan: &'a Plan, out: Replacement, line: Line, places: Places) -> Self {
        Self {
            plan,
            out,
            line,
            line_end: Vec::new(),
            is_line_open: false,
            places,
            width: 0,
            fill_up: false,
            committed: Committed::default(),
            cut_cells: 0,
        }
    }

    /// Takes the records of `old` over, changed where a row waits for them, then adds the new rows.
    pub(super) fn run(
        mut self,
        mut old: ResultsFile,
        batch: &Batch<'_>,
        survey: &Survey,
    ) -> Result<Committed, Stop> {
        let mut record = Record::default();
        while old.read(&mut record)? {
            let changes = match old.key(&record) {
                None => Vec::new(),
                Some(key) => match batch.place(&key)? {
                    Some(row) => self.update(&old, &record, &row),
                    None if survey.mark && !old.is_marked_gone(&record) && !batch.knows(&key)? => {
                        self.committed.marked_gone += 1;
                        let mark = gone_mark(self.plan.language, self.plan.today);
                        // the row's number, by which it might have been known, is lost to the mark
                        let cells =
                            [(ResultColumn::RowNumber, mark), (ResultColumn::Key, key_cell(key.as_str()))];
                        self.placed(cells)
                    }
                    None => Vec::new(),
                },
            };
            self.record(&record, &changes)?;
        }
        self.end(batch)
    }

    /// Adds the rows that the table does not have, and puts the file in place.
    pub(super) fn end(mut self, batch: &Batch<'_>) -> Result<Committed, Stop> {
        batch.for_each_new(|row| self.append(&row))?;
        self.out.finish()?;
        let hidden = self.cut_cells.saturating_sub(MAX_WARNINGS);
        if hidden > 0 {
            self.committed.warnings.push(format!("{hidden} more cells were cut"));
        }
        Ok(self.committed)
    }

    /// The changes that make a record say what `row` says.
    fn update(&mut self, old: &ResultsFile, record: &Record, row: &ResultRow) -> Vec<(usize, String)> {
        let encoding = old.dialect.encoding;
        let existing = |column| {
            let cell = record.text(self.places.of(column)?, encoding).0;
            // a key is compared as a key: its cell is written in another way than texts are
            let is_known_key = column == ResultColumn::Key && !cell.trim().is_empty();
            Some(if is_known_key { cell_text(row.key.as_str()).0 } else { cell })
        };
        let render = |text: String| cell_text(&text).0;
        match change(existing, row, &self.plan.columns, self.plan.language, render) {
            RowChange::Unchanged => {
                self.committed.unchanged += 1;
                Vec::new()
            }
            RowChange::Set(mut cells) => {
                self.committed.written += 1;
                for (column, text) in &mut cells {
                    match column {
                        ResultColumn::Key => *text = key_cell(row.key.as_str()),
                        column => self.warn_if_cut(row, *column),
                    }
                }
                self.placed(cells)
            }
        }
    }

    fn append(&mut self, row: &ResultRow) -> Result<(), Stop> {
        self.committed.written += 1;
        self.line.clear();
        for index in 0..self.width {
            match self.places.at(index) {
                Some(ResultColumn::Key) => self.line.field(&key_cell(row.key.as_str()))?,
                Some(column) => {
                    self.warn_if_cut(row, column);
                    self.line.field(&cell_text(&row.text(column)).0)?;
                }
                None => self.line.field("")?,
            }
        }
        if std::mem::take(&mut self.is_line_open) {
            self.out.write(&self.line_end)?;
        }
        self.out.write(self.line.bytes())?;
        Ok(self.out.write(&self.line_end)?)
    }

    fn record(&mut self, record: &Record, changes: &[(usize, String)]) -> Result<(), Stop> {
        self.is_line_open = record.line_end().is_empty();
        let fill_up = self.fill_up && !record.is_empty_line() && record.len() < self.width;
        if changes.is_empty() && !fill_up && self.line.keeps_bytes() {
            return Ok(self.out.keep(record.raw())?);
        }
        self.line.take_over(record, changes, if fill_up { self.width } else { 0 })?;
        self.line.copy(record.line_end())?;
        Ok(self.out.write(self.line.bytes())?)
    }

    fn placed(&self, cells: impl IntoIterator<Item = (ResultColumn, String)>) -> Vec<(usize, String)> {
        cells.into_iter().filter_map(|(column, text)| Some((self.places.of(column)?, text))).collect()
    }

    fn warn_if_cut(&mut self, row: &ResultRow, column: ResultColumn) {
        if !cell_text(&row.text(column)).1 {
            return;
        }
        self.cut_cells += 1;
        if self.cut_cells <= MAX_WARNINGS {
            let name = column.name();
            let warning = format!("row {}: «{name}» was cut to {CELL_UNITS} characters", row.row);
            self.committed.warnings.push(warning);
        }
    }
}

/// Google's limit of a cell; Excel shows fewer, but loses nothing of a file that it only opens.
const CELL_UNITS: usize = 50_000;

/// So many warnings about rows are given, the others counted.
const MAX_WARNINGS: usize = 100;

/// How a text stands in a cell, and whether it had to be cut.
fn cell_text(text: &str) -> (String, bool) {
    let neutral = neutralise(text);
    let (cell, was_cut) = clip(&neutral, CELL_UNITS);
    (cell.into_owned(), was_cut)
}

/// How a key stands in its cell: whole, and such that it can be read back.
fn key_cell(key: &str) -> String {
    neutralise_exact(key).into_owned()
}
