//! CSV files as sources and as results tables.

mod dialect;
mod encoding;
mod neutralise;
mod record;
mod source;

pub use encoding::Encoding;
pub use source::{CsvSource, CsvSourceParams};
