//! A settings tree before it is checked: every text as it was written, every node with its origin.
//!
//! Scalars keep their text, so that an id of digits stays an id and an error can quote what stands there.

use std::collections::BTreeMap;

use super::origin::Origin;

/// A node and where it stands; a table's entry stands where its key does.
#[derive(Clone, PartialEq)]
pub(super) struct Node {
    pub body: Body,
    pub origin: Origin,
}

#[derive(Clone, PartialEq)]
pub(super) enum Body {
    /// Nothing: as good as not given.
    Null,
    /// One value.
    Scalar {
        text: String,
        /// Written without quotes, so that it may be read as a number, a flag or a text.
        bare: bool,
    },
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl Node {
    pub(super) fn table(origin: Origin) -> Self {
        Self { body: Body::Table(BTreeMap::new()), origin }
    }

    pub(super) fn bare(text: impl Into<String>, origin: Origin) -> Self {
        Self { body: Body::Scalar { text: text.into(), bare: true }, origin }
    }

    /// Puts `node` at the end of `path`, making the tables on the way. What is there already and is no
    /// table stays: the check reports it.
    pub(super) fn plant(&mut self, path: &[&str], node: Node) {
        let Body::Table(entries) = &mut self.body else { return };
        match path {
            [] => {}
            [last] => {
                entries.entry((*last).to_owned()).or_insert(node);
            }
            [first, rest @ ..] => {
                let origin = node.origin.clone();
                entries.entry((*first).to_owned()).or_insert_with(|| Node::table(origin)).plant(rest, node);
            }
        }
    }

    /// What it is, in an error's words.
    pub(super) fn kind(&self) -> &'static str {
        match &self.body {
            Body::Null => "nothing",
            Body::Scalar { bare: false, .. } => "a string",
            Body::Scalar { bare: true, text } if text.parse::<f64>().is_ok() => "a number",
            Body::Scalar { bare: true, text } if text == "true" || text == "false" => "true or false",
            Body::Scalar { .. } => "a text",
            Body::List(_) => "a list",
            Body::Table(_) => "a table",
        }
    }
}
