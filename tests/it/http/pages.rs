//! The pages: whole without a script, in two languages, and of hostile texts nothing is left but text.

use scraper::{Html, Selector};
use status_validator::table::memory::MemorySource;
use status_validator::testing::{FakeModel, Step};

use super::house::{House, parts};
use crate::support::{model, projects};

fn select<'a>(page: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

#[test]
fn the_overview_says_how_things_stand_and_forms_do_what_they_say() {
    let house = House::small();
    let page = Html::parse_document(&house.get("/").body);
    assert_eq!(select(&page, "h1")[0].text().collect::<String>(), "Nothing has run yet");
    let form = select(&page, "article form")[0];
    let action = form.value().attr("action").unwrap();
    let origin = format!("http://{}", house.address);
    let sent = house.ask(&format!("POST {action}"), &[("Origin", &origin)], "");
    assert_eq!((sent.status, sent.header("location")), (303, Some("/")));
    while house.get("/api/v1/jobs/default").json()["last_run"].is_null() {
        std::thread::yield_now();
    }
    let body = house.get("/").body;
    let page = Html::parse_document(&body);
    assert_eq!(select(&page, "h1")[0].text().collect::<String>(), "All is well");
    assert!(body.contains("3 rows"), "{body}");
    let run = select(&page, "dd a[href^='/runs/']")[0].value().attr("href").unwrap().to_owned();
    for path in
        [run.as_str(), "/jobs/default", "/rows/default/project%201", "/jobs/default?valid=true&after=a"]
    {
        let answer = house.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let page = Html::parse_document(&answer.body);
        assert_eq!((select(&page, "h1").len(), select(&page, "main").len()), (1, 1), "{path}");
    }
    for path in ["/jobs/nobody", "/runs/nobody", "/rows/default/nobody", "/nowhere"] {
        let answer = house.get(path);
        assert!(answer.status == 404 && answer.body.contains("Back to the overview"), "{path}: {answer:?}");
    }
}

#[test]
fn the_reader_has_the_language_that_was_asked_for() {
    let house = House::small();
    let lang = |headers: &[(&str, &str)], path: &str| {
        let answer = house.ask(&format!("GET {path}"), headers, "");
        let page = Html::parse_document(&answer.body);
        (select(&page, "html")[0].value().attr("lang").unwrap().to_owned(), answer)
    };
    assert_eq!(lang(&[], "/").0, "en");
    assert_eq!(lang(&[("Accept-Language", "de, ru-RU;q=0.8")], "/").0, "ru");
    assert_eq!(lang(&[("Cookie", "sv_lang=ru")], "/").0, "ru");
    let (chosen, answer) = lang(&[("Accept-Language", "en")], "/?lang=ru");
    assert!(chosen == "ru" && answer.header("set-cookie").unwrap().starts_with("sv_lang=ru"));
    assert!(answer.body.contains("Задания") && !answer.body.contains(">Jobs<"));
    assert_eq!(lang(&[], "/?lang=xx").0, "en");
}

#[test]
fn hostile_texts_stay_texts_and_are_shown_only_where_they_may_be() {
    let hostile = "<img src=x onerror=alert(1)> \"'><script>alert(2)</script> \u{202e}gnp \u{1b}[2J javascript:alert(3)";
    let header = ["Project", "Status", "Comment"].map(str::to_owned).to_vec();
    let row = vec![format!("P {hostile}"), "On Track".into(), format!("C {hostile}")];
    let source = MemorySource::new([header, row]);
    let says = serde_json::json!({"is_valid": false, "issues": [format!("I {hostile}")], "rewrite_suggestion": "R <b>x</b>"});
    let model = FakeModel::new("m", move |_, _| Step::Answer {
        after: std::time::Duration::ZERO,
        text: says.to_string(),
    });
    for show_content in [true, false] {
        let mut job = parts(&source, &model);
        job.columns.completion_date = None;
        job.job = format!("J {hostile}");
        let house = House::new(vec![job], move |front| front.show_content = show_content);
        house.office.trouble(Some(hostile), format!("T «{hostile}»"));
        let id = house.run();
        let rows = house.get("/api/v1/rows").json();
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let (job, key) = (encode(rows[0]["job"].as_str().unwrap()), encode(rows[0]["key"].as_str().unwrap()));
        assert_eq!(rows[0]["issues"].is_array(), show_content);
        for path in
            ["/".to_owned(), format!("/runs/{id}"), format!("/jobs/{job}"), format!("/rows/{job}/{key}")]
        {
            let body = house.get(&path).body;
            assert!(!body.contains('\u{202e}') && !body.contains('\u{1b}'), "{path}");
            let page = Html::parse_document(&body);
            assert!(
                select(&page, "img, b[onerror], [onerror], [style], script:not([src])").is_empty(),
                "{path}"
            );
            assert_eq!(select(&page, "script").len(), 1, "{path}");
            let links = select(&page, "[href]");
            assert!(links.iter().all(|link| !link.value().attr("href").unwrap().starts_with("javascript")));
        }
        let row = house.get(&format!("/rows/{job}/{key}")).body;
        assert_eq!(row.contains("I &lt;img"), show_content, "{row}");
        assert_eq!(house.get("/").body.contains("T «&lt;img"), show_content);
    }
}

#[test]
fn without_a_script_a_page_that_moves_reads_itself_again() {
    let house = House::new(vec![parts(&projects(200), &model(200))], |_| {});
    assert!(!house.get("/").body.contains("http-equiv=\"refresh\""));
    house.post("/api/v1/runs", "{}");
    let body = house.get("/").body;
    assert!(body.contains("<noscript><meta http-equiv=\"refresh\""), "{body}");
    let page = Html::parse_document(&body);
    assert_eq!(select(&page, "progress").len(), 1);
    let asset = select(&page, "script")[0].value().attr("src").unwrap().to_owned();
    let script = house.get(&asset);
    assert!(script.status == 200 && script.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(house.get("/assets/style-000000000000.css").status, 404);
}
