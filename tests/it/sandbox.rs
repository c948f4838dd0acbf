//! The stand-in for Google Sheets against recordings of the real one, and as its users see it.

mod client;
mod command;
mod model;
mod server;
mod vectors;
