//! The cells of a sheet, row by row. Rows are shared until they are changed, so a copy of a grid is cheap.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::a1::Rect;
use super::cell::Cell;
use super::shift::{Axis, Change, Shift};

/// The cells of a sheet and its size. Rows and cells past the last one that holds something are not kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid {
    rows: u32,
    columns: u32,
    lines: Vec<Arc<Vec<Cell>>>,
}

static VOID: LazyLock<Cell> = LazyLock::new(Cell::default);

impl Grid {
    /// An empty grid.
    pub(crate) fn new(rows: u32, columns: u32) -> Self {
        Self { rows, columns, lines: Vec::new() }
    }

    /// How many rows it has.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// How many columns it has.
    pub(crate) fn columns(&self) -> u32 {
        self.columns
    }

    /// How many it has along an axis.
    pub(crate) fn size(&self, axis: Axis) -> u32 {
        match axis {
            Axis::Rows => self.rows,
            Axis::Columns => self.columns,
        }
    }

    /// All of it.
    pub(crate) fn rect(&self) -> Rect {
        Rect::new(0..self.rows, 0..self.columns)
    }

    /// A cell; a void one where nothing is kept.
    pub(crate) fn cell(&self, row: u32, column: u32) -> &Cell {
        self.line(row).get(column as usize).unwrap_or(&VOID)
    }

    /// The cells of a row that are kept.
    pub(crate) fn line(&self, row: u32) -> &[Cell] {
        self.lines.get(row as usize).map_or(&[], |line| line.as_slice())
    }

    /// One past the last row that is kept.
    pub(crate) fn kept_rows(&self) -> u32 {
        u32::try_from(self.lines.len()).unwrap_or(u32::MAX)
    }

    /// The kept cells of a rectangle that are not void, row by row.
    pub(crate) fn cells_in(&self, rect: Rect) -> impl Iterator<Item = (u32, u32, &Cell)> {
        let rows = rect.top..rect.bottom.min(self.kept_rows());
        rows.flat_map(move |row| {
            let cells = self.line(row).iter().zip(0..).skip(rect.left as usize);
            cells
                .take_while(move |(_, column)| *column < rect.right)
                .filter(|(cell, _)| !cell.is_void())
                .map(move |(cell, column)| (row, column, cell))
        })
    }

    /// The last row with something entered.
    pub(crate) fn last_row(&self) -> Option<u32> {
        let last = self.lines.iter().rposition(|line| line.iter().any(|cell| !cell.is_blank()))?;
        u32::try_from(last).ok()
    }

    /// One past the last column with something entered.
    pub(crate) fn entered_columns(&self) -> u32 {
        let last =
            |line: &Arc<Vec<Cell>>| line.iter().rposition(|cell| !cell.is_blank()).map_or(0, |at| at + 1);
        u32::try_from(self.lines.iter().map(last).max().unwrap_or(0)).unwrap_or(u32::MAX)
    }

    /// Changes a cell. Outside of the grid there is none to change.
    pub(crate) fn edit<T>(&mut self, row: u32, column: u32, act: impl FnOnce(&mut Cell) -> T) -> Option<T> {
        if row >= self.rows || column >= self.columns {
            return None;
        }
        let (at, place) = (row as usize, column as usize);
        if at >= self.lines.len() {
            self.lines.resize_with(at + 1, Arc::default);
        }
        let line = Arc::make_mut(self.lines.get_mut(at)?);
        if place >= line.len() {
            line.resize_with(place + 1, Cell::default);
        }
        let done = act(line.get_mut(place)?);
        while line.last().is_some_and(Cell::is_void) {
            line.pop();
        }
        self.trim();
        Some(done)
    }

    /// Puts a cell in a place.
    pub(crate) fn put(&mut self, row: u32, column: u32, cell: Cell) {
        if cell.is_void() && self.cell(row, column).is_void() {
            return;
        }
        self.edit(row, column, |place| *place = cell);
    }

    /// Takes a cell out of its place.
    pub(crate) fn take(&mut self, row: u32, column: u32) -> Cell {
        if self.cell(row, column).is_void() {
            return Cell::default();
        }
        self.edit(row, column, std::mem::take).unwrap_or_default()
    }

