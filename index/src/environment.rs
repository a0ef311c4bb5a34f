//! The `Environment` resource: what a cluster holds in order to reach and trust Git.

// The derived schema repeats each type within a function, where `pub` reaches nobody.
#![allow(unreachable_pub)]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// One target: the repository and ref that say what runs in this cluster. Everything else is
/// configured in the repository itself.
///
/// What is trusted (repository, ref, path) cannot be changed in place: another source is another
/// Environment.
#[derive(CustomResource, KubeSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "gitward.dev",
    version = "v1alpha1",
    kind = "Environment",
    status = "EnvironmentStatus",
    shortname = "genv",
    category = "gitward",
    derive = "PartialEq",
    printcolumn = r#"{"name":"Repository","type":"string","jsonPath":".spec.repository"}"#,
    printcolumn = r#"{"name":"Ref","type":"string","jsonPath":".spec.ref"}"#,
    printcolumn = r#"{"name":"Commit","type":"string","jsonPath":".status.commit"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"}"#
)]
#[x_kube(
    validation = Rule::new("has(self.path) == has(oldSelf.path) && (!has(self.path) || self.path == oldSelf.path)")
        .message("path cannot be changed; make another Environment")
)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentSpec {
    /// URL of the Git repository, as `git fetch` takes it.
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("repository cannot be changed; make another Environment"))]
    pub repository: String,
    /// Full name of the ref, for example refs/heads/main.
    #[serde(rename = "ref")]
    #[schemars(length(min = 6, max = 1024), regex(pattern = "^refs/"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("ref cannot be changed; make another Environment"))]
    pub git_ref: String,
    /// Directory with the manifests that gitward.yaml has to name for this environment. Without it
    /// gitward.yaml decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub path: Option<String>,
}

/// What was found and done last.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentStatus {
    /// The commit that the cluster was last brought to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Objects that the commit declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<i64>,
    /// When the environment took over its namespaces (RFC 3339). What was there before and is not
    /// declared is reported and never removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_at: Option<String>,
    /// The generation of the Environment that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions by type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// One condition, as Kubernetes has them (`meta/v1` Condition).
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it speaks of, for example Ready.
    #[serde(rename = "type")]
    pub type_: String,
    /// True, False or Unknown.
    pub status: String,
    /// One word, why.
    pub reason: String,
    /// A sentence for people.
    #[serde(default)]
    pub message: String,
    /// When the status last changed (RFC 3339).
    pub last_transition_time: String,
    /// The generation that it was found for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::CustomResourceExt;

    /// With GITWARD_UPDATE set the file is written instead.
    #[test]
    fn the_shipped_crd_is_generated_from_the_type() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/crd-environments.yaml");
        let generated = crd_file();
        if std::env::var_os("GITWARD_UPDATE").is_some() {
            std::fs::write(file, &generated).unwrap();
        }
        let shipped = std::fs::read_to_string(file).unwrap_or_default();
        assert_eq!(shipped, generated, "run the test with GITWARD_UPDATE=1");
    }

    fn crd_file() -> String {
        let crd = serde_json::to_value(Environment::crd()).unwrap();
        format!("# Generated from the type in index/src/environment.rs.\n{}", serde_saphyr::to_string(&crd).unwrap())
    }

    #[test]
    fn trust_cannot_be_changed_in_place() {
        let crd = serde_json::to_string(&Environment::crd()).unwrap();
        for message in ["repository cannot", "ref cannot", "path cannot"] {
            assert!(crd.contains(message), "{message}");
        }
    }
}
