//! Which values people are not shown.

use crate::object::ObjectKey;
use crate::path::{FieldPath, Step};

/// Annotation in which `kubectl apply` keeps the whole object, a Secret's data included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether the value at a path of an object is a Secret's, or holds one: it is shown to nobody.
pub fn is_hidden(key: &ObjectKey, path: &FieldPath) -> bool {
    let is_secret = key.group.is_empty() && key.kind == "Secret";
    is_secret
        && match path.0.as_slice() {
            [] => true,
            [Step::Field(first)] => matches!(first.as_str(), "data" | "stringData" | "metadata"),
            [Step::Field(first), Step::Field(second), rest @ ..] => match first.as_str() {
                "data" | "stringData" => true,
                "metadata" if second == "annotations" => {
                    rest.first().is_none_or(|step| *step == Step::Field(LAST_APPLIED.to_owned()))
                }
                _ => false,
            },
            // No API server writes a list there.
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_hidden_wherever_they_stand() {
        let secret = ObjectKey::new("", "Secret", "a", "b");
        let hidden = |path: FieldPath| is_hidden(&secret, &path);
        assert!(hidden(FieldPath::root()) && hidden(FieldPath::of(["data"])) && hidden(FieldPath::of(["data", "x"])));
        assert!(hidden(FieldPath::of(["stringData", "x"])) && hidden(FieldPath::of(["metadata", "annotations"])));
        assert!(hidden(FieldPath::of(["metadata", "annotations", LAST_APPLIED])));
        assert!(!hidden(FieldPath::of(["metadata", "annotations", "a"])) && !hidden(FieldPath::of(["type"])));
        assert!(!hidden(FieldPath::of(["metadata", "labels", "a"])));
        assert!(!is_hidden(&ObjectKey::new("", "ConfigMap", "a", "b"), &FieldPath::of(["data", "x"])));
    }
}
