//! Where cells go when rows or columns are inserted, deleted or moved, and what that does to ranges.

use std::ops::Range;

use super::a1::{Bounds, Rect};

/// Rows or columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Axis {
    Rows,
    Columns,
}

impl Axis {
    /// From the API's name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "ROWS" => Some(Self::Rows),
            "COLUMNS" => Some(Self::Columns),
            _ => None,
        }
    }

    /// The API's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rows => "ROWS",
            Self::Columns => "COLUMNS",
        }
    }

    /// One of them, as errors name it.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::Rows => "row",
            Self::Columns => "column",
        }
    }

    /// The other one.
    pub(crate) fn across(self) -> Self {
        match self {
            Self::Rows => Self::Columns,
            Self::Columns => Self::Rows,
        }
    }

    /// The part of a rectangle along this axis.
    pub(crate) fn of_rect(self, rect: Rect) -> Range<u32> {
        match self {
            Self::Rows => rect.rows(),
            Self::Columns => rect.columns(),
        }
    }

    /// A rectangle of an interval along this axis and one across.
    pub(crate) fn rect(self, along: Range<u32>, across: Range<u32>) -> Rect {
        match self {
            Self::Rows => Rect::new(along, across),
            Self::Columns => Rect::new(across, along),
        }
    }
}

/// What happens along an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// New ones come before `at`.
    Insert { at: u32, count: u32 },
    /// These go.
    Remove(Range<u32>),
    /// These go before `to`, counted before anything has moved.
    Move { from: Range<u32>, to: u32 },
}

/// A change of a sheet, of all of it or of a band of cells across the axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) axis: Axis,
    pub(crate) change: Change,
    /// The band; none for whole rows or columns.
    pub(crate) band: Option<Range<u32>>,
}

impl Change {
    /// Where an index goes; none if it is removed.
    pub(crate) fn index(&self, index: u32) -> Option<u32> {
        match self {
            Self::Insert { at, count } => {
                Some(if index >= *at { index.saturating_add(*count) } else { index })
            }
            Self::Remove(gone) if gone.contains(&index) => None,
            Self::Remove(gone) if index >= gone.end => Some(index - (gone.end - gone.start)),
            Self::Remove(_) => Some(index),
            Self::Move { from, to } => Some(moved(from, *to, index)),
        }
    }

    /// What becomes of an interval; none if nothing of it is left.
    pub(crate) fn interval(&self, interval: Range<u32>) -> Option<Range<u32>> {
        match self {
            Self::Insert { at, count } => {
                let start = self.index(interval.start)?;
                let end = if interval.end > *at { interval.end.saturating_add(*count) } else { interval.end };
                Some(start..end)
            }
            Self::Remove(gone) => {
                let before = |edge: u32| edge.min(gone.start) + edge.saturating_sub(gone.end);
                let left = before(interval.start)..before(interval.end);
                (!left.is_empty()).then_some(left)
            }
            Self::Move { from, to } => {
                let (count, inside) =
                    (from.end - from.start, from.start <= interval.start && interval.end <= from.end);
                if inside {
                    let start = moved(from, *to, interval.start);
                    return Some(start..start + (interval.end - interval.start));
                }
                let taken = Self::Remove(from.clone()).interval(interval)?;
                let at = if *to >= from.end { to - count } else { *to };
                Self::Insert { at, count }.interval(taken)
            }
        }
    }
}

fn moved(from: &Range<u32>, to: u32, index: u32) -> u32 {
    let count = from.end - from.start;
    if from.contains(&index) {
        let start = if to >= from.end { to - count } else { to };
        return start + (index - from.start);
    }
    if index >= from.end && index < to {
        index - count
    } else if index >= to && index < from.start {
        index + count
    } else {
        index
    }
}

impl Shift {
    /// A change of whole rows or columns.
    pub(crate) fn whole(axis: Axis, change: Change) -> Self {
        Self { axis, change, band: None }
    }

    /// Where a cell goes; none if it is removed.
    pub(crate) fn cell(&self, row: u32, column: u32) -> Option<(u32, u32)> {
        let (along, across) = match self.axis {
            Axis::Rows => (row, column),
            Axis::Columns => (column, row),
        };
        if self.band.as_ref().is_some_and(|band| !band.contains(&across)) {
            return Some((row, column));
        }
        let along = self.change.index(along)?;
        Some(match self.axis {
            Axis::Rows => (along, column),
            Axis::Columns => (row, along),
        })
    }

