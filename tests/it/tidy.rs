//! Rules of the house that no compiler checks: the direction of dependencies, the size and the head of files,
//! and words that must not stand in the code.

use std::path::{Path, PathBuf};

/// What each module may use of the crate.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("domain", &[]),
    ("net", &[]),
    ("fault", &[]),
    ("daemon", &["domain", "engine"]),
    ("http", &["domain", "net", "llm", "store", "engine"]),
    ("traces", &["domain", "net", "llm", "engine"]),
    ("settings", &["domain", "net"]),
    ("table", &["domain", "net", "fault"]),
    ("llm", &["domain", "net"]),
    ("store", &["domain", "fault"]),
    ("engine", &["domain", "table", "llm", "store", "fault"]),
    ("testing", &["domain", "table", "llm"]),
    ("sandbox", &["domain", "net", "table"]),
    ("assemble", &["domain", "net", "settings", "table", "llm", "store", "engine"]),
    (
        "cli",
        &[
            "domain", "net", "settings", "table", "llm", "store", "engine", "assemble", "sandbox", "daemon",
            "http", "traces", "fault",
        ],
    ),
];

/// Adapters that the engine must not know: it knows their traits.
const ADAPTERS: [&str; 4] = ["table::csv", "table::xlsx", "table::google", "llm::openai"];

#[test]
fn dependencies_point_the_right_way() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let module = module_of(&path);
        let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            assert!(matches!(module.as_str(), "lib" | "main"), "{module}: say in this test what it may use");
            continue;
        };
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        for used in uses(product) {
            let top = used.split("::").next().unwrap_or_default();
            if top != module && !may_use.contains(&top) {
                wrong.push(format!("{}: {module} must not use {used}", path.display()));
            }
            if module == "engine" && ADAPTERS.iter().any(|adapter| used.starts_with(adapter)) {
                wrong.push(format!("{}: the engine must not use {used}", path.display()));
            }
        }
        for (word, home) in [("actix::", "engine"), ("rusqlite::", "store")] {
            let spool = word == "rusqlite::" && module == "table"; // a spool file is a private matter of its table
            if product.contains(word) && module != home && !spool {
                wrong.push(format!("{}: {word} belongs into {home}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for (path, text) in ["src", "tests", "examples", "benches"].iter().flat_map(|dir| sources(dir)) {
        let lines = text.lines().count();
        if lines > 500 {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{}: no module doc", path.display()));
        }
        if path == Path::new("src/main.rs") && lines >= 40 {
            wrong.push(format!("{}: {lines} lines of glue", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_behind() {
    let mut wrong = Vec::new();
    // Put together here, so that this file does not find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["todo", "!("], ["unimple", "mented!("], ["#[ig", "nore"]];
    let formulas = [["USER_", "ENTERED"], ["formula", "Value"]];
    for (path, text) in ["src", "tests", "examples", "benches"].iter().flat_map(|dir| sources(dir)) {
        // A stand-in for Sheets has to know of formulas; nothing else may.
        let sandbox = path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("sandbox"));
        let formulas = if sandbox { &[][..] } else { &formulas[..] };
        for word in words.iter().chain(formulas).map(|parts| parts.concat()) {
            if text.contains(&word) {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn sources(dir: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(dir)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                // What the fuzz targets are built into is not ours.
                folders.extend((!path.ends_with("target")).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

/// `engine` for `src/engine/worker.rs`, `assemble` for `src/assemble.rs`.
fn module_of(path: &Path) -> String {
    let mut parts = path.components().skip(1).map(|part| part.as_os_str().to_string_lossy().into_owned());
    parts.next().unwrap_or_default().trim_end_matches(".rs").to_owned()
}

/// Every path below `crate::` that the text names.
fn uses(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.collect::<Vec<_>>().join("\n");
    code.split("crate::")
        .skip(1)
        .map(|rest| {
            rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect::<String>()
        })
        .collect()
}
