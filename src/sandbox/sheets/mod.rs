//! Google Sheets, and the little of Google Drive that goes with it, as a pure state machine.
mod a1;
mod call;
mod cell;
mod dims;
mod display;
mod entry;
mod format;
mod formula;
mod grid;
mod json;
mod metadata;
mod query;
mod refusal;
mod schema;
mod shift;
mod spreadsheet;
mod tab;
mod value;

pub use call::{Answer, Call, Kind, Service};
pub use value::ErrorKind;
