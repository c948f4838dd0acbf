//! Where rows come from and where results go: a local file or Google Sheets.

use std::path::{Path, PathBuf};

use super::kind;
use super::merged::Merged;
use super::secret;

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSettings {
    /// A local table.
    File(FileSource),
    /// A Google spreadsheet.
    Google(GoogleSource),
}

/// Where results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetSettings {
    /// A local table.
    File(FileTarget),
    /// A Google spreadsheet.
    Google(GoogleTarget),
}

/// A kind of local table, told by the extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `.csv` or `.tsv`.
    Csv,
    /// `.xlsx`.
    Xlsx,
}

/// A local table to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSource {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileKind,
    /// The sheet of a workbook; the first where unset.
    pub sheet: Option<String>,
    /// The encoding's label; found out where unset.
    pub encoding: Option<String>,
    /// What separates the cells of a CSV file, a tab for `.tsv`; found out where unset.
    pub delimiter: Option<u8>,
}

/// A local table to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTarget {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileKind,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// What separates the cells of a CSV file.
    pub delimiter: Option<u8>,
}

/// How Google Sheets is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoogleAccess {
    /// The service account's JSON file.
    pub credentials_file: PathBuf,
    /// Another host than Google's.
    pub api_base_url: Option<String>,
}

/// A Google sheet to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoogleSource {
    /// How it is reached.
    pub access: GoogleAccess,
    /// The spreadsheet.
    pub spreadsheet_id: String,
    /// The tab.
    pub sheet_name: String,
    /// The tab's number, for direct links to rows.
    pub sheet_gid: Option<u64>,
}

/// A Google sheet to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoogleTarget {
    /// How it is reached.
    pub access: GoogleAccess,
    /// The spreadsheet.
    pub spreadsheet_id: String,
    /// The tab with the results.
    pub sheet_name: String,
    /// The tab that the rules are published to.
    pub rules_sheet_name: Option<String>,
}

/// Resolves both tables; `None` only after a problem.
pub(super) fn resolve(merged: &mut Merged) -> Option<(SourceSettings, TargetSettings)> {
    let mut known = None;
    let mut signed_in = |merged: &mut Merged| known.get_or_insert_with(|| access(merged)).clone();
    let source = match merged.strongest(&["source.path", "sheets.source_spreadsheet_id"]) {
        Some("source.path") => file_source(merged).map(SourceSettings::File),
        None if !merged.given("sheets") => {
            merged.missing(
                "source.path",
                "name a table to read: [source] path = \"statuses.csv\", or a [sheets] section for Google Sheets",
            );
            None
        }
        _ => Some(SourceSettings::Google(google_source(signed_in(merged), merged))),
    };
    let local = match merged.strongest(&["target.path", "sheets.target_spreadsheet_id"]) {
        Some("target.path") => {
            let only_default = merged.strength("target.path") == Some(0);
            !(only_default && matches!(source, Some(SourceSettings::Google(_))))
        }
        _ => false,
    };
    let target = match local {
        true => file_target(merged).map(TargetSettings::File),
        false => Some(TargetSettings::Google(google_target(signed_in(merged), merged))),
    };
    let (source, target) = source.zip(target)?;
    keep_apart(merged, &source, &target);
    Some((source, target))
}

/// The target must not be the source: its columns are people's own.
fn keep_apart(merged: &mut Merged, source: &SourceSettings, target: &TargetSettings) {
    match (source, target) {
        (SourceSettings::File(from), TargetSettings::File(to)) if from.path == to.path => {
            merged.problem("target.path", "is the source itself", "write the results to another file");
        }
        (SourceSettings::Google(from), TargetSettings::Google(to))
            if from.spreadsheet_id == to.spreadsheet_id =>
        {
            for (key, name) in [
                ("sheets.target_sheet_name", Some(&to.sheet_name)),
                ("sheets.rules_sheet_name", to.rules_sheet_name.as_ref()),
            ] {
                if name.is_some_and(|name| !name.is_empty() && *name == from.sheet_name) {
                    merged.problem(key, "is the source itself", "name another tab or another spreadsheet");
                }
            }
        }
        _ => {}
    }
    if let TargetSettings::Google(to) = target
        && to.rules_sheet_name.as_ref().is_some_and(|rules| *rules == to.sheet_name)
    {
        merged.problem("sheets.rules_sheet_name", "is the tab of the results", "name another tab");
    }
}

fn file_source(merged: &mut Merged) -> Option<FileSource> {
    let (path, kind) = file(merged, "source")?;
    if kind == FileKind::Xlsx && merged.given("source.encoding") {
        merged.warn("source.encoding means nothing for a workbook".to_owned());
    }
    let (sheet, encoding) = (merged.text("source.sheet"), merged.text("source.encoding"));
    Some(FileSource { kind, sheet, encoding, delimiter: delimiter(merged, "source", &path), path })
}

fn file_target(merged: &mut Merged) -> Option<FileTarget> {
    let (path, kind) = file(merged, "target")?;
    let sheet = merged.text("target.sheet");
    Some(FileTarget { kind, sheet, delimiter: delimiter(merged, "target", &path), path })
}

