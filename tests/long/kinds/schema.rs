//! The schemas that the API server serves, as far as edits are made by them.

use std::collections::HashMap;

use kube::Client;
use serde_json::{Value, json};

use crate::kinds::Result;

/// Schemas by name and by kind.
#[derive(Default)]
pub(crate) struct Schemas {
    named: HashMap<String, Value>,
    kinds: HashMap<(String, String), String>,
    apart: HashMap<(String, String), bool>,
}

impl Schemas {
    /// Reads what the API server serves for these kinds, given as `apiVersion` and `kind`.
    pub(crate) async fn read(client: &Client, kinds: &[(String, String)]) -> Result<Self> {
        let mut schemas = Self::default();
        let mut versions: Vec<&str> = kinds.iter().map(|(v, _)| v.as_str()).collect();
        versions.sort_unstable();
        versions.dedup();
        for version in versions {
            let base = if version.contains('/') { format!("apis/{version}") } else { format!("api/{version}") };
            let document = get(client, &format!("/openapi/v3/{base}")).await?;
            for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
                for gvk in schema["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
                    let text = |f: &str| gvk[f].as_str().unwrap_or_default().to_owned();
                    let (group, version) = (text("group"), text("version"));
                    let version = if group.is_empty() { version } else { format!("{group}/{version}") };
                    schemas.kinds.insert((version, text("kind")), name.clone());
                }
                schemas.named.insert(name.clone(), schema.clone());
            }
            let paths: Vec<&String> = document["paths"].as_object().into_iter().flatten().map(|(p, _)| p).collect();
            for (v, kind) in kinds.iter().filter(|(v, _)| v == version) {
                let group_kind =
                    |operation: &Value| operation["x-kubernetes-group-version-kind"]["kind"] == kind.as_str();
                let apart = paths
                    .iter()
                    .filter(|p| p.ends_with("/status"))
                    .any(|p| group_kind(&document["paths"][p.as_str()]["put"]));
                schemas.apart.insert((v.clone(), kind.clone()), apart);
            }
        }
        Ok(schemas)
    }

    /// The schema of an object.
    pub(crate) fn of(&self, object: &Value) -> Option<&Value> {
        self.named.get(self.kinds.get(&kind_of(object))?)
    }

    /// Whether the kind's status is written through a subresource alone.
    pub(crate) fn keeps_status_apart(&self, object: &Value) -> bool {
        self.apart.get(&kind_of(object)).copied().unwrap_or(false)
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
        reference.and_then(|r| self.named.get(r.rsplit('/').next()?)).unwrap_or(schema)
    }

    /// The schema of a field.
    pub(crate) fn field<'a>(&'a self, schema: &'a Value, field: &str) -> Option<&'a Value> {
        let schema = self.resolved(schema);
        schema["properties"].get(field).or_else(|| schema.get("additionalProperties").filter(|a| a.is_object()))
    }

    /// All fields that are named.
    pub(crate) fn fields<'a>(&'a self, schema: &'a Value) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.resolved(schema)["properties"].as_object().into_iter().flatten()
    }

    /// The schema of a list's elements.
    pub(crate) fn items<'a>(&'a self, schema: &'a Value) -> Option<&'a Value> {
        self.resolved(schema).get("items")
    }

    /// Whether keys are anyone's to choose.
    pub(crate) fn is_map(&self, schema: &Value) -> bool {
        self.resolved(schema).get("additionalProperties").is_some()
    }

    /// Whether anything may stand there.
    pub(crate) fn is_free(&self, schema: &Value) -> bool {
        let schema = self.resolved(schema);
        schema.get("properties").is_none() && schema.get("additionalProperties").is_none()
    }

    /// Values that might be taken for a field that is not there.
    pub(crate) fn examples(&self, schema: &Value, depth: usize) -> Vec<Value> {
        let schema = self.resolved(schema);
        if let Some(choices) = schema["enum"].as_array() {
            return choices.iter().filter(|c| *c != "").take(3).cloned().collect();
        }
        if schema.get("oneOf").is_some() || schema["x-kubernetes-int-or-string"] == true {
            return vec![json!(1), json!("1")];
        }
        match schema["type"].as_str() {
            Some("string") => string_examples(schema),
            Some("integer") => vec![json!(1), json!(3), json!(600)],
            Some("number") => vec![json!(1)],
            Some("boolean") => vec![json!(true), json!(false)],
            Some("array") if depth < 3 => {
                let items = self.items(schema).map(|i| self.examples(i, depth + 1)).unwrap_or_default();
                items.into_iter().map(|i| json!([i])).take(3).collect()
            }
            _ if depth < 3 => self.object_examples(schema, depth),
            _ => vec![],
        }
    }

    fn object_examples(&self, schema: &Value, depth: usize) -> Vec<Value> {
        if let Some(below) = schema.get("additionalProperties") {
            let values = if below.is_object() { self.examples(below, depth + 1) } else { vec![json!("x")] };
            return values.into_iter().take(2).map(|v| json!({"stray": v})).collect();
        }
        let example = |schema: &Value| self.examples(schema, depth + 1).into_iter().next();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut least = json!({});
        for field in &required {
            if let Some(value) = self.field(schema, field).and_then(example) {
                least[*field] = value;
            }
        }
        let mut values = if required.is_empty() { vec![] } else { vec![least.clone()] };
        for (field, below) in self.fields(schema).filter(|(f, _)| !required.contains(&f.as_str())).take(8) {
            if let Some(value) = example(below) {
                let mut more = least.clone();
                more[field] = value;
                values.push(more);
            }
        }
        values.truncate(6);
        values
    }
}

fn string_examples(schema: &Value) -> Vec<Value> {
    match schema["format"].as_str() {
        Some("date-time") => vec![json!("2030-01-01T00:00:00Z")],
        Some("byte") => vec![json!("eHg=")],
        _ => ["x", "1", "Default", "Always", "None", "/x", "192.0.2.7", "x.example/x", "Local", "UTC"]
            .map(|s| json!(s))
            .to_vec(),
    }
}

fn kind_of(object: &Value) -> (String, String) {
    let text = |f: &str| object[f].as_str().unwrap_or_default().to_owned();
    (text("apiVersion"), text("kind"))
}

async fn get(client: &Client, path: &str) -> Result<Value> {
    let request = http::Request::get(path).body(Vec::new()).map_err(|e| e.to_string())?;
    let text = client.request_text(request).await.map_err(|e| format!("{path}: {e}"))?;
    serde_json::from_str(&text).map_err(|e| format!("{path}: {e}"))
}
