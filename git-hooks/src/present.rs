//! What the pusher reads behind `remote: `.

use std::fmt::Write;
use std::sync::Arc;

use gitward_core::evaluate::TreeFile;
use gitward_core::finding::{Finding, Severity};
use gitward_core::report::{self, Style};

use crate::RefVerdict;

/// Everything found in a push, for the terminal: the findings with their lines of source, `limit` of
/// all refs together, and what else is worth a line.
pub fn details(verdicts: &[RefVerdict], width: usize, limit: usize) -> String {
    let (mut text, mut left) = (String::new(), limit);
    for verdict in verdicts {
        let style = Style { color: false, width, limit: left };
        let findings: Vec<Finding> = verdict.findings().cloned().collect();
        text.push_str(&report::text(&findings, &|path| source(&verdict.sources, path), &style));
        if findings.len() > left {
            let all = verdict.range.as_ref().map(|range| format!("hint: `gitward check --range {range}` shows all\n"));
            text.push_str(&all.unwrap_or_default());
        }
        left = left.saturating_sub(findings.len());
        if let Some(notice) = &verdict.notice {
            let _ = writeln!(text, "gitward: {notice}");
        }
    }
    text
}

/// What denies, a line each.
pub(crate) fn in_short(verdicts: &[RefVerdict]) -> Vec<String> {
    let errors = verdicts.iter().flat_map(RefVerdict::findings).filter(|f| f.severity == Severity::Error);
    errors.map(|finding| format!("gitward: {}", finding.line())).collect()
}

fn source(files: &[TreeFile], path: &str) -> Option<Arc<str>> {
    let file = files.iter().find(|f| &*f.path == path)?;
    Some(Arc::from(String::from_utf8_lossy(&file.bytes)))
}

/// One line for each ref and environment that was judged.
pub fn summary(verdicts: &[RefVerdict]) -> String {
    let rejected = verdicts.iter().any(|v| !v.allowed());
    let mut text = String::new();
    for verdict in verdicts {
        let git_ref = &verdict.git_ref;
        if !verdict.refused.is_empty() {
            let _ = writeln!(text, "gitward: rejected: {git_ref}: {}", counted(&verdict.refused));
        }
        for environment in &verdict.environments {
            let name = &environment.environment;
            let denied = environment.brought.iter().any(|f| f.severity == Severity::Error);
            if denied {
                let _ = writeln!(text, "gitward: rejected: {} in {name} at {git_ref}", counted(&environment.brought));
            } else if !rejected {
                let objects = plural(environment.objects, "object");
                let _ = writeln!(text, "gitward: accepted: {name} at {git_ref}: {objects}{}", extras(environment));
            }
            if denied && environment.before > 0 {
                let _ = writeln!(text, "gitward: {} there before", were(environment.before));
            }
        }
    }
    text
}

fn extras(environment: &crate::EnvironmentVerdict) -> String {
    let mut text = String::new();
    if !environment.brought.is_empty() {
        let _ = write!(text, ", {}", counted(&environment.brought));
    }
    if environment.before > 0 {
        let _ = write!(text, "; {} there before", were(environment.before));
    }
    text
}

/// What post-receive says: one line for each environment whose ref has moved.
pub fn confirmation(environment: &str, git_ref: &str, commit: &gitward_core::snapshot::Commit) -> String {
    format!("gitward: {environment} follows {git_ref}, now at {} ({})\n", commit.short(), commit.subject)
}

fn counted(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let parts: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "remark")]
        .into_iter()
        .map(|(severity, noun)| (count(severity), noun))
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| plural(count, noun))
        .collect();
    parts.join(", ")
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn were(count: usize) -> String {
    if count == 1 { "1 finding was".to_owned() } else { format!("{count} findings were") }
}
