//! Files, permissions, and CSV both ways.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::sheets::bench::{Bench, encoded, now};

fn listed(bench: &mut Bench, query: &str) -> Vec<String> {
    let answer = bench.ok("GET", "/drive/v3/files", query, &Value::Null);
    answer["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap().to_owned()).collect()
}

fn search(bench: &mut Bench, q: &str) -> Vec<String> {
    let mut names = listed(bench, &format!("q={}", encoded(q)));
    names.sort();
    names
}

#[test]
fn files_are_made_changed_copied_and_deleted() {
    let mut bench = Bench::of(3, 3, &json!([["a"]]));
    let made = bench.ok(
        "POST",
        "/drive/v3/files",
        "",
        &json!({"name": "New", "mimeType": SPREADSHEET, "parents": ["folder"]}),
    );
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made, json!({"kind": "drive#file", "id": id, "name": "New", "mimeType": SPREADSHEET}));
    let renamed = bench.ok(
        "PATCH",
        &format!("/drive/v3/files/{id}"),
        "fields=name,%20parents",
        &json!({"name": "Renamed"}),
    );
    assert_eq!(renamed, json!({"name": "Renamed", "parents": ["folder"]}));
    let copied = bench.ok("POST", "/drive/v3/files/book/copy", "", &json!({}));
    assert_eq!(copied["name"], json!("Copy of Book"));
    bench.type_in("A1", &json!([["changed"]]));
    bench.id = copied["id"].as_str().unwrap().to_owned();
    assert_eq!(bench.values("A1"), json!([["a"]]));
    assert_eq!(bench.call("DELETE", &format!("/drive/v3/files/{id}"), "", &Value::Null), (204, Value::Null));
    let gone = bench.call("GET", &format!("/drive/v3/files/{id}"), "", &Value::Null);
    assert_eq!(
        gone,
        (
            404,
            json!({"error": {"code": 404, "message": format!("File not found: {id}."), "errors": [{
                "message": format!("File not found: {id}."), "domain": "global", "reason": "notFound", "location": "fileId", "locationType": "parameter",
            }]}})
        )
    );
    bench.refused("POST", "/drive/v3/files", "", &json!({"mimeType": "application/vnd.google-apps.folder"}));
    bench.refused("GET", "/drive/v3/files/book", "fields=a(b", &Value::Null);
    bench.refused("GET", "/drive/v3/nothing", "", &Value::Null);
}

#[test]
fn files_are_found() {
    let mut bench = Bench::new();
    for (name, parent) in [("Plan", "a"), ("Plan B", "b"), ("It's \"x\"", "a")] {
        bench.ok("POST", "/drive/v3/files", "", &json!({"name": name, "parents": [parent]}));
    }
    for (q, expected) in [
        ("", vec!["Book", "It's \"x\"", "Plan", "Plan B"]),
        ("name = 'Plan'", vec!["Plan"]),
        ("mimeType=\"application/vnd.google-apps.spreadsheet\" and name = \"Plan B\"", vec!["Plan B"]),
        ("name contains 'plan' and not name = 'Plan'", vec!["Plan B"]),
        ("'a' in parents", vec!["It's \"x\"", "Plan"]),
        ("parents in \"b\"", vec!["Plan B"]),
        ("(name = 'Plan' or name = 'Book') and trashed = false", vec!["Book", "Plan"]),
        ("name = 'It\\'s \"x\"'", vec!["It's \"x\""]),
        ("mimeType != 'application/vnd.google-apps.spreadsheet'", vec![]),
        ("modifiedTime > '2030-01-01T00:00:00'", vec![]),
        (
            "createdTime <= '2030-01-01T00:00:00Z' and starred != true and name != 'Book' and name!='Plan'",
            vec!["It's \"x\"", "Plan B"],
        ),
    ] {
        assert_eq!(search(&mut bench, q), expected, "{q}");
    }
    for q in [
        "name",
        "name =",
        "nothing = 'x'",
        "name < 'x'",
        "(name = 'x'",
        "name = 'x",
        "name = 'x' or",
        &"not ".repeat(500),
    ] {
        assert_eq!(
            bench.refused("GET", "/drive/v3/files", &format!("q={}", encoded(q)), &Value::Null),
            "Invalid Value",
            "{q}"
        );
    }
    let page = bench.ok(
        "GET",
        "/drive/v3/files",
        "pageSize=3&orderBy=name&fields=nextPageToken,files/name",
        &Value::Null,
    );
    assert_eq!(page["files"].as_array().unwrap().len(), 3);
    let token = page["nextPageToken"].as_str().unwrap();
    assert_eq!(
        listed(&mut bench, &format!("pageSize=3&orderBy=name&pageToken={}", encoded(token))),
        ["Plan B"]
    );
    assert_eq!(listed(&mut bench, "orderBy=name%20desc")[0], "Plan B");
    bench.refused("GET", "/drive/v3/files", "pageSize=0", &Value::Null);
    let id = bench.ok("GET", "/drive/v3/files", "q=name%3D%27Plan%27", &Value::Null)["files"][0]["id"].take();
    bench.ok("PATCH", &format!("/drive/v3/files/{}", id.as_str().unwrap()), "", &json!({"trashed": true}));
    assert_eq!(search(&mut bench, "trashed=true"), ["Plan"]);
}

