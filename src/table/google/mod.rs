//! Google Sheets as a source and as a results table.

mod account;
mod cells;
mod fault;
mod key_file;
mod pace;
mod patience;
mod place;
mod rules;
mod sink;
mod source;
mod tabs;
mod tokens;
mod values;
mod wire;

pub use account::{API, Account};
pub use key_file::{KeyFile, KeyFileError};
pub use rules::{Published, RulesTab};
pub use sink::{GoogleSink, GoogleSinkParams};
pub use source::{GoogleSource, GoogleSourceParams};
pub use wire::Wire;
