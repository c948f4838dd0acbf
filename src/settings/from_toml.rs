//! TOML text to a settings tree.

use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Body, Node};
use super::origin::Origin;
use super::problems::{Problem, Problems};

/// Reads TOML. What cannot be read is added to `problems`, all of it at once, without quoting the text:
/// a broken line may hold a key.
pub(super) fn parse(text: &str, path: &Arc<Path>, problems: &mut Problems) -> Node {
    let (root, errors) = DeTable::parse_recoverable(text);
    let start = Origin::at_offset(path, text, 0);
    // What was recovered from a broken file is not looked at: it would bring false problems.
    let body = if errors.is_empty() { Reader { text, path }.table(root.get_ref()) } else { Body::Null };
    for error in errors {
        let origin = Origin::at_offset(path, text, error.span().map_or(0, |span| span.start));
        let what = error.message().lines().next().unwrap_or_default();
        problems.add_unreadable(Problem::of_file(origin, format!("is not TOML: {what}")));
    }
    Node { body, origin: start }
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Arc<Path>,
}

impl Reader<'_> {
    fn table(&self, table: &DeTable<'_>) -> Body {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            (name.to_string(), Node { body: self.body(value), origin: self.origin(key.span().start) })
        };
        Body::Table(table.iter().map(entry).collect())
    }

    fn body(&self, value: &Spanned<DeValue<'_>>) -> Body {
        let bare = |text: String| Body::Scalar { text, bare: true };
        match value.get_ref() {
            DeValue::String(text) => Body::Scalar { text: text.to_string(), bare: false },
            // Decimal numbers without their underscores; others as written, which no number key takes.
            DeValue::Integer(number) => bare(number.to_string()),
            DeValue::Float(number) => bare(number.as_str().to_owned()),
            DeValue::Boolean(flag) => bare(flag.to_string()),
            DeValue::Datetime(_) => bare(self.text.get(value.span()).unwrap_or_default().to_owned()),
            DeValue::Array(items) => Body::List(
                items
                    .iter()
                    .map(|item| Node { body: self.body(item), origin: self.origin(item.span().start) })
                    .collect(),
            ),
            DeValue::Table(table) => self.table(table),
        }
    }

    fn origin(&self, offset: usize) -> Origin {
        Origin::at_offset(self.path, self.text, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Node, Problems) {
        let mut problems = Problems::default();
        let path = Path::new("s.toml").into();
        (parse(text, &path, &mut problems), problems)
    }

    fn entry<'a>(node: &'a Node, name: &str) -> &'a Node {
        match &node.body {
            Body::Table(entries) => &entries[name],
            _ => panic!("no table"),
        }
    }

    fn text(node: &Node) -> (&str, bool) {
        match &node.body {
            Body::Scalar { text, bare } => (text, *bare),
            _ => panic!("no scalar"),
        }
    }

    #[test]
    fn values_keep_their_text_and_place() {
        let (root, problems) = parsed(
            "as_of = 2026-03-13\n[llm]\nmax_workers = 1_000\n\"x\" = \"7\"\n[llm.providers.1]\ntemperature = 0.50\n",
        );
        assert!(problems.into_error().is_none());
        let llm = entry(&root, "llm");
        assert_eq!(text(entry(&root, "as_of")), ("2026-03-13", true));
        assert_eq!(text(entry(llm, "max_workers")), ("1000", true));
        assert_eq!(text(entry(llm, "x")), ("7", false));
        assert_eq!(entry(llm, "max_workers").origin.to_string(), "s.toml:3:1");
        assert_eq!(text(entry(entry(entry(llm, "providers"), "1"), "temperature")), ("0.50", true));
    }

    #[test]
    fn no_depth_overflows_the_stack() {
        let (_, problems) = parsed(&format!("a = {}", "[".repeat(200_000)));
        assert!(problems.into_error().is_some());
        let (_, problems) = parsed(&format!("a = {}1{}", "{ a = ".repeat(50_000), "}".repeat(50_000)));
        assert!(problems.into_error().is_some());
    }

    #[test]
    fn all_syntax_errors_are_named_without_their_text() {
        let (_, problems) = parsed("a = 1\napi_key = \"sk-secret\nb = = 2\n");
        let error = problems.into_error().unwrap();
        assert!(error.problems().len() >= 2, "{error}");
        assert!(
            error.to_string().contains("s.toml:2:") && !error.to_string().contains("sk-secret"),
            "{error}"
        );
    }
}
