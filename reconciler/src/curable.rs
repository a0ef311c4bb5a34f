//! Dry runs that fail for want of something in the same commit, judged against the commit's own
//! objects (the table of same-commit errors in the guide to expected objects).

use std::collections::HashSet;

use gitward_core::object::{Gvk, ObjectKey};
use gitward_core::snapshot::Declared;

use crate::api::ApiError;
use crate::surroundings::kind_defined_by;

/// What a commit brings, as far as other objects of it may wait for it.
pub struct Brings<'a> {
    keys: HashSet<&'a ObjectKey>,
    kinds: HashSet<(String, String)>,
    has_rbac: bool,
}

impl<'a> Brings<'a> {
    /// What these objects bring.
    pub fn of(declared: impl Iterator<Item = &'a Declared>) -> Self {
        let mut brings = Self { keys: HashSet::new(), kinds: HashSet::new(), has_rbac: false };
        for object in declared {
            let key = &object.manifest.key;
            if key.kind == "CustomResourceDefinition" {
                brings.kinds.insert(kind_defined_by(&object.canonical));
            }
            brings.has_rbac |= key.group == "rbac.authorization.k8s.io";
            brings.keys.insert(key);
        }
        brings
    }

    fn has(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        self.keys.contains(&ObjectKey::new(group, kind, namespace, name))
    }

    fn has_kind(&self, gvk: &Gvk) -> bool {
        self.kinds.contains(&(gvk.group.clone(), gvk.kind.clone()))
    }

    /// What in this commit the object waits for, if its dry run failed for want of just that.
    pub fn cure(&self, object: &Declared, error: &ApiError) -> Option<String> {
        let key = &object.manifest.key;
        let namespace = || self.has("", "Namespace", "", &key.namespace);
        match error {
            // The definition that is there fills in other defaults than the one that comes.
            ApiError::NotServed(_) | ApiError::Altered { .. } => {
                self.has_kind(object.gvk()).then(|| format!("the definition of {}", object.gvk()))
            }
            ApiError::Refused { status: 404, kind, name, message, .. } => {
                if kind == "namespaces" && namespace() {
                    return Some(format!("namespace {name}"));
                }
                if self.has_kind(object.gvk()) {
                    return Some(format!("the definition of {}", object.gvk()));
                }
                // A binding to a role that is not there yet names the binding's kind and the role.
                let role = self.has("rbac.authorization.k8s.io", "Role", &key.namespace, name)
                    || self.has("rbac.authorization.k8s.io", "ClusterRole", "", name);
                (key.group == "rbac.authorization.k8s.io" && role).then(|| message.clone())
            }
            ApiError::Refused { status: 400, message, .. } if message.contains("unknown field") => {
                self.has_kind(object.gvk()).then(|| format!("a newer definition of {}", object.gvk()))
            }
            error if error.is_out_of_range() => {
                let brought = self.keys.iter().any(|k| k.kind == "ServiceCIDR");
                brought.then(|| "the range of the Services' addresses".to_owned())
            }
            ApiError::Refused { status: 403, message, .. } => self.cures_forbidden(key, message),
            _ => None,
        }
    }

    fn cures_forbidden(&self, key: &ObjectKey, message: &str) -> Option<String> {
        let cured = if message.contains("error looking up service account") {
            let account = message.split('"').nth(1).map(|s| s.rsplit('/').next().unwrap_or(s)).unwrap_or_default();
            let named = self.has("", "ServiceAccount", &key.namespace, account);
            named || self.has("", "Namespace", "", &key.namespace)
        } else if message.contains("no PriorityClass with name") {
            self.keys.iter().any(|k| k.kind == "PriorityClass")
        } else if message.contains("RuntimeClass") {
            self.keys.iter().any(|k| k.kind == "RuntimeClass")
        } else if message.contains("attempting to grant") {
            self.has_rbac
        } else if message.contains("exceeded quota") || message.contains("must specify") {
            self.keys.iter().any(|k| k.kind == "ResourceQuota" && k.namespace == key.namespace)
        } else if message.contains("LimitRange") || message.contains("maximum ") || message.contains("minimum ") {
            self.keys.iter().any(|k| k.kind == "LimitRange" && k.namespace == key.namespace)
        } else if message.contains("violates PodSecurity") {
            self.has("", "Namespace", "", &key.namespace)
        } else {
            false
        };
        cured.then(|| message.to_owned())
    }
}
