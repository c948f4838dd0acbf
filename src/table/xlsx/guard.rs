//! What stands between a file and the parsers: only a workbook of bounded size gets through.
//!
//! Every part is inflated once and counted, since the sizes that a zip file states may be lies. Nothing
//! that was inflated is kept.

use std::fs::{self, File};
use std::io::{Cursor, Read as _};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::census::Census;
use crate::table::TableError;

/// Bounds of what is parsed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of the file.
    pub(super) file: u64,
    /// Bytes of all its parts, inflated.
    pub(super) inflated: u64,
    /// Inflated bytes for each byte in the file, for parts of more than [`SMALL_PART`].
    pub(super) ratio: u64,
    /// Parts of the package.
    pub(super) parts: usize,
}

/// The bounds that hold.
pub(super) const LIMITS: Limits =
    Limits { file: 20 * MEGABYTE, inflated: 200 * MEGABYTE, ratio: 200, parts: 1_000 };

const MEGABYTE: u64 = 1 << 20;
/// Below this many inflated bytes the ratio does not matter.
const SMALL_PART: u64 = MEGABYTE;

/// The start of an OLE container: a workbook of Excel 97 to 2003, or an encrypted one of today.
const OLE_MAGIC: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
const ZIP_MAGIC: &[u8] = b"PK";

/// Reads a workbook that may be parsed.
///
/// # Errors
/// Not there, not a workbook, damaged, or too large; the error says what to do.
pub(super) fn admit(path: &Path) -> Result<Vec<u8>, TableError> {
    let io_error = |error: std::io::Error| TableError::from_io(path.display(), &error, "check the path");
    let malformed = |detail: String| TableError::Malformed { table: path.display().to_string(), detail };
    let metadata = fs::metadata(path).map_err(io_error)?;
    if metadata.is_dir() {
        return Err(malformed("it is a folder; name a file that ends in .xlsx".into()));
    }
    if !metadata.is_file() {
        return Err(malformed("it is not an ordinary file; name a file that ends in .xlsx".into()));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LIMITS.file + 1).read_to_end(&mut bytes)).map_err(io_error)?;
    inspect(&bytes, &LIMITS).map_err(malformed)?;
    Ok(bytes)
}

/// Looks at everything in a file; what is wrong and what to do, otherwise.
pub(super) fn inspect(bytes: &[u8], limits: &Limits) -> Result<(), String> {
    if bytes.len() as u64 > limits.file {
        return Err(format!(
            "it is larger than {} MB; move pictures and old sheets to another workbook",
            limits.file / MEGABYTE
        ));
    }
    inspect_kind(bytes)?;
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if zip.len() > limits.parts {
        return Err(format!("it has more than {} parts; {SPLIT}", limits.parts));
    }
    if zip.has_duplicate_names() {
        return Err(format!("two of its parts have the same name; {REPAIR}"));
    }
    let mut room = limits.inflated;
    for index in 0..zip.len() {
        inspect_part(&mut zip, index, limits, &mut room)?;
    }
    inspect_names(&zip)
}

const REPAIR: &str = "open it in Excel and save it as .xlsx again";
const SPLIT: &str = "move what is not needed to another workbook";

fn inspect_kind(bytes: &[u8]) -> Result<(), String> {
    if bytes.is_empty() {
        return Err("the file is empty; save the workbook again".into());
    }
    if bytes.starts_with(&OLE_MAGIC) {
        let stream: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        return Err(if bytes.windows(stream.len()).any(|window| window == stream) {
            "it is protected by a password; save it without one".into()
        } else {
            "it is a workbook in the old .xls format; open it in Excel and save it as .xlsx".into()
        });
    }
    if !bytes.starts_with(ZIP_MAGIC) {
        return Err(format!("it is not an .xlsx workbook; {REPAIR}"));
    }
    Ok(())
}

/// Inflates a part and takes its size from the `room` that is left.
fn inspect_part(
    zip: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    limits: &Limits,
    room: &mut u64,
) -> Result<(), String> {
    let raw = zip.by_index_raw(index).map_err(|error| damaged(&error))?;
    if raw.encrypted() {
        return Err("it is protected by a password; save it without one".into());
    }
    let name = raw.name().map_err(|error| damaged(&error))?.into_owned();
    if name.split(['/', '\\']).any(|folder| folder == "..") {
        return Err(format!("the name of its part «{}» leads out of it; {REPAIR}", name.escape_debug()));
    }
    let stored = raw.compressed_size().max(1);
    drop(raw);
    let mut part = zip.by_index(index).map_err(|error| damaged(&error))?;
    let mut census = Census::default();
    let mut inflated: u64 = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = part.read(&mut buffer).map_err(|error| damaged(&ZipError::Io(error)))?;
        if count == 0 {
            return Ok(());
        }
        inflated += count as u64;
        *room = room
            .checked_sub(count as u64)
            .ok_or_else(|| format!("it holds more than {} MB; {SPLIT}", limits.inflated / MEGABYTE))?;
        if inflated > SMALL_PART && inflated / stored > limits.ratio {
            return Err(format!("its part «{}» is blown up without end; {REPAIR}", name.escape_debug()));
        }
        let chunk = buffer.get(..count).unwrap_or_default();
        census.feed(chunk).map_err(|excess| format!("{excess}; {SPLIT}"))?;
    }
}