#[test]
fn permissions_are_given_and_taken() {
    let mut bench = Bench::new();
    let path = "/drive/v3/files/book/permissions";
    let made = bench.ok(
        "POST",
        path,
        "sendNotificationEmail=False",
        &json!({"type": "user", "role": "writer", "emailAddress": "a@example.com", "withLink": false}),
    );
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made, json!({"kind": "drive#permission", "id": id, "type": "user", "role": "writer"}));
    let again = bench.ok(
        "POST",
        path,
        "",
        &json!({"type": "user", "role": "reader", "emailAddress": "a@example.com"}),
    );
    assert_eq!((&again["id"], &again["role"]), (&json!(id), &json!("reader")));
    bench.ok("POST", path, "", &json!({"type": "anyone", "role": "reader"}));
    let all = bench.ok("GET", path, "fields=nextPageToken,permissions", &Value::Null);
    let addresses: Vec<&Value> =
        all["permissions"].as_array().unwrap().iter().map(|one| &one["emailAddress"]).collect();
    assert_eq!(addresses, [&json!(bench.office.user()), &json!("a@example.com"), &Value::Null]);
    let one = format!("{path}/{id}");
    assert_eq!(
        bench.ok("PATCH", &one, "fields=pendingOwner", &json!({"role": "writer", "pendingOwner": true})),
        json!({"pendingOwner": true})
    );
    bench.refused("PATCH", &one, "", &json!({"role": "owner"}));
    bench.ok("PATCH", &one, "transferOwnership=True", &json!({"role": "owner"}));
    let owner = bench.ok("GET", "/drive/v3/files/book", "fields=owners.emailAddress", &Value::Null);
    assert_eq!(owner, json!({"owners": [{"emailAddress": "a@example.com"}]}));
    assert_eq!(bench.call("DELETE", &format!("{path}/anyoneWithLink"), "", &Value::Null).0, 204);
    for (method, path, body) in [
        ("DELETE", one.as_str(), json!(null)),
        ("DELETE", "/drive/v3/files/book/permissions/9", json!(null)),
        ("GET", "/drive/v3/files/book/permissions/9", json!(null)),
        ("POST", path, json!({"type": "user", "role": "writer"})),
        ("POST", path, json!({"type": "user", "role": "king", "emailAddress": "x"})),
        ("POST", path, json!({"type": "ghost", "role": "reader"})),
        ("POST", "/drive/v3/files/none/permissions", json!({"type": "anyone", "role": "reader"})),
        ("POST", "/drive/v3/files/none/comments", json!({"content": "x"})),
        ("POST", "/drive/v3/files/book/comments", json!({})),
    ] {
        bench.refused(method, path, "", &body);
    }
}

#[test]
fn comments_and_the_account() {
    let mut bench = Bench::new();
    let path = "/drive/v3/files/book/comments";
    let fields = "fields=comments/content,comments/anchor,nextPageToken&pageToken=";
    assert_eq!(bench.ok("GET", path, fields, &Value::Null), json!({"comments": []}));
    bench.ok("POST", path, "fields=id", &json!({"content": "well"}));
    assert_eq!(bench.ok("GET", path, fields, &Value::Null), json!({"comments": [{"content": "well"}]}));
    bench.refused("GET", "/drive/v3/about", "", &Value::Null);
    let user = bench.ok("GET", "/drive/v3/about", "fields=user.emailAddress", &Value::Null);
    assert_eq!(user["user"]["emailAddress"], json!(bench.office.user()));
}

#[test]
fn the_first_sheet_goes_out_as_csv_and_comes_in() {
    let mut bench = Bench::of(4, 4, &json!([["a", "x, \"y\""], [], ["=1/2", "5%", "2020-01-01"]]));
    let answer = |bench: &mut Bench, kind: &str| {
        let query = format!("mimeType={}", encoded(kind));
        let path = "/drive/v3/files/book/export";
        bench.office.answer(&Call { method: "GET", path, query: &query, body: b"", now: now() })
    };
    let csv = answer(&mut bench, "text/csv");
    assert_eq!((csv.status, csv.media_type), (200, Some("text/csv")));
    assert_eq!(csv.body, Some(json!("a,\"x, \"\"y\"\"\",\r\n,,\r\n0.5,5%,2020-01-01")));
    assert_eq!(
        answer(&mut bench, "text/tab-separated-values").body,
        Some(json!("a\t\"x, \"\"y\"\"\"\t\r\n\t\t\r\n0.5\t5%\t2020-01-01"))
    );
    assert_eq!((answer(&mut bench, "application/pdf").status, answer(&mut bench, "").status), (400, 400));
    bench.batch(&json!([{"addSheet": {}}, {"addNamedRange": {"namedRange": {"name": "N", "range": {}}}}]));
    let upload = Call {
        method: "PUT",
        path: "/upload/drive/v2/files/book",
        query: "uploadType=media&convert=True",
        body: "h1,h2\n\"1,5\",2020-01-01\n\"two\nlines\"\n".as_bytes(),
        now: now(),
    };
    let answer = bench.office.answer(&upload);
    assert_eq!((answer.status, answer.body.unwrap()["title"].take()), (200, json!("Book")));
    let read = bench.read("Sheet1", "valueRenderOption=UNFORMATTED_VALUE");
    assert_eq!(read["values"], json!([["h1", "h2"], ["1,5", 43831], ["two\nlines"]]));
    assert_eq!(bench.fields("sheets.properties.title,namedRanges")["sheets"].as_array().unwrap().len(), 1);
    assert_eq!(bench.fields("namedRanges"), json!({}));
}
