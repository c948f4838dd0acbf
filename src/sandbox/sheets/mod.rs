//! Google Sheets, and the little of Google Drive that goes with it, as a pure state machine.
//!
//! [`Office`] holds spreadsheets; [`Office::answer`] takes a [`Call`] and gives the [`Answer`] that the real
//! service would give, in its shapes and its words. There is no I/O and no clock in it: the moment of a call
//! comes with the call, and ids come from a seed.
//!
//! # The way of a call
//!
//! [`call`] finds out what a path means. [`schema`] reads the body as a message and knows which fields there
//! are; a body that does not fit is refused in the words of the service. A call that changes something works
//! on a [`draft`], a copy of the spreadsheet that shares its rows with the old one until they change; only when
//! all went well does the draft take its place. So a refused call has changed nothing.
//!
//! # The parts
//!
//! | module | holds |
//! |---|---|
//! | [`office`], [`load`], [`look`] | the spreadsheets: asked, filled, looked at |
//! | [`service`], [`values`], [`batch`], [`view`] | the calls of Sheets |
//! | [`drive`] | the calls of Drive |
//! | [`spreadsheet`], [`tab`], [`grid`], [`cell`] | what a spreadsheet is made of |
//! | [`lines`], [`shift`] | what happens to all of it when rows or columns come and go |
//! | [`a1`] | how ranges are written |
//! | [`entry`], [`display`] | what typed texts mean, and what cells show |
//! | [`formula`] | formulas |
//!
//! Where the real service is known to behave in two ways, [`Switches`] says which one is meant.

mod a1;
mod batch;
#[cfg(test)]
mod bench;
mod call;
mod cell;
mod dims;
mod display;
mod draft;
mod drive;
mod entry;
mod format;
mod formula;
mod grid;
mod ids;
mod json;
mod lines;
mod load;
mod lock;
mod look;
mod metadata;
mod office;
mod query;
mod refusal;
mod schema;
mod service;
mod shift;
mod spreadsheet;
mod tab;
mod value;
mod values;
mod view;

pub use call::{Answer, Call, Kind, Service};
pub use load::{LoadError, Typed};
pub use look::{BookLook, CellLook, LinkLook, SheetLook};
pub use office::{Office, Switches};
pub use value::ErrorKind;
