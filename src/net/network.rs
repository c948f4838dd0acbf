//! How connections are made: whom they trust besides the usual authorities, and through which proxy they go.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::Uri;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// How connections are made. By default they go straight to their server and trust the authorities of this machine;
/// variables such as `HTTPS_PROXY` do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    trusted: Arc<[CertificateDer<'static>]>,
    proxy: Option<Uri>,
}

/// Why a network cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The file with certificates cannot be read.
    #[error("{}: {problem}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The proxy's address is none.
    #[error("«{address}» is no proxy: {problem}")]
    Proxy {
        /// The address.
        address: String,
        /// What is wrong, and what to do.
        problem: &'static str,
    },
}

impl Network {
    /// Trusts the certificates in a PEM file, too: those of a company's own authority.
    ///
    /// # Errors
    /// If it cannot be read or holds no certificate.
    pub fn trusting(self, path: &Path) -> Result<Self, NetworkError> {
        let wrong = |problem: String| NetworkError::Certificates { path: path.to_owned(), problem };
        let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|error| wrong(format!("no certificates can be read from it: {error}")));
        match found? {
            none if none.is_empty() => Err(wrong(
                "it holds no certificate; it takes PEM, with -----BEGIN CERTIFICATE-----".to_owned(),
            )),
            trusted => Ok(Self { trusted: trusted.into(), ..self }),
        }
    }

    /// Goes through a proxy, but for servers on this machine.
    ///
    /// # Errors
    /// See [`check_proxy`].
    pub fn through(self, address: &str) -> Result<Self, NetworkError> {
        let shown = if super::address::has_secret(address) { "***" } else { address };
        let wrong = |problem| NetworkError::Proxy { address: shown.to_owned(), problem };
        check_proxy(address).map_err(wrong)?;
        let proxy = address.parse().map_err(|_| wrong(AS_PROXY))?;
        Ok(Self { proxy: Some(proxy), ..self })
    }

    pub(crate) fn trusted(&self) -> &[CertificateDer<'static>] {
        &self.trusted
    }

    pub(crate) fn proxy(&self) -> Option<&Uri> {
        self.proxy.as_ref()
    }
}

const AS_PROXY: &str = "write it as http://host:port";

/// Checks the address of a proxy: `http://host:port`. What goes through it is encrypted from end to end.
///
/// # Errors
/// What to do about it.
pub(crate) fn check_proxy(address: &str) -> Result<(), &'static str> {
    let url = reqwest::Url::parse(address).map_err(|_| AS_PROXY)?;
    match url.scheme() {
        "http" if !url.username().is_empty() || url.password().is_some() => {
            Err("keep names and passwords out of addresses: this proxy cannot be used")
        }
        "http" if url.has_host() && url.path() == "/" && url.query().is_none() => Ok(()),
        _ => Err(AS_PROXY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_plain_addresses() {
        for fine in ["http://proxy:3128", "http://10.0.0.1:8080/", "http://[::1]:1"] {
            assert!(Network::default().through(fine).unwrap().proxy().is_some(), "{fine}");
        }
        for wrong in
            ["proxy:3128", "https://proxy", "http://me:pass@proxy:1", "http://proxy/path", "socks5://p:1", ""]
        {
            assert!(Network::default().through(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let error = Network::default().through("http://me:pass@proxy:1").unwrap_err();
        assert!(!format!("{error}{error:?}").contains("pass@"), "{error}");
    }

    #[test]
    fn a_file_without_certificates_is_told_from_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let error = Network::default().trusting(&path).unwrap_err().to_string();
        assert!(error.contains("ca.pem: no certificates can be read from it"), "{error}");
        std::fs::write(&path, "no PEM").unwrap();
        let error = Network::default().trusting(&path).unwrap_err().to_string();
        assert!(error.contains("BEGIN CERTIFICATE"), "{error}");
    }
}
