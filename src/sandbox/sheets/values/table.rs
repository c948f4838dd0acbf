//! Finds the table that rows are appended to.

use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::grid::Grid;

/// The last table that a rectangle meets: a block of cells that nothing but blank cells surround.
pub(super) fn last_table(grid: &Grid, within: Rect) -> Option<Rect> {
    let bottom = within.bottom.min(grid.kept_rows());
    let mut known: Vec<Rect> = Vec::new();
    for row in (within.top..bottom).rev() {
        let line = grid.line(row);
        for column in (0..u32::try_from(line.len()).unwrap_or(u32::MAX)).rev() {
            if grid.cell(row, column).is_blank() || known.iter().any(|table| table.contains(row, column)) {
                continue;
            }
            let table = grown(grid, Rect::cell(row, column));
            if table.meet(within).is_some() {
                return Some(table);
            }
            known.push(table);
        }
    }
    None
}

/// Grows a rectangle until only blank cells touch it.
fn grown(grid: &Grid, seed: Rect) -> Rect {
    let entered = |rect: Rect| grid.cells_in(rect).any(|(.., cell)| !cell.is_blank());
    let mut table = seed;
    loop {
        let around = Rect {
            top: table.top.saturating_sub(1),
            left: table.left.saturating_sub(1),
            bottom: (table.bottom + 1).min(grid.rows()),
            right: (table.right + 1).min(grid.columns()),
        };
        let before = table;
        if around.top < table.top && entered(Rect { bottom: table.top, ..around }) {
            table.top = around.top;
        }
        if around.bottom > table.bottom && entered(Rect { top: table.bottom, ..around }) {
            table.bottom = around.bottom;
        }
        if around.left < table.left && entered(Rect { right: table.left, ..around }) {
            table.left = around.left;
        }
        if around.right > table.right && entered(Rect { left: table.right, ..around }) {
            table.right = around.right;
        }
        if table == before {
            return table;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::sheets::a1;
    use crate::sandbox::sheets::cell::{Cell, Content};

    fn grid(drawn: &[&str]) -> Grid {
        let mut grid = Grid::new(20, 10);
        for (line, row) in drawn.iter().zip(0..) {
            for (mark, column) in line.chars().zip(0..) {
                if mark == 'x' {
                    grid.put(row, column, Cell::new(Content::Bool(true)));
                }
            }
        }
        grid
    }

    fn found(grid: &Grid, range: &str) -> Option<String> {
        let within = a1::parse(range).cells.unwrap().clip(20, 10);
        last_table(grid, within).map(Rect::a1)
    }

    #[test]
    fn the_last_table_that_is_met_counts() {
        let two = grid(&["xxx", "xxx", "", ".xxx", ".xxx", ".xxx"]);
        for (range, expected) in [
            ("A1:J20", Some("B4:D6")),
            ("B4", Some("B4:D6")),
            ("C5:D5", Some("B4:D6")),
            ("B2:D4", Some("B4:D6")),
            ("A3:G10", Some("B4:D6")),
            ("A1", Some("A1:C2")),
            ("E4", None),
            ("A4", None),
            ("A3", None),
        ] {
            assert_eq!(found(&two, range).as_deref(), expected, "{range}");
        }
        let row = grid(&["x.x"]);
        assert_eq!(
            (found(&row, "A1:J20").as_deref(), found(&row, "A1").as_deref()),
            (Some("C1"), Some("A1"))
        );
    }

    #[test]
    fn blank_cells_inside_of_a_table_belong_to_it() {
        let holes = grid(&["xxx", "x.x", "xxx", "", "x"]);
        assert_eq!(found(&holes, "B2").as_deref(), Some("A1:C3"));
        assert_eq!(found(&holes, "A1:J20").as_deref(), Some("A5"));
        let corner = grid(&["x", ".x", "..x"]);
        assert_eq!(found(&corner, "A1").as_deref(), Some("A1:C3"), "cells that touch at a corner touch");
        assert_eq!(found(&corner, "C1").as_deref(), Some("A1:C3"));
    }
}
