//! Finds and replaces text.

use std::collections::BTreeSet;

use regex::{NoExpand, Regex, RegexBuilder};

use super::request::{Fields, Reply, cells, flag, integer, sheet, tab, tab_mut, text};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::{Content, MAX_CHARACTERS};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::entry;
use crate::sandbox::sheets::formula::Calculator;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::values::{enter, shown, too_long};

/// `findReplace`
pub(super) fn find_replace(draft: &mut Draft, request: &Fields) -> Reply {
    let search = Search::read(request)?;
    let mut tally = Tally::default();
    for (at, rect) in scope(draft, request)? {
        replace_in(draft, at, rect, &search, &mut tally)?;
    }
    let count = |set: usize| u32::try_from(set).unwrap_or(u32::MAX);
    let sheets: BTreeSet<usize> = tally.rows.iter().map(|(at, _)| *at).collect();
    Ok(Some(
        Object::new()
            .count("valuesChanged", tally.values)
            .count("formulasChanged", tally.formulas)
            .count("rowsChanged", count(tally.rows.len()))
            .count("sheetsChanged", count(sheets.len()))
            .count("occurrencesChanged", tally.occurrences)
            .into(),
    ))
}

#[derive(Default)]
struct Tally {
    values: u32,
    formulas: u32,
    rows: BTreeSet<(usize, u32)>,
    occurrences: u32,
}

struct Search {
    find: Regex,
    replacement: String,
    /// The replacement is taken as it is.
    literal: bool,
    formulas: bool,
}

impl Search {
    fn read(request: &Fields) -> Result<Self, Refusal> {
        let find = text(request, "find");
        if find.is_empty() {
            return Err(Refusal::invalid("The find value must not be empty."));
        }
        let by_regex = flag(request, "searchByRegex");
        let pattern = if by_regex { find.to_owned() } else { regex::escape(find) };
        let pattern = if flag(request, "matchEntireCell") { format!("^(?:{pattern})$") } else { pattern };
        let find = RegexBuilder::new(&pattern).case_insensitive(!flag(request, "matchCase")).build();
        let find = find.map_err(|_| Refusal::invalid("The find value is not a regular expression."))?;
        let replacement = text(request, "replacement");
        let replacement = if by_regex { braced(replacement) } else { replacement.to_owned() };
        Ok(Self { find, replacement, literal: !by_regex, formulas: flag(request, "includeFormulas") })
    }

    /// The text after the replacement and how often something was replaced; none if it is not found.
    fn replaced(&self, text: &str) -> Option<(String, u32)> {
        let times = self.find.find_iter(text).count();
        if times == 0 {
            return None;
        }
        let new = if self.literal {
            self.find.replace_all(text, NoExpand(&self.replacement))
        } else {
            self.find.replace_all(text, self.replacement.as_str())
        };
        Some((new.into_owned(), u32::try_from(times).unwrap_or(u32::MAX)))
    }
}

/// `$1` of the replacement as `${1}`, so that a letter behind it does not belong to it.
fn braced(replacement: &str) -> String {
    let mut braced = String::with_capacity(replacement.len());
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        braced.push_str(before);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (group, after) = after.split_at(digits);
        braced.push_str(&if group.is_empty() { "$".to_owned() } else { format!("${{{group}}}") });
        rest = after;
    }
    braced.push_str(rest);
    braced
}

/// Where to search: a range, a sheet, or all sheets.
fn scope(draft: &Draft, request: &Fields) -> Result<Vec<(usize, Rect)>, Refusal> {
    if request.contains_key("range") {
        return Ok(vec![cells(draft, request, "range")?]);
    }
    if let Some(id) = integer(request, "sheetId") {
        let at = sheet(draft, id)?;
        return Ok(vec![(at, tab(draft, at)?.grid.rect())]);
    }
    if !flag(request, "allSheets") {
        return Err(Refusal::invalid("One of range, sheetId and allSheets must be set."));
    }
    Ok(draft.book.tabs.iter().enumerate().map(|(at, tab)| (at, tab.grid.rect())).collect())
}

fn replace_in(
    draft: &mut Draft,
    at: usize,
    rect: Rect,
    search: &Search,
    tally: &mut Tally,
) -> Result<(), Refusal> {
    let mut changes = Vec::new();
    let calc = Calculator::new(&draft.book, draft.now);
    for (row, column, cell) in tab(draft, at)?.grid.cells_in(rect) {
        let formula = match cell.content() {
            Content::Blank => continue,
            Content::Formula(_) if !search.formulas => continue,
            Content::Formula(formula) => Some(formula.text().to_owned()),
            _ => None,
        };
        let is_formula = formula.is_some();
        let key = (at, row, column);
        let text = formula.unwrap_or_else(|| shown(&calc, key, cell, &calc.value(key)));
        if let Some((new, times)) = search.replaced(&text) {
            if new.encode_utf16().count() > MAX_CHARACTERS {
                return Err(too_long());
            }
            let kind = cell.number_format().map(|(kind, _)| kind);
            let plain = matches!(cell.content(), Content::Text(_))
                && entry::as_number(&text, draft.book.locale()).is_some();
            let kind = if plain { Some("TEXT") } else { kind };
            changes.push((row, column, entry::entered(&new, kind, &draft.book, draft.now)));
            tally.rows.insert((at, row));
            tally.occurrences += times;
            if is_formula {
                tally.formulas += 1;
            } else {
                tally.values += 1;
            }
        }
    }
    let grid = &mut tab_mut(draft, at)?.grid;
    for (row, column, entered) in changes {
        grid.edit(row, column, |cell| enter(cell, entered));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_a_replacement_end_with_their_digits() {
        assert_eq!(braced("$1a $x $12"), "${1}a $x ${12}");
    }
}
