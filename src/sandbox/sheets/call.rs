//! A call as it arrives and the answer it gets.

use serde_json::Value;

/// A call of the API.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: &'a str,
    /// The path as it was sent, percent-encoded.
    pub path: &'a str,
    /// The query as it was sent, without its question mark.
    pub query: &'a str,
    /// The body as it was sent.
    pub body: &'a [u8],
    /// When it arrived.
    pub now: jiff::Timestamp,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; none for an answer that has none.
    pub body: Option<Value>,
    /// Set for a body that is not JSON: then it is a string, to be sent as it is under this type.
    pub media_type: Option<&'static str>,
}

impl Answer {
    /// An answer in JSON.
    pub(crate) fn json(status: u16, body: impl Into<Value>) -> Self {
        Self { status, body: Some(body.into()), media_type: None }
    }

    /// Done, with nothing to tell.
    pub(crate) fn empty() -> Self {
        Self { status: 204, body: None, media_type: None }
    }

    /// A text that is not JSON.
    pub(crate) fn text(media_type: &'static str, text: String) -> Self {
        Self { status: 200, body: Some(Value::String(text)), media_type: Some(media_type) }
    }
}

/// What a call does to the data; reads and writes have quotas of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It only looks.
    Read,
    /// It may change something.
    Write,
}

/// Which service a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Google Sheets.
    Sheets,
    /// Google Drive.
    Drive,
}

impl Call<'_> {
    /// What the call does. A path that nothing is known of is looked at.
    pub fn kind(&self) -> Kind {
        Route::find(self.method, self.path).map_or(Kind::Read, |route| route.row.kind)
    }

    /// Which service it is for; none for a path that neither serves.
    pub fn service(&self) -> Option<Service> {
        let drive = self.path.starts_with("/drive/") || self.path.starts_with("/upload/drive/");
        let sheets = self.path.starts_with("/v4/");
        if drive { Some(Service::Drive) } else { sheets.then_some(Service::Sheets) }
    }

    /// The full name of the method of the API, as it stands in errors about scopes.
    pub fn api_method(&self) -> Option<&'static str> {
        Route::find(self.method, self.path).map(|route| route.row.name)
    }
}

/// What a path and a method mean.
#[derive(Debug)]
pub(crate) struct Route {
    row: &'static Row,
    /// The parts of the path that the pattern leaves open, decoded.
    parts: Vec<String>,
}

impl Route {
    /// The route of a call, if there is one.
    pub(crate) fn find(method: &str, path: &str) -> Option<Self> {
        ROUTES
            .iter()
            .filter(|row| row.method == method)
            .find_map(|row| matched(row.pattern, path).map(|parts| Self { row, parts }))
    }

    /// Which call it is.
    pub(crate) fn endpoint(&self) -> Endpoint {
        self.row.endpoint
    }

    /// An open part of the path; the first one is an id.
    pub(crate) fn part(&self, index: usize) -> &str {
        self.parts.get(index).map_or("", String::as_str)
    }
}

/// The calls that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Create,
    Get,
    GetByDataFilter,
    BatchUpdate,
    CopyTo,
    Metadata,
    MetadataSearch,
    ValuesGet,
    ValuesBatchGet,
    ValuesBatchGetByDataFilter,
    ValuesUpdate,
    ValuesBatchUpdate,
    ValuesBatchUpdateByDataFilter,
    ValuesAppend,
    ValuesClear,
    ValuesBatchClear,
    ValuesBatchClearByDataFilter,
    About,
    FileList,
    FileCreate,
    FileGet,
    FileUpdate,
    FileDelete,
    FileCopy,
    FileExport,
    FileImport,
    PermissionList,
    PermissionCreate,
    PermissionGet,
    PermissionUpdate,
    PermissionDelete,
    CommentList,
    CommentCreate,
}

#[derive(Debug)]
struct Row {
    method: &'static str,
    pattern: &'static str,
    endpoint: Endpoint,
    kind: Kind,
    name: &'static str,
}

macro_rules! routes {
    ($($method:ident $pattern:literal $endpoint:ident $kind:ident $name:literal;)*) => {
        [$(Row {
            method: stringify!($method),
            pattern: $pattern,
            endpoint: Endpoint::$endpoint,
            kind: Kind::$kind,
            name: $name,
        },)*]
    };
}

