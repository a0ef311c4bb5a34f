//! Spans for whoever collects traces: one for each time that the cluster is brought to a commit, and
//! one for each write that brings an object back. Nothing of what an object holds is in them.
//!
//! All spans are made here, so that this module's path tells them from what is logged. Where nobody
//! collects them none is made.

use gitward_core::object::ObjectKey;
use tracing::Span;
use tracing::field::Empty;

use crate::converge::{Outcome, Refusal};

/// Target of all spans for traces.
pub const TRACES: &str = module_path!();

/// The cluster is brought to a commit that declares so many objects.
pub(crate) fn convergence(commit: &str, objects: usize) -> Span {
    tracing::info_span!(
        "convergence",
        gitward.commit = commit,
        gitward.objects = objects,
        gitward.outcome = Empty,
        gitward.created = Empty,
        gitward.changed = Empty,
        gitward.pruned = Empty,
        gitward.failures = Empty,
        otel.status_code = Empty,
    )
}

/// A part of a convergence, within its span.
pub(crate) fn part(what: &'static str) -> Span {
    tracing::info_span!("part of a convergence", otel.name = what)
}

/// How it ended.
pub(crate) fn converged(span: &Span, ended: &Result<Outcome, Refusal>) {
    if span.is_disabled() {
        return;
    }
    let outcome = match ended {
        Ok(outcome) => {
            span.record("gitward.created", outcome.created);
            span.record("gitward.changed", outcome.changed);
            span.record("gitward.pruned", outcome.pruned);
            span.record("gitward.failures", outcome.failures.len());
            if outcome.failures.is_empty() { "Converged" } else { "Failing" }
        }
        Err(Refusal::Passing(_)) => "Failing",
        Err(Refusal::Findings(_)) => "Refused",
    };
    span.record("gitward.outcome", outcome);
    if outcome != "Converged" {
        span.record("otel.status_code", "ERROR");
    }
}

/// An object is brought back to what a commit says, by a write of this sort.
pub(crate) fn revert(key: &ObjectKey, commit: &str, how: &'static str) -> Span {
    let span = tracing::info_span!(
        "revert",
        gitward.commit = commit,
        gitward.write = how,
        k8s.kind = Empty,
        k8s.namespace = key.namespace,
        k8s.name = key.name,
    );
    if !span.is_disabled() {
        span.record("k8s.kind", key.full_kind());
    }
    span
}
