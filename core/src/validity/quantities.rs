//! Amounts.

use super::object::{Object, fields};
use super::{Containers, Kinds, On, Pods, look};
use crate::path::FieldPath;
use crate::quantity::Quantity;

const RULE: &str = "valid/bounds";

/// Which objects, and which maps of amounts in them, none of which is negative.
const AMOUNTS: &[(On, &str)] = &[
    (Containers, "resources.requests|limits"),
    (Kinds("", &["PersistentVolumeClaim"]), "spec.resources.requests|limits"),
    (Kinds("", &["PersistentVolume"]), "spec.capacity"),
    (Kinds("", &["ResourceQuota"]), "spec.hard"),
];

pub(super) fn not_negative(object: &mut Object<'_>) {
    for (on, path) in AMOUNTS {
        look(object, on, path, |object, amounts, at| {
            for (name, amount) in fields(amounts) {
                if Quantity::of(amount).is_some_and(|amount| amount < Quantity::default()) {
                    object.say(RULE, &at.field(name), "must not be negative", "correct it");
                }
            }
        });
    }
    look(object, &Pods, "spec.volumes[].emptyDir.sizeLimit", |object, limit, at| {
        if Quantity::of(limit).is_some_and(|limit| limit < Quantity::default()) {
            object.say(RULE, at, "must not be negative", "correct it, or leave it out");
        }
    });
}

/// Devices and the like come one by one.
pub(super) fn whole(object: &mut Object<'_>) {
    look(object, &Containers, "resources.requests|limits", |object, amounts, at| {
        for (name, amount) in fields(amounts) {
            let is_extended = name.split_once('/').is_some_and(|(domain, _)| !domain.ends_with("kubernetes.io"));
            if is_extended && Quantity::of(amount).is_some_and(|amount| !amount.is_whole()) {
                object.say(RULE, &at.field(name), "must be a whole number", "round it");
            }
        }
    });
}

/// A claim asks for some storage.
pub(super) fn claim(object: &mut Object<'_>) {
    let (spec, at) = (&object.value["spec"], FieldPath::of(["spec"]));
    if !spec.is_object() {
        return;
    }
    let asked = &spec["resources"]["requests"]["storage"];
    if asked.is_null() {
        let at = if spec["resources"].is_null() { at } else { at.field("resources") };
        object.say("valid/missing", &at, "asks for no storage", "write `resources: {requests: {storage: 1Gi}}`");
    } else if Quantity::of(asked) == Some(Quantity::default()) {
        let at = at.field("resources").field("requests").field("storage");
        object.say(RULE, &at, "must be more than 0", "raise it");
    }
}

/// Each of these is at most what comes after it.
const ASCENDING: [&str; 4] = ["min", "defaultRequest", "default", "max"];

pub(super) fn limit_range(object: &mut Object<'_>) {
    look(object, &Kinds("", &["LimitRange"]), "spec.limits[]", |object, limit, at| {
        for (index, lower) in ASCENDING.iter().enumerate() {
            for higher in &ASCENDING[index + 1..] {
                for (name, amount) in fields(&limit[lower]) {
                    let most = limit[higher].get(name).and_then(Quantity::of);
                    if Quantity::of(amount).zip(most).is_some_and(|(least, most)| least > most) {
                        let hint = "`min` is at most `defaultRequest`, that at most `default`, and that at most `max`";
                        object.say(RULE, &at.field(lower).field(name), format!("is more than in `{higher}`"), hint);
                    }
                }
            }
        }
    });
}
