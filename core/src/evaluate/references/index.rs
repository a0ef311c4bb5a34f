//! What a tree declares, for looking up what its objects name.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use crate::config::{Configuration, EnvironmentConfig};
use crate::object;
use crate::path::{FieldPath, Step};
use crate::schema::nearest;
use crate::snapshot::Declared;

/// What Kubernetes itself puts into every namespace.
const EVERYWHERE: [(&str, &str); 2] = [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")];

/// Custom resources that say something about objects and make none.
const MAKES_NOTHING: [&str; 6] =
    ["ServiceMonitor", "PodMonitor", "PrometheusRule", "Probe", "VerticalPodAutoscaler", "ScaledObject"];

/// Where Pod templates stand, by kind; a Pod is its own.
const TEMPLATES: [(&str, &str, &[&str]); 8] = [
    ("", "Pod", &[]),
    ("", "ReplicationController", &["spec", "template"]),
    ("apps", "Deployment", &["spec", "template"]),
    ("apps", "StatefulSet", &["spec", "template"]),
    ("apps", "DaemonSet", &["spec", "template"]),
    ("apps", "ReplicaSet", &["spec", "template"]),
    ("batch", "Job", &["spec", "template"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
];

/// The Pod that an object makes, or is.
pub(super) struct Pod<'a> {
    pub(super) value: &'a Value,
    /// Where it stands in the object.
    pub(super) at: FieldPath,
}

impl<'a> Pod<'a> {
    pub(super) fn of(declared: &'a Declared) -> Option<Self> {
        let key = &declared.manifest.key;
        let (.., path) = TEMPLATES.iter().find(|(group, kind, _)| key.group == *group && key.kind == *kind)?;
        let value = path.iter().try_fold(declared.manifest.value.as_ref(), |value, field| value.get(field))?;
        let at = FieldPath(path.iter().map(|field| Step::Field((*field).to_owned())).collect());
        Some(Self { value, at })
    }

    pub(super) fn labels(&self) -> Option<&'a Map<String, Value>> {
        object::labels(self.value)
    }
}

type Name<'a> = (&'a str, &'a str, &'a str, &'a str);

pub(super) struct Index<'a> {
    environment: &'a EnvironmentConfig,
    configuration: &'a Configuration,
    declared: HashMap<Name<'a>, &'a Declared>,
    /// Pods by namespace.
    pods: HashMap<&'a str, Vec<Pod<'a>>>,
    /// Custom resources by namespace, as all the texts in each.
    custom: HashMap<&'a str, Vec<HashSet<&'a str>>>,
    /// Beginnings of the names of claims that StatefulSets make, by namespace.
    claims: HashMap<&'a str, Vec<String>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(
        environment: &'a EnvironmentConfig,
        configuration: &'a Configuration,
        declared: &'a [Declared],
    ) -> Self {
        let mut index = Self {
            environment,
            configuration,
            declared: HashMap::with_capacity(declared.len()),
            pods: HashMap::new(),
            custom: HashMap::new(),
            claims: HashMap::new(),
        };
        for object in declared {
            let key = &object.manifest.key;
            let namespace = key.namespace.as_str();
            index.declared.insert((&key.group, &key.kind, namespace, &key.name), object);
            if let Some(pod) = Pod::of(object) {
                index.pods.entry(namespace).or_default().push(pod);
            }
            if is_custom(&key.group) && !MAKES_NOTHING.contains(&key.kind.as_str()) {
                let mut texts = HashSet::new();
                collect(&object.manifest.value, &mut texts);
                index.custom.entry(namespace).or_default().push(texts);
            }
            if key.kind == "StatefulSet" {
                let templates = object.manifest.value.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array);
                let names = templates.into_iter().flatten().map(|t| format!("{}-{}-", object::name(t), key.name));
                index.claims.entry(namespace).or_default().extend(names);
            }
        }
        index
    }

    pub(super) fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<&'a Declared> {
        self.declared.get(&(group, kind, namespace, name)).copied()
    }

    /// Whether Git should say all of what lives in a namespace.
    pub(super) fn says_all_of(&self, namespace: &str) -> bool {
        // A tree without configuration may leave its namespace to whoever applies it.
        self.configuration.unconfigured || self.environment.namespaces.iter().any(|n| n == namespace)
    }

    /// Whether an object may be there: declared, or known to come from elsewhere.
    pub(super) fn may_exist(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        self.get(group, kind, namespace, name).is_some()
            || !self.says_all_of(namespace)
            // Without a configuration nobody has said that Secrets come from Git.
            || (self.configuration.unconfigured && kind == "Secret")
            || EVERYWHERE.contains(&(kind, name))
            || self.others_make(group, kind, namespace, Some(name))
            || self.custom_texts(namespace).any(|texts| texts.contains(name) || names_begin(texts, name))
            || (kind == "PersistentVolumeClaim"
                && self.claims.get(namespace).is_some_and(|c| c.iter().any(|begin| name.starts_with(begin.as_str()))))
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
        let mut names: Vec<&'a str> = (self.declared.keys())
            .filter(|(g, k, n, _)| (*g, *k, *n) == (group, kind, namespace))
            .map(|(.., name)| *name)
            .collect();
        names.sort_unstable();
        nearest(name, names.into_iter())
    }

    pub(super) fn pods(&self, namespace: &str) -> &[Pod<'a>] {
        self.pods.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// Whether a custom resource of the namespace may make Pods with these labels: it holds all of the
    /// values, or it is named by one of them.
    pub(super) fn may_make_pods(&self, namespace: &str, selector: &BTreeMap<&str, &str>) -> bool {
        let kinds =
            [("", "Pod"), ("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("batch", "Job")];
        kinds.iter().any(|(group, kind)| self.others_make(group, kind, namespace, None))
            || self.custom_texts(namespace).any(|texts| selector.values().all(|value| texts.contains(value)))
    }

    /// The texts of each custom resource in a namespace, and of those of no namespace.
    fn custom_texts(&self, namespace: &str) -> impl Iterator<Item = &HashSet<&'a str>> {
        [namespace, ""].into_iter().filter_map(|n| self.custom.get(n)).flatten()
    }
}

/// Whether a name begins with a custom resource's text and a dash: `prometheus-k8s-tls` of
/// `prometheus-k8s`. Operators call what they make so.
fn names_begin(texts: &HashSet<&str>, name: &str) -> bool {
    name.match_indices('-').any(|(dash, _)| dash > 2 && texts.contains(&name[..dash]))
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

/// All texts in a value.
fn collect<'a>(value: &'a Value, texts: &mut HashSet<&'a str>) {
    match value {
        Value::String(text) => {
            texts.insert(text);
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, texts)),
        Value::Object(map) => map.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}
