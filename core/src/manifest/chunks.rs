//! A file's text: its encoding, and where one document ends and the next begins.
//!
//! kubectl cuts a file into documents before it parses any of them, at every line that begins with
//! `---`. Doing the same keeps a broken document from hiding the ones after it.

use std::str;

use super::problem::{Problem, Rule};

/// A point in a file: byte offset from 0, line and column from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) offset: u32,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Point {
    pub(super) const START: Point = Point { offset: 0, line: 1, column: 1 };

    /// The point after `text`, if `self` is the point before it.
    pub(super) fn after(mut self, text: &str) -> Point {
        for c in text.chars() {
            self.offset += c.len_utf8() as u32;
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self
    }
}

/// One document's text, and where it begins in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) text: &'a str,
    pub(super) start: Point,
    /// Whether kubectl reads it as JSON.
    pub(super) is_json: bool,
}

/// Decodes a file: UTF-8, with or without a byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<Chunk<'_>, Problem> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Problem::new(Rule::Encoding, Point::START, "the file is encoded as UTF-16")
            .hint("Save it as UTF-8: kubectl and Git hosts expect nothing else."));
    }
    let (body, offset) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(body) => (body, 3),
        None => (bytes, 0),
    };
    let start = Point { offset, ..Point::START };
    match str::from_utf8(body) {
        Ok(text) => Ok(Chunk { text, start, is_json: false }),
        Err(error) => {
            let (good, bad) = body.split_at(error.valid_up_to());
            let at = start.after(str::from_utf8(good).unwrap_or_default());
            let byte = bad.first().copied().unwrap_or_default();
            Err(Problem::new(
                Rule::Encoding,
                at,
                format!("the file is not UTF-8: byte 0x{byte:02x} does not belong here"),
            )
            .hint("Save it as UTF-8; keep binary content base64 encoded, in `binaryData` or `data`."))
        }
    }
}

/// Cuts a file into its documents. A separator with content on its line (`--- {a: 1}`) is a
/// problem, as it is for kubectl.
pub(super) fn split(file: Chunk<'_>) -> Vec<Result<Chunk<'_>, Problem>> {
    let mut chunks = Vec::new();
    let mut from = file.start;
    let mut begin = 0;
    let mut position = 0;
    for line in file.text.split_inclusive('\n') {
        let end = position + line.len();
        if let Some(rest) = line.strip_prefix("---") {
            chunks.push(Ok(Chunk { text: &file.text[begin..position], start: from, is_json: false }));
            let separator = from.after(&file.text[begin..position]);
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let at = Point { column: separator.column + 3, offset: separator.offset + 3, ..separator };
                chunks.push(Err(Problem::new(Rule::Syntax, at, "content on the line of a document separator")
                    .hint("Put what follows `---` on the next line.")));
            }
            from = separator.after(line);
            begin = end;
        }
        position = end;
    }
    chunks.push(Ok(Chunk { text: &file.text[begin..], start: from, is_json: false }));
    chunks
}

/// Whether a document holds nothing but comments. YAML has more line breaks than LF, and content
/// may begin after each of them.
pub(super) fn is_blank(text: &str) -> bool {
    text.lines().all(|line| {
        let blank = line.is_empty() || line.starts_with('#') || line.trim_end() == "...";
        blank && line.chars().all(|c| is_allowed(c) && !matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'))
    })
}

/// Whether YAML takes the character unescaped.
pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(&str, u32)> {
        let file = Chunk { text, start: Point::START, is_json: false };
        split(file).into_iter().map(|c| c.map_or(("!", 0), |c| (c.text, c.start.line))).collect()
    }

    #[test]
    fn documents_are_cut_at_separator_lines() {
        assert_eq!(texts("a: 1\n---\nb: 2\n"), [("a: 1\n", 1), ("b: 2\n", 3)]);
        assert_eq!(texts("---\r\na: 1\n--- # two\nb: 2"), [("", 1), ("a: 1\n", 2), ("b: 2", 4)]);
        assert_eq!(texts("a: |\n  ---\n  b\n"), [("a: |\n  ---\n  b\n", 1)]);
        assert_eq!(texts("--- {a: 1}\n"), [("", 1), ("!", 0), ("", 2)]);
    }

    #[test]
    fn other_encodings_are_named_with_their_place() {
        let problem = decode(b"a: 1\nb: \xe9t\xe9\n").unwrap_err();
        assert_eq!((problem.line, problem.column), (2, 4));
        assert!(problem.message.contains("0xe9"));
        assert!(decode(b"\xff\xfea\0").unwrap_err().message.contains("UTF-16"));
        assert_eq!(decode(b"\xef\xbb\xbfa: 1").unwrap().text, "a: 1");
    }
}
