//! CSV files as sources and as results tables.

mod commit;
mod dialect;
mod encoding;
mod line;
mod merge;
mod neutralise;
mod record;
mod results;
mod sink;
mod source;

pub use encoding::Encoding;
pub(crate) use neutralise::neutralise;
pub use sink::{CsvSink, CsvSinkParams};
pub use source::{CsvSource, CsvSourceParams};
