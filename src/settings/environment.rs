//! The environment as the settings see it: real variables, and `.env` files below them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::node::Node;
use super::origin::Origin;
use super::problems::{Problem, Problems};

/// Variables that begin so are settings: `SV_LLM__MAX_WORKERS`.
const PREFIX: &str = "SV_";
/// Variables with the prefix that are not settings but the command line's own.
const RESERVED: &[&str] = &["SV_CONFIG", "SV_ENV_FILE", "SV_JOB", "SV_LANG", "SV_LOG"];

/// Variables by name. Values are not printed: any of them may be a secret.
#[derive(Clone, Default)]
pub(super) struct Environment {
    variables: BTreeMap<String, Variable>,
    /// Settings are only looked at: what a run could not do without may be unset.
    pub(super) inspecting: bool,
}

#[derive(Clone)]
struct Variable {
    value: String,
    file: Option<PathBuf>,
}

impl Environment {
    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variable = |(name, value)| (name, Variable { value, file: None });
        Self { variables: variables.into_iter().map(variable).collect(), inspecting: false }
    }

    /// Adds the variables of a `.env` file that are not there yet. The text is parsed, never executed.
    pub(super) fn add_file(&mut self, path: &Path, text: &str, problems: &mut Problems) {
        let text = text.trim_start_matches('\u{feff}');
        for item in dotenvy::from_read_iter(text.as_bytes()) {
            match item {
                Ok((name, value)) => {
                    let variable = Variable { value, file: Some(path.to_owned()) };
                    self.variables.entry(name).or_insert(variable);
                }
                Err(error) => problems.add(
                    Problem::of_file(
                        Origin::file(path, line_of(&error, text), 1),
                        "is not a line of a .env file",
                    )
                    .hint("write NAME=value, and quote values with spaces or #"),
                ),
            }
        }
    }

    /// A variable's value and origin; blank values count as unset.
    pub(super) fn get(&self, name: &str) -> Option<(&str, Origin)> {
        let variable = self.variables.get(name)?;
        let value = variable.value.trim();
        (!value.is_empty()).then(|| (value, origin(name, variable)))
    }

    /// The variables that are settings, as a tree.
    pub(super) fn tree(&self) -> Node {
        let mut root = Node::table(Origin::Variable { name: PREFIX.to_owned(), file: None });
        for (name, variable) in self.variables.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str())) {
            let Some(path) = name.strip_prefix(PREFIX) else { continue };
            let path = path.to_lowercase();
            let path: Vec<&str> = path.split("__").collect();
            root.plant(&path, Node::bare(variable.value.clone(), origin(name, variable)));
        }
        root
    }
}

fn origin(name: &str, variable: &Variable) -> Origin {
    Origin::Variable { name: name.to_owned(), file: variable.file.clone() }
}

/// The line that dotenvy could not read. Its own message quotes what it holds, which may be a key.
fn line_of(error: &dotenvy::Error, text: &str) -> usize {
    let dotenvy::Error::LineParse(broken, _) = error else { return 1 };
    let first = broken.lines().next().unwrap_or_default().trim();
    text.lines().position(|line| line.contains(first)).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::node::Body;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_real_environment_wins_over_files_and_earlier_files_over_later() {
        let mut environment = environment(&[("A", "real")]);
        let mut problems = Problems::default();
        environment.add_file(Path::new("one/.env"), "\u{feff}A=one\nB='o n e' # note\n", &mut problems);
        environment.add_file(Path::new("two/.env"), "B=two\nexport C=$(rm -rf /)\nD=\n", &mut problems);
        assert_eq!(environment.get("A").unwrap().0, "real");
        let (value, origin) = environment.get("B").unwrap();
        assert_eq!((value, origin.to_string().as_str()), ("o n e", "variable B in one/.env"));
        assert!(environment.get("D").is_none() && environment.get("E").is_none());
    }

    #[test]
    fn a_broken_line_is_named_but_not_quoted() {
        let mut problems = Problems::default();
        Environment::default().add_file(Path::new(".env"), "A=1\nKEY=sk-secret two\nB=2\n", &mut problems);
        let error = problems.into_error().unwrap().to_string();
        assert!(error.contains(".env:2:1") && !error.contains("sk-secret"), "{error}");
    }

    #[test]
    fn double_underscores_nest_and_the_command_lines_own_are_left_out() {
        let root = environment(&[
            ("SV_LLM__MAX_WORKERS", "8"),
            ("SV_LOG", "info"),
            ("SV_UNKNOWN", "hold"),
            ("PATH", "x"),
        ])
        .tree();
        let Body::Table(entries) = &root.body else { panic!("no table") };
        assert_eq!(entries.keys().collect::<Vec<_>>(), ["llm", "unknown"]);
        let Body::Table(llm) = &entries["llm"].body else { panic!("no table") };
        assert_eq!(llm["max_workers"].origin.to_string(), "variable SV_LLM__MAX_WORKERS");
    }
}
