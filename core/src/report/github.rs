//! Annotations for GitHub Actions.

use std::fmt::Write as _;

use super::{escape, ordered};
use crate::finding::{Finding, Severity};

/// One workflow command a line: `::error file=…,line=…,col=…,title=…::message`.
pub fn github(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in ordered(findings) {
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let mut properties = Vec::new();
        if let Some(place) = &finding.place {
            properties.push(format!("file={}", property(&place.file)));
            properties.push(format!("line={},col={}", place.line, place.column));
        }
        properties.push(format!("title={}", property(&finding.rule)));
        let mut message = finding.message.clone();
        if let Some(object) = &finding.object {
            message = format!("{object}: {message}");
        }
        if let Some(hint) = &finding.hint {
            message = format!("{message} (fix: {hint})");
        }
        let _ = writeln!(out, "::{level} {}::{}", properties.join(","), data(&message));
    }
    out
}

fn data(text: &str) -> String {
    escape::harmless(text).replace('%', "%25")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
