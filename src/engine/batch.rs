//! When results are written, and how many at once: a state machine without I/O and without a clock.
//!
//! One batch is on the wire, the next one gathers. Nothing leaves the machine before it is confirmed, so
//! a writer that dies has lost nothing.

use std::collections::VecDeque;

/// Rows on their way to the table.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    size: usize,
    gathering: VecDeque<T>,
    on_wire: Vec<T>,
    busy: bool,
}

impl<T: Clone> Batch<T> {
    /// Batches of at least `size` rows, except the last.
    pub(crate) fn new(size: usize) -> Self {
        Self { size: size.max(1), gathering: VecDeque::new(), on_wire: Vec::new(), busy: false }
    }

    /// Takes rows in.
    pub(crate) fn take(&mut self, rows: impl IntoIterator<Item = T>) {
        self.gathering.extend(rows);
    }

    /// True while there is room for more: the next batch is not full yet.
    pub(crate) fn has_room(&self) -> bool {
        self.gathering.len() < self.size
    }

    /// The rows to write now, if the wire is free and a batch is full, or `all` are wanted.
    pub(crate) fn start(&mut self, all: bool) -> Option<Vec<T>> {
        let due = self.gathering.len() >= self.size || (all && !self.gathering.is_empty());
        if self.busy || !due {
            return None;
        }
        self.busy = true;
        self.on_wire = self.gathering.drain(..).collect();
        Some(self.on_wire.clone())
    }

    /// The rows on the wire have arrived: gives them back for the record.
    pub(crate) fn arrived(&mut self) -> Vec<T> {
        self.busy = false;
        std::mem::take(&mut self.on_wire)
    }

    /// The rows on the wire may not have arrived: they are first in the next batch. Writing them twice is
    /// harmless, rows are found by key.
    pub(crate) fn put_back(&mut self) {
        self.busy = false;
        for row in std::mem::take(&mut self.on_wire).into_iter().rev() {
            self.gathering.push_front(row);
        }
    }

    /// True if nothing gathers: what is on the wire is all there is.
    pub(crate) fn is_last(&self) -> bool {
        self.gathering.is_empty()
    }

    /// Keeps the wire to oneself, for a visit without rows or a pause.
    pub(crate) fn set_busy(&mut self) {
        self.busy = true;
    }

    /// True while the wire is taken.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.gathering.clear();
        self.on_wire.clear();
        self.busy = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_batch_on_the_wire_while_the_next_gathers() {
        let mut batch = Batch::new(2);
        batch.take([1]);
        assert_eq!(batch.start(false), None);
        batch.take([2, 3]);
        assert_eq!(batch.start(false), Some(vec![1, 2, 3]));
        batch.take([4, 5]);
        assert!(!batch.has_room());
        assert_eq!(batch.start(true), None, "the wire is busy");
        assert_eq!(batch.arrived(), [1, 2, 3]);
        assert_eq!(batch.start(false), Some(vec![4, 5]));
    }

    #[test]
    fn what_was_on_the_wire_goes_again_first() {
        let mut batch = Batch::new(1);
        batch.take([1, 2]);
        batch.start(false);
        batch.take([3]);
        batch.put_back();
        assert_eq!(batch.start(false), Some(vec![1, 2, 3]));
        batch.arrived();
        assert!(batch.is_last());
    }
}
