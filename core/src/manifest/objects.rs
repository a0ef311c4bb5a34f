//! From documents to objects: lists taken apart, and the few fields that every object needs.

use std::sync::Arc;

use serde_json::Value;

use super::problem::{Problem, Rule};
use super::{Document, Limits, Manifest, Spans};
use crate::finding::Place;
use crate::object::{Gvk, ObjectKey, is_dns_label, is_dns_subdomain};
use crate::path::FieldPath;

/// Adds all objects of a document, and what is wrong with the others.
pub(super) fn collect(
    file: &Arc<str>,
    document: Document,
    limits: &Limits,
    manifests: &mut Vec<Manifest>,
    problems: &mut Vec<Problem>,
) {
    let mut collector = Collector { file, spans: Arc::new(document.spans), depth: limits.depth, manifests, problems };
    collector.object(document.value, FieldPath::root(), None);
}

struct Collector<'a> {
    file: &'a Arc<str>,
    spans: Arc<Spans>,
    depth: usize,
    manifests: &'a mut Vec<Manifest>,
    problems: &'a mut Vec<Problem>,
}

/// What a typed list (`RoleList`) says about its items.
#[derive(Clone)]
struct ItemType {
    api_version: String,
    kind: String,
}

impl Collector<'_> {
    fn object(&mut self, mut value: Value, base: FieldPath, inherited: Option<&ItemType>) {
        if !value.is_object() {
            let message = format!("{} where an object has to stand", what(&value));
            return self.problem(
                Rule::NotAnObject,
                &base,
                message,
                "A manifest is a mapping with apiVersion, kind and metadata.",
            );
        }
        if let Some(inherited) = inherited.filter(|_| value.get("kind").is_none_or(|k| k == "")) {
            value["apiVersion"] = Value::String(inherited.api_version.clone());
            value["kind"] = Value::String(inherited.kind.clone());
        }
        let Some(kind) = self.text(&value, &base, &["kind"], Rule::MissingKind, KIND_HINT) else { return };
        let hint = "Say which version of the API the object is written for, for example `apiVersion: v1`.";
        let Some(api_version) = self.text(&value, &base, &["apiVersion"], Rule::MissingApiVersion, hint) else {
            return;
        };
        if api_version.matches('/').count() > 1 || api_version.starts_with('/') || api_version.ends_with('/') {
            let message = format!("apiVersion `{api_version}` is neither `version` nor `group/version`");
            return self.problem(Rule::MissingApiVersion, &base.field("apiVersion"), message, hint);
        }
        if let Some(item_kind) = kind.strip_suffix("List")
            && let Some(items) = value.get_mut("items").map(Value::take)
        {
            let item_type = (!item_kind.is_empty()).then(|| ItemType { api_version, kind: item_kind.to_owned() });
            return self.items(items, &base, item_type.as_ref());
        }
        if kind == "List" {
            return;
        }
        self.manifest(value, base, Gvk::new(&api_version, &kind));
    }

    fn items(&mut self, items: Value, base: &FieldPath, item_type: Option<&ItemType>) {
        let base = base.field("items");
        match items {
            Value::Array(_) if base.0.len() > self.depth => {
                self.problem(
                    Rule::TooLarge,
                    &base,
                    "lists within lists, too deep to read".to_owned(),
                    "Write the objects as documents.",
                );
            }
            Value::Array(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.object(item, base.index(index), item_type);
                }
            }
            Value::Null => {}
            other => {
                let message = format!("`items` is {}, not a list", what(&other));
                self.problem(Rule::NotAnObject, &base, message, "Write the objects as a list under `items`.");
            }
        }
    }

    fn manifest(&mut self, value: Value, base: FieldPath, gvk: Gvk) {
        if let Some(metadata) = value.get("metadata").filter(|m| !m.is_object()) {
            let message = format!("metadata is {}, not a mapping", what(metadata));
            return self.problem(Rule::MissingName, &base.field("metadata"), message, NAME_HINT);
        }
        let metadata = &value["metadata"];
        let generated = metadata.get("generateName").is_some_and(|g| g != "");
        if generated && metadata.get("name").is_none_or(|name| name == "" || name.is_null()) {
            let message = "an object with generateName has no name of its own: it cannot be declared in Git";
            let hint = "Give it a fixed `metadata.name`: what is in the cluster is compared with Git by name.";
            return self.problem(
                Rule::MissingName,
                &base.field("metadata").field("generateName"),
                message.to_owned(),
                hint,
            );
        }
        let Some(name) = self.text(&value, &base, &["metadata", "name"], Rule::MissingName, NAME_HINT) else { return };
        if !is_name(&name) || (has_plain_name(&gvk) && !is_dns_subdomain(&name)) {
            let hint = if has_plain_name(&gvk) {
                "Use at most 253 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends."
            } else {
                "Names are at most 253 characters, without `/` and `%`, and not `.` or `..`."
            };
            let at = base.field("metadata").field("name");
            return self.problem(
                Rule::InvalidName,
                &at,
                format!("the API server takes no object named {name:?}"),
                hint,
            );
        }
        let namespace = match metadata.get("namespace") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(namespace)) if namespace.is_empty() || is_dns_label(namespace) => namespace.clone(),
            Some(other) => {
                let found = other.as_str().map_or_else(|| what(other).to_owned(), |text| format!("{text:?}"));
                let hint = "A namespace is text of at most 63 lower-case letters, digits and `-`; quote it if it looks like a number.";
                let at = base.field("metadata").field("namespace");
                return self.problem(
                    Rule::InvalidName,
                    &at,
                    format!("metadata.namespace is {found}, which names no namespace"),
                    hint,
                );
            }
        };
        let key = ObjectKey { group: gvk.group.clone(), kind: gvk.kind.clone(), namespace, name };
        let (file, spans) = (self.file.clone(), self.spans.clone());
        self.manifests.push(Manifest { gvk, key, value: Arc::new(value), file, spans, base });
    }

    /// A text that has to be there; otherwise the problem is noted.
    fn text(&mut self, value: &Value, base: &FieldPath, path: &[&str], rule: Rule, hint: &str) -> Option<String> {
        let found = path.iter().try_fold(value, |value, field| value.get(field)).unwrap_or(&Value::Null);
        let field = path.join(".");
        let message = match found {
            Value::String(text) if !text.is_empty() => return Some(text.clone()),
            Value::Null => format!("the object has no {field}"),
            Value::String(_) => format!("{field} is empty"),
            other => format!("{field} is {}, not text", what(other)),
        };
        let hint = match found {
            Value::Null | Value::String(_) => hint,
            _ => "Quote it: unquoted, YAML reads it as something else.",
        };
        let at = path.iter().fold(base.clone(), |at, field| at.field(field));
        self.problem(rule, &at, message, hint);
        None
    }

    fn problem(&mut self, rule: Rule, at: &FieldPath, message: String, hint: &str) {
        let Place { line, column, .. } = self.spans.place(self.file, at);
        self.problems.push(Problem { rule, line, column, message, hint: Some(hint.to_owned()) });
    }
}

