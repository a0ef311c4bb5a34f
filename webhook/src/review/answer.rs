//! The answer to a review.

use std::collections::BTreeMap;

use gitward_core::config::Mode;
use gitward_core::snapshot::Snapshot;
use gitward_core::verdict::{Origin, Verdict};
use serde::Serialize;

use super::text::{self, cut};
use super::{API_VERSION, Review};

/// Longest value of an audit annotation.
const ANNOTATION: usize = 1024;

/// The answer, as it is sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    api_version: &'static str,
    kind: &'static str,
    response: Body,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    uid: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<&'static str, String>,
}

#[derive(Debug, Serialize)]
struct Status {
    message: String,
    reason: &'static str,
    code: u16,
}

impl Response {
    /// Whether the request is let through.
    pub fn allowed(&self) -> bool {
        self.response.allowed
    }

    fn new(review: &Review, status: Option<Status>) -> Self {
        let allowed = status.is_none();
        let body =
            Body { uid: review.uid.clone(), allowed, status, warnings: Vec::new(), audit_annotations: BTreeMap::new() };
        Self { api_version: API_VERSION, kind: "AdmissionReview", response: body }
    }
}

/// The answer that a verdict gives. `note` is said besides the findings of a denial.
pub fn respond(review: &Review, verdict: &Verdict, snapshot: &Snapshot, note: Option<&str>) -> Response {
    let status = (!verdict.allowed()).then(|| Status {
        message: text::denial(verdict, snapshot, note),
        reason: "Forbidden",
        code: 403,
    });
    let mut response = Response::new(review, status);
    let body = &mut response.response;
    if body.allowed {
        body.warnings = text::warnings(verdict);
        if snapshot.environment.mode == Mode::Observe && !verdict.findings.is_empty() {
            body.warnings.push("gitward only observes here: in enforce mode this would be denied".to_owned());
        }
    }
    if review.is_dry_run() {
        body.warnings.push("gitward judged this dry run as if it were real".to_owned());
    }
    body.audit_annotations = annotations(verdict, snapshot);
    response
}

/// The answer to what another review decides.
pub fn let_through(review: &Review) -> Response {
    Response::new(review, None)
}

/// The answer while no commit is known: nothing may change, and the message says why.
pub fn busy_with_nothing(review: &Review, environment: &str) -> Response {
    let message = format!(
        "gitward has not loaded any commit of environment {environment} yet, so nothing may change in what it \
         governs.\nIt loads one as soon as it reaches the repository that the Environment names:\n  \
         kubectl describe environment {environment}"
    );
    Response::new(review, Some(Status { message, reason: "ServiceUnavailable", code: 503 }))
}

/// The API server puts the webhook's name before each key.
fn annotations(verdict: &Verdict, snapshot: &Snapshot) -> BTreeMap<&'static str, String> {
    let mut annotations = BTreeMap::from([("commit", snapshot.commit.id.clone())]);
    if !verdict.traced.is_empty() {
        annotations.insert("origins", cut(&origins(verdict), ANNOTATION));
    }
    let mut rules: Vec<&str> = verdict.findings.iter().map(|f| f.rule.as_ref()).collect();
    rules.extend(verdict.traced.iter().filter_map(|t| match &t.origin {
        Origin::Derived { rule, .. } => Some(*rule),
        _ => None,
    }));
    rules.dedup();
    if !rules.is_empty() {
        annotations.insert("rule", cut(&rules.join(" "), ANNOTATION));
    }
    annotations
}

/// How often each origin, and the first places in Git that allow something.
fn origins(verdict: &Verdict) -> String {
    let mut text = verdict.origin_summary();
    let mut named: Vec<String> = Vec::new();
    for traced in &verdict.traced {
        let origin = traced.origin.to_string();
        if named.len() < 5 && !matches!(traced.origin, Origin::Defaulted | Origin::Removal) && !named.contains(&origin)
        {
            named.push(origin);
        }
    }
    if !named.is_empty() {
        text.push_str(": ");
        text.push_str(&named.join(", "));
    }
    text
}
