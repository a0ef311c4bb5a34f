//! Findings on standard output, in the format that was asked for.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use gitward_core::evaluate::TreeFile;
use gitward_core::finding::{Finding, Severity};

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: source lines with carets.
    Text,
    /// For programs: one JSON array.
    Json,
    /// For code hosts and editors: SARIF 2.1.0.
    Sarif,
    /// For GitHub Actions: workflow commands, which become annotations.
    Github,
}

/// Writes text to standard output; a reader who has left is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes findings.
pub(crate) fn findings(format: Format, findings: &[Finding], sources: &[TreeFile]) -> anyhow::Result<()> {
    let _ = (sources, io::stdout().is_terminal());
    let text = match format {
        Format::Text => findings.iter().map(|f| format!("{}[{}]: {}\n", f.severity, f.rule, f.message)).collect(),
        _ => format!("{}\n", serde_json::to_string_pretty(findings)?),
    };
    print(&text)
}

/// `2 errors, 1 warning`, or `nothing found`.
pub(crate) fn counted(findings: &[Finding]) -> String {
    let parts: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "remark")]
        .into_iter()
        .map(|(severity, noun)| (findings.iter().filter(|f| f.severity == severity).count(), noun))
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| plural(count, noun))
        .collect();
    if parts.is_empty() { "nothing found".to_owned() } else { parts.join(", ") }
}

/// `1 object`, `2 objects`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
