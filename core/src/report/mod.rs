//! Findings as people and tools read them: text for terminals and for git's `remote:` lines, JSON,
//! SARIF, GitHub annotations, GitLab's Code Quality, JUnit; and what each rule means.
//!
//! Whatever comes from a file or a policy is escaped: no byte of it reaches a terminal as a control
//! sequence. Lines of Secrets are shown without their values.

mod escape;
mod excerpt;
mod explain;
mod github;
mod gitlab;
mod json;
mod junit;
mod sarif;
mod text;
mod wrap;

use std::sync::Arc;

use crate::finding::{Finding, Severity};

pub use escape::harmless;
pub use explain::{Explanation, explain, rules};
pub use github::github;
pub use gitlab::gitlab;
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
pub use text::text;

/// How text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are used.
    pub color: bool,
    /// Columns of a line; longer lines are broken, longer source lines cut. At least 40.
    pub width: usize,
    /// Findings shown; the summary says how many more there are.
    pub limit: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 100, limit: 50 }
    }
}

/// The text of a file of the tree, for the excerpt of a finding.
pub type Sources<'a> = &'a dyn Fn(&str) -> Option<Arc<str>>;

/// Findings in the order they are shown: the heaviest first, then by place.
fn ordered(findings: &[Finding]) -> Vec<&Finding> {
    let mut ordered: Vec<&Finding> = findings.iter().collect();
    ordered.sort_by(|a, b| {
        (b.severity.cmp(&a.severity)).then_with(|| a.place.cmp(&b.place)).then_with(|| a.rule.cmp(&b.rule))
    });
    ordered
}

/// `2 errors, 1 warning`.
fn counted(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings, infos) = (count(Severity::Error), count(Severity::Warning), count(Severity::Info));
    let mut parts = vec![plural(errors, "error"), plural(warnings, "warning")];
    if infos > 0 {
        parts.push(plural(infos, "note"));
    }
    parts.join(", ")
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
