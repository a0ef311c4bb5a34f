//! What is wrong with a file: one problem each, with rule, place, message and hint.

use std::sync::Arc;

use libyaml_safer::Error;
use thiserror::Error as ThisError;

use super::chunks::{Chunk, Point, is_allowed};
use crate::finding::{Finding, Place};

/// Why a file or an object in it cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The text is not YAML that kubectl reads.
    Syntax,
    /// A key stands twice in one mapping.
    DuplicateKey,
    /// A mapping was needed.
    NotAnObject,
    /// `kind` is absent or no text.
    MissingKind,
    /// `apiVersion` is absent or no text.
    MissingApiVersion,
    /// `metadata.name` is absent or no text.
    MissingName,
    /// A name or namespace that no API server takes.
    InvalidName,
    /// Bytes, depth or nodes over the limit.
    TooLarge,
    /// Not UTF-8, or control characters.
    Encoding,
}

impl Rule {
    /// The stable identifier, for example `manifest/duplicate-key`.
    pub fn id(self) -> &'static str {
        match self {
            Rule::Syntax => "manifest/syntax",
            Rule::DuplicateKey => "manifest/duplicate-key",
            Rule::NotAnObject => "manifest/not-an-object",
            Rule::MissingKind => "manifest/missing-kind",
            Rule::MissingApiVersion => "manifest/missing-api-version",
            Rule::MissingName => "manifest/missing-name",
            Rule::InvalidName => "manifest/invalid-name",
            Rule::TooLarge => "manifest/too-large",
            Rule::Encoding => "manifest/encoding",
        }
    }
}

/// One thing wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{line}:{column}: {message}")]
pub struct Problem {
    /// What kind of problem.
    pub rule: Rule,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong. Holds keys at most, never values.
    pub message: String,
    /// How to put it right.
    pub hint: Option<String>,
}

