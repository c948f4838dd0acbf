//! The program dies, or is refused its disk, at every step between reading, paying, storing, sending and confirming;
//! the next run finishes without help. Real processes, real signal 9, all kinds of tables.
//!
//! The long sweep: `SV_CRASH_SEEDS=20 cargo test --test it crash -- --nocapture`.

#![allow(clippy::print_stdout, reason = "the figures are what a sweep is for")]

mod full;
mod world;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::support::cli::{Desk, SAMPLES};
use crate::support::served::Served;
use world::{BEFORE, Kind, ROWS, WORKERS, World};

/// The points, and how often each is passed in a run. A run writes a file once and Google's tables some times more.
const POINTS: [(&str, usize); 14] = [
    ("K1-settings-read", 1),
    ("K2-source-read", 1),
    ("K3-rows-planned", 1),
    ("K4-call-sent", ROWS - BEFORE),
    ("K5-answer-arrived", ROWS - BEFORE),
    ("K6-answer-stored", ROWS - BEFORE),
    ("K7-outbox-written", ROWS - BEFORE),
    ("K8-table-writes", 1),
    ("K9-table-sent", 1),
    ("K10-table-answered", 1),
    ("K11-table-verified", 1),
    ("K12-run-ended", 1),
    ("K13-store-closes", 2),
    ("K14-store-migrates", 2),
];

fn seeds() -> u64 {
    std::env::var("SV_CRASH_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// What came of the kills at one point.
#[derive(Default)]
struct Figures {
    cases: usize,
    kills: usize,
    lost: usize,
    doubled: usize,
    changed: usize,
    paid_again: usize,
    /// The most a kill cost.
    dearest: f64,
    slowest: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, kills, lost, doubled, changed, paid_again, dearest, slowest } = self;
        write!(
            f,
            "{cases:>6}{kills:>7}{lost:>7}{doubled:>9}{changed:>9}{paid_again:>12}{dearest:>12.1}{:>10.2}",
            slowest.as_secs_f64()
        )
    }
}

/// `stage` makes the place for all cases of one point.
fn sweep(name: &str, stage: impl Fn() -> Kind) {
    let mut table = format!(
        "{name:<22}{:>6}{:>7}{:>7}{:>9}{:>9}{:>12}{:>12}{:>10}\n",
        "cases", "kills", "lost", "doubled", "changed", "paid again", "most a kill", "slowest s"
    );
    let mut kills = 0;
    for (point, passes) in POINTS {
        let kind = stage();
        let is_file = !matches!(kind, Kind::Sheets(_));
        let is_of_each_write = ["K8", "K9", "K10"].iter().any(|of_write| point.starts_with(of_write));
        let passes = if is_of_each_write && !is_file { 3 } else { passes };
        let mut figures = Figures::default();
        for seed in 0..seeds() {
            case(&kind, point, passes, seed, &mut figures);
        }
        table.push_str(&format!("{point:<22}{figures}\n"));
        kills += figures.kills;
        let Figures { lost, doubled, changed, dearest, .. } = figures;
        assert_eq!((lost, doubled, changed), (0, 0, 0), "\n{table}");
        assert!(dearest <= WORKERS as f64, "\n{table}");
    }
    println!("{table}");
    // Beyond a point's last pass a run just ends well.
    assert!(
        kills * 4 >= POINTS.len() * seeds() as usize * 3,
        "most moments are within runs: {kills}\n{table}"
    );
}

/// One world, killed once or twice, and then left alone.
fn case(kind: &Kind, point: &str, passes: usize, seed: u64, figures: &mut Figures) {
    let about = format!("{point}, seed {seed}");
    let mut rng = Rng::with_seed(1000 * (point.len() + passes) as u64 + seed);
    let world = World::new(kind, &format!("{point}-{seed}"));
    let is_first_run = point == "K14-store-migrates";
    if !is_first_run {
        world.people_work();
    }
    let mut faults = vec![(point, rng.usize(0..passes))];
    if seed % 2 == 1 {
        let (point, passes) = POINTS[rng.usize(..13)];
        faults.push((point, rng.usize(0..passes)));
    }
    figures.cases += 1;
    let mut kept = world.answers();
    let mut kills = 0;
    for (point, nth) in faults {
        let ended = world.run(&format!("{point}={nth}*off->return(kill)"), &[]);
        match ended.code {
            -1 => kills += 1, // by a signal
            code => assert_eq!(code, 0, "{about}: {ended:?}"),
        }
        let now = world.answers();
        figures.lost += kept.saturating_sub(now);
        kept = now;
    }
    let before = world.requests();
    let began = Instant::now();
    let ended = world.run("", &[]);
    figures.slowest = figures.slowest.max(began.elapsed());
    assert_eq!(ended.code, 0, "{about}: {ended:?}");
    assert_eq!(world.requests() - before, ROWS - kept, "{about}: it asks for what is not kept, and no more");

    let results = world.results();
    figures.lost += (1..=ROWS)
        .filter(|n| {
            let right =
                |row: &world::Row| row.valid == "YES" && row.comment == format!("Comment number {n}.");
            !results.get(&format!("Project {n}")).is_some_and(|rows| rows.iter().all(right))
        })
        .count();
    figures.doubled += results.values().map(|rows| rows.len() - 1).sum::<usize>();
    if !is_first_run {
        let note = |n: usize| results.get(&format!("Project {n}")).map(|rows| rows[0].note.clone());
        let notes: Vec<_> = (1..=BEFORE).filter_map(note).collect();
        let written: Vec<_> = (2..=BEFORE + 1).map(|row| format!("note of people, line {row}")).collect();
        figures.changed += usize::from(notes != written);
        let others = results.values().flatten().filter(|row| !row.note.is_empty()).count();
        figures.changed += others.abs_diff(BEFORE);
    }
    let paid_again = world.requests() - ROWS;
    figures.paid_again += paid_again;
    figures.kills += kills;
    if kills > 0 {
        figures.dearest = figures.dearest.max(paid_again as f64 / kills as f64);
    }
    assert_eq!(world.outbox(), 0, "{about}: everything is confirmed");
    assert_eq!(world.leftovers(), [""; 0], "{about}");
    let (table, requests) = (world.table(), world.requests());
    let again = world.run("", &[]);
    assert_eq!((again.code, world.requests()), (0, requests), "{about}: {again:?}");
    assert!(world.table() == table, "{about}: a run that finds nothing new changes nothing");
}

#[test]
fn killed_at_every_step_with_tables_in_csv() {
    sweep("CSV", || Kind::Csv);
}

#[test]
fn killed_at_every_step_with_tables_in_xlsx() {
    sweep("XLSX", || Kind::Xlsx);
}

#[test]
fn killed_at_every_step_with_tables_in_google_sheets() {
    let desk = Desk::new(SAMPLES);
    desk.projects(ROWS);
    sweep("Google Sheets", || {
        let slow = ["--fault", "write=slow 25ms"];
        let to = ["--sheet", "weeks:Statuses=projects.csv", "--target", "results"];
        Kind::Sheets(Arc::new(Served::logged(&desk, &[&to[..], &slow].concat())))
    });
}
