//! Tokens a minute, where a person has told the limit.

/// Lets tokens through at the told rate. Estimates are taken at first and put right by what was used.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    per_second: Option<f64>,
    level: f64,
    at: f64,
    /// What a request took lately.
    mean: f64,
}

/// So much of the limit is aimed at.
const SHARE: f64 = 0.99;

impl Tokens {
    pub(super) fn new(per_minute: Option<u64>, now: f64) -> Self {
        let per_second = per_minute.map(|limit| SHARE * limit as f64 / 60.0);
        Self { per_second, level: per_second.unwrap_or_default(), at: now, mean: 0.0 }
    }

    /// When a request of so many tokens fits. One that is larger than all there can be goes when all is there.
    pub(super) fn free_at(&mut self, tokens: u64, at: f64) -> f64 {
        let Some(per_second) = self.per_second else { return 0.0 };
        let room = per_second.max(1.0);
        self.level = (self.level + (at - self.at).max(0.0) * per_second).min(room);
        self.at = at;
        let missing = (tokens as f64).min(room) - self.level;
        if missing <= 0.0 { 0.0 } else { at + missing / per_second }
    }

    pub(super) fn take(&mut self, tokens: u64) {
        self.level -= tokens as f64;
    }

    /// A request has ended and used so many tokens, if that is known.
    pub(super) fn settle(&mut self, estimated: u64, used: Option<u64>) {
        let Some(used) = used else { return };
        self.level += estimated as f64 - used as f64;
        if used > 0 {
            self.mean = if self.mean > 0.0 { 0.9 * self.mean + 0.1 * used as f64 } else { used as f64 };
        }
    }

    /// What a request uses, if any has.
    pub(super) fn per_request(&self) -> Option<f64> {
        (self.mean > 0.0).then_some(self.mean)
    }
}
