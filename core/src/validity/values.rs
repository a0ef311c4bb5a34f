//! Values of which the schema does not say what they may be.

use serde_json::Value;

use super::autoscaling::METRIC_TARGET_TYPES;
use super::object::{Object, elements, fields, is_unset};
use super::webhooks::CONFIGURATIONS;
use super::{Containers, Kinds, On, Pods, RIGHTS, look};
use crate::path::FieldPath;

const RULE: &str = "valid/value";

/// Which objects, which fields, and what they may be; what is empty counts as left out.
const VALUES: &[(On, &str, &[&str])] = &[
    (Kinds(RIGHTS, &["RoleBinding"]), "roleRef.kind", &["Role", "ClusterRole"]),
    (Kinds(RIGHTS, &["ClusterRoleBinding"]), "roleRef.kind", &["ClusterRole"]),
    (Kinds(RIGHTS, &["RoleBinding", "ClusterRoleBinding"]), "roleRef.apiGroup", &[RIGHTS]),
    (Kinds(RIGHTS, &["RoleBinding", "ClusterRoleBinding"]), "subjects[].kind", &["ServiceAccount", "User", "Group"]),
    (Kinds("storage.k8s.io", &["StorageClass"]), "reclaimPolicy", &["Delete", "Retain"]),
    (
        Kinds("apps", &["StatefulSet"]),
        "spec.persistentVolumeClaimRetentionPolicy.whenDeleted|whenScaled",
        &["Retain", "Delete"],
    ),
    (Kinds("", &["Service"]), "spec.trafficDistribution", &["PreferClose", "PreferSameZone", "PreferSameNode"]),
    (
        Kinds("autoscaling", &["HorizontalPodAutoscaler"]),
        "spec.behavior.scaleUp|scaleDown.policies[].type",
        &["Percent", "Pods"],
    ),
    (
        Kinds("autoscaling", &["HorizontalPodAutoscaler"]),
        "spec.metrics[].type",
        &["Resource", "ContainerResource", "Pods", "Object", "External"],
    ),
    (
        Kinds("autoscaling", &["HorizontalPodAutoscaler"]),
        METRIC_TARGET_TYPES,
        &["Utilization", "Value", "AverageValue"],
    ),
    (CONFIGURATIONS, "webhooks[].sideEffects", &["None", "NoneOnDryRun"]),
    (Pods, "spec.os.name", &["linux", "windows"]),
    (Containers, "restartPolicy", &["Always", "Never", "OnFailure"]),
    (
        Kinds("apiextensions.k8s.io", &["CustomResourceDefinition"]),
        "spec.versions[].additionalPrinterColumns[].type",
        &["boolean", "date", "integer", "number", "string"],
    ),
];

pub(super) fn known(object: &mut Object<'_>) {
    for (on, path, allowed) in VALUES {
        look(object, on, path, |object, value, at| one_of(object, value, at, allowed));
    }
}

fn one_of(object: &mut Object<'_>, value: &Value, at: &FieldPath, allowed: &[&str]) {
    let Some(text) = value.as_str().filter(|_| !is_unset(value)) else { return };
    if !allowed.contains(&text) {
        object.say(RULE, at, format!("does not allow `{text}`"), &format!("Allowed: {}.", allowed.join(", ")));
    }
}

/// What an object in a variable may be asked for.
const FIELDS: [&str; 10] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.host",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields of the Pod, and its containers' resources, in variables.
pub(super) fn downward(object: &mut Object<'_>) {
    look(object, &Containers, "env[].valueFrom.fieldRef.fieldPath", |object, path, at| {
        let is_entry = |text: &str| {
            let entry = text.strip_prefix("metadata.labels[").or_else(|| text.strip_prefix("metadata.annotations["));
            entry.is_some_and(|key| key.ends_with(']'))
        };
        if path.as_str().is_some_and(|text| !FIELDS.contains(&text) && !is_entry(text)) {
            let hint = "use metadata.name, .namespace, .uid, .labels['key'] or .annotations['key'], spec.nodeName or .serviceAccountName, status.hostIP, .hostIPs, .podIP or .podIPs";
            object.say(RULE, at, "is no field that a variable can have", hint);
        }
    });
    look(object, &Containers, "env[].valueFrom.resourceFieldRef.resource", |object, resource, at| {
        let Some(text) = resource.as_str() else { return };
        let name = text.strip_prefix("limits.").or_else(|| text.strip_prefix("requests.")).unwrap_or_default();
        if !is_resource(name) {
            object.say(
                RULE,
                at,
                "is no amount that a variable can have",
                "write it like limits.cpu or requests.memory",
            );
        }
    });
}

/// Whether a name without domain is a resource of containers.
fn is_resource(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-")
}

/// What containers ask for.
pub(super) fn resources(object: &mut Object<'_>) {
    look(object, &Containers, "resources.requests|limits", |object, amounts, at| {
        for (name, _) in fields(amounts).filter(|(name, _)| !name.contains('/') && !is_resource(name)) {
            let hint = "resources are cpu, memory, ephemeral-storage, hugepages-2Mi and the like; others have a domain before them";
            object.say_of_key(RULE, &at.field(name), "is no resource of containers", hint);
        }
    });
}

/// Whom a binding is for, by group and namespace.
pub(super) fn subjects(object: &mut Object<'_>) {
    let everywhere = object.is("ClusterRoleBinding");
    for (index, subject) in elements(&object.value["subjects"]) {
        let at = FieldPath::of(["subjects"]).index(index);
        match subject["kind"].as_str() {
            Some("ServiceAccount") => {
                one_of(object, &subject["apiGroup"], &at.field("apiGroup"), &["\"\""]);
                if everywhere && is_unset(&subject["namespace"]) {
                    object.say("valid/missing", &at, "needs `namespace`", "name the namespace of the service account");
                }
            }
            Some("User" | "Group") => one_of(object, &subject["apiGroup"], &at.field("apiGroup"), &[RIGHTS]),
            _ => {}
        }
    }
}

/// What a role's rules are about.
pub(super) fn rights(object: &mut Object<'_>) {
    let in_namespace = object.is("Role");
    for (index, rule) in elements(&object.value["rules"]) {
        let at = FieldPath::of(["rules"]).index(index);
        let count = |field: &str| elements(&rule[field]).count();
        if count("nonResourceURLs") > 0 {
            if in_namespace {
                let hint = "write a ClusterRole for it";
                object.say("valid/bounds", &at.field("nonResourceURLs"), "is nothing that a Role can give", hint);
            }
            continue;
        }
        for field in ["apiGroups", "resources"].into_iter().filter(|field| rule.is_object() && count(field) == 0) {
            let hint = if field == "resources" { "name them" } else { "write `\"\"` for those of `v1`, such as pods" };
            object.say("valid/missing", &at, format!("needs `{field}`"), hint);
        }
    }
}
