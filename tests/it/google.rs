//! Google Sheets, against the sandbox in the same process.

mod engine;
mod faults;
mod hostile;
mod moves;
mod people;
mod refusals;
mod sink;
mod size;
mod source;
mod sweep;
mod takeover;
