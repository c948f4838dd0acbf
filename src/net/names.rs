//! The names under which this machine reaches a service of its own.

use std::net::SocketAddr;

/// What a `Host` header may say (RFC 9110, 7.2) for a service that listens on this address: the address and the machine's
/// names for itself, with the port; without it where it is the port of http.
pub fn own_names(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    let mut names = vec![address.to_string()];
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        names.push(format!("{host}:{port}"));
        if port == 80 {
            names.push(host.to_owned());
        }
    }
    names
}
