//! The canonical form of a declared object: what is sent to the API server.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::manifest::Manifest;
use crate::schema::Scope;

/// The object with its namespace filled in (or, for a cluster-scoped kind, taken out), and with a
/// Secret's `stringData` merged into `data`, as the API server does on every write. Where the
/// manifest is canonical as it stands, the two are one in memory.
pub fn canonical(manifest: &Manifest, scope: Option<Scope>) -> Arc<Value> {
    let mut object = manifest.value.as_ref().clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        if scope == Some(Scope::Cluster) || manifest.key.namespace.is_empty() {
            metadata.remove("namespace");
        } else {
            metadata.insert("namespace".to_owned(), manifest.key.namespace.clone().into());
        }
    }
    if manifest.gvk.group.is_empty() && manifest.gvk.kind == "Secret" {
        merge_string_data(&mut object);
    }
    if object == *manifest.value { manifest.value.clone() } else { Arc::new(object) }
}

fn merge_string_data(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else { return };
    let Some(Value::Object(plain)) = fields.remove("stringData") else { return };
    let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    let Some(data) = data.as_object_mut() else { return };
    for (key, value) in plain {
        // Anything but a string is a schema error already; the API server would refuse it.
        if let Value::String(text) = value {
            data.insert(key, STANDARD.encode(text).into());
        }
    }
}
