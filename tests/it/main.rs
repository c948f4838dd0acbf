//! Integration tests, one file a topic, in one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod budget;
mod canary;
mod cli;
mod crash;
mod edges;
mod engine;
mod faults;
mod golden;
mod google;
mod hostile;
mod http;
mod injection;
mod instances;
mod jobs;
mod kill;
mod limiter;
mod malformed;
mod network;
mod openai;
mod providers;
mod readme;
mod reliability;
mod sandbox;
mod scale;
mod serve;
mod settings;
mod singles;
mod store;
mod support;
mod tidy;
mod traces;
mod trouble;
mod watching;
