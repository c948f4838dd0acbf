//! Reading the XML of a part with the place of everything in it, and changing it there.
//!
//! Changes are spliced into the text, so whatever is not changed keeps its bytes.

use std::borrow::Cow;
use std::ops::Range;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::Damage;
use crate::table::xlsx::text;

/// A part of a package that holds XML.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// Its name in the package, such as `xl/workbook.xml`.
    pub(super) name: String,
    pub(super) xml: String,
}

/// A piece of a part. Depths count from 1, the root element.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Open(Tag<'a>),
    /// An element without content.
    Empty(Tag<'a>),
    Close {
        depth: usize,
        span: Range<usize>,
    },
    Text(Cow<'a, str>),
}

/// A start tag, or the tag of an element without content.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    start: BytesStart<'a>,
    pub(super) depth: usize,
    pub(super) span: Range<usize>,
}

/// Goes through a part, piece by piece.
pub(super) struct Walk<'a> {
    part: &'a Part,
    reader: Reader<&'a [u8]>,
    depth: usize,
}

/// Where an element stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ElementAt {
    /// Its start tag, or all of it if it has no content.
    pub(super) open: Range<usize>,
    /// Its end tag.
    pub(super) close: Option<Range<usize>>,
}

/// Changes to a part.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Part {
    /// A pass through the part.
    pub(super) fn walk(&self) -> Walk<'_> {
        Walk { part: self, reader: Reader::from_str(&self.xml), depth: 0 }
    }

    /// Calls `visit` for every start tag, also of elements without content.
    pub(super) fn for_each_tag(&self, mut visit: impl FnMut(&Tag<'_>)) -> Result<(), Damage> {
        let mut walk = self.walk();
        while let Some(node) = walk.next()? {
            if let Node::Open(tag) | Node::Empty(tag) = &node {
                visit(tag);
            }
        }
        Ok(())
    }

    /// What stands at `span`.
    pub(super) fn at(&self, span: &Range<usize>) -> &str {
        self.xml.get(span.clone()).unwrap_or_default()
    }

    /// Says that something is wrong with the part.
    pub(super) fn damage(&self, problem: impl Into<String>) -> Damage {
        Damage::new(&self.name, problem)
    }

    /// The part with its changes.
    pub(super) fn apply(&mut self, edits: Edits) -> Result<(), Damage> {
        let changed =
            edits.apply(&self.xml).ok_or_else(|| self.damage("cannot be changed in two ways at once"))?;
        self.xml = changed;
        Ok(())
    }
}

impl<'a> Walk<'a> {
    /// The next piece; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Node<'a>>, Damage> {
        loop {
            let start = self.position();
            let event =
                self.reader.read_event().map_err(|error| self.part.damage(format!("is no XML ({error})")))?;
            let span = start..self.position();
            return Ok(Some(match event {
                Event::Start(start) => {
                    self.depth += 1;
                    Node::Open(Tag { start, depth: self.depth, span })
                }
                Event::Empty(start) => Node::Empty(Tag { start, depth: self.depth + 1, span }),
                Event::End(_) => {
                    let depth = self.depth;
                    self.depth = depth.saturating_sub(1);
                    Node::Close { depth, span }
                }
                Event::Text(text) => Node::Text(Cow::Owned(text.xml10_content().into_owned())),
                Event::CData(text) => Node::Text(Cow::Owned(text.xml10_content().into_owned())),
                Event::GeneralRef(reference) => Node::Text(match reference.resolve_char_ref() {
                    Ok(Some(character)) => Cow::Owned(character.into()),
                    Ok(None) => match resolve_xml_entity(&reference) {
                        Some(text) => Cow::Borrowed(text),
                        None => {
                            return Err(self.part.damage(format!("has an unknown entity &{};", &*reference)));
                        }
                    },
                    Err(error) => return Err(self.part.damage(format!("is no XML ({error})"))),
                }),
                Event::Eof if self.depth > 0 => return Err(self.part.damage("ends too early")),
                Event::Eof => return Ok(None),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            }));
        }
    }

    /// Reads on to the end of the element that was opened last, and gives its text.
    pub(super) fn text(&mut self) -> Result<String, Damage> {
        let depth = self.depth;
        let mut text = String::new();
        while let Some(node) = self.next()? {
            match node {
                Node::Text(piece) => text.push_str(&piece),
                Node::Close { depth: closed, .. } if closed == depth => break,
                _ => {}
            }
        }
        Ok(text)
    }

    /// How far it has come.
    pub(super) fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }
}

