//! Writing a record: fields of people as they stand, ours in quotes.

use super::dialect::Dialect;
use super::encoding::{Encoding, Unencodable};
use super::record::Record;

/// A record that is being written, in the encoding and with the delimiter of a file.
#[derive(Debug)]
pub(super) struct Line {
    bytes: Vec<u8>,
    is_empty: bool,
    delimiter: char,
    /// The encoding of what is taken over.
    from: Encoding,
    /// The encoding that is written.
    to: Encoding,
}

impl Line {
    /// A line for a file of this dialect, written in the encoding `to`.
    pub(super) fn new(dialect: &Dialect, to: Encoding) -> Self {
        let delimiter = char::from(dialect.delimiter);
        Self { bytes: Vec::new(), is_empty: true, delimiter, from: dialect.encoding, to }
    }

    /// Begins a line of the fields of `record`, those of `changes` replaced, with at least `width` fields.
    pub(super) fn take_over(
        &mut self,
        record: &Record,
        changes: &[(usize, String)],
        width: usize,
    ) -> Result<(), Unencodable> {
        self.clear();
        let width = changes.iter().map(|(index, _)| index + 1).max().unwrap_or(0).max(width);
        for index in 0..width.max(record.len()) {
            match changes.iter().find(|(changed, _)| *changed == index) {
                Some((_, text)) => self.field(text)?,
                None => {
                    self.next_field()?;
                    self.copy(record.raw_field(index).unwrap_or_default())?;
                }
            }
        }
        Ok(())
    }

    /// Appends a field in quotes.
    pub(super) fn field(&mut self, text: &str) -> Result<(), Unencodable> {
        self.next_field()?;
        self.to.encode(&format!("\"{}\"", text.replace('"', "\"\"")), &mut self.bytes)
    }

    /// Appends bytes of the old file, as they stand unless the encoding changes.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Result<(), Unencodable> {
        if self.from == self.to {
            self.bytes.extend_from_slice(bytes);
            return Ok(());
        }
        self.to.encode(&self.from.decode(bytes).0, &mut self.bytes)
    }

    /// Appends text that is no field.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Unencodable> {
        self.to.encode(text, &mut self.bytes)
    }

    /// Begins an empty line.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.is_empty = true;
    }

    /// What was written.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// True if what is taken over has the same bytes.
    pub(super) fn keeps_bytes(&self) -> bool {
        self.from == self.to
    }

    fn next_field(&mut self) -> Result<(), Unencodable> {
        if !std::mem::take(&mut self.is_empty) {
            let mut utf8 = [0; 4];
            self.to.encode(self.delimiter.encode_utf8(&mut utf8), &mut self.bytes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::csv::record::{Limits, RecordReader};

    fn record(text: &str, encoding: Encoding) -> Record {
        let mut bytes = Vec::new();
        encoding.encode(text, &mut bytes).unwrap();
        let limits = Limits { field: 1000, record: 1000, fields: 1000 };
        let mut record = Record::default();
        assert!(RecordReader::new(&*bytes, encoding, b';', limits).read(&mut record).unwrap());
        record
    }

    #[test]
    fn fields_of_people_are_copied_as_they_stand() {
        let cp1251 = Encoding::WINDOWS_1251;
        let record = record("\"а\"б;  в ;\"\";г\r\n", cp1251);
        let dialect = Dialect { encoding: cp1251, ..Dialect::new(Some(b';')) };
        for to in [cp1251, Encoding::UTF_8, Encoding::UTF_16LE] {
            let mut line = Line::new(&dialect, to);
            line.take_over(&record, &[(3, "с \"кавычками\"".into())], 6).unwrap();
            let (text, _) = to.decode(line.bytes());
            assert_eq!(text, "\"а\"б;  в ;\"\";\"с \"\"кавычками\"\"\";;");
        }
    }

    #[test]
    fn a_change_past_the_end_lengthens_the_record() {
        let mut line = Line::new(&Dialect::new(Some(b';')), Encoding::UTF_8);
        line.take_over(&record("a\n", Encoding::UTF_8), &[(2, "c".into())], 0).unwrap();
        assert_eq!(line.bytes(), b"a;;\"c\"");
    }
}
