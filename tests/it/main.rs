//! Integration tests, one file a topic, in one binary.

mod engine;
mod faults;
mod golden;
mod openai;
mod settings;
mod store;
mod support;
mod tidy;
