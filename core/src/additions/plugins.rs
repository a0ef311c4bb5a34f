//! What built-in admission plugins and the creation of an object add, beyond the defaults of its
//! type: every `Admit` under `plugin/pkg/admission` of Kubernetes, and `PrepareForCreate` of its
//! kinds. Plugins that are off by default are not here: a cluster that runs one says so in Git.

use serde_json::Value;

use super::filled::{Filled, name};
use crate::change::{is_built_in, is_empty};
use crate::object::Gvk;

/// What a field is filled in with.
enum With {
    /// What cannot be foretold from the object: an allocation, a default class, the quantities of a
    /// LimitRange. What decides it is declared in Git or known there.
    Anything,
    /// One of these texts.
    One(&'static [&'static str]),
    /// A text that begins so.
    Begins(&'static str),
    /// The object's name, or one generated from it.
    Name,
    /// What this makes of it.
    Where(fn(&Filled<'_>) -> bool),
}

use With::{Anything, Begins, Name, One, Where};

/// Group, kind, field, value. A field that ends in `*` stands for all that begin so.
type Row = (&'static str, &'static str, &'static str, With);

const CONTAINERS: [&str; 3] = ["spec.containers[]", "spec.initContainers[]", "spec.ephemeralContainers[]"];

/// Where a Pod's specification is, in the kinds that have one.
const PODS: [&str; 4] = ["spec", "spec.template.spec", "spec.jobTemplate.spec.template.spec", "template.spec"];

const ROWS: &[Row] = &[
    // Allocations, and what follows from them.
    ("", "Service", "spec.clusterIP", Where(is_address)),
    ("", "Service", "spec.clusterIPs[]", Where(is_address)),
    ("", "Service", "spec.ipFamilies[]", One(&["IPv4", "IPv6"])),
    ("", "Service", "spec.ipFamilyPolicy", One(&["SingleStack", "PreferDualStack", "RequireDualStack"])),
    ("", "Service", "spec.ports[].nodePort", Anything),
    ("", "Service", "spec.healthCheckNodePort", Anything),
    ("", "Namespace", "metadata.labels.kubernetes.io/metadata.name", Name),
    // An update keeps those that are there, whoever set them: they are compared with the record.
    ("", "Namespace", "spec.finalizers[]", Anything),
    ("batch", "Job", "spec.selector.matchLabels.controller-uid", Anything),
    ("batch", "Job", "spec.selector.matchLabels.batch.kubernetes.io/controller-uid", Anything),
    ("batch", "Job", "spec.template.metadata.labels.controller-uid", Anything),
    ("batch", "Job", "spec.template.metadata.labels.batch.kubernetes.io/controller-uid", Anything),
    ("batch", "Job", "spec.template.metadata.labels.job-name", Name),
    ("batch", "Job", "spec.template.metadata.labels.batch.kubernetes.io/job-name", Name),
    ("apps", "DaemonSet", "metadata.annotations.deprecated.daemonset.template.generation", Anything),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "spec.names.singular", Where(is_lower_kind)),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "spec.names.listKind", Where(is_list_kind)),
    // Labels of a template that an object without any takes for its own.
    ("batch", "Job", "metadata.labels.*", Where(is_label_of_template)),
    ("", "ReplicationController", "metadata.labels.*", Where(is_label_of_template)),
    ("", "ReplicationController", "spec.selector.*", Where(is_label_of_template)),
    ("batch", "Job", "spec.backoffLimit", Where(is_boundless)),
    // There, with nothing in it.
    ("discovery.k8s.io", "EndpointSlice", "endpoints[].conditions", Anything),
    // What the old version has no fields for.
    (
        "autoscaling",
        "HorizontalPodAutoscaler",
        "metadata.annotations.autoscaling.alpha.kubernetes.io/conditions",
        Where(is_first_version),
    ),
    (
        "autoscaling",
        "HorizontalPodAutoscaler",
        "metadata.annotations.autoscaling.alpha.kubernetes.io/current-metrics",
        Where(is_first_version),
    ),
    // Who asks is told by the API server.
    ("certificates.k8s.io", "CertificateSigningRequest", "spec.username", Anything),
    ("certificates.k8s.io", "CertificateSigningRequest", "spec.uid", Anything),
    ("certificates.k8s.io", "CertificateSigningRequest", "spec.groups[]", Anything),
    ("certificates.k8s.io", "CertificateSigningRequest", "spec.extra.*", Anything),
    // One is written into the other.
    ("", "PersistentVolumeClaim", "spec.dataSource.*", Where(has_data_source)),
    ("", "PersistentVolumeClaim", "spec.dataSourceRef.*", Where(has_data_source)),
    // Default classes: see `classes`.
    ("", "PersistentVolumeClaim", "spec.storageClassName", Anything),
    ("networking.k8s.io", "Ingress", "spec.ingressClassName", Anything),
    // StorageObjectInUseProtection, PodGroupProtection.
    ("", "PersistentVolumeClaim", "metadata.finalizers[]", One(&["kubernetes.io/pvc-protection"])),
    ("", "PersistentVolume", "metadata.finalizers[]", One(&["kubernetes.io/pv-protection"])),
    ("storage.k8s.io", "VolumeAttributesClass", "metadata.finalizers[]", One(&["kubernetes.io/vac-protection"])),
    ("scheduling.k8s.io", "PodGroup", "metadata.finalizers[]", Begins("scheduling.k8s.io/")),
    // TaintNodesByCondition.
    ("", "Node", "spec.taints[].key", One(&["node.kubernetes.io/not-ready"])),
    ("", "Node", "spec.taints[].effect", One(&["NoSchedule"])),
    // Defaults of maps, which the types' own list does not show.
    ("", "LimitRange", "spec.limits[].default.*", Anything),
    ("", "LimitRange", "spec.limits[].defaultRequest.*", Anything),
    // ServiceAccount.
    ("", "Pod", "spec.serviceAccountName", One(&["default"])),
    ("", "Pod", "spec.imagePullSecrets[].name", Anything),
    ("", "Pod", "spec.volumes[].name", Begins("kube-api-access-")),
    ("", "Pod", "spec.volumes[].projected.sources[].serviceAccountToken.path", One(&["token"])),
    ("", "Pod", "spec.volumes[].projected.sources[].serviceAccountToken.expirationSeconds", Anything),
    ("", "Pod", "spec.volumes[].projected.sources[].configMap.name", One(&["kube-root-ca.crt"])),
    ("", "Pod", "spec.volumes[].projected.sources[].configMap.items[].key", One(&["ca.crt"])),
    ("", "Pod", "spec.volumes[].projected.sources[].configMap.items[].path", One(&["ca.crt"])),
    ("", "Pod", "spec.volumes[].projected.sources[].downwardAPI.items[].path", One(&["namespace"])),
    (
        "",
        "Pod",
        "spec.volumes[].projected.sources[].downwardAPI.items[].fieldRef.fieldPath",
        One(&["metadata.namespace"]),
    ),
    // LimitRanger.
    ("", "Pod", "metadata.annotations.kubernetes.io/limit-ranger", Anything),
    ("", "Pod", "spec.resources.*", Anything),
    // Priority.
    ("", "Pod", "spec.priorityClassName", Anything),
    ("", "Pod", "spec.priority", Anything),
    ("", "Pod", "spec.preemptionPolicy", One(&["PreemptLowerPriority", "Never"])),
    // DefaultTolerationSeconds, RuntimeClass.
    ("", "Pod", "spec.tolerations[].*", Where(tolerates_a_moment)),
    ("", "Pod", "spec.tolerations[].*", Where(has_runtime_class)),
    ("", "Pod", "spec.nodeSelector.*", Where(has_runtime_class)),
    ("", "Pod", "spec.overhead.*", Where(has_runtime_class)),
    // PodTopologyLabels, for a Pod that names its node.
    ("", "Pod", "metadata.labels.topology.kubernetes.io/zone", Where(names_its_node)),
    ("", "Pod", "metadata.labels.topology.kubernetes.io/region", Where(names_its_node)),
    // The creation of a Pod: labels that are told apart by, and the profile's old annotation.
    ("", "Pod", "spec.topologySpreadConstraints[].labelSelector.*", Anything),
    ("", "Pod", "spec.affinity.*", Where(is_in_a_label_selector)),
    ("", "Pod", "metadata.annotations.container.apparmor.security.beta.kubernetes.io/*", Anything),
    ("", "Pod", "spec.securityContext.appArmorProfile.*", Where(has_apparmor_annotation)),
];

/// Whether a plugin, or the creation of the object, adds this.
pub(super) fn add(gvk: &Gvk, filled: &Filled<'_>) -> bool {
    let of_kind = ROWS.iter().filter(|(group, kind, ..)| gvk.group == *group && gvk.kind == *kind);
    of_kind.filter(|(_, _, path, _)| is_at(path, filled.path)).any(|(.., with)| is(with, filled))
        || (gvk.group.is_empty() && gvk.kind == "Pod" && adds_to_container(filled))
        || adds_to_template(gvk, filled)
}

fn is_at(row: &str, path: &str) -> bool {
    match row.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => row == path,
    }
}

