//! Mounted in somebody else's application: it guards itself, and touches nothing of theirs.

use actix_web::{App, test, web};
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
    let app = test::init_service(app).await;
    let get = async |path: &str| {
        let answer = test::call_service(&app, test::TestRequest::get().uri(path).to_request()).await;
        let (status, policed) =
            (answer.status().as_u16(), answer.headers().contains_key("content-security-policy"));
        (status, policed, String::from_utf8(test::read_body(answer).await.to_vec()).unwrap())
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
