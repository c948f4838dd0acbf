//! The layers put on each other: which value holds for a key, and where it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use figment::Figment;
use figment::value::Value;

use super::environment::Environment;
use super::kind::Kind;
use super::layer::{Findings, Layer, Values};
use super::node::Node;
use super::origin::Origin;
use super::problems::Problem;
use super::raw::{self, KEYS};

/// The merged settings of one job while they are resolved.
///
/// After a problem a getter gives a stand-in, so that further problems can be found; nothing leaves the
/// module as long as there are any.
pub(super) struct Merged {
    figment: Figment,
    /// Weakest first.
    layers: Vec<Values>,
    home: Option<PathBuf>,
    pub(super) environment: Arc<Environment>,
    pub(super) found: Findings,
    /// Values that stand elsewhere, in a variable that a key names.
    pub(super) resolved: BTreeMap<String, (String, Origin)>,
}

impl Merged {
    /// Merges defaults and `layers`, each followed by its part for `job`.
    pub(super) fn new(
        layers: &[Layer],
        job: Option<&str>,
        folder: &Path,
        environment: &Arc<Environment>,
        found: Findings,
    ) -> Self {
        let part = |layer: &Layer| job.and_then(|job| layer.jobs.get(job)).cloned();
        let given: Vec<Values> =
            layers.iter().flat_map(|layer| [Some(layer.own.clone()), part(layer)]).flatten().collect();
        let mut layers = vec![defaults(&given, folder)];
        layers.extend(given);
        let figment = layers.iter().fold(Figment::new(), Figment::merge);
        let home = ["HOME", "USERPROFILE"].iter().find_map(|name| environment.get(name));
        let home = home.map(|(home, _)| PathBuf::from(home));
        let environment = Arc::clone(environment);
        Self { figment, layers, home, environment, found, resolved: BTreeMap::new() }
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.value(key)?.into_string()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.value(key).and_then(|value| value.to_bool()).unwrap_or_default()
    }

    /// A whole number; 0 only as a stand-in, or for an optional key that allows it.
    pub(super) fn whole(&self, key: &str) -> u64 {
        self.whole_if_set(key).unwrap_or_default()
    }

    pub(super) fn whole_if_set(&self, key: &str) -> Option<u64> {
        self.value(key)?.to_u128().and_then(|number| u64::try_from(number).ok())
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.value(key)?.to_f64()
    }

    pub(super) fn list(&self, key: &str) -> Vec<String> {
        let items = self.value(key).and_then(Value::into_array).unwrap_or_default();
        items.into_iter().filter_map(Value::into_string).collect()
    }