impl Tag<'_> {
    /// The name without its prefix.
    pub(super) fn name(&self) -> &str {
        self.start.local_name().into_inner()
    }

    /// The prefix of the name with its colon, empty if it has none.
    pub(super) fn prefix(&self) -> String {
        self.start.name().prefix().map(|prefix| format!("{}:", prefix.into_inner())).unwrap_or_default()
    }

    /// An attribute by its whole name.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.attributes().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// An attribute with any prefix, such as `r:id`.
    pub(super) fn prefixed_attribute(&self, local: &str) -> Option<String> {
        self.attributes()
            .find(|(key, _)| key.split_once(':').is_some_and(|(_, name)| name == local))
            .map(|(_, value)| value)
    }

    /// All attributes; those that are no XML are left out.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (String, String)> {
        let mut attributes = self.start.attributes();
        attributes.with_checks(false);
        attributes.flatten().map(|attribute| {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap_or_default();
            (attribute.key.into_inner().to_owned(), value.into_owned())
        })
    }
}

impl ElementAt {
    /// Adds `content` at the end of the element's content.
    pub(super) fn append(&self, part: &Part, content: &str, edits: &mut Edits) {
        match &self.close {
            Some(close) => edits.insert(close.start, content),
            None => {
                let raw = part.at(&self.open);
                let open = raw.strip_suffix("/>").unwrap_or(raw).trim_end();
                let name = open.strip_prefix('<').unwrap_or(open);
                let name = name.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
                edits.replace(self.open.clone(), format!("{open}>{content}</{name}>"));
            }
        }
    }
}

impl Edits {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Replaces what stands at `span`.
    pub(super) fn replace(&mut self, span: Range<usize>, with: impl Into<String>) {
        self.0.push((span, with.into()));
    }

    /// Adds something before what stands at `at`; behind what was added there before.
    pub(super) fn insert(&mut self, at: usize, what: impl Into<String>) {
        self.0.push((at..at, what.into()));
    }

    /// The text with all changes; none if two of them overlap.
    fn apply(mut self, xml: &str) -> Option<String> {
        self.0.sort_by_key(|(span, _)| (span.start, span.end));
        let growth: usize = self.0.iter().map(|(_, with)| with.len()).sum();
        let mut changed = String::with_capacity(xml.len() + growth);
        let mut done = 0;
        for (span, with) in &self.0 {
            changed.push_str(xml.get(done..span.start)?);
            changed.push_str(with);
            done = span.end;
        }
        changed.push_str(xml.get(done..)?);
        Some(changed)
    }
}

/// A tag with an attribute set, added if it is not there.
pub(super) fn with_attribute(tag: &str, name: &str, value: &str) -> String {
    let value = text::attribute(value);
    match attribute_value(tag, name) {
        Some(span) => {
            let (before, after) = (tag.get(..span.start), tag.get(span.end..));
            format!("{}{value}{}", before.unwrap_or_default(), after.unwrap_or_default())
        }
        None => {
            let (start, end) = match tag.strip_suffix("/>") {
                Some(start) => (start, "/>"),
                None => (tag.strip_suffix('>').unwrap_or(tag), ">"),
            };
            format!("{} {name}=\"{value}\"{end}", start.trim_end())
        }
    }
}

/// A tag without an attribute.
pub(super) fn without_attribute(tag: &str, name: &str) -> String {
    let Some(value) = attribute_value(tag, name) else {
        return tag.to_owned();
    };
    let before = tag.get(..value.start).unwrap_or_default();
    let key = before.rfind(name).unwrap_or(before.len());
    let after = tag.get(value.end + 1..).unwrap_or_default();
    format!("{}{after}", before.get(..key).unwrap_or_default().trim_end())
}

