//! Shows a number as a fraction: `# ?/?`, `# ??/16`.

use super::numbers;
use super::pattern::{Piece, Section};
use crate::sandbox::sheets::entry::Locale;

/// The most digits of a denominator that is looked for.
const MOST_DIGITS: usize = 4;
/// Beyond it a number has no fraction that could be told.
const LARGEST: f64 = 1e15;

/// The number as the section shows it; none if it shows no fraction.
pub(super) fn show(section: &Section, value: f64, locale: &Locale) -> Option<String> {
    let slash = section.pieces.iter().position(|piece| *piece == Piece::Slash)?;
    let (before, after) = (section.pieces.get(..slash)?, section.pieces.get(slash + 1..)?);
    let is_digit = |piece: &&Piece| matches!(piece, Piece::Digit(_));
    let over = before.iter().rev().take_while(is_digit).count();
    let (wholes, over) = before.split_at_checked(before.len() - over)?;
    let (under, rest) = match after.first()? {
        Piece::Literal(fixed) => {
            let digits = fixed.find(|c: char| !c.is_ascii_digit()).unwrap_or(fixed.len());
            let (fixed, behind) = fixed.split_at_checked(digits)?;
            (
                Under::Fixed(fixed.parse().ok().filter(|fixed| (1..100_000).contains(fixed))?),
                behind.to_owned(),
            )
        }
        _ => {
            let marks: Vec<char> = marks(after.iter().take_while(is_digit));
            (Under::Found(marks), String::new())
        }
    };
    let skipped = if let Under::Found(marks) = &under { marks.len() } else { 1 };
    if over.is_empty() || skipped == 0 || value.abs() >= LARGEST {
        return None;
    }
    let has_whole = wholes.iter().any(|piece| matches!(piece, Piece::Digit(_)));
    let size = value.abs();
    let mut whole = if has_whole { size.floor() } else { 0.0 };
    let (mut numerator, denominator) = nearest(size - whole, &under);
    if has_whole && numerator == denominator {
        (whole, numerator) = (whole + 1.0, 0);
    }
    let mut text = String::new();
    if value < 0.0 && (whole > 0.0 || numerator > 0) {
        text.push('-');
    }
    let mut wholes = wholes.to_vec();
    if numerator == 0
        && let Some(Piece::Digit(last)) =
            wholes.iter_mut().rev().find(|piece| matches!(piece, Piece::Digit(_)))
    {
        // Something is shown of nothing.
        *last = '0';
    }
    text.push_str(&numbers::show(&Section::of(wholes), whole, locale));
    let blank = has_whole && numerator == 0;
    let over = marks(over.iter());
    text.push_str(&if blank { " ".repeat(over.len()) } else { padded(numerator, &over, true) });
    text.push(if blank { ' ' } else { '/' });
    text.push_str(&match &under {
        Under::Fixed(fixed) if blank => " ".repeat(fixed.to_string().len()),
        Under::Found(marks) if blank => " ".repeat(marks.len()),
        Under::Fixed(fixed) => fixed.to_string(),
        Under::Found(marks) => padded(denominator, marks, false),
    });
    text.push_str(&rest);
    let behind = after.get(skipped..).unwrap_or_default();
    behind.iter().for_each(|piece| {
        if let Piece::Literal(literal) = piece {
            text.push_str(literal);
        }
    });
    Some(text)
}

/// What stands below the stroke.
enum Under {
    /// This number.
    Fixed(u64),
    /// What fits best, in so many places.
    Found(Vec<char>),
}

fn marks<'a>(pieces: impl Iterator<Item = &'a Piece>) -> Vec<char> {
    let mark = |piece: &Piece| if let Piece::Digit(mark) = piece { Some(*mark) } else { None };
    pieces.filter_map(mark).collect()
}

/// The fraction that is nearest to a number; of those that are equally near, the one with the least denominator.
fn nearest(value: f64, under: &Under) -> (u64, u64) {
    let denominators = match under {
        Under::Fixed(fixed) => *fixed..=*fixed,
        Under::Found(marks) => 1..=10_u64.pow(marks.len().min(MOST_DIGITS) as u32) - 1,
    };
    let mut best = (0, 1);
    let mut error = f64::INFINITY;
    for denominator in denominators {
        let numerator = (value * denominator as f64).round();
        let off = (value - numerator / denominator as f64).abs();
        // What differs only by how numbers are kept is equally near.
        if off < error - 1e-12 || error.is_infinite() {
            (best, error) = ((numerator as u64, denominator), off);
        }
    }
    best
}

/// A number in the places of those marks: zeros and blanks fill what it leaves free, on the left or on the right.
fn padded(number: u64, marks: &[char], left: bool) -> String {
    let digits = number.to_string();
    let free = marks.len().saturating_sub(digits.len());
    let fill = |mark: &char| match mark {
        '0' => "0",
        '?' => " ",
        _ => "",
    };
    if left {
        let filled: String = marks.iter().take(free).map(fill).collect();
        return format!("{filled}{digits}");
    }
    // Zeros behind a denominator would be another one.
    let filled: String =
        marks.iter().rev().take(free).map(|mark| if *mark == '#' { "" } else { " " }).collect();
    format!("{digits}{filled}")
}