    /// Changes the cells of a rectangle that are not void.
    pub(crate) fn edit_kept(&mut self, rect: Rect, mut act: impl FnMut(u32, u32, &mut Cell)) {
        let kept: Vec<(u32, u32)> = self.cells_in(rect).map(|(row, column, _)| (row, column)).collect();
        for (row, column) in kept {
            self.edit(row, column, |cell| act(row, column, cell));
        }
    }

    /// Makes the grid that large; what lies outside is lost.
    pub(crate) fn resize(&mut self, rows: u32, columns: u32) {
        self.lines.truncate(rows as usize);
        if columns < self.columns {
            for line in &mut self.lines {
                if line.len() > columns as usize {
                    cut(Arc::make_mut(line), columns as usize);
                }
            }
        }
        (self.rows, self.columns) = (rows, columns);
        self.trim();
    }

    /// Inserts, removes or moves whole rows or columns; the size goes along.
    pub(crate) fn change(&mut self, axis: Axis, change: &Change) {
        match axis {
            Axis::Rows => {
                shift_items(&mut self.lines, change, Arc::default);
                self.rows = resized(self.rows, change);
            }
            Axis::Columns => {
                for line in &mut self.lines {
                    if !line.is_empty() {
                        let line = Arc::make_mut(line);
                        shift_items(line, change, Cell::default);
                        let length = line.len();
                        cut(line, length);
                    }
                }
                self.columns = resized(self.columns, change);
            }
        }
        self.trim();
    }

    /// Moves the cells of a band; the size stays, and what leaves the grid is lost.
    pub(crate) fn shift_band(&mut self, shift: &Shift) {
        let Some(band) = shift.band.clone() else { return };
        let area = shift.axis.rect(0..self.size(shift.axis), band);
        let kept: Vec<(u32, u32)> = self.cells_in(area).map(|(row, column, _)| (row, column)).collect();
        let taken: Vec<(u32, u32, Cell)> =
            kept.into_iter().map(|(row, column)| (row, column, self.take(row, column))).collect();
        for (row, column, cell) in taken {
            if let Some((row, column)) = shift.cell(row, column) {
                self.put(row, column, cell);
            }
        }
    }

    /// True if a row is the very one of another grid, not a copy of it.
    #[cfg(test)]
    pub(crate) fn shares_row(&self, row: u32, other: &Self, other_row: u32) -> bool {
        match (self.lines.get(row as usize), other.lines.get(other_row as usize)) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            _ => false,
        }
    }

    fn trim(&mut self) {
        while self.lines.last().is_some_and(|line| line.is_empty()) {
            self.lines.pop();
        }
    }
}

/// Cuts a row to a length, and what is void at its end.
fn cut(line: &mut Vec<Cell>, length: usize) {
    line.truncate(length);
    while line.last().is_some_and(Cell::is_void) {
        line.pop();
    }
}

/// Applies a change to a list of which only the beginning is kept.
pub(crate) fn shift_items<T>(items: &mut Vec<T>, change: &Change, make: impl Fn() -> T) {
    let length = items.len();
    let within = |range: &Range<u32>| (range.start as usize).min(length)..(range.end as usize).min(length);
    match change {
        Change::Insert { at, count } => {
            let at = *at as usize;
            if at < length {
                items.splice(at..at, std::iter::repeat_with(make).take(*count as usize));
            }
        }
        Change::Remove(gone) => {
            items.drain(within(gone));
        }
        Change::Move { from, to } => {
            let needed = from.end.max(*to) as usize;
            if (from.start as usize) < length || (*to as usize) < length {
                while items.len() < needed {
                    items.push(make());
                }
                let taken: Vec<T> = items.drain(from.start as usize..from.end as usize).collect();
                let at = if *to >= from.end { *to as usize - taken.len() } else { *to as usize };
                items.splice(at..at, taken);
            }
        }
    }
}

fn resized(size: u32, change: &Change) -> u32 {
    match change {
        Change::Insert { count, .. } => size + count,
        Change::Remove(gone) => size.saturating_sub(gone.end - gone.start),
        Change::Move { .. } => size,
    }
}

#[cfg(test)]
mod tests;
