//! Ids that the server chooses, all from one seed.

/// A source of ids.
#[derive(Clone, Debug)]
pub(crate) struct Ids(fastrand::Rng);

impl Ids {
    /// Ids of a seed: the same calls get the same ids.
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// An id of a sheet, a protection and the like that is not taken.
    pub(crate) fn number(&mut self, taken: impl Fn(i32) -> bool) -> i32 {
        loop {
            let id = self.0.i32(1..i32::MAX);
            if !taken(id) {
                return id;
            }
        }
    }

    /// An id of a named range.
    pub(crate) fn name(&mut self, taken: impl Fn(&str) -> bool) -> String {
        loop {
            let id = self.0.u32(1..2_000_000_000).to_string();
            if !taken(&id) {
                return id;
            }
        }
    }

    /// Puts things into an order of its own.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        self.0.shuffle(things);
    }

    /// An id of a file: 44 letters, digits and marks.
    pub(crate) fn file(&mut self) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let letter = |rng: &mut fastrand::Rng| {
            LETTERS.get(rng.usize(..LETTERS.len())).map_or('x', |byte| char::from(*byte))
        };
        let rest: String = (0..43).map(|_| letter(&mut self.0)).collect();
        format!("1{rest}")
    }

    /// An id of a permission.
    pub(crate) fn permission(&mut self) -> String {
        format!("{:020}", self.0.u64(..))
    }
}

impl PartialEq for Ids {
    fn eq(&self, other: &Self) -> bool {
        self.0.get_seed() == other.0.get_seed()
    }
}
