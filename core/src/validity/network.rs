//! NetworkPolicies and Ingresses.

use serde_json::Value;

use super::cidr::Range;
use super::containers::{number, number_or_name};
use super::formats::is_host;
use super::labels;
use super::object::{Object, elements};
use crate::path::FieldPath;

pub(super) fn policy(object: &mut Object<'_>) {
    let (spec, at) = (&object.value["spec"], FieldPath::of(["spec"]));
    labels::selector(object, &spec["podSelector"], &at.field("podSelector"));
    if elements(&spec["policyTypes"]).count() > 2 {
        let hint = "there are Ingress and Egress";
        object.say("valid/bounds", &at.field("policyTypes"), "has more than two", hint);
    }
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (index, rule) in elements(&spec[direction]) {
            let at = at.field(direction).index(index);
            for (index, port) in elements(&rule["ports"]) {
                policy_port(object, port, &at.field("ports").index(index));
            }
            for (index, value) in elements(&rule[peers]) {
                peer(object, value, &at.field(peers).index(index));
            }
        }
    }
}

fn policy_port(object: &mut Object<'_>, port: &Value, at: &FieldPath) {
    number_or_name(object, &port["port"], &at.field("port"));
    let Some(end) = port["endPort"].as_i64() else { return };
    let at = at.field("endPort");
    number(object, &port["endPort"], &at);
    match port["port"].as_i64() {
        Some(begin) if end < begin => object.say("valid/bounds", &at, "is less than `port`", "swap the two"),
        Some(_) => {}
        None => {
            object.say("valid/bounds", &at, "needs a number as `port`", "write the first port of the range as `port`")
        }
    }
}

fn peer(object: &mut Object<'_>, peer: &Value, at: &FieldPath) {
    let selects = peer["podSelector"].is_object() || peer["namespaceSelector"].is_object();
    for field in ["podSelector", "namespaceSelector"] {
        labels::selector(object, &peer[field], &at.field(field));
    }
    let block = &peer["ipBlock"];
    if !block.is_object() {
        if !selects && peer.is_object() {
            object.say("valid/missing", at, "names nobody", "write a podSelector, namespaceSelector or ipBlock");
        }
        return;
    }
    if selects {
        let hint = "write two elements of the list";
        object.say("valid/bounds", &at.field("ipBlock"), "stands beside a selector, which excludes it", hint);
    }
    let at = at.field("ipBlock");
    let Some(all) = range(object, &block["cidr"], &at.field("cidr")) else { return };
    for (index, part) in elements(&block["except"]) {
        let at = at.field("except").index(index);
        if range(object, part, &at).is_some_and(|part| !all.is_more_than(&part)) {
            object.say("valid/cidr", &at, "is no part of `cidr`", "take out only what lies within, and not all of it");
        }
    }
}

fn range(object: &mut Object<'_>, value: &Value, at: &FieldPath) -> Option<Range> {
    let range = Range::parse(value.as_str()?);
    if range.is_none() {
        object.say(
            "valid/cidr",
            at,
            "is no range of addresses",
            "write it like 10.0.0.0/8; one address is 10.1.2.3/32",
        );
    }
    range
}

pub(super) fn ingress(object: &mut Object<'_>) {
    let (spec, at) = (&object.value["spec"], FieldPath::of(["spec"]));
    let has_rules = elements(&spec["rules"]).next().is_some();
    // Of an older version the fields are others, and it is told as such.
    if object.manifest.gvk.version == "v1" && spec.is_object() && !has_rules && !spec["defaultBackend"].is_object() {
        object.say("valid/missing", &at, "has neither rules nor a default backend", "add one of the two");
    }
    let backend = |object: &mut Object<'_>, backend: &Value, at: FieldPath| {
        let at = at.field("service").field("port").field("number");
        number(object, &backend["service"]["port"]["number"], &at);
    };
    backend(object, &spec["defaultBackend"], at.field("defaultBackend"));
    for (index, rule) in elements(&spec["rules"]) {
        let at = at.field("rules").index(index);
        if rule["host"].as_str().is_some_and(|host| !host.is_empty() && !is_host(host)) {
            let hint = "write a name in lower case without port, such as shop.example.org or *.example.org";
            object.say("valid/name", &at.field("host"), "is no host", hint);
        }
        let at = at.field("http").field("paths");
        for (index, path) in elements(&rule["http"]["paths"]) {
            backend(object, &path["backend"], at.index(index).field("backend"));
            is_exact(object, path, &at.index(index).field("path"));
        }
    }
}

/// A path that is taken as it is written.
fn is_exact(object: &mut Object<'_>, path: &Value, at: &FieldPath) {
    let Some(text) = path["path"].as_str() else { return };
    if !matches!(path["pathType"].as_str(), Some("Exact" | "Prefix")) {
        return;
    }
    if !text.starts_with('/') {
        object.say("valid/name", at, "is no path", "begin it with `/`");
    } else if ["//", "/./", "/../", "%2f", "%2F"].iter().any(|part| text.contains(part)) {
        object.say("valid/name", at, "is no plain path", "write it without `//`, `.`, `..` and `%2f`");
    }
}
