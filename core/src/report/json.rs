//! JSON for programs.

use serde::Serialize;

use super::ordered;
use crate::finding::{Finding, Severity};

#[derive(Serialize)]
struct Report<'a> {
    findings: Vec<&'a Finding>,
    errors: usize,
    warnings: usize,
}

/// `{"findings": […], "errors": N, "warnings": N}`, the heaviest findings first.
pub fn json(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let report =
        Report { findings: ordered(findings), errors: count(Severity::Error), warnings: count(Severity::Warning) };
    pretty(&report)
}

/// Indented JSON with a line end. Control characters inside strings are escaped by JSON itself,
/// all but DEL and those above it.
pub(super) fn pretty(value: &impl Serialize) -> String {
    // Strings, numbers and maps with text keys always serialize.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut safe = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c != '\n' && super::escape::is_harmful(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe.push('\n');
    safe
}
