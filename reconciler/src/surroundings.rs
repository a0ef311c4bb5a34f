//! What decides, besides its content, what the API server makes of a declared object. While all of
//! it stays as it was, what was learnt goes on counting and only what changed is learnt.

use gitward_core::lookup::Lookup;
use gitward_core::object;
use serde_json::Value;

use crate::state::State;

/// Kinds whose objects shape others as they are written.
const SHAPING: [(&str, &str); 9] = [
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("", "LimitRange"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("storage.k8s.io", "StorageClass"),
    ("networking.k8s.io", "IngressClass"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("node.k8s.io", "RuntimeClass"),
];

/// A text that stays the same as long as the surroundings do. Without an answer of the API server
/// about its version it is `None`: then everything is learnt.
pub async fn surroundings(state: &State) -> Option<String> {
    let version = state.api.client().apiserver_version().await.ok()?;
    let mut parts = vec![format!("{} {}", version.git_version, version.build_date)];
    for (group, kind) in SHAPING {
        for shaping in state.index.list(group, kind, "") {
            let generation = shaping.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
            // Kinds without a generation tell a change by their resource version alone.
            let state = match generation {
                0 => object::metadata_str(&shaping, "resourceVersion").unwrap_or_default().to_owned(),
                n => n.to_string(),
            };
            parts.push(format!("{kind} {} {state}", object::uid(&shaping)));
        }
    }
    parts.sort();
    Some(parts.join("\n"))
}
