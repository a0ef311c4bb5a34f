//! In which order a commit's objects are written: what others need comes first.

use gitward_core::object::ObjectKey;

/// A wave of objects that need nothing of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wave {
    /// New kinds.
    Definitions,
    /// Namespaces.
    Namespaces,
    /// Classes, quotas and limits, which shape what comes after.
    Classes,
    /// Accounts, roles and bindings.
    Rights,
    /// Configuration, storage and services that workloads refer to.
    Configuration,
    /// Workloads and custom resources.
    Workloads,
    /// What refers to workloads, or takes part in every later request.
    Edges,
    /// Admission configuration: it comes last, since it judges everything after it.
    Admission,
}

impl Wave {
    /// All waves in order.
    pub const ALL: [Self; 8] = [
        Self::Definitions,
        Self::Namespaces,
        Self::Classes,
        Self::Rights,
        Self::Configuration,
        Self::Workloads,
        Self::Edges,
        Self::Admission,
    ];

    /// The wave of an object.
    pub fn of(key: &ObjectKey) -> Self {
        match (key.group.as_str(), key.kind.as_str()) {
            ("apiextensions.k8s.io", _) => Self::Definitions,
            ("", "Namespace") => Self::Namespaces,
            ("scheduling.k8s.io" | "node.k8s.io" | "storage.k8s.io", _)
            | ("networking.k8s.io", "IngressClass" | "ServiceCIDR")
            | ("resource.k8s.io", "DeviceClass")
            | ("", "LimitRange" | "ResourceQuota")
            | ("flowcontrol.apiserver.k8s.io", _) => Self::Classes,
            ("rbac.authorization.k8s.io", _) | ("", "ServiceAccount") => Self::Rights,
            ("", "Pod" | "ReplicationController") => Self::Workloads,
            ("", _) | ("networking.k8s.io", "NetworkPolicy") | ("resource.k8s.io", _) => Self::Configuration,
            ("networking.k8s.io" | "autoscaling" | "policy" | "apiregistration.k8s.io", _) => Self::Edges,
            ("admissionregistration.k8s.io", _) => Self::Admission,
            _ => Self::Workloads,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_need_comes_first() {
        let wave = |group: &str, kind: &str| Wave::of(&ObjectKey::new(group, kind, "", "x"));
        assert!(wave("apiextensions.k8s.io", "CustomResourceDefinition") < wave("", "Namespace"));
        assert!(wave("", "Namespace") < wave("", "ServiceAccount"));
        assert!(wave("rbac.authorization.k8s.io", "Role") < wave("", "ConfigMap"));
        assert!(wave("", "Secret") < wave("apps", "Deployment"));
        assert!(wave("example.org", "Widget") < wave("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"));
    }
}