impl Problem {
    pub(super) fn new(rule: Rule, at: Point, message: impl Into<String>) -> Self {
        Self { rule, line: at.line, column: at.column, message: message.into(), hint: None }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The problem as a finding about `file`.
    pub fn finding(self, file: &Arc<str>) -> Finding {
        let place = Place { file: file.clone(), line: self.line, column: self.column };
        let finding = Finding::error(self.rule.id(), self.message).with_place(Some(place));
        match self.hint {
            Some(hint) => finding.with_hint(hint),
            None => finding,
        }
    }
}

pub(super) fn too_deep(at: Point, depth: usize) -> Problem {
    Problem::new(Rule::TooLarge, at, format!("the document is nested deeper than {depth} levels"))
        .hint("No Kubernetes object is: keep what needs it as a text.")
}

pub(super) fn too_many(at: Point) -> Problem {
    Problem::new(Rule::TooLarge, at, "the file holds more values than are read")
        .hint("Split the file, or write out less through aliases.")
}

const TEMPLATE: &str =
    "This looks like a template. gitward reads manifests as they are applied: render it first, or quote the value.";

/// Says what the parser's error means, and what people usually do wrong to get it.
pub(super) fn explain(error: &Error, chunk: Chunk<'_>) -> Problem {
    let Some(mark) = error.problem_mark() else { return unreadable(error, chunk) };
    let at = point(chunk, mark.index);
    let opened = error.context_mark().map(|mark| point(chunk, mark.index));
    let line = line_at(chunk.text, (at.offset - chunk.start.offset) as usize);
    let here = chunk.text[(at.offset - chunk.start.offset) as usize..].chars().next();

    let mut message = match error.problem() {
        "did not find expected <document start>" => "the document has ended before this line",
        other => other,
    }
    .to_owned();
    if let (Some(context), Some(opened)) = (error.context(), opened) {
        message.push(' ');
        message.push_str(context);
        if opened.line != at.line {
            message.push_str(&format!(" that begins on line {}", opened.line));
        }
    }
    let problem = Problem::new(Rule::Syntax, at, message);
    let templated = [Some(line), opened.map(|o| line_at(chunk.text, (o.offset - chunk.start.offset) as usize))]
        .into_iter()
        .flatten()
        .any(|line| line.contains("{{") || line.contains("{%"));
    match hint(error.problem(), here, line) {
        _ if templated => problem.hint(TEMPLATE),
        Some(hint) => problem.hint(hint),
        None => problem.hint("Correct the YAML here or in the lines above; quotes around the values help mostly."),
    }
}

fn hint(problem: &str, here: Option<char>, line: &str) -> Option<&'static str> {
    let tabbed = here == Some('\t') || line.trim_start_matches(' ').starts_with('\t');
    match problem {
        _ if tabbed => Some("Indent with spaces: YAML does not take tabs."),
        "found character that cannot start any token" => {
            Some("A value that begins with `@`, `` ` `` or `%` needs quotes.")
        }
        "mapping values are not allowed in this context" => {
            Some("Quote a value that holds `: `, or check the indentation of this line.")
        }
        "could not find expected ':'" => Some(
            "A key needs a colon and a space; a text of several lines needs quotes or `|`, and its lines more indentation.",
        ),
        "did not find expected key"
        | "did not find expected '-' indicator"
        | "block sequence entries are not allowed in this context" => {
            Some("The indentation of this line does not fit the lines above it.")
        }
        "found unexpected ':'" => Some("Put a space after the colon, or quote the value."),
        "found invalid Unicode character escape code" | "did not find expected hexdecimal number" => {
            Some("Write the character itself instead of its escape.")
        }
        "found undefined tag handle" => Some("Quote a value that begins with `!`."),
        "found unknown escape character" => Some("Use single quotes, or write the backslash twice."),
        "found unexpected end of stream" | "found unexpected document indicator" => {
            Some("A quote was opened and never closed.")
        }
        "did not find expected ',' or ']'" => {
            Some("A `[` was opened and not closed; quote values that hold `[`, `]` or `,`.")
        }
        "did not find expected ',' or '}'" => {
            Some("A `{` was opened and not closed; quote values that hold `{`, `}` or `,`.")
        }
        "did not find expected alphabetic or numeric character" => {
            Some("A value that begins with `*` or `&` needs quotes.")
        }
        "did not find expected node content" => Some(
            "A value is missing here, or a bracket before it was opened and not closed; quote values that hold brackets.",
        ),
        "did not find expected <document start>" => {
            Some("Nothing may follow the end of a document but `---`; a value of several lines needs quotes or `|`.")
        }
        _ => None,
    }
}

/// The reader's own errors carry no mark: the characters that YAML does not take are looked for.
fn unreadable(error: &Error, chunk: Chunk<'_>) -> Problem {
    let found = chunk.text.char_indices().find(|(_, c)| !is_allowed(*c));
    let Some((offset, c)) = found else {
        return Problem::new(Rule::Syntax, chunk.start, error.problem()).hint("Save the file as UTF-8 text.");
    };
    let at = chunk.start.after(&chunk.text[..offset]);
    Problem::new(Rule::Encoding, at, format!("the control character U+{:04X} is not allowed", u32::from(c)))
        .hint("Remove it, or write it as an escape such as \"\\u0007\" within double quotes.")
}

/// The point in the file of a byte index into the chunk; within the chunk, whatever comes in.
fn point(chunk: Chunk<'_>, index: u64) -> Point {
    let mut end = (index as usize).min(chunk.text.len());
    while !chunk.text.is_char_boundary(end) {
        end -= 1;
    }
    chunk.start.after(&chunk.text[..end])
}

fn line_at(text: &str, offset: usize) -> &str {
    let begin = text[..offset].rfind('\n').map_or(0, |i| i + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |i| offset + i);
    &text[begin..end]
}

/// The hint for a place where the source has template braces, if it has.
pub(super) fn template_hint(chunk: Chunk<'_>, at: Point) -> Option<&'static str> {
    let offset = (at.offset - chunk.start.offset) as usize;
    line_at(chunk.text, offset.min(chunk.text.len())).contains("{{").then_some(TEMPLATE)
}
