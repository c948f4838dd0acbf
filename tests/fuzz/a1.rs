//! Whatever stands in the place of a range, the sandbox answers as the API does: with values, or with a refusal.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none a1 -- -max_total_time=60`

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use status_validator::sandbox::sheets::{Call, Office, Typed};

fuzz_target!(|range: &str| {
    let mut office = Office::new(1);
    let now = Timestamp::UNIX_EPOCH;
    let rows = vec![vec![Typed::Text("a".into()), Typed::Number(2.0)]; 3];
    let made = office.open_spreadsheet("book", "Book", now).and_then(|()| office.load_sheet("book", "It's", &rows));
    if made.is_err() {
        return;
    }
    let encoded: String = range.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let path = format!("/v4/spreadsheets/book/values/{encoded}");
    for (method, body) in [("GET", &b""[..]), ("PUT", br#"{"values": [["x"]]}"#)] {
        let query = if method == "PUT" { "valueInputOption=RAW" } else { "" };
        let answer = office.answer(&Call { method, path: &path, query, body, now });
        assert!(matches!(answer.status, 200 | 400 | 404), "{method} {range:?}: {}", answer.status);
    }
});
