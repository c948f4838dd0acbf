//! What holds and why: every key with its value and origin, for `config show`.

use std::fmt;

use super::merged::Merged;
use super::origin::Origin;

/// A key, the value that holds for it, and where the value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The key's whole path.
    pub key: String,
    /// The value as the file would write it, `***` for secrets; nothing where unset.
    pub value: Option<String>,
    /// Where the value came from; nothing where unset.
    pub origin: Option<Origin>,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, &self.origin) {
            (Some(value), Some(origin)) => write!(f, "{} = {value}  ({origin})", self.key),
            _ => write!(f, "{} is not set", self.key),
        }
    }
}

/// Every key in the order of the mirror; values that a named variable holds stand under the key that they
/// are for, such as `model` for `model_env`.
pub(super) fn explain(merged: &Merged) -> Vec<Explained> {
    let explained = |key: String| match merged.resolved.get(&key).cloned() {
        Some((value, origin)) => Explained { key, value: Some(value), origin: Some(origin) },
        None => Explained { value: merged.shown(&key), origin: merged.origin(&key), key },
    };
    merged.keys().into_iter().map(explained).collect()
}
