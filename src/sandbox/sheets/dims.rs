//! What is known of rows and columns themselves: their size, whether they are hidden, and their groups.

use std::ops::Range;

use serde_json::Value;

use super::grid::shift_items;
use super::json::Object;
use super::shift::{Axis, Change};

/// The rows or the columns of a sheet. Those past the last one that is special are not kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dims {
    list: Vec<Dim>,
    /// Groups that are folded: their range and depth.
    collapsed: Vec<(Range<u32>, u32)>,
}

/// A row or a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dim {
    /// Its size in pixels, where it is not the default.
    pub(crate) size: Option<u32>,
    /// Hidden by somebody.
    pub(crate) hidden: bool,
    /// In how many groups it is.
    pub(crate) depth: u32,
}

/// A group of rows or columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) range: Range<u32>,
    pub(crate) depth: u32,
    pub(crate) collapsed: bool,
}

impl Dims {
    /// A row or a column.
    pub(crate) fn get(&self, index: u32) -> Dim {
        self.list.get(index as usize).copied().unwrap_or_default()
    }

    /// Changes some of them.
    pub(crate) fn edit(&mut self, range: Range<u32>, act: impl Fn(&mut Dim)) {
        if self.list.len() < range.end as usize {
            self.list.resize(range.end as usize, Dim::default());
        }
        self.list.iter_mut().take(range.end as usize).skip(range.start as usize).for_each(act);
        self.trim();
    }

    /// Applies a change of whole rows or columns. New ones look like the one before or after them.
    pub(crate) fn change(&mut self, change: &Change, inherit_before: bool) {
        shift_items(&mut self.list, change, Dim::default);
        if let Change::Insert { at, count } = *change {
            let before = at.checked_sub(1).map(|index| self.get(index)).unwrap_or_default();
            let after = self.get(at + count);
            let like = if inherit_before { before } else { after };
            let depth = before.depth.min(after.depth);
            self.edit(at..at + count, |dim| *dim = Dim { size: like.size, hidden: false, depth });
        }
        self.collapsed = self
            .collapsed
            .iter()
            .filter_map(|(range, depth)| Some((change.interval(range.clone())?, *depth)))
            .collect();
        self.trim();
    }

    /// Puts a group around a range.
    pub(crate) fn group(&mut self, range: Range<u32>) {
        self.edit(range, |dim| dim.depth += 1);
    }

    /// Takes a range out of its innermost group; false if it is in none.
    pub(crate) fn ungroup(&mut self, range: Range<u32>) -> bool {
        if range.clone().all(|index| self.get(index).depth == 0) {
            return false;
        }
        self.edit(range, |dim| dim.depth = dim.depth.saturating_sub(1));
        let groups = self.groups();
        self.collapsed.retain(|(range, depth)| {
            groups.iter().any(|group| group.range == *range && group.depth == *depth)
        });
        true
    }

    /// Folds or unfolds a group; false if there is no such group.
    pub(crate) fn collapse(&mut self, range: &Range<u32>, depth: u32, collapsed: bool) -> bool {
        let there = self.groups().iter().any(|group| group.range == *range && group.depth == depth);
        if there {
            self.collapsed.retain(|folded| *folded != (range.clone(), depth));
            if collapsed {
                self.collapsed.push((range.clone(), depth));
            }
            self.edit(range.clone(), |dim| dim.hidden = collapsed);
        }
        there
    }

    /// All groups, the outer ones before the inner ones.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let deepest = self.list.iter().map(|dim| dim.depth).max().unwrap_or(0);
        let mut groups = Vec::new();
        for depth in 1..=deepest {
            let mut start = None;
            for (dim, index) in self.list.iter().chain([&Dim::default()]).zip(0..) {
                match (start, dim.depth >= depth) {
                    (None, true) => start = Some(index),
                    (Some(first), false) => {
                        let range = first..index;
                        let collapsed = self.collapsed.contains(&(range.clone(), depth));
                        groups.push(Group { range, depth, collapsed });
                        start = None;
                    }
                    _ => {}
                }
            }
        }
        groups
    }

    fn trim(&mut self) {
        while self.list.last() == Some(&Dim::default()) {
            self.list.pop();
        }
    }
}

impl Group {
    /// As the API shows it.
    pub(crate) fn json(&self, axis: Axis, sheet: i32) -> Value {
        let range = dimension_range(axis, &self.range, sheet);
        Object::new().with("range", range).with("depth", self.depth).flag("collapsed", self.collapsed).into()
    }
}

/// A `DimensionRange` of the API.
pub(crate) fn dimension_range(axis: Axis, range: &Range<u32>, sheet: i32) -> Object {
    let object = Object::new().id("sheetId", sheet).with("dimension", axis.name());
    object.with("startIndex", range.start).with("endIndex", range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(dims: &Dims) -> Vec<(u32, u32, u32)> {
        dims.groups().iter().map(|group| (group.range.start, group.range.end, group.depth)).collect()
    }

    #[test]
    fn groups_nest_as_ranges_overlap() {
        for (first, second, expected) in [
            (2..4, 1..5, vec![(1, 5, 1), (2, 4, 2)]),
            (1..5, 2..4, vec![(1, 5, 1), (2, 4, 2)]),
            (1..4, 2..5, vec![(1, 5, 1), (2, 4, 2)]),
            (1..2, 4..5, vec![(1, 2, 1), (4, 5, 1)]),
        ] {
            let mut dims = Dims::default();
            dims.group(first);
            dims.group(second);
            assert_eq!(groups(&dims), expected);
        }
        let mut dims = Dims::default();
        dims.group(1..5);
        dims.group(2..4);
        assert!(dims.ungroup(3..5));
        assert_eq!(groups(&dims), [(1, 4, 1), (2, 3, 2)]);
        assert!(!dims.ungroup(7..9));
    }

    #[test]
    fn folding_hides() {
        let mut dims = Dims::default();
        dims.group(1..3);
        assert!(!dims.collapse(&(1..2), 1, true));
        assert!(dims.collapse(&(1..3), 1, true));
        assert!(dims.get(1).hidden && dims.groups()[0].collapsed && !dims.get(3).hidden);
        dims.change(&Change::Insert { at: 0, count: 2 }, false);
        assert!(dims.get(3).hidden && dims.groups()[0].collapsed);
        dims.ungroup(3..5);
        assert!(dims.groups().is_empty());
    }

    #[test]
    fn new_ones_look_like_their_neighbours() {
        let mut dims = Dims::default();
        dims.edit(0..1, |dim| dim.size = Some(40));
        dims.edit(1..2, |dim| dim.hidden = true);
        dims.change(&Change::Insert { at: 1, count: 1 }, true);
        assert_eq!((dims.get(1).size, dims.get(1).hidden, dims.get(2).hidden), (Some(40), false, true));
        dims.change(&Change::Remove(0..3), false);
        assert_eq!(dims, Dims::default());
    }
}
