//! What was learnt of one content of an object, applied to another.

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

/// The additions to one content that fit another: what is filled in where the other says nothing, and
/// what becomes of values that both have.
pub(super) fn completed(patch: &Patch, content: &Value, other: &Value) -> Value {
    let mut object = other.clone();
    for operation in &patch.0 {
        let both_say = |pointer: &str| content.pointer(pointer).is_some_and(|v| other.pointer(pointer) == Some(v));
        match operation {
            PatchOperation::Add(add) => fill(&mut object, add.path.as_str(), &add.value),
            PatchOperation::Replace(replace) if both_say(replace.path.as_str()) => {
                if let Some(value) = object.pointer_mut(replace.path.as_str()) {
                    value.clone_from(&replace.value);
                }
            }
            PatchOperation::Remove(remove) if both_say(remove.path.as_str()) => {
                take(&mut object, remove.path.as_str());
            }
            _ => {}
        }
    }
    object
}

/// Sets a field of a map that is there and lacks it.
fn fill(object: &mut Value, pointer: &str, value: &Value) {
    if let Some((Value::Object(map), name)) = parent(object, pointer) {
        map.entry(name).or_insert_with(|| value.clone());
    }
}

fn take(object: &mut Value, pointer: &str) {
    if let Some((Value::Object(map), name)) = parent(object, pointer) {
        map.remove(&name);
    }
}

/// What holds the value that a pointer leads to (RFC 6901), and its name there.
fn parent<'a>(object: &'a mut Value, pointer: &str) -> Option<(&'a mut Value, String)> {
    let (parent, name) = pointer.rsplit_once('/')?;
    Some((object.pointer_mut(parent)?, name.replace("~1", "/").replace("~0", "~")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_api_server_fills_in_is_filled_in_elsewhere_too() {
        let declared = json!({"spec": {"cpu": "1000m", "memory": "1024Mi", "containers": [{"image": "a:2"}]}});
        let expected = json!({"spec": {"cpu": "1", "memory": "1Gi", "dnsPolicy": "ClusterFirst", "containers": [
            {"image": "a:2", "imagePullPolicy": "IfNotPresent"}]}});
        let patch = json_patch::diff(&declared, &expected);
        let cases = [
            (
                json!({"spec": {"cpu": "1000m", "memory": "2048Mi", "containers": [{"image": "a:1"}]}}),
                json!({"spec": {"cpu": "1", "memory": "2048Mi", "dnsPolicy": "ClusterFirst", "containers": [
                    {"image": "a:1", "imagePullPolicy": "IfNotPresent"}]}}),
            ),
            (
                json!({"spec": {"dnsPolicy": "None", "containers": [{"image": "a:1", "imagePullPolicy": "Always"}]}}),
                json!({"spec": {"dnsPolicy": "None", "containers": [{"image": "a:1", "imagePullPolicy": "Always"}]}}),
            ),
            (json!({"spec": {}}), json!({"spec": {"dnsPolicy": "ClusterFirst"}})),
        ];
        for (other, wanted) in cases {
            assert_eq!(completed(&patch, &declared, &other), wanted);
        }
        assert_eq!(completed(&patch, &declared, &declared), expected);
    }
}
