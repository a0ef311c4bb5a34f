//! What operators may do: declared in `gitward.yaml`, within ceilings.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delegation::PodSecurity;

/// What an operator may make and set without Git saying it word for word; see [`crate::delegation`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delegation {
    /// Name, for messages.
    pub name: String,
    /// The operator's accounts, in full (`system:serviceaccount:ns:name` or a user name). A mutator
    /// needs none: it works on other accounts' requests.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Objects that it may make, change and delete.
    #[serde(default)]
    pub makes: Vec<Makes>,
    /// Fields of declared objects, and of those it makes, that it may set.
    #[serde(default)]
    pub sets: Vec<Sets>,
    /// What a mutator may add to Pods that controllers make.
    #[serde(default)]
    pub injects: Vec<Injects>,
    /// Last moment at which it holds.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// Objects that an operator may make.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Makes {
    /// Kinds, as `Kind` or `Kind.group`.
    pub kinds: Vec<String>,
    /// Namespaces; empty for all governed ones.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Names; a `*` at the end stands for any rest. Empty for all.
    #[serde(default)]
    pub names: Vec<String>,
    /// What such an object has to belong to: one of these. Empty for nothing.
    #[serde(default)]
    pub owners: Vec<OwnerRule>,
    /// Images that its Pods may run; a `*` at the end stands for any rest.
    #[serde(default)]
    pub images: Vec<String>,
    /// The Pod Security Standard that its Pods have to keep.
    #[serde(default)]
    pub pod_security: PodSecurity,
    /// Service accounts that its Pods may run as; empty for any that Git declares.
    #[serde(default)]
    pub service_accounts: Vec<String>,
    /// Policies that judge each such object, by package or rule id; see [`crate::delegation::Ceilings`].
    #[serde(default)]
    pub policies: Vec<String>,
}

/// An owner: an object of the same namespace, or a cluster-scoped one, that has an origin itself.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnerRule {
    /// Its kind, as `Kind` or `Kind.group`.
    pub kind: String,
    /// The annotation of the made object that names the owner; without it an owner reference has to.
    #[serde(default)]
    pub annotation: Option<String>,
    /// The field of the owner that has to hold the made object's name, such as `spec.secretName`.
    #[serde(default)]
    pub name_field: Option<String>,
}

/// Fields that an operator may set.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sets {
    /// Kinds, as `Kind` or `Kind.group`.
    pub kinds: Vec<String>,
    /// Namespaces; empty for all governed ones.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Names; a `*` at the end stands for any rest. Empty for all.
    #[serde(default)]
    pub names: Vec<String>,
    /// Field paths, as prefixes, as exemptions write them; `status` for the status.
    pub fields: Vec<String>,
    /// Policies that judge the object as such a change leaves it, by package or rule id; see [`crate::delegation::Ceilings`].
    #[serde(default)]
    pub policies: Vec<String>,
}

/// What a mutator may add to Pods that controllers make. Names are whole, or end with a `*` that
/// stands for any rest; what the template has itself is never taken for an addition.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Injects {
    /// The mutator, which Git has to declare: `MutatingWebhookConfiguration/name` or
    /// `MutatingAdmissionPolicy/name`.
    pub mutator: String,
    /// Namespaces; empty for all governed ones.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Containers and init containers.
    #[serde(default)]
    pub containers: Vec<String>,
    /// Volumes, with their mounts in any container.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// Environment variables of the template's own containers.
    #[serde(default)]
    pub env: Vec<String>,
    /// Keys of labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Keys of annotations.
    #[serde(default)]
    pub annotations: Vec<String>,
    /// Images that the containers may run.
    #[serde(default)]
    pub images: Vec<String>,
    /// The Pod Security Standard that containers and volumes have to keep.
    #[serde(default)]
    pub pod_security: PodSecurity,
    /// Policies that judge each Pod to which it added something, by package or rule id; see [`crate::delegation::Ceilings`].
    #[serde(default)]
    pub policies: Vec<String>,
}
