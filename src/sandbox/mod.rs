//! A local stand-in for the services that Status Validator talks to, to try, test and measure against.

pub mod sheets;
