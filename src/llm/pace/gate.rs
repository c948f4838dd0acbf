//! The gate: shut while a provider wants to be left alone, half open while one request feels whether it still does.

/// Shut until a moment; after a refusal that named no moment it opens for one probe first.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    until: f64,
    half_open: bool,
    /// When the probe left.
    probe: Option<f64>,
    /// The last pause of our own choosing.
    pause: Option<f64>,
    /// How long silence has to last to be good news: refusals come quickly, answers take their time.
    quiet: f64,
}

impl Default for Gate {
    fn default() -> Self {
        Self { until: 0.0, half_open: false, probe: None, pause: None, quiet: 1.0 }
    }
}

/// The longest pause of our own choosing.
const LONGEST_PAUSE: f64 = 30.0;

impl Gate {
    /// Nothing is sent before.
    pub(super) fn shut_until(&self) -> f64 {
        self.until
    }

    pub(super) fn is_half_open(&self) -> bool {
        self.half_open
    }

    /// How long silence has to last to be good news, in seconds.
    pub(super) fn quiet(&self) -> f64 {
        self.quiet
    }

    /// Until when the probe has to stay unrefused, if one is under way.
    pub(super) fn probing_until(&self) -> Option<f64> {
        let probe = self.probe.filter(|_| self.half_open)?;
        Some(probe + self.quiet)
    }

    /// A request leaves: it is the probe, if one is needed.
    pub(super) fn send(&mut self, at: f64) {
        if self.half_open && self.probe.is_none() {
            self.probe = Some(at);
        }
    }

    /// The gate is open again.
    pub(super) fn open(&mut self) {
        self.half_open = false;
        self.probe = None;
        self.pause = None;
    }

    /// A refusal took so long to come.
    pub(super) fn refused(&mut self, took: f64) {
        self.quiet = 0.7 * self.quiet + 0.3 * (3.0 * took).max(0.3);
    }

    /// Shuts the gate for the time that was asked for, or for one of our choosing. Gives the moment until which it is
    /// shut.
    pub(super) fn shut(
        &mut self,
        asked: Option<f64>,
        is_new: bool,
        is_probe: bool,
        per_second: f64,
        at: f64,
    ) -> f64 {
        let pause = match asked {
            Some(asked) => {
                self.half_open = false;
                asked
            }
            None => {
                let pause = match self.pause {
                    Some(pause) if is_probe => (2.0 * pause).min(LONGEST_PAUSE),
                    Some(pause) if !is_new => pause,
                    _ => (2.0 / per_second).max(0.25),
                };
                self.pause = Some(pause);
                self.half_open = true;
                self.probe = None;
                pause
            }
        };
        self.shut_at_least(at + pause);
        self.until
    }

    /// Keeps the gate shut until then, if it would open earlier.
    pub(super) fn shut_at_least(&mut self, until: f64) {
        self.until = self.until.max(until);
    }
}