fn is(with: &With, filled: &Filled<'_>) -> bool {
    let text = filled.value.as_str();
    match with {
        Anything => true,
        One(texts) => text.is_some_and(|text| texts.contains(&text)),
        Begins(start) => text.is_some_and(|text| text.starts_with(start)),
        Name => text.is_some_and(|text| text.starts_with(stem(name(filled)))),
        Where(holds) => holds(filled),
    }
}

/// As much of a name as is kept where an object is tried under a generated one.
fn stem(name: &str) -> &str {
    name.get(..57).unwrap_or(name)
}

/// In a container of a Pod: the mount of the account's token, amounts of a LimitRange or of the
/// limits, and a profile from the old annotation.
fn adds_to_container(filled: &Filled<'_>) -> bool {
    const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let Some(field) = CONTAINERS.iter().find_map(|at| filled.path.strip_prefix(at)?.strip_prefix('.')) else {
        return false;
    };
    match field {
        "volumeMounts[].name" => is(&Begins("kube-api-access-"), filled),
        "volumeMounts[].mountPath" => filled.value == MOUNT && mounts_token(filled),
        "volumeMounts[].readOnly" => filled.value == true && filled.beside["mountPath"] == MOUNT,
        "securityContext.appArmorProfile.type" | "securityContext.appArmorProfile.localhostProfile" => {
            has_apparmor_annotation(filled)
        }
        _ => field.starts_with("resources.requests.") || field.starts_with("resources.limits."),
    }
}