/// The value of an attribute as a tag has it, entities and all.
pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.get(attribute_value(tag, name)?)
}

/// Where the value of an attribute stands in a tag, without its quotes.
fn attribute_value(tag: &str, name: &str) -> Option<Range<usize>> {
    let mut at = tag.find(|c: char| c.is_ascii_whitespace())?;
    loop {
        let equals = at + tag.get(at..)?.find('=')?;
        let key = tag.get(at..equals)?.trim();
        let open = equals + tag.get(equals..)?.find(['"', '\''])?;
        let quote = tag.get(open..)?.chars().next()?;
        let close = open + 1 + tag.get(open + 1..)?.find(quote)?;
        if key == name {
            return Some(open + 1..close);
        }
        at = close + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(xml: &str) -> Part {
        Part { name: "xl/a.xml".into(), xml: xml.into() }
    }

    #[test]
    fn tags_know_where_they_stand() {
        let part =
            part("<?xml version=\"1.0\"?><x:a k='1 &amp; 2'><!-- <b/> --><b r:id=\"7\"/>t&lt;&#65;</x:a>");
        let mut seen = Vec::new();
        part.for_each_tag(|tag| {
            seen.push((tag.prefix(), tag.name().to_owned(), tag.depth, part.at(&tag.span).to_owned()));
        })
        .unwrap();
        assert_eq!(seen[0], ("x:".into(), "a".into(), 1, "<x:a k='1 &amp; 2'>".into()));
        assert_eq!(seen[1], (String::new(), "b".into(), 2, "<b r:id=\"7\"/>".into()));
        let mut walk = part.walk();
        let Some(Node::Open(tag)) = walk.next().unwrap() else { panic!("the root comes first") };
        assert_eq!(tag.attribute("k").as_deref(), Some("1 & 2"));
        assert_eq!(walk.text().unwrap(), "t<A");
    }

    #[test]
    fn broken_xml_is_damage() {
        for xml in ["<a>", "<a></b>", "<a>&nbsp;</a>", "<a", "<a><![CDATA[", "<a>&#xD800;</a>", "</a>"] {
            let error = part(xml).for_each_tag(|_| {}).unwrap_err();
            assert!(error.to_string().contains("xl/a.xml"), "{xml}: {error}");
        }
    }

    #[test]
    fn attributes_are_set_in_their_place() {
        for (tag, expected) in [
            ("<c r=\"A1\" s = '3'/>", "<c r=\"A1\" s = 'x&quot;'/>"),
            ("<c r=\"A1\"/>", "<c r=\"A1\" s=\"x&quot;\"/>"),
            ("<c>", "<c s=\"x&quot;\">"),
            ("<c rs=\"s=1\" >", "<c rs=\"s=1\" s=\"x&quot;\">"),
        ] {
            assert_eq!(with_attribute(tag, "s", "x\""), expected);
        }
        assert_eq!(without_attribute("<xf a='1' b = \"2\" c=\"3\"/>", "b"), "<xf a='1' c=\"3\"/>");
        assert_eq!(without_attribute("<xf a=\"1\"/>", "a"), "<xf/>");
        assert_eq!(without_attribute("<xf/>", "a"), "<xf/>");
    }

    #[test]
    fn edits_keep_everything_else() {
        let mut part = part("<a><b/><c>1</c></a>");
        let mut edits = Edits::default();
        edits.replace(10..11, "2");
        edits.insert(3, "<x/>");
        edits.insert(3, "<y/>");
        ElementAt { open: 3..7, close: None }.append(&part, "<d/>", &mut edits);
        part.apply(edits).unwrap();
        assert_eq!(part.xml, "<a><x/><y/><b><d/></b><c>2</c></a>");
        let mut edits = Edits::default();
        edits.replace(3..9, "");
        edits.replace(5..6, "");
        assert!(part.apply(edits).is_err());
    }
}
