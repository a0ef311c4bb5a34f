//! CustomResourceDefinitions as a whole; their schemas are [`crate::schema`]'s.

use std::collections::HashSet;

use super::object::{Object, elements, is_unset};
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

/// Groups of Kubernetes itself are asked for there.
pub(super) fn group(object: &mut Object<'_>) {
    let group = object.value["spec"]["group"].as_str().unwrap_or_default();
    let is_protected = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.')));
    let approved = &object.value["metadata"]["annotations"]["api-approved.kubernetes.io"];
    if is_protected && is_unset(approved) {
        let hint = "use a group of your own domain";
        let what = "is a group of Kubernetes, and needs the annotation api-approved.kubernetes.io";
        object.say(RULE, &FieldPath::of(["spec", "group"]), what, hint);
    }
}
