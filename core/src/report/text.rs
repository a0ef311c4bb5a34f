//! Text for terminals and for git's `remote:` lines.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::escape;
use super::excerpt::excerpt;
use super::wrap::wrap;
use super::{Sources, Style, counted, ordered};
use crate::finding::{Finding, Severity};

/// Narrower than this nothing can be read.
const MIN_WIDTH: usize = 40;

/// Longest message, hint or name that is shown, in characters; who needs all of it reads the JSON.
const LONGEST: usize = 4_000;

const BOLD: &str = "1";
const BLUE: &str = "1;34";

/// Findings with their source lines, the heaviest first, and a summary.
///
/// `sources` gives the text of a file by its path in the tree. Nothing found gives an empty text.
///
/// ```text
/// error[policy/privileged]: container app is privileged
///   --> app/web.yaml:14:23
///    |
/// 14 |           privileged: true
///    |                       ^
///    = object: Deployment/web in prod
///    = field: spec.template.spec.containers[0].securityContext.privileged
///    = fix: remove `privileged: true` and add the one capability that is needed
///
/// 1 error, 0 warnings
/// ```
pub fn text(findings: &[Finding], sources: Sources<'_>, style: &Style) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let printer = Printer { width: style.width.max(MIN_WIDTH), color: style.color };
    let ordered = ordered(findings);
    let mut out = String::new();
    for finding in ordered.iter().take(style.limit) {
        printer.finding(&mut out, finding, sources);
        out.push('\n');
    }
    out.push_str(&printer.painted(BOLD, &counted(findings)));
    let hidden = ordered.len().saturating_sub(style.limit);
    if hidden > 0 {
        let _ = write!(out, " ({hidden} more not shown)");
    }
    out.push('\n');
    out
}

struct Printer {
    width: usize,
    color: bool,
}

impl Printer {
    fn finding(&self, out: &mut String, finding: &Finding, sources: Sources<'_>) {
        let head = format!("{}[{}]", finding.severity, shown(&finding.rule));
        let message = shown(&finding.message);
        let lines = wrap(&format!("{head}: {message}"), self.width - 2);
        for (index, line) in lines.iter().enumerate() {
            // The head has no blank, so that it is never broken.
            match (index, line.strip_prefix(&head)) {
                (0, Some(rest)) => {
                    let _ =
                        writeln!(out, "{}{}", self.painted(colour(finding.severity), &head), self.painted(BOLD, rest));
                }
                _ => {
                    let _ = writeln!(out, "  {}", self.painted(BOLD, line));
                }
            }
        }
        let gutter = self.source(out, finding, sources);
        let object = finding.object.as_ref().map(ToString::to_string);
        let field = finding.field.as_ref().map(ToString::to_string).filter(|field| !field.is_empty());
        for (label, value) in [("object", object), ("field", field), ("fix", finding.hint.clone())] {
            if let Some(value) = value {
                self.note(out, gutter, label, &value);
            }
        }
    }

    /// The place and its line; gives the width of the gutter.
    fn source(&self, out: &mut String, finding: &Finding, sources: Sources<'_>) -> usize {
        let Some(place) = &finding.place else { return 1 };
        let number = place.line.to_string();
        let gutter = number.len();
        let at = shown(&place.file);
        let arrow = self.painted(BLUE, "-->");
        let _ = writeln!(out, "{:gutter$}{arrow} {at}:{}:{}", "", place.line, place.column);
        let width = self.width.saturating_sub(gutter + 3);
        let Some(shown) = sources(&place.file).and_then(|text| excerpt(finding, place, &text, width)) else {
            return gutter;
        };
        let bar = self.painted(BLUE, "|");
        let caret = self.painted(colour(finding.severity), "^");
        let _ = writeln!(out, "{:gutter$} {bar}", "");
        let _ = writeln!(out, "{} {bar} {}", self.painted(BLUE, &number), shown.line.trim_end());
        let _ = writeln!(out, "{:gutter$} {bar} {:caret$}{mark}", "", "", caret = shown.caret, mark = caret);
        gutter
    }

    fn note(&self, out: &mut String, gutter: usize, label: &str, value: &str) {
        let lines = wrap(&format!("{label}: {}", shown(value)), self.width.saturating_sub(gutter + 3));
        for (index, line) in lines.iter().enumerate() {
            let mark = if index == 0 { self.painted(BLUE, "=") } else { " ".to_owned() };
            let _ = writeln!(out, "{:gutter$} {mark} {line}", "");
        }
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Text from outside, harmless and of bounded length.
fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", escape::harmless(&text[..end]))),
        None => escape::harmless(text),
    }
}

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Info => "1;36",
    }
}
