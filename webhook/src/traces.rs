//! One span a review, for whoever collects traces: what it was about, how it was answered, and why.
//! Nothing of what an object holds is in it.
//!
//! All spans are made here, so that this module's path tells them from what is logged. Where nobody
//! collects them none is made.

use gitward_core::request::Request;
use opentelemetry::propagation::Extractor;
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use axum::http::HeaderMap;

use crate::judge::Judged;
use crate::metrics::Decision;

/// Target of all spans for traces.
pub const TRACES: &str = module_path!();

/// The span of a review, in the API server's trace if it says one.
pub(crate) fn review(headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        "admission review",
        otel.kind = "server",
        gitward.decision = Empty,
        gitward.origins = Empty,
        gitward.rules = Empty,
        gitward.commit = Empty,
        k8s.operation = Empty,
        k8s.kind = Empty,
        k8s.namespace = Empty,
        k8s.name = Empty,
        k8s.subresource = Empty,
        k8s.dry_run = Empty,
        k8s.account = Empty,
    );
    if !span.is_disabled() && headers.contains_key("traceparent") {
        let parent = opentelemetry::global::get_text_map_propagator(|p| p.extract(&Headers(headers)));
        // It has not begun yet, so this cannot fail.
        let _ = span.set_parent(parent);
    }
    span
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|k| k.as_str()).collect()
    }
}

/// A part of a second look, within the span of its review.
pub(crate) fn part(what: &'static str) -> Span {
    tracing::info_span!("second look", otel.name = what)
}

/// How the review is answered whose span is the current one.
pub(crate) fn decided(decision: Decision) {
    let span = Span::current();
    if !span.is_disabled() {
        span.record("gitward.decision", tracing::field::debug(decision));
    }
}

/// What the review is about, and what it was judged by.
pub(crate) fn judged(request: &Request<'_>, judged: &Judged) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    let key = &request.key;
    span.record("k8s.operation", tracing::field::debug(request.operation));
    span.record("k8s.kind", key.full_kind());
    span.record("k8s.namespace", key.namespace.as_str());
    span.record("k8s.name", key.name.as_str());
    span.record("k8s.subresource", request.subresource);
    span.record("k8s.dry_run", request.dry_run);
    span.record("k8s.account", request.user.name.as_str());
    span.record("gitward.commit", judged.snapshot.commit.id.as_str());
    let verdict = &judged.verdict;
    span.record("gitward.origins", listed(verdict.traced.iter().map(|t| t.origin.name())));
    span.record("gitward.rules", listed(verdict.findings.iter().map(|f| f.rule.as_ref())));
}

/// Each once, in order.
fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words.dedup();
    words.join(", ")
}
