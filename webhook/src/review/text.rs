//! What a person reads: on a denial what Git says, where, and how the change is made properly.

use gitward_core::finding::{Finding, Severity};
use gitward_core::report::harmless;
use gitward_core::snapshot::Snapshot;
use gitward_core::verdict::Verdict;

/// Findings that are told; the rest is counted.
const FINDINGS: usize = 10;

/// Longest denial, in bytes.
const DENIAL: usize = 6 * 1024;

/// Longest finding within it.
const FINDING: usize = 1200;

/// Longest place in Git.
const PLACE: usize = 400;

/// Longest warning: the API server cuts longer ones.
const WARNING: usize = 250;

/// The text of a denial, some lines for a terminal.
pub fn denial(verdict: &Verdict, snapshot: &Snapshot, note: Option<&str>) -> String {
    let commit = &snapshot.commit;
    let mut text = format!(
        "this is not what Git says (environment {}, commit {} by {}: {})\n",
        snapshot.environment.name,
        commit.short(),
        cut(&commit.author, 80),
        cut(&commit.subject, 80)
    );
    let errors: Vec<&Finding> = verdict.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    let mut told = 0;
    for finding in errors.iter().take(FINDINGS) {
        let lines = lines(finding);
        if text.len() + lines.len() > DENIAL {
            break;
        }
        text.push_str(&lines);
        told += 1;
    }
    if told < errors.len() {
        text.push_str(&format!("  … and {} more\n", errors.len() - told));
    }
    if let Some(note) = note {
        text.push_str(&format!("  note: {note}\n"));
    }
    text.truncate(text.trim_end().len());
    text
}

fn lines(finding: &Finding) -> String {
    let mut text = format!("  - {} [{}]\n", cut(&finding.message, FINDING), finding.rule);
    if let Some(place) = &finding.place
        && !finding.message.contains(&place.to_string())
    {
        text.push_str(&format!("    see: {}\n", cut(&place.to_string(), PLACE)));
    }
    if let Some(hint) = &finding.hint {
        text.push_str(&format!("    to do: {}\n", cut(hint, FINDING)));
    }
    text
}

/// The warnings of a verdict that lets the request through.
pub fn warnings(verdict: &Verdict) -> Vec<String> {
    let told = verdict.findings.iter().filter(|f| f.severity == Severity::Warning);
    told.take(FINDINGS).map(|f| cut(&format!("gitward: {} [{}]", f.message, f.rule), WARNING)).collect()
}

/// At most so many bytes, cut between characters; nothing gets through that a terminal would act on.
pub(super) fn cut(text: &str, longest: usize) -> String {
    let text = harmless(text);
    if text.len() <= longest {
        return text.into_owned();
    }
    let mut end = longest.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}
