//! A receiver of traces: OTLP over HTTP, in protobuf.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;
use tokio::net::TcpListener;

/// A span, as it was told.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) id: Vec<u8>,
    pub(super) parent: Vec<u8>,
    pub(super) trace: Vec<u8>,
    times: (u64, u64),
    /// Its own attributes and those of the process.
    attributes: Vec<(String, String)>,
}

impl Span {
    pub(super) fn says(&self, attribute: &str, value: &str) -> bool {
        self.attributes.iter().any(|(a, v)| a == attribute && v == value)
    }

    /// Whether it is of the same trace, and took no longer.
    pub(super) fn within(&self, other: &Span) -> bool {
        self.trace == other.trace && self.times.0 >= other.times.0 && self.times.1 <= other.times.1
    }
}

#[derive(Default)]
struct Heard {
    bodies: Vec<Bytes>,
    spans: Vec<Span>,
}

pub(super) struct Collector {
    port: u16,
    heard: Arc<Mutex<Heard>>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::<Mutex<Heard>>::default();
        let app = axum::Router::new().route("/v1/traces", post(hear)).with_state(heard.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, heard }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits for a span of this name.
    pub(super) async fn wait(&self, name: &str, is_it: impl Fn(&Span) -> bool) -> Span {
        let began = Instant::now();
        loop {
            let found = self.heard.lock().unwrap().spans.iter().find(|s| s.name == name && is_it(s)).cloned();
            if let Some(span) = found {
                return span;
            }
            if began.elapsed() > Duration::from_secs(60) {
                let heard = self.heard.lock().unwrap();
                panic!("no such {name} among {:#?}", heard.spans.iter().filter(|s| s.name == name).collect::<Vec<_>>());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Whether any of these was in what was sent.
    pub(super) fn has_heard(&self, texts: &[&str]) -> bool {
        let heard = self.heard.lock().unwrap();
        heard.bodies.iter().any(|b| texts.iter().any(|t| b.windows(t.len()).any(|w| w == t.as_bytes())))
    }
}

async fn hear(State(heard): State<Arc<Mutex<Heard>>>, headers: HeaderMap, body: Bytes) -> Vec<u8> {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body.clone()).unwrap();
    let mut heard = heard.lock().unwrap();
    heard.bodies.push(body);
    for of_process in request.resource_spans {
        let process = of_process.resource.map(|r| attributes(r.attributes)).unwrap_or_default();
        let service = process.iter().find(|(a, _)| a == "service.name").map(|(_, v)| v.clone()).unwrap_or_default();
        for span in of_process.scope_spans.into_iter().flat_map(|s| s.spans) {
            heard.spans.push(Span {
                service: service.clone(),
                name: span.name,
                id: span.span_id,
                parent: span.parent_span_id,
                trace: span.trace_id,
                times: (span.start_time_unix_nano, span.end_time_unix_nano),
                attributes: [attributes(span.attributes), process.clone()].concat(),
            });
        }
    }
    ExportTraceServiceResponse::default().encode_to_vec()
}

fn attributes(all: Vec<KeyValue>) -> Vec<(String, String)> {
    all.into_iter().map(|kv| (kv.key, text(kv.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|v| v.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(holds)) => holds.to_string(),
        other => format!("{other:?}"),
    }
}
