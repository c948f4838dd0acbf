//! Integration tests, one file a topic, in one binary.

mod cli;
mod edges;
mod engine;
mod faults;
mod golden;
mod kill;
mod openai;
mod scale;
mod settings;
mod singles;
mod store;
mod support;
mod tidy;
