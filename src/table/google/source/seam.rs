//! Where reading goes on in a page that was read later than the rows before it.
//!
//! The last rows that were given away and the first ones behind them, which were only looked at, are the seam. People
//! insert, delete and edit rows meanwhile, and sort the tab: a row must neither be given twice nor left out unnoticed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use crate::domain::cell::Cell;

/// The cells of a row, without blank ones at its end.
pub(super) type Cells = Vec<Cell>;

/// Rows on either side of the place where reading goes on.
#[derive(Debug, Default)]
pub(super) struct Seam {
    /// The last rows that were given away; the last of them is filled.
    before: Vec<Cells>,
    /// The rows behind them as they were looked at: not given away, they are read once more.
    behind: Vec<Cells>,
    /// The numbers of the rows that were given away, by a hash of their cells.
    given: HashMap<u64, u64>,
    /// True once something has moved: rows may have come past the place where reading was.
    is_disturbed: bool,
}

/// So many rows on either side, as a rule.
pub(super) const SIDE: usize = 6;

/// A row that was given away stands among those that were not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Again;

/// What the seam is in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// As it was, and where it was: so many rows of the page were given away already.
    Same(usize),
    /// Changed: the first row of the page that was not given away.
    Moved(usize),
    /// Not to be told.
    Lost,
}

impl Seam {
    /// Rows of the page that were given away, if nothing has changed.
    pub(super) fn before(&self) -> u64 {
        self.before.len() as u64
    }

    /// Rows that were looked at and are read once more.
    pub(super) fn behind(&self) -> u64 {
        self.behind.len() as u64
    }

    /// True once something has moved: which rows the source no longer has is not known.
    pub(super) fn is_disturbed(&self) -> bool {
        self.is_disturbed
    }

    /// A row that says the same as one that was given away, and where that one was. If it no longer stands there, rows
    /// were moved although the seam is as it was.
    pub(super) fn repeated<'r>(&self, rows: &'r [Cells]) -> Option<(u64, &'r Cells)> {
        let filled = rows.iter().filter(|cells| !cells.is_empty());
        filled.filter(|_| !self.is_disturbed).find_map(|cells| Some((*self.given.get(&hash(cells))?, cells)))
    }

    /// Takes note of the rows that were read from number `first` on, and divides them: so many are given away now.
    ///
    /// The last ones wait for the next page, unless there is none: an edit of a row is told from a deletion only by
    /// what stands behind it.
    ///
    /// # Errors
    /// If something has moved, and a row comes a second time.
    pub(super) fn divide(&mut self, first: u64, rows: &[Cells], is_last: bool) -> Result<usize, Again> {
        let ready = if is_last { rows.len() } else { rows.len().saturating_sub(SIDE) };
        let given = rows[..ready].iter().rposition(|cells| !cells.is_empty()).map_or(0, |last| last + 1);
        let numbered = (first..).zip(&rows[..given]).filter(|(_, cells)| !cells.is_empty());
        let hashes: Vec<(u64, u64)> = numbered.map(|(number, cells)| (hash(cells), number)).collect();
        if self.is_disturbed && hashes.iter().any(|(hash, _)| self.given.contains_key(hash)) {
            return Err(Again);
        }
        self.given.extend(hashes);
        self.before.extend(rows[given.saturating_sub(SIDE)..given].iter().cloned());
        let surplus = self.before.len().saturating_sub(SIDE);
        self.before.drain(..surplus);
        self.behind = rows[given..].to_vec();
        Ok(given)
    }

    /// Finds the first row of a page that was not given away. If nothing has moved, the seam begins at `expected`.
    ///
    /// Rows are known by all of their cells, and only if no other one says the same. What stands between the last row
    /// that was given away and the first one that was not is decided only if it can be: rows behind all that were given
    /// away are new, rows before all that were not are edited, or new ones that the next run reads.
    pub(super) fn find(&mut self, page: &[Cells], expected: usize) -> Place {
        let place = self.place(page, expected);
        self.is_disturbed |= matches!(place, Place::Moved(_));
        place
    }

    /// True if nothing has changed in a page.
    pub(super) fn fits(&self, page: &[Cells]) -> bool {
        matches!(self.place(page, 0), Place::Same(_))
    }

    fn place(&self, page: &[Cells], expected: usize) -> Place {
        let known: Vec<&Cells> = self.before.iter().chain(&self.behind).collect();
        let there = page.iter().skip(expected).take(known.len());
        if self.before.is_empty() || there.eq(known.iter().copied()) {
            return Place::Same(expected + self.before.len());
        }
        let filled = known.iter().filter(|cells| !cells.is_empty()).count();
        let found = found(&known, page);
        if found.is_empty() || found.len() * 2 < filled || !is_run(&found) {
            return Place::Lost;
        }
        // A row on its own may be another one that says the same.
        let has_neighbour = |(at, there): (usize, usize)| {
            found.contains(&(at + 1, there + 1))
                || at > 0 && there > 0 && found.contains(&(at - 1, there - 1))
        };
        let border = self.before.len();
        let last_given = found.iter().rev().find(|(at, _)| *at < border);
        let first_new = found.iter().find(|(at, _)| *at >= border);
        let is_last_known = last_given.is_some_and(|found| found.0 + 1 == border && has_neighbour(*found));
        let first_filled =
            border + self.behind.iter().position(|cells| !cells.is_empty()).unwrap_or_default();
        let is_first_known = first_new.is_some_and(|found| found.0 == first_filled && has_neighbour(*found));
        let blank = |rows: Range<usize>| page.get(rows).is_none_or(|rows| rows.iter().all(Vec::is_empty));
        match (last_given, first_new) {
            (Some((_, last)), _) if is_last_known => Place::Moved(last + 1),
            (_, Some((_, first))) if is_first_known => Place::Moved(*first),
            (Some((_, last)), Some((_, first))) if blank(last + 1..*first) => Place::Moved(last + 1),
            (Some((_, last)), None) if blank(last + 1..page.len()) => Place::Moved(last + 1),
            _ => Place::Lost,
        }
    }
}

