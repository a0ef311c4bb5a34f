//! What a tree declares, for looking up what its objects name.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::config::{Configuration, EnvironmentConfig};
use crate::evaluate::facts::{ObjectFacts, PodOffer};
use crate::schema::nearest;

/// What Kubernetes itself puts into every namespace.
const EVERYWHERE: [(&str, &str); 2] = [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")];

/// Texts are looked up several times for each object of a tree: a hash that is made for short ones.
type Map<K, V> = HashMap<K, V, RandomState>;

/// Group, kind and namespace.
type Family<'a> = (&'a str, &'a str, &'a str);

pub(super) struct Index<'a> {
    configuration: &'a Configuration,
    /// Namespaces that the environment governs.
    governed: HashSet<&'a str, RandomState>,
    declared: Map<Family<'a>, Map<&'a str, &'a ObjectFacts<'a>>>,
    pods: Map<&'a str, Pods<'a>>,
    /// Custom resources by namespace, as all the texts in each.
    custom: Map<&'a str, Vec<&'a [&'a str]>>,
    /// StatefulSets with claims, by namespace.
    claiming: Map<&'a str, Vec<&'a ObjectFacts<'a>>>,
}

/// The Pods of a namespace.
#[derive(Default)]
pub(super) struct Pods<'a> {
    all: Vec<&'a PodOffer<'a>>,
    /// Which of them have a label.
    labelled: Map<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Pods<'a> {
    fn add(&mut self, pod: &'a PodOffer<'a>) {
        for label in &pod.labels {
            self.labelled.entry(*label).or_default().push(self.all.len());
        }
        self.all.push(pod);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a PodOffer<'a>> + '_ {
        self.all.iter().copied()
    }

    /// Those that have all of these labels.
    pub(super) fn selected(&self, labels: &[(&str, &str)]) -> Vec<&'a PodOffer<'a>> {
        let rarest = labels.iter().map(|label| self.labelled.get(label)).min_by_key(|pods| pods.map_or(0, Vec::len));
        let candidates = rarest.flatten().into_iter().flatten().map(|pod| self.all[*pod]);
        candidates.filter(|pod| labels.iter().all(|label| pod.labels.contains(label))).collect()
    }
}

impl<'a> Index<'a> {
    pub(super) fn of(
        environment: &'a EnvironmentConfig,
        configuration: &'a Configuration,
        declared: impl Iterator<Item = &'a ObjectFacts<'a>>,
    ) -> Self {
        let mut index = Self {
            configuration,
            governed: environment.namespaces.iter().map(String::as_str).collect(),
            declared: Map::default(),
            pods: Map::default(),
            custom: Map::default(),
            claiming: Map::default(),
        };
        for object in declared {
            index.add(object);
        }
        index
    }

    fn add(&mut self, object: &'a ObjectFacts<'a>) {
        let (namespace, offer) = (object.namespace, &object.offer);
        self.declared.entry((object.group, object.kind, namespace)).or_default().insert(object.name, object);
        if let Some(pod) = &offer.pod {
            self.pods.entry(namespace).or_default().add(pod);
        }
        if !offer.texts.is_empty() {
            self.custom.entry(namespace).or_default().push(&offer.texts);
        }
        if !offer.claims.is_empty() {
            self.claiming.entry(namespace).or_default().push(object);
        }
    }

    pub(super) fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<&'a ObjectFacts<'a>> {
        self.declared.get(&(group, kind, namespace))?.get(name).copied()
    }

    /// Whether Git should say all of what lives in a namespace.
    pub(super) fn says_all_of(&self, namespace: &str) -> bool {
        // A tree without configuration may leave its namespace to whoever applies it.
        self.configuration.unconfigured || self.governed.contains(namespace)
    }

    /// Whether an object may be there: declared, or known to come from elsewhere.
    pub(super) fn may_exist(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        self.get(group, kind, namespace, name).is_some()
            || !self.says_all_of(namespace)
            // Without a configuration nobody has said that Secrets come from Git.
            || (self.configuration.unconfigured && kind == "Secret")
            || EVERYWHERE.contains(&(kind, name))
            || self.others_make(group, kind, namespace, Some(name))
            || self.custom_texts(namespace).any(|texts| holds(texts, name) || names_begin(texts, name))
            || (kind == "PersistentVolumeClaim" && self.is_claimed(namespace, name))
    }

