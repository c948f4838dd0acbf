//! `docs/reliability.md` names only what there is: tests, knobs, fault points.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;

const TEXT: &str = include_str!("../../docs/reliability.md");

fn found(pattern: &str) -> Vec<&'static str> {
    Regex::new(pattern).unwrap().captures_iter(TEXT).map(|found| found.get(1).unwrap().as_str()).collect()
}

/// Every file of ours, its path with slashes.
fn files() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("tests")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.extend((!path.ends_with("target")).then_some(path));
            } else {
                files.push((path.to_string_lossy().replace('\\', "/"), path));
            }
        }
    }
    files
}

#[test]
fn every_file_that_is_named_is_there() {
    let files = files();
    let named = found(r"`((?:[\w.-]+/)*[\w-]+\.rs)`");
    assert!(named.len() > 40, "{}", named.len());
    for name in named {
        assert!(files.iter().any(|(path, _)| path.ends_with(&format!("/{name}"))), "{name}");
    }
}

#[test]
fn every_knob_and_every_fault_point_is_there() {
    let sources: String =
        files().into_iter().filter_map(|(_, path)| std::fs::read_to_string(path).ok()).collect();
    for knob in found(r"(SV_[A-Z_]+)=") {
        assert!(sources.contains(&format!("\"{knob}\"")), "{knob}");
    }
    let points: BTreeSet<&str> = found(r"(?m)^\| `([\w-]+)` \|").into_iter().collect();
    assert_eq!(points.len(), 16, "{points:?}");
    let code = include_str!("../../src/fault.rs");
    for point in &points {
        assert!(code.contains(&format!("\"{point}\"")), "{point}");
    }
    assert_eq!(code.matches("\"K").count(), 15, "every point is in the table");
}
