//! Excel workbooks: rows are read from a sheet, results are kept in a sheet that people work in too.
//!
//! - [`guard`] admits a file before anything parses it: what it is, and that it is no bomb.
//! - [`source`] reads a sheet row by row.
//! - [`create`] builds a new results workbook; [`edit`] changes a workbook in place, so that everything
//!   people made in it survives byte for byte; [`sink`] drives both.

mod a1;
mod address;
mod census;
mod create;
mod edit;
mod guard;
mod sink;
mod source;
#[cfg(test)]
mod survival;
mod text;

pub use sink::{XlsxSink, XlsxSinkParams};
pub use source::{XlsxSource, XlsxSourceParams};

/// Rows of a sheet, Excel's limit.
const MAX_ROWS: u32 = 1_048_576;
/// Columns of a sheet, Excel's limit.
const MAX_COLUMNS: u32 = 16_384;
/// UTF-16 units of a cell's text, Excel's limit.
const MAX_CELL_UNITS: usize = 32_767;
/// Hyperlinks of a sheet, Excel's limit.
const MAX_LINKS: usize = 65_530;
