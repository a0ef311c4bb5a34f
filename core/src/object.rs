//! Names of things: kinds, objects, and reading the few fields that every object has.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Group, version and kind of an object, as Kubernetes writes them in `apiVersion` and `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gvk {
    /// API group; empty for the core group.
    pub group: String,
    /// Version, for example `v1`.
    pub version: String,
    /// Kind, for example `Deployment`.
    pub kind: String,
}

impl Gvk {
    /// Splits `apiVersion` at its slash; without one the group is the core group.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    /// Reads `apiVersion` and `kind` of an object; `None` if either is missing or no string.
    pub fn of(object: &Value) -> Option<Self> {
        let api_version = object.get("apiVersion")?.as_str()?;
        let kind = object.get("kind")?.as_str()?;
        Some(Self::new(api_version, kind))
    }

    /// `group/version`, or `version` alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version(), self.kind)
    }
}

/// What identifies an object in a cluster, whatever version it is written in.
///
/// `namespace` is empty for cluster-scoped objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectKey {
    /// API group; empty for the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectKey {
    /// A key from its four parts.
    pub fn new(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self { group: group.to_owned(), kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The key of an object as it stands, or `None` if it lacks apiVersion, kind or name.
    pub fn of(object: &Value) -> Option<Self> {
        let gvk = Gvk::of(object)?;
        Some(Self {
            group: gvk.group,
            kind: gvk.kind,
            namespace: namespace(object).to_owned(),
            name: metadata_str(object, "name")?.to_owned(),
        })
    }

    /// `Kind` or `Kind.group`, as `gitward.yaml` names kinds.
    pub fn full_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.kind, self.name)
        } else {
            write!(f, "{}/{} in {}", self.kind, self.name, self.namespace)
        }
    }
}

/// `metadata` of an object, if it is a map.
pub fn metadata(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata")?.as_object()
}

/// A string field of `metadata`.
pub fn metadata_str<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    metadata(object)?.get(field)?.as_str()
}

/// `metadata.name`, empty if absent.
pub fn name(object: &Value) -> &str {
    metadata_str(object, "name").unwrap_or_default()
}

/// `metadata.namespace`, empty if absent.
pub fn namespace(object: &Value) -> &str {
    metadata_str(object, "namespace").unwrap_or_default()
}

/// `metadata.uid`, empty if absent.
pub fn uid(object: &Value) -> &str {
    metadata_str(object, "uid").unwrap_or_default()
}

/// Whether a text is a DNS label (RFC 1123), as names of Namespaces are.
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_label(text)
}

/// Whether a text is a DNS subdomain (RFC 1123) as Kubernetes checks it, without a bound on each label.
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_label(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(plain) && !text.starts_with('-') && !text.ends_with('-')
}

/// When an object was made, which the API server alone says; `None` if it does not.
pub fn made(object: &Value) -> Option<Timestamp> {
    metadata_str(object, "creationTimestamp")?.parse().ok()
}

/// Whether `metadata.deletionTimestamp` is set.
pub fn is_terminating(object: &Value) -> bool {
    metadata_str(object, "deletionTimestamp").is_some()
}

/// `metadata.labels`, if any.
pub fn labels(object: &Value) -> Option<&Map<String, Value>> {
    metadata(object)?.get("labels")?.as_object()
}

/// `metadata.annotations`, if any.
pub fn annotations(object: &Value) -> Option<&Map<String, Value>> {
    metadata(object)?.get("annotations")?.as_object()
}

/// One annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    annotations(object)?.get(key)?.as_str()
}

/// One label.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    labels(object)?.get(key)?.as_str()
}

/// `metadata.ownerReferences`, empty if absent.
pub fn owner_references(object: &Value) -> &[Value] {
    metadata(object).and_then(|m| m.get("ownerReferences")).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `metadata.finalizers`, empty if absent.
pub fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    metadata(object)
        .and_then(|m| m.get("finalizers"))
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .filter_map(Value::as_str)
}

/// The one owner reference with `controller: true`, if there is exactly one.
pub fn controller_reference(object: &Value) -> Option<&Value> {
    let mut controllers = owner_references(object).iter().filter(|r| r["controller"] == Value::Bool(true));
    let first = controllers.next()?;
    controllers.next().is_none().then_some(first)
}

/// The key that an owner reference of an object in `namespace` points to.
///
/// Owners live in the same namespace or are cluster-scoped; the reference does not say which, so
/// the few cluster-scoped owner kinds are named here.
pub fn owner_key(reference: &Value, namespace: &str) -> Option<ObjectKey> {
    let gvk = Gvk::of(reference)?;
    let name = reference.get("name")?.as_str()?;
    let cluster_scoped =
        matches!(gvk.kind.as_str(), "Node" | "Namespace" | "PersistentVolume" | "CustomResourceDefinition");
    Some(ObjectKey::new(&gvk.group, &gvk.kind, if cluster_scoped { "" } else { namespace }, name))
}

/// Whether an object is a Service: the API server draws addresses and ports for it.
pub fn is_service(key: &ObjectKey) -> bool {
    key.group.is_empty() && key.kind == "Service"
}

/// Kinds that hold data: drift never deletes them, and pruning them has to be asked for in Git.
pub fn holds_data(group: &str, kind: &str) -> bool {
    matches!(
        (group, kind),
        ("", "PersistentVolumeClaim" | "PersistentVolume" | "Secret" | "Namespace")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

/// Whether a class of this kind is what objects get that name none.
pub fn is_default_class(kind: &str, class: &Value) -> bool {
    let says_so = |name| annotation(class, name) == Some("true");
    match kind {
        "PriorityClass" => class.get("globalDefault") == Some(&Value::Bool(true)),
        "StorageClass" => says_so("storageclass.kubernetes.io/is-default-class"),
        "IngressClass" => says_so("ingressclass.kubernetes.io/is-default-class"),
        _ => false,
    }
}

/// Whether a stranger's object of this kind, under the name of one that Git declares and that is gone, is
/// deleted where it cannot be changed into Git's: what Git declared there ran under it no more. One that
/// takes volumes with it as it goes stays.
pub fn may_take_the_place(key: &ObjectKey, live: &Value) -> bool {
    let takes_volumes = live.pointer("/spec/persistentVolumeClaimRetentionPolicy/whenDeleted");
    match (key.group.as_str(), key.kind.as_str()) {
        ("apps", "Deployment" | "DaemonSet" | "ReplicaSet") | ("", "Service" | "ReplicationController") => true,
        ("apps", "StatefulSet") => takes_volumes.is_none_or(|policy| policy != "Delete"),
        _ => false,
    }
}

/// Kinds whose fields that cannot be changed are put right by deletion and creation: they hold no
/// data of their own, and nothing is lost but the object itself.
pub fn is_made_anew(group: &str, kind: &str) -> bool {
    matches!(
        (group, kind),
        ("", "Pod" | "ConfigMap" | "Secret")
            | ("batch", "Job")
            | ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding")
            | ("storage.k8s.io", "StorageClass")
            | ("scheduling.k8s.io", "PriorityClass")
            | ("node.k8s.io", "RuntimeClass")
            | ("networking.k8s.io", "IngressClass")
    )
}