    /// What becomes of a rectangle; none if nothing of it is left.
    pub(crate) fn rect(&self, rect: Rect) -> Option<Rect> {
        let bounds = self.bounds(rect.into())?;
        Some(bounds.clip(u32::MAX, u32::MAX))
    }

    /// What becomes of a range. Open sides stay open, and a band moves what lies in it as a whole.
    pub(crate) fn bounds(&self, bounds: Bounds) -> Option<Bounds> {
        let ((start, end), (across_start, across_end)) = match self.axis {
            Axis::Rows => ((bounds.top, bounds.bottom), (bounds.left, bounds.right)),
            Axis::Columns => ((bounds.left, bounds.right), (bounds.top, bounds.bottom)),
        };
        if let Some(band) = &self.band {
            let inside =
                across_start.unwrap_or(0) >= band.start && across_end.unwrap_or(u32::MAX) <= band.end;
            if !inside {
                return Some(bounds);
            }
        }
        if start.is_none() && end.is_none() {
            return Some(bounds);
        }
        let after = self.change.interval(start.unwrap_or(0)..end.unwrap_or(u32::MAX))?;
        let (start, end) = (start.map(|_| after.start), end.map(|_| after.end));
        Some(match self.axis {
            Axis::Rows => Bounds { top: start, bottom: end, ..bounds },
            Axis::Columns => Bounds { left: start, right: end, ..bounds },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        let insert = Change::Insert { at: 3, count: 2 };
        for (interval, expected) in [(0..3, 0..3), (0..4, 0..6), (3..4, 5..6), (5..6, 7..8)] {
            assert_eq!(insert.interval(interval), Some(expected));
        }
        let remove = Change::Remove(2..5);
        for (interval, expected) in [
            (0..2, Some(0..2)),
            (0..3, Some(0..2)),
            (3..4, None),
            (4..7, Some(2..4)),
            (6..7, Some(3..4)),
            (1..9, Some(1..6)),
        ] {
            assert_eq!(remove.interval(interval), expected);
        }
        let down = Change::Move { from: 1..3, to: 5 };
        for (interval, expected) in [(0..6, 0..6), (1..3, 3..5), (3..5, 1..3), (2..3, 4..5), (5..6, 5..6)] {
            assert_eq!(down.interval(interval), Some(expected));
        }
        let up = Change::Move { from: 4..5, to: 1 };
        assert_eq!((0..6).filter_map(|index| up.index(index)).collect::<Vec<_>>(), [0, 2, 3, 4, 1, 5]);
    }

    #[test]
    fn bands_move_what_lies_in_them() {
        let shift = Shift { axis: Axis::Rows, change: Change::Insert { at: 1, count: 1 }, band: Some(2..4) };
        assert_eq!(shift.cell(5, 2), Some((6, 2)));
        assert_eq!(shift.cell(5, 4), Some((5, 4)));
        assert_eq!(shift.rect(Rect::new(5..6, 2..4)), Some(Rect::new(6..7, 2..4)));
        assert_eq!(shift.rect(Rect::new(5..6, 1..4)), Some(Rect::new(5..6, 1..4)));
        let open = Bounds { left: Some(2), right: Some(3), ..Bounds::default() };
        assert_eq!(shift.bounds(open), Some(open));
    }

    proptest::proptest! {
        #[test]
        fn a_move_is_a_permutation(start in 0u32..8, count in 1u32..5, to in 0u32..13) {
            let from = start..start + count;
            proptest::prop_assume!(!(to > from.start && to < from.end));
            let change = Change::Move { from, to };
            let mut after: Vec<u32> = (0..13).filter_map(|index| change.index(index)).collect();
            after.sort_unstable();
            proptest::prop_assert_eq!(after, (0..13).collect::<Vec<_>>());
        }

        #[test]
        fn cells_of_an_interval_stay_in_it(start in 0u32..6, length in 1u32..6, at in 0u32..12, count in 1u32..4, remove: bool) {
            let change = if remove { Change::Remove(at..at + count) } else { Change::Insert { at, count } };
            let kept: Vec<u32> = (start..start + length).filter_map(|index| change.index(index)).collect();
            match change.interval(start..start + length) {
                None => proptest::prop_assert!(kept.is_empty()),
                Some(interval) => {
                    proptest::prop_assert_eq!(kept.first().copied(), Some(interval.start));
                    proptest::prop_assert_eq!(kept.last().copied(), Some(interval.end - 1));
                }
            }
        }
    }
}
