//! What Pods need of their namespace: ConfigMaps, Secrets, claims, a service account.

use serde_json::Value;

use super::Asking;
use super::offer::Pod;
use crate::evaluate::facts::Need;
use crate::path::FieldPath;

const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

pub(super) fn ask(asking: &mut Asking<'_>) {
    let Some(pod) = Pod::of(asking.manifest) else { return };
    let spec = &pod.value["spec"];
    let at = pod.at.field("spec");
    asking.named("ServiceAccount", &spec["serviceAccountName"], || at.field("serviceAccountName"));
    for (index, secret) in elements(&spec["imagePullSecrets"]) {
        asking.named("Secret", &secret["name"], || at.field("imagePullSecrets").index(index).field("name"));
    }
    for (index, volume) in elements(&spec["volumes"]) {
        asking.volume(volume, &at.field("volumes").index(index));
    }
    for list in CONTAINERS {
        for (index, container) in elements(&spec[list]) {
            asking.container(container, &at.field(list).index(index));
        }
    }
    if asking.is("apps", "StatefulSet") {
        let name = &asking.manifest.value["spec"]["serviceName"];
        asking.named("Service", name, || FieldPath::of(["spec", "serviceName"]));
    }
}

impl<'a> Asking<'a> {
    fn named(&mut self, kind: &'a str, name: &'a Value, at: impl FnOnce() -> FieldPath) {
        if let Some(name) = name.as_str() {
            self.object("", kind, name, &at());
        }
    }

    /// A reference that says itself whether it may be missing.
    fn source(&mut self, kind: &'a str, source: &'a Value, field: &str, at: impl FnOnce() -> FieldPath) {
        if source["optional"] != Value::Bool(true) {
            self.named(kind, &source[field], || at().field(field));
        }
    }

    fn volume(&mut self, volume: &'a Value, at: &FieldPath) {
        self.files("ConfigMap", &volume["configMap"], "name", || at.field("configMap"));
        self.files("Secret", &volume["secret"], "secretName", || at.field("secret"));
        let claim = "persistentVolumeClaim";
        self.named("PersistentVolumeClaim", &volume[claim]["claimName"], || at.field(claim).field("claimName"));
        for (index, source) in elements(&volume["projected"]["sources"]) {
            let at = at.field("projected").field("sources").index(index);
            self.files("ConfigMap", &source["configMap"], "name", || at.field("configMap"));
            self.files("Secret", &source["secret"], "name", || at.field("secret"));
        }
    }

    /// An object whose keys become files: all of them, or those that are listed.
    fn files(&mut self, kind: &'a str, source: &'a Value, field: &str, at: impl Fn() -> FieldPath) {
        self.source(kind, source, field, &at);
        for (index, item) in elements(&source["items"]) {
            self.key(kind, source, field, &item["key"], || at().field("items").index(index).field("key"));
        }
    }

    fn container(&mut self, container: &'a Value, at: &FieldPath) {
        for (index, source) in elements(&container["envFrom"]) {
            let at = at.field("envFrom").index(index);
            self.source("ConfigMap", &source["configMapRef"], "name", || at.field("configMapRef"));
            self.source("Secret", &source["secretRef"], "name", || at.field("secretRef"));
        }
        for (index, variable) in elements(&container["env"]) {
            for (field, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
                let Some(source) = variable["valueFrom"].get(field) else { continue };
                let at = at.field("env").index(index).field("valueFrom").field(field);
                self.source(kind, source, "name", || at.clone());
                self.key(kind, source, "name", &source["key"], || at.field("key"));
            }
        }
    }

    /// The key of an object that is declared: its container would not start without it.
    fn key(&mut self, kind: &'a str, source: &'a Value, field: &str, key: &'a Value, at: impl FnOnce() -> FieldPath) {
        let (Some(name), Some(key)) = (source[field].as_str(), key.as_str()) else { return };
        if source["optional"] != Value::Bool(true) {
            self.need(Need::Key { kind, name, key }, &at());
        }
    }
}

/// The elements of a list with their positions; none if it is no list.
pub(super) fn elements(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate()
}
