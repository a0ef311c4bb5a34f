//! What counts as not being there: API servers of one version or another leave it out.

use serde_json::{Map, Value};

use crate::path::{FieldPath, Step};

/// Fields of the API types that are structures or maps and no pointers to them: empty and absent is
/// the same there, and API servers of different versions write the one or the other.
const PLAIN: [&str; 10] = [
    "annotations",
    "labels",
    "loadBalancer",
    "metadata",
    "nodeSelector",
    "resources",
    "spec",
    "status",
    "strategy",
    "updateStrategy",
];

/// [`name_below`] of a StatefulSet's `maxUnavailable`. Kubernetes 1.35 fills 1 in, 1.36 leaves it out and keeps what
/// it finds, and both replace one Pod at a time: while a control plane is upgraded, which of them wrote
/// last decides whether it is there. It is the one default of built-in kinds in which the two differ.
const ONE_AT_A_TIME: &str = "maxUnavailable of a StatefulSet";

/// Groups of the kinds that API servers store in a form of their own. Custom resources are stored as
/// they were written.
const BUILT_IN: [&str; 23] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Whether a group's kinds are Kubernetes' own, and not custom resources.
pub fn is_built_in(group: &str) -> bool {
    group.is_empty() || BUILT_IN.contains(&group)
}

/// Whether a field of an API type is there without saying anything: null, an empty list, or an empty
/// map where that is the same as none.
pub(crate) fn is_plainly_empty(name: &str, value: &Value) -> bool {
    is_absent(Stored::Typed, name, value)
}

/// How an object is stored, which decides what counts as absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// As a type of the API server's.
    Typed,
    /// As it was written.
    Verbatim,
}

pub(super) fn stored(object: &Value) -> Stored {
    let version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    match version.split_once('/') {
        Some((group, _)) if !BUILT_IN.contains(&group) => Stored::Verbatim,
        _ => Stored::Typed,
    }
}

pub(super) fn is_absent(stored: Stored, key: &str, value: &Value) -> bool {
    match value {
        Value::Null => stored == Stored::Typed,
        Value::Array(items) => items.is_empty() && stored == Stored::Typed,
        Value::Object(fields) => fields.is_empty() && stored == Stored::Typed && PLAIN.contains(&key),
        Value::Number(number) => key == ONE_AT_A_TIME && stored == Stored::Typed && number.as_u64() == Some(1),
        _ => false,
    }
}

/// Whether a value at a path of an object counts as not being there.
pub fn counts_as_absent(object: &Value, path: &FieldPath, value: &Value) -> bool {
    let fields = path.fields();
    let mut stored = if fields.first() == Some(&"metadata") { Stored::Typed } else { stored(object) };
    let mut at = object;
    let (mut key, mut parent) = ("", "");
    for step in &path.0 {
        if let (Step::Field(field), Some(map)) = (step, at.as_object()) {
            stored = stored_below(stored, field);
            (key, parent) = (name_below(parent, [map, map], field), field);
        } else {
            (key, parent) = ("", "");
        }
        at = step.get(at).unwrap_or(&Value::Null);
    }
    is_absent(stored, key, value)
}

/// What lies below a field is stored so: schemas keep the values that people wrote, empty ones too.
pub(super) fn stored_below(stored: Stored, field: &str) -> Stored {
    if field == "openAPIV3Schema" { Stored::Verbatim } else { stored }
}

/// A field's name, as far as an empty map may be the same as none: two fields are pointers here that
/// are none elsewhere. They are the resources of a whole Pod, and the status subresource of a
/// definition. And of the rolling updates, a StatefulSet's alone have a `partition`.
pub(super) fn name_below<'k>(parent: &str, siblings: [&Map<String, Value>; 2], field: &'k str) -> &'k str {
    let is_pod = || siblings.iter().any(|map| map.contains_key("containers"));
    match field {
        "resources" if is_pod() => "",
        "status" if parent == "subresources" => "",
        "maxUnavailable" if parent == "rollingUpdate" && siblings.iter().any(|map| map.contains_key("partition")) => {
            ONE_AT_A_TIME
        }
        _ => field,
    }
}
