//! A second witness. An update inherits some fields from the live object (a Secret's type, a Service
//! without an address), so that they seem to come back by themselves. A creation inherits nothing: what
//! is made of the trimmed manifest has to be what is made of the whole one.

use serde_json::{Value, json};

use crate::change::{changes, normalised};
use crate::path::{FieldPath, Step};

/// The body of a creation of the same content under a generated name, without what can be given to one
/// object alone.
pub fn creation(manifest: &Value) -> Value {
    let mut body = manifest.clone();
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut)
        && let Some(Value::String(name)) = metadata.remove("name")
    {
        let stem: String = name.chars().take(200).collect();
        metadata.insert("generateName".to_owned(), json!(format!("{stem}-")));
    }
    if body["kind"] == "Service"
        && let Some(spec) = body.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.retain(|field, value| field != "healthCheckNodePort" && (field != "clusterIP" || value == "None"));
        let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
        ports.into_iter().flatten().filter_map(Value::as_object_mut).for_each(|port| {
            port.remove("nodePort");
        });
    }
    body
}

/// Puts back into a trimmed manifest what of the whole one counts at creation: `of_whole` and
/// `of_trimmed` are the answers to their creations.
pub fn restore(trimmed: &mut Value, whole: &Value, of_whole: &Value, of_trimmed: &Value) {
    let (of_whole, of_trimmed) = (normalised(of_whole, true), normalised(of_trimmed, true));
    for change in changes(&of_whole, &of_trimmed) {
        if !change.path.starts_with(&["metadata"]) && change.path.get(whole).is_some() {
            put_back(trimmed, whole, &change.path);
        }
    }
}

/// Puts back the least subtree of `whole` that holds a path and is missing, or the value if all that
/// holds it is there.
fn put_back(trimmed: &mut Value, whole: &Value, path: &FieldPath) {
    let missing = (1..=path.0.len()).map(|n| FieldPath(path.0[..n].to_vec())).find(|p| p.get(trimmed).is_none());
    let place = missing.unwrap_or_else(|| path.clone());
    let (Some(value), Some((Step::Field(field), parent))) = (place.get(whole), place.0.split_last()) else { return };
    let pointer = FieldPath(parent.to_vec()).pointer(trimmed);
    if let Some(fields) = trimmed.pointer_mut(&pointer).and_then(Value::as_object_mut) {
        fields.insert(field.clone(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_at_creation_alone_is_put_back() {
        let whole = json!({"kind": "Service", "metadata": {"name": "a"},
            "spec": {"clusterIP": "None", "x": {"y": 1, "z": 2}, "ports": [{"port": 80, "protocol": "UDP", "nodePort": 1}]}});
        let mut trimmed =
            json!({"kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80, "nodePort": 1}]}});
        let made = |address: &str, y: u8| {
            json!({"kind": "Service", "metadata": {"name": format!("a-{y}"), "uid": y},
                "spec": {"clusterIP": address, "x": {"y": y, "z": 2}, "other": y, "ports": [{"port": 80}]}})
        };
        restore(&mut trimmed, &whole, &made("None", 1), &made("10.0.0.1", 3));
        let expected = json!({"clusterIP": "None", "x": {"y": 1, "z": 2}, "ports": [{"port": 80, "nodePort": 1}]});
        assert_eq!(trimmed["spec"], expected);
        let same = trimmed.clone();
        // A creation that is refused may lack anything.
        let mut bare = json!({"spec": {"ports": [{"port": 80}]}});
        restore(&mut bare, &whole, &made("None", 1), &Value::Null);
        assert_eq!(
            (&bare["spec"]["clusterIP"], &bare["spec"]["x"]),
            (&whole["spec"]["clusterIP"], &whole["spec"]["x"])
        );
        restore(&mut trimmed, &whole, &made("None", 1), &made("None", 1));
        assert_eq!(trimmed, same);
    }

    #[test]
    fn a_creation_asks_for_nothing_that_another_has() {
        let service = json!({"kind": "Service", "metadata": {"name": "a"},
            "spec": {"clusterIP": "10.0.0.7", "ports": [{"port": 80, "nodePort": 30080}]}});
        let body = json!({"kind": "Service", "metadata": {"generateName": "a-"}, "spec": {"ports": [{"port": 80}]}});
        assert_eq!(creation(&service), body);
        assert_eq!(creation(&json!({"kind": "X"})), json!({"kind": "X"}));
    }
}
