//! `gitward.yaml`: the configuration, kept in Git, read alike by hooks, webhook and reconciler.

mod ceilings;
mod delegation;
mod read;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delegation::Ceilings;
use crate::finding::Place;
use crate::object::ObjectKey;

pub use delegation::{Delegation, Injects, Makes, OwnerRule, Sets};
pub use read::parse;

/// Name of the configuration file, at the root of the repository.
pub const FILE: &str = "gitward.yaml";

/// `apiVersion` of the configuration file.
pub const API_VERSION: &str = "gitward.dev/v1alpha1";

/// `kind` of the configuration file.
pub const KIND: &str = "Configuration";

/// The whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Configuration {
    /// `gitward.dev/v1alpha1`.
    pub api_version: String,
    /// `Configuration`.
    pub kind: String,
    /// Kubernetes minor versions that manifests must be valid for, for example `1.36`.
    #[serde(default = "default_kubernetes")]
    pub kubernetes: Vec<String>,
    /// Directories with Rego policies, relative to the root. The starter policies count besides,
    /// unless `starterPolicies` is false.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Whether the starter policies that come with gitward are evaluated.
    #[serde(default = "yes")]
    pub starter_policies: bool,
    /// Files or directories with CustomResourceDefinitions that only say what custom resources look
    /// like: of operators that are installed by other means. They declare nothing, even within an
    /// environment's path; other CRDs there are declared and count as well.
    #[serde(default)]
    pub crds: Vec<String>,
    /// The environments that this repository feeds.
    #[serde(default)]
    pub environments: Vec<EnvironmentConfig>,
    /// Changes that others may make.
    #[serde(default)]
    pub exemptions: Vec<Exemption>,
    /// What operators may do, within ceilings.
    #[serde(default)]
    pub delegations: Vec<Delegation>,
    /// Who may change by hand what Git says, for a bounded time; see [`crate::break_glass`].
    #[serde(default)]
    pub break_glass: Vec<BreakGlass>,
    /// Mutating admission configuration that Git does not declare and that is known to be good, by
    /// `Kind/name`.
    #[serde(default)]
    pub known_mutators: Vec<String>,
    /// Further accounts that act as kubelets, for example those of simulated nodes. What a kubelet
    /// may write rests on its identity: an account named here is believed about every node.
    #[serde(default)]
    pub node_accounts: Vec<String>,
    /// Where each exemption stands, filled in by [`parse`].
    #[serde(skip)]
    pub exemption_places: Vec<Place>,
    /// Where each delegation stands, filled in by [`parse`].
    #[serde(skip)]
    pub delegation_places: Vec<Place>,
    /// Where each exemption says until when it holds; where it does not, the exemption itself. Filled
    /// in by [`parse`].
    #[serde(skip)]
    pub exemption_ends: Vec<Place>,
    /// The same for each delegation.
    #[serde(skip)]
    pub delegation_ends: Vec<Place>,
    /// Where each break-glass declaration stands, filled in by [`parse`].
    #[serde(skip)]
    pub break_glass_places: Vec<Place>,
    /// Where each entry of `policies` stands, filled in by [`parse`].
    #[serde(skip)]
    pub policy_places: Vec<Place>,
    /// Where each entry of `crds` stands, filled in by [`parse`].
    #[serde(skip)]
    pub crd_places: Vec<Place>,
    /// Where each environment stands, filled in by [`parse`].
    #[serde(skip)]
    pub environment_places: Vec<Place>,
    /// Where each policy that a delegation names stands, in the order of [`Configuration::ceilings_named`];
    /// filled in by [`parse`].
    #[serde(skip)]
    pub ceiling_places: Vec<Place>,
    /// Where each bound of each delegation stands; filled in by [`parse`].
    #[serde(skip)]
    pub bound_places: Vec<Vec<Place>>,
    /// The policies that delegations name, compiled; filled in by [`Judge::new`](crate::evaluate::Judge::new).
    #[serde(skip)]
    pub ceilings: Ceilings,
    /// Whether there is no `gitward.yaml` and the whole tree is judged for its own sake; see
    /// [`Configuration::for_unconfigured_tree`].
    #[serde(skip)]
    pub unconfigured: bool,
}

