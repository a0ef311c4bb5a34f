//! Jobs, and those that CronJobs make: what goes with their mode and their Pods.

use serde_json::Value;

use super::object::{Object, each, elements, fields, is_given};
use crate::path::FieldPath;

const RULE: &str = "valid/bounds";

/// The Job's `spec` and where it stands.
fn spec<'m>(object: &Object<'m>) -> Option<(&'m Value, FieldPath)> {
    let path = if object.is("CronJob") { "spec.jobTemplate.spec" } else { "spec" };
    each(object.value, &FieldPath::root(), path).pop()
}

/// The names of Pods, and of what marks them, are made of the Job's.
pub(super) fn name(object: &mut Object<'_>) {
    let chooses = object.value["spec"]["manualSelector"].as_bool() == Some(true);
    if object.manifest.key.name.len() > 63 && !chooses {
        let hint = "use at most 63 characters: it becomes a label of its Pods";
        object.say("valid/name", &FieldPath::of(["metadata", "name"]), "is too long for a Job", hint);
    }
}

/// What counts Pods by their index needs Pods with an index.
pub(super) fn indexed(object: &mut Object<'_>) {
    let Some((spec, at)) = spec(object) else { return };
    if spec["completionMode"].as_str() == Some("Indexed") {
        return;
    }
    for field in ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] {
        if !spec[field].is_null() {
            let hint = "write `completionMode: Indexed`, or remove it";
            object.say(RULE, &at.field(field), "needs `completionMode: Indexed`", hint);
        }
    }
}

/// What a failure means is asked of Pods that do not restart.
pub(super) fn failures(object: &mut Object<'_>) {
    let Some((spec, at)) = spec(object) else { return };
    let policy = &spec["podFailurePolicy"];
    let restart = &spec["template"]["spec"]["restartPolicy"];
    if policy.is_object() && restart.as_str() == Some("OnFailure") {
        let at = at.field("template").field("spec").field("restartPolicy");
        object.say("valid/restart-policy", &at, "must be Never beside a `podFailurePolicy`", "write Never");
    }
    for (codes, at) in each(spec, &at, "podFailurePolicy.rules[].onExitCodes") {
        let zero = elements(&codes["values"]).find(|(_, value)| value.as_i64() == Some(0));
        if let Some((index, _)) = zero.filter(|_| codes["operator"].as_str() == Some("In")) {
            object.say(RULE, &at.field("values").index(index), "is no failure", "remove the 0");
        }
    }
}

/// The API server makes a Job's selector, unless that is the author's.
pub(super) fn selector(object: &mut Object<'_>) {
    let Some((spec, at)) = spec(object) else { return };
    let (selector, manual) = (&spec["selector"], spec["manualSelector"].as_bool() == Some(true));
    // One that was made stands in what was read from a cluster.
    let mut labels = fields(&selector["matchLabels"]);
    let is_made = labels.any(|(key, _)| key.ends_with("controller-uid"));
    if object.is("CronJob") {
        if manual {
            object.say(RULE, &at.field("manualSelector"), "is nothing for a CronJob's Jobs", "remove it");
        }
        if is_given(selector) {
            object.say(RULE, &at.field("selector"), "is made by the API server", "remove it");
        }
    } else if manual && selector.is_null() {
        object.say("valid/missing", &at, "needs `selector` beside `manualSelector`", "remove `manualSelector`");
    } else if is_given(selector) && !manual && !is_made {
        object.say(RULE, &at.field("selector"), "is made by the API server", "remove it");
    }
}
