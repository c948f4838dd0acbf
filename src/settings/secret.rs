//! Finding a provider's key without ever showing it.

use std::fs;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::merged::Merged;
use super::origin::Origin;

/// A key was looked for in these places and not found: each place with its reason, without any value.
pub(super) struct NotFound(pub Vec<String>);

/// Looks for a provider's key: in the strongest layer first, within a layer in the order credential, file,
/// variable, inline. `Ok(None)` if no place is named at all.
pub(super) fn api_key(merged: &mut Merged, provider: &str) -> Result<Option<SecretString>, NotFound> {
    let mut places = ["api_key_credential", "api_key_file", "api_key_env", "api_key"]
        .map(|name| format!("{provider}.{name}"))
        .into_iter()
        .filter_map(|key| Some((merged.strength(&key)?, key)))
        .collect::<Vec<_>>();
    // A stable sort: within a layer the order above stays.
    places.sort_by_key(|(strength, _)| std::cmp::Reverse(*strength));
    let mut misses = Vec::new();
    for (_, key) in &places {
        match look(merged, key) {
            Ok((secret, origin)) => {
                merged.resolved.insert(format!("{provider}.api_key"), ("***".to_owned(), origin));
                return Ok(Some(secret));
            }
            Err(miss) => misses.push(miss),
        }
    }
    if misses.is_empty() { Ok(None) } else { Err(NotFound(misses)) }
}

fn look(merged: &mut Merged, key: &str) -> Result<(SecretString, Origin), String> {
    let given = merged.text(key).unwrap_or_default();
    let origin = merged.origin(key).unwrap_or(Origin::Default);
    let shown = merged.shown(key).unwrap_or_default();
    match key.rsplit('.').next() {
        Some("api_key_credential") => {
            let path = credential(merged, &given, &shown)?;
            Ok((read(&path, &format!("the credential {shown}"))?, origin))
        }
        Some("api_key_file") => {
            let path = merged.path(key).unwrap_or_default();
            let secret = read(&path, &format!("the key file {shown}"))?;
            if readable_by_others(&path) {
                merged.warn(format!("{} ({key}) can be read by other users: chmod 600 it", path.display()));
            }
            Ok((secret, origin))
        }
        Some("api_key_env") => {
            let (value, origin) =
                merged.environment.get(&given).ok_or_else(|| format!("the variable {shown} is not set"))?;
            Ok((usable(value, &format!("the variable {shown}"))?, origin))
        }
        _ => {
            let secret = usable(&given, "the key")?;
            merged.warn(format!(
                "{key} stands in {origin}: keep keys in variables or files, out of the settings"
            ));
            Ok((secret, origin))
        }
    }
}

/// The file of a credential that systemd hands over
/// (<https://systemd.io/CREDENTIALS/>).
pub(super) fn credential(merged: &Merged, name: &str, shown: &str) -> Result<PathBuf, String> {
    let (folder, _) = merged.environment.get("CREDENTIALS_DIRECTORY").ok_or_else(|| {
        format!("CREDENTIALS_DIRECTORY is not set, so there is no credential {shown} (systemd sets it)")
    })?;
    if name.contains(['/', '\\']) || name == ".." {
        return Err(format!("the credential {shown} is no plain name"));
    }
    Ok(Path::new(folder).join(name))
}

fn read(path: &Path, place: &str) -> Result<SecretString, String> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => format!("{place} is no text"),
        _ => format!("{place} cannot be read: {}", error.kind()),
    })?;
    usable(&text, place)
}

/// A key as it goes into a header: trimmed, not empty, plain ASCII on one line.
fn usable(text: &str, place: &str) -> Result<SecretString, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("{place} is empty"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!(
            "{place} holds characters that no key has (blanks, line breaks or other alphabets)"
        ));
    }
    Ok(SecretString::from(text))
}

/// True if other users of this machine can read a file.
#[cfg(unix)]
pub(super) fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(super) fn readable_by_others(_path: &Path) -> bool {
    false
}
