//! Regular expressions of CRDs, written for Go and run here.
//!
//! Both engines descend from RE2 and take linear time. What differs is rewritten: Go's `\d`, `\w`,
//! `\s` and `\b` know ASCII only, and in Go's character classes `[`, `&&`, `--` and `~~` have no
//! meaning of their own.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// Bytes that one compiled expression may take.
const SIZE_LIMIT: usize = 4 << 20;

/// An expression, compiled when first used.
#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(super) fn new(source: &str) -> Self {
        Self { source: source.to_owned(), compiled: OnceLock::new() }
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Whether it matches somewhere in a text; `None` if this expression is not understood here.
    pub(super) fn matches(&self, text: &str) -> Option<bool> {
        let compiled =
            self.compiled.get_or_init(|| RegexBuilder::new(&rewrite(&self.source)).size_limit(SIZE_LIMIT).build().ok());
        Some(compiled.as_ref()?.is_match(text))
    }
}

fn rewrite(go: &str) -> String {
    let mut rust = String::with_capacity(go.len() + 16);
    let mut chars = go.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next().unwrap_or('\\');
                rewrite_escape(escaped, in_class, &mut rust);
            }
            '[' if !in_class => {
                in_class = true;
                rust.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    rust.push('^');
                }
                // A bracket right at the start is an ordinary character.
                if chars.next_if_eq(&']').is_some() {
                    rust.push_str(r"\]");
                }
            }
            '[' if chars.peek() == Some(&':') => {
                // A named class such as [:alpha:] is copied up to its end.
                rust.push('[');
                while let Some(inner) = chars.next() {
                    rust.push(inner);
                    if inner == ':' && chars.next_if_eq(&']').is_some() {
                        rust.push(']');
                        break;
                    }
                }
            }
            ']' if in_class => {
                in_class = false;
                rust.push(']');
            }
            '[' | '&' | '~' if in_class => {
                rust.push('\\');
                rust.push(c);
            }
            '-' if in_class && chars.peek() == Some(&'-') => {
                chars.next();
                rust.push_str(r"-\-");
            }
            _ => rust.push(c),
        }
    }
    rust
}

/// Classes are written in brackets of their own, which nest inside another class.
fn rewrite_escape(escaped: char, in_class: bool, rust: &mut String) {
    match escaped {
        'd' => rust.push_str("[0-9]"),
        'D' => rust.push_str("[^0-9]"),
        'w' => rust.push_str("[0-9A-Za-z_]"),
        'W' => rust.push_str("[^0-9A-Za-z_]"),
        's' => rust.push_str(r"[\t\n\f\r ]"),
        'S' => rust.push_str(r"[^\t\n\f\r ]"),
        'b' if !in_class => rust.push_str(r"(?-u:\b)"),
        'B' if !in_class => rust.push_str(r"(?-u:\B)"),
        other => {
            rust.push('\\');
            rust.push(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_they_mean_in_go() {
        let cases = [
            (r"^\d+$", "12", Some(true)),
            (r"^\d+$", "١٢", Some(false)),
            (r"^[\w-]+$", "a-b_1", Some(true)),
            (r"^[\w.-]+$", "é", Some(false)),
            (r"^[\w-.]+$", "a-.", Some(true)),
            (r"^[\d-x]+$", "1-x", Some(true)),
            (r"^[^\s]+$", "a b", Some(false)),
            (r"^[\S]+$", "ab", Some(true)),
            (r"^[[]$", "[", Some(true)),
            (r"^[]a]+$", "]a", Some(true)),
            (r"^[a&&b]+$", "a&b", Some(true)),
            (r"^[[:alpha:]]+$", "abc", Some(true)),
            (r"^[^/]{1,3}$", "äöü", Some(true)),
            (r"^(-|\+)?([0-9]+(\.[0-9]*)?|\.[0-9]+)$", "+1.5", Some(true)),
            (r"\bfoo\b", "a foo b", Some(true)),
            (r"a\z", "ba", Some(true)),
            (r"^(?!x)", "a", None),
            (r"(", "a", None),
            (r"(((((.{1000}){1000}){1000})))", "a", None),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }
}