/// In every specification of a Pod: an image without a fixed tag is pulled always, and the account
/// has two names.
fn adds_to_template(gvk: &Gvk, filled: &Filled<'_>) -> bool {
    is_built_in(&gvk.group)
        && PODS.iter().filter_map(|at| filled.path.strip_prefix(at)?.strip_prefix('.')).any(|field| match field {
            "serviceAccount" => is_named_so(filled, "serviceAccountName"),
            "serviceAccountName" => is_named_so(filled, "serviceAccount"),
            "containers[].imagePullPolicy"
            | "initContainers[].imagePullPolicy"
            | "ephemeralContainers[].imagePullPolicy"
            | "volumes[].image.pullPolicy" => is(&One(&["Always", "IfNotPresent"]), filled),
            _ => false,
        })
}

/// Whether the account was sent under its other name; the plugin gives a Pod without any `default`.
fn is_named_so(filled: &Filled<'_>, other: &str) -> bool {
    let at = filled.path.rsplit_once('.').map_or("", |(at, _)| at);
    let named = sent(filled, &format!("/{}/{other}", at.replace('.', "/"))).filter(|name| **name != "");
    match named {
        Some(name) => name == filled.value,
        None => filled.sent["kind"] == "Pod" && filled.value == "default",
    }
}

/// Fields that are filled in only in certain ways, whatever the types' defaults say: whether this is
/// one of them.
pub(super) fn bounds(gvk: &Gvk, filled: &Filled<'_>) -> Option<bool> {
    if gvk.kind == "NetworkPolicy" && filled.path == "spec.policyTypes[]" {
        let first_is_ingress = filled.beside["policyTypes"].get(0).is_some_and(|first| first == "Ingress");
        let has_egress = sent(filled, "/spec/egress").is_some_and(|egress| !is_empty(egress));
        return Some(first_is_ingress && (filled.value == "Ingress" || (filled.value == "Egress" && has_egress)));
    }
    if let Some((pod, _)) = filled.path.rsplit_once('.').filter(|(_, name)| *name == "hostPort") {
        let pod = PODS.iter().filter(|at| pod.starts_with(&format!("{at}."))).max_by_key(|at| at.len())?;
        let on_host = sent(filled, &format!("/{}/hostNetwork", pod.replace('.', "/")));
        let as_inside = filled.beside.get("containerPort") == Some(filled.value);
        return Some(filled.value == 0 || (on_host.is_some_and(|v| *v == true) && as_inside));
    }
    None
}