fn inspect_names(zip: &ZipArchive<Cursor<&[u8]>>) -> Result<(), String> {
    let has = |wanted: &str| {
        zip.file_names_raw().any(|name| {
            let name = String::from_utf8_lossy(name).replace('\\', "/");
            name.trim_start_matches('/').eq_ignore_ascii_case(wanted)
        })
    };
    if has("xl/workbook.bin") {
        return Err("it is a binary workbook (.xlsb); open it in Excel and save it as .xlsx".into());
    }
    if has("mimetype") && has("content.xml") {
        return Err("it is an OpenDocument file; open it and save it as .xlsx".into());
    }
    if !has("[Content_Types].xml") {
        return Err(format!("it is a zip file but not an .xlsx workbook; {REPAIR}"));
    }
    Ok(())
}

fn damaged(error: &ZipError) -> String {
    match error {
        ZipError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            format!("it ends too early; copy it again, or {REPAIR}")
        }
        other => format!("it is damaged ({other}); copy it again, or {REPAIR}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn refusal(bytes: &[u8]) -> String {
        inspect(bytes, &LIMITS).unwrap_err()
    }

    #[test]
    fn other_files_are_refused_by_what_they_are() {
        let mut encrypted = OLE_MAGIC.to_vec();
        encrypted.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
        let cases: [(&[u8], &str); 8] = [
            (b"", "empty"),
            (&OLE_MAGIC, "old .xls format"),
            (&encrypted, "password"),
            (b"<html><table>", "not an .xlsx workbook"),
            (b"PK\x03\x04 nothing", "damaged"),
            (&package(&[("a.txt", b"x")]), "not an .xlsx workbook"),
            (&package(&[("[Content_Types].xml", b""), ("xl/workbook.bin", b"")]), ".xlsb"),
            (&package(&[("mimetype", b""), ("content.xml", b"")]), "OpenDocument"),
        ];
        for (bytes, part) in cases {
            assert!(refusal(bytes).contains(part), "{}", refusal(bytes));
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_unfolds() {
        let zeros = vec![b'0'; 40 << 20];
        let bomb = package(&[("[Content_Types].xml", b""), ("xl/media/a.bin", &zeros)]);
        assert!(bomb.len() < 1 << 20);
        assert!(refusal(&bomb).contains("blown up"), "{}", refusal(&bomb));
    }

    #[test]
    fn sizes_are_counted_and_not_believed() {
        let mut noise = vec![0; 300_000];
        fastrand::Rng::with_seed(1).fill(&mut noise);
        let mut file = package(&[("[Content_Types].xml", b""), ("a", &noise), ("b", &noise)]);
        let lie = |file: &mut Vec<u8>, size: u32| {
            let stated = 300_000u32.to_le_bytes();
            let at: Vec<usize> = (0..file.len() - 4).filter(|at| file[*at..*at + 4] == stated).collect();
            for at in at {
                file[at..at + 4].copy_from_slice(&size.to_le_bytes());
            }
        };
        lie(&mut file, 5);
        let small = Limits { inflated: 500_000, ..LIMITS };
        assert!(inspect(&file, &small).is_err());
        let honest = package(&[("[Content_Types].xml", b""), ("a", &noise), ("b", &noise)]);
        assert!(inspect(&honest, &small).unwrap_err().contains("holds more than"));
        assert!(inspect(&honest, &LIMITS).is_ok());
        assert!(inspect(&honest, &Limits { file: 1_000, ..LIMITS }).unwrap_err().contains("larger than"));
    }

    #[test]
    fn too_many_parts_and_names_that_lead_out_are_refused() {
        let names: Vec<String> = (0..1_001).map(|n| format!("p{n}")).collect();
        let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(refusal(&package(&parts)).contains("more than 1000 parts"));
        assert!(refusal(&package(&[("xl/../../etc/x", b"")])).contains("leads out"));
        assert!(refusal(&package(&[("..\\x", b"")])).contains("leads out"));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let absent = admit(&folder.path().join("absent.xlsx")).unwrap_err();
        assert!(matches!(absent, TableError::NotFound { .. }), "{absent}");
        assert!(absent.to_string().contains("absent.xlsx"));
        let error = admit(folder.path()).unwrap_err();
        assert!(
            matches!(&error, TableError::Malformed { detail, .. } if detail.contains("a folder")),
            "{error}"
        );
    }
}
