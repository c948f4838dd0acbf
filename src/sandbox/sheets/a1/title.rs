//! Titles of sheets in ranges: which ones the API quotes, and how a range is cut into title and cells.

use super::parse::looks_like_cells;

/// The title as it stands before `!`: quoted where the API quotes it.
pub(crate) fn quoted(title: &str) -> String {
    let plain = title.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && title.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        && !looks_like_cells(title);
    if plain { title.to_owned() } else { format!("'{}'", title.replace('\'', "''")) }
}

/// The title and the cells of a range: `'a!b'!A1` is `a!b` and `A1`. A title without cells is quoted.
pub(super) fn split(text: &str) -> (Option<String>, Option<&str>) {
    if let Some(rest) = text.strip_prefix('\'') {
        let Some((title, rest)) = unquote(rest) else { return (None, Some(text)) };
        return match rest.strip_prefix('!') {
            Some(cells) => (Some(title), Some(cells)),
            None if rest.is_empty() => (Some(title), None),
            None => (None, Some(text)),
        };
    }
    match text.rsplit_once('!') {
        Some((title, cells)) => (Some(title.to_owned()), Some(cells)),
        None => (None, Some(text)),
    }
}

/// The text up to the closing quote, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut title = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\'' {
            title.push(c);
            continue;
        }
        let rest = text.get(at + 1..)?;
        if !rest.starts_with('\'') {
            return Some((title, rest));
        }
        title.push('\'');
        chars.next();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_quoted_where_they_must_be() {
        for plain in ["Sheet1x", "Sheet_1", "TRUE", "x.y", "Sales", "Status", "_a", "ABCD1", "RC_1"] {
            assert_eq!(quoted(plain), plain);
        }
        for title in
            ["My Tab", "D3", "ABC1234", "R1C1", "RC", "2026", "Ünï", "Лист1", "a-b", "🌵 1", "", "1a", "a!b"]
        {
            assert_eq!(quoted(title), format!("'{title}'"));
        }
        assert_eq!(quoted("It's"), "'It''s'");
        assert_eq!(quoted("Sheet1"), "Sheet1");
    }

    #[test]
    fn ranges_are_cut() {
        for (text, title, cells) in [
            ("Sheet1!A1", Some("Sheet1"), Some("A1")),
            ("'It''s'!A1:B2", Some("It's"), Some("A1:B2")),
            ("'a!b'!A1", Some("a!b"), Some("A1")),
            ("a!b!A1", Some("a!b"), Some("A1")),
            ("'A1'", Some("A1"), None),
            ("A1", None, Some("A1")),
            ("My Tab", None, Some("My Tab")),
            ("'open", None, Some("'open")),
            ("'a'b", None, Some("'a'b")),
        ] {
            assert_eq!(split(text), (title.map(str::to_owned), cells), "{text}");
        }
    }
}
