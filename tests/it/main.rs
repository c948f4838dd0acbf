//! Integration tests, one file a topic, in one binary.

mod engine;
mod faults;
mod store;
mod support;
