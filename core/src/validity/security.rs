//! Profiles that confine Pods and containers.

use serde_json::Value;

use super::object::{Object, elements, is_unset};
use super::{Containers, On, Pods, look};
use crate::path::FieldPath;

const PROFILES: &[(On, &str)] = &[
    (Pods, "spec.securityContext.seccompProfile|appArmorProfile"),
    (Containers, "securityContext.seccompProfile|appArmorProfile"),
];

/// A profile of the node has a name, and no other has one.
pub(super) fn profiles(object: &mut Object<'_>) {
    for (on, path) in PROFILES {
        look(object, on, path, profile);
    }
}

fn profile(object: &mut Object<'_>, profile: &Value, at: &FieldPath) {
    let is_named = !is_unset(&profile["localhostProfile"]);
    match profile["type"].as_str() {
        Some("Localhost") if !is_named => {
            object.say("valid/missing", at, "needs `localhostProfile`", "name the profile, or use RuntimeDefault");
        }
        Some("RuntimeDefault" | "Unconfined") if is_named => {
            let hint = "remove it, or write `type: Localhost`";
            object.say("valid/bounds", &at.field("localhostProfile"), "is for the type Localhost alone", hint);
        }
        _ => {}
    }
}

/// Who is given everything is not kept from it.
pub(super) fn privileges(object: &mut Object<'_>) {
    look(object, &Containers, "securityContext", |object, context, at| {
        if context["allowPrivilegeEscalation"].as_bool() != Some(false) {
            return;
        }
        let added = elements(&context["capabilities"]["add"]);
        let is_admin = added.filter_map(|(_, name)| name.as_str()).any(|name| name == "CAP_SYS_ADMIN");
        if is_admin || context["privileged"].as_bool() == Some(true) {
            let hint = "remove it, or `privileged` and CAP_SYS_ADMIN";
            let what = "must not be false for a container that is privileged";
            object.say("valid/bounds", &at.field("allowPrivilegeEscalation"), what, hint);
        }
    });
}

/// What a container mounts, others see only of a privileged one.
pub(super) fn propagation(object: &mut Object<'_>) {
    for (container, at) in object.parts(&Containers) {
        if container["securityContext"]["privileged"].as_bool() == Some(true) {
            continue;
        }
        for (mode, at) in super::each(container, &at, "volumeMounts[].mountPropagation") {
            if mode.as_str() == Some("Bidirectional") {
                let hint = "use HostToContainer";
                object.say("valid/bounds", &at, "is for privileged containers alone", hint);
            }
        }
    }
}
