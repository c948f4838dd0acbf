//! What a commit changes: which rows of the sheet say something else, which are new, which are gone.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::header::Header;
use super::sheet::{CellAt, Formula, Sheet};
use super::write::{Content, NewCells};
use super::{Damage, Stop, Task};
use crate::domain::clip::clip;
use crate::domain::entry::RowLink;
use crate::domain::key::RowKey;
use crate::domain::results::{ResultColumn, ResultRow};
use crate::domain::upsert::{ExistingKeys, RowChange, change, gone_mark, is_gone_mark, is_suspicious_shrink};
use crate::table::spool::Batch;
use crate::table::xlsx::a1::Place;
use crate::table::xlsx::{MAX_CELL_UNITS, MAX_ROWS};
use crate::table::{Committed, Gone};

/// The changes of a commit.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) cells: NewCells,
    pub(super) links: BTreeMap<Place, RowLink>,
    /// The last row with something in it, before and after.
    pub(super) last_row: (u32, u32),
    pub(super) committed: Committed,
    cut_cells: usize,
}

/// So many warnings about rows are given, the others counted.
const MAX_WARNINGS: usize = 100;

/// Compares the sheet with the rows that wait.
pub(super) fn plan(task: &Task<'_>, sheet: &Sheet, header: &Header, batch: &Batch<'_>) -> Result<Plan, Stop> {
    let old_last = sheet.last_filled_row().max(header.row);
    let mut plan = Plan { last_row: (old_last, old_last), ..Plan::default() };
    let mut planner = Planner { task, sheet, header, plan: &mut plan, model_row: 0 };
    planner.existing_rows(batch)?;
    planner.new_rows(batch)?;
    planner.header();
    let hidden = plan.cut_cells.saturating_sub(MAX_WARNINGS);
    if hidden > 0 {
        plan.committed.warnings.push(format!("{hidden} more cells were cut"));
    }
    Ok(plan)
}

/// A key as its cell holds it.
pub(super) fn stored_key(key: RowKey) -> RowKey {
    key.within(MAX_CELL_UNITS)
}

struct Planner<'a> {
    task: &'a Task<'a>,
    sheet: &'a Sheet,
    header: &'a Header,
    plan: &'a mut Plan,
    /// The last row of results, 0 if there is none: new cells are formatted like its cells.
    model_row: u32,
}

/// The texts of one row in our columns, read when they are asked for.
struct Texts<'a> {
    sheet: &'a Sheet,
    header: &'a Header,
    row: u32,
    failed: RefCell<Option<Damage>>,
}

