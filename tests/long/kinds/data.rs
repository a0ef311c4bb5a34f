//! The manifests: one of nearly every kind that an API server has by default, minimal and rich,
//! with the classes, volumes and limits that they presume.

use std::path::{Path, PathBuf};

use gitward_test_cluster::ENVIRONMENT;

/// Where the data is: beside the checkout, unless the environment says otherwise.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("GITWARD_TEST_DATA").map_or_else(beside, PathBuf::from);
    let kinds = data.join("kinds");
    kinds.join("manifests.yaml").is_file().then_some(kinds)
}

/// One manifest as it goes into the repository.
pub(crate) struct Document {
    /// Its kind.
    pub(crate) kind: String,
    /// Its name.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
}

/// Namespace of what names none.
const NAMESPACE: &str = "exp";

/// Kinds that live in no namespace.
const CLUSTER_SCOPED: [&str; 28] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "Gadget",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ResourceSlice",
    "RuntimeClass",
    "ServiceCIDR",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttributesClass",
];

/// Kinds of which others make objects as well: of them only what Git declares is governed.
const SHARED: [&str; 17] = [
    "APIService",
    "CSINode",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "CustomResourceDefinition",
    "FlowSchema",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ServiceCIDR",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

/// Manifests that are left out, each with the reason.
pub(crate) const LEFT_OUT: [(&str, &str, &str); 2] = [
    ("Node", "n0", "a node registers itself and its controllers write its spec: it is the cluster's, not Git's"),
    ("Node", "n1", "as n0"),
];

/// Every manifest that goes into the repository. `certificate` is a CA certificate in PEM, for the
/// one that needs a real one.
pub(crate) fn documents(folder: &Path, certificate: &str) -> Vec<Document> {
    let mut documents = Vec::new();
    for file in ["infrastructure.yaml", "manifests.yaml"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        for part in text.split("\n---\n") {
            let kind = between(part, "kind: ", &[',', '\n']);
            let name = between(part, "metadata: {name: ", &[',', '}']);
            if !LEFT_OUT.iter().any(|(k, n, _)| *k == kind && *n == name) {
                let text = adjusted(part, &kind, certificate);
                documents.push(Document { name: on_our_nodes(&name), kind, text });
            }
        }
    }
    documents
}

fn between(text: &str, before: &str, after: &[char]) -> String {
    let start = text.find(before).unwrap_or_else(|| panic!("{before} in {text}")) + before.len();
    let rest = &text[start..];
    rest[..rest.find(after).unwrap()].to_owned()
}

/// The manifest for this cluster: in a namespace, and on its nodes.
fn adjusted(text: &str, kind: &str, certificate: &str) -> String {
    // A bare `y` is true to every reader that Kubernetes has.
    let mut text = on_our_nodes(text).replace("{x: y}", "{x: \"y\"}");
    let metadata = between(&text, "metadata: {", &['}']);
    if !CLUSTER_SCOPED.contains(&kind) && !metadata.contains("namespace: ") {
        text = text.replacen("metadata: {", &format!("metadata: {{namespace: {NAMESPACE}, "), 1);
    }
    match kind {
        // A strict API server refuses what the definition does not know, others drop it.
        "Widget" => text.replace(", unknown: zz", ""),
        "ClusterTrustBundle" => text.replace("\"PLACEHOLDER\"", &serde_json::to_string(certificate).unwrap()),
        _ => text,
    }
}

fn on_our_nodes(text: &str) -> String {
    let mut out = text.to_owned();
    for (theirs, ours) in [("n0", "node-0"), ("n1", "node-1")] {
        for end in ["}", "]", ",", "-drv", ": ", "\n"] {
            for start in [" ", "["] {
                out = out.replace(&format!("{start}{theirs}{end}"), &format!("{start}{ours}{end}"));
            }
        }
        if out == theirs || out == format!("{theirs}-drv") {
            out = out.replace(theirs, ours);
        }
    }
    out
}

/// `gitward.yaml` of the repository.
pub(crate) fn configuration(documents: &[Document]) -> String {
    let mut kinds: Vec<&str> = documents.iter().map(|d| d.kind.as_str()).collect();
    kinds.retain(|k| CLUSTER_SCOPED.contains(k));
    kinds.sort_unstable();
    kinds.dedup();
    let list = |shared: bool| {
        let kinds: Vec<&str> = kinds.iter().copied().filter(|k| SHARED.contains(k) == shared).collect();
        kinds.join(", ")
    };
    let namespaces: Vec<&str> = documents.iter().filter(|d| d.kind == "Namespace").map(|d| d.name.as_str()).collect();
    format!(
        "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nkubernetes: [\"1.36\"]\nstarterPolicies: false\n\
         environments:\n- name: {ENVIRONMENT}\n  ref: refs/heads/main\n  path: prod\n  namespaces: [{}]\n  \
         clusterKinds: [{}]\n  sharedClusterKinds: [{}]\n",
        namespaces.join(", "),
        list(false),
        list(true)
    )
}
