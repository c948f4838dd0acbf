//! A service account that exists only here: its key is made when the sandbox starts and forgotten with it.

use getrandom::SysRng;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rsa::sha2::Sha256;
use rsa::signature::Verifier as _;
use rsa::{PrivateKey, PublicKey};
use serde_json::{Value, json};

/// The account's address.
pub const ACCOUNT: &str = "sandbox@status-validator.iam.gserviceaccount.com";

/// What Google's own keys have.
const BITS: usize = 2048;

/// A key that signs in here and nowhere else. Clones are the same key: making one takes a moment.
#[derive(Clone)]
pub struct ThrowAwayKey {
    pem: String,
    id: String,
    public: PublicKey,
}

impl ThrowAwayKey {
    /// Makes a key.
    ///
    /// # Errors
    /// If the machine gives no randomness.
    pub fn new() -> Result<Self, rsa::Error> {
        let key = PrivateKey::new(&mut SysRng, BITS)?;
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(rsa::Error::Pkcs8)?;
        let id = blake3::hash(pem.as_bytes()).to_hex()[..40].to_owned();
        Ok(Self { pem: pem.as_str().to_owned(), id, public: key.to_public_key() })
    }

    /// The account's key file, in the form of Google's. Tokens are asked for at `token_uri`.
    pub fn file(&self, token_uri: &str) -> Value {
        json!({
            "type": "service_account",
            "project_id": "status-validator",
            "private_key_id": self.id,
            "private_key": self.pem,
            "client_email": ACCOUNT,
            "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "universe_domain": "googleapis.com",
        })
    }

    /// True if this key signed these bytes, by RSASSA-PKCS1-v1_5 with SHA-256.
    pub(super) fn has_signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let key = VerifyingKey::<Sha256>::new(self.public.clone());
        Signature::try_from(signature).is_ok_and(|signature| key.verify(bytes, &signature).is_ok())
    }
}

impl std::fmt::Debug for ThrowAwayKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThrowAwayKey").field("id", &self.id).finish_non_exhaustive()
    }
}