impl Planner<'_> {
    fn existing_rows(&mut self, batch: &Batch<'_>) -> Result<(), Stop> {
        let mut keys = ExistingKeys::default();
        let mut lost = Vec::new();
        for row in self.sheet.rows.iter().filter(|row| row.number > self.header.row) {
            let texts = Texts::new(self.sheet, self.header, row.number);
            let key = keys.next(|column| texts.get(column)).map(stored_key);
            let is_marked = texts.get(ResultColumn::RowNumber).is_some_and(|number| is_gone_mark(&number));
            let Some(key) = key else {
                texts.finish()?;
                continue;
            };
            self.model_row = row.number;
            match batch.place(&key)? {
                Some(new) => self.update(row.number, &texts, &new),
                None if !is_marked && !batch.knows(&key)? => lost.push((row.number, key)),
                None => {}
            }
            texts.finish()?;
        }
        match self.task.gone {
            Gone::Keep => {}
            Gone::Mark if is_suspicious_shrink(batch.keys()? + lost.len() as u64, lost.len() as u64) => {
                self.plan.committed.shrink_refused = lost.len() as u64;
            }
            Gone::Mark | Gone::MarkAll => {
                for (row, key) in lost {
                    self.plan.committed.marked_gone += 1;
                    self.put(row, ResultColumn::RowNumber, gone_mark(self.task.language, self.task.today));
                    // the number, by which the row might have been known, is lost to the mark
                    self.put(row, ResultColumn::Key, key.as_str().to_owned());
                }
            }
        }
        Ok(())
    }

    fn update(&mut self, row: u32, texts: &Texts<'_>, new: &ResultRow) {
        self.warn_of_cuts(new);
        let render = |text: String| clip(&text, MAX_CELL_UNITS).0.into_owned();
        let existing = |column| texts.get(column);
        let mut set = match change(existing, new, self.task.columns, self.task.language, render) {
            RowChange::Unchanged => Vec::new(),
            RowChange::Set(set) => set,
        };
        // our columns hold texts: a formula in them gives way to its last result
        for column in self.task.columns {
            let has_formula = texts.cell(*column).is_some_and(|cell| cell.formula != Formula::None);
            if has_formula && !set.iter().any(|(changed, _)| changed == column) {
                set.extend(texts.get(*column).map(|text| (*column, text)));
            }
        }
        if set.is_empty() {
            self.plan.committed.unchanged += 1;
            return;
        }
        self.plan.committed.written += 1;
        for (column, text) in set {
            self.put(row, column, text);
        }
        self.link(row, new);
    }

    fn new_rows(&mut self, batch: &Batch<'_>) -> Result<(), Stop> {
        batch.for_each_new(|new| {
            let row = self.plan.last_row.1 + 1;
            if row > MAX_ROWS {
                return Err(Stop::Damage(self.sheet.part.damage("is full; move old rows to another sheet")));
            }
            self.plan.last_row.1 = row;
            self.plan.committed.written += 1;
            self.warn_of_cuts(&new);
            self.format_like_model(row);
            for column in self.task.columns {
                let text = clip(&new.text(*column), MAX_CELL_UNITS).0.into_owned();
                self.put(row, *column, text);
            }
            self.link(row, &new);
            Ok(())
        })
    }

    /// New rows continue the formats of people's columns too.
    fn format_like_model(&mut self, row: u32) {
        let Some(model) = self.sheet.row(self.model_row) else { return };
        for cell in self.sheet.cells_of(model).iter().filter(|cell| cell.style != 0) {
            let place = Place { row, column: cell.place.column };
            if self.sheet.cell(place).is_none() {
                self.plan.cells.put(place, Content::Blank, cell.style);
            }
        }
    }

    fn header(&mut self) {
        if self.plan.cells.is_empty() {
            return;
        }
        let style = self.header.model.and_then(|column| self.cell_style(self.header.row, column));
        for column in &self.header.added {
            if let Some(at) = self.header.column(*column) {
                let place = Place { row: self.header.row, column: at };
                self.plan.cells.put(place, Content::text(column.name().into()), style.unwrap_or(0));
            }
        }
    }

    fn put(&mut self, row: u32, column: ResultColumn, text: String) {
        let Some(at) = self.header.column(column) else { return };
        let place = Place { row, column: at };
        let content = match text.parse() {
            Ok(number) if column == ResultColumn::RowNumber => Content::Number(number),
            _ => Content::text(text),
        };
        let like = if self.header.added.contains(&column) { self.header.model } else { None };
        let style = self
            .cell_style(self.model_row, at)
            .or_else(|| self.cell_style(self.model_row, like?))
            .unwrap_or_else(|| self.sheet.column_style(at));
        self.plan.cells.put(place, content, style);
    }

    fn link(&mut self, row: u32, new: &ResultRow) {
        let columns = [ResultColumn::ProjectName, ResultColumn::SourceUrl];
        let column = columns.into_iter().find(|column| self.task.columns.contains(column));
        if let (Some(link), Some(at)) = (&new.link, column.and_then(|column| self.header.column(column))) {
            self.plan.links.insert(Place { row, column: at }, link.clone());
        }
    }

    fn cell_style(&self, row: u32, column: u32) -> Option<u32> {
        self.sheet.cell(Place { row, column }).map(|cell| cell.style)
    }

    fn warn_of_cuts(&mut self, row: &ResultRow) {
        for column in self.task.columns {
            if clip(&row.text(*column), MAX_CELL_UNITS).1 {
                self.plan.cut_cells += 1;
                if self.plan.cut_cells <= MAX_WARNINGS {
                    let name = column.name();
                    let warning = format!("row {}: «{name}» was cut to {MAX_CELL_UNITS} characters", row.row);
                    self.plan.committed.warnings.push(warning);
                }
            }
        }
    }
}

impl<'a> Texts<'a> {
    fn new(sheet: &'a Sheet, header: &'a Header, row: u32) -> Self {
        Self { sheet, header, row, failed: RefCell::new(None) }
    }

    fn cell(&self, column: ResultColumn) -> Option<&'a CellAt> {
        self.sheet.cell(Place { row: self.row, column: self.header.column(column)? })
    }

    /// The text in a column; none if the sheet has no such column.
    fn get(&self, column: ResultColumn) -> Option<String> {
        self.header.column(column)?;
        let text = self.cell(column).map_or(Ok(String::new()), |cell| self.sheet.text(cell));
        Some(text.unwrap_or_else(|damage| {
            self.failed.replace(Some(damage));
            String::new()
        }))
    }

    /// The first thing that could not be read.
    fn finish(self) -> Result<(), Damage> {
        self.failed.into_inner().map_or(Ok(()), Err)
    }
}
