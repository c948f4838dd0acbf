//! Who is let in, and what every answer carries.

use secrecy::SecretString;

use super::house::{House, parts};
use crate::support::{model, projects};

const TOKEN: &str = "a-token-of-some-length-4711";

fn guarded() -> House {
    House::new(vec![parts(&projects(3), &model(1))], |front| front.token = Some(SecretString::from(TOKEN)))
}

#[test]
fn only_names_of_its_own_are_answered() {
    let house = House::small();
    let port = house.address.port();
    for (hosts, status) in [
        (vec![format!("127.0.0.1:{port}")], 200),
        (vec![format!("LocalHost:{port}")], 200),
        (vec![format!("[::1]:{port}")], 200),
        (vec!["evil.invalid".to_owned()], 403),
        (vec![format!("evil.invalid:{port}")], 403),
        (vec![format!("127.0.0.1.evil.invalid:{port}")], 403),
        (vec![format!("user@127.0.0.1:{port}")], 403),
        (vec!["127.0.0.1:1".to_owned()], 403),
        (vec![format!("127.0.0.1:{port}"), "evil.invalid".to_owned()], 403),
    ] {
        for path in ["/", "/api/v1/status", "/metrics", "/livez", "/nowhere"] {
            let headers: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
            let answer = house.say(&format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n"));
            let expected = if status == 200 && path == "/nowhere" { 404 } else { status };
            // Two of them are no HTTP at all: the server says so before anybody is asked.
            assert!(
                answer.status == expected || (hosts.len() > 1 && answer.status == 400),
                "{hosts:?} {path}: {answer:?}"
            );
        }
    }
    assert!(matches!(house.say("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status, 400 | 403));
    let absolute =
        format!("GET http://evil.invalid/ HTTP/1.1\r\nConnection: close\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    assert_eq!(house.say(&absolute).status, 403);
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let house = House::small();
    let own = format!("http://{}", house.address);
    for (headers, is_let_in) in [
        (vec![], true),
        (vec![("Origin", own.as_str())], true),
        (vec![("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")], true),
        (vec![("Sec-Fetch-Site", "cross-site")], false),
        (vec![("Sec-Fetch-Site", "same-site")], false),
        (vec![("Origin", "http://evil.invalid")], false),
        (vec![("Origin", "null")], false),
    ] {
        let json = [headers.as_slice(), &[("Content-Type", "application/json")]].concat();
        let answer = house.ask("POST /api/v1/runs", &json, r#"{"job": "nobody"}"#);
        assert_eq!(answer.status, if is_let_in { 404 } else { 403 }, "{headers:?}: {answer:?}");
        let form = house.ask("POST /jobs/nobody/run", &headers, "");
        assert_eq!(form.status, if is_let_in { 404 } else { 403 }, "{headers:?}: {form:?}");
    }
    let text = house.ask("POST /api/v1/runs", &[("Content-Type", "text/plain")], "{}");
    assert_eq!(text.status, 415, "what a page may send without asking is no JSON");
    assert!(!house.get("/api/v1/status").head.contains("access-control"));
}

#[test]
fn without_the_token_nothing_is_told_and_with_it_everything() {
    let house = guarded();
    for path in ["/api/v1/status", "/metrics", "/events", "/api/v1/openapi.json"] {
        let refused = house.get(path);
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("bearer")), "{path}");
        for wrong in ["Bearer nonsense", "Basic Zm9v", TOKEN, "Bearer "] {
            assert_eq!(house.ask(&format!("GET {path}"), &[("Authorization", wrong)], "").status, 401);
        }
    }
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(house.ask("GET /api/v1/status", &[("Authorization", &bearer)], "").status, 200);
    for open in ["/livez", "/readyz", "/health/live", "/health/ready"] {
        assert_eq!(house.get(open).status, 200, "{open}");
    }
    let page = house.get("/");
    assert!(page.status == 401 && page.body.contains("<form") && !page.body.contains("default"), "{page:?}");
    let cross = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
        ("Sec-Fetch-Site", "cross-site"),
    ];
    assert_eq!(
        house.ask("POST /api/v1/runs", &cross, "{}").status,
        202,
        "no browser sends a token by itself"
    );
}

#[test]
fn a_browser_shows_the_token_once_and_wrong_ones_are_not_tried_for_ever() {
    let house = guarded();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let sign_in = |token: &str| house.ask("POST /login", &form, &format!("token={token}"));
    let welcome = sign_in(TOKEN);
    assert_eq!((welcome.status, welcome.header("location")), (303, Some("/")));
    let cookie = welcome.header("set-cookie").unwrap();
    assert!(
        cookie.contains("httponly") && cookie.contains("samesite=strict") && !cookie.contains(TOKEN),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    assert_eq!(house.ask("GET /", &[("Cookie", pair)], "").status, 200);
    assert_eq!(house.ask("GET /", &[("Cookie", "sv_session=0")], "").status, 401);
    for _ in 0..10 {
        assert_eq!(sign_in("wrong").status, 401);
    }
    assert_eq!(sign_in("wrong").status, 429);
    assert_eq!(sign_in(TOKEN).status, 429);
    assert_eq!(house.ask("GET /", &[("Cookie", pair)], "").status, 200, "who is in stays in");
}

#[test]
fn every_answer_carries_what_keeps_browsers_in_bounds() {
    let house = House::small();
    for path in ["/", "/api/v1/status", "/nowhere", "/api/v1/nowhere", "/livez"] {
        let answer = house.get(path);
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}
