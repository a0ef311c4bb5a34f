//! Findings on standard output, in the format that was asked for.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use clap::ValueEnum;
use gitward_core::evaluate::TreeFile;
use gitward_core::finding::{Finding, Severity};
use gitward_core::report::{self, Style};

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: source lines with carets.
    Text,
    /// For programs: one JSON object.
    Json,
    /// For code hosts and editors: SARIF 2.1.0.
    Sarif,
    /// For GitHub Actions: workflow commands, which become annotations.
    Github,
    /// For GitLab merge requests: a Code Quality report.
    Gitlab,
    /// For test reports of CI systems: JUnit XML.
    Junit,
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
    print(&match format {
        Format::Text => report::text(findings, &|path| source(sources, path), &style()),
        Format::Json => report::json(findings),
        Format::Sarif => report::sarif(findings),
        Format::Github => report::github(findings),
        Format::Gitlab => report::gitlab(findings),
        Format::Junit => report::junit(findings),
    })
}

/// All findings, since nobody scrolls back to push again; colours only for eyes.
fn style() -> Style {
    let color = color();
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    Style { color, width: columns.unwrap_or(Style::default().width), limit: 1000 }
}

/// Whether standard output is for eyes that see colours.
pub(crate) fn color() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

fn source(files: &[TreeFile], path: &str) -> Option<Arc<str>> {
    let file = files.iter().find(|f| &*f.path == path)?;
    Some(Arc::from(String::from_utf8_lossy(&file.bytes)))
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
