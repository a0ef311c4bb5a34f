//! Where Pods may run: tolerations, affinities, and what may stand in such lists once.

use std::collections::HashSet;

use serde_json::Value;

use super::labels;
use super::object::{Object, is_unset};
use super::{Pods, look};

const RULE: &str = "valid/bounds";

pub(super) fn tolerations(object: &mut Object<'_>) {
    look(object, &Pods, "spec.tolerations[]", |object, toleration, at| {
        if !toleration.is_object() {
            return;
        }
        let exists = toleration["operator"].as_str() == Some("Exists");
        if is_unset(&toleration["key"]) && !exists {
            let hint = "name the key, or write `operator: Exists` for all";
            object.say(RULE, at, "has no key, which only the operator Exists needs not", hint);
        }
        if exists && !is_unset(&toleration["value"]) {
            let hint = "remove it, or write `operator: Equal`";
            object.say(RULE, &at.field("value"), "stands beside the operator Exists, which has none", hint);
        }
        if !toleration["tolerationSeconds"].is_null() && toleration["effect"].as_str() != Some("NoExecute") {
            let hint = "remove it, or write `effect: NoExecute`";
            object.say(RULE, &at.field("tolerationSeconds"), "is for the effect NoExecute alone", hint);
        }
    });
}

const NODE_TERMS: [&str; 2] = [
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[].matchExpressions[]",
    "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[].preference.matchExpressions[]",
];

/// Operators of node selectors and their values.
pub(super) fn nodes(object: &mut Object<'_>) {
    for path in NODE_TERMS {
        look(object, &Pods, path, |object, expression, at| {
            let count = expression["values"].as_array().map_or(0, Vec::len);
            let wrong = match expression["operator"].as_str() {
                Some("In" | "NotIn") if count == 0 => "needs `values` for this operator",
                Some("Exists" | "DoesNotExist") if count > 0 => "has `values`, which this operator does not take",
                Some("Gt" | "Lt") if count != 1 => "needs one value for this operator",
                _ => return,
            };
            let hint = "operators are In and NotIn, with values, Gt and Lt, with one, Exists and DoesNotExist, without";
            object.say(RULE, at, wrong, hint);
        });
    }
}

const SELECTORS: [&str; 3] = [
    "spec.affinity.podAffinity|podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[].labelSelector",
    "spec.affinity.podAffinity|podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.labelSelector",
    "spec.topologySpreadConstraints[].labelSelector",
];

/// Labels of other Pods.
pub(super) fn pods(object: &mut Object<'_>) {
    for path in SELECTORS {
        look(object, &Pods, path, labels::selector);
    }
}

/// Lists, and the fields that tell their elements apart.
const ONCE: &[(&str, &[&str])] = &[
    ("spec.schedulingGates[]", &["name"]),
    ("spec.securityContext.sysctls[]", &["name"]),
    ("spec.topologySpreadConstraints[]", &["topologyKey", "whenUnsatisfiable"]),
];

pub(super) fn once(object: &mut Object<'_>) {
    for (path, fields) in ONCE {
        let mut seen = HashSet::new();
        look(object, &Pods, path, |object, element, at| {
            let parts: Vec<&Value> = fields.iter().map(|field| &element[*field]).collect();
            if parts.iter().all(|part| part.is_string()) && !seen.insert(parts) {
                object.say("valid/duplicate", at, "is in the list already", "keep one of the two");
            }
        });
    }
}
