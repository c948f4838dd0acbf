//! Runs over a bad connection and under a small quota, in real time.

use std::time::{Duration, Instant};

use crate::support::cli::{Desk, SAMPLES};
use crate::support::served::{Asked, Served, run};

/// A table of so many projects, at a sandbox where this goes wrong.
fn served(desk: &Desk, rows: usize, trouble: &[&str]) -> Served {
    desk.projects(rows);
    Served::logged(
        desk,
        &[&["--sheet", "weeks:Statuses=projects.csv", "--target", "results"], trouble].concat(),
    )
}

#[test]
fn a_run_comes_through_a_broken_network() {
    const ROWS: usize = 40;
    let days: [&[&str]; 3] = [
        &["read=503 for 3s", "write:2=commit-then-reset", "token:1=503", "chat:2..4=reset"],
        &["read:3=cut", "read:6=reset", "write:1=commit-then-503", "write:3=late 1s", "token:2=html 502"],
        &["write:1=reset", "write:2=html 502", "write:3=cut", "read:2=429", "chat:1=cut"],
    ];
    for day in days {
        let desk = Desk::new(SAMPLES);
        let faults: Vec<&str> = day.iter().flat_map(|fault| ["--fault", fault]).collect();
        let sandbox = served(&desk, ROWS, &faults);
        let began = Instant::now();
        let (_, summary) = run(&desk);
        let took = began.elapsed();
        println!("{day:?}: {:.1} s, {}", took.as_secs_f64(), summary["sheets"]);
        assert!(took < Duration::from_secs(90), "it hangs: {day:?}: {took:?}");
        assert_eq!(summary["rows_written"], ROWS, "{day:?}: {summary}");
        let struck = desk.read("sandbox.log").matches("on purpose").count();
        assert!(struck >= day.len() - 1, "{day:?}: {struck} faults");
        sandbox.assert_each_once("results", ROWS, day[0]);
        let (_, again) = run(&desk);
        assert_eq!((&again["rows_written"], &again["rows_unchanged"]), (&0.into(), &ROWS.into()), "{again}");
    }
}

#[test]
fn a_small_quota_is_kept_or_waited_for() {
    const ROWS: usize = 300;
    let desk = Desk::new(SAMPLES);
    let sandbox = served(&desk, ROWS, &["--quota", "30/30"]);
    let before = Asked::so_far(&desk);
    let began = Instant::now();
    let (_, summary) = run(&desk);
    println!("{ROWS} rows under 30/30: {:.1} s, {}", began.elapsed().as_secs_f64(), summary["sheets"]);
    assert_eq!(
        (&summary["rows_written"], &summary["rows_not_checked"]),
        (&ROWS.into(), &0.into()),
        "{summary}"
    );
    let asked = Asked::so_far(&desk).tables - before.tables;
    let told = summary["sheets"]["reads"].as_u64().unwrap() + summary["sheets"]["writes"].as_u64().unwrap();
    assert_eq!(asked as u64, told, "what is told of requests is true");
    sandbox.assert_each_once("results", ROWS, "quota");
}
