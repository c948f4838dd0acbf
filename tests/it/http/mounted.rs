//! Mounted in somebody else's application: it guards itself, and touches nothing of theirs.

use actix_web::test as service;
use actix_web::{App, web};
use status_validator::http::{Front, routes};

use super::house::{front, office, parts};
use crate::support::{model, projects};

#[actix_web::test]
async fn it_lives_under_another_path_beside_routes_of_others() {
    let (engine, office) = office(vec![parts(&projects(3), &model(1))]);
    let front = Front { base: "/status".into(), ..front(office) };
    let app = App::new()
        .app_data(web::Data::new(7_u32))
        .route("/own", web::get().to(|own: web::Data<u32>| async move { format!("own {}", own.get_ref()) }))
        .service(web::scope("/status").configure(routes(front)))
        .default_service(web::to(|| async { "theirs" }));
    let app = service::init_service(app).await;
    let get = async |path: &str| {
        let answer = service::call_service(&app, service::TestRequest::get().uri(path).to_request()).await;
        let (status, policed) =
            (answer.status().as_u16(), answer.headers().contains_key("content-security-policy"));
        (status, policed, String::from_utf8(service::read_body(answer).await.to_vec()).unwrap())
    };
    assert_eq!(get("/own").await, (200, false, "own 7".to_owned()));
    assert_eq!(get("/nowhere").await, (200, false, "theirs".to_owned()));
    let (status, policed, page) = get("/status/").await;
    assert!(status == 200 && policed, "{page}");
    let document = scraper::Html::parse_document(&page);
    for (selector, attribute) in [("a", "href"), ("form", "action"), ("link", "href"), ("script", "src")] {
        for element in document.select(&scraper::Selector::parse(selector).unwrap()) {
            let place = element.value().attr(attribute).unwrap();
            assert!(place.starts_with("/status") || place.starts_with('#'), "{place}");
            if selector == "link" || selector == "script" {
                assert_eq!(get(place).await.0, 200, "{place}");
            }
        }
    }
    assert_eq!(get("/status/nowhere").await.0, 404);
    assert_eq!(get("/status/api/v1/status").await.0, 200);
    let (_, _, api) = get("/status/api/v1/openapi.json").await;
    assert!(api.contains("\"url\":\"/status\""), "{api}");
    engine.shutdown(std::time::Duration::from_secs(5)).await;
}

/// The example as its user starts it.
#[test]
fn the_example_of_a_service_judges_runs_shows_and_ends_in_order() {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::process::{Command, Stdio};

    let built = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples/embed_actix_web");
    if !built.exists() {
        println!("the example is not built: `cargo test` builds it, `cargo build --examples` too");
        return;
    }
    let mut command = Command::new(built);
    command.arg("127.0.0.1:0").current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::piped());
    let mut program = command.spawn().unwrap();
    let mut said = BufReader::new(program.stdout.take().unwrap()).lines().map_while(Result::ok);
    let place = said.next().unwrap();
    let host = place.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
    let ask = |line: &str, body: &str| {
        let mut stream = std::net::TcpStream::connect(&host).unwrap();
        let length = body.len();
        write!(
            stream,
            "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        heard
    };
    assert!(ask("POST /judge", "No date here.").contains("\"valid\":false"));
    assert!(ask("POST /runs", "").contains("\"rows_read\":70"));
    assert!(ask("GET /count", "").ends_with("1 entries judged\n"));
    assert!(ask("GET /status/", "").contains("All is well"));
    assert!(Command::new("kill").arg(program.id().to_string()).status().unwrap().success());
    assert_eq!(said.next().as_deref(), Some("ended in order"));
    assert!(program.wait().unwrap().success());
}
