//! The styles of a workbook, to which new ones are added behind the old.

use std::collections::HashMap;
use std::ops::Range;

use super::Damage;
use super::xml::{Edits, ElementAt, Node, Part, with_attribute, without_attribute};

/// The formats that cells refer to by number.
#[derive(Debug, Default)]
pub(super) struct Styles {
    part: Part,
    prefix: String,
    /// Every list of the part, in the order of [`LISTS`]; none where it has no such list.
    lists: [List; LISTS.len()],
    /// Where each child of the root begins, and where the root ends.
    children: Vec<(String, usize)>,
    end: usize,
    /// What is new in each list.
    added: [Vec<String>; LISTS.len()],
    /// Answers given before.
    quoted: HashMap<(u32, bool), u32>,
}

#[derive(Debug, Default)]
struct List {
    element: Option<ElementAt>,
    items: Vec<Range<usize>>,
}

/// By how much the numbers of styles grew when they were taken over from another workbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) cells: usize,
    pub(super) conditions: usize,
}

/// What styles consist of: the lists that a results sheet needs.
const LISTS: [&str; 5] = ["fonts", "fills", "borders", "cellXfs", "dxfs"];
const CELLS: usize = 3;
const CONDITIONS: usize = 4;

/// The children of the root, in the order that the format prescribes.
const ORDER: [&str; 11] = [
    "numFmts",
    "fonts",
    "fills",
    "borders",
    "cellStyleXfs",
    "cellXfs",
    "cellStyles",
    "dxfs",
    "tableStyles",
    "colors",
    "extLst",
];

impl Styles {
    /// Reads the styles.
    pub(super) fn new(part: Part) -> Result<Self, Damage> {
        let mut lists: [List; LISTS.len()] = Default::default();
        let mut children = Vec::new();
        let (mut prefix, mut end) = (String::new(), 0);
        let mut current = None;
        let mut walk = part.walk();
        while let Some(node) = walk.next()? {
            match node {
                Node::Open(tag) if tag.depth == 1 => prefix = tag.prefix(),
                Node::Close { depth: 1, span } => end = span.start,
                Node::Open(tag) | Node::Empty(tag) if tag.depth == 2 => {
                    children.push((tag.name().to_owned(), tag.span.start));
                    current = LISTS.iter().position(|list| *list == tag.name());
                    if let Some(list) = current.and_then(|list| lists.get_mut(list)) {
                        list.element = Some(ElementAt { open: tag.span, close: None });
                    }
                }
                Node::Close { depth: 2, span } => {
                    if let Some(element) =
                        current.and_then(|list| lists.get_mut(list)).and_then(|list| list.element.as_mut())
                    {
                        element.close = Some(span);
                    }
                    current = None;
                }
                Node::Open(tag) | Node::Empty(tag) if tag.depth == 3 => {
                    if let Some(list) = current.and_then(|list| lists.get_mut(list)) {
                        list.items.push(tag.span);
                    }
                }
                Node::Close { depth: 3, span } => {
                    if let Some(item) =
                        current.and_then(|list| lists.get_mut(list)).and_then(|list| list.items.last_mut())
                    {
                        item.end = span.end;
                    }
                }
                _ => {}
            }
        }
        if end == 0 {
            return Err(part.damage("holds no styles"));
        }
        Ok(Self { part, prefix, lists, children, end, added: Default::default(), quoted: HashMap::new() })
    }

    /// The style like `style` that marks a text as text, should somebody edit its cell, or that does not.
    pub(super) fn quoted(&mut self, style: u32, quoted: bool) -> u32 {
        if let Some(known) = self.quoted.get(&(style, quoted)) {
            return *known;
        }
        let found = self.find_quoted(style, quoted).unwrap_or(style);
        self.quoted.insert((style, quoted), found);
        found
    }

    /// True if texts in this style are broken into lines.
    pub(super) fn wraps(&self, style: u32) -> bool {
        let format = usize::try_from(style).ok().and_then(|style| self.cell_format(style));
        format.is_some_and(|format| {
            [" wrapText=\"1\"", " wrapText=\"true\""].iter().any(|mark| format.contains(mark))
        })
    }

    /// Takes over all styles of another workbook, whose numbers grow by what is returned.
    pub(super) fn take_over(&mut self, other: &Self) -> Shift {
        let shift: [usize; LISTS.len()] = std::array::from_fn(|list| self.count(list));
        for (list, added) in self.added.iter_mut().enumerate() {
            let items = other.lists.get(list).map(|list| list.items.as_slice()).unwrap_or_default();
            added.extend(items.iter().map(|item| {
                let item = other.part.at(item);
                let item = if list == CELLS { shifted(item, &shift) } else { item.to_owned() };
                prefixed(&item, &self.prefix)
            }));
        }
        Shift { cells: shift[CELLS], conditions: shift[CONDITIONS] }
    }

    /// The part with the new styles; none if there are none.
    pub(super) fn finish(mut self) -> Result<Option<Part>, Damage> {
        let mut edits = Edits::default();
        for (index, (name, added)) in LISTS.iter().zip(&self.added).enumerate() {
            let Some(list) = self.lists.get(index).filter(|_| !added.is_empty()) else { continue };
            let count = (list.items.len() + added.len()).to_string();
            let content = added.concat();
            match &list.element {
                Some(ElementAt { open, close: Some(close) }) => {
                    edits.replace(open.clone(), with_attribute(self.part.at(open), "count", &count));
                    edits.insert(close.start, content);
                }
                other => {
                    let prefix = &self.prefix;
                    let element = format!("<{prefix}{name} count=\"{count}\">{content}</{prefix}{name}>");
                    match other {
                        Some(empty) => edits.replace(empty.open.clone(), element),
                        None => edits.insert(self.place_of(name), element),
                    }
                }
            }
        }
        if edits.is_empty() {
            return Ok(None);
        }
        self.part.apply(edits)?;
        Ok(Some(self.part))
    }

