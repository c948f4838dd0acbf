//! What a spreadsheet has besides cells: its tabs, and what the program has put around its results.

use std::collections::BTreeSet;

use google_sheets4::api::{NamedRange, Sheet, Spreadsheet};

use crate::domain::fold::fold;
use crate::table::google::tabs::{TAB_FIELDS, Tab};

/// A spreadsheet without its cells.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// All tabs but copies of ours.
    pub(super) tabs: Vec<Tab>,
    /// How many tabs there are, copies and charts included.
    pub(super) count: usize,
    /// Tabs that the program made or took over, with the names that the settings had for them.
    marks: Vec<(i32, String)>,
    fences: Vec<Fence>,
    copies: Vec<Copy>,
    /// Tabs with a filter, with rules for colours, with protected ranges.
    filtered: BTreeSet<i32>,
    coloured: BTreeSet<i32>,
    protected: BTreeSet<i32>,
}

/// A named range that an earlier write left, for the next one to take away.
#[derive(Debug)]
struct Fence {
    id: String,
    name: String,
}

/// A hidden tab that a write made of a results tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copy {
    pub(super) kind: CopyKind,
    of: i32,
    /// Counts up, so that the newest is known.
    pub(super) number: u32,
    pub(super) id: i32,
    pub(super) rows: u32,
    /// The column that says what the write was meant for.
    pub(super) notes: u32,
}

/// What a copy holds of the tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyKind {
    /// All of it, of a write that changed rows.
    Whole,
    /// Its first rows up to the header, of a write that added rows.
    Header,
}

/// The fields that [`Survey::of`] reads.
pub(super) fn fields() -> String {
    format!(
        "namedRanges(namedRangeId,name),sheets({TAB_FIELDS},basicFilter(range(sheetId)),\
         conditionalFormats(ranges(sheetId)),protectedRanges(protectedRangeId),\
         developerMetadata(metadataKey,metadataValue))"
    )
}

/// The key under which a tab says that it is ours.
pub(in super::super) const MARK: &str = "status-validator";

impl Survey {
    pub(super) fn of(spreadsheet: Spreadsheet) -> Self {
        let fence = |range: NamedRange| Some(Fence { id: range.named_range_id?, name: range.name? });
        let fences = spreadsheet.named_ranges.into_iter().flatten().filter_map(fence).collect();
        let mut survey = Self { fences, ..Self::default() };
        spreadsheet.sheets.into_iter().flatten().for_each(|sheet| survey.add(sheet));
        survey.copies.sort_by_key(|copy| copy.number);
        survey
    }

    fn add(&mut self, sheet: Sheet) {
        self.count += 1;
        let Some(tab) = Tab::of(&sheet) else { return };
        if let Some(copy) = Copy::parse(&tab) {
            return self.copies.push(copy);
        }
        let metadata = sheet.developer_metadata.into_iter().flatten();
        let mark = metadata.filter(|entry| entry.metadata_key.as_deref() == Some(MARK));
        self.marks.extend(mark.map(|entry| (tab.id, entry.metadata_value.unwrap_or_default())));
        let some = |list: Option<usize>| list.is_some_and(|length| length > 0);
        for (has, tabs) in [
            (sheet.basic_filter.is_some(), &mut self.filtered),
            (some(sheet.conditional_formats.map(|list| list.len())), &mut self.coloured),
            (some(sheet.protected_ranges.map(|list| list.len())), &mut self.protected),
        ] {
            if has {
                tabs.insert(tab.id);
            }
        }
        self.tabs.push(tab);
    }

    /// The tab of this name; else the one that had it when the program took it over, renamed since.
    pub(super) fn find(&self, name: &str) -> Option<&Tab> {
        let named = self.tabs.iter().find(|tab| tab.title == name);
        named.or_else(|| self.tabs.iter().find(|tab| fold(&tab.title) == fold(name))).or_else(|| {
            let mut marked = self.marks.iter().filter(|(_, known)| known == name);
            let (id, _) = marked.next().filter(|_| marked.next().is_none())?;
            self.tab(*id)
        })
    }

    /// The tab of this number.
    pub(super) fn tab(&self, id: i32) -> Option<&Tab> {
        self.tabs.iter().find(|tab| tab.id == id)
    }

    /// True if the program has made this tab or taken it over.
    pub(super) fn is_marked(&self, tab: i32) -> bool {
        self.marks.iter().any(|(marked, _)| *marked == tab)
    }

    /// True if people or we have filtered the tab.
    pub(super) fn is_filtered(&self, tab: i32) -> bool {
        self.filtered.contains(&tab)
    }

    /// True if the tab has rules for colours.
    pub(super) fn is_coloured(&self, tab: i32) -> bool {
        self.coloured.contains(&tab)
    }

    /// True if the tab has protected ranges.
    pub(super) fn is_protected(&self, tab: i32) -> bool {
        self.protected.contains(&tab)
    }

    /// The ids of the fences of a tab.
    pub(super) fn fences(&self, tab: i32) -> Vec<String> {
        let start = fence_start(tab);
        self.fences
            .iter()
            .filter(|fence| fence.name.starts_with(&start))
            .map(|fence| fence.id.clone())
            .collect()
    }

    /// True if the write of this fence was carried out.
    pub(super) fn has_fence(&self, name: &str) -> bool {
        self.fences.iter().any(|fence| fence.name == name)
    }

