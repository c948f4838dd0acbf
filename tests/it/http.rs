//! Status page, API, events and metrics, as clients see them: over sockets, from a server at work.

mod api;
mod clients;
mod guard;
mod house;
mod mounted;
mod pages;
