//! Keeping the values of Secrets out of what policies say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::manifest::Manifest;

/// Shorter values would cross out half of every sentence and are no secrets.
const MIN_LENGTH: usize = 3;

/// The values of one Secret; empty for any other object.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Every value of a Secret, as written and decoded.
    pub(super) fn of(manifest: &Manifest) -> Self {
        let mut values = Vec::new();
        if manifest.gvk.group.is_empty() && manifest.gvk.kind == "Secret" {
            for field in ["data", "stringData"] {
                if let Some(value) = manifest.value.get(field) {
                    collect(value, &mut values);
                }
            }
        }
        let decoded: Vec<String> =
            values.iter().filter_map(|v| String::from_utf8(STANDARD.decode(v.trim()).ok()?).ok()).collect();
        values.extend(decoded);
        values.retain(|value| value.len() >= MIN_LENGTH);
        // The longer one first, so that no rest of it is left standing.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values)
    }

    /// Whether a text holds one of the values.
    pub(super) fn are_in(&self, text: &str) -> bool {
        self.0.iter().any(|secret| text.contains(secret))
    }

    /// The text without any of the values.
    pub(super) fn redact(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| if text.contains(secret) { text.replace(secret, "***") } else { text })
    }
}

fn collect(value: &Value, values: &mut Vec<String>) {
    match value {
        Value::String(text) => values.push(text.clone()),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, values)),
        Value::Array(items) => items.iter().for_each(|value| collect(value, values)),
        Value::Number(number) => values.push(number.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}
