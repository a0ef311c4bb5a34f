//! Which Pods and ports a Service reaches: what Endpoints and EndpointSlices may say.

use std::sync::Arc;

use serde_json::Value;

use super::case::{Case, has_uid};
use super::compare::{at, list, map, text};
use super::container::LISTS;
use super::{Refusal, selector};
use crate::object;

/// A port as endpoints list it: name, number, protocol.
pub(super) type Port<'a> = (&'a str, i64, &'a str);

/// Why an address is not a Service's.
pub(super) enum Stray {
    /// Its Pod is gone: harmless only if the object said so before, or if it was right as long as the
    /// Pod was there, a short while ago.
    Gone { was_right: bool },
    /// It never was one.
    Wrong(Refusal),
}

impl From<Refusal> for Stray {
    fn from(refusal: Refusal) -> Self {
        Self::Wrong(refusal)
    }
}

/// The Service of that name, which Git declares or lets others make, or did so until it went a short
/// while ago.
pub(super) fn declared(case: &Case<'_>, name: &str) -> Result<Arc<Value>, Refusal> {
    let service = case.get("", "Service", case.namespace, name).or_else(|| case.gone("", "Service", name));
    let Some(service) = service.filter(|_| !name.is_empty()) else {
        return Err(Refusal::new(format!("the Service {name:?} does not exist")));
    };
    ensure!(case.is_of_git("", "Service", &service), "the Service {name} is not declared in Git");
    Ok(service)
}

/// Whether a Service selects Pods itself.
pub(super) fn has_selector(service: &Value) -> bool {
    map(service, &["spec", "selector"]).is_some_and(|s| !s.is_empty())
}

/// Ports of a list of endpoint ports.
pub(super) fn ports(ports: &[Value]) -> Result<Vec<Port<'_>>, Refusal> {
    ports
        .iter()
        .map(|p| match p["port"].as_i64() {
            Some(number) => Ok((text(p, &["name"]), number, protocol(p))),
            None => Err(Refusal::new("a port without a number stands for all ports")),
        })
        .collect()
}

fn protocol(port: &Value) -> &str {
    match text(port, &["protocol"]) {
        "" => "TCP",
        protocol => protocol,
    }
}

/// Demands that ports name the application protocols that the Service names for them.
pub(super) fn protocols_follow(ports: &[Value], service: &Value) -> Result<(), Refusal> {
    for port in ports {
        let own = list(service, &["spec", "ports"]).iter().find(|p| text(p, &["name"]) == text(port, &["name"]));
        let wanted = own.map_or("", |p| text(p, &["appProtocol"]));
        ensure!(text(port, &["appProtocol"]) == wanted, "a port has another application protocol than the Service's");
    }
    Ok(())
}

/// Demands that an address is that of a Pod which the Service selects, and that each port is one
/// that the Service reaches on that Pod.
pub(super) fn endpoint(
    case: &Case<'_>,
    service: &Value,
    address: &str,
    target: &Value,
    node: &str,
    ports: &[Port<'_>],
) -> Result<Arc<Value>, Stray> {
    let named = text(target, &["name"]);
    let namespace = text(target, &["namespace"]);
    let right = text(target, &["kind"]) == "Pod" && (namespace.is_empty() || namespace == case.namespace);
    check(right, || format!("the address {address} is not a Pod's"))?;
    let meant = |pod: &Arc<Value>| has_uid(pod, text(target, &["uid"]));
    if let Some(pod) = case.get("", "Pod", case.namespace, named).filter(meant) {
        is_reached(case, service, address, &pod, node, ports)?;
        return Ok(pod);
    }
    let last = case.gone("", "Pod", named).filter(meant);
    Err(Stray::Gone { was_right: last.is_some_and(|p| is_reached(case, service, address, &p, node, ports).is_ok()) })
}

/// Demands that a Service reaches a Pod at that address and these ports.
fn is_reached(
    case: &Case<'_>,
    service: &Value,
    address: &str,
    pod: &Value,
    node: &str,
    ports: &[Port<'_>],
) -> Result<(), Refusal> {
    let named = object::name(pod);
    let mut addresses = list(pod, &["status", "podIPs"]).iter().map(|a| text(a, &["ip"]));
    let own = text(pod, &["status", "podIP"]) == address || addresses.any(|a| a == address);
    ensure!(own, "the address {address} is not that of Pod {named}");
    let selected =
        has_selector(service) && selector::contains(map(service, &["spec", "selector"]), object::labels(pod));
    ensure!(selected, "the Service does not select Pod {named}");
    for port in ports {
        let reached = list(service, &["spec", "ports"]).iter().any(|p| reaches(p, pod, *port));
        ensure!(reached, "port {} of Pod {named} is not one that the Service reaches", port.1);
    }
    ensure!(node.is_empty() || node == text(pod, &["spec", "nodeName"]), "Pod {named} is on another node");
    let traced = case.is_of_git("", "Pod", pod) || object::controller_reference(pod).is_some();
    ensure!(traced, "Pod {named} is neither declared in Git nor made by a controller");
    Ok(())
}

fn check(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Stray> {
    if holds { Ok(()) } else { Err(Stray::Wrong(Refusal::new(reason()))) }
}

/// Whether a Service's port reaches that port of a Pod; named target ports are looked up in it.
fn reaches(service_port: &Value, pod: &Value, (name, number, wanted): Port<'_>) -> bool {
    if text(service_port, &["name"]) != name || protocol(service_port) != wanted {
        return false;
    }
    match at(service_port, &["targetPort"]) {
        Value::String(target) => LISTS.iter().flat_map(|l| list(pod, &["spec", l])).any(|container| {
            list(container, &["ports"]).iter().any(|p| {
                text(p, &["name"]) == target && p["containerPort"].as_i64() == Some(number) && protocol(p) == wanted
            })
        }),
        Value::Number(target) => target.as_i64() == Some(number),
        _ => service_port["port"].as_i64() == Some(number),
    }
}

/// Demands that the labels of what a controller derives from a Service are the Service's, but for
/// the controller's own.
pub(super) fn labels_follow(object: &Value, service: &Value, own: &[&str]) -> Result<(), Refusal> {
    for (key, value) in super::compare::entries(object::labels(object)) {
        let copied = object::labels(service).and_then(|l| l.get(key)) == Some(value);
        ensure!(copied || own.contains(&key), "the label {key} is not the Service's");
    }
    Ok(())
}