    fn find_quoted(&mut self, style: u32, quoted: bool) -> Option<u32> {
        let format = self.cell_format(usize::try_from(style).ok()?)?;
        if is_quoted(&format) == quoted {
            return Some(style);
        }
        let wanted = quote(&format, quoted);
        let count = self.count(CELLS);
        let same = |number: &usize| {
            self.cell_format(*number)
                .is_some_and(|found| is_quoted(&found) == quoted && quote(&found, quoted) == wanted)
        };
        let number = (0..count).find(same).unwrap_or(count);
        if number == count {
            self.added[CELLS].push(wanted);
        }
        u32::try_from(number).ok()
    }

    fn count(&self, list: usize) -> usize {
        let old = self.lists.get(list).map_or(0, |list| list.items.len());
        old + self.added.get(list).map_or(0, Vec::len)
    }

    fn cell_format(&self, number: usize) -> Option<String> {
        let old = &self.lists[CELLS].items;
        match old.get(number) {
            Some(item) => Some(self.part.at(item).to_owned()),
            None => self.added[CELLS].get(number.checked_sub(old.len())?).cloned(),
        }
    }

    fn place_of(&self, list: &str) -> usize {
        let rank = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
        let next = self.children.iter().find(|(name, _)| rank(name) > rank(list));
        next.map_or(self.end, |(_, start)| *start)
    }
}

fn is_quoted(format: &str) -> bool {
    let tag = format.split('>').next().unwrap_or_default();
    [" quotePrefix=\"1\"", " quotePrefix=\"true\""].iter().any(|mark| tag.contains(mark))
}

/// A cell format with or without the mark that its text is text.
fn quote(format: &str, quoted: bool) -> String {
    let end = format.find('>').map_or(format.len(), |at| at + 1);
    let (tag, rest) = format.split_at_checked(end).unwrap_or((format, ""));
    let bare = without_attribute(tag, "quotePrefix");
    if quoted { with_attribute(&bare, "quotePrefix", "1") + rest } else { bare + rest }
}

/// A cell format whose font, fill and border have moved.
fn shifted(format: &str, shift: &[usize; LISTS.len()]) -> String {
    let end = format.find('>').map_or(format.len(), |at| at + 1);
    let (tag, rest) = format.split_at_checked(end).unwrap_or((format, ""));
    let mut tag = with_attribute(tag, "xfId", "0"); // named styles stay behind
    for (name, by) in ["fontId", "fillId", "borderId"].into_iter().zip(shift) {
        let old = tag.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split('"').next());
        let old: usize = old.and_then(|number| number.parse().ok()).unwrap_or(0);
        tag = with_attribute(&tag, name, &(old + by).to_string());
    }
    tag + rest
}

/// Elements without text, with a prefix to their names.
fn prefixed(element: &str, prefix: &str) -> String {
    let mut parts = element.split('<');
    let mut prefixed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.strip_prefix('/') {
            Some(name) => prefixed.push_str(&format!("</{prefix}{name}")),
            None => prefixed.push_str(&format!("<{prefix}{part}")),
        }
    }
    prefixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn styles(xml: &str) -> Styles {
        Styles::new(Part { name: "xl/styles.xml".into(), xml: xml.into() }).unwrap()
    }

    const PLAIN: &str = "<styleSheet><fonts count=\"1\"><font/></fonts><fills count=\"1\"><fill><a/></fill></fills>\
        <borders count=\"1\"><border/></borders><cellXfs count=\"2\"><xf fontId=\"0\"/>\
        <xf fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"1\"><alignment wrapText=\"1\"/></xf></cellXfs><cellStyles/></styleSheet>";

    #[test]
    fn a_quoted_style_is_made_once_and_found_again() {
        let mut new = styles(PLAIN);
        assert_eq!((new.quoted(1, true), new.quoted(0, true), new.quoted(1, true)), (2, 3, 2));
        assert_eq!((new.quoted(2, false), new.quoted(1, false), new.quoted(99, true)), (1, 1, 99));
        let xml = new.finish().unwrap().unwrap().xml;
        assert!(xml.contains("<cellXfs count=\"4\">"), "{xml}");
        assert!(xml.contains("xfId=\"1\" quotePrefix=\"1\"><alignment wrapText=\"1\"/></xf><xf"), "{xml}");
        let mut again = styles(&xml);
        assert_eq!((again.quoted(1, true), again.quoted(3, false)), (2, 0));
        assert!(again.finish().unwrap().is_none());
    }

    #[test]
    fn styles_of_another_workbook_come_behind_the_own_ones() {
        let mut target = styles(&PLAIN.replace('<', "<x:").replace("<x:/", "</x:"));
        let dxfs = "<dxfs count=\"1\"><dxf><font/></dxf></dxfs></styleSheet>";
        let other = styles(&PLAIN.replace("</styleSheet>", dxfs));
        assert_eq!(target.take_over(&other), Shift { cells: 2, conditions: 0 });
        let xml = target.finish().unwrap().unwrap().xml;
        assert!(
            xml.contains("<x:xf fontId=\"1\" fillId=\"1\" borderId=\"1\" xfId=\"0\"><x:alignment"),
            "{xml}"
        );
        assert!(
            xml.contains(
                "<x:cellStyles/><x:dxfs count=\"1\"><x:dxf><x:font/></x:dxf></x:dxfs></x:styleSheet>"
            ),
            "{xml}"
        );
    }
}
