//! Bounds on how many Pods there are, and what they are set by.

use serde_json::Value;

use super::labels;
use super::object::{Object, elements};
use crate::path::FieldPath;

pub(super) fn replicas(object: &mut Object<'_>) {
    let (spec, at) = (&object.value["spec"], FieldPath::of(["spec"]));
    let Some(most) = spec["maxReplicas"].as_i64() else { return };
    if most < 1 {
        object.say("valid/bounds", &at.field("maxReplicas"), "must be at least 1", "raise it");
        return;
    }
    let least = spec["minReplicas"].as_i64().unwrap_or(1);
    if least < 0 {
        object.say("valid/bounds", &at.field("minReplicas"), "must not be negative", "raise it");
    } else if least > most {
        let hint = "swap the two, or correct one of them";
        object.say("valid/bounds", &at.field("minReplicas"), "is more than `maxReplicas`", hint);
    }
}

pub(super) fn budget(object: &mut Object<'_>) {
    let (spec, at) = (&object.value["spec"], FieldPath::of(["spec"]));
    labels::selector(object, &spec["selector"], &at.field("selector"));
    if !spec["minAvailable"].is_null() && !spec["maxUnavailable"].is_null() {
        let hint = "keep one of the two";
        object.say(
            "valid/bounds",
            &at.field("maxUnavailable"),
            "stands beside `minAvailable`, which excludes it",
            hint,
        );
    }
}

/// Where a metric says what its target is measured by.
pub(super) const METRIC_TARGET_TYPES: &str =
    "spec.metrics[].resource|containerResource|pods|object|external.target.type";

/// The type of a metric, and the field that says more of it.
const METRICS: [(&str, &str); 5] = [
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
    ("Pods", "pods"),
    ("Object", "object"),
    ("External", "external"),
];

pub(super) fn metrics(object: &mut Object<'_>) {
    for (index, metric) in elements(&object.value["spec"]["metrics"]) {
        let at = FieldPath::of(["spec", "metrics"]).index(index);
        let field = METRICS.iter().find(|(name, _)| metric["type"].as_str() == Some(name)).map(|(_, field)| field);
        if let Some(field) = field.filter(|field| metric[**field].is_null()) {
            object.say("valid/missing", &at, format!("needs `{field}` for its type"), "add it, or correct the type");
        }
    }
}

/// Without Pods nothing of Pods can be measured.
pub(super) fn from_zero(object: &mut Object<'_>) {
    let spec = &object.value["spec"];
    // Of version 1 the metrics stand in an annotation.
    if spec["minReplicas"].as_i64() != Some(0) || object.manifest.gvk.version == "v1" {
        return;
    }
    let of_others = |metric: &Value| matches!(metric["type"].as_str(), Some("Object" | "External"));
    if !elements(&spec["metrics"]).any(|(_, metric)| of_others(metric)) {
        let hint = "raise it to 1, or scale by a metric of type Object or External";
        object.say(
            "valid/bounds",
            &FieldPath::of(["spec", "minReplicas"]),
            "must be at least 1 for such metrics",
            hint,
        );
    }
}
