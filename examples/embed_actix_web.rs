//! A small actix-web service that has the validator inside: routes of its own, state of its own, an orderly end. It judges
//! entries that it is sent, starts runs, and shows the status page under `/status`.
//!
//! `cargo run --example embed_actix_web -- 127.0.0.1:8080`, then
//! `curl -d 'All walls are up since 2026-03-02.' http://127.0.0.1:8080/judge` and `curl -X POST http://127.0.0.1:8080/runs`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use jiff::tz::TimeZone;
use status_validator::domain::columns::ColumnNames;
use status_validator::domain::entry::Entry;
use status_validator::domain::language::Language;
use status_validator::domain::rules::Rulebook;
use status_validator::engine::{Engine, EngineHandle, Parts, RunRequest};
use status_validator::http::{Front, Metrics, Office, routes};
use status_validator::table::csv::{CsvSource, CsvSourceParams};
use status_validator::table::memory::MemorySink;

/// What this service has of its own.
#[derive(Default)]
struct Own {
    judged: AtomicU64,
}

async fn judge(validator: web::Data<EngineHandle>, own: web::Data<Own>, comment: String) -> HttpResponse {
    let row = own.judged.fetch_add(1, Ordering::Relaxed) + 1;
    let entry = Entry::single(row, "On Track", comment);
    match validator.validate(entry).await {
        Ok(outcome) => HttpResponse::Ok().json(outcome),
        Err(error) => {
            HttpResponse::ServiceUnavailable().insert_header(("Retry-After", "1")).body(error.to_string())
        }
    }
}

async fn run(validator: web::Data<EngineHandle>) -> HttpResponse {
    match validator.run(RunRequest::default()).await {
        Ok(report) => HttpResponse::Ok().json(report),
        Err(error) => HttpResponse::Conflict().body(error.to_string()),
    }
}

async fn count(own: web::Data<Own>) -> String {
    format!("{} entries judged\n", own.judged.load(Ordering::Relaxed))
}

/// The samples, checked by code alone.
fn parts(metrics: &Arc<Metrics>) -> Result<Parts, Box<dyn std::error::Error>> {
    let source = CsvSource::new(CsvSourceParams {
        path: "examples/statuses-en.csv".into(),
        header_row: 1,
        data_start_row: 2,
        encoding: None,
        delimiter: None,
    });
    let columns = ColumnNames {
        status: "Status".to_owned(),
        comment: "Comment".to_owned(),
        completion_date: Some("Completion Date".to_owned()),
        identifier: Some("Project".to_owned()),
        project_manager: None,
        context: Vec::new(),
    };
    let rules = Rulebook::from_toml(&std::fs::read_to_string("examples/rules-en.toml")?)?;
    let metrics = Arc::clone(metrics);
    Ok(Parts {
        source: Some(Box::new(source)),
        sink: Some(Box::new(MemorySink::new())),
        observer: Some(metrics),
        ..Parts::new(rules, columns)
    })
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let metrics = Arc::new(Metrics::new()?);
    let engine = Engine::start(parts(&metrics)?)?;
    let front = Front {
        office: Office::new(vec![engine.handle()], TimeZone::UTC, metrics),
        token: None,
        show_content: false,
        hosts: None, // this service decides itself for which names it answers
        base: "/status".to_owned(),
        language: Language::En,
    };
    let (status, own) = (routes(front), web::Data::new(Own::default()));
    let validator = web::Data::new(engine.handle());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(validator.clone())
            .app_data(own.clone())
            .route("/judge", web::post().to(judge))
            .route("/runs", web::post().to(run))
            .route("/count", web::get().to(count))
            .service(web::scope("/status").configure(status.clone()))
    })
    .bind(&address)?;
    for address in server.addrs() {
        println!("listening on http://{address}/");
    }
    server.run().await?; // ends at Ctrl-C or SIGTERM, when requests under way are answered
    let ended = engine.shutdown(Duration::from_secs(30)).await; // after the server: handlers wait for the engine
    println!("ended {}", if ended.clean { "in order" } else { "with rows left for later" });
    Ok(())
}