/// In so many places rows may have been inserted into the seam or deleted from it.
const BREAKS: usize = 3;

/// True if these rows stand in their order, nearly as close as before: rows that a sort has thrown together do not.
fn is_run(found: &[(usize, usize)]) -> bool {
    let steps = || found.windows(2).map(|pair| (pair[1].0 - pair[0].0, pair[1].1.checked_sub(pair[0].1)));
    steps().all(|(_, step)| step.is_some()) && steps().filter(|(was, is)| Some(*was) != *is).count() <= BREAKS
}

/// Rows that stand in the page and are the only ones of their kind on both sides: their places.
fn found(known: &[&Cells], page: &[Cells]) -> Vec<(usize, usize)> {
    let only = |at: usize, cells: &Cells| {
        known.iter().enumerate().all(|(other, known)| other == at || *known != cells)
    };
    let place = |cells: &Cells| {
        let mut places = page.iter().enumerate().filter(|(_, there)| *there == cells).map(|(at, _)| at);
        places.next().filter(|_| places.next().is_none())
    };
    let filled = known.iter().enumerate().filter(|(_, cells)| !cells.is_empty());
    filled
        .filter(|(at, cells)| only(*at, cells))
        .filter_map(|(at, cells)| Some((at, place(cells)?)))
        .collect()
}

