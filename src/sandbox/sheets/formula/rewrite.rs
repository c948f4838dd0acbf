//! Rewrites the references of a formula and leaves the rest of its text as it is.

use super::lexer::{Kind, tokens};
use super::reference::Reference;
use crate::sandbox::sheets::spreadsheet::Spreadsheet;

/// The formula with other references: none of a reference leaves it, and what is gone is `#REF!`.
///
/// Gives none if nothing changes.
pub(crate) fn rewritten(
    text: &str,
    decimal_comma: bool,
    mut other: impl FnMut(Reference) -> Option<Reference>,
) -> Option<String> {
    let mut result = String::with_capacity(text.len());
    let mut copied = 0;
    for token in tokens(text, 1, decimal_comma)? {
        let Kind::Reference(reference) = token.kind else { continue };
        let new = other(reference).map_or_else(|| "#REF!".to_owned(), |reference| reference.text());
        if text.get(token.span.clone()) != Some(new.as_str()) {
            result.push_str(text.get(copied..token.span.start)?);
            result.push_str(&new);
            copied = token.span.end;
        }
    }
    if copied == 0 {
        return None;
    }
    result.push_str(text.get(copied..)?);
    Some(result)
}

/// The formula as it is kept: references in capitals and in order, titles as their sheets have them, and
/// arguments separated in the way of the locale.
pub(crate) fn canonical(text: &str, decimal_comma: bool, book: &Spreadsheet) -> String {
    let references = rewritten(text, decimal_comma, |mut reference| {
        if let Some(title) = &reference.title
            && let Some(tab) = book.titled(title).and_then(|at| book.tab(at))
        {
            reference.title = Some(tab.title.clone());
        }
        Some(reference.ordered())
    });
    let text = references.unwrap_or_else(|| text.to_owned());
    if decimal_comma {
        return text;
    }
    let mut result = text.clone();
    for token in tokens(&text, 1, decimal_comma).into_iter().flatten() {
        if token.kind == Kind::Separator {
            result.replace_range(token.span, ",");
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sandbox::sheets::tab::Tab;

    #[test]
    fn formulas_are_kept_in_one_form() {
        let mut book = Spreadsheet::new("id", "Book");
        for (id, title) in [(1, "Sales"), (2, "It's")] {
            book.tabs.push(Arc::new(Tab::new(id, title, 10, 5)));
        }
        for (text, expected) in [
            ("=sum( sales!a3:a3 )", "=sum( Sales!A3 )"),
            ("='Sales'!B3:a2", "=Sales!A2:B3"),
            ("=SUM(  A1 ;  'it''s'!a1:a1  )", "=SUM(  A1 ,  'It''s'!A1  )"),
            ("=if(true,\"a3:a3\",'It''s'!A1)", "=if(true,\"a3:a3\",'It''s'!A1)"),
            ("=other!a1", "=other!A1"),
            ("=1+", "=1+"),
            ("=\"open", "=\"open"),
        ] {
            assert_eq!(canonical(text, false, &book), expected);
        }
        assert_eq!(canonical("=SUM(1,5;a1)", true, &book), "=SUM(1,5;A1)");
    }

    #[test]
    fn gone_references_are_marked() {
        let gone = rewritten("=A1+SUM(B2:C3)", false, |reference| reference.last.map(|_| reference));
        assert_eq!(gone.as_deref(), Some("=#REF!+SUM(B2:C3)"));
        assert_eq!(rewritten("=A1+1", false, Some), None);
    }
}
