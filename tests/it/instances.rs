//! One instance at a time on a store and on a results table: the second one says so and ends, or waits.

use std::process::Child;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::support::VALID;
use crate::support::cli::{Desk, Ended, Model, answer};

const ROUNDS: usize = 50;

/// A model that answers when it is let.
fn gated() -> (Arc<Semaphore>, Model) {
    let gate = Arc::new(Semaphore::new(0));
    let behind = Arc::clone(&gate);
    (gate, Model::answering(move |_, _| answer(VALID).behind(&behind)))
}

fn ended(child: Child) -> Ended {
    child.wait_with_output().unwrap().into()
}

/// Waits for the first of two to end.
fn first_of(mut one: Child, mut other: Child) -> (Ended, Child) {
    loop {
        if one.try_wait().unwrap().is_some() {
            return (ended(one), other);
        }
        std::mem::swap(&mut one, &mut other);
        std::thread::yield_now();
    }
}

#[test]
fn of_two_that_start_together_one_works_and_the_other_says_so() {
    let (gate, model) = gated();
    let desk = Desk::with_model(1, &model.url());
    for round in 1..=ROUNDS {
        desk.write("projects.csv", format!("Project,Status,Comment\nProject 1,On Track,Round {round}.\n"));
        let (refused, working) = first_of(desk.start(&["-q"]), desk.start(&["-q"]));
        assert_eq!(refused.code, 6, "round {round}: {refused:?}");
        assert!(refused.err.contains("another instance is at work"), "{refused:?}");
        assert!(refused.err.contains("--wait"), "{refused:?}");
        gate.add_permits(1);
        let worked = ended(working);
        assert_eq!(worked.code, 0, "round {round}: {worked:?}");
        assert_eq!(model.requests(), round, "round {round}: one has asked");
    }
    let left: Vec<_> =
        std::fs::read_dir(desk.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".lock")), "{left:?}");
    println!("{ROUNDS} pairs: never two at work, the second ended with 6");
}

#[test]
fn two_stores_do_not_write_one_table_at_a_time() {
    let (gate, model) = gated();
    let desk = Desk::with_model(1, &model.url());
    let other = |desk: &Desk| {
        let mut command = desk.command(&["-q"]);
        command.env("SV_CACHE_PATH", desk.path("other.sqlite"));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let (refused, working) = first_of(desk.start(&["-q"]), other(&desk));
    assert!(refused.code == 6 && refused.err.contains("review.csv"), "{refused:?}");
    gate.add_permits(1);
    assert_eq!(ended(working).code, 0);
}

#[test]
fn whoever_waits_goes_on_where_the_first_one_ends() {
    let (gate, model) = gated();
    let desk = Desk::with_model(1, &model.url());
    let first = desk.start(&["-q"]);
    while model.requests() == 0 {
        std::thread::yield_now();
    }
    let waiting = desk.start(&["--wait", "60"]);
    gate.add_permits(1);
    assert_eq!(ended(first).code, 0);
    let waited = ended(waiting);
    assert_eq!(waited.code, 0, "{waited:?}");
    assert_eq!(model.requests(), 1, "the answer of the first is known to the second");
}

#[test]
fn what_only_looks_works_beside_a_run() {
    let (gate, model) = gated();
    let desk = Desk::with_model(1, &model.url());
    let running = desk.start(&["-q"]);
    while model.requests() == 0 {
        std::thread::yield_now();
    }
    for beside in [&["plan"][..], &["cache", "stats"], &["runs", "list"]] {
        let looked = desk.run(beside);
        assert_eq!(looked.code, 0, "{beside:?}: {looked:?}");
    }
    gate.add_permits(2);
    let judged = desk.run(&["check-text", "--status", "On Track", "--comment", "Walls are up."]);
    assert_eq!(judged.code, 0, "{judged:?}");
    assert_eq!(ended(running).code, 0);
}

#[test]
fn a_killed_instance_holds_nothing() {
    let (gate, model) = gated();
    let desk = Desk::with_model(1, &model.url());
    let mut killed = desk.start(&["-q"]);
    while model.requests() == 0 {
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    gate.add_permits(2);
    let next = desk.run(&[]);
    assert_eq!(next.code, 0, "{next:?}");
}