fn hash(cells: &Cells) -> u64 {
    let mut hasher = DefaultHasher::new();
    for cell in cells {
        (std::mem::discriminant(cell), cell.display()).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(texts: &str) -> Vec<Cells> {
        texts
            .split_whitespace()
            .map(|text| if text == "." { Vec::new() } else { vec![Cell::text(text)] })
            .collect()
    }

    fn seam(before: &str, behind: &str) -> Seam {
        Seam { before: rows(before), behind: rows(behind), ..Seam::default() }
    }

    #[test]
    fn the_place_is_found_after_what_people_do() {
        let mut seam = seam("a b c", "d e f");
        for (page, place) in [
            ("a b c d e f g", Place::Same(3)),
            ("x a b c d e f g", Place::Moved(4)),
            ("a b x c d e f g", Place::Moved(4)),
            ("a b d e f g", Place::Moved(2)),
            ("b c d e f g", Place::Moved(2)),
            ("a b c e f g", Place::Moved(3)),
            ("a b c x d e f g", Place::Moved(3)),
            ("a b edited d e f g", Place::Moved(3)),
            ("a b c edited e f g", Place::Moved(3)),
            ("w x y z d e f g", Place::Moved(4)),
            ("a b c", Place::Moved(3)),
            ("a b d e f", Place::Moved(2)),
            ("a b e f", Place::Moved(2)),
            ("a b c x y z", Place::Moved(3)),
            ("a b edited edited e f", Place::Lost),
            ("f e d c b a", Place::Lost),
            ("a d b e c f", Place::Lost),
            ("", Place::Lost),
            ("x y z", Place::Lost),
            ("a x y b z", Place::Lost),
        ] {
            let found = seam.find(&rows(page), 0);
            assert_eq!(found, place, "{page}");
        }
        assert_eq!(Seam::default().find(&rows("a b"), 0), Place::Same(0), "nothing was given away yet");
    }

    #[test]
    fn rows_that_say_the_same_prove_nothing() {
        assert_eq!(seam("a x x", "x x b").find(&rows("a x x x x b"), 0), Place::Same(3));
        assert_eq!(seam("a x x", "x x b").find(&rows("a x x x b"), 0), Place::Lost);
        assert_eq!(
            seam("a b c", "d e f").find(&rows("a b c d e f"), 1),
            Place::Moved(3),
            "a row above has gone"
        );
        assert_eq!(seam("a x x", "c d b").find(&rows("a x c d b"), 0), Place::Moved(2));
    }

    #[test]
    fn blank_rows_are_read_again() {
        let mut seam = Seam::default();
        assert_eq!(
            seam.divide(2, &rows("a b . . c d e f g h"), false),
            Ok(2),
            "six wait, and blank ones before them"
        );
        assert_eq!((seam.before(), seam.behind()), (2, 8));
        assert_eq!(seam.divide(2, &rows(". . c d e f g h i"), true), Ok(9));
        assert_eq!((seam.before(), seam.behind()), (6, 0));
    }

    #[test]
    fn a_row_that_comes_again_is_looked_up_where_it_was() {
        let mut seam = Seam::default();
        assert_eq!(seam.divide(2, &rows("a b c d e f g h"), false), Ok(2));
        let page = rows("c d e f g h . b");
        assert_eq!(seam.repeated(&page), Some((3, &page[7])));
        assert_eq!(seam.repeated(&rows("c d e")), None);
    }

    #[test]
    fn a_row_that_comes_again_after_a_move_is_noticed() {
        let mut seam = Seam::default();
        assert_eq!(seam.divide(2, &rows("a a b c d e f g h i"), false), Ok(4));
        assert_eq!(seam.find(&rows("new a a b c d e f g h i j a"), 0), Place::Moved(5));
        assert!(seam.is_disturbed());
        assert_eq!(seam.divide(2, &rows("d e f g h i j a"), true), Err(Again));
    }

    /// A table that people work in while it is read.
    #[derive(Clone, Debug)]
    enum Work {
        Insert(usize),
        Delete(usize, usize),
        Edit(usize),
        Reverse,
        Rotate(usize),
    }

    fn work(rows: usize) -> impl Strategy<Value = Work> {
        prop_oneof![
            4 => (0..rows).prop_map(Work::Insert),
            4 => (0..rows, 1..12_usize).prop_map(|(at, count)| Work::Delete(at, count)),
            3 => (0..rows).prop_map(Work::Edit),
            1 => Just(Work::Reverse),
            1 => (1..rows).prop_map(Work::Rotate),
        ]
    }

    /// A row of the property: an edit changes its text, not who it is.
    #[derive(Clone, Debug, PartialEq)]
    struct Row {
        id: usize,
        version: usize,
        repeats: bool,
    }

    impl Row {
        fn cells(&self) -> Cells {
            match self.repeats {
                true => vec![Cell::text("same")],
                false => vec![Cell::text(format!("{} {}", self.id, self.version))],
            }
        }
    }

    fn change(table: &mut Vec<Row>, work: &Work, next: &mut usize) {
        let len = table.len();
        match *work {
            Work::Insert(at) => {
                *next += 1;
                table.insert(at.min(len), Row { id: *next, version: 0, repeats: false });
            }
            Work::Delete(at, count) => {
                table.drain(at.min(len)..(at + count).min(len));
            }
            Work::Edit(at) => {
                if let Some(row) = table.get_mut(at) {
                    row.version += 1;
                }
            }
            Work::Reverse => table.reverse(),
            Work::Rotate(by) => table.rotate_left(by.min(len)),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whoever was there all the time is given exactly once, or reading ends.
        #[test]
        fn each_row_that_stays_is_read_once_or_reading_ends(
            edits in prop::collection::vec((0..8_usize, prop_oneof![2 => work(24), 1 => work(60)]), 0..4),
            repeats in prop::collection::hash_set(0..60_usize, 0..4),
        ) {
            let row = |id| Row { id, version: 0, repeats: repeats.contains(&id) };
            let mut table: Vec<Row> = (0..60).map(row).collect();
            let (mut seam, mut given, mut next_id) = (Seam::default(), Vec::<Row>::new(), 1_000);
            let (mut next, mut has_ended, mut was_sorted) = (0_usize, false, false);
            for page in 0.. {
                for (_, work) in edits.iter().filter(|(at, _)| *at == page) {
                    was_sorted |= matches!(work, Work::Reverse | Work::Rotate(_));
                    change(&mut table, work, &mut next_id);
                }
                let from = next.saturating_sub(seam.before.len());
                let end = next + seam.behind.len() + 10;
                let cells = |rows: &[Row]| rows.iter().map(Row::cells).collect::<Vec<_>>();
                let at = |from: usize, end: usize| table.get(from..end.min(table.len())).unwrap_or_default();
                let (start, end) = match seam.fits(&cells(at(from, end))) {
                    true => (from, end),
                    false => (from.saturating_sub(30), end + 30),
                };
                let skip = match seam.find(&cells(at(start, end)), from - start) {
                    Place::Same(skip) | Place::Moved(skip) => skip,
                    Place::Lost => { has_ended = true; break }
                };
                let fresh = at(start + skip, end).to_vec();
                let is_last = end >= table.len();
                let fresh_cells = cells(&fresh);
                let repeated = seam.repeated(&fresh_cells);
                has_ended |= repeated.is_some_and(|(number, was)| {
                    table.get(usize::try_from(number).unwrap()).map(Row::cells).as_ref() != Some(was)
                });
                let first = (start + skip) as u64;
                let Ok(ready) = seam.divide(first, &fresh_cells, is_last) else { has_ended = true; break };
                given.extend_from_slice(&fresh[..ready]);
                next = start + skip + ready;
                if is_last { break }
            }
            // What a sort has brought up past the place of reading is left to the next run.
            let repeats_moved = was_sorted && !repeats.is_empty();
            if !has_ended && !repeats_moved {
                // Of rows that say the same, one is as good as the other.
                for row in table.iter().filter(|row| row.id < 60 && !row.repeats) {
                    let times = given.iter().filter(|given| given.id == row.id).count();
                    prop_assert!(times == 1 || times == 0 && was_sorted, "row {} {times} times in {given:?}", row.id);
                }
            }
        }
    }
}
