//! Traces of what the program does, if it is built to send them and the environment says where to. Without the feature
//! `otel` nothing is here.

use super::exit::CliError;
use crate::engine::Stamped;
use crate::llm::ModelId;
use crate::settings::Settings;

/// Sends traces, or does nothing.
#[derive(Clone, Default)]
pub(super) struct Telemetry {
    #[cfg(feature = "otel")]
    traces: Option<std::sync::Arc<crate::traces::Traces>>,
}

#[cfg(feature = "otel")]
impl Telemetry {
    /// What the environment asks for. To be called outside of async code.
    pub(super) fn from_env(settings: &Settings) -> Result<Self, CliError> {
        let network = crate::assemble::network(settings)?;
        let traces = crate::traces::Traces::from_env(&network);
        let traces = traces.map_err(|error| CliError::new(super::exit::Exit::Usage, error))?;
        Ok(Self { traces: traces.map(std::sync::Arc::new) })
    }

    pub(super) fn know(&self, job: &str, models: Vec<ModelId>) {
        if let Some(traces) = &self.traces {
            traces.know(job, models);
        }
    }

    pub(super) fn observe(&self, event: &Stamped) {
        use crate::engine::Observer as _;
        if let Some(traces) = &self.traces {
            traces.observe(event);
        }
    }

    /// Sends what is left.
    pub(super) fn end(&self) {
        if let Some(traces) = &self.traces {
            traces.end();
        }
    }
}

#[cfg(not(feature = "otel"))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same calls as with the feature")]
impl Telemetry {
    pub(super) fn from_env(_: &Settings) -> Result<Self, CliError> {
        Ok(Self::default())
    }

    pub(super) fn know(&self, _: &str, _: Vec<ModelId>) {}

    pub(super) fn observe(&self, _: &Stamped) {}

    pub(super) fn end(&self) {}
}
