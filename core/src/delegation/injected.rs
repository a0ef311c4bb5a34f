//! What a declared mutator adds to Pods that controllers make: a sidecar, its volumes, its notes.

use serde_json::{Map, Value, json};

use super::{ceilings, demanded, in_force, matches, origin};
use crate::config::Injects;
use crate::derived::Context;
use crate::derived::compare::{list, text};
use crate::object::{self, ObjectKey};
use crate::verdict::Origin;

const LISTS: [&str; 2] = ["initContainers", "containers"];

/// Where the token of a Pod's service account is mounted from.
const TOKEN_VOLUME: &str = "kube-api-access-";

/// What a Pod's template asks for itself.
pub(crate) struct Own<'a> {
    pub(crate) labels: &'a Map<String, Value>,
    pub(crate) annotations: &'a Map<String, Value>,
    pub(crate) spec: &'a Map<String, Value>,
}

/// A Pod without what declared mutators may add to it; `None` if they added nothing.
///
/// # Errors
/// What was added is past its ceilings.
pub(crate) fn without(own: &Own<'_>, pod: &Value, context: &Context<'_>) -> Result<Option<Value>, String> {
    let mut bare = None;
    for (delegation, place) in in_force(&context.snapshot.configuration, context) {
        for injects in delegation.injects.iter().filter(|i| i.works_on(object::namespace(pod), context)) {
            let before = bare.as_ref().unwrap_or(pod);
            let mut after = before.clone();
            take_out(injects, own, &mut after).map_err(|reason| demanded(&reason, delegation, &place))?;
            if after != *before {
                let key = ObjectKey::new("", "Pod", object::namespace(pod), object::name(pod));
                let judged = context.snapshot.configuration.ceilings.check(&injects.policies, &key, pod);
                judged.map_err(|reason| demanded(&reason, delegation, &place))?;
                bare = Some(after);
            }
        }
    }
    Ok(bare)
}

/// The delegation by which a container was added to a Pod.
pub(super) fn into(pod: &Value, context: &Context<'_>) -> Option<Origin> {
    let names: Vec<&str> = LISTS.iter().flat_map(|l| list(&pod["spec"], &[l])).map(name).collect();
    in_force(&context.snapshot.configuration, context)
        .find(|(delegation, _)| {
            let mut injects = delegation.injects.iter().filter(|i| i.works_on(object::namespace(pod), context));
            injects.any(|i| names.iter().any(|n| is_among(&i.containers, n)))
        })
        .map(|(delegation, place)| origin(delegation, place))
}

impl Injects {
    /// Whether it is about Pods of a namespace, and Git declares the mutator.
    pub(super) fn works_on(&self, namespace: &str, context: &Context<'_>) -> bool {
        let is_there = self.namespaces.is_empty() || self.namespaces.iter().any(|n| n == namespace);
        let declared = self.mutator.split_once('/').is_some_and(|(kind, name)| {
            context.snapshot.is_declared(&ObjectKey::new("admissionregistration.k8s.io", kind, "", name))
        });
        is_there && declared
    }
}

fn take_out(injects: &Injects, own: &Own<'_>, pod: &mut Value) -> Result<(), String> {
    for (field, keys, kept) in
        [("labels", &injects.labels, own.labels), ("annotations", &injects.annotations, own.annotations)]
    {
        if let Some(map) = pod.pointer_mut(&format!("/metadata/{field}")).and_then(Value::as_object_mut) {
            map.retain(|key, _| kept.contains_key(key) || !is_among(keys, key));
        }
    }
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else { return Ok(()) };
    let mut added = Map::new();
    for field in LISTS {
        added.insert(field.to_owned(), taken(spec, field, &injects.containers, own.spec));
    }
    added.insert("volumes".to_owned(), taken(spec, "volumes", &injects.volumes, own.spec));
    if let Some(context) = spec.get("securityContext") {
        added.insert("securityContext".to_owned(), context.clone());
    }
    check(injects, own, &Value::Object(added.clone()))?;
    let volumes: Vec<&str> = list_in(&added, "volumes").iter().map(name).collect();
    for field in LISTS {
        for container in spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            retain(container, "volumeMounts", |mount| !volumes.contains(&name(mount)));
            let kept = own.spec.get(field).and_then(Value::as_array).into_iter().flatten();
            let of_own = kept.clone().find(|c| name(c) == name(container)).cloned().unwrap_or_default();
            let is_own = |variable: &Value| list(&of_own, &["env"]).iter().any(|v| name(v) == name(variable));
            retain(container, "env", |variable| is_own(variable) || !is_among(&injects.env, name(variable)));
        }
    }
    Ok(())
}

/// Demands that what was added keeps its ceilings, and uses nothing of the Pod's own.
fn check(injects: &Injects, own: &Own<'_>, added: &Value) -> Result<(), String> {
    let pod = json!({ "spec": added });
    ceilings::check_pods(&injects.images, injects.pod_security, &pod)?;
    let volumes: Vec<&str> = list(added, &["volumes"]).iter().map(name).collect();
    for container in LISTS.iter().flat_map(|l| list(added, &[l])) {
        let is_token =
            |v: &&str| v.starts_with(TOKEN_VOLUME) && list_in(own.spec, "volumes").iter().all(|o| name(o) != *v);
        let mut mounts = list(container, &["volumeMounts"]).iter().map(name);
        if let Some(volume) = mounts.find(|v| !volumes.contains(v) && !is_token(v)) {
            return Err(format!("the added container {} mounts {volume}, a volume of the Pod's own", name(container)));
        }
        let mut devices = list(container, &["volumeDevices"]).iter().map(name);
        if let Some(volume) = devices.find(|v| !volumes.contains(v)) {
            return Err(format!("the added container {} uses {volume}, a device of the Pod's own", name(container)));
        }
        let claims = list(container, &["resources", "claims"]);
        if let Some(claim) = claims.first() {
            let claim = name(claim);
            return Err(format!("the added container {} uses {claim}, a claim of the Pod's own", name(container)));
        }
    }
    Ok(())
}

/// Takes those elements out of a list that may have been added; what was taken.
fn taken(spec: &mut Map<String, Value>, field: &str, names: &[String], own: &Map<String, Value>) -> Value {
    let is_own = |item: &Value| list_in(own, field).iter().any(|o| name(o) == name(item));
    let Some(items) = spec.get_mut(field).and_then(Value::as_array_mut) else { return json!([]) };
    let is_added = |item: &Value| is_among(names, name(item)) && !is_own(item);
    let (added, kept) = std::mem::take(items).into_iter().partition(is_added);
    *items = kept;
    Value::Array(added)
}

/// Keeps those elements of a list; one that is empty then was not there before.
fn retain(container: &mut Value, field: &str, keep: impl Fn(&Value) -> bool) {
    let Some(map) = container.as_object_mut() else { return };
    let Some(items) = map.get_mut(field).and_then(Value::as_array_mut) else { return };
    items.retain(keep);
    if items.is_empty() {
        map.remove(field);
    }
}

fn is_among(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|p| matches(p, text))
}

fn name(item: &Value) -> &str {
    text(item, &["name"])
}

fn list_in<'a>(map: &'a Map<String, Value>, field: &str) -> &'a [Value] {
    map.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
