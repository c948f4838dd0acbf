//! The key file of a service account: read, and checked before anything is asked of Google.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::SigningKey as _;
use serde_json::Value;
use yup_oauth2::ServiceAccountKey;

use crate::net::address;

/// A key file that can be signed in with.
#[derive(Clone)]
pub struct KeyFile {
    pub(super) key: ServiceAccountKey,
}

/// Why a key file cannot be used. Says nothing of what is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key file {}: {problem}", .path.display())]
pub struct KeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// How people get a key file.
const MAKE_ONE: &str = "make a JSON key for a service account in the Google Cloud console \
                        (IAM & Admin, Service Accounts, Keys)";

impl KeyFile {
    /// Reads a key file as the Google Cloud console gives it.
    ///
    /// # Errors
    /// If there is no such file, or if it is not the JSON key of a service account.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let wrong = |problem: String| KeyFileError { path: path.to_owned(), problem };
        let text = fs::read_to_string(path).map_err(|error| {
            wrong(match error.kind() {
                ErrorKind::NotFound => format!("it does not exist; check the path, or {MAKE_ONE}"),
                ErrorKind::PermissionDenied => {
                    "it may not be read by this user; chown it to the one who runs \
                                                the program, and chmod 600"
                        .to_owned()
                }
                ErrorKind::InvalidData => format!("it is no text; {MAKE_ONE}"),
                _ => format!("it cannot be read: {error}"),
            })
        })?;
        Self::parse(&text).map_err(wrong)
    }

    /// A key that comes from elsewhere than a file: the JSON text as the Google Cloud console gives it.
    ///
    /// # Errors
    /// If it is not the JSON key of a service account.
    pub fn from_json(text: &str) -> Result<Self, KeyFileError> {
        Self::parse(text).map_err(|problem| KeyFileError { path: PathBuf::from("(given as text)"), problem })
    }

    /// The e-mail address that spreadsheets are shared with.
    pub fn email(&self) -> &str {
        &self.key.client_email
    }

    fn parse(text: &str) -> Result<Self, String> {
        // The parser's own messages quote what they find, which may be the key.
        let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| format!("it is no JSON (line {}); {MAKE_ONE}", error.line()))?;
        let field = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
        match field("type") {
            "service_account" => {}
            "" if json.get("installed").is_some() || json.get("web").is_some() => {
                return Err(format!("it is an OAuth client's, not a service account's; {MAKE_ONE}"));
            }
            "" => return Err(format!("it is not a service account's: it has no \"type\"; {MAKE_ONE}")),
            other => return Err(format!("it is not a service account's but of type «{other}»; {MAKE_ONE}")),
        }
        let needed = ["client_email", "private_key", "token_uri"];
        let missing: Vec<&str> = needed.into_iter().filter(|name| field(name).trim().is_empty()).collect();
        if !missing.is_empty() {
            return Err(format!("it lacks {}; download it again", missing.join(", ")));
        }
        if !field("private_key").trim_start().starts_with("-----BEGIN") {
            return Err("its private_key is no PEM; download it again, and do not edit it".to_owned());
        }
        if !can_sign(field("private_key")) {
            return Err(
                "its private_key is damaged: no RSA key can be read from it; download it again, and do not \
                        edit it"
                    .to_owned(),
            );
        }
        if let Err(hint) = address::check(field("token_uri")) {
            return Err(format!("its token_uri is no address to send keys to: {hint}"));
        }
        let key = serde_json::from_value(json)
            .map_err(|_| "a field of it is no text; download it again".to_owned())?;
        Ok(Self { key })
    }
}

/// True if a key can be read from this PEM, of the kind that service accounts sign with.
fn can_sign(pem: &str) -> bool {
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok();
    let signing = key.and_then(|key| rustls::crypto::ring::sign::RsaSigningKey::new(&key).ok());
    signing.is_some_and(|key| key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).is_some())
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyFile").field("email", &self.email()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DAMAGED: &str = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";

    /// A key that is made once: it takes a moment.
    fn pem() -> &'static str {
        static PEM: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        PEM.get_or_init(|| {
            let file = crate::sandbox::ThrowAwayKey::new().unwrap().file("http://127.0.0.1:1/token");
            file["private_key"].as_str().unwrap().to_owned()
        })
    }

    fn good() -> Value {
        json!({
            "type": "service_account",
            "client_email": "sv@office.iam.gserviceaccount.com",
            "private_key": pem(),
            "token_uri": "https://oauth2.googleapis.com/token",
            "universe_domain": "googleapis.com",
        })
    }

    #[test]
    fn a_key_file_is_known_by_what_it_holds() {
        let file = KeyFile::parse(&format!("\u{feff}{}", good())).unwrap();
        assert_eq!(file.email(), "sv@office.iam.gserviceaccount.com");
        assert!(!format!("{file:?}").contains(&pem()[40..80]));
        let with = |name: &str, value: Value| {
            let mut json = good();
            json[name] = value;
            KeyFile::parse(&json.to_string()).unwrap_err()
        };
        for (name, value, expected) in [
            ("type", json!("authorized_user"), "of type «authorized_user»"),
            ("type", json!(null), "has no \"type\""),
            ("client_email", json!(""), "lacks client_email"),
            ("private_key", json!("c2VjcmV0"), "no PEM"),
            ("private_key", json!(DAMAGED), "damaged"),
            ("token_uri", json!("http://evil.example/token"), "token_uri"),
            ("project_id", json!(7), "a field of it is no text"),
        ] {
            let told = with(name, value);
            assert!(told.contains(expected) && !told.contains("c2VjcmV0"), "{told}");
        }
        for (text, expected) in [
            ("", "no JSON"),
            ("-----BEGIN PRIVATE KEY-----", "no JSON"),
            (r#"{"installed": {"client_id": "x"}}"#, "OAuth client"),
            ("[]", "has no \"type\""),
        ] {
            assert!(KeyFile::parse(text).unwrap_err().contains(expected), "{text}");
        }
    }

    #[test]
    fn files_that_cannot_be_read_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        let error = KeyFile::read(&path).unwrap_err().to_string();
        assert!(error.contains("key.json") && error.contains("does not exist"), "{error}");
        fs::write(&path, [0xff, 0xfe, 0]).unwrap();
        assert!(KeyFile::read(&path).unwrap_err().problem.contains("no text"));
        assert!(KeyFile::read(folder.path()).is_err());
    }
}
