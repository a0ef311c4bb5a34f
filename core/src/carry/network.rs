//! Allocated addresses and ports, and the default ingress class.

use serde_json::Value;

use super::{Subject, at, from_record, remove, set, str_at};

/// What the API server allocates to a Service. An update inherits these from the live object, so a
/// swapped one would go unseen: they come from the record of the creation.
pub(super) fn service(target: &mut Value, subject: &Subject<'_>) {
    let kind = str_at(subject.declared, &["spec", "type"]).unwrap_or("ClusterIP");
    if kind == "ExternalName" || subject.record.is_none() {
        return;
    }
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        // A declared address decides its list and the other way round.
        let address = field.starts_with("clusterIP");
        let decided =
            address && (subject.declares(&["spec", "clusterIP"]) || subject.declares(&["spec", "clusterIPs"]));
        if !decided {
            from_record(target, subject, &["spec", field]);
        }
    }
    if str_at(subject.declared, &["spec", "externalTrafficPolicy"]) == Some("Local") && kind == "LoadBalancer" {
        from_record(target, subject, &["spec", "healthCheckNodePort"]);
    }
    if matches!(kind, "NodePort" | "LoadBalancer") {
        node_ports(target, subject);
    }
}

fn port_id(port: &Value) -> (Option<&str>, Option<&Value>, &str) {
    let name = port.get("name").and_then(Value::as_str);
    (name, port.get("port"), port.get("protocol").and_then(Value::as_str).unwrap_or("TCP"))
}

fn node_ports(target: &mut Value, subject: &Subject<'_>) {
    let recorded = subject.recorded(&["spec", "ports"]).and_then(Value::as_array);
    let declared = at(subject.declared, &["spec", "ports"]).and_then(Value::as_array);
    let (Some(recorded), Some(declared)) = (recorded, declared) else { return };
    let Some(ports) = target.pointer_mut("/spec/ports").and_then(Value::as_array_mut) else { return };
    for port in ports {
        let id = port_id(port);
        let is_declared = declared.iter().any(|d| port_id(d) == id && d.get("nodePort").is_some_and(|n| n != 0));
        let known = recorded.iter().find(|r| port_id(r) == id).and_then(|r| r.get("nodePort")).cloned();
        if let (false, Some(node_port)) = (is_declared, known) {
            set(port, &["nodePort"], node_port);
        }
    }
}

/// The default class is set at creation only and may be changed by anyone afterwards: it is what
/// the creation's answer said, whatever the object says now.
pub(super) fn ingress(target: &mut Value, subject: &Subject<'_>) {
    let path = ["spec", "ingressClassName"];
    if subject.declares(&path) {
        return;
    }
    match subject.recorded(&path) {
        Some(class) => set(target, &path, class.clone()),
        None if subject.record.is_some() => remove(target, &path),
        None => {}
    }
}
