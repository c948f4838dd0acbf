//! Clients that are slow, many, or not there any more.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::time::{Duration, Instant};

use status_validator::http::{Limits, Listen, ServeError, Server};

use super::house::{House, front, office, parts};
use crate::support::{model, projects, wait};

#[test]
fn progress_is_told_as_it_happens_and_to_all_alike() {
    let house = House::new(vec![parts(&projects(40), &model(300))], |_| {});
    let mut listeners: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = house.connect();
            let host = house.address;
            write!(stream, "GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
            BufReader::new(stream)
        })
        .collect();
    house.post("/api/v1/runs", "{}");
    for heard in &mut listeners {
        let mut settled = Vec::new();
        let mut line = String::new();
        while settled.last() != Some(&None) || settled.len() < 3 {
            line.clear();
            assert!(heard.read_line(&mut line).unwrap() > 0, "it hung up: {settled:?}");
            let Some(json) = line.trim().strip_prefix("data: ") else { continue };
            let frame: serde_json::Value = serde_json::from_str(json).unwrap();
            settled.push(frame["jobs"][0]["progress"]["rows_settled"].as_u64());
        }
        let known: Vec<u64> = settled.iter().flatten().copied().collect();
        assert!(known.is_sorted() && known.len() >= 2, "{settled:?}");
    }
}

#[test]
fn who_dribbles_is_hung_up_on_and_holds_up_nobody() {
    let house = House::small();
    let host = house.address;
    let body = format!(
        "POST /api/v1/validate HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    for begun in ["GET /api/v1/sta", "GET / HTTP/1.1\r\nHost: x\r\nX: ", body.as_str()] {
        let mut slow = house.connect();
        slow.write_all(begun.as_bytes()).unwrap();
        let began = Instant::now();
        assert_eq!(house.get("/api/v1/status").status, 200);
        let mut heard = Vec::new();
        slow.read_to_end(&mut heard).ok(); // hung up on is what it is
        assert!(began.elapsed() < Duration::from_secs(15), "{begun}: {:?}", began.elapsed());
    }
    let endless = format!("GET / HTTP/1.1\r\nHost: {host}\r\nX: {}", "x".repeat(300_000));
    assert!(matches!(house.say(&endless).status, 400 | 431 | 0));
    assert_eq!(house.get("/livez").status, 200);
}

#[test]
fn a_thousand_may_listen_and_one_more_than_allowed_is_told_so() {
    if !has_room() {
        println!("fewer than 8,000 files may be open here: a thousand listeners are not tried");
        return;
    }
    let house = House::new(vec![parts(&projects(60), &model(50))], |_| {});
    let host = house.address;
    let listen = || {
        let mut stream = house.connect();
        write!(stream, "GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut heard = BufReader::new(stream);
        let mut line = String::new();
        heard.read_line(&mut line).unwrap();
        (heard, line.contains(" 200 "))
    };
    let first: Vec<_> = (0..1000).map(|_| listen()).collect();
    let id = house.run();
    assert_eq!(house.get(&format!("/api/v1/runs/{id}")).json()["report"]["rows_valid"], 60);
    let second: Vec<_> = (0..1000).map(|_| listen()).collect();
    assert!(first.iter().chain(&second).all(|(_, is_let_in)| *is_let_in));
    assert!(!listen().1, "no room for more");
    assert_eq!(house.get("/api/v1/status").status, 200);
    drop((first, second));
    while !listen().1 {
        std::thread::yield_now(); // who is gone makes room
    }
}

/// Raises how many files may be open, as far as it may.
fn has_room() -> bool {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok();
    getrlimit(Resource::Nofile).current.is_none_or(|most| most >= 8000)
}

#[test]
fn a_place_that_is_taken_is_named_and_a_socket_is_its_owners_alone() {
    let house = House::small();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sv.sock");
    wait(async {
        let (engine, office) = office(vec![parts(&projects(1), &model(1))]);
        let serve = |listen: &Listen| Server::start(listen, front(office.clone()), Limits::default());
        let taken = serve(&Listen::Address(house.address)).unwrap_err();
        assert!(matches!(taken, ServeError::Address { .. }));
        assert!(taken.to_string().contains(&house.address.to_string()), "{taken}");
        let socket = Listen::Socket(path.clone());
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap()); // one that nobody listens on any more
        let server = serve(&socket).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(serve(&socket), Err(ServeError::Socket { .. })), "somebody listens there");
        let heard = tokio::task::spawn_blocking({
            let path = path.clone();
            move || {
                let mut stream = std::os::unix::net::UnixStream::connect(path).unwrap();
                stream
                    .write_all(b"GET /livez HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n")
                    .unwrap();
                let mut heard = String::new();
                stream.read_to_string(&mut heard).unwrap();
                heard
            }
        })
        .await
        .unwrap();
        assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
        server.stop().await;
        assert!(!path.exists());
        engine.shutdown(Duration::from_secs(5)).await;
    });
}