/// Every path: `*` stands for one part of it.
static ROUTES: [Row; 33] = routes! {
    POST "/v4/spreadsheets" Create Write "google.apps.sheets.v4.SpreadsheetsService.CreateSpreadsheet";
    POST "/v4/spreadsheets/*:batchUpdate" BatchUpdate Write
        "google.apps.sheets.v4.SpreadsheetsService.BatchUpdateSpreadsheet";
    POST "/v4/spreadsheets/*:getByDataFilter" GetByDataFilter Read
        "google.apps.sheets.v4.SpreadsheetsService.GetSpreadsheetByDataFilter";
    GET "/v4/spreadsheets/*" Get Read "google.apps.sheets.v4.SpreadsheetsService.GetSpreadsheet";
    POST "/v4/spreadsheets/*/sheets/*:copyTo" CopyTo Write
        "google.apps.sheets.v4.SpreadsheetsService.CopySheetToAnotherSpreadsheet";
    GET "/v4/spreadsheets/*/developerMetadata/*" Metadata Read
        "google.apps.sheets.v4.SpreadsheetsService.GetDeveloperMetadata";
    POST "/v4/spreadsheets/*/developerMetadata:search" MetadataSearch Read
        "google.apps.sheets.v4.SpreadsheetsService.SearchDeveloperMetadata";
    GET "/v4/spreadsheets/*/values:batchGet" ValuesBatchGet Read
        "google.apps.sheets.v4.SpreadsheetsService.BatchGetValues";
    POST "/v4/spreadsheets/*/values:batchGetByDataFilter" ValuesBatchGetByDataFilter Read
        "google.apps.sheets.v4.SpreadsheetsService.BatchGetValuesByDataFilter";
    POST "/v4/spreadsheets/*/values:batchUpdate" ValuesBatchUpdate Write
        "google.apps.sheets.v4.SpreadsheetsService.BatchUpdateValues";
    POST "/v4/spreadsheets/*/values:batchUpdateByDataFilter" ValuesBatchUpdateByDataFilter Write
        "google.apps.sheets.v4.SpreadsheetsService.BatchUpdateValuesByDataFilter";
    POST "/v4/spreadsheets/*/values:batchClear" ValuesBatchClear Write
        "google.apps.sheets.v4.SpreadsheetsService.BatchClearValues";
    POST "/v4/spreadsheets/*/values:batchClearByDataFilter" ValuesBatchClearByDataFilter Write
        "google.apps.sheets.v4.SpreadsheetsService.BatchClearValuesByDataFilter";
    GET "/v4/spreadsheets/*/values/*" ValuesGet Read "google.apps.sheets.v4.SpreadsheetsService.GetValues";
    PUT "/v4/spreadsheets/*/values/*" ValuesUpdate Write
        "google.apps.sheets.v4.SpreadsheetsService.UpdateValues";
    POST "/v4/spreadsheets/*/values/*:append" ValuesAppend Write
        "google.apps.sheets.v4.SpreadsheetsService.AppendValues";
    POST "/v4/spreadsheets/*/values/*:clear" ValuesClear Write
        "google.apps.sheets.v4.SpreadsheetsService.ClearValues";
    GET "/drive/v3/about" About Read "google.apps.drive.v3.DriveAbout.Get";
    GET "/drive/v3/files" FileList Read "google.apps.drive.v3.DriveFiles.List";
    POST "/drive/v3/files" FileCreate Write "google.apps.drive.v3.DriveFiles.Create";
    GET "/drive/v3/files/*" FileGet Read "google.apps.drive.v3.DriveFiles.Get";
    PATCH "/drive/v3/files/*" FileUpdate Write "google.apps.drive.v3.DriveFiles.Update";
    DELETE "/drive/v3/files/*" FileDelete Write "google.apps.drive.v3.DriveFiles.Delete";
    POST "/drive/v3/files/*/copy" FileCopy Write "google.apps.drive.v3.DriveFiles.Copy";
    GET "/drive/v3/files/*/export" FileExport Read "google.apps.drive.v3.DriveFiles.Export";
    PUT "/upload/drive/v2/files/*" FileImport Write "google.apps.drive.v2.DriveFiles.Update";
    GET "/drive/v3/files/*/permissions" PermissionList Read "google.apps.drive.v3.DrivePermissions.List";
    POST "/drive/v3/files/*/permissions" PermissionCreate Write "google.apps.drive.v3.DrivePermissions.Create";
    GET "/drive/v3/files/*/permissions/*" PermissionGet Read "google.apps.drive.v3.DrivePermissions.Get";
    PATCH "/drive/v3/files/*/permissions/*" PermissionUpdate Write
        "google.apps.drive.v3.DrivePermissions.Update";
    DELETE "/drive/v3/files/*/permissions/*" PermissionDelete Write
        "google.apps.drive.v3.DrivePermissions.Delete";
    GET "/drive/v3/files/*/comments" CommentList Read "google.apps.drive.v3.DriveComments.List";
    POST "/drive/v3/files/*/comments" CommentCreate Write "google.apps.drive.v3.DriveComments.Create";
};

