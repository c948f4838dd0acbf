//! YAML text to a settings tree.
//!
//! Built on events instead of a ready-made value: a plain `0000123` stays the text it is, every key knows
//! its line, and integer keys (`1:`) are names as in TOML. Anchors, aliases and `<<` work as in the
//! settings of the Python StatusValidator.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, options};

use super::node::{Body, Node};
use super::origin::Origin;
use super::problems::{Problem, Problems};

/// More nodes than any settings have; stops aliases that multiply.
const MAX_NODES: usize = 20_000;

/// Reads YAML. What cannot be read is added to `problems`.
pub(super) fn parse(text: &str, path: &Arc<Path>, problems: &mut Problems) -> Node {
    let events = Parser::new_from_str_with_options(text, options! { emit_comments: false });
    let mut reader = Reader { events, path, problems, anchors: HashMap::new(), nodes: 0 };
    let empty = Node::table(Origin::file(path, 1, 1));
    match reader.document() {
        Ok(Some(root)) => root,
        Ok(None) => empty,
        Err(Stop(origin, what)) => {
            problems.add_unreadable(Problem::of_file(origin, what));
            empty
        }
    }
}

/// Reading cannot go on.
struct Stop(Origin, String);

struct Reader<'a, I> {
    events: I,
    path: &'a Arc<Path>,
    problems: &'a mut Problems,
    anchors: HashMap<usize, (Body, usize)>,
    nodes: usize,
}

impl<'t, I: Iterator<Item = Result<(Event<'t>, Span), ScanError>>> Reader<'_, I> {
    fn document(&mut self) -> Result<Option<Node>, Stop> {
        let mut root = None;
        loop {
            let (event, origin) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ if root.is_some() => {
                    return Err(Stop(origin, "has a second document: keep one".to_owned()));
                }
                event => {
                    let body = self.body(event, &origin)?;
                    let body = if body == Body::Null { Body::Table(BTreeMap::new()) } else { body };
                    root = Some(Node { body, origin });
                }
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Origin), Stop> {
        match self.events.next() {
            Some(Ok((event, span))) => {
                let origin = Origin::file(self.path, span.start.line(), span.start.col() + 1);
                Ok((event, origin))
            }
            Some(Err(error)) => {
                let mark = error.marker();
                // Some messages name an anchor or a tag, none quotes a value.
                let origin = Origin::file(self.path, mark.line(), mark.col() + 1);
                Err(Stop(origin, format!("is not YAML: {}", error.kind())))
            }
            None => Err(Stop(Origin::file(self.path, 1, 1), "is not YAML: it ends too early".to_owned())),
        }
    }

    fn body(&mut self, event: Event<'t>, origin: &Origin) -> Result<Body, Stop> {
        let before = self.nodes;
        self.count(1, origin)?;
        if let Some(tag) = event.tag().filter(|tag| tag.is_custom()) {
            return Err(Stop(
                origin.clone(),
                format!("has a tag {tag} that settings do not know: leave it out"),
            ));
        }
        let (anchor, body) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let bare = style == ScalarStyle::Plain && !is_text;
                let null = bare && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                (anchor, if null { Body::Null } else { Body::Scalar { text: text.into_owned(), bare } })
            }
            Event::SequenceStart(_, anchor, _) => (anchor, self.list()?),
            Event::MappingStart(_, anchor, _) => (anchor, self.table()?),
            Event::Alias(id) => {
                let known = self.anchors.get(&id).cloned();
                let (body, size) = known
                    .ok_or_else(|| Stop(origin.clone(), "has an alias within its own anchor".to_owned()))?;
                self.count(size, origin)?;
                return Ok(body);
            }
            _ => return Err(Stop(origin.clone(), "is not YAML: a value is missing".to_owned())),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (body.clone(), self.nodes - before));
        }
        Ok(body)
    }

    fn count(&mut self, more: usize, origin: &Origin) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > MAX_NODES {
            return Err(Stop(
                origin.clone(),
                format!("has more than {MAX_NODES} values: these are no settings"),
            ));
        }
        Ok(())
    }

    fn list(&mut self) -> Result<Body, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Body::List(items)),
                (event, origin) => items.push(Node { body: self.body(event, &origin)?, origin }),
            }
        }
    }

    fn table(&mut self) -> Result<Body, Stop> {
        let mut entries: BTreeMap<String, Node> = BTreeMap::new();
        let mut inherited = Vec::new();
        loop {
            let (event, origin) = self.next()?;
            let key = match event {
                Event::MappingEnd => break,
                event => self.body(event, &origin)?,
            };
            let (event, value_origin) = self.next()?;
            let body = self.body(event, &value_origin)?;
            match key {
                Body::Scalar { text, bare: true } if text == "<<" => inherited.push(body),
                Body::Scalar { text, .. } => match entries.entry(text) {
                    Entry::Vacant(entry) => {
                        entry.insert(Node { body, origin });
                    }
                    Entry::Occupied(entry) => {
                        let problem = Problem::new(entry.key(), "stands here a second time").from(origin);
                        self.problems.add(problem.hint("keep one of the two"));
                    }
                },
                _ => return Err(Stop(origin, "has a key that is no name".to_owned())),
            }
        }
        inherited.into_iter().for_each(|body| inherit(&mut entries, body));
        Ok(Body::Table(entries))
    }
}

