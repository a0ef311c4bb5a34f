//! Values as people are shown them: never a Secret's.

use gitward_core::object::ObjectKey;
use gitward_core::path::FieldPath;
use gitward_core::trace::is_hidden;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A value that may be shown, or that there is one.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// The value.
    Value(Value),
    /// It is a Secret's.
    Hidden,
}

/// What stands for a value that is not shown.
pub(crate) const HIDDEN: &str = "(value hidden)";

impl Shown {
    /// The value of a field of an object, as far as it is shown.
    pub(crate) fn of(key: &ObjectKey, path: &FieldPath, value: Value) -> Self {
        if is_hidden(key, path) { Self::Hidden } else { Self::Value(value) }
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::Hidden => f.write_str(HIDDEN),
        }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Hidden => serializer.serialize_str(HIDDEN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secrets_value_is_written_nowhere() {
        let path = FieldPath::of(["data", "token"]);
        let of = |kind: &str| Shown::of(&ObjectKey::new("", kind, "a", "b"), &path, json!("c2VjcmV0"));
        assert_eq!(of("ConfigMap").to_string(), "\"c2VjcmV0\"");
        assert_eq!(of("Secret").to_string(), HIDDEN);
        assert_eq!(serde_json::to_value(of("Secret")).unwrap(), json!(HIDDEN));
    }
}
