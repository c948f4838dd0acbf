//! A grid against a plain table of all its cells.

use proptest::prelude::*;

use super::*;
use crate::sandbox::sheets::cell::Content;

/// Every cell of a small sheet, in full.
#[derive(Clone, Debug, PartialEq)]
struct Plain(Vec<Vec<Option<u32>>>);

impl Plain {
    fn change(&mut self, axis: Axis, change: &Change) {
        match axis {
            Axis::Rows => {
                let width = self.0.first().map_or(0, Vec::len);
                step(&mut self.0, change, &vec![None; width]);
            }
            Axis::Columns => self.0.iter_mut().for_each(|row| step(row, change, &None)),
        }
    }

    fn of(grid: &Grid) -> Self {
        let number = |row, column| match grid.cell(row, column).content() {
            Content::Number(value) => Some(*value as u32),
            _ => None,
        };
        Self(
            (0..grid.rows())
                .map(|row| (0..grid.columns()).map(|column| number(row, column)).collect())
                .collect(),
        )
    }
}

/// The change, one item at a time.
fn step<T: Clone>(items: &mut Vec<T>, change: &Change, blank: &T) {
    match change {
        Change::Insert { at, count } => (0..*count).for_each(|_| items.insert(*at as usize, blank.clone())),
        Change::Remove(gone) => gone.clone().for_each(|_| drop(items.remove(gone.start as usize))),
        Change::Move { from, to } => {
            for offset in 0..from.end - from.start {
                if *to >= from.end {
                    let item = items.remove(from.start as usize);
                    items.insert(*to as usize - 1, item);
                } else {
                    let item = items.remove((from.start + offset) as usize);
                    items.insert((*to + offset) as usize, item);
                }
            }
        }
    }
}

const SIDE: u32 = 6;

fn any_change() -> impl Strategy<Value = (bool, Change)> {
    let change = prop_oneof![
        (0..SIDE, 1..3u32).prop_map(|(at, count)| Change::Insert { at, count }),
        (0..SIDE - 1).prop_map(|at| Change::Remove(at..at + 1)),
        (0..SIDE - 1, 1..3u32, 0..=SIDE)
            .prop_filter("the target is outside of what moves", |(start, count, to)| {
                start + count <= SIDE && !(*to > *start && *to < start + count)
            })
            .prop_map(|(start, count, to)| Change::Move { from: start..start + count, to }),
    ];
    (any::<bool>(), change)
}

proptest! {
    #[test]
    fn whole_rows_and_columns_go_where_they_go_in_a_plain_table(
        filled in prop::collection::vec((0..SIDE, 0..SIDE), 0..12),
        (columns, change) in any_change(),
    ) {
        let mut grid = Grid::new(SIDE, SIDE);
        for (number, (row, column)) in (1u32..).zip(filled) {
            grid.put(row, column, Cell::new(Content::Number(f64::from(number))));
        }
        let axis = if columns { Axis::Columns } else { Axis::Rows };
        let mut plain = Plain::of(&grid);
        let before = plain.clone();
        plain.change(axis, &change);
        grid.change(axis, &change);
        prop_assert_eq!(Plain::of(&grid), plain);
        let shift = Shift::whole(axis, change);
        for row in 0..SIDE {
            for column in 0..SIDE {
                if let Some((to_row, to_column)) = shift.cell(row, column) {
                    let there = Plain::of(&grid).0[to_row as usize][to_column as usize];
                    prop_assert_eq!(there, before.0[row as usize][column as usize]);
                }
            }
        }
    }

    #[test]
    fn what_holds_nothing_is_not_kept(places in prop::collection::vec((0..SIDE, 0..SIDE), 0..20)) {
        let mut grid = Grid::new(SIDE, SIDE);
        for (row, column) in &places {
            grid.put(*row, *column, Cell::new(Content::Bool(true)));
        }
        for (row, column) in places {
            grid.take(row, column);
        }
        prop_assert_eq!(grid, Grid::new(SIDE, SIDE));
    }
}

#[test]
fn a_band_moves_alone() {
    let mut grid = Grid::new(4, 3);
    for (row, column) in grid.rect().cells() {
        grid.put(row, column, Cell::new(Content::Number(f64::from(row * 10 + column))));
    }
    grid.shift_band(&Shift { axis: Axis::Rows, change: Change::Remove(1..2), band: Some(1..2) });
    let column = |grid: &Grid, column| {
        Plain::of(grid).0.into_iter().map(|row| row[column]).collect::<Vec<Option<u32>>>()
    };
    assert_eq!(column(&grid, 0), [Some(0), Some(10), Some(20), Some(30)]);
    assert_eq!(column(&grid, 1), [Some(1), Some(21), Some(31), None]);
    grid.shift_band(&Shift {
        axis: Axis::Columns,
        change: Change::Insert { at: 0, count: 2 },
        band: Some(0..1),
    });
    assert_eq!(Plain::of(&grid).0[0], [None, None, Some(0)]);
}

#[test]
fn a_smaller_grid_has_lost_what_was_outside() {
    let mut grid = Grid::new(3, 3);
    grid.put(0, 2, Cell::new(Content::Bool(true)));
    grid.put(2, 0, Cell::new(Content::Bool(true)));
    grid.resize(2, 2);
    assert_eq!(grid, Grid::new(2, 2));
    assert_eq!(grid.edit(2, 0, |_| ()), None);
    assert_eq!((grid.last_row(), grid.entered_columns()), (None, 0));
}