fn file(merged: &mut Merged, section: &str) -> Option<(PathBuf, FileKind)> {
    let key = format!("{section}.path");
    let path = merged.path(&key)?;
    let kind = match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv" | "tsv") => FileKind::Csv,
        Some("xlsx") => FileKind::Xlsx,
        _ => {
            merged.problem(&key, "is no kind of table that is known", "use .csv, .tsv or .xlsx");
            return None;
        }
    };
    let idle = if kind == FileKind::Csv { "sheet" } else { "delimiter" };
    if merged.given(&format!("{section}.{idle}")) {
        merged.warn(format!("{section}.{idle} means nothing for {}", path.display()));
    }
    Some((path, kind))
}

fn delimiter(merged: &Merged, section: &str, path: &Path) -> Option<u8> {
    let given = merged.text(&format!("{section}.delimiter")).and_then(|text| kind::delimiter(&text));
    given.or_else(|| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tsv")).then_some(b'\t'))
}

fn google_source(access: GoogleAccess, merged: &mut Merged) -> GoogleSource {
    GoogleSource {
        access,
        spreadsheet_id: spreadsheet_id(merged, "sheets.source_spreadsheet_id"),
        sheet_name: merged.required("sheets.source_sheet_name", "name the tab with the statuses"),
        sheet_gid: merged.whole_if_set("sheets.source_sheet_gid"),
    }
}

fn google_target(access: GoogleAccess, merged: &mut Merged) -> GoogleTarget {
    GoogleTarget {
        access,
        spreadsheet_id: spreadsheet_id(merged, "sheets.target_spreadsheet_id"),
        sheet_name: merged.required("sheets.target_sheet_name", "name the tab for the results"),
        rules_sheet_name: merged.text("sheets.rules_sheet_name"),
    }
}

const SPREADSHEET_ID: &str = "copy it from the address: docs.google.com/spreadsheets/d/ID/edit";

/// A spreadsheet's id, also out of its whole address.
fn spreadsheet_id(merged: &mut Merged, key: &str) -> String {
    let text = merged.required(key, SPREADSHEET_ID);
    if text.is_empty() {
        return text;
    }
    let id = id_in_address(text.trim()).unwrap_or_else(|| text.trim());
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        merged.problem(key, "is no id of a spreadsheet, nor its address", SPREADSHEET_ID);
    }
    id.to_owned()
}

/// The id in an address such as `https://docs.google.com/spreadsheets/d/ID/edit#gid=0`, as the browser shows it.
fn id_in_address(text: &str) -> Option<&str> {
    let address = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let path = address.strip_prefix("docs.google.com/")?;
    // Whoever is signed in twice has /u/1 in it, an organisation its /a/domain.
    let (_, id) = path.split_once("spreadsheets/").and_then(|(_, rest)| rest.split_once("d/"))?;
    id.split(['/', '?', '#']).next().filter(|id| *id != "e")
}

fn access(merged: &mut Merged) -> GoogleAccess {
    let credentials_file = credentials(merged).unwrap_or_default();
    let api_base_url = merged.text("sheets.api_base_url").map(|url| url.trim_end_matches('/').to_owned());
    GoogleAccess { credentials_file, api_base_url }
}

/// The key file of the service account: a credential of systemd, a file, or where Google's own tools look for it.
fn credentials(merged: &mut Merged) -> Option<PathBuf> {
    const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
    let (credential, file) = ("sheets.credentials_credential", "sheets.credentials_file");
    if let Some(name) = merged.text(credential) {
        let shown = merged.shown(credential).unwrap_or_default();
        return match secret::credential(merged, &name, &shown) {
            Ok(path) => Some(path),
            Err(why) if merged.environment.inspecting => {
                merged.warn(format!("{credential}: {why}"));
                None
            }
            Err(why) => {
                merged.problem(
                    credential,
                    why,
                    "run it as a service with LoadCredential=, or use credentials_file",
                );
                None
            }
        };
    }
    let from_variable = || merged.environment.get(VARIABLE).map(|(path, _)| PathBuf::from(path));
    let path = match merged.given(file) {
        false => from_variable(),
        true => merged.path(file),
    };
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
        merged
            .missing(file, "name the service account's JSON file, here or in GOOGLE_APPLICATION_CREDENTIALS");
        return None;
    };
    if secret::readable_by_others(&path) {
        merged.warn(format!("{} ({file}) can be read by other users: chmod 600 it", path.display()));
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_in_the_address_of_a_spreadsheet() {
        for (text, id) in [
            ("https://docs.google.com/spreadsheets/d/1aB-_9/edit#gid=0", Some("1aB-_9")),
            ("https://docs.google.com/spreadsheets/d/1aB-_9/edit?usp=sharing", Some("1aB-_9")),
            ("http://docs.google.com/spreadsheets/d/1aB-_9", Some("1aB-_9")),
            ("docs.google.com/spreadsheets/u/1/d/1aB-_9/edit", Some("1aB-_9")),
            ("https://docs.google.com/a/office.example/spreadsheets/d/1aB-_9?x", Some("1aB-_9")),
            ("https://docs.google.com/spreadsheets/d/e/2PACX-1/pubhtml", None),
            ("https://docs.google.com/document/d/1aB/edit", None),
            ("https://elsewhere.example/spreadsheets/d/1aB/edit", None),
            ("1aB-_9", None),
        ] {
            assert_eq!(id_in_address(text), id, "{text}");
        }
    }
}
