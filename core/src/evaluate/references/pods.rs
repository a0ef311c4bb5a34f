//! What Pods need of their namespace: ConfigMaps, Secrets, claims, a service account.

use serde_json::Value;

use super::Subject;
use super::index::Pod;
use crate::finding::Finding;
use crate::path::FieldPath;

const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let Some(pod) = Pod::of(subject.object) else { return };
    let spec = &pod.value["spec"];
    let at = pod.at.field("spec");
    let mut pod = PodReferences { subject, findings };
    pod.named("ServiceAccount", &spec["serviceAccountName"], &at.field("serviceAccountName"));
    for (index, secret) in elements(&spec["imagePullSecrets"]) {
        pod.named("Secret", &secret["name"], &at.field("imagePullSecrets").index(index).field("name"));
    }
    for (index, volume) in elements(&spec["volumes"]) {
        pod.volume(volume, &at.field("volumes").index(index));
    }
    for list in CONTAINERS {
        for (index, container) in elements(&spec[list]) {
            pod.container(container, &at.field(list).index(index));
        }
    }
    if subject.is("apps", "StatefulSet") {
        pod.stateful_set();
    }
}

struct PodReferences<'a, 'f> {
    subject: &'a Subject<'a>,
    findings: &'f mut Vec<Finding>,
}

impl PodReferences<'_, '_> {
    fn named(&mut self, kind: &str, name: &Value, at: &FieldPath) {
        let Some(name) = name.as_str() else { return };
        self.findings.extend(self.subject.missing("", kind, name, at));
    }

    /// A reference that says itself whether it may be missing.
    fn source(&mut self, kind: &str, source: &Value, field: &str, at: &FieldPath) {
        if source["optional"] != Value::Bool(true) {
            self.named(kind, &source[field], &at.field(field));
        }
    }

    fn volume(&mut self, volume: &Value, at: &FieldPath) {
        self.source("ConfigMap", &volume["configMap"], "name", &at.field("configMap"));
        self.source("Secret", &volume["secret"], "secretName", &at.field("secret"));
        let claim = "persistentVolumeClaim";
        self.named("PersistentVolumeClaim", &volume[claim]["claimName"], &at.field(claim).field("claimName"));
        for (index, source) in elements(&volume["projected"]["sources"]) {
            let at = at.field("projected").field("sources").index(index);
            self.source("ConfigMap", &source["configMap"], "name", &at.field("configMap"));
            self.source("Secret", &source["secret"], "name", &at.field("secret"));
        }
    }

    fn container(&mut self, container: &Value, at: &FieldPath) {
        for (index, source) in elements(&container["envFrom"]) {
            let at = at.field("envFrom").index(index);
            self.source("ConfigMap", &source["configMapRef"], "name", &at.field("configMapRef"));
            self.source("Secret", &source["secretRef"], "name", &at.field("secretRef"));
        }
        for (index, variable) in elements(&container["env"]) {
            let at = at.field("env").index(index).field("valueFrom");
            for (field, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
                let source = &variable["valueFrom"][field];
                self.source(kind, source, "name", &at.field(field));
                self.key(kind, source, &at.field(field).field("key"));
            }
        }
    }

    /// The key of an object that is declared: its container would not start without it.
    fn key(&mut self, kind: &str, source: &Value, at: &FieldPath) {
        let (Some(name), Some(key)) = (source["name"].as_str(), source["key"].as_str()) else { return };
        let subject = self.subject;
        let Some(declared) = subject.index.get("", kind, subject.namespace(), name) else { return };
        let value = &declared.manifest.value;
        let has = |field: &str| value[field].get(key).is_some();
        let all: &[&str] = if kind == "Secret" { &["data", "stringData"] } else { &["data", "binaryData"] };
        let fills_itself = kind == "Secret" && value["type"] == "kubernetes.io/service-account-token";
        if source["optional"] == Value::Bool(true) || fills_itself || all.iter().any(|field| has(field)) {
            return;
        }
        // An empty one is filled by somebody else.
        if all.iter().all(|field| value[field].as_object().is_none_or(|map| map.is_empty())) {
            return;
        }
        let message = format!("{} reads the key `{key}` of {kind}/{name}, which has no such key", subject.key());
        let mut keys: Vec<&str> =
            all.iter().filter_map(|f| value[*f].as_object()).flatten().map(|(k, _)| k.as_str()).collect();
        keys.sort_unstable();
        let hint = format!("Keys there: {}.", crate::schema::listed(keys.into_iter()));
        self.findings.push(subject.warning("reference/key", message, at).with_hint(hint));
    }

    fn stateful_set(&mut self) {
        let name = &self.subject.object.manifest.value["spec"]["serviceName"];
        self.named("Service", name, &FieldPath::of(["spec", "serviceName"]));
    }
}

/// The elements of a list with their positions; none if it is no list.
pub(super) fn elements(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate()
}
