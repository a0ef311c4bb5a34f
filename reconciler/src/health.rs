//! Whether what was applied also runs, by the conventions of each kind's status.

use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use gitward_core::snapshot::Snapshot;
use serde_json::Value;

/// Declared objects that are not ready yet, each with the reason.
pub fn not_ready(snapshot: &Snapshot, live: &dyn Lookup) -> Vec<(ObjectKey, String)> {
    let mut waiting: Vec<_> = snapshot
        .declared
        .keys()
        .filter_map(|key| {
            let object = live.get(key)?;
            wait_reason(key, &object).map(|reason| (key.clone(), reason))
        })
        .collect();
    waiting.sort();
    waiting
}

fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

fn wait_reason(key: &ObjectKey, object: &Value) -> Option<String> {
    let replicas = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    let count = |have: i64, want: i64, what: &str| (have < want).then(|| format!("{have} of {want} {what}"));
    match (key.group.as_str(), key.kind.as_str()) {
        ("apps", _) if number(object, "/status/observedGeneration") < number(object, "/metadata/generation") => {
            Some("not seen by its controller yet".to_owned())
        }
        ("apps", "Deployment") => count(number(object, "/status/updatedReplicas"), replicas, "updated")
            .or_else(|| count(number(object, "/status/availableReplicas"), replicas, "available")),
        ("apps", "StatefulSet" | "ReplicaSet") => count(number(object, "/status/readyReplicas"), replicas, "ready"),
        ("apps", "DaemonSet") => {
            let want = number(object, "/status/desiredNumberScheduled");
            count(number(object, "/status/numberAvailable"), want, "available")
        }
        ("batch", "Job") => (!has_condition(object, "Complete") && !has_condition(object, "Suspended"))
            .then(|| if has_condition(object, "Failed") { "failed".to_owned() } else { "running".to_owned() }),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            (!has_condition(object, "Established")).then(|| "not established".to_owned())
        }
        ("", "Pod") => (!has_condition(object, "Ready")).then(|| "not ready".to_owned()),
        _ => object::is_terminating(object).then(|| "being deleted".to_owned()),
    }
}

/// Whether a condition of an object's status is true.
pub fn has_condition(object: &Value, kind: &str) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions.is_some_and(|list| list.iter().any(|c| c["type"] == kind && c["status"] == "True"))
}
