//! The `Environment` resource: what a cluster holds in order to reach and trust Git.

// The derived schema repeats each type within a function, where `pub` reaches nobody.
#![allow(unreachable_pub)]

use gitward_core::adoption::Adoption;
use gitward_core::object;
use jiff::Timestamp;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{CustomResource, CustomResourceExt, KubeSchema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::break_glass::BreakGlass;

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
    printcolumn = r#"{"name":"Converged","type":"string","jsonPath":".status.conditions[?(@.type=='Converged')].status"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].reason"}"#,
    printcolumn = r#"{"name":"Message","type":"string","priority":1,"jsonPath":".status.conditions[?(@.type=='Ready')].message"}"#
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
    /// When the environment first took anything over (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_at: Option<String>,
    /// Since when each namespace and each cluster-scoped kind is governed. What was there before and is
    /// not declared is reported and never removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub adopted: Vec<Adopted>,
    /// The generation of the Environment that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The exemptions, delegations and break-glass declarations that Git holds for this environment, and when
    /// each was used last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<DeclarationUse>,
    /// Conditions by type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// A namespace or a cluster-scoped kind that the environment took over.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Adopted {
    /// Its name, as gitward.yaml has it.
    pub name: String,
    /// Since when it is governed (RFC 3339).
    pub at: String,
}

impl EnvironmentStatus {
    /// Since when everything is governed, as far as it is written down.
    pub fn adoption(&self) -> Adoption {
        let written = self.adopted.iter().filter_map(|one| Some((one.name.clone(), one.at.parse().ok()?)));
        Adoption::read(written, Timestamp::now())
    }
}

/// What the status says of this.
pub fn adopted(adoption: &Adoption) -> Vec<Adopted> {
    adoption.entries().map(|(name, at)| Adopted { name: name.to_owned(), at: at.to_string() }).collect()
}

/// An exemption, delegation or break-glass declaration of gitward.yaml, and whether anybody needs it.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeclarationUse {
    /// `Exemption`, `Delegation` or `BreakGlass`.
    pub kind: String,
    /// Its name in gitward.yaml.
    pub name: String,
    /// Since when the environment has had one of that name (RFC 3339).
    pub since: String,
    /// When it was last seen to let something through, or to be why the cluster is not as Git says
    /// (RFC 3339), to within an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    /// Of a delegation: which of its bounds nobody was seen to need as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<BoundsUse>,
}

/// What was seen of the bounds of a delegation.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BoundsUse {
    /// Since when these bounds are watched (RFC 3339).
    pub since: String,
    /// Of the bounds: with others it is watched from the beginning.
    pub digest: String,
    /// Those that allow more than what was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unneeded: Vec<UnneededBound>,
}

/// A bound that allows more than what was seen.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnneededBound {
    /// Where it stands in the delegation, such as makes[0].kinds[1].
    pub field: String,
    /// What was seen of it, if anything: a name, an image, a level, or `#` and the fingerprint of a value that only the
    /// webhook saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<String>,
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

/// That the cluster does not serve Environments, and what to do.
pub const NOT_INSTALLED: &str =
    "the cluster does not know the kind Environment of gitward.dev; to do: kubectl apply -k deploy/";

/// That there is no Environment of a name, and what to do.
pub fn missing(name: &str) -> String {
    format!("there is no Environment {name} in the cluster; to do: create it (see docs/guide/cluster.md)")
}

/// Whether the API server does not serve the kind that it was asked for: it then answers "not found"
/// and names no object.
pub fn is_unknown_kind(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status)
        if status.code == 404 && status.details.as_ref().is_none_or(|d| d.name.is_empty()))
}

