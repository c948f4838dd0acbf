//! For which names the sandbox answers.
//!
//! A page of the web may let its own name lead to 127.0.0.1 (DNS rebinding): a browser then takes the sandbox for
//! the page's origin and lets the page read and change what was loaded. The name stands in the `Host` header, which
//! a page cannot choose, so a request for a name that is not this machine's own is turned away.

use std::net::SocketAddr;

use hyper::Uri;
use hyper::header::{HOST, HeaderMap};

use crate::net::own_names;

/// Why a request for another name is turned away.
pub(super) const TURNED_AWAY: &str = "The sandbox answers only for the address that it listens on and for localhost, \
                                      with its port, so that no page of the web gets in under a name of its own. With \
                                      --allow-remote it answers for any name.\n";

/// The names that requests may be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hosts {
    /// Any: other machines are let in, or whoever asks is in this process.
    Any,
    /// These, in lower case.
    Only(Vec<String>),
}

impl Hosts {
    /// The names of a service that listens on this address.
    pub(super) fn of(address: SocketAddr) -> Self {
        Self::Only(own_names(address))
    }

    /// True if a request with this target and these headers is for one of them. A target with a name of its own
    /// counts instead of the header (RFC 9112, 3.2.2), so both have to fit.
    pub(super) fn admit(&self, target: &Uri, headers: &HeaderMap) -> bool {
        let Self::Only(names) = self else { return true };
        let known = |host: &str| names.iter().any(|name| host.eq_ignore_ascii_case(name));
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        host.to_str().is_ok_and(known) && target.authority().is_none_or(|target| known(target.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn admits(hosts: &Hosts, target: &str, names: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append(HOST, HeaderValue::from_static(name));
        }
        hosts.admit(&target.parse().unwrap(), &headers)
    }

    #[test]
    fn only_names_of_this_machine_get_in() {
        let own = Hosts::of("127.0.0.2:8700".parse().unwrap());
        for (names, expected) in [
            (&["127.0.0.2:8700"][..], true),
            (&["127.0.0.1:8700"], true),
            (&["LocalHost:8700"], true),
            (&["[::1]:8700"], true),
            (&["localhost"], false),
            (&["localhost:8701"], false),
            (&["evil.example:8700"], false),
            (&["localhost.evil.example:8700"], false),
            (&["127.0.0.1:8700", "evil.example:8700"], false),
            (&[], false),
        ] {
            assert_eq!(admits(&own, "/", names), expected, "{names:?}");
            assert!(admits(&Hosts::Any, "/", names));
        }
        assert!(!admits(&own, "http://evil.example/v4", &["localhost:8700"]));
        assert!(admits(&own, "http://localhost:8700/v4", &["localhost:8700"]));
        assert!(admits(&Hosts::of("[::1]:80".parse().unwrap()), "/", &["localhost"]));
    }
}
