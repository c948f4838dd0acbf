//! One layer of the settings, checked key by key against the mirror.

use std::collections::BTreeMap;
use std::path::PathBuf;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::node::{Body, Node};
use super::origin::Origin;
use super::problems::{Problem, Problems};
use super::raw::{self, Place};

/// What one source says: its values, and those of its jobs. Every value is what its key takes.
#[derive(Clone)]
pub(super) struct Layer {
    pub own: Values,
    pub jobs: BTreeMap<String, Values>,
}

/// Checked values by key.
#[derive(Clone, Default)]
pub(super) struct Values {
    /// The layer's name, unique among the layers.
    pub name: String,
    /// What stands before the keys where they were written: empty, or `jobs.weekly.`.
    pub prefix: String,
    /// The folder that relative paths count from.
    pub base: PathBuf,
    pub values: BTreeMap<String, (Value, Origin)>,
    /// The sections that occur, empty ones too.
    pub sections: BTreeMap<String, Origin>,
}

impl Layer {
    /// Checks every key of a tree. Values that do not fit are left out.
    pub(super) fn check(name: &str, base: PathBuf, tree: &Node, found: &mut Findings) -> Self {
        let empty = |prefix: String| Values {
            name: format!("{prefix}{name}"),
            prefix,
            base: base.clone(),
            ..Values::default()
        };
        let mut own = empty(String::new());
        own.check("", tree, found);
        let mut jobs = BTreeMap::new();
        for (job, node) in job_tables(tree) {
            if !job.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-') {
                let problem = Problem::new(format!("{}.{job}", raw::JOBS), "is no name for a job");
                found.problems.add(problem.from(node.origin.clone()).hint("use a-z, 0-9, _ and -"));
                continue;
            }
            let mut values = empty(format!("{}.{job}.", raw::JOBS));
            values.check("", node, found);
            jobs.insert(job.clone(), values);
        }
        Self { own, jobs }
    }
}

/// What a check finds.
#[derive(Clone, Default)]
pub(super) struct Findings {
    pub problems: Problems,
    pub warnings: Vec<String>,
}

impl Values {
    fn check(&mut self, path: &str, node: &Node, found: &mut Findings) {
        let shown = format!("{}{path}", self.prefix);
        let entries = match &node.body {
            Body::Table(entries) => entries,
            Body::Null => return,
            _ => {
                let what = format!("expected a table, found {}", node.kind());
                let shown = shown.trim_end_matches('.');
                return found.problems.add(Problem::new(shown, what).from(node.origin.clone()));
            }
        };
        for (name, entry) in entries {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let is_table = matches!(entry.body, Body::Table(_) | Body::Null);
            if path == raw::JOBS && self.prefix.is_empty() && is_table {
                continue; // Each job has values of its own.
            }
            let place = if name.contains('.') { Place::Unknown } else { raw::find(&raw::pattern(&path)) };
            match place {
                Place::Key(key) => self.admit(path, key, entry, found),
                Place::Section if path == raw::JOBS && is_table => self.unknown(&path, entry, found),
                Place::Section if is_bad_priority(&path) => {
                    let problem = Problem::new(format!("{}{path}", self.prefix), "is no priority");
                    let hint = "priorities are whole numbers from 1 on, such as [llm.providers.1]";
                    found.problems.add(problem.from(entry.origin.clone()).hint(hint));
                }
                Place::Section => {
                    self.sections.insert(path.clone(), entry.origin.clone());
                    self.check(&path, entry, found);
                }
                Place::Unknown => self.unknown(&path, entry, found),
            }
        }
    }

    fn admit(&mut self, path: String, key: &raw::Key, node: &Node, found: &mut Findings) {
        match key.kind.admit(node) {
            Ok(Some(value)) => {
                self.values.insert(path, (value, node.origin.clone()));
            }
            Ok(None) => {}
            Err(misfit) => {
                let mut problem = Problem::new(format!("{}{path}", self.prefix), misfit.what);
                problem.hint = misfit.hint;
                if let Body::Scalar { text, bare } = &node.body {
                    problem = problem.value(key.kind.shown(text, *bare));
                }
                found.problems.add(problem.from(node.origin.clone()));
            }
        }
    }

