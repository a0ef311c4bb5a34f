//! What the reader of the types says, in the words of those who write `gitward.yaml`.

use serde_json::Value;

use crate::path::FieldPath;
use crate::schema::{listed, nearest};

/// What a path is called.
pub(super) fn place(path: &FieldPath) -> String {
    if path.0.is_empty() { "gitward.yaml".to_owned() } else { format!("`{path}`") }
}

/// The field that was meant, or those there are: the names that the reader lists.
pub(super) fn fields(name: &str, said: &str) -> String {
    let names = || quoted(said).skip(1);
    match (nearest(name, names()), names().next()) {
        (Some(nearest), _) => format!("did you mean `{nearest}`?"),
        (None, Some(_)) => format!("the fields there are: {}", listed(names())),
        (None, None) => "remove it".to_owned(),
    }
}

/// What is wrong with a value.
pub(super) fn wrong(name: &str, said: &str, found: Option<&Value>) -> String {
    if let Some(rest) = said.strip_prefix("unknown variant ") {
        let mut names = quoted(rest);
        let written = names.next().unwrap_or_default();
        return format!("is `{written}`, and may be {}", listed(names));
    }
    let wanted = said.split_once("expected ").and_then(|(_, wanted)| wanted_in_words(wanted));
    // What stands for a moment or a length of time is text that could not be read as one.
    match (name, wanted) {
        ("until", _) => "must be a time, such as 2026-01-31T12:00:00Z".to_owned(),
        ("maximum", _) => "must be a length of time, such as 1h or 30m".to_owned(),
        (_, Some(wanted)) => format!("must be {wanted}, not {}", found.map_or("nothing", described)),
        (_, None) => "has a value that cannot be read".to_owned(),
    }
}

fn wanted_in_words(wanted: &str) -> Option<&'static str> {
    let word = wanted.split([' ', ',']).find(|word| !matches!(*word, "a" | "an"))?;
    Some(match word {
        "sequence" => "a list",
        "string" | "str" | "borrowed" => "text",
        "boolean" => "true or false",
        "struct" | "map" => "a map of fields",
        "usize" | "u64" | "u32" | "i64" | "i32" => "a whole number from 0 on",
        _ => return None,
    })
}

fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.as_i64().is_some_and(|n| n < 0) => "a negative number",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map of fields",
    }
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