/// Adds what `<<` brings: a table, or several, the first of which wins. Own entries win over both.
fn inherit(entries: &mut BTreeMap<String, Node>, from: Body) {
    match from {
        Body::Table(more) => more.into_iter().for_each(|(key, node)| {
            entries.entry(key).or_insert(node);
        }),
        Body::List(tables) => tables.into_iter().for_each(|table| inherit(entries, table.body)),
        Body::Null | Body::Scalar { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> (Node, Problems) {
        let mut problems = Problems::default();
        let path = Path::new("c.yaml").into();
        (parse(text, &path, &mut problems), problems)
    }

    fn at<'a>(node: &'a Node, path: &str) -> &'a Node {
        path.split('.').fold(node, |node, name| match &node.body {
            Body::Table(entries) => &entries[name],
            _ => panic!("no table above {name}"),
        })
    }

    fn text(node: &Node, path: &str) -> (String, bool) {
        match &at(node, path).body {
            Body::Scalar { text, bare } => (text.clone(), *bare),
            other => panic!("no scalar: {}", Node { body: other.clone(), origin: Origin::Default }.kind()),
        }
    }

    #[test]
    fn digits_stay_as_written_and_integer_keys_are_names() {
        let (root, problems) =
            parsed("id: 0000123\nproviders:\n  1:\n    name: \"7\"\n    x: !!str 5\n    y:\n");
        assert!(problems.into_error().is_none());
        assert_eq!(text(&root, "id"), ("0000123".into(), true));
        assert_eq!(text(&root, "providers.1.name"), ("7".into(), false));
        assert_eq!(text(&root, "providers.1.x"), ("5".into(), false));
        assert!(at(&root, "providers.1.y").body == Body::Null);
        assert_eq!(at(&root, "providers.1.name").origin.to_string(), "c.yaml:4:5");
    }

    #[test]
    fn anchors_and_merge_keys_work() {
        let (root, problems) =
            parsed("base: &b {t: 1, m: x}\none: *b\ntwo:\n  <<: *b\n  m: y\nthree:\n  <<: [*b, {z: 2}]\n");
        assert!(problems.into_error().is_none());
        assert_eq!(text(&root, "one.t").0, "1");
        assert_eq!((text(&root, "two.t").0, text(&root, "two.m").0), ("1".into(), "y".into()));
        assert_eq!(text(&root, "three.z").0, "2");
    }

    #[test]
    fn aliases_cannot_multiply_without_end() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        let error = parsed(&bomb).1.into_error().unwrap();
        assert!(error.to_string().contains("more than 20000 values"), "{error}");
    }

    #[test]
    fn what_is_no_yaml_is_said_with_its_line() {
        for (broken, wanted) in [
            ("a: 1\nb: [1, 2\n", "is not YAML"),
            ("a: 1\n---\nb: 2\n", "c.yaml:3:1"),
            ("a: 1\na: 2\n", "a: stands here a second time\n  from c.yaml:2:1"),
            ("a: !env KEY\n", "leave it out"),
            ("? [a]\n: b\n", "no name"),
        ] {
            let error = parsed(broken).1.into_error().unwrap().to_string();
            assert!(error.contains(wanted), "{broken:?}: {error}");
        }
    }

    #[test]
    fn no_depth_overflows_the_stack() {
        assert!(parsed(&"[".repeat(200_000)).1.into_error().is_some());
        assert!(parsed(&"- ".repeat(200_000)).1.into_error().is_some());
    }

    #[test]
    fn an_empty_file_is_an_empty_table() {
        for empty in ["", "# nothing\n", "---\n", "~\n"] {
            let (root, problems) = parsed(empty);
            assert!(root.body == Body::Table(BTreeMap::new()), "{empty:?}");
            assert!(problems.into_error().is_none());
        }
    }

    proptest! {
        #[test]
        fn rubbish_never_panics(text in "[a-z0-9:&*<!\\[\\]{}, \\n'\"|>-]{0,80}") {
            let _ = parsed(&text);
        }
    }
}
