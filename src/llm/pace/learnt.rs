//! What a run learnt of a provider's limits.

use serde::{Deserialize, Serialize};

/// What was learnt of a provider's limits, to start the next run with. All unknown by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learnt {
    /// Requests a second that are allowed over time.
    pub requests_per_second: Option<f64>,
    /// Requests a second that were sent without meeting a limit.
    pub reached: Option<f64>,
    /// Requests in any sixty seconds, if the provider counts like that.
    pub requests_in_a_minute: Option<usize>,
    /// Requests at the same time, if they are limited.
    pub slots: Option<usize>,
}
