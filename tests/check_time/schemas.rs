//! Strict JSON schemas for kubeconform, one a kind, out of what Kubernetes itself says of its kinds: no
//! field but the described ones is allowed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

const REFERENCE: &str = "#/components/schemas/";

/// Writes the schemas of all kinds that the OpenAPI documents of a directory describe; how many there are.
pub(crate) fn write(openapi: &Path, schemas: &Path) -> usize {
    let mut written = 0;
    for document in fs::read_dir(openapi).unwrap() {
        let text = fs::read(document.unwrap().path()).unwrap();
        let document: Value = serde_json::from_slice(&text).unwrap();
        let Some(types) = document["components"]["schemas"].as_object() else { continue };
        for (name, described) in types {
            let Some([gvk]) = described["x-kubernetes-group-version-kind"].as_array().map(Vec::as_slice) else {
                continue;
            };
            let text = |field: &str| gvk[field].as_str().unwrap_or_default().to_lowercase();
            // As kubeconform calls them: the first part of a group.
            let group = text("group").split('.').next().unwrap_or_default().to_owned();
            let group = if group.is_empty() { group } else { format!("{group}-") };
            let file = format!("{}-{group}{}.json", text("kind"), text("version"));
            fs::write(schemas.join(file), schema(name, types).to_string()).unwrap();
            written += 1;
        }
    }
    written
}

/// A type with all that it refers to.
fn schema(name: &str, types: &Map<String, Value>) -> Value {
    let (mut needed, mut open) = (BTreeSet::new(), vec![name.to_owned()]);
    while let Some(name) = open.pop() {
        if let Some(described) = types.get(&name).filter(|_| needed.insert(name)) {
            references(described, &mut open);
        }
    }
    let parts: Map<String, Value> = needed.into_iter().map(|n| (n.clone(), strict(&types[&n]))).collect();
    json!({"$ref": format!("{REFERENCE}{name}"), "components": {"schemas": parts}})
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix(REFERENCE));
            found.extend(name.map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// The same without what is only told to people, and closed.
fn strict(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut kept: Map<String, Value> = fields
                .iter()
                .filter(|(name, value)| !(name.starts_with("x-") || *name == "description" && value.is_string()))
                .filter(|(name, value)| *name != "default" || value.get("type").is_some_and(Value::is_string))
                .map(|(name, value)| (name.clone(), strict(value)))
                .collect();
            let is_described =
                kept.get("properties").is_some_and(|p| p.is_object() && p.get("type").is_none_or(Value::is_object));
            if kept.get("type") == Some(&json!("object")) && is_described {
                kept.insert("additionalProperties".to_owned(), json!(false));
            }
            kept.into()
        }
        Value::Array(items) => items.iter().map(strict).collect(),
        other => other.clone(),
    }
}
