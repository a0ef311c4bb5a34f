//! A live object without what nobody would write into a manifest.

use serde_json::{Value, json};

use super::allocated::{names_its_volume, without_allocated};
use super::notes::{retain, take_off};
use crate::carry::{self, Subject};
use crate::change::normalised;
use crate::derived::Context;
use crate::object::ObjectKey;

/// Metadata that says how an object came to be, and holds for this very object alone.
const OF_THIS_OBJECT: [&str; 2] = ["ownerReferences", "generateName"];

/// `kubectl rollout restart` leaves this on templates. To take it off restarts Pods once more.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// Where workloads keep the metadata of what they make.
const TEMPLATES: [&str; 3] =
    ["/spec/template/metadata", "/spec/jobTemplate/spec/template/metadata", "/spec/jobTemplate/metadata"];

/// The live object as a person would begin to write it: without status, without what the API server and
/// controllers keep, without other tools' notes. With `tidy` also without the marks of restarts in
/// templates, which restarts Pods.
pub fn clean(key: &ObjectKey, live: &Value, tidy: bool, context: &Context<'_>) -> Value {
    let mut manifest = normalised(live, true);
    without_nulls(&mut manifest);
    if let Some(metadata) = manifest.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in OF_THIS_OBJECT {
            metadata.remove(field);
        }
        take_off(metadata);
    }
    without_given(&mut manifest, key);
    for template in TEMPLATES {
        clean_template(&mut manifest, template, tidy);
    }
    without_allocated(&mut manifest, key, live);
    without_carried(&mut manifest, key, live, context);
    manifest
}

/// Takes the marks of restarts out of a template's metadata, if asked to, and metadata that says nothing.
fn clean_template(manifest: &mut Value, pointer: &str, tidy: bool) {
    let Some(metadata) = manifest.pointer_mut(pointer).and_then(Value::as_object_mut) else { return };
    if tidy {
        retain(metadata, "annotations", |annotation, _| annotation != RESTARTED);
    }
    if metadata.is_empty() {
        remove(manifest, pointer);
    }
}

/// Takes out what the API server gives every object of this kind.
fn without_given(manifest: &mut Value, key: &ObjectKey) {
    let of_template = manifest.pointer("/spec/template/metadata/labels").cloned();
    let Some(fields) = manifest.as_object_mut() else { return };
    let is_bare = fields.get("spec").is_some_and(|spec| *spec == json!({"finalizers": ["kubernetes"]}));
    if (key.group.as_str(), key.kind.as_str()) == ("", "Namespace") && is_bare {
        fields.remove("spec");
    }
    let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "Namespace") => retain(metadata, "labels", |label, _| label != "kubernetes.io/metadata.name"),
        // A Job without labels gets its template's.
        ("batch", "Job") if metadata.get("labels") == of_template.as_ref() => {
            metadata.remove("labels");
        }
        _ => {}
    }
}

/// Takes out what the rules of carried fields bring back by themselves.
fn without_carried(manifest: &mut Value, key: &ObjectKey, live: &Value, context: &Context<'_>) {
    let carried = |declared: &Value| {
        let mut target = declared.clone();
        carry::carry(&mut target, &Subject { key, declared, live, record: None }, context);
        target
    };
    let whole = carried(manifest);
    for (pointer, field) in maybe_carried(manifest) {
        if field == "volumeName" && names_its_volume(live) {
            continue;
        }
        let mut without = manifest.clone();
        let Some(map) = without.pointer_mut(&pointer).and_then(Value::as_object_mut) else { continue };
        map.remove(&field);
        if map.is_empty() && pointer != "/spec" {
            remove(&mut without, &pointer);
        }
        if carried(&without) == whole {
            *manifest = without;
        }
    }
}

/// The fields that rules of carried fields are about, each as the map that holds it and its name.
fn maybe_carried(manifest: &Value) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = [
        ("/metadata", "finalizers"),
        ("/spec", "selector"),
        ("/spec", "volumeName"),
        ("/spec", "replicas"),
        ("/spec", "nodeName"),
    ]
    .iter()
    .filter(|(map, field)| manifest.pointer(map).is_some_and(|m| m.get(*field).is_some()))
    .map(|(map, field)| ((*map).to_owned(), (*field).to_owned()))
    .collect();
    for map in ["/metadata/annotations", "/metadata/labels", "/spec/template/metadata/labels"] {
        // Only a Job's template has labels that the API server generates.
        let keys = manifest.pointer(map).and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key);
        found.extend(keys.map(|key| (map.to_owned(), key.clone())));
    }
    found
}

fn remove(object: &mut Value, pointer: &str) {
    if let Some((map, field)) = pointer.rsplit_once('/')
        && let Some(map) = object.pointer_mut(map).and_then(Value::as_object_mut)
    {
        map.remove(field);
    }
}

/// `null` is how the API server writes that there is nothing.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, v| !v.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
