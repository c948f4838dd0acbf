//! Google Sheets, against the sandbox in the same process.

mod sink;
mod source;
