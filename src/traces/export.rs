//! Where spans and metrics go: to a collector, by OTLP over HTTP, as the standard variables say.

use std::env;
use std::time::Duration;

use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::blocking::Client;
use reqwest::redirect;

use super::{NAME, Traces};
use crate::net::{Network, tls};

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The authorities that connections trust cannot be used.
    #[error("traces: {0}")]
    Network(String),
    /// A variable cannot be understood, or no client can be made.
    #[error("traces: {0}; see the variables OTEL_EXPORTER_OTLP_*, or set OTEL_SDK_DISABLED=true")]
    Exporter(String),
}

impl Traces {
    /// Sends to where the standard variables say: `OTEL_EXPORTER_OTLP_ENDPOINT`, or one of its own for `TRACES` and for
    /// `METRICS`. None if there is no such variable, or if `OTEL_SDK_DISABLED` is `true`. The others hold, too:
    /// `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`,
    /// `OTEL_METRIC_EXPORT_INTERVAL`
    /// (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).
    ///
    /// Sending happens in threads of its own and never holds up a run: what a collector does not take is dropped, and the
    /// log says so. Call this outside of async code: the client waits in its own thread.
    ///
    /// # Errors
    /// If a variable cannot be understood, or the network's certificates cannot be used.
    pub fn from_env(network: &Network) -> Result<Option<Self>, ExportError> {
        let disabled = env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        let sends = |signal: &str| {
            let names =
                ["OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")];
            !disabled && names.iter().any(|name| env::var(name).is_ok_and(|value| !value.trim().is_empty()))
        };
        let (spans, metrics) = (sends("TRACES"), sends("METRICS"));
        if !spans && !metrics {
            return Ok(None);
        }
        let client = client(network)?;
        let refused = |error: ExporterBuildError| ExportError::Exporter(error.to_string());
        let mut tracers = SdkTracerProvider::builder().with_resource(resource());
        if spans {
            let exporter = SpanExporter::builder().with_http().with_http_client(client.clone());
            tracers = tracers.with_batch_exporter(exporter.build().map_err(refused)?);
        }
        let mut meters = SdkMeterProvider::builder().with_resource(resource());
        if metrics {
            let exporter = MetricExporter::builder().with_http().with_http_client(client);
            meters = meters.with_periodic_exporter(exporter.build().map_err(refused)?);
        }
        Ok(Some(Self::new(tracers.build(), meters.build())))
    }
}

/// A collector gets so long to take something, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says another time.
const PATIENCE: Duration = Duration::from_secs(10);

fn client(network: &Network) -> Result<Client, ExportError> {
    let tls = tls::client_config(network).map_err(|error| ExportError::Network(error.to_string()))?;
    let timeout = env::var("OTEL_EXPORTER_OTLP_TIMEOUT").ok().and_then(|text| text.trim().parse().ok());
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(timeout.map_or(PATIENCE, Duration::from_millis))
        .build()
        .map_err(|error| ExportError::Exporter(error.to_string()))
}

/// Who sends: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` go before.
fn resource() -> Resource {
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let known = Resource::builder().with_attribute(version);
    match env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.trim().is_empty() => known.build(),
        _ if env::var("OTEL_RESOURCE_ATTRIBUTES").is_ok_and(|text| text.contains("service.name=")) => {
            known.build()
        }
        _ => known.with_service_name(NAME).build(),
    }
}
