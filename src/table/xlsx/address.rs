//! How a source is addressed from a results workbook.

use std::path::{Path, absolute};

/// The address of the file or page `url`, for a link in the workbook `from`; none if it must not be linked.
///
/// A file in the folder of the workbook is named without it, so the link still works when both are moved.
pub(super) fn from_workbook(from: &Path, url: &str) -> Option<String> {
    if let Some((scheme, _)) = url.split_once("://") {
        let is_known = ["http", "https", "file"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        return is_known.then(|| escape(url, ""));
    }
    let (source, from) = (absolute(url).ok()?, absolute(from).ok()?);
    if !source.exists() {
        return Some(escape(url, "%#?:")); // a name that its source gave without a folder
    }
    if source.parent() == from.parent() {
        return Some(escape(source.file_name()?.to_str()?, "%#?:"));
    }
    let path = source.to_str()?.replace('\\', "/");
    let slash = if path.starts_with('/') { "" } else { "/" };
    Some(format!("file://{slash}{}", escape(&path, "%#?")))
}

/// Writes characters that Excel does not take in an address, and those of `more`, as their bytes.
fn escape(address: &str, more: &str) -> String {
    let mut escaped = String::with_capacity(address.len());
    for character in address.chars() {
        let is_unsafe =
            character.is_control() || " \"<>[]^`{}|".contains(character) || more.contains(character);
        if is_unsafe {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_from_the_workbook_to_the_source() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let workbook = folder.path().join("review.xlsx");
        std::fs::create_dir(path("sub")).unwrap();
        for name in ["my #1.xlsx", "sub/статус 100%.xlsx"] {
            std::fs::write(path(name), "").unwrap();
        }
        let to = |url: &str| from_workbook(&workbook, url);
        assert_eq!(to(&path("my #1.xlsx")).as_deref(), Some("my%20%231.xlsx"));
        let far = to(&path("sub/статус 100%.xlsx")).unwrap();
        assert!(far.starts_with("file:///") && far.ends_with("/sub/статус%20100%25.xlsx"), "{far}");
        assert_eq!(to("absent here.csv").as_deref(), Some("absent%20here.csv"));
        assert_eq!(to("https://d.example/a?b=%20#c").as_deref(), Some("https://d.example/a?b=%20#c"));
        assert_eq!(to("https://d.example/\"><x"), Some("https://d.example/%22%3E%3Cx".into()));
        assert_eq!(to("ldap://d.example/x"), None);
        assert_eq!(to("javascript:alert(1)").as_deref(), Some("javascript%3Aalert(1)"));
    }
}
