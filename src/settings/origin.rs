//! Where a value came from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a value of the settings came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A settings file.
    File {
        /// The file, as it was named.
        path: Arc<Path>,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// A variable of the environment.
    Variable {
        /// Its name.
        name: String,
        /// The `.env` file that sets it; nothing for the real environment.
        file: Option<PathBuf>,
    },
    /// A flag of the command line, or whatever the caller overrides settings with.
    Override,
}

impl Origin {
    pub(super) fn file(path: impl AsRef<Path>, line: usize, column: usize) -> Self {
        Self::File { path: path.as_ref().into(), line, column }
    }

    /// The place of a byte offset in a file's text.
    pub(super) fn at_offset(path: &Arc<Path>, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self::File {
            path: Arc::clone(path),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
        }
    }

    /// For sorting: files from top to bottom, then the rest.
    pub(super) fn order(&self) -> (u8, usize, usize) {
        match self {
            Self::File { line, column, .. } => (0, *line, *column),
            _ => (1, 0, 0),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Variable { name, file: None } => write!(f, "variable {name}"),
            Self::Variable { name, file: Some(file) } => write!(f, "variable {name} in {}", file.display()),
            Self::Override => f.write_str("command line"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_lines_and_columns_in_characters() {
        let path: Arc<Path> = Path::new("a.toml").into();
        let text = "x = 1\nимя = 2\n";
        let place = |offset| Origin::at_offset(&path, text, offset).to_string();
        assert_eq!(place(0), "a.toml:1:1");
        assert_eq!(place("x = 1\nимя ".len()), "a.toml:2:5");
        assert_eq!(place(9999), "a.toml:3:1");
    }
}
