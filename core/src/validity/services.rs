//! Ports and selectors of Services, and what goes with their types.

use std::collections::HashSet;

use serde_json::Value;

use super::cidr::Range;
use super::containers::number;
use super::formats::{PORT_NAME, is_port_name};
use super::labels;
use super::object::{Object, elements, is_given, is_unset};
use crate::object::{is_dns_label, is_dns_subdomain};
use crate::path::FieldPath;

const BOUNDS: &str = "valid/bounds";

pub(super) fn ports(object: &mut Object<'_>) {
    let (spec, at) = (&object.value["spec"], FieldPath::of(["spec", "ports"]));
    let needs_none = spec["type"].as_str() == Some("ExternalName") || spec["clusterIP"].as_str() == Some("None");
    let count = spec["ports"].as_array().map_or(0, Vec::len);
    if spec.is_object() && count == 0 && !needs_none {
        object.say("valid/missing", &at, "has no port", "name a port; only headless and external Services have none");
    }
    let (mut names, mut numbers) = (HashSet::new(), HashSet::new());
    for (index, port) in elements(&spec["ports"]) {
        let at = at.index(index);
        number(object, &port["port"], &at.field("port"));
        // Zero and nothing stand for the same number as `port`.
        if port["targetPort"].as_i64() != Some(0) {
            number(object, &port["targetPort"], &at.field("targetPort"));
        }
        if port["targetPort"].as_str().is_some_and(|name| !name.is_empty() && !is_port_name(name)) {
            object.say("valid/name", &at.field("targetPort"), "is no name of a port", PORT_NAME);
        }
        match port["name"].as_str() {
            Some(name) if !name.is_empty() && !is_dns_label(name) => {
                let hint = "use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends";
                object.say("valid/name", &at.field("name"), "is no name of a Service's port", hint);
            }
            Some(name) if !name.is_empty() && !names.insert(name) => {
                let hint = "give each its own name";
                object.say("valid/duplicate", &at.field("name"), "is the name of another port already", hint);
            }
            _ if count > 1 && is_unset(&port["name"]) => {
                object.say("valid/missing", &at, "has no name, and the Service has several ports", "name each of them");
            }
            _ => {}
        }
        let protocol = port["protocol"].as_str().unwrap_or("TCP");
        if port["port"].as_i64().is_some_and(|number| !numbers.insert((number, protocol))) {
            let hint = "keep one of the two";
            object.say("valid/duplicate", &at.field("port"), "is another port of the Service already", hint);
        }
    }
    for (index, range) in elements(&spec["loadBalancerSourceRanges"]) {
        if range.as_str().is_some_and(|text| Range::parse(text.trim()).is_none()) {
            let at = FieldPath::of(["spec", "loadBalancerSourceRanges"]).index(index);
            object.say("valid/cidr", &at, "is no range of addresses", "write it like 10.0.0.0/8");
        }
    }
}

pub(super) fn selector(object: &mut Object<'_>) {
    let selector = &object.value["spec"]["selector"];
    labels::labels(object, selector, &FieldPath::of(["spec", "selector"]));
}

/// What goes with the type of a Service, and what does not.
pub(super) fn by_type(object: &mut Object<'_>) {
    let (spec, at) = (&object.value["spec"], FieldPath::of(["spec"]));
    let name = spec["type"].as_str().unwrap_or("ClusterIP");
    match name {
        "ExternalName" => external(object, spec, &at),
        "ClusterIP" => {
            for (index, _) in elements(&spec["ports"]).filter(|(_, port)| is_given(&port["nodePort"])) {
                let at = at.field("ports").index(index).field("nodePort");
                object.say(BOUNDS, &at, "is for the types NodePort and LoadBalancer", "remove it, or write the type");
            }
        }
        _ if spec["clusterIP"].as_str() == Some("None") => {
            object.say(BOUNDS, &at.field("clusterIP"), "may not be None for this type", "leave it out");
        }
        _ => {}
    }
    for field in ["loadBalancerClass", "loadBalancerSourceRanges"] {
        if name != "LoadBalancer" && is_given(&spec[field]) {
            object.say(BOUNDS, &at.field(field), "is for the type LoadBalancer", "remove it, or write the type");
        }
    }
    let local = spec["externalTrafficPolicy"].as_str() == Some("Local");
    let is_reached = matches!(name, "NodePort" | "LoadBalancer") || is_given(&spec["externalIPs"]);
    if !is_reached && !is_unset(&spec["externalTrafficPolicy"]) {
        let hint = "remove it, or write the type";
        object.say(BOUNDS, &at.field("externalTrafficPolicy"), "is for the types NodePort and LoadBalancer", hint);
    }
    if is_given(&spec["healthCheckNodePort"]) && !(name == "LoadBalancer" && local) {
        let what = "is for the type LoadBalancer with `externalTrafficPolicy: Local`";
        object.say(BOUNDS, &at.field("healthCheckNodePort"), what, "remove it");
    }
}

/// A Service that is another name for a host.
fn external(object: &mut Object<'_>, spec: &Value, at: &FieldPath) {
    let host = spec["externalName"].as_str().unwrap_or_default();
    if host.is_empty() {
        object.say("valid/missing", at, "needs `externalName` for this type", "name the host");
    } else if !is_dns_subdomain(host.strip_suffix('.').unwrap_or(host)) {
        let hint = "write a DNS name in lower case, such as db.example.org";
        object.say("valid/name", &at.field("externalName"), "is no host", hint);
    }
    if spec["clusterIP"].as_str().is_some_and(|ip| !ip.is_empty() && ip != "None") {
        object.say(BOUNDS, &at.field("clusterIP"), "stands beside the type ExternalName, which has none", "remove it");
    }
}

/// Families and addresses of a Service.
pub(super) fn families(object: &mut Object<'_>) {
    let (spec, at) = (&object.value["spec"], FieldPath::of(["spec"]));
    let mut seen = HashSet::new();
    for (index, family) in elements(&spec["ipFamilies"]) {
        if !seen.insert(family) {
            let at = at.field("ipFamilies").index(index);
            object.say("valid/duplicate", &at, "is in the list already", "keep one of the two");
        }
    }
    let (one, list) = (&spec["clusterIP"], &spec["clusterIPs"]);
    if elements(list).next().is_some_and(|(_, first)| !is_unset(one) && first != one) {
        object.say(BOUNDS, &at.field("clusterIPs").index(0), "is not `clusterIP`", "begin the list with that");
    }
}

/// How long a client stays with one Pod: up to a day.
pub(super) fn affinity(object: &mut Object<'_>) {
    let spec = &object.value["spec"];
    let seconds = &spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
    let is_used = spec["sessionAffinity"].as_str() == Some("ClientIP");
    if is_used && seconds.as_i64().is_some_and(|seconds| !(1..=86_400).contains(&seconds)) {
        let at = FieldPath::of(["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
        object.say(BOUNDS, &at, "must be from 1 to 86400", "correct it");
    }
}
