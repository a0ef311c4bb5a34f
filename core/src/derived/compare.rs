//! Comparing what should be with what is, and saying where they differ without saying values.

use serde_json::{Map, Value};

use super::Refusal;
use crate::change::{self, is_empty};

/// How many differing fields a reason names.
const NAMED: usize = 4;

/// Demands that two values mean the same.
pub(super) fn same(what: &str, wanted: &Value, found: &Value) -> Result<(), Refusal> {
    if change::same(wanted, found) { Ok(()) } else { Err(differs(what, wanted, found)) }
}

/// The refusal for two values that differ. It names the fields, never their values: they may be a
/// Secret's, copied into an environment variable.
pub(super) fn differs(what: &str, wanted: &Value, found: &Value) -> Refusal {
    let changes = change::changes(wanted, found);
    let paths: Vec<String> = changes.iter().take(NAMED).map(|c| c.path.to_string()).collect();
    let more = if changes.len() > NAMED { ", …" } else { "" };
    Refusal::new(format!("{what} is not what it should be: {}{more}", paths.join(", ")))
}

/// A field of a value, `null` if it is not there.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |v, field| v.get(field).unwrap_or(&Value::Null))
}

/// A text field, empty if it is not there.
pub(crate) fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}

/// A list field, empty if it is not there.
pub(crate) fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

/// A map field.
pub(super) fn map<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Map<String, Value>> {
    at(value, path).as_object()
}

/// The fields of a map, none if it is not there.
pub(super) fn entries(map: Option<&Map<String, Value>>) -> impl Iterator<Item = (&str, &Value)> {
    map.into_iter().flatten().map(|(k, v)| (k.as_str(), v))
}

/// Whether two maps hold the same but for some keys.
pub(super) fn same_but(a: Option<&Map<String, Value>>, b: Option<&Map<String, Value>>, except: &[&str]) -> bool {
    let within = |x: Option<&Map<String, Value>>, y: Option<&Map<String, Value>>| {
        entries(x).filter(|(k, v)| !except.contains(k) && !is_empty(v)).all(|(k, v)| match y.and_then(|y| y.get(k)) {
            Some(w) => change::same(v, w),
            None => false,
        })
    };
    within(a, b) && within(b, a)
}

/// Whether only some fields of a map are set.
pub(super) fn only(value: &Value, allowed: &[&str]) -> bool {
    entries(value.as_object()).all(|(k, v)| is_empty(v) || allowed.contains(&k))
}

/// Whether a text is one or more digits and nothing else.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The alphabet of generated names and hashes (`k8s.io/apimachinery/pkg/util/rand`).
fn is_generated(text: &str) -> bool {
    text.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
}

/// Whether a text can be a template's or a revision's hash.
pub(super) fn is_hash(text: &str) -> bool {
    (1..=10).contains(&text.len()) && is_generated(text)
}

/// Whether a text can be the five characters that `generateName` adds.
pub(super) fn is_suffix(text: &str) -> bool {
    text.len() == 5 && is_generated(text)
}

/// The first bytes of a text, at most so many, whole characters only.
pub(super) fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_names_fields_and_no_values() {
        let (a, b) =
            (json!({"env": [{"name": "A", "value": "old"}]}), json!({"env": [{"name": "A", "value": "s3cr3t"}]}));
        let reason = same("spec", &a, &b).unwrap_err().reason;
        assert!(reason.contains("env[name=A].value") && !reason.contains("s3cr3t"), "{reason}");
    }

    #[test]
    fn maps_compare_but_for_some_keys() {
        let (a, b) = (json!({"x": 1, "h": 2, "e": {}}), json!({"x": 1}));
        assert!(same_but(a.as_object(), b.as_object(), &["h"]));
        assert!(!same_but(a.as_object(), b.as_object(), &[]));
        assert!(!same_but(None, b.as_object(), &["h"]));
    }
}
