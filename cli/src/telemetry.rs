//! What the processes of a cluster tell about themselves: a log, and traces where somebody collects
//! them.

mod sender;

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Metadata;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, filter};

use sender::Sender;

/// Where only spans for traces are made.
const TRACES: [&str; 2] = [gitward_webhook::TRACES, gitward_reconciler::TRACES];

/// Path of traces below an endpoint of OTLP over HTTP.
const PATH: &str = "/v1/traces";

/// How long the last spans may take at the end.
const LAST: Duration = Duration::from_secs(2);

/// What is told, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct TelemetryArgs {
    /// Write the log as JSON, one object a line.
    #[arg(long)]
    log_json: bool,
    /// Send traces there, by OTLP over HTTP, for example http://localhost:4318.
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_parser = endpoint)]
    otlp_endpoint: Option<Endpoint>,
}

/// Where traces are sent; nowhere if it is empty, as the standard variable may be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Endpoint(Option<String>);

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let text = text.trim_end_matches('/');
    if text.is_empty() {
        return Ok(Endpoint(None));
    }
    let is_plain = text.starts_with("https://") || text.starts_with("http://");
    let parsed = text.parse::<http::Uri>().ok().filter(|uri| is_plain && uri.host().is_some());
    match parsed {
        // What stands in a URL is logged; OTEL_EXPORTER_OTLP_HEADERS is the place for credentials.
        Some(uri) if !uri.authority().is_some_and(|a| a.as_str().contains('@')) && uri.query().is_none() => {
            Ok(Endpoint(Some(text.to_owned())))
        }
        _ => Err("takes an http or https URL without user information and query".to_owned()),
    }
}

/// Ends with the process: the last spans are sent then.
pub(crate) struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            // Whom it does not reach by then it does not reach.
            let _ = provider.shutdown_with_timeout(LAST);
        }
    }
}

/// Begins to tell, as a `service` of an environment.
pub(crate) fn begin(args: &TelemetryArgs, service: &'static str, environment: &str) -> anyhow::Result<Telemetry> {
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let log = if args.log_json { log.json().boxed() } else { log.boxed() };
    let log = log.with_filter(what_is_logged()?);
    let Some(Endpoint(Some(endpoint))) = &args.otlp_endpoint else {
        tracing_subscriber::registry().with(log).init();
        return Ok(Telemetry(None));
    };
    let provider = provider(endpoint, service, environment)?;
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("gitward"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(filter::filter_fn(is_trace));
    tracing_subscriber::registry().with(log).with(traces).init();
    // An API server that traces says of which trace a request is part.
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    tracing::info!(endpoint, "traces are sent");
    Ok(Telemetry(Some(provider)))
}

/// The client logs what it returns besides, at every attempt and for every watch. Spans of traces
/// are no part of the log: without a collector they are never made.
fn what_is_logged() -> anyhow::Result<EnvFilter> {
    let default = || EnvFilter::new("info,kube=warn,kube_client=off");
    let mut filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| default());
    for target in TRACES {
        filter = filter.add_directive(format!("{target}=off").parse()?);
    }
    Ok(filter)
}

fn is_trace(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && TRACES.contains(&metadata.target())
}

/// Sends from a thread of its own, in batches, out of a queue that drops what is too much.
fn provider(endpoint: &str, service: &'static str, environment: &str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new(endpoint))
        .with_endpoint(format!("{endpoint}{PATH}"))
        .with_timeout(sender::TIMEOUT)
        .build()?;
    let mut resource = Resource::builder()
        .with_attribute(KeyValue::new("service.namespace", "gitward"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("gitward.environment", environment.to_owned()));
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(service);
    }
    Ok(SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_plain_urls() {
        let some = |url: &str| Ok(Endpoint(Some(url.to_owned())));
        assert_eq!(endpoint("http://localhost:4318"), some("http://localhost:4318"));
        assert_eq!(endpoint("https://[::1]:4318/otlp/"), some("https://[::1]:4318/otlp"));
        assert_eq!(endpoint(""), Ok(Endpoint(None)));
        for wrong in ["localhost:4318", "ftp://h", "http://", "http://user:secret@h:1", "http://h/?token=secret"] {
            assert!(endpoint(wrong).is_err(), "{wrong}");
        }
    }
}
