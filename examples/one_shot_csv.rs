//! Checks a CSV file once, as the command line does: settings, engine, one run, shutdown.
//!
//! `cargo run --example one_shot_csv`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use status_validator::assemble;
use status_validator::engine::{Engine, RunRequest};
use status_validator::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::load("Settings.toml")?;
    let engine = Engine::start(assemble::parts(&settings)?)?;
    let report = engine.handle().run(RunRequest::default()).await?;
    let tally = &report.tally;
    println!(
        "{}: {} rows read, {} valid, {} invalid, {} not checked, {} skipped",
        report.outcome.as_str(),
        tally.rows_read,
        tally.rows_valid,
        tally.rows_invalid,
        tally.rows_not_checked,
        tally.rows_skipped,
    );
    engine.shutdown(Duration::from_secs(30)).await;
    Ok(())
}
