//! What every connection of ours keeps to: where it may go, how it is encrypted, and what of its answers is not shown.

pub(crate) mod address;
pub(crate) mod mask;
mod names;
mod network;
pub(crate) mod tls;

pub use names::own_names;
pub(crate) use network::check_proxy;
pub use network::{Network, NetworkError};