const KIND_HINT: &str =
    "Add `apiVersion` and `kind`; if this file is no manifest, keep it out of the environment's path.";
const NAME_HINT: &str = "Add `metadata.name`.";

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// What every kind's names have to keep to: one segment of a URL path.
fn is_name(name: &str) -> bool {
    name.len() <= 253 && name != "." && name != ".." && !name.contains(['/', '%'])
}

/// Kinds whose names the API server takes as DNS subdomains alone. Source: `ValidateName` in
/// pkg/apis/*/validation of Kubernetes.
const PLAINLY_NAMED: [(&str, &[&str]); 12] = [
    (
        "",
        &[
            "ConfigMap",
            "Endpoints",
            "LimitRange",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    ("apps", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("batch", &["CronJob", "Job"]),
    ("autoscaling", &["HorizontalPodAutoscaler"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("coordination.k8s.io", &["Lease"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("networking.k8s.io", &["Ingress", "IngressClass", "NetworkPolicy"]),
    ("discovery.k8s.io", &["EndpointSlice"]),
    ("storage.k8s.io", &["CSIDriver", "CSIStorageCapacity", "StorageClass", "VolumeAttributesClass"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
];

fn has_plain_name(gvk: &Gvk) -> bool {
    PLAINLY_NAMED.iter().any(|(group, kinds)| *group == gvk.group && kinds.contains(&gvk.kind.as_str()))
}
