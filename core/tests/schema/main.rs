//! What schemas refuse and what they let pass, through the public interface.

#![allow(missing_docs)]

mod custom;
mod kinds;
mod mistakes;
mod places;
mod rules;

use std::sync::Arc;

use gitward_core::finding::Finding;
use gitward_core::manifest::{self, Limits, Manifest};
use gitward_core::schema::Schemas;

/// The objects of a YAML text, which has to be readable.
fn read(text: &str) -> Vec<Manifest> {
    let (manifests, findings) = manifest::read(&Arc::from("app.yaml"), text.as_bytes(), &Limits::default());
    assert_eq!(findings, [], "{text}");
    manifests
}

/// The schemas of the newest version.
fn newest() -> Schemas {
    Schemas::builtin("1.36").expect("1.36 is carried")
}

/// Rule and field of each finding, in the order found.
fn outline(findings: &[Finding]) -> Vec<(String, String)> {
    findings
        .iter()
        .map(|f| (f.rule.to_string(), f.field.as_ref().map(ToString::to_string).unwrap_or_default()))
        .collect()
}

/// Sets the value at a JSON pointer, also where there is none yet; `None` removes it.
fn set(object: &mut serde_json::Value, pointer: &str, value: Option<serde_json::Value>) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let name = name.replace("~1", "/");
    let parent = object.pointer_mut(parent).expect(pointer);
    match (parent, value) {
        (serde_json::Value::Object(map), Some(value)) => drop(map.insert(name, value)),
        (serde_json::Value::Object(map), None) => drop(map.remove(&name).expect(pointer)),
        (serde_json::Value::Array(list), Some(value)) => list[name.parse::<usize>().expect(pointer)] = value,
        (other, _) => panic!("{pointer} is in {other}"),
    }
}
