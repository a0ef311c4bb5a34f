//! The source line of a finding, with its caret.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::is_harmful;
use crate::finding::{Finding, Place};
use crate::path::Step;

/// Columns that a tab reaches to.
const TAB: usize = 4;

/// The starter policy that finds credentials outside of Secrets.
const PLAIN_CREDENTIAL: &str = "policy/plain-credential";

/// What stands for a value that is not shown.
const MASK: &str = "***";

/// A line as it is shown, and how many columns stand before its caret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) line: String,
    pub(super) caret: usize,
}

/// The line that a finding is about, cut to `width` columns; `None` if the file has no such line.
pub(super) fn excerpt(finding: &Finding, place: &Place, source: &str, width: usize) -> Option<Excerpt> {
    let number = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let line = source.split('\n').nth(number)?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    let column = usize::try_from(place.column).ok()?.saturating_sub(1);
    if may_be_secret(finding, source, number) {
        return Some(masked(finding, line, column, width));
    }
    Some(cut(&cells(line), column, width))
}

/// One shown piece for each character of the line, with its columns.
fn cells(line: &str) -> Vec<(String, usize)> {
    let mut at = 0;
    let mut cells = Vec::new();
    for c in line.chars() {
        let cell = match c {
            '\t' => " ".repeat(TAB - at % TAB),
            c if is_harmful(c) => c.escape_unicode().to_string(),
            c => c.to_string(),
        };
        let width =
            if cell.chars().count() == 1 { c.width().unwrap_or(1).max(usize::from(c == ' ')) } else { cell.len() };
        at += width;
        cells.push((cell, width));
    }
    cells
}

/// Cuts what does not fit, so that the caret's column does.
fn cut(cells: &[(String, usize)], column: usize, width: usize) -> Excerpt {
    let column = column.min(cells.len());
    let total: usize = cells.iter().map(|(_, w)| w).sum();
    // A little of the line stands before the caret, or all of it where that fits.
    let mut start = 0;
    if total > width {
        let mut before: usize = cells[..column].iter().map(|(_, w)| w).sum();
        while start < column && before + 1 > width * 2 / 3 {
            before -= cells[start].1;
            start += 1;
        }
    }
    let mut line = String::new();
    let mut used = 0;
    if start > 0 {
        line.push('…');
        used += 1;
    }
    let mut caret = used;
    for (index, (cell, cell_width)) in cells.iter().enumerate().skip(start) {
        if index == column {
            caret = used;
        }
        let last = index + 1 == cells.len();
        if used + cell_width + usize::from(!last) > width {
            line.push('…');
            used += 1;
            break;
        }
        line.push_str(cell);
        used += cell_width;
    }
    if column == cells.len() {
        caret = used;
    }
    Excerpt { line, caret }
}

/// Whether the line may hold a Secret's value: the finding is about a Secret, or about no object
/// yet in a file that speaks of one, or the line is a credential's wherever it stands.
fn may_be_secret(finding: &Finding, source: &str, number: usize) -> bool {
    match &finding.object {
        _ if finding.rule == PLAIN_CREDENTIAL => true,
        Some(key) if key.group.is_empty() && key.kind == "Secret" => true,
        // References name what holds a value.
        _ if finding.rule.starts_with("reference/") => false,
        Some(_) => is_credential(source, number),
        // Policies and the configuration speak of Secrets without holding any.
        None if finding.rule.starts_with("policy/") || finding.rule.starts_with("config/") => false,
        // What looks like the end of a document may be a line of a Secret's text.
        None => speaks_of_secrets(source) || is_credential(source, number),
    }
}

/// Whether a file holds Secrets, or makes some.
fn speaks_of_secrets(source: &str) -> bool {
    ["Secret", "secretGenerator", "stringData"].iter().any(|word| source.contains(word))
}

/// Names of what nobody should read, as they stand in keys, variables and texts.
const CREDENTIALS: [&str; 8] = ["password", "passwd", "pwd", "_token", "-token", "apikey", "api_key", "private key"];

/// Whether a line says a credential, or is the value of a variable that the line beside it names as one.
fn is_credential(source: &str, number: usize) -> bool {
    let mut lines = source.split('\n').skip(number.saturating_sub(1));
    let before = if number == 0 { None } else { lines.next() };
    let line = lines.next().unwrap_or_default();
    let names_one = |line: &str| {
        let line = line.to_lowercase();
        CREDENTIALS.iter().any(|name| line.contains(name))
    };
    let is_value = bare(line).starts_with("value");
    let beside = before.into_iter().chain(lines.next()).filter(|line| bare(line).starts_with("name:"));
    names_one(line) || (is_value && beside.into_iter().any(names_one))
}

/// A line from its first word on.
fn bare(line: &str) -> &str {
    line.trim_start_matches([' ', '\t', '-'])
}

/// The line up to its key; all of it is masked where it does not begin with the key of the field.
fn masked(finding: &Finding, line: &str, column: usize, width: usize) -> Excerpt {
    let bare = bare(line);
    let indent = line.chars().count() - bare.chars().count();
    let shown = key(finding).and_then(|key| {
        let rest = bare.trim_start_matches(['"', '\'']).strip_prefix(key)?;
        let rest = rest.trim_start_matches(['"', '\'']);
        rest.starts_with(':').then(|| format!("{key}: {MASK}"))
    });
    let text = format!("{}{}", " ".repeat(indent), shown.unwrap_or_else(|| MASK.to_owned()));
    let column = column.min(text.chars().count().saturating_sub(MASK.width()).max(indent));
    cut(&cells(&text), column, width)
}

/// The field's own name. Elsewhere in a Secret than at a key, a name might be part of a value.
fn key(finding: &Finding) -> Option<&str> {
    match finding.field.as_ref()?.0.last()? {
        Step::Field(name) => Some(name),
        Step::Index(_) | Step::Key(_) => None,
    }
}
