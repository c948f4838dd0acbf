//! Reference files, which are not part of the repository: a folder that the environment names.

use std::path::PathBuf;

use serde_json::Value;

/// A file of the folder in `SHEETS_REFERENCE`; none where it is not set, which is said.
#[expect(clippy::print_stdout, reason = "a test that compares nothing has to say so")]
pub(crate) fn file(name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("SHEETS_REFERENCE").map(PathBuf::from) else {
        println!("SHEETS_REFERENCE is not set: {name} is not compared with");
        return None;
    };
    Some(std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// A file of JSON of that folder.
pub(crate) fn json(name: &str) -> Option<Value> {
    file(name).map(|text| serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")))
}