fn matched(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (mut expected, mut given) = (pattern.split('/'), path.split('/'));
    let mut parts = Vec::new();
    loop {
        match (expected.next(), given.next()) {
            (None, None) => return Some(parts),
            (Some(expected), Some(given)) => match expected.strip_prefix('*') {
                Some(verb) => {
                    let part = given.strip_suffix(verb).filter(|part| !part.is_empty())?;
                    parts.push(super::query::decode(part));
                }
                None if expected == given => {}
                None => return None,
            },
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found() {
        for (method, path, expected) in [
            ("GET", "/v4/spreadsheets/abc", Some((Endpoint::Get, vec!["abc"]))),
            ("POST", "/v4/spreadsheets/abc:batchUpdate", Some((Endpoint::BatchUpdate, vec!["abc"]))),
            (
                "POST",
                "/v4/spreadsheets/abc/values/%27My%20Tab%27%21A1%3AB2:append",
                Some((Endpoint::ValuesAppend, vec!["abc", "'My Tab'!A1:B2"])),
            ),
            (
                "GET",
                "/v4/spreadsheets/abc/values/Users+!1:2",
                Some((Endpoint::ValuesGet, vec!["abc", "Users !1:2"])),
            ),
            (
                "GET",
                "/v4/spreadsheets/abc/values/a%2Fb%2B%21A1",
                Some((Endpoint::ValuesGet, vec!["abc", "a/b+!A1"])),
            ),
            ("GET", "/v4/spreadsheets/abc/values/a/b!A1", None),
            ("GET", "/v4/spreadsheets/abc/values/", None),
            ("POST", "/v4/spreadsheets/abc/values/A1", None),
            ("GET", "/v4/spreadsheets/abc/values:batchGet", Some((Endpoint::ValuesBatchGet, vec!["abc"]))),
            ("DELETE", "/v4/spreadsheets/abc", None),
            (
                "DELETE",
                "/drive/v3/files/abc/permissions/1",
                Some((Endpoint::PermissionDelete, vec!["abc", "1"])),
            ),
        ] {
            let found = Route::find(method, path);
            let found = found
                .as_ref()
                .map(|route| (route.endpoint(), route.parts.iter().map(String::as_str).collect::<Vec<_>>()));
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn calls_tell_what_they_are() {
        let call =
            |method, path| Call { method, path, query: "", body: b"", now: jiff::Timestamp::UNIX_EPOCH };
        let read = call("POST", "/v4/spreadsheets/a/values:batchGetByDataFilter");
        assert_eq!((read.kind(), read.service()), (Kind::Read, Some(Service::Sheets)));
        let write = call("PUT", "/v4/spreadsheets/a/values/A1");
        assert_eq!(write.kind(), Kind::Write);
        assert_eq!(write.api_method(), Some("google.apps.sheets.v4.SpreadsheetsService.UpdateValues"));
        assert_eq!(call("GET", "/drive/v3/about").service(), Some(Service::Drive));
        assert_eq!((call("GET", "/x").service(), call("GET", "/x").api_method()), (None, None));
    }
}