impl Configuration {
    /// What a tree without `gitward.yaml` is judged by: every manifest in it, the newest
    /// Kubernetes version, the starter policies, whatever the namespace.
    pub fn for_unconfigured_tree() -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            kubernetes: default_kubernetes(),
            starter_policies: true,
            environments: vec![EnvironmentConfig::default()],
            unconfigured: true,
            ..Self::default()
        }
    }

    /// Files and directories that an environment is judged by: its manifests, the policies, the CRDs
    /// and the configuration itself.
    pub fn roots(&self, environment: &EnvironmentConfig) -> Vec<String> {
        let mut roots = vec![environment.path.clone(), FILE.to_owned()];
        roots.extend_from_slice(&self.policies);
        roots.extend_from_slice(&self.crds);
        roots
    }

    /// Whether a mutator that Git does not declare is known to be good.
    pub fn knows_mutator(&self, kind: &str, name: &str) -> bool {
        self.known_mutators.iter().any(|k| k.split_once('/') == Some((kind, name)))
    }

    /// Where an exemption of [`Configuration::exemptions`] stands.
    pub fn exemption_place(&self, index: usize) -> Place {
        self.exemption_places.get(index).cloned().unwrap_or_else(unknown_place)
    }

    /// Where a delegation of [`Configuration::delegations`] stands.
    pub fn delegation_place(&self, index: usize) -> Place {
        self.delegation_places.get(index).cloned().unwrap_or_else(unknown_place)
    }

    /// Where a bound of a delegation stands, both by their positions.
    pub fn bound_place(&self, delegation: usize, bound: usize) -> Place {
        let place = self.bound_places.get(delegation).and_then(|places| places.get(bound));
        place.cloned().unwrap_or_else(|| self.delegation_place(delegation))
    }

    /// Where a declaration of [`Configuration::break_glass`] stands.
    pub fn break_glass_place(&self, index: usize) -> Place {
        self.break_glass_places.get(index).cloned().unwrap_or_else(unknown_place)
    }

    /// The environments that a ref feeds.
    pub fn fed_from<'a>(&'a self, git_ref: &'a str) -> impl Iterator<Item = &'a EnvironmentConfig> {
        self.environments.iter().filter(move |e| e.git_ref == git_ref)
    }
}

/// Where something stands of which no more is known than the file: of a configuration that was not
/// read from text.
fn unknown_place() -> Place {
    Place { file: FILE.into(), line: 1, column: 1 }
}

fn default_kubernetes() -> Vec<String> {
    vec!["1.36".to_owned()]
}

fn yes() -> bool {
    true
}

/// One target: a ref, a path in its tree, and what it governs in the cluster.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentConfig {
    /// Name, as the cluster's `Environment` resource has it.
    pub name: String,
    /// Full ref name, for example `refs/heads/main`.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// Directory with the manifests, relative to the root; empty for the root.
    #[serde(default)]
    pub path: String,
    /// Namespaces that it governs: whatever lives there has to come from Git.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Cluster-scoped kinds that it governs, as `Kind` or `Kind.group`.
    #[serde(default)]
    pub cluster_kinds: Vec<String>,
    /// Namespaces that it declares objects in and that others live in as well (`kube-system`,
    /// `default`): there only what Git declares is governed.
    #[serde(default)]
    pub shared_namespaces: Vec<String>,
    /// Cluster-scoped kinds, as `Kind` or `Kind.group`, that it declares objects of and that others
    /// make as well (`ClusterRole`): of them only what Git declares is governed.
    #[serde(default)]
    pub shared_cluster_kinds: Vec<String>,
    /// What is done about what Git does not say.
    #[serde(default)]
    pub mode: Mode,
    /// Bounds on pruning.
    #[serde(default)]
    pub prune: Prune,
    /// Whether the push gate lets the ref be rewound or rewritten. Its deletion is refused all the
    /// same.
    #[serde(default)]
    pub allow_force_push: bool,
    /// Whether the push gate lets the environment be taken out of `gitward.yaml`, or the whole file.
    #[serde(default)]
    pub allow_removal: bool,
    /// Whether the push gate judges every commit that a push brings, and not only the last one.
    #[serde(default)]
    pub every_commit: bool,
    /// Whether namespaces that the cluster or gitward itself needs to start (`kube-system`,
    /// `gitward-system`, …) may be governed.
    #[serde(default)]
    pub allow_system_namespaces: bool,
}

