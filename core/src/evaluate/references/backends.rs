//! Who is meant by name: an Ingress' Services, an autoscaler's target, a binding's role and accounts.

use serde_json::Value;

use super::Subject;
use super::index::is_custom;
use super::pods::elements;
use crate::finding::Finding;
use crate::object::Gvk;
use crate::path::FieldPath;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let value = &subject.object.manifest.value;
    if subject.is("networking.k8s.io", "Ingress") {
        let at = FieldPath::of(["spec", "defaultBackend"]);
        backend(subject, &value["spec"]["defaultBackend"]["service"], &at.field("service"), findings);
        for (r, rule) in elements(&value["spec"]["rules"]) {
            for (p, path) in elements(&rule["http"]["paths"]) {
                let at = FieldPath::of(["spec", "rules"]).index(r).field("http").field("paths").index(p);
                backend(subject, &path["backend"]["service"], &at.field("backend").field("service"), findings);
            }
        }
    }
    if subject.is("autoscaling", "HorizontalPodAutoscaler") {
        let target = &value["spec"]["scaleTargetRef"];
        let (Some(gvk), Some(name)) = (scaled(target), target["name"].as_str()) else { return };
        let at = FieldPath::of(["spec", "scaleTargetRef", "name"]);
        findings.extend(subject.missing(&gvk.group, &gvk.kind, name, &at));
    }
    if subject.is("rbac.authorization.k8s.io", "RoleBinding") {
        let role = &value["roleRef"];
        if let (Some("Role"), Some(name)) = (role["kind"].as_str(), role["name"].as_str()) {
            let at = FieldPath::of(["roleRef", "name"]);
            findings.extend(subject.missing("rbac.authorization.k8s.io", "Role", name, &at));
        }
    }
    if subject.key().kind.ends_with("RoleBinding") && subject.key().group == "rbac.authorization.k8s.io" {
        for (index, who) in elements(&value["subjects"]) {
            let (Some("ServiceAccount"), Some(name)) = (who["kind"].as_str(), who["name"].as_str()) else { continue };
            let namespace = who["namespace"].as_str().unwrap_or(subject.namespace());
            let at = FieldPath::of(["subjects"]).index(index).field("name");
            findings.extend(subject.missing_in("", "ServiceAccount", namespace, name, &at));
        }
    }
}

/// What an autoscaler scales, if it is of a kind whose objects are looked for.
fn scaled(target: &Value) -> Option<Gvk> {
    let gvk = match target["apiVersion"].as_str() {
        Some(version) => Gvk::new(version, target["kind"].as_str()?),
        None => return None,
    };
    (!is_custom(&gvk.group)).then_some(gvk)
}

fn backend(subject: &Subject<'_>, service: &Value, at: &FieldPath, findings: &mut Vec<Finding>) {
    let Some(name) = service["name"].as_str() else { return };
    if let Some(finding) = subject.missing("", "Service", name, &at.field("name")) {
        findings.push(finding);
        return;
    }
    let Some(declared) = subject.index.get("", "Service", subject.namespace(), name) else { return };
    let spec = &declared.manifest.value["spec"];
    let (field, wanted) = match (&service["port"]["name"], &service["port"]["number"]) {
        (Value::Null, Value::Null) => return,
        (Value::Null, number) => ("number", number),
        (name, _) => ("name", name),
    };
    let ports: Vec<&Value> = elements(&spec["ports"]).map(|(_, port)| port).collect();
    let has = |port: &&Value| if field == "name" { port["name"] == *wanted } else { port["port"] == *wanted };
    if spec["type"] == "ExternalName" || ports.iter().any(has) {
        return;
    }
    let text = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
    let message = format!("{} leads to the port {text} of Service/{name}, which has no such port", subject.key());
    let there: Vec<String> = ports.iter().map(|port| port["port"].to_string()).collect();
    let finding = subject.warning("reference/port", message, &at.field("port").field(field));
    findings.push(finding.with_hint(format!("Ports there: {}.", there.join(", "))));
}
