//! Ports and selectors of Services.

use std::collections::HashSet;

use super::cidr::Range;
use super::containers::number;
use super::formats::{PORT_NAME, is_port_name};
use super::labels;
use super::object::{Object, elements, is_unset};
use crate::object::is_dns_label;
use crate::path::FieldPath;

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
