//! The keys of the models that this process knows: hidden in whatever it says, even in the message of a panic, and in
//! no core dump.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

use super::exit::CliError;

/// All keys of the settings that were loaded. Panics are reported from anywhere, so it is the process's.
static KNOWN: RwLock<Vec<SecretString>> = RwLock::new(Vec::new());

/// A placeholder such as "x" for a local server is no secret, and would tear every word apart.
const SHORTEST: usize = 8;

/// From now on these are hidden.
pub(crate) fn know<'a>(keys: impl Iterator<Item = &'a SecretString>) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for key in keys.map(ExposeSecret::expose_secret).filter(|key| key.len() >= SHORTEST) {
        // As it is, and as it stands in JSON.
        let escaped = serde_json::to_string(key).unwrap_or_default();
        for form in [key, escaped.trim_matches('"')] {
            // A daemon reads its settings again and again.
            if !known.iter().any(|known| known.expose_secret() == form) {
                known.push(SecretString::from(form));
            }
        }
    }
    // The longest first: one key may be the beginning of another.
    known.sort_by_key(|key| std::cmp::Reverse(key.expose_secret().len()));
}

/// A token that others have to show: of one line, and long enough not to be guessed.
pub(crate) fn read_token(path: &Path) -> Result<SecretString, CliError> {
    let refused = |what: String| CliError::usage(format!("serve.token_file: {}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let token = text.trim();
    if token.len() < SHORTEST_TOKEN || token.chars().any(|c| !c.is_ascii_graphic()) {
        let what = format!(
            "holds no token of {SHORTEST_TOKEN} or more letters and digits; `openssl rand -hex 32` makes one"
        );
        return Err(refused(what));
    }
    let token = SecretString::from(token);
    know(std::iter::once(&token));
    Ok(token)
}

const SHORTEST_TOKEN: usize = 16;

/// The text without them.
pub(crate) fn hidden(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    known.iter().fold(Cow::Borrowed(text), |text, key| match text.contains(key.expose_secret()) {
        true => Cow::Owned(text.replace(key.expose_secret(), "***")),
        false => text,
    })
}

/// The memory of this process goes into no core dump, and no other process of the same user reads it. Where the system
/// has no such thing, it stays as it is.
pub(crate) fn keep_out_of_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).ok();
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hidden_and_placeholders_are_not_keys() {
        let keys =
            ["sk-canary-of", "sk-canary-of-a-unit-test", "canary\"quoted", "x"].map(SecretString::from);
        know(keys.iter());
        know(keys.iter());
        let kept = |key| KNOWN.read().unwrap().iter().filter(|known| known.expose_secret() == key).count();
        assert_eq!(kept("sk-canary-of"), 1, "settings that are read again bring no new keys");
        assert_eq!(hidden(r#"{"a":"canary\"quoted"}"#), r#"{"a":"***"}"#);
        assert_eq!(hidden("a sk-canary-of-a-unit-test, axe"), "a ***, axe");
        assert!(matches!(hidden("plain"), Cow::Borrowed(_)));
    }
}