    /// A path, `~` expanded, absolute from the folder that its layer counts from.
    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let text = self.text(key)?;
        let base = self.layers.get(self.strength(key)?).map(|layer| layer.base.clone())?;
        let path = match (home_relative(&text), &self.home) {
            (None, _) => PathBuf::from(text),
            (Some(rest), Some(home)) => home.join(rest),
            (Some(_), None) => {
                self.problem(key, "has a ~, but HOME is not set", "write the whole path");
                return None;
            }
        };
        // Drops the `.` in `folder/./build`.
        Some(base.join(path).components().collect())
    }

    /// The value of a key that must be given.
    pub(super) fn required(&mut self, key: &str, hint: &str) -> String {
        self.text(key).unwrap_or_else(|| {
            self.missing(key, hint);
            String::new()
        })
    }

    /// Reports a key as missing, unless that would only repeat another problem.
    pub(super) fn missing(&mut self, key: &str, hint: &str) {
        if !self.found.problems.concern(key) {
            self.found.problems.add(Problem::new(key, "is missing").hint(hint));
        }
    }

    /// A problem with the value that a key has, quoted as far as it may be.
    pub(super) fn problem(&mut self, key: &str, what: impl Into<String>, hint: impl Into<String>) {
        let mut problem = Problem::new(key, what).hint(hint);
        if let Some((layer, origin)) =
            self.strength(key).and_then(|at| self.layers.get(at)).zip(self.origin(key))
        {
            problem.key = format!("{}{key}", layer.prefix);
            problem = problem.from(origin);
        }
        problem.value = self.shown(key);
        self.found.problems.add(problem);
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.found.warnings.push(warning);
    }

    /// The number of the layer that a key's value comes from: greater is stronger, 0 is the default.
    pub(super) fn strength(&self, key: &str) -> Option<usize> {
        let value = self.figment.find_value(key).ok()?;
        let name = &self.figment.get_metadata(value.tag())?.name;
        self.layers.iter().position(|layer| layer.name == *name)
    }

    /// The key of the strongest layer; among equals the one named first.
    pub(super) fn strongest<'k>(&self, keys: &[&'k str]) -> Option<&'k str> {
        let ranked = keys.iter().rev().filter_map(|key| Some((self.strength(key)?, *key)));
        ranked.max_by_key(|(strength, _)| *strength).map(|(_, key)| key)
    }

    /// True if somebody gave a key or section: not only the defaults.
    pub(super) fn given(&self, path: &str) -> bool {
        self.layers
            .iter()
            .skip(1)
            .any(|layer| layer.values.contains_key(path) || layer.sections.contains_key(path))
    }

    pub(super) fn origin(&self, key: &str) -> Option<Origin> {
        let layer = self.layers.get(self.strength(key)?)?;
        layer.values.get(key).map(|(_, origin)| origin.clone())
    }

    /// A key's value for people, masked where it is or may be a secret.
    pub(super) fn shown(&self, key: &str) -> Option<String> {
        let kind = match raw::find(&raw::pattern(key)) {
            raw::Place::Key(key) => key.kind,
            _ => Kind::Text,
        };
        Some(match self.value(key)? {
            Value::String(_, text) => kind.shown(&text, false),
            Value::Bool(_, flag) => flag.to_string(),
            Value::Array(_, items) => {
                let items: Vec<_> =
                    items.iter().filter_map(|item| Some(kind.shown(item.as_str()?, false))).collect();
                format!("[{}]", items.join(", "))
            }
            number => match (number.to_u128(), number.to_f64()) {
                (Some(whole), _) => whole.to_string(),
                (None, Some(number)) => format!("{number:?}"),
                _ => return None,
            },
        })
    }

    /// The priorities of the providers, and where each was first given.
    pub(super) fn priorities(&self) -> BTreeMap<u32, Origin> {
        priorities(&self.layers)
    }

    /// Every key that holds for these providers, in the order of the mirror.
    pub(super) fn keys(&self) -> Vec<String> {
        let priorities: Vec<u32> = self.priorities().into_keys().collect();
        let (general, each): (Vec<_>, Vec<_>) =
            KEYS.iter().map(|key| key.path).partition(|path| !path.contains('*'));
        let at = general.iter().position(|path| path.starts_with("network.")).unwrap_or(general.len());
        let mut keys: Vec<String> = general.iter().map(|path| (*path).to_owned()).collect();
        let providers = priorities
            .iter()
            .flat_map(|priority| each.iter().map(move |path| path.replace('*', &priority.to_string())));
        keys.splice(at..at, providers);
        keys
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.figment.find_value(key).ok()
    }
}

/// What follows `~/`; `~name` is a file's name like any other.
fn home_relative(path: &str) -> Option<&str> {
    match path.strip_prefix('~')? {
        "" => Some(""),
        rest => rest.strip_prefix(['/', '\\']),
    }
}

/// The weakest layer: what the mirror gives where nobody says anything else.
fn defaults(given: &[Values], folder: &Path) -> Values {
    let mut layer = Values { name: "defaults".to_owned(), base: folder.to_owned(), ..Values::default() };
    let priorities: BTreeSet<u32> = priorities(given).into_keys().collect();
    for key in KEYS {
        let default = key.default.map(|text| Node::bare(text, Origin::Default));
        let Some(Ok(Some(value))) = default.map(|node| key.kind.admit(&node)) else { continue };
        let paths = match key.path.contains('*') {
            true => priorities.iter().map(|priority| key.path.replace('*', &priority.to_string())).collect(),
            false => vec![key.path.to_owned()],
        };
        layer.values.extend(paths.into_iter().map(|path| (path, (value.clone(), Origin::Default))));
    }
    layer
}

fn priorities(layers: &[Values]) -> BTreeMap<u32, Origin> {
    let mut found = BTreeMap::new();
    for (path, origin) in layers.iter().flat_map(|layer| &layer.sections) {
        let priority = path.strip_prefix(raw::PROVIDERS).and_then(|rest| rest.strip_prefix('.'));
        if let Some(priority) = priority.and_then(|text| text.parse().ok()) {
            found.entry(priority).or_insert_with(|| origin.clone());
        }
    }
    found
}
