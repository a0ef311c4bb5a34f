//! What decides, besides its content, what the API server makes of a declared object. While all of
//! it stays as it was, what was learnt goes on counting and only what changed is learnt.

use std::collections::BTreeMap;

use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use serde_json::Value;

use crate::state::State;

/// Kinds whose objects shape others as they are written.
const SHAPING: [(&str, &str); 8] = [
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("", "LimitRange"),
    ("storage.k8s.io", "StorageClass"),
    ("networking.k8s.io", "IngressClass"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("node.k8s.io", "RuntimeClass"),
];

/// What was in force when something was learnt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// Which build of Kubernetes the API server is.
    pub(crate) version: String,
    /// What shapes any object besides.
    everywhere: String,
    /// What shapes the objects of one kind: its definition, by group and kind.
    definitions: BTreeMap<(String, String), String>,
}

impl Surroundings {
    /// Whether an object that was learnt in these would be learnt alike in others.
    pub fn same_for(&self, others: &Self, key: &ObjectKey) -> bool {
        let kind = (key.group.clone(), key.kind.clone());
        self.version == others.version
            && self.everywhere == others.everywhere
            && self.definitions.get(&kind) == others.definitions.get(&kind)
    }
}

/// The surroundings as they are now. Without an answer of the API server about its version it is
/// `None`: then everything is learnt.
pub async fn surroundings(state: &State) -> Option<Surroundings> {
    let version = api_server_version(state).await?;
    let mut parts = Vec::new();
    for (group, kind) in SHAPING {
        let shaping = state.index.list(group, kind, "");
        parts.extend(shaping.iter().map(|one| format!("{kind} {}", state_of(one))));
    }
    parts.sort();
    let definitions = state.index.list("apiextensions.k8s.io", "CustomResourceDefinition", "");
    Some(Surroundings {
        version,
        everywhere: parts.join("\n"),
        definitions: definitions.iter().map(|one| (kind_defined_by(one), state_of(one))).collect(),
    })
}

/// Which build of Kubernetes the API server says that it is; `None` without an answer.
async fn api_server_version(state: &State) -> Option<String> {
    let version = state.api.client().apiserver_version().await.ok()?;
    Some(format!("{} {}", version.git_version, version.build_date))
}

/// The group and kind that a CustomResourceDefinition defines.
pub(crate) fn kind_defined_by(definition: &Value) -> (String, String) {
    let field = |path| definition.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    (field("/spec/group"), field("/spec/names/kind"))
}

/// A text that changes with the object. Kinds without a generation tell a change by their resource
/// version alone.
fn state_of(object: &Value) -> String {
    let version = match object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0) {
        0 => object::metadata_str(object, "resourceVersion").unwrap_or_default().to_owned(),
        n => n.to_string(),
    };
    format!("{} {version}", object::uid(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Surroundings {
        /// Nothing shapes objects but an API server of this version.
        pub(crate) fn of_version(version: &str) -> Self {
            Self { version: version.to_owned(), everywhere: String::new(), definitions: BTreeMap::new() }
        }
    }

    #[test]
    fn a_definition_shapes_its_own_kind_alone() {
        let of = |version: &str| Surroundings {
            definitions: BTreeMap::from([(("x.io".to_owned(), "Thing".to_owned()), version.to_owned())]),
            ..Surroundings::of_version("v1.36.3")
        };
        let same = |kind: &str| of("1").same_for(&of("2"), &ObjectKey::new("x.io", kind, "a", "b"));
        assert!(!same("Thing"));
        assert!(same("Other"));
        let upgraded = Surroundings { version: "v1.37.0".to_owned(), ..of("1") };
        assert!(!of("1").same_for(&upgraded, &ObjectKey::new("", "ConfigMap", "a", "b")));
    }
}