impl EnvironmentConfig {
    /// Whether a path is at or below the environment's own.
    pub fn holds(&self, path: &str) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
        self.path.is_empty() || path.strip_prefix(self.path.as_str()).is_some_and(below)
    }

    /// Whether an object is this environment's to judge, declared or not.
    pub fn governs(&self, key: &ObjectKey) -> bool {
        if !key.namespace.is_empty() {
            return self.namespaces.contains(&key.namespace);
        }
        if key.group.is_empty() && key.kind == "Namespace" && self.namespaces.contains(&key.name) {
            return true;
        }
        names_kind(&self.cluster_kinds, key)
    }

    /// Whether anything in a namespace can be this environment's.
    pub fn has_namespace(&self, namespace: &String) -> bool {
        self.namespaces.contains(namespace) || self.shared_namespaces.contains(namespace)
    }

    /// Whether an object is this environment's to judge if Git declares it, and nobody's business
    /// otherwise.
    pub fn shares(&self, key: &ObjectKey) -> bool {
        let listed = if key.namespace.is_empty() {
            names_kind(&self.shared_cluster_kinds, key)
        } else {
            self.shared_namespaces.contains(&key.namespace)
        };
        listed && !self.governs(key)
    }
}

/// Whether a list of `Kind` or `Kind.group` names an object's kind.
pub(crate) fn names_kind(kinds: &[String], key: &ObjectKey) -> bool {
    kinds.iter().any(|k| match k.split_once('.') {
        Some((kind, group)) => kind == key.kind && group == key.group,
        None => *k == key.kind,
    })
}

/// What is done about what Git does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Deny at admission, revert at runtime.
    #[default]
    Enforce,
    /// Admit with a warning, report at runtime.
    Observe,
    /// Neither judge nor converge.
    Suspended,
}

/// Bounds on pruning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prune {
    /// Kinds that hold data and may be pruned all the same (`Namespace`, `PersistentVolumeClaim`,
    /// `PersistentVolume`, `CustomResourceDefinition`, `Secret`). Anything else that holds data
    /// stays when Git stops declaring it, with an alert.
    #[serde(default = "default_prune_data")]
    pub data_kinds: Vec<String>,
    /// At most so many objects are pruned for one commit; more stop the pruning with an alert.
    #[serde(default = "default_prune_max")]
    pub max: usize,
}

fn default_prune_data() -> Vec<String> {
    vec!["Secret".to_owned()]
}

fn default_prune_max() -> usize {
    50
}

impl Default for Prune {
    fn default() -> Self {
        Self { data_kinds: default_prune_data(), max: default_prune_max() }
    }
}

/// A change that others may make: who, to what, until when and why.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exemption {
    /// Name, for messages.
    pub name: String,
    /// Accounts, in full (`system:serviceaccount:ns:name` or a user name).
    pub accounts: Vec<String>,
    /// Kinds, as `Kind` or `Kind.group`.
    pub kinds: Vec<String>,
    /// Namespaces; empty for all governed ones.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Field paths, as prefixes: `metadata.finalizers`, `spec.template.metadata.annotations`. Empty
    /// exempts whole objects.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Last moment at which it holds.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// Who may break the glass, over what, and for how long at most.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakGlass {
    /// Name, which a `BreakGlass` resource refers to.
    pub name: String,
    /// Accounts, in full.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Groups, as the API server knows them.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Kinds, as `Kind` or `Kind.group`; empty for all but Namespaces and CustomResourceDefinitions.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Namespaces; empty for all governed ones and cluster-scoped objects.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Longest time, such as `1h` or `30m`.
    pub maximum: jiff::SignedDuration,
}
