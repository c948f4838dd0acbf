//! Where columns have gone, told by their headers. Pure.

use std::collections::HashMap;

/// Where the columns of a header are in another one: people may have inserted, deleted and moved columns meanwhile.
/// None for a column that is gone. Columns behind `before` stand behind `after` in the same order.
pub(super) fn moved_columns(before: &[String], after: &[String]) -> impl Fn(u32) -> Option<u32> {
    let mut after = trimmed(after);
    let (old_width, named_width) = (before.len(), after.len());
    after.resize(named_width + old_width, String::new()); // a table goes on, without names
    let new_width = after.len();
    // A column that is named as no other one is followed wherever it went; those that stayed in order show what
    // became of the ones without such a name.
    let names = only_names(before, &after);
    let in_order = kept(&pick(before, 0..old_width), &pick(&after, 0..new_width));
    let strayed = |old: &usize| names.contains_key(old) && !in_order.iter().any(|(kept, _)| kept == old);
    let gone: Vec<usize> = (0..old_width).filter(strayed).collect();
    let come: Vec<usize> = gone.iter().filter_map(|old| names.get(old).copied()).collect();
    let olds: Vec<usize> = (0..old_width).filter(|old| !gone.contains(old)).collect();
    let news: Vec<usize> = (0..new_width).filter(|new| !come.contains(new)).collect();
    let named = news.iter().filter(|new| **new < named_width).count();
    let kept = kept(&pick(before, olds.iter().copied()), &pick(&after, news.iter().copied()));
    move |column| {
        let column = column as usize;
        if column >= old_width {
            return u32::try_from(named_width + (column - old_width)).ok();
        }
        if let Some(new) = names.get(&column) {
            return u32::try_from(*new).ok();
        }
        let place = olds.iter().position(|old| *old == column)?;
        let new = same_place(&kept, place, olds.len(), named)?;
        u32::try_from(*news.get(new)?).ok()
    }
}

/// Where an item of a list is in another one, by the items that both have: a renamed column stands between the same
/// neighbours as before.
fn same_place(kept: &[(usize, usize)], place: usize, old_width: usize, new_width: usize) -> Option<usize> {
    if let Some((_, new)) = kept.iter().find(|(old, _)| *old == place) {
        return Some(*new);
    }
    let above = kept.iter().rev().find(|(old, _)| *old < place);
    let below = kept.iter().find(|(old, _)| *old > place);
    let (old_from, new_from) = above.map_or((0, 0), |(old, new)| (old + 1, new + 1));
    let (old_to, new_to) = below.copied().unwrap_or((old_width, new_width));
    let is_renamed = old_to - old_from == new_to.saturating_sub(new_from);
    is_renamed.then(|| new_from + (place - old_from))
}

/// The columns that are named as no other one is, before and after, with their places in both.
fn only_names(before: &[String], after: &[String]) -> HashMap<usize, usize> {
    let only = |header: &[String], name: &String| {
        let mut places = header.iter().enumerate().filter(|(_, other)| *other == name).map(|(at, _)| at);
        places.next().filter(|_| places.next().is_none())
    };
    let named = before.iter().enumerate().filter(|(_, name)| !name.trim().is_empty());
    named.filter_map(|(old, name)| only(before, name).and(only(after, name)).map(|new| (old, new))).collect()
}

fn pick(header: &[String], places: impl Iterator<Item = usize>) -> Vec<&str> {
    places.filter_map(|place| header.get(place).map(String::as_str)).collect()
}

/// The longest list of names that both headers have in the same order: their places in each.
fn kept(before: &[&str], after: &[&str]) -> Vec<(usize, usize)> {
    let width = after.len() + 1;
    let mut longest = vec![0u32; (before.len() + 1) * width];
    let at = |longest: &[u32], i: usize, j: usize| longest.get(i * width + j).copied().unwrap_or_default();
    for (i, old) in before.iter().enumerate().rev() {
        for (j, new) in after.iter().enumerate().rev() {
            let length = match old == new {
                true => at(&longest, i + 1, j + 1) + 1,
                false => at(&longest, i + 1, j).max(at(&longest, i, j + 1)),
            };
            if let Some(cell) = longest.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j, mut kept) = (0, 0, Vec::new());
    while let (Some(old), Some(new)) = (before.get(i), after.get(j)) {
        if old == new && at(&longest, i, j) == at(&longest, i + 1, j + 1) + 1 {
            kept.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if at(&longest, i + 1, j) >= at(&longest, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    kept
}

/// A header without what is empty at its end.
pub(super) fn trimmed(header: &[String]) -> Vec<String> {
    let used = header.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    header.iter().take(used).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &str) -> Vec<String> {
        names.split(' ').map(|name| name.trim_matches('_').to_owned()).collect()
    }

    #[test]
    fn columns_are_followed_by_their_names() {
        let moved = |before: &str, after: &str| {
            let (before, after) = (names(before), names(after));
            let find = moved_columns(&before, &after);
            (0..before.len() as u32 + 1).map(find).collect::<Vec<_>>()
        };
        assert_eq!(moved("A B C", "A B C"), [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(moved("A B C", "A New B C"), [Some(0), Some(2), Some(3), Some(4)]);
        assert_eq!(moved("A B C", "A C"), [Some(0), None, Some(1), Some(2)]);
        assert_eq!(moved("A B C", "A Renamed C"), [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(moved("A B C", "Old A Other C"), [Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(moved("A _ B", "A _ _ B"), [Some(0), Some(1), Some(3), Some(4)]);
        assert_eq!(moved("A B C D", "C A B D"), [Some(1), Some(2), Some(0), Some(3), Some(4)]);
        assert_eq!(moved("A _ B C", "C A Named B"), [Some(1), Some(2), Some(3), Some(0), Some(4)]);
    }
}
