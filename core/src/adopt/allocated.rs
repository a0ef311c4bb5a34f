//! What the API server or the binder chose for an object once, and no person did.

use serde_json::Value;

use crate::object::{self, ObjectKey};

const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Takes out what was allocated to a Service. What a person is known to have asked for stays: it stands
/// in what was applied last.
pub(super) fn without_allocated(manifest: &mut Value, key: &ObjectKey, live: &Value) {
    if (key.group.as_str(), key.kind.as_str()) == ("", "Service") {
        service(manifest, &applied(live));
    }
}

/// Whether a person asked for a claim's volume by name.
pub(super) fn names_its_volume(live: &Value) -> bool {
    applied(live).pointer("/spec/volumeName").is_some()
}

fn applied(live: &Value) -> Value {
    object::annotation(live, APPLIED).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn service(manifest: &mut Value, applied: &Value) {
    let asked = |field: &str| applied.pointer("/spec").is_some_and(|spec| spec.get(field).is_some());
    let Some(spec) = manifest.get_mut("spec").and_then(Value::as_object_mut) else { return };
    // Without an address of its own is a sort of Service; an address is a number that was free.
    let headless = spec.get("clusterIP").is_some_and(|ip| ip == "None");
    if !headless && !asked("clusterIP") {
        spec.remove("clusterIP");
    }
    for field in ["clusterIPs", "healthCheckNodePort"] {
        if !asked(field) {
            spec.remove(field);
        }
    }
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        let of_applied = applied.pointer("/spec/ports").and_then(Value::as_array).into_iter().flatten();
        let asked =
            of_applied.filter(|p| p.get("nodePort").is_some()).any(|p| p.get("nodePort") == port.get("nodePort"));
        if !asked {
            port.remove("nodePort");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trimmed(spec: Value, applied: Option<Value>) -> Value {
        let mut live = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec});
        if let Some(applied) = applied {
            live["metadata"]["annotations"] = json!({APPLIED: json!({"spec": applied}).to_string()});
        }
        let mut manifest = live.clone();
        without_allocated(&mut manifest, &ObjectKey::new("", "Service", "shop", "web"), &live);
        manifest["spec"].take()
    }

    #[test]
    fn addresses_and_ports_that_nobody_asked_for_go() {
        let ports = json!([{"port": 80, "nodePort": 30080}, {"port": 81, "nodePort": 30081}]);
        let spec = json!({"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "ports": ports});
        assert_eq!(trimmed(spec.clone(), None), json!({"ports": [{"port": 80}, {"port": 81}]}));
        let applied = json!({"clusterIP": "10.0.0.7", "ports": [{"port": 80, "nodePort": 30080}]});
        assert_eq!(
            trimmed(spec, Some(applied)),
            json!({"clusterIP": "10.0.0.7", "ports": [{"port": 80, "nodePort": 30080}, {"port": 81}]})
        );
        let headless = json!({"clusterIP": "None", "clusterIPs": ["None"]});
        assert_eq!(trimmed(headless, None), json!({"clusterIP": "None"}));
    }
}
