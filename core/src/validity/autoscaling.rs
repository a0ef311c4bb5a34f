//! Bounds on how many Pods there are.

use super::labels;
use super::object::Object;
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