    /// An unknown key; its value is not shown, for it may be a misspelt secret.
    fn unknown(&self, path: &str, node: &Node, found: &mut Findings) {
        let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
        let near = raw::near(&raw::pattern(section), name);
        let variable = matches!(node.origin, Origin::Variable { .. });
        if variable && near.is_none() && section.is_empty() {
            // Other programs may use the prefix too.
            return found.warnings.push(format!("{} is no setting and is ignored", node.origin));
        }
        let problem = Problem::new(format!("{}{path}", self.prefix), "unknown key").from(node.origin.clone());
        let problem = match near.map(|near| with_priority(&near, section)) {
            Some(near) => {
                let hint = format!("did you mean {near}?");
                found.problems.meant(near);
                problem.hint(hint)
            }
            None => problem.hint("Settings.toml documents all keys"),
        };
        found.problems.add(problem);
    }
}

impl Provider for Values {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut root = Dict::new();
        for (path, (value, _)) in &self.values {
            let path: Vec<&str> = path.split('.').collect();
            insert(&mut root, &path, value);
        }
        Ok(Profile::Default.collect(root))
    }
}

fn insert(dict: &mut Dict, path: &[&str], value: &Value) {
    match path {
        [] => {}
        [last] => {
            dict.insert((*last).to_owned(), value.clone());
        }
        [first, rest @ ..] => {
            let inner = dict.entry((*first).to_owned()).or_insert_with(|| Dict::new().into());
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

fn job_tables(tree: &Node) -> impl Iterator<Item = (&String, &Node)> {
    let entries = |node| match node {
        &Node { body: Body::Table(ref entries), .. } => Some(entries),
        _ => None,
    };
    let jobs = entries(tree).and_then(|root| root.get(raw::JOBS)).and_then(entries);
    jobs.into_iter().flatten()
}

/// True for a provider under a key that is no plain whole number from 1 on.
fn is_bad_priority(path: &str) -> bool {
    let Some(priority) = path.strip_prefix(raw::PROVIDERS).and_then(|rest| rest.strip_prefix('.')) else {
        return false;
    };
    !priority.contains('.')
        && priority.parse::<u32>().map_or(true, |number| number == 0 || number.to_string() != priority)
}

/// A pattern with its `*` turned back into the priority that the section has.
fn with_priority(pattern: &str, section: &str) -> String {
    let priority = section.strip_prefix(raw::PROVIDERS).and_then(|rest| rest.split('.').nth(1));
    pattern.replace('*', priority.unwrap_or("1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn check(text: &str) -> (Layer, String) {
        let mut found = Findings::default();
        let tree = super::super::from_toml::parse(text, &Path::new("s.toml").into(), &mut found.problems);
        let layer = Layer::check("file", "/base".into(), &tree, &mut found);
        (layer, found.problems.into_error().map(|error| error.to_string()).unwrap_or_default())
    }

    #[test]
    fn a_jobs_keys_are_checked_and_named_with_the_job() {
        let (layer, error) = check("[jobs.weekly.llm]\nmax_workers = 3\nmax_worker = 4\n[jobs.\"A b\"]\n");
        assert_eq!(layer.jobs["weekly"].values.keys().collect::<Vec<_>>(), ["llm.max_workers"]);
        assert!(error.contains("jobs.weekly.llm.max_worker: unknown key\n  from s.toml:3:1"), "{error}");
        assert!(error.contains("did you mean llm.max_workers?") && error.contains("jobs.A b"), "{error}");
    }

    #[test]
    fn structure_is_checked_as_well() {
        for (text, wanted) in [
            ("llm = 5", "llm: expected a table, found a number"),
            ("jobs = 5\nheader_row = 1", "jobs: expected a table, found a number"),
            ("[jobs]\nweekly = 5", "jobs.weekly: expected a table"),
            ("[jobs.a.jobs.b]", "jobs.a.jobs: unknown key"),
            ("[llm.providers.01]", "llm.providers.01: is no priority"),
            ("[llm.providers.primary]", "llm.providers.primary: is no priority"),
            ("\"llm.enabled\" = true", "unknown key"),
            ("[llm.providers.1]\napikey = \"sk-1\"", "did you mean llm.providers.1.api_key?"),
        ] {
            let (_, error) = check(text);
            assert!(error.contains(wanted), "{text}: {error}");
            assert!(!error.contains("sk-1"), "{error}");
        }
    }
}
