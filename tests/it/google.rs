//! Google Sheets, against the sandbox in the same process.

mod engine;
mod faults;
mod headers;
mod hostile;
mod people;
mod refusals;
mod sink;
mod size;
mod source;
mod sweep;
mod takeover;
