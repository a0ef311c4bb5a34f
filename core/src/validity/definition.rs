//! CustomResourceDefinitions as a whole; their schemas are [`crate::schema`]'s.

use std::collections::HashSet;

use super::object::{Object, elements};
use crate::path::FieldPath;

const RULE: &str = "valid/definition";

pub(super) fn versions(object: &mut Object<'_>) {
    let (spec, at) = (&object.value["spec"], FieldPath::of(["spec"]));
    if let (Some(group), Some(plural)) = (spec["group"].as_str(), spec["names"]["plural"].as_str())
        && object.manifest.key.name != format!("{plural}.{group}")
    {
        let hint = format!("write `name: {plural}.{group}`");
        object.say(RULE, &FieldPath::of(["metadata", "name"]), "is not made of plural name and group", &hint);
    }
    let at = at.field("versions");
    if elements(&spec["versions"]).next().is_none() {
        return;
    }
    let (mut names, mut stored) = (HashSet::new(), 0);
    for (index, version) in elements(&spec["versions"]) {
        let at = at.index(index);
        if version["name"].as_str().is_some_and(|name| !names.insert(name)) {
            object.say(
                "valid/duplicate",
                &at.field("name"),
                "is the name of another version already",
                "keep one of the two",
            );
        }
        if version["storage"].as_bool() == Some(true) {
            stored += 1;
            if stored > 1 {
                let hint = "set `storage: true` on one version alone";
                object.say(RULE, &at.field("storage"), "makes a second version that is stored", hint);
            }
        }
    }
    if stored == 0 {
        object.say(RULE, &at, "has no version that is stored", "set `storage: true` on one of them");
    }
}
