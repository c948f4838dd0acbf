//! TLS: rustls with ring, and nothing installed process-wide.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::Network;

/// A client's TLS settings: TLS 1.2 and 1.3. Which HTTP is spoken over it is for the client to say.
///
/// Trusts the certificates of this machine (`SSL_CERT_FILE` and `SSL_CERT_DIR` count, as for OpenSSL); a
/// machine that brings none gets Mozilla's, which are compiled in; and what the network trusts besides. Nothing switches
/// the checks off. Reads files: call it once a client.
///
/// # Errors
/// If ring cannot serve the protocol versions, which would be a fault of the build.
pub(crate) fn client_config(network: &Network) -> Result<ClientConfig, rustls::Error> {
    let mut roots = roots();
    let (_, unusable) = roots.add_parsable_certificates(network.trusted().iter().cloned());
    if unusable > 0 {
        tracing::warn!(unusable, "certificates of network.ca_file that cannot be used");
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "a certificate of this machine cannot be read");
    }
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    if unusable > 0 {
        tracing::debug!(unusable, "certificates of this machine that cannot be used");
    }
    if roots.is_empty() {
        tracing::info!("this machine brings no root certificates: the built-in ones are used");
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_always_roots_and_no_global_provider() {
        assert!(!roots().is_empty());
        assert!(client_config(&Network::default()).is_ok());
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    }
}
