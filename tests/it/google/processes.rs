//! The program as it runs against Google Sheets: in a process of its own, against a sandbox in another one.

mod check;
mod kill;
mod network;
#[cfg(target_os = "linux")] // tells of memory
mod scale;
