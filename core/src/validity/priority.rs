//! PriorityClasses.

use super::object::Object;
use crate::path::FieldPath;

/// What is more is for the system.
const MOST: i64 = 1_000_000_000;

const OF_THE_SYSTEM: [&str; 2] = ["system-cluster-critical", "system-node-critical"];

pub(super) fn class(object: &mut Object<'_>) {
    let name = object.manifest.key.name.as_str();
    if OF_THE_SYSTEM.contains(&name) {
        return;
    }
    if name.starts_with("system-") {
        let at = FieldPath::of(["metadata", "name"]);
        object.say("valid/name", &at, "begins with `system-`, which is reserved", "use another name");
    }
    if object.value["value"].as_i64().is_some_and(|value| value > MOST) {
        object.say("valid/bounds", &FieldPath::of(["value"]), "must be at most 1000000000", "lower it");
    }
}
