//! Who is meant by name: an Ingress' Services, an autoscaler's target, a binding's role and accounts.

use std::borrow::Cow;

use serde_json::Value;

use super::Asking;
use super::index::is_custom;
use super::pods::elements;
use crate::evaluate::facts::Need;
use crate::path::FieldPath;

const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) fn ask(asking: &mut Asking<'_>) {
    let value = asking.manifest.value.as_ref();
    if asking.is("networking.k8s.io", "Ingress") {
        let at = FieldPath::of(["spec", "defaultBackend"]);
        asking.backend(&value["spec"]["defaultBackend"]["service"], &at.field("service"));
        for (r, rule) in elements(&value["spec"]["rules"]) {
            for (p, path) in elements(&rule["http"]["paths"]) {
                let at = FieldPath::of(["spec", "rules"]).index(r).field("http").field("paths").index(p);
                asking.backend(&path["backend"]["service"], &at.field("backend").field("service"));
            }
        }
    }
    if asking.is("autoscaling", "HorizontalPodAutoscaler") {
        let target = &value["spec"]["scaleTargetRef"];
        let (Some((group, kind)), Some(name)) = (scaled(target), target["name"].as_str()) else { return };
        asking.object(group, kind, name, &FieldPath::of(["spec", "scaleTargetRef", "name"]));
    }
    if asking.is(RBAC, "RoleBinding") {
        let role = &value["roleRef"];
        if let (Some("Role"), Some(name)) = (role["kind"].as_str(), role["name"].as_str()) {
            asking.object(RBAC, "Role", name, &FieldPath::of(["roleRef", "name"]));
        }
    }
    let key = &asking.manifest.key;
    if key.group == RBAC && key.kind.ends_with("RoleBinding") {
        for (index, who) in elements(&value["subjects"]) {
            let (Some("ServiceAccount"), Some(name)) = (who["kind"].as_str(), who["name"].as_str()) else { continue };
            let namespace = who["namespace"].as_str().unwrap_or(asking.namespace);
            let at = FieldPath::of(["subjects"]).index(index).field("name");
            asking.object_in("", "ServiceAccount", namespace, name, &at);
        }
    }
}

/// Group and kind of what an autoscaler scales, if its objects are looked for.
fn scaled(target: &Value) -> Option<(&str, &str)> {
    let group = target["apiVersion"].as_str()?.split_once('/').map_or("", |(group, _)| group);
    let kind = target["kind"].as_str()?;
    (!is_custom(group)).then_some((group, kind))
}

impl<'a> Asking<'a> {
    fn backend(&mut self, service: &'a Value, at: &FieldPath) {
        let Some(name) = service["name"].as_str() else { return };
        self.object("", "Service", name, &at.field("name"));
        let (by_name, wanted) = match (&service["port"]["name"], &service["port"]["number"]) {
            (Value::Null, Value::Null) => return,
            (Value::Null, number) => (false, number),
            (name, _) => (true, name),
        };
        let wanted = Cow::Owned(wanted.to_string());
        let at = at.field("port").field(if by_name { "name" } else { "number" });
        self.need(Need::Port { service: name, by_name, wanted }, &at);
    }
}
