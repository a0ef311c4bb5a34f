//! Secrets of a type have the keys of that type. No value is told.

use serde_json::Value;

use super::object::{Object, fields, is_unset};
use crate::path::FieldPath;

const RULE: &str = "valid/missing";

/// Type, its keys, and whether one of them is enough.
const KEYS: &[(&str, &[&str], bool)] = &[
    ("kubernetes.io/tls", &["tls.crt", "tls.key"], false),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"], false),
    ("kubernetes.io/basic-auth", &["username", "password"], true),
    ("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"], false),
    ("kubernetes.io/dockercfg", &[".dockercfg"], false),
];

pub(super) fn keys(object: &mut Object<'_>) {
    let value = object.value;
    // One without any keys may add to what others made: the keys are there already.
    let has = |key: &str| !value["data"][key].is_null() || !value["stringData"][key].is_null();
    if fields(&value["data"]).chain(fields(&value["stringData"])).next().is_none() {
        return;
    }
    let Some((name, keys, one)) = KEYS.iter().find(|(name, ..)| value["type"].as_str() == Some(name)) else { return };
    let missing: Vec<&str> = keys.iter().copied().filter(|key| !has(key)).collect();
    let wanted = if *one { missing.len() == keys.len() } else { !missing.is_empty() };
    if wanted {
        let what = format!("needs the key `{}`", missing.join(if *one { "` or `" } else { "` and `" }));
        let at = if value["data"].is_object() { "data" } else { "stringData" };
        object.say(RULE, &FieldPath::of([at]), what, &format!("a Secret of type {name} has it; or use another type"));
    }
}

/// What logs in to registries is JSON. (Under `data` it is base64, and left to the API server.)
pub(super) fn registries(object: &mut Object<'_>) {
    let key = match object.value["type"].as_str() {
        Some("kubernetes.io/dockerconfigjson") => ".dockerconfigjson",
        Some("kubernetes.io/dockercfg") => ".dockercfg",
        _ => return,
    };
    let text = object.value["stringData"][key].as_str();
    if text.is_some_and(|text| serde_json::from_str::<Value>(text).is_err()) {
        let hint = "write what `docker login` writes to its config.json";
        object.say("valid/value", &FieldPath::of(["stringData"]).field(key), "is no JSON", hint);
    }
}

/// A token is some service account's.
pub(super) fn token(object: &mut Object<'_>) {
    let annotation = &object.value["metadata"]["annotations"]["kubernetes.io/service-account.name"];
    if object.value["type"].as_str() == Some("kubernetes.io/service-account-token") && is_unset(annotation) {
        let hint = "name the service account in it";
        let what = "needs the annotation kubernetes.io/service-account.name for this type";
        object.say(RULE, &FieldPath::of(["type"]), what, hint);
    }
}
