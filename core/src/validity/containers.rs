//! One container: its ports, variables, mounts and probes.

use std::collections::HashSet;

use serde_json::Value;

use super::formats::{PORT_NAME, is_port, is_port_name, is_variable};
use super::object::{Object, elements, is_unset};
use crate::path::FieldPath;
use crate::quantity::Quantity;

/// What the Pod has for its containers.
pub(super) struct Lists<'v> {
    pub(super) volumes: HashSet<&'v str>,
}

pub(super) fn container(object: &mut Object<'_>, value: &Value, at: &FieldPath, lists: &Lists<'_>) {
    ports(object, &value["ports"], &at.field("ports"));
    variables(object, &value["env"], &at.field("env"));
    mounts(object, &value["volumeMounts"], &at.field("volumeMounts"), lists);
    requests(object, &value["resources"], &at.field("resources"));
    let given = |field: &&str| value[*field].is_object();
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"].into_iter().filter(given) {
        handler(object, &value[probe], &at.field(probe));
        let successes = &value[probe]["successThreshold"];
        if probe != "readinessProbe" && successes.as_i64().is_some_and(|count| count > 1) {
            let at = at.field(probe).field("successThreshold");
            object.say("valid/bounds", &at, "must be 1 in this probe", "leave it out");
        }
    }
    for hook in ["postStart", "preStop"].into_iter().filter(|hook| value["lifecycle"][*hook].is_object()) {
        handler(object, &value["lifecycle"][hook], &at.field("lifecycle").field(hook));
    }
}

fn ports(object: &mut Object<'_>, list: &Value, at: &FieldPath) {
    let mut names = HashSet::new();
    for (index, port) in elements(list) {
        let at = at.index(index);
        number(object, &port["containerPort"], &at.field("containerPort"));
        // Zero is none.
        if port["hostPort"].as_i64() != Some(0) {
            number(object, &port["hostPort"], &at.field("hostPort"));
        }
        let Some(name) = port["name"].as_str().filter(|name| !name.is_empty()) else { continue };
        if !is_port_name(name) {
            object.say("valid/name", &at.field("name"), "is no name of a port", PORT_NAME);
        } else if !names.insert(name) {
            let hint = "give each its own name";
            object.say("valid/duplicate", &at.field("name"), "is the name of another port already", hint);
        }
    }
}

/// A number that has to be a port.
pub(super) fn number(object: &mut Object<'_>, value: &Value, at: &FieldPath) {
    if value.as_i64().is_some_and(|number| !is_port(number)) {
        object.say("valid/port", at, "is no port", "ports are numbers from 1 to 65535");
    }
}

/// A port by number or name.
pub(super) fn number_or_name(object: &mut Object<'_>, value: &Value, at: &FieldPath) {
    number(object, value, at);
    if value.as_str().is_some_and(|name| !is_port_name(name)) {
        object.say("valid/name", at, "is no name of a port", PORT_NAME);
    }
}

fn variables(object: &mut Object<'_>, list: &Value, at: &FieldPath) {
    for (index, variable) in elements(list) {
        let at = at.index(index);
        if variable["name"].as_str().is_some_and(|name| !is_variable(name)) {
            let hint = "use printable characters of ASCII without `=`";
            object.say("valid/name", &at.field("name"), "is no name of a variable", hint);
        }
        if variable["valueFrom"].is_object() && !is_unset(&variable["value"]) {
            let hint = "keep one of the two";
            object.say("valid/bounds", &at.field("valueFrom"), "stands beside a `value`, which excludes it", hint);
        }
    }
}

fn mounts(object: &mut Object<'_>, list: &Value, at: &FieldPath, lists: &Lists<'_>) {
    let mut paths = HashSet::new();
    for (index, mount) in elements(list) {
        let at = at.index(index);
        if let Some(name) = mount["name"].as_str().filter(|name| !lists.volumes.contains(name)) {
            let message = format!("names the volume {name}, which the Pod does not have");
            object.say("valid/missing", &at.field("name"), message, "add it under `volumes`, or correct the name");
        }
        if mount["mountPath"].as_str().is_some_and(|path| !paths.insert(path)) {
            let hint = "mount one volume there (`projected` joins several)";
            object.say("valid/duplicate", &at.field("mountPath"), "is the path of another mount already", hint);
        }
    }
}

/// What is asked for is within what is allowed.
fn requests(object: &mut Object<'_>, resources: &Value, at: &FieldPath) {
    for (resource, asked) in super::object::fields(&resources["requests"]) {
        // Amounts are kept to the thousandth.
        let amount = |value: &Value| Quantity::of(value).map(Quantity::rounded_up_to_milli);
        let Some(limit) = resources["limits"].get(resource).and_then(amount) else { continue };
        if amount(asked).is_some_and(|asked| asked > limit) {
            let hint = "lower the request or raise the limit";
            object.say("valid/bounds", &at.field("requests").field(resource), "is more than its limit", hint);
        }
    }
}

/// What a probe or hook does.
fn handler(object: &mut Object<'_>, handler: &Value, at: &FieldPath) {
    number_or_name(object, &handler["httpGet"]["port"], &at.field("httpGet").field("port"));
    number_or_name(object, &handler["tcpSocket"]["port"], &at.field("tcpSocket").field("port"));
    number(object, &handler["grpc"]["port"], &at.field("grpc").field("port"));
    let given =
        ["exec", "httpGet", "tcpSocket", "grpc", "sleep"].iter().filter(|way| handler[**way].is_object()).count();
    match given {
        0 => object.say("valid/missing", at, "does nothing", "add exec, httpGet, tcpSocket or the like, or remove it"),
        1 => {}
        _ => object.say("valid/bounds", at, "has more than one way to ask", "keep one of them"),
    }
}
