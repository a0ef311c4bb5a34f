//! Files that kubectl reads as JSON: such as begin with `{`. JSON knows escapes that YAML does not (`\/`, halves of
//! surrogate pairs), takes characters that YAML does not (U+007F), and one document may follow the other
//! without a separator.
//!
//! The YAML parser still tells where everything stands. It gets each text with other characters of the
//! same length between its quotes ([`blanked`]), and what the text says is read here ([`text`]).

use serde::de::IgnoredAny;

use super::chunks::{Chunk, Point};

/// The documents at the beginning of a file, if it begins with `{` and they are JSON; else it is YAML.
pub(super) fn documents<'a>(first: &Chunk<'a>) -> Option<Vec<Chunk<'a>>> {
    // With a byte order mark before it, kubectl takes a file for YAML.
    if first.start != Point::START || !first.text.trim_start().starts_with('{') {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(first.text).into_iter::<IgnoredAny>();
    let (mut documents, mut begin, mut start) = (Vec::new(), 0, first.start);
    while let Some(value) = values.next() {
        value.ok()?;
        let end = values.byte_offset();
        let text = &first.text[begin..end];
        documents.push(Chunk { text, start, is_json: true });
        (begin, start) = (end, start.after(text));
    }
    Some(documents)
}

/// The document with nothing between quotes that YAML reads otherwise; as many bytes as before.
pub(super) fn blanked(document: &str) -> String {
    let mut blanked = String::with_capacity(document.len());
    let (mut is_text, mut is_escaped) = (false, false);
    for c in document.chars() {
        match c {
            '"' if !is_escaped => is_text = !is_text,
            _ if is_text => {
                is_escaped = c == '\\' && !is_escaped;
                blanked.extend(std::iter::repeat_n('x', c.len_utf8()));
                continue;
            }
            _ => {}
        }
        blanked.push(c);
    }
    blanked
}

/// What a text says that is written with its quotes.
pub(super) fn text(written: &str) -> Option<String> {
    serde_json::from_str(written).ok().or_else(|| serde_json::from_str(&with_whole_pairs(written)).ok())
}

/// Half of a surrogate pair stands for no character, and Go writes U+FFFD for it.
fn with_whole_pairs(written: &str) -> String {
    let mut mended = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find('\\') {
        mended.push_str(&rest[..at]);
        rest = &rest[at..];
        let (first, second) = (unit(rest), rest.get(6..).and_then(unit));
        let (escape, length) = match (first, second) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (rest.get(..12), 12),
            (Some(0xd800..0xe000), _) => (Some("\\ufffd"), 6),
            (Some(_), _) => (rest.get(..6), 6),
            (None, _) => {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                (rest.get(..length), length)
            }
        };
        mended.push_str(escape.unwrap_or_default());
        rest = rest.get(length..).unwrap_or_default();
    }
    mended.push_str(rest);
    mended
}

/// The code unit of an escape `\uXXXX` at the beginning.
fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_say_what_go_reads() {
        let cases = [
            (r#""x\/y""#, "x/y"),
            (r#""\ud83d\ude00""#, "\u{1f600}"),
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""a\ud83dé\n""#, "a\u{fffd}é\n"),
            (r#""\\ud83d""#, "\\ud83d"),
            ("\"a\u{7f}b\"", "a\u{7f}b"),
        ];
        for (written, says) in cases {
            assert_eq!(text(written).as_deref(), Some(says), "{written}");
        }
    }

    #[test]
    fn blanking_keeps_every_byte_in_its_place() {
        let document = "{\"ä\\\"\": [\"\\\\\", 1, \"\u{7f}\"]}";
        let blanked = blanked(document);
        assert_eq!(blanked, "{\"xxxx\": [\"xx\", 1, \"x\"]}");
        assert_eq!(blanked.len(), document.len());
    }
}
