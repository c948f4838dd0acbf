//! `autoFill`: goes on with what cells begin.

use super::cells::copied;
use super::request::{Fields, Reply, axis, cells, flag, integer, needed, object, tab, tab_mut};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::{Cell, Content};
use crate::sandbox::sheets::display;
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::shift::Axis;

/// `autoFill`
pub(super) fn auto_fill(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, source, axis, length) = match object(request, "sourceAndDestination") {
        Some(both) => {
            let (at, source) = cells(draft, both, "source")?;
            (at, source, axis(both, "dimension")?, i64::from(integer(both, "fillLength").unwrap_or(0)))
        }
        None => {
            needed(request, "range")?;
            let (at, range) = cells(draft, request, "range")?;
            let (source, axis, length) = split(draft, at, range)?;
            (at, source, axis, length)
        }
    };
    let grid = &tab(draft, at)?.grid;
    let (first, last, size) = match axis {
        Axis::Rows => (source.top, source.bottom, grid.rows()),
        Axis::Columns => (source.left, source.right, grid.columns()),
    };
    let end = if length < 0 { i64::from(first) + length } else { i64::from(last) + length };
    if !(0..=i64::from(size)).contains(&end) {
        return Err(Refusal::invalid("The area to be filled exceeds grid limits."));
    }
    if source.is_empty() {
        return Ok(None);
    }
    let across = if axis == Axis::Rows { source.columns() } else { source.rows() };
    let place = |line: u32, along: u32| if axis == Axis::Rows { (along, line) } else { (line, along) };
    let mut filled = Vec::new();
    for line in across {
        let begun: Vec<Cell> = (first..last)
            .map(|along| {
                let (row, column) = place(line, along);
                grid.cell(row, column).clone()
            })
            .collect();
        let series = Series::of(&begun, flag(request, "useAlternateSeries"));
        for step in 0..length.unsigned_abs() as usize {
            let (from, to, by) = if length < 0 {
                (begun.len() - 1 - step % begun.len(), i64::from(first) - 1 - step as i64, -(step as i64) - 1)
            } else {
                (step % begun.len(), i64::from(last) + step as i64, step as i64 + 1)
            };
            let Some(mut cell) = begun.get(from).cloned() else { continue };
            let moved = to - i64::from(first) - from as i64;
            match (cell.content().clone(), series.value(by, length < 0)) {
                (_, Some(value)) => cell.enter(value),
                (Content::Formula(formula), None) => {
                    let by = if axis == Axis::Rows { (moved, 0) } else { (0, moved) };
                    cell.rewrite(Content::Formula(copied(&formula, by)));
                }
                _ => {}
            }
            let (row, column) = place(line, u32::try_from(to).unwrap_or(u32::MAX));
            filled.push((row, column, cell));
        }
    }
    let grid = &mut tab_mut(draft, at)?.grid;
    for (row, column, cell) in filled {
        grid.put(row, column, cell);
    }
    Ok(None)
}

/// The part of a range that has data, and how the rest of it is filled: downwards if whole rows are free below the
/// data, else to the right.
fn split(draft: &Draft, at: usize, range: Rect) -> Result<(Rect, Axis, i64), Refusal> {
    let grid = &tab(draft, at)?.grid;
    let entered = grid.cells_in(range).filter(|(_, _, cell)| !cell.is_blank());
    let ends = entered.map(|(row, column, _)| (row + 1, column + 1));
    let (bottom, right) = ends
        .fold((range.top, range.left), |(bottom, right), (row, column)| (bottom.max(row), right.max(column)));
    if bottom == range.top {
        return Ok((range, Axis::Rows, 0));
    }
    if bottom < range.bottom {
        let source = Rect::new(range.top..bottom, range.columns());
        return Ok((source, Axis::Rows, i64::from(range.bottom - bottom)));
    }
    Ok((Rect::new(range.rows(), range.left..right), Axis::Columns, i64::from(range.right - right)))
}

/// What cells begin.
enum Series {
    /// They are repeated.
    Repeated,
    /// Numbers at the same distance: the first, the last, the distance.
    Numbers(f64, f64, f64),
    /// A text that ends with a number.
    Numbered(String, u64),
}

impl Series {
    /// A single number is repeated and a single day goes on; several numbers go on as they began. The alternate way
    /// is the other one.
    fn of(cells: &[Cell], alternate: bool) -> Self {
        let number =
            |cell: &Cell| if let Content::Number(value) = cell.content() { Some(*value) } else { None };
        let numbers: Option<Vec<f64>> = cells.iter().map(number).collect();
        match (numbers.as_deref(), cells) {
            (Some([only]), [cell]) if display::is_date(cell.number_format()) != alternate => {
                Self::Numbers(*only, *only, 1.0)
            }
            (Some([first, .., last]), _) if !alternate => {
                Self::Numbers(*first, *last, (last - first) / (cells.len() as f64 - 1.0))
            }
            (None, [cell]) if !alternate => match cell.content() {
                Content::Text(text) => {
                    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
                    let number = text.get(stem.len()..).and_then(|digits| digits.parse().ok());
                    number.map_or(Self::Repeated, |number| Self::Numbered(stem.to_owned(), number))
                }
                _ => Self::Repeated,
            },
            _ => Self::Repeated,
        }
    }

    /// What stands so many steps behind the last cell, or before the first; none if a cell is repeated.
    fn value(&self, by: i64, backwards: bool) -> Option<Content> {
        match self {
            Self::Repeated => None,
            Self::Numbers(first, last, distance) => {
                let from = if backwards { first } else { last };
                Some(Content::Number(from + distance * by as f64))
            }
            Self::Numbered(stem, number) => {
                Some(Content::text(&format!("{stem}{}", number.saturating_add_signed(by))))
            }
        }
    }
}
