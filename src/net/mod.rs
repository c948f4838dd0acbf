//! What every connection of ours keeps to: where it may go, and how it is encrypted.

pub(crate) mod address;
pub(crate) mod tls;
