//! Google Sheets, against the sandbox in the same process; `processes`: against one in a process of its own.

mod engine;
mod faults;
mod headers;
mod hostile;
mod moves;
mod people;
mod processes;
mod refusals;
mod sink;
mod size;
mod source;
mod sweep;
mod takeover;
