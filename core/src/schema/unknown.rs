//! Kinds that are not served: slips, removed APIs, custom resources without their CRD.

use super::{Schemas, lifecycle, suggest};
use crate::finding::Finding;
use crate::manifest::Manifest;
use crate::object::Gvk;
use crate::path::FieldPath;

/// An API that Kubernetes used to serve. Source: the deprecated API migration guide.
struct Removed {
    api_version: &'static str,
    kinds: &'static [&'static str],
    /// The first version without it.
    since: &'static str,
    instead: Instead,
}

enum Instead {
    /// Another version of the same kind.
    ApiVersion(&'static str),
    /// Something else.
    Advice(&'static str),
}

const POD_SECURITY: Instead = Instead::Advice(
    "It has no successor of its kind: label the namespace for Pod Security Admission, or write a policy.",
);

use Instead::ApiVersion;

const fn removed(
    api_version: &'static str,
    kinds: &'static [&'static str],
    since: &'static str,
    instead: Instead,
) -> Removed {
    Removed { api_version, kinds, since, instead }
}

static REMOVED: &[Removed] = &[
    removed("extensions/v1beta1", &["Deployment", "DaemonSet", "ReplicaSet"], "1.16", ApiVersion("apps/v1")),
    removed("extensions/v1beta1", &["NetworkPolicy"], "1.16", ApiVersion("networking.k8s.io/v1")),
    removed("extensions/v1beta1", &["PodSecurityPolicy"], "1.16", POD_SECURITY),
    removed("extensions/v1beta1", &["Ingress"], "1.22", ApiVersion("networking.k8s.io/v1")),
    removed("apps/v1beta1", &["Deployment", "StatefulSet", "ControllerRevision"], "1.16", ApiVersion("apps/v1")),
    removed(
        "apps/v1beta2",
        &["Deployment", "DaemonSet", "ReplicaSet", "StatefulSet", "ControllerRevision"],
        "1.16",
        ApiVersion("apps/v1"),
    ),
    removed("networking.k8s.io/v1beta1", &["Ingress", "IngressClass"], "1.22", ApiVersion("networking.k8s.io/v1")),
    removed(
        "rbac.authorization.k8s.io/v1beta1",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
        "1.22",
        ApiVersion("rbac.authorization.k8s.io/v1"),
    ),
    removed(
        "rbac.authorization.k8s.io/v1alpha1",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
        "1.22",
        ApiVersion("rbac.authorization.k8s.io/v1"),
    ),
    removed(
        "apiextensions.k8s.io/v1beta1",
        &["CustomResourceDefinition"],
        "1.22",
        ApiVersion("apiextensions.k8s.io/v1"),
    ),
    removed("apiregistration.k8s.io/v1beta1", &["APIService"], "1.22", ApiVersion("apiregistration.k8s.io/v1")),
    removed(
        "admissionregistration.k8s.io/v1beta1",
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
        "1.22",
        ApiVersion("admissionregistration.k8s.io/v1"),
    ),
    removed("scheduling.k8s.io/v1beta1", &["PriorityClass"], "1.22", ApiVersion("scheduling.k8s.io/v1")),
    removed("coordination.k8s.io/v1beta1", &["Lease"], "1.22", ApiVersion("coordination.k8s.io/v1")),
    removed(
        "certificates.k8s.io/v1beta1",
        &["CertificateSigningRequest"],
        "1.22",
        ApiVersion("certificates.k8s.io/v1"),
    ),
    removed(
        "storage.k8s.io/v1beta1",
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
        "1.22",
        ApiVersion("storage.k8s.io/v1"),
    ),
    removed("storage.k8s.io/v1beta1", &["CSIStorageCapacity"], "1.27", ApiVersion("storage.k8s.io/v1")),
    removed("batch/v1beta1", &["CronJob"], "1.25", ApiVersion("batch/v1")),
    removed("batch/v2alpha1", &["CronJob"], "1.21", ApiVersion("batch/v1")),
    removed("discovery.k8s.io/v1beta1", &["EndpointSlice"], "1.25", ApiVersion("discovery.k8s.io/v1")),
    removed("events.k8s.io/v1beta1", &["Event"], "1.25", ApiVersion("events.k8s.io/v1")),
    removed("autoscaling/v2beta1", &["HorizontalPodAutoscaler"], "1.25", ApiVersion("autoscaling/v2")),
    removed("autoscaling/v2beta2", &["HorizontalPodAutoscaler"], "1.26", ApiVersion("autoscaling/v2")),
    removed("policy/v1beta1", &["PodDisruptionBudget"], "1.25", ApiVersion("policy/v1")),
    removed("policy/v1beta1", &["PodSecurityPolicy"], "1.25", POD_SECURITY),
    removed("node.k8s.io/v1beta1", &["RuntimeClass"], "1.25", ApiVersion("node.k8s.io/v1")),
    removed(
        "flowcontrol.apiserver.k8s.io/v1beta1",
        &["FlowSchema", "PriorityLevelConfiguration"],
        "1.26",
        ApiVersion("flowcontrol.apiserver.k8s.io/v1"),
    ),
    removed(
        "flowcontrol.apiserver.k8s.io/v1beta2",
        &["FlowSchema", "PriorityLevelConfiguration"],
        "1.29",
        ApiVersion("flowcontrol.apiserver.k8s.io/v1"),
    ),
    removed(
        "flowcontrol.apiserver.k8s.io/v1beta3",
        &["FlowSchema", "PriorityLevelConfiguration"],
        "1.32",
        ApiVersion("flowcontrol.apiserver.k8s.io/v1"),
    ),
];

/// The one finding of a manifest whose kind is not known.
pub(super) fn finding(schemas: &Schemas, manifest: &Manifest) -> Finding {
    let gvk = &manifest.gvk;
    let api_version = gvk.api_version();
    let removed = REMOVED.iter().find(|r| r.api_version == api_version && r.kinds.contains(&gvk.kind.as_str()));
    let (finding, field) = match removed {
        Some(removed) => (removed.finding(gvk), "apiVersion"),
        None => match lifecycle::removal(schemas, gvk) {
            Some(finding) => (finding, "apiVersion"),
            None => not_known(schemas, gvk),
        },
    };
    let field = FieldPath::of([field]);
    let place = manifest.place(&field);
    finding.with_object(manifest.key.clone()).with_field(field).with_place(Some(place))
}

impl Removed {
    fn finding(&self, gvk: &Gvk) -> Finding {
        let finding =
            Finding::error("schema/removed-api", format!("{gvk} is not served since Kubernetes {}", self.since));
        match self.instead {
            Instead::ApiVersion(instead) => {
                finding.with_hint(format!("Write `apiVersion: {instead}` and compare the fields: some have changed."))
            }
            Instead::Advice(advice) => finding.with_hint(advice),
        }
    }
}

/// A finding, and the field to point to.
fn not_known(schemas: &Schemas, gvk: &Gvk) -> (Finding, &'static str) {
    let finding = Finding::error(
        "schema/unknown-kind",
        format!("{gvk} is neither a kind of Kubernetes {} nor defined by a CRD in the tree", schemas.version()),
    );
    let mut same_kind: Vec<&Gvk> = schemas.kinds().filter(|known| known.kind == gvk.kind).collect();
    same_kind.sort();
    let same_group: Vec<&Gvk> = same_kind.iter().copied().filter(|known| known.group == gvk.group).collect();
    if !same_group.is_empty() {
        let hint = format!("Versions served: {}.", api_versions(&same_group));
        return (finding.with_hint(hint), "apiVersion");
    }
    if !same_kind.is_empty() {
        let hint = format!("{} is in {}.", gvk.kind, api_versions(&same_kind));
        return (finding.with_hint(hint), "apiVersion");
    }
    let api_version = gvk.api_version();
    let here = schemas.kinds().filter(|known| known.group == gvk.group && known.version == gvk.version);
    if let Some(nearest) = suggest::nearest(&gvk.kind, here.map(|known| known.kind.as_str())) {
        return (finding.with_hint(format!("Did you mean `{nearest}`?")), "kind");
    }
    let groups = || schemas.kinds().map(|known| known.group.as_str());
    if groups().any(|group| group == gvk.group) {
        let mut kinds: Vec<&str> =
            schemas.kinds().filter(|k| k.api_version() == api_version).map(|k| k.kind.as_str()).collect();
        kinds.sort_unstable();
        let hint = if kinds.is_empty() {
            format!("{api_version} is not served.")
        } else {
            format!("Kinds of {api_version}: {}.", suggest::listed(kinds.into_iter()))
        };
        return (finding.with_hint(hint), "kind");
    }
    let hint = "Keep its schema in the repository with `gitward schema add` (or declare its CustomResourceDefinition), or \
                correct `apiVersion` and `kind`.";
    (finding.with_hint(hint), "apiVersion")
}

fn api_versions(kinds: &[&Gvk]) -> String {
    let versions: Vec<String> = kinds.iter().map(|known| known.api_version()).collect();
    versions.join(", ")
}
