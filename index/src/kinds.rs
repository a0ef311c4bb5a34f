//! Which kinds are watched, where, and how much of them is kept.

use std::collections::BTreeSet;

use gitward_core::break_glass;

/// How much of an object is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// All of it, without `managedFields`.
    Whole,
    /// `metadata` alone, without `managedFields`. Values never leave the API server.
    Metadata,
}

/// Where objects of a kind are watched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Cluster-scoped objects, or those of all namespaces.
    Cluster,
    /// Objects in the governed namespaces.
    Governed,
    /// One object, whatever is governed.
    One {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// A kind to watch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WatchedKind {
    /// API group; empty for the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// How much is kept.
    pub content: Content,
    /// Where.
    pub area: Area,
}

impl WatchedKind {
    /// A kind kept whole in the governed namespaces.
    pub fn governed(group: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), kind: kind.to_owned(), content: Content::Whole, area: Area::Governed }
    }

    /// A cluster-scoped kind kept whole.
    pub fn cluster(group: &str, kind: &str) -> Self {
        Self { area: Area::Cluster, ..Self::governed(group, kind) }
    }

    /// One object, kept whole, whatever namespaces are governed.
    pub fn one(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        let area = Area::One { namespace: namespace.to_owned(), name: name.to_owned() };
        Self { area, ..Self::governed(group, kind) }
    }

    /// The same, keeping metadata alone.
    #[must_use]
    pub fn metadata_only(self) -> Self {
        Self { content: Content::Metadata, ..self }
    }
}

/// What the rules on derived objects ask for (the column "needs" of their table).
pub fn for_derived_rules() -> Vec<WatchedKind> {
    const GOVERNED: [(&str, &str); 16] = [
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("apps", "ControllerRevision"),
        ("batch", "Job"),
        ("batch", "CronJob"),
        ("", "Pod"),
        ("", "Service"),
        ("", "Endpoints"),
        ("", "ReplicationController"),
        ("", "PersistentVolumeClaim"),
        ("", "ServiceAccount"),
        ("", "LimitRange"),
        ("autoscaling", "HorizontalPodAutoscaler"),
        ("resource.k8s.io", "ResourceClaimTemplate"),
    ];
    const CLUSTER: [(&str, &str); 9] = [
        (break_glass::GROUP, break_glass::KIND),
        ("", "Node"),
        ("", "Namespace"),
        ("", "PersistentVolume"),
        ("storage.k8s.io", "StorageClass"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ];
    let mut kinds: Vec<_> = GOVERNED.iter().map(|(g, k)| WatchedKind::governed(g, k)).collect();
    kinds.extend(CLUSTER.iter().map(|(g, k)| WatchedKind::cluster(g, k)));
    kinds.push(WatchedKind::governed("", "Secret").metadata_only());
    kinds.push(WatchedKind::one("", "ConfigMap", "kube-system", "kube-root-ca.crt"));
    kinds
}

/// With more governed namespaces than this, a kind is watched in the whole cluster by one watch
/// and what is not governed is dropped on arrival, instead of one watch a namespace.
const SEPARATE_WATCHES: usize = 8;

/// Which objects of a kind one watch covers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Span {
    /// All.
    All,
    /// Those of one namespace.
    Namespace(String),
    /// Those of several namespaces, by one watch of the whole cluster.
    Namespaces(BTreeSet<String>),
    /// One: namespace and name.
    One(String, String),
}

impl Span {
    pub(crate) fn covers(&self, namespace: &str, name: &str) -> bool {
        match self {
            Span::All => true,
            Span::Namespace(n) => n == namespace,
            Span::Namespaces(set) => set.contains(namespace),
            Span::One(n, m) => n == namespace && m == name,
        }
    }
}

/// One watch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) content: Content,
    pub(crate) span: Span,
}

/// The watches that cover these kinds in these namespaces.
pub(crate) fn targets(kinds: &[WatchedKind], namespaces: &BTreeSet<String>) -> Vec<Target> {
    let mut targets = Vec::new();
    for kind in kinds {
        let target = |span| Target { group: kind.group.clone(), kind: kind.kind.clone(), content: kind.content, span };
        match &kind.area {
            Area::Cluster => targets.push(target(Span::All)),
            Area::One { namespace, name } => {
                targets.push(target(Span::One(namespace.clone(), name.clone())));
            }
            Area::Governed if namespaces.is_empty() => {}
            Area::Governed if namespaces.len() > SEPARATE_WATCHES => {
                targets.push(target(Span::Namespaces(namespaces.clone())));
            }
            Area::Governed => targets.extend(namespaces.iter().map(|n| target(Span::Namespace(n.clone())))),
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespaces(n: usize) -> BTreeSet<String> {
        (0..n).map(|i| format!("n{i}")).collect()
    }

    #[test]
    fn few_namespaces_have_a_watch_each_and_many_share_one() {
        let kinds = [WatchedKind::governed("", "Pod"), WatchedKind::cluster("", "Node")];
        assert_eq!(targets(&kinds, &namespaces(0)).len(), 1);
        assert_eq!(targets(&kinds, &namespaces(3)).len(), 4);
        let many = targets(&kinds, &namespaces(9));
        assert_eq!(many.len(), 2);
        assert!(many[0].span.covers("n3", "x") && !many[0].span.covers("kube-system", "x"));
    }

    #[test]
    fn values_of_secrets_are_not_kept() {
        let kinds = for_derived_rules();
        assert!(kinds.iter().filter(|k| k.kind == "Secret").all(|k| k.content == Content::Metadata));
    }
}
