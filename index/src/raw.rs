//! Objects of a watch or a read, as plain JSON.

use kube::core::ApiResource;
use serde::Serialize;
use serde_json::Value;

/// An object as JSON with its `apiVersion` and `kind` (lists leave them out, metadata requests
/// name another kind) and without `managedFields`.
pub(crate) fn object<K: Serialize>(object: &K, resource: &ApiResource) -> Option<Value> {
    let mut value = serde_json::to_value(object).ok()?;
    let fields = value.as_object_mut()?;
    fields.insert("apiVersion".to_owned(), Value::String(resource.api_version.clone()));
    fields.insert("kind".to_owned(), Value::String(resource.kind.clone()));
    fields.get_mut("metadata")?.as_object_mut()?.remove("managedFields");
    Some(value)
}
