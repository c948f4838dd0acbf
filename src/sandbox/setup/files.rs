//! The files of a sandbox: written whole, for this user alone, and only in place of files of its own.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::Value;
use tempfile::NamedTempFile;

use super::SetupError;
use super::samples::Sample;
use super::text::Facts;
use crate::sandbox::{ACCOUNT, ThrowAwayKey};

/// The name of the settings file.
pub const SETTINGS_FILE: &str = "sandbox.toml";
pub(super) const KEY_FILE: &str = "service-account.json";
pub(super) const MODEL_KEY_FILE: &str = "model-key.txt";
pub(super) const RULES_FILE: &str = "rules.toml";
pub(super) const CACHE_FILE: &str = "status_validator.sqlite";

/// The first line of files that are ours.
pub(super) const MARK: &str =
    "# Written by `status-validator sandbox`, anew at each start: to change it, copy it under another name.";

/// The key of the model, which asks for none.
const MODEL_KEY: &str = "sandbox-model-key\n";

/// Looks whether every file may be written. Changes nothing.
pub(super) fn check(dir: &Path) -> Result<(), SetupError> {
    type IsOurs = fn(&str) -> bool;
    let files: [(&str, IsOurs); 4] = [
        (SETTINGS_FILE, is_marked),
        (RULES_FILE, is_marked),
        (MODEL_KEY_FILE, |text| text == MODEL_KEY),
        (KEY_FILE, is_our_key),
    ];
    for (name, is_ours) in files {
        let path = dir.join(name);
        match fs::read_to_string(&path) {
            Ok(text) if is_ours(&text) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(SetupError::Unwritten { path, error });
            }
            Ok(_) | Err(_) => return Err(SetupError::Foreign(path)),
        }
    }
    Ok(())
}

/// Writes every file; the folder is made where it is missing.
pub(super) fn write(dir: &Path, facts: &Facts, key: &ThrowAwayKey, url: &str) -> Result<(), SetupError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| SetupError::Unwritten { path, error }
    };
    fs::create_dir_all(dir).map_err(failed(dir))?;
    let rules = format!("{MARK}\n\n{}", Sample::of(facts.language).rules);
    let account = format!("{:#}\n", key.file(&format!("{url}/token")));
    for (name, content) in [
        (KEY_FILE, account.as_str()),
        (MODEL_KEY_FILE, MODEL_KEY),
        (RULES_FILE, &rules),
        // Last: whoever sees the settings has the rest.
        (SETTINGS_FILE, &facts.settings(url)),
    ] {
        let path = dir.join(name);
        replace(dir, &path, content).map_err(failed(&path))?;
    }
    Ok(())
}

/// Puts a new file in the place of an old one. Only this user may read it, from its first byte on.
fn replace(dir: &Path, path: &Path, content: &str) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(dir)?;
    file.write_all(content.as_bytes())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

fn is_marked(text: &str) -> bool {
    text.lines().next() == Some(MARK)
}

fn is_our_key(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|key| key["client_email"] == ACCOUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_sandbox_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        assert!(check(dir).is_ok() && check(&dir.join("new/below")).is_ok());
        for (name, ours, foreign) in [
            (SETTINGS_FILE, format!("{MARK}\nx = 1"), "x = 1".to_owned()),
            (RULES_FILE, MARK.to_owned(), format!("\n{MARK}")),
            (MODEL_KEY_FILE, MODEL_KEY.to_owned(), "sk-mine".to_owned()),
            (KEY_FILE, format!(r#"{{"client_email": "{ACCOUNT}"}}"#), r#"{"client_email": "me"}"#.to_owned()),
        ] {
            let path = dir.join(name);
            fs::write(&path, ours).unwrap();
            assert!(check(dir).is_ok(), "{name}");
            fs::write(&path, foreign).unwrap();
            assert!(matches!(check(dir), Err(SetupError::Foreign(found)) if found == path), "{name}");
            fs::remove_file(&path).unwrap();
        }
        fs::create_dir(dir.join(RULES_FILE)).unwrap();
        assert!(matches!(check(dir), Err(SetupError::Foreign(_))));
        fs::write(dir.join("file"), "").unwrap();
        assert!(matches!(check(&dir.join("file")), Err(SetupError::Unwritten { .. })));
    }
}
