//! Links from cells to where their rows come from.

use std::collections::BTreeMap;

use super::Damage;
use super::relations::Relations;
use super::sheet::Sheet;
use super::workbook::with_relations_prefix;
use super::xml::Edits;
use crate::domain::entry::RowLink;
use crate::table::xlsx::a1::{Area, Place};
use crate::table::xlsx::{MAX_LINKS, text};

/// Puts links on cells, in place of those that are on them. Links on other cells stay.
///
/// Gives the number of links for which the sheet has no room.
pub(super) fn write(
    sheet: &Sheet,
    links: BTreeMap<Place, RowLink>,
    relations: &mut Relations,
    kind_base: &str,
    address: impl Fn(&str) -> Option<String>,
    edits: &mut Edits,
) -> Result<usize, Damage> {
    let mut count = sheet.link_list.len();
    let mut left_out = 0;
    let mut added = String::new();
    let prefix = &sheet.prefix;
    let relation_prefix = sheet.relation_prefix.as_deref().unwrap_or("r:");
    let single: BTreeMap<Place, usize> = sheet
        .link_list
        .iter()
        .enumerate()
        .filter(|(_, (_, area))| area.first == area.last)
        .map(|(index, (_, area))| (area.first, index))
        .collect();
    let wide: Vec<Area> =
        sheet.link_list.iter().map(|(_, area)| *area).filter(|area| area.first != area.last).collect();
    let mut is_any_written = false;
    for (place, link) in links {
        let (url, location) = split(&link);
        let Some(url) = address(url) else { continue };
        let old = single.get(&place).and_then(|index| sheet.link_list.get(*index));
        if old.is_none() && wide.iter().any(|area| covers(*area, place)) {
            continue; // people linked a whole range
        }
        if old.is_none() && count >= MAX_LINKS {
            left_out += 1;
            continue;
        }
        let id = relations.add(kind_base, "hyperlink", &url, true);
        let location =
            location.map(|at| format!(" location=\"{}\"", text::attribute(at))).unwrap_or_default();
        let element = format!("<{prefix}hyperlink ref=\"{place}\" {relation_prefix}id=\"{id}\"{location}/>");
        is_any_written = true;
        match old {
            Some((span, _)) => edits.replace(span.clone(), element),
            None => {
                count += 1;
                added.push_str(&element);
            }
        }
    }
    if !added.is_empty() {
        match &sheet.links {
            Some(list) => list.append(&sheet.part, &added, edits),
            None => {
                edits.insert(sheet.links_place, format!("<{prefix}hyperlinks>{added}</{prefix}hyperlinks>"));
            }
        }
    }
    if is_any_written && sheet.relation_prefix.is_none() {
        let root = with_relations_prefix(sheet.part.at(&sheet.root), kind_base);
        edits.replace(sheet.root.clone(), root);
    }
    Ok(left_out)
}

/// What a link leads to, and the place in it as Excel keeps them: apart.
fn split(link: &RowLink) -> (&str, Option<&str>) {
    let is_reference = link.place.rsplit('!').next().is_some_and(|area| Area::parse(area).is_some());
    match link.url.split_once('#') {
        Some((url, fragment)) => (url, Some(fragment)),
        None => (&link.url, Some(link.place.as_str()).filter(|_| is_reference)),
    }
}

fn covers(area: Area, place: Place) -> bool {
    (area.first.row..=area.last.row).contains(&place.row)
        && (area.first.column..=area.last.column).contains(&place.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_become_places_in_a_workbook() {
        let link = |url: &str, place: &str| RowLink { url: url.into(), place: place.into() };
        for (link, expected) in [
            (link("a.xlsx", "'It''s'!A5"), ("a.xlsx", Some("'It''s'!A5"))),
            (link("a.csv", "row 5"), ("a.csv", None)),
            (link("a.csv", ""), ("a.csv", None)),
            (link("https://d/edit#gid=0&range=A5", ""), ("https://d/edit", Some("gid=0&range=A5"))),
        ] {
            assert_eq!(split(&link), expected);
        }
    }
}
