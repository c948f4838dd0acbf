//! Whatever a workbook holds, it is read or refused, in bounded memory.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none xlsx -- -max_total_time=60 -rss_limit_mb=512`

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use status_validator::table::TableSource as _;
use status_validator::table::xlsx::{XlsxSource, XlsxSourceParams};

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    let built = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build();
    built.unwrap_or_else(|error| panic!("{error}"))
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = tempfile::NamedTempFile::with_suffix(".xlsx") else { return };
    if std::fs::write(file.path(), bytes).is_err() {
        return;
    }
    let path = file.path().to_owned();
    let mut source = XlsxSource::new(XlsxSourceParams { path, sheet: None, header_row: 1, data_start_row: 2 });
    RUNTIME.block_on(async {
        if source.open().await.is_ok() {
            while source.next_page(50).await.is_ok_and(|page| !page.is_empty()) {}
        }
    });
});
