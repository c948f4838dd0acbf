//! Status Validator reads weekly project statuses from a table, checks each against a rulebook — by code where
//! code can decide, by a language model where meaning decides — and keeps a results table in step.
//!
//! This page is the map of the code.
//!
//! # The way of a row
//!
//! A [`TableSource`](table::TableSource) gives pages of cells. [`read_row`](domain::entry::read_row) makes an
//! [`Entry`](domain::entry::Entry) of a row. [`Judge::review`](domain::judge::Judge::review) runs the code checks. If
//! rules are left that only a model can decide, the [fingerprint](domain::fingerprint) of the question is looked up
//! in the [`Store`](store::Store); what is not known there is asked of a [`ChatModel`](llm::ChatModel).
//! [`read_answer`](domain::answer::read_answer) takes the answer or refuses it, and
//! [`Judge::verdict`](domain::judge::Judge::verdict) puts code and model together. The answer is stored before
//! anything else happens with it; then the [`ResultRow`](domain::results::ResultRow) goes to a
//! [`TableSink`](table::TableSink), which finds its place by row key.
//!
//! # The modules
//!
//! | module | holds | may use |
//! |---|---|---|
//! | [`domain`] | values and pure functions: rows, keys, rules and checks, prompt, answer, verdict, results | nothing |
//! | [`net`] | what every connection keeps to: TLS, addresses, proxies | nothing |
//! | `fault` | the places at which tests make the program die or fail; nothing in builds without them | nothing |
//! | [`settings`] | the settings file, the environment and flags, resolved and checked at once | domain, net |
//! | [`table`] | the traits of tables; Google Sheets, CSV, XLSX and memory | domain, net, fault |
//! | [`llm`] | the trait of models, the HTTP client, who is asked when and how fast | domain, net |
//! | [`store`] | one SQLite file: what was paid for, what is not written yet, what ran | domain, fault |
//! | [`engine`] | the five actors, and nothing else that knows actors | domain, table, llm, store, fault |
//! | [`assemble`] | settings into parts: the only place where adapters meet the engine | all of the above |
//! | [`daemon`] | runs jobs by their timetables and when their tables are edited | domain, engine |
//! | [`http`] | status page, API, metrics: for the daemon, and for anybody's actix-web application | domain, net, llm, store, engine |
//! | `traces` | spans and metrics for a collector of OpenTelemetry; with the feature `otel` | domain, net, llm, engine |
//! | [`cli`] | the command line, one file a command | everything |
//! | [`sandbox`] | a local stand-in for Google Sheets, its sign-in and a model, to try and test against | domain, net, table |
//!
//! # What there is none of
//!
//! - No I/O and no clock in [`domain`], nor in the engine's state machines.
//! - No adapter in [`engine`]: it knows traits.
//! - No globals, signal handlers, `process::exit` or environment outside of [`cli`], but for
//!   [`Settings::load`](settings::Settings::load) and `Traces::from_env`, which say so.
//! - No formula ever written to a table, no cell or answer ever taken for an instruction.
//! - No wait on a mailbox: back-pressure is a withheld reply.
//!
//! # Embedding
//!
//! ```no_run
//! use std::time::Duration;
//! use status_validator::assemble;
//! use status_validator::engine::{Engine, RunRequest};
//! use status_validator::settings::Settings;
//!
//! # async fn embed() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::load("Settings.toml")?;
//! let engine = Engine::start(assemble::parts(&settings)?)?; // its own thread and actix system
//! let report = engine.handle().run(RunRequest::default()).await?; // from any async runtime
//! println!("{} rows invalid", report.tally.rows_invalid);
//! engine.shutdown(Duration::from_secs(30)).await;
//! # Ok(())
//! # }
//! ```

pub mod assemble;
pub mod cli;
pub mod daemon;
pub mod domain;
pub mod engine;
mod fault;
pub mod http;
pub mod llm;
pub mod net;
pub mod sandbox;
pub mod settings;
pub mod store;
pub mod table;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "otel")]
pub mod traces;
