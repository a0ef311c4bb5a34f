//! What other tools write down on objects for themselves, and what the API server and controllers
//! write of their own accord: none of it is a person's intent.

use serde_json::{Map, Value};

/// Annotations of objects themselves, by name or, with a `/` at the end, by prefix. `helm.sh/resource-policy`
/// and `helm.sh/hook` are Helm's alone to read.
const ANNOTATIONS: [&str; 7] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "meta.helm.sh/",
    "helm.sh/",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    // The Deployment's controller counts.
    "deployment.kubernetes.io/revision",
];

/// Labels of objects themselves. `helm.sh/chart` goes with the rest: it names the version of a chart
/// that no longer says what the object is, and would be wrong with the first edit in Git.
const LABELS: [&str; 4] =
    ["helm.sh/chart", "argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/"];

/// Labels that are another tool's with one value only.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "Helm");

fn is_among(list: &[&str], key: &str) -> bool {
    list.iter().any(|name| key == *name || (name.ends_with('/') && key.starts_with(name)))
}

/// Takes other tools' notes off an object's own metadata. Templates keep theirs: without them, Pods
/// would be others.
pub(super) fn take_off(metadata: &mut Map<String, Value>) {
    retain(metadata, "annotations", |key, _| !is_among(&ANNOTATIONS, key));
    let is_managed_by = |key: &str, value: &Value| (key, value.as_str()) == (MANAGED_BY.0, Some(MANAGED_BY.1));
    retain(metadata, "labels", |key, value| !is_among(&LABELS, key) && !is_managed_by(key, value));
}

/// Keeps the entries of a map of metadata that are wanted; without any the map goes.
pub(super) fn retain(metadata: &mut Map<String, Value>, map: &str, wanted: impl Fn(&str, &Value) -> bool) {
    let Some(entries) = metadata.get_mut(map).and_then(Value::as_object_mut) else { return };
    entries.retain(|key, value| wanted(key, value));
    if entries.is_empty() {
        metadata.remove(map);
    }
}
