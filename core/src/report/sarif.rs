//! SARIF 2.1.0, for code scanning.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::explain::explain;
use super::json::pretty;
use super::ordered;
use crate::finding::{Finding, Severity};

/// One run with all findings, and what their rules mean.
pub fn sarif(findings: &[Finding]) -> String {
    let findings = ordered(findings);
    let mut rules: BTreeMap<&str, usize> = findings.iter().map(|f| (f.rule.as_ref(), 0)).collect();
    for (index, (_, position)) in rules.iter_mut().enumerate() {
        *position = index;
    }
    let described: Vec<Value> = rules.keys().map(|rule| descriptor(rule)).collect();
    let results: Vec<Value> = findings.iter().map(|f| result(f, rules[f.rule.as_ref()])).collect();
    pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "gitward", "version": env!("CARGO_PKG_VERSION"), "rules": described}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn descriptor(rule: &str) -> Value {
    match explain(rule) {
        Some(e) => json!({
            "id": rule,
            "shortDescription": {"text": e.title},
            "fullDescription": {"text": e.why},
            "help": {"text": format!("{}\n\n{}", e.why, e.fix)},
        }),
        None => json!({"id": rule}),
    }
}

fn result(finding: &Finding, index: usize) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    };
    let text = match &finding.hint {
        Some(hint) => format!("{}\n{hint}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({"ruleId": finding.rule, "ruleIndex": index, "level": level, "message": {"text": text}});
    let mut location = serde_json::Map::new();
    if let Some(place) = &finding.place {
        let region = json!({"startLine": place.line, "startColumn": place.column});
        let artifact = json!({"uri": uri(&place.file), "uriBaseId": "%SRCROOT%"});
        location.insert("physicalLocation".to_owned(), json!({"artifactLocation": artifact, "region": region}));
    }
    if let Some(object) = &finding.object {
        let field = finding.field.as_ref().map(ToString::to_string).unwrap_or_default();
        let name = format!("{object} {field}");
        location.insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": name.trim_end()}]));
    }
    if !location.is_empty() {
        result["locations"] = json!([location]);
    }
    result
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
