//! JUnit XML, for test reports of CI systems.

use std::fmt::Write as _;

use super::{escape, ordered};
use crate::finding::{Finding, Severity};

/// One test case a finding; errors fail, all others pass with their text as output.
pub fn junit(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|f| f.severity == Severity::Error).count();
    let count = findings.len().max(1);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites><testsuite name=\"gitward\" tests=\"{count}\" failures=\"{errors}\">");
    for finding in ordered(findings) {
        let place = finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
        let object = finding.object.as_ref().map(ToString::to_string).unwrap_or_default();
        let (rule, place, object) = (xml(&finding.rule), xml(&place), xml(&object));
        let _ = write!(out, "<testcase name=\"{rule} {object}\" classname=\"{place}\">");
        let message = xml(&finding.message);
        let hint = finding.hint.as_deref().map(xml).unwrap_or_default();
        let _ = match finding.severity {
            Severity::Error => write!(out, "<failure type=\"{rule}\" message=\"{message}\">{hint}</failure>"),
            severity => write!(out, "<system-out>{severity}: {message} {hint}</system-out>"),
        };
        out.push_str("</testcase>\n");
    }
    if findings.is_empty() {
        out.push_str("<testcase name=\"no findings\" classname=\"gitward\"/>\n");
    }
    out.push_str("</testsuite></testsuites>\n");
    out
}

fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in escape::harmless(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
