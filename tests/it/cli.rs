//! The command line, run as its user runs it: the true binary, in a folder of its own.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers outside of test functions

mod commands;
mod hostile;
mod model;
mod review;
mod rubbish;