    /// Whether a claim is one that a StatefulSet makes: `TEMPLATE-SET-NUMBER`.
    fn is_claimed(&self, namespace: &str, name: &str) -> bool {
        let of = |set: &ObjectFacts<'_>, template: &str| {
            let rest = name.strip_prefix(template).and_then(|rest| rest.strip_prefix('-'));
            rest.and_then(|rest| rest.strip_prefix(set.name)).is_some_and(|rest| rest.starts_with('-'))
        };
        let sets = self.claiming.get(namespace).into_iter().flatten();
        sets.into_iter().any(|set| set.offer.claims.iter().any(|template| of(set, template)))
    }

    /// Whether `gitward.yaml` lets others make such objects.
    pub(super) fn others_make(&self, group: &str, kind: &str, namespace: &str, name: Option<&str>) -> bool {
        let is_kind = |kinds: &[String]| {
            kinds.iter().any(|k| k.split_once('.').map_or(k == kind, |(k, g)| k == kind && g == group))
        };
        let is_here = |namespaces: &[String]| namespaces.is_empty() || namespaces.iter().any(|n| n == namespace);
        let is_name = |names: &[String]| {
            let fits = |pattern: &String| match (name, pattern.strip_suffix('*')) {
                (None, _) => true,
                (Some(name), Some(begin)) => name.starts_with(begin),
                (Some(name), None) => pattern == name,
            };
            names.is_empty() || names.iter().any(fits)
        };
        let delegated = self.configuration.delegations.iter().flat_map(|d| &d.makes);
        delegated.into_iter().any(|m| is_kind(&m.kinds) && is_here(&m.namespaces) && is_name(&m.names))
            || self
                .configuration
                .exemptions
                .iter()
                .any(|e| e.fields.is_empty() && is_kind(&e.kinds) && is_here(&e.namespaces))
    }

    /// A declared name that a missing one may have meant.
    pub(super) fn similar(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<&'a str> {
        nearest(name, self.declared.get(&(group, kind, namespace))?.keys().copied())
    }

    pub(super) fn pods(&self, namespace: &str) -> Option<&Pods<'a>> {
        self.pods.get(namespace)
    }

    /// Whether a custom resource of the namespace may make Pods with these labels: it holds all of the
    /// values, or it is named by one of them.
    pub(super) fn may_make_pods(&self, namespace: &str, selector: &[(&str, &str)]) -> bool {
        let kinds =
            [("", "Pod"), ("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("batch", "Job")];
        kinds.iter().any(|(group, kind)| self.others_make(group, kind, namespace, None))
            || self.custom_texts(namespace).any(|texts| selector.iter().all(|(_, value)| holds(texts, value)))
    }

    /// The texts of each custom resource in a namespace, and of those of no namespace.
    fn custom_texts<'s>(&'s self, namespace: &'s str) -> impl Iterator<Item = &'a [&'a str]> + 's {
        // In no namespace these are the same ones.
        let here = (!namespace.is_empty()).then_some(namespace);
        here.into_iter().chain([""]).filter_map(|n| self.custom.get(n)).flatten().copied()
    }
}

/// Whether a text is among sorted ones.
fn holds(texts: &[&str], text: &str) -> bool {
    texts.binary_search(&text).is_ok()
}

/// Whether a name begins with a custom resource's text and a dash: `prometheus-k8s-tls` of
/// `prometheus-k8s`. Operators call what they make so.
fn names_begin(texts: &[&str], name: &str) -> bool {
    name.match_indices('-').any(|(dash, _)| dash > 2 && holds(texts, &name[..dash]))
}

/// Kubernetes' own groups with a dot in them; those without one are all its own.
const BUILT_IN: [&str; 17] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

pub(super) fn is_custom(group: &str) -> bool {
    group.contains('.') && !BUILT_IN.contains(&group)
}