    /// The copies of a tab, the newest last.
    pub(super) fn copies(&self, tab: i32) -> Vec<Copy> {
        self.copies.iter().filter(|copy| copy.of == tab).cloned().collect()
    }

    /// Copies of tabs that are gone: nothing can be put right with them.
    pub(super) fn orphans(&self) -> Vec<i32> {
        let is_orphan = |copy: &&Copy| self.tab(copy.of).is_none();
        self.copies.iter().filter(is_orphan).map(|copy| copy.id).collect()
    }
}

/// A name for a new fence of a tab; names of ranges have letters, digits and underscores only.
pub(super) fn new_fence(tab: i32) -> String {
    format!("{}{:016x}", fence_start(tab), fastrand::u64(..))
}

fn fence_start(tab: i32) -> String {
    format!("StatusValidator_{tab}_")
}

/// A number for a new tab. Google takes any that is not taken.
pub(in super::super) fn new_tab_id() -> i32 {
    fastrand::i32(1..i32::MAX)
}

impl CopyKind {
    fn title_start(self) -> &'static str {
        match self {
            Self::Whole => "status-validator undo ",
            Self::Header => "status-validator added ",
        }
    }
}

/// So many columns may have come to the tab since it was looked at: notes are put behind them.
const SPARE: u32 = 8;

impl Copy {
    /// A copy of a tab of so many columns that comes after `last`.
    pub(super) fn after(last: Option<&Self>, kind: CopyKind, of: &Tab, columns: u32) -> Self {
        let number = last.map_or(1, |last| last.number.saturating_add(1));
        let notes = match kind {
            CopyKind::Whole => columns.saturating_add(SPARE),
            CopyKind::Header => 0,
        };
        Self { kind, of: of.id, number, id: new_tab_id(), rows: of.rows, notes }
    }

    pub(super) fn title(&self) -> String {
        format!("{}{} {} {}", self.kind.title_start(), self.of, self.number, self.notes)
    }

    fn parse(tab: &Tab) -> Option<Self> {
        let kind = [CopyKind::Whole, CopyKind::Header];
        let (kind, rest) =
            kind.iter().find_map(|kind| Some((*kind, tab.title.strip_prefix(kind.title_start())?)))?;
        let mut numbers = rest.split(' ');
        let (of, number, notes) = (numbers.next()?, numbers.next()?, numbers.next()?);
        Some(Self {
            kind,
            of: of.parse().ok()?,
            number: number.parse().ok()?,
            id: tab.id,
            rows: tab.rows,
            notes: notes.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn survey() -> Survey {
        let sheet = |id: i32, title: &str, rest: serde_json::Value| {
            let mut sheet = json!({"properties": {
                "sheetId": id, "title": title, "gridProperties": {"rowCount": 9, "columnCount": 4}}});
            rest.as_object().unwrap().iter().for_each(|(key, value)| sheet[key] = value.clone());
            sheet
        };
        let mark = json!({"developerMetadata": [
            {"metadataKey": "x", "metadataValue": "y"}, {"metadataKey": MARK, "metadataValue": "Review"}]});
        let of = json!({
            "namedRanges": [
                {"namedRangeId": "a", "name": "Budget"},
                {"namedRangeId": "b", "name": "StatusValidator_7_00ff"},
                {"namedRangeId": "c", "name": "StatusValidator_77_00ff"},
            ],
            "sheets": [
                sheet(0, "Notes", json!({"basicFilter": {}, "conditionalFormats": [{}], "protectedRanges": []})),
                sheet(7, "Renamed", mark),
                sheet(8, "status-validator undo 7 2 4", json!({})),
                sheet(9, "status-validator added 7 1 0", json!({})),
                sheet(10, "status-validator added 5 1 0", json!({})),
                {"properties": {"sheetId": 10, "title": "Chart"}},
            ],
        });
        Survey::of(serde_json::from_value(of).unwrap())
    }

    #[test]
    fn a_results_tab_is_found_by_its_name_or_by_its_mark() {
        let survey = survey();
        let found = |name| survey.find(name).map(|tab| tab.id);
        assert_eq!((found("notes"), found("Review"), found("Other")), (Some(0), Some(7), None));
        assert_eq!(found("status-validator undo 7 2 4"), None, "a copy is no results tab");
        assert!(survey.is_marked(7) && !survey.is_marked(0));
        assert!(survey.is_filtered(0) && survey.is_coloured(0) && !survey.is_protected(0));
        assert_eq!(survey.count, 6);
    }

    #[test]
    fn what_writes_leave_is_known_by_its_names() {
        let survey = survey();
        assert_eq!(survey.fences(7), ["b"]);
        assert!(survey.has_fence("StatusValidator_7_00ff") && new_fence(7).starts_with("StatusValidator_7_"));
        let copies = survey.copies(7);
        assert_eq!(copies.iter().map(|copy| copy.id).collect::<Vec<_>>(), [9, 8], "the newest last");
        let next = Copy::after(copies.last(), CopyKind::Whole, survey.tab(7).unwrap(), 4);
        assert_eq!((next.number, next.title().as_str()), (3, "status-validator undo 7 3 12"));
        let kinds: Vec<CopyKind> = copies.iter().map(|copy| copy.kind).collect();
        assert_eq!(kinds, [CopyKind::Header, CopyKind::Whole]);
        assert_eq!(survey.orphans(), [10]);
    }
}
