//! Volumes and containers of Pods and of what makes Pods.

use std::collections::HashSet;

use serde_json::Value;

use super::containers::{Lists, container};
use super::object::{Object, each, elements, is_given};
use super::{Pods, look};
use crate::object::is_dns_label;
use crate::path::FieldPath;

const LABEL: &str = "use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends";

/// Names of volumes.
pub(super) fn volumes(object: &mut Object<'_>) {
    let Some((template, at)) = object.template() else { return };
    let at = at.field("spec").field("volumes");
    named(object, &template["spec"]["volumes"], &at, &mut HashSet::new(), "volume");
}

/// Containers: their names, one by one, and what they share.
pub(super) fn containers(object: &mut Object<'_>) {
    let Some((template, at)) = object.template() else { return };
    let (spec, at) = (&template["spec"], at.field("spec"));
    if spec["containers"].as_array().is_some_and(Vec::is_empty) {
        let hint = "a Pod has at least one container; write it, or remove the object";
        object.say("valid/missing", &at.field("containers"), "has no container", hint);
    }
    let lists = Lists { volumes: mountable(object, spec) };
    let mut names = HashSet::new();
    // An init container may not be called like another container either.
    for list in ["containers", "initContainers"] {
        let at = at.field(list);
        named(object, &spec[list], &at, &mut names, "container");
        for (index, value) in elements(&spec[list]) {
            container(object, value, &at.index(index), &lists);
        }
    }
    host_ports(object, spec, &at.field("containers"));
}

/// Elements of a list that are told apart by DNS labels.
fn named<'v>(object: &mut Object<'_>, list: &'v Value, at: &FieldPath, names: &mut HashSet<&'v str>, what: &str) {
    for (index, element) in elements(list) {
        let at = at.index(index);
        if element.is_null() {
            object.say("valid/missing", &at, format!("is nothing, where a {what} should be"), "write it, or remove it");
        }
        match element["name"].as_str() {
            Some(name) if !is_dns_label(name) => {
                object.say("valid/name", &at.field("name"), format!("is no name of a {what}"), LABEL);
            }
            Some(name) if !names.insert(name) => {
                let message = format!("is the name of another {what} already");
                object.say("valid/duplicate", &at.field("name"), message, "give each its own name");
            }
            _ => {}
        }
    }
}

/// The names of what containers may mount: volumes, and claims that a StatefulSet makes.
fn mountable<'m>(object: &Object<'m>, spec: &'m Value) -> HashSet<&'m str> {
    let volumes = elements(&spec["volumes"]).filter_map(|(_, volume)| volume["name"].as_str());
    let claims = elements(&object.value["spec"]["volumeClaimTemplates"]);
    let claims = claims.filter_map(|(_, claim)| claim["metadata"]["name"].as_str());
    volumes.chain(claims.filter(|_| object.is("StatefulSet"))).collect()
}

/// Ports of the node that two containers of one Pod would take.
fn host_ports(object: &mut Object<'_>, spec: &Value, at: &FieldPath) {
    let mut taken = HashSet::new();
    for (container, value) in elements(&spec["containers"]) {
        for (index, port) in elements(&value["ports"]) {
            let Some(number) = port["hostPort"].as_i64().filter(|number| *number != 0) else { continue };
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            let address = port["hostIP"].as_str().unwrap_or_default();
            if !taken.insert((number, protocol, address)) {
                let at = at.index(container).field("ports").index(index).field("hostPort");
                object.say("valid/duplicate", &at, "is taken by another port of the Pod already", "use another port");
            }
        }
    }
}

/// An init container that ends is not asked how it is, and has nothing done around it.
pub(super) fn init(object: &mut Object<'_>) {
    look(object, &Pods, "spec.initContainers[]", |object, container, at| {
        if container["restartPolicy"].as_str() == Some("Always") {
            return;
        }
        for field in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
            if container[field].is_object() {
                let hint = "remove it; only with `restartPolicy: Always`, as a sidecar, it may have one";
                object.say("valid/bounds", &at.field(field), "is nothing for an init container", hint);
            }
        }
    });
}

/// With the node's network, a port of a container is the node's.
pub(super) fn host_network(object: &mut Object<'_>) {
    let Some((template, at)) = object.template() else { return };
    if template["spec"]["hostNetwork"].as_bool() != Some(true) {
        return;
    }
    for (port, at) in each(template, &at, "spec.containers|initContainers[].ports[]") {
        if is_given(&port["hostPort"]) && port["hostPort"] != port["containerPort"] {
            let hint = "leave it out";
            object.say("valid/bounds", &at.field("hostPort"), "must be `containerPort` with `hostNetwork`", hint);
        }
    }
}

/// Most name servers of a Pod.
const MOST_SERVERS: usize = 3;

pub(super) fn dns(object: &mut Object<'_>) {
    look(object, &Pods, "spec", |object, spec, at| {
        let at = at.field("dnsConfig");
        let servers = elements(&spec["dnsConfig"]["nameservers"]).count();
        if spec["dnsPolicy"].as_str() == Some("None") && servers == 0 {
            let hint = "name servers in `dnsConfig`, or use another policy";
            object.say("valid/missing", &at, "must have `nameservers` beside `dnsPolicy: None`", hint);
        }
        if servers > MOST_SERVERS {
            object.say("valid/bounds", &at.field("nameservers"), "has more than three", "keep three of them");
        }
    });
}

/// Processes are seen by the Pod's containers, or by all of the node.
pub(super) fn processes(object: &mut Object<'_>) {
    look(object, &Pods, "spec", |object, spec, at| {
        if spec["hostPID"].as_bool() == Some(true) && spec["shareProcessNamespace"].as_bool() == Some(true) {
            let at = at.field("shareProcessNamespace");
            object.say("valid/bounds", &at, "stands beside `hostPID`, which excludes it", "keep one of the two");
        }
    });
}

/// These are added to a Pod that runs, by another request.
pub(super) fn ephemeral(object: &mut Object<'_>) {
    look(object, &Pods, "spec.ephemeralContainers", |object, list, at| {
        if is_given(list) {
            object.say("valid/bounds", at, "cannot be declared", "remove it; `kubectl debug` adds one");
        }
    });
}
