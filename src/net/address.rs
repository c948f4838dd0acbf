//! Addresses of services: encrypted, unless they never leave this machine.

use std::net::IpAddr;

use reqwest::Url;

/// Checks that an address is https, or http on this machine, and carries no password.
///
/// # Errors
/// What to do about it.
pub(crate) fn check(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "write it as https://host/path")?;
    match (url.scheme(), url.host_str()) {
        (_, None) => Err("write it as https://host/path"),
        _ if !url.username().is_empty() || url.password().is_some() => {
            Err("keep names and passwords out of addresses; keys belong into api_key_env or api_key_file")
        }
        _ if url.query().is_some() || url.fragment().is_some() => Err("leave out everything from ? or # on"),
        ("https", _) => Ok(()),
        ("http", _) if is_loopback(text) => Ok(()),
        ("http", _) => Err("use https: plain http is for this machine only (localhost, 127.0.0.1, ::1)"),
        _ => Err("write it as https://host/path"),
    }
}

/// True if the address is on this machine.
pub(crate) fn is_loopback(text: &str) -> bool {
    let url = Url::parse(text).ok();
    let Some(host) = url.as_ref().and_then(Url::host_str) else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// True if the address may carry a name, a password or a key, whether it can be parsed or not.
pub(crate) fn has_secret(text: &str) -> bool {
    text.contains(['@', '?', '#']) || text.starts_with("sk-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_goes_without_encryption() {
        for fine in [
            "https://api.openai.com/v1",
            "http://localhost:11434/v1",
            "http://127.0.0.9:1",
            "http://[::1]:8080/v1",
        ] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        for wrong in [
            "http://api.openai.com/v1",
            "http://localhost.evil.org",
            "http://127.0.0.1.evil.org",
            "ftp://localhost",
            "api.openai.com",
            "https://",
            "https://user:pass@host/v1",
            "https://host/v1?key=1",
            "file:///etc/passwd",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
