//! Code Quality reports for GitLab merge requests. Source: GitLab's documentation of the Code Quality
//! report format, a subset of Code Climate's.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::json::pretty;
use super::ordered;
use crate::config;
use crate::finding::{Finding, Severity};

/// A JSON array with one entry a finding.
pub fn gitlab(findings: &[Finding]) -> String {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let entries: Vec<Value> = ordered(findings)
        .into_iter()
        .map(|finding| {
            let identity = identity(finding);
            let nth = seen.entry(identity.clone()).and_modify(|n| *n += 1).or_insert(0);
            entry(finding, &blake3::hash(format!("{identity}\n{nth}").as_bytes()).to_hex()[..32])
        })
        .collect();
    pretty(&entries)
}

/// What stays the same about a finding when its line moves: GitLab tells by it what a merge request
/// brings and what it mends.
fn identity(finding: &Finding) -> String {
    let object = finding.object.as_ref().map(|o| format!("{} {o}", o.group)).unwrap_or_default();
    let field = finding.field.as_ref().map(ToString::to_string).unwrap_or_default();
    let file = finding.place.as_ref().map(|p| p.file.as_ref()).unwrap_or_default();
    [&finding.rule, file, &object, &field, &finding.message].join("\n")
}

fn entry(finding: &Finding, fingerprint: &str) -> Value {
    let severity = match finding.severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
        Severity::Info => "info",
    };
    let object = finding.object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
    let fix = finding.hint.as_ref().map(|hint| format!(" (fix: {hint})")).unwrap_or_default();
    // GitLab drops an entry without a file and a line.
    let (path, line) = finding.place.as_ref().map_or((config::FILE, 1), |p| (p.file.as_ref(), p.line.max(1)));
    json!({
        "description": format!("{object}{}{fix}", finding.message),
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line}},
    })
}