/// Whether a live object is the definition of [`Environment`] exactly as this version ships it.
///
/// Where CustomResourceDefinitions are governed, Git does not declare gitward's own: they come with
/// `deploy/`. A name proves nothing, since anyone with the right may change what it says (drop the
/// rule that a repository cannot be changed, serve another version), so the whole of it is compared.
pub fn is_shipped_definition(live: &Value) -> bool {
    // Cheap, and true of nearly all that is asked about.
    if live["kind"] != "CustomResourceDefinition" {
        return false;
    }
    [Environment::crd(), BreakGlass::crd()].iter().any(|shipped| is_as_shipped(live, shipped))
}

fn is_as_shipped(live: &Value, shipped: &CustomResourceDefinition) -> bool {
    let list_kind = json!(format!("{}List", shipped.spec.names.kind));
    let Ok(shipped) = serde_json::to_value(shipped) else { return false };
    let same = |pointer: &str| live.pointer(pointer) == shipped.pointer(pointer);
    if !["/kind", "/metadata/name"].into_iter().all(same) || !live["apiVersion"].is_string() {
        return false;
    }
    let group = live["apiVersion"].as_str().and_then(|v| v.split_once('/')).map(|(group, _)| group);
    let kept = object::is_terminating(live) || !object::owner_references(live).is_empty();
    let mut spec = live["spec"].clone();
    // What the API server adds.
    drop_if(&mut spec, "conversion", &json!({"strategy": "None"}));
    drop_if(&mut spec["names"], "listKind", &list_kind);
    group == Some("apiextensions.k8s.io") && !kept && spec == shipped["spec"]
}

fn drop_if(object: &mut Value, field: &str, value: &Value) {
    if object.get(field) == Some(value)
        && let Some(fields) = object.as_object_mut()
    {
        fields.remove(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With GITWARD_UPDATE set the files are written instead.
    #[test]
    fn the_shipped_crds_are_generated_from_the_types() {
        for (file, source, crd) in [
            ("crd-environments.yaml", "environment.rs", Environment::crd()),
            ("crd-breakglasses.yaml", "break_glass.rs", BreakGlass::crd()),
        ] {
            let path = format!("{}/../deploy/{file}", env!("CARGO_MANIFEST_DIR"));
            let yaml = serde_saphyr::to_string(&serde_json::to_value(crd).unwrap()).unwrap();
            let generated = format!("# Generated from the type in index/src/{source}.\n{yaml}");
            if std::env::var_os("GITWARD_UPDATE").is_some() {
                std::fs::write(&path, &generated).unwrap();
            }
            let shipped = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(shipped, generated, "run the test with GITWARD_UPDATE=1");
        }
    }

    #[test]
    fn trust_cannot_be_changed_in_place() {
        let crd = serde_json::to_string(&Environment::crd()).unwrap();
        for message in ["repository cannot", "ref cannot", "path cannot"] {
            assert!(crd.contains(message), "{message}");
        }
    }

    #[test]
    fn only_the_definition_as_it_is_shipped_is_known_as_such() {
        let mut live = serde_json::to_value(Environment::crd()).unwrap();
        assert!(is_shipped_definition(&live));
        live["metadata"]["uid"] = json!("u");
        live["spec"]["conversion"] = json!({"strategy": "None"});
        live["spec"]["names"]["listKind"] = json!("EnvironmentList");
        live["status"] = json!({"conditions": []});
        assert!(is_shipped_definition(&live), "what the API server adds");
        let changes: [(&str, Value); 6] = [
            ("/metadata/name", json!("other.gitward.dev")),
            ("/spec/conversion", json!({"strategy": "Webhook"})),
            ("/spec/names/listKind", json!("Others")),
            ("/spec/names/shortNames", json!(["secrets"])),
            (
                "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/ref/x-kubernetes-validations",
                json!([]),
            ),
            ("/spec/versions/0/served", json!(false)),
        ];
        for (pointer, value) in changes {
            let mut changed = live.clone();
            *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
            assert!(!is_shipped_definition(&changed), "{pointer}");
        }
        live["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(!is_shipped_definition(&live), "being deleted is news");
        assert!(!is_shipped_definition(&Value::Null));
    }
}
