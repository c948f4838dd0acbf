//! Whatever stands in a settings file, TOML or YAML, it is taken or all of its problems are told.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none settings -- -max_total_time=60`

#![no_main]

use libfuzzer_sys::fuzz_target;
use status_validator::settings::{Settings, SettingsSources};

fuzz_target!(|text: &str| {
    let Ok(folder) = tempfile::tempdir() else { return };
    for name in ["Settings.toml", "config.yaml"] {
        let path = folder.path().join(name);
        if std::fs::write(&path, text).is_err() {
            return;
        }
        let cwd = folder.path().to_owned();
        let sources = SettingsSources { config: Some(path), cwd, ..SettingsSources::default() };
        match Settings::load_from(&sources) {
            Ok(settings) => assert!(settings.batch_size > 0 && settings.llm.max_workers > 0),
            Err(error) => assert!(!error.problems().is_empty()),
        }
    }
});
