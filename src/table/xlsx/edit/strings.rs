//! The texts of cells, of which many stand in a table that the sheets share.

use std::ops::Range;

use super::Damage;
use super::xml::{Node, Part, Walk};
use crate::table::xlsx::text;

/// The table of shared texts; they are read when they are asked for.
#[derive(Debug, Default)]
pub(super) struct SharedTexts {
    part: Option<Part>,
    /// Where each text stands, its element included.
    items: Vec<Range<usize>>,
}

impl SharedTexts {
    /// Finds the texts in the table, which a workbook without texts does not have.
    pub(super) fn new(part: Option<Part>) -> Result<Self, Damage> {
        let Some(part) = part else {
            return Ok(Self::default());
        };
        let mut items = Vec::new();
        let mut start = None;
        let mut walk = part.walk();
        while let Some(node) = walk.next()? {
            match node {
                Node::Empty(tag) if tag.depth == 2 && tag.name() == "si" => items.push(tag.span),
                Node::Open(tag) if tag.depth == 2 && tag.name() == "si" => start = Some(tag.span.start),
                Node::Close { depth: 2, span } => {
                    if let Some(start) = start.take() {
                        items.push(start..span.end);
                    }
                }
                _ => {}
            }
        }
        Ok(Self { part: Some(part), items })
    }

    /// The text with this number.
    pub(super) fn get(&self, number: usize) -> Result<String, Damage> {
        let (Some(part), Some(span)) = (&self.part, self.items.get(number)) else {
            return Err(Damage::new("xl/sharedStrings.xml", format!("has no text number {number}")));
        };
        let item = Part { name: part.name.clone(), xml: part.at(span).to_owned() };
        let mut walk = item.walk();
        match walk.next()? {
            Some(Node::Open(_)) => rich_text(&mut walk),
            _ => Ok(String::new()),
        }
    }
}

/// The text of the element that was opened last: that of its runs, without hints how to pronounce it.
pub(super) fn rich_text(walk: &mut Walk<'_>) -> Result<String, Damage> {
    let mut text = String::new();
    let mut hint = None;
    let mut depth = 0; // below the element
    while let Some(node) = walk.next()? {
        match node {
            Node::Open(tag) if tag.name() == "t" && hint.is_none() => {
                let keeps_space = tag.attribute("xml:space").as_deref() == Some("preserve");
                let stored = walk.text()?;
                let stored = if keeps_space { &stored } else { stored.trim_matches([' ', '\t', '\r', '\n']) };
                text.push_str(&text::decode(stored));
            }
            Node::Open(tag) => {
                depth += 1;
                if tag.name() == "rPh" && hint.is_none() {
                    hint = Some(depth);
                }
            }
            Node::Close { .. } if depth == 0 => break,
            Node::Close { .. } => {
                if hint == Some(depth) {
                    hint = None;
                }
                depth -= 1;
            }
            Node::Empty(_) | Node::Text(_) => {}
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_by_number() {
        let xml = "<sst><si><t> a </t></si><si/><si><t xml:space=\"preserve\"> b_x000D_</t></si>\
                   <si><r><rPr><b/></rPr><t>c</t></r><rPh><t>no</t></rPh><r><t>d</t></r></si><si><t/></si></sst>";
        let texts = SharedTexts::new(Some(Part { name: "s".into(), xml: xml.into() })).unwrap();
        let all: Vec<String> = (0..5).map(|number| texts.get(number).unwrap()).collect();
        assert_eq!(all, ["a", "", " b\r", "cd", ""]);
        assert!(texts.get(5).is_err());
        assert!(SharedTexts::new(None).unwrap().get(0).is_err());
    }
}
