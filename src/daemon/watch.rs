//! Watching a table: when what it holds is another, and stays so for a moment, somebody has edited it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::Wish;

/// What a look at a table came to: a number that is another when the table is, or why it cannot be looked at.
pub type Looked = Result<u64, String>;

/// What is known of a table. Pure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    checked: Option<u64>,
    seen: Option<u64>,
}

impl Watched {
    /// A look found this. True if it is to be checked: it differs from what was checked last, and nobody is typing any more.
    /// The first state that stays is checked as well: it may have been edited while nobody looked.
    pub fn saw(&mut self, state: u64) -> bool {
        let is_still = self.seen.replace(state) == Some(state);
        if !is_still || self.checked == Some(state) {
            return false;
        }
        self.checked = Some(state);
        true
    }
}

/// A table that cannot be looked at is looked at less and less often, down to this.
const RAREST: Duration = Duration::from_secs(300);

/// Looks at the table of a job again and again, and wishes for runs; until nobody hears of them any more. `trouble` hears of
/// each new reason for which it cannot be looked at.
pub async fn watch(
    job: String,
    every: Duration,
    look: impl Fn() -> BoxFuture<'static, Looked>,
    wishes: mpsc::UnboundedSender<Wish>,
    trouble: impl Fn(String),
) {
    let (mut watched, mut pause, mut known) = (Watched::default(), every, None);
    while !wishes.is_closed() {
        match look().await {
            Ok(state) => {
                (pause, known) = (every, None);
                if watched.saw(state) && wishes.send(Wish::Edited(job.clone())).is_err() {
                    return;
                }
            }
            Err(why) => {
                pause = (pause * 2).min(RAREST);
                if known.as_ref() != Some(&why) {
                    trouble(why.clone());
                    known = Some(why);
                }
            }
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::Instant;

    use super::*;

    #[test]
    fn what_stays_and_is_new_is_checked_once() {
        let mut watched = Watched::default();
        let looks = [1, 1, 1, 2, 3, 3, 3, 1, 1];
        let checked: Vec<bool> = looks.into_iter().map(|state| watched.saw(state)).collect();
        assert_eq!(checked, [false, true, false, false, false, true, false, false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_edit_is_wished_for_within_a_minute_and_trouble_is_told_once() {
        let (wishes, mut heard) = mpsc::unbounded_channel();
        let (state, troubles) = (Arc::new(Mutex::new(Ok(1))), Arc::new(Mutex::new(Vec::new())));
        let (seen, told) = (Arc::clone(&state), Arc::clone(&troubles));
        let look = move || -> BoxFuture<'static, Looked> {
            let state = seen.lock().unwrap().clone();
            Box::pin(async move { state })
        };
        let trouble = move |why| told.lock().unwrap().push(why);
        let watching = tokio::spawn(watch("a".into(), Duration::from_secs(20), look, wishes, trouble));
        assert!(matches!(heard.recv().await, Some(Wish::Edited(job)) if job == "a"));
        *state.lock().unwrap() = Err("the sheet is gone".to_owned());
        tokio::time::sleep(Duration::from_secs(3600)).await;
        *state.lock().unwrap() = Ok(2);
        heard.recv().await.unwrap();
        let edited = Instant::now();
        *state.lock().unwrap() = Ok(3);
        heard.recv().await.unwrap();
        assert!(edited.elapsed() <= Duration::from_secs(60), "{:?}", edited.elapsed());
        assert_eq!(*troubles.lock().unwrap(), ["the sheet is gone"]);
        drop(heard);
        tokio::time::timeout(Duration::from_secs(400), watching).await.unwrap().unwrap();
    }
}
