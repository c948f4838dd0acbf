//! Google Sheets, against the sandbox in the same process.

mod people;
mod sink;
mod sweep;
