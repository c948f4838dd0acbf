//! Google Sheets, against the sandbox in the same process.

mod faults;
mod sink;
mod source;
