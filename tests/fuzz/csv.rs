//! Whatever a CSV file holds, it is read to its end in order or refused.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none csv -- -max_total_time=60`

#![no_main]

use futures_util::FutureExt as _;
use libfuzzer_sys::fuzz_target;
use status_validator::table::TableSource as _;
use status_validator::table::csv::{CsvSource, CsvSourceParams};

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = tempfile::NamedTempFile::new() else { return };
    if std::fs::write(file.path(), bytes).is_err() {
        return;
    }
    let path = file.path().to_owned();
    let (encoding, delimiter) = (None, None);
    let mut source = CsvSource::new(CsvSourceParams { path, header_row: 1, data_start_row: 2, encoding, delimiter });
    let Some(Ok(header)) = source.open().now_or_never() else { return };
    assert!(header.names.len() <= 1 << 14);
    let mut last = 1;
    while let Some(Ok(page)) = source.next_page(7).now_or_never() {
        if page.is_empty() {
            break;
        }
        for row in page {
            assert!(row.row > last, "rows come in order");
            last = row.row;
        }
    }
});