/// Lists that plugins and defaults put whole elements into. Elsewhere an element that was not sent is
/// nobody's, whatever it is made of.
pub(super) fn may_grow(gvk: &Gvk, list: &str, was_sent: bool) -> bool {
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Pod") => {
            ["spec.volumes[]", "spec.tolerations[]", "spec.imagePullSecrets[]"].iter().any(|at| list.starts_with(at))
                || list.ends_with(".volumeMounts[]")
                || list.ends_with(".labelSelector.matchExpressions[]")
        }
        ("", "Node") => list == "spec.taints[]",
        ("autoscaling", "HorizontalPodAutoscaler") => {
            !was_sent
                && (list == "spec.metrics[]" || (list.starts_with("spec.behavior.") && list.ends_with(".policies[]")))
        }
        _ => false,
    }
}

/// An address that was allocated, or none where none was asked for.
fn is_address(filled: &Filled<'_>) -> bool {
    filled.value != "None" || sent(filled, "/spec/clusterIP").is_some_and(|ip| ip == "None")
}

/// Whether the token of its account is meant to be in a Pod.
fn mounts_token(filled: &Filled<'_>) -> bool {
    sent(filled, "/spec/automountServiceAccountToken").is_none_or(|v| *v != false)
}

fn sent<'a>(filled: &Filled<'a>, pointer: &str) -> Option<&'a Value> {
    filled.sent.pointer(pointer).filter(|v| !v.is_null())
}

/// A label, or an entry of a selector, that stands in the template; a Job's four own labels come there
/// as it is made.
fn is_label_of_template(filled: &Filled<'_>) -> bool {
    const OF_JOB: [&str; 4] =
        ["controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"];
    let key = filled.path.strip_prefix("metadata.labels.").or_else(|| filled.path.strip_prefix("spec.selector."));
    let Some(key) = key else { return false };
    let template = sent(filled, "/spec/template/metadata/labels").and_then(|labels| labels.get(key));
    template == Some(filled.value) || (filled.sent["kind"] == "Job" && OF_JOB.contains(&key))
}

/// A Job that bounds the failures of each index does not bound their sum.
fn is_boundless(filled: &Filled<'_>) -> bool {
    sent(filled, "/spec/backoffLimitPerIndex").is_some() && filled.value.as_i64() == Some(i32::MAX.into())
}

fn is_first_version(filled: &Filled<'_>) -> bool {
    filled.sent["apiVersion"] == "autoscaling/v1"
}

fn is_lower_kind(filled: &Filled<'_>) -> bool {
    let kind = filled.beside["kind"].as_str().map(str::to_lowercase);
    kind.is_some() && kind.as_deref() == filled.value.as_str()
}

fn is_list_kind(filled: &Filled<'_>) -> bool {
    let kind = filled.beside["kind"].as_str().map(|kind| format!("{kind}List"));
    kind.is_some() && kind.as_deref() == filled.value.as_str()
}

fn has_data_source(filled: &Filled<'_>) -> bool {
    sent(filled, "/spec/dataSource").or_else(|| sent(filled, "/spec/dataSourceRef")).is_some()
}

fn has_runtime_class(filled: &Filled<'_>) -> bool {
    sent(filled, "/spec/runtimeClassName").is_some()
}

fn names_its_node(filled: &Filled<'_>) -> bool {
    sent(filled, "/spec/nodeName").is_some()
}

fn has_apparmor_annotation(filled: &Filled<'_>) -> bool {
    let annotations = sent(filled, "/metadata/annotations").and_then(Value::as_object);
    annotations.is_some_and(|all| all.keys().any(|key| key.starts_with("container.apparmor.security.beta")))
}

fn is_in_a_label_selector(filled: &Filled<'_>) -> bool {
    filled.path.contains(".labelSelector.matchExpressions[]")
}

/// The two tolerations that every Pod gets for five minutes.
fn tolerates_a_moment(filled: &Filled<'_>) -> bool {
    let toleration = filled.beside;
    let key = toleration["key"].as_str().unwrap_or_default();
    ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].contains(&key)
        && toleration["operator"] == "Exists"
        && toleration["effect"] == "NoExecute"
}
