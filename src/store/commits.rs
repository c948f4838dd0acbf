//! Commits of results tables that are under way: one that a crash interrupts may still take effect.

use jiff::Timestamp;
use rusqlite::params;

use super::{Store, StoreError};

impl Store {
    /// Writes down that a commit of `target` begins. Until it ends, what it sends may take effect.
    pub fn begin_commit(&mut self, target: &str, now: Timestamp) -> Result<(), StoreError> {
        self.remember(&key(target), "{}", now)
    }

    /// The commit has ended, and nothing of it can take effect any more.
    pub fn end_commit(&mut self, target: &str) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.prepare_cached("DELETE FROM memory WHERE key = ?1")?.execute(params![key(target)])?;
            Ok(())
        })
    }

    /// When a commit of `target` began that is not known to have ended.
    pub fn commit_under_way(&self, target: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.recall(&key(target))?.map(|note| note.at))
    }
}

fn key(target: &str) -> String {
    format!("commit {target}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_under_way_until_it_ends() {
        let mut store = Store::open_in_memory().unwrap();
        let (first, second) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
        assert_eq!(store.commit_under_way("a").unwrap(), None);
        store.begin_commit("a", first).unwrap();
        store.begin_commit("a", second).unwrap();
        store.begin_commit("b", first).unwrap();
        assert_eq!(store.commit_under_way("a").unwrap(), Some(second), "the last one counts");
        store.end_commit("a").unwrap();
        store.end_commit("a").unwrap();
        assert_eq!(
            (store.commit_under_way("a").unwrap(), store.commit_under_way("b").unwrap()),
            (None, Some(first))
        );
    }
}
