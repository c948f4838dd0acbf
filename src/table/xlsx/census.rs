//! Counting the elements of an XML part while it is inflated, before a parser allocates for them.
//!
//! Names are looked for byte by byte, also in comments: a part may be counted too rich, never too poor.

use super::MAX_ROWS;

/// Cells of a sheet, and texts that its cells share.
pub(super) const MAX_CELLS: u64 = 2_000_000;

/// How often an element may occur in one part; a parser keeps something for each of these.
const MOST: [(&[u8], u64); 12] = [
    (b"c", MAX_CELLS),
    (b"si", MAX_CELLS),
    (b"row", MAX_ROWS as u64),
    (b"xf", 65_536),
    (b"font", 65_536),
    (b"fill", 65_536),
    (b"border", 65_536),
    (b"numFmt", 65_536),
    (b"sheet", 10_000),
    (b"definedName", 100_000),
    (b"Relationship", 100_000),
    (b"hyperlink", 100_000),
];

/// A name longer than any of [`MOST`], with the end that proves it.
const LONGEST_NAME: usize = 16;
/// Attributes of a table of shared texts: more than any writer gives it.
const LONGEST_TAG: usize = 4_096;

/// Counts elements over the chunks of one part.
#[derive(Debug, Default)]
pub(super) struct Census {
    state: State,
    held: Vec<u8>,
    counts: [u64; MOST.len()],
}

/// Too much of something.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Excess {
    #[error("it has more than {most} elements of the kind «{name}»")]
    Elements { name: String, most: u64 },
    /// The count is what a parser would reserve memory for.
    #[error("its table of texts claims more than {MAX_CELLS} texts")]
    ClaimedTexts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Name,
    SharedTextsTag,
}

impl Census {
    /// Counts on.
    pub(super) fn feed(&mut self, chunk: &[u8]) -> Result<(), Excess> {
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = match self.state {
                State::Text => self.up_to_tag(rest),
                State::Name => self.through_name(rest)?,
                State::SharedTextsTag => self.through_tag(rest)?,
            };
        }
        Ok(())
    }

    fn up_to_tag<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let Some(at) = chunk.iter().position(|byte| *byte == b'<') else {
            return &[];
        };
        self.state = State::Name;
        self.held.clear();
        chunk.get(at + 1..).unwrap_or_default()
    }

    fn through_name<'a>(&mut self, chunk: &'a [u8]) -> Result<&'a [u8], Excess> {
        for (at, byte) in chunk.iter().enumerate() {
            match byte {
                b':' => self.held.clear(), // what came so far was the prefix of a name space
                b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>' | b'<' => {
                    self.count()?;
                    let is_shared_texts = self.held == b"sst" && *byte != b'>';
                    self.state = if is_shared_texts { State::SharedTextsTag } else { State::Text };
                    self.held.clear();
                    let next = at + usize::from(*byte != b'<'); // which may begin the next tag
                    return Ok(chunk.get(next..).unwrap_or_default());
                }
                _ if self.held.len() < LONGEST_NAME => self.held.push(*byte),
                _ => {}
            }
        }
        Ok(&[])
    }

    fn through_tag<'a>(&mut self, chunk: &'a [u8]) -> Result<&'a [u8], Excess> {
        let end = chunk.iter().position(|byte| *byte == b'>');
        self.held.extend_from_slice(chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default());
        if self.held.len() > LONGEST_TAG {
            return Err(Excess::ClaimedTexts);
        }
        let Some(end) = end else {
            return Ok(&[]);
        };
        self.state = State::Text;
        let digits: Vec<u8> = after(&self.held, b"uniqueCount")
            .iter()
            .copied()
            .skip_while(|byte| !byte.is_ascii_digit())
            .take_while(u8::is_ascii_digit)
            .collect();
        let claimed = str::from_utf8(&digits).ok().filter(|digits| !digits.is_empty());
        match claimed.map(str::parse::<u64>) {
            None => {}
            Some(Ok(claimed)) if claimed <= MAX_CELLS => {}
            Some(_) => return Err(Excess::ClaimedTexts),
        }
        Ok(chunk.get(end..).unwrap_or_default())
    }

    fn count(&mut self) -> Result<(), Excess> {
        for ((name, most), count) in MOST.iter().zip(&mut self.counts) {
            if self.held == *name {
                *count += 1;
                if *count > *most {
                    let name = String::from_utf8_lossy(name).into_owned();
                    return Err(Excess::Elements { name, most: *most });
                }
            }
        }
        Ok(())
    }
}

fn after<'a>(bytes: &'a [u8], word: &[u8]) -> &'a [u8] {
    let at = bytes.windows(word.len()).position(|window| window == word);
    at.and_then(|at| bytes.get(at + word.len()..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(xml: &str, chunk: usize) -> u64 {
        let mut census = Census::default();
        for chunk in xml.as_bytes().chunks(chunk) {
            census.feed(chunk).unwrap();
        }
        census.counts[0]
    }

    #[test]
    fn cells_are_counted_across_chunks_with_any_prefix() {
        let xml = "<row><c r=\"A1\"><v>1</v></c><c/><x:c\n/><cols/><cell/><c></c><verylongprefixofaname:c/>";
        for chunk in 1..xml.len() {
            assert_eq!(cells(xml, chunk), 5, "{chunk}");
        }
    }

    #[test]
    fn too_many_cells_are_refused() {
        let mut census = Census::default();
        let row = "<c/>".repeat(1_000);
        let error = (0..2_001).find_map(|_| census.feed(row.as_bytes()).err());
        assert_eq!(error, Some(Excess::Elements { name: "c".into(), most: MAX_CELLS }));
    }

    #[test]
    fn a_claim_to_memory_is_refused() {
        let tag = |count: &str| format!("<?xml?><sst xmlns=\"u\" count=\"1\" uniqueCount = '{count}'><si/>");
        for (count, refused) in
            [("12", false), ("2000000", false), ("2000001", true), ("99999999999999999999999", true)]
        {
            for chunk in [1, 7, 4_096] {
                let mut census = Census::default();
                let result: Result<(), _> =
                    tag(count).as_bytes().chunks(chunk).try_for_each(|chunk| census.feed(chunk));
                assert_eq!(result.is_err(), refused, "{count}");
            }
        }
        assert!(Census::default().feed(format!("<sst {}", " ".repeat(5_000)).as_bytes()).is_err());
    }
}
