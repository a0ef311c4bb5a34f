//! What others may find in an object.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::index::is_custom;
use super::pods::elements;
use crate::evaluate::facts::{Offer, PodOffer, PortOffer, ServiceOffer};
use crate::manifest::Manifest;
use crate::object;
use crate::path::{FieldPath, Step};

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
    pub(super) fn of(manifest: &'a Manifest) -> Option<Self> {
        let key = &manifest.key;
        let (.., path) = TEMPLATES.iter().find(|(group, kind, _)| key.group == *group && key.kind == *kind)?;
        let value = path.iter().try_fold(manifest.value.as_ref(), |value, field| value.get(field))?;
        let at = FieldPath(path.iter().map(|field| Step::Field((*field).to_owned())).collect());
        Some(Self { value, at })
    }

    fn offer(&self) -> PodOffer<'a> {
        let labels = object::labels(self.value).into_iter().flatten();
        let labels = labels.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        PodOffer { labels: labels.collect(), ports: port_names(&self.value["spec"]).collect() }
    }
}

fn port_names(spec: &Value) -> impl Iterator<Item = &str> {
    let containers = ["initContainers", "containers"].into_iter().flat_map(|list| elements(&spec[list]));
    containers.flat_map(|(_, c)| elements(&c["ports"])).filter_map(|(_, port)| port["name"].as_str())
}

/// Everything that a reference may lead to.
pub(in crate::evaluate) fn offer(manifest: &Manifest) -> Offer<'_> {
    let (key, value) = (&manifest.key, manifest.value.as_ref());
    let mut offer = Offer { pod: Pod::of(manifest).map(|pod| pod.offer()), ..Offer::default() };
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "ConfigMap") => offer.keys = keys(value, ["data", "binaryData"]),
        ("", "Secret") => {
            offer.keys = keys(value, ["data", "stringData"]);
            offer.fills_itself = value["type"] == "kubernetes.io/service-account-token";
        }
        ("", "Service") => offer.service = Some(service(&value["spec"])),
        _ => {}
    }
    if key.kind == "StatefulSet" {
        offer.claims = elements(&value["spec"]["volumeClaimTemplates"]).map(|(_, t)| object::name(t)).collect();
    }
    if is_custom(&key.group) && !MAKES_NOTHING.contains(&key.kind.as_str()) {
        collect(value, &mut offer.texts);
        offer.texts.sort_unstable();
        offer.texts.dedup();
    }
    offer
}

fn keys<'a>(value: &'a Value, fields: [&str; 2]) -> Vec<&'a str> {
    let maps = fields.into_iter().filter_map(|field| value.get(field)?.as_object());
    maps.flat_map(Map::keys).map(String::as_str).collect()
}

fn service(spec: &Value) -> ServiceOffer<'_> {
    let json = |value: &Value| Cow::Owned(value.to_string());
    let ports = elements(&spec["ports"]).map(|(_, p)| PortOffer { name: json(&p["name"]), port: json(&p["port"]) });
    ServiceOffer { is_external: spec["type"] == "ExternalName", ports: ports.collect() }
}

/// All texts in a value.
fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(list) => list.iter().for_each(|value| collect(value, texts)),
        Value::Object(map) => map.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}
