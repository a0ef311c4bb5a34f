//! What a derived object goes back to in Git: up its controllers to the declared one.

use std::sync::Arc;

use serde_json::Value;

use super::compare::{list, text};
use super::owner::MAX_DEPTH;
use super::{Context, pod_resources, stateful_set};
use crate::object::{self, ObjectKey};
use crate::path::FieldPath;

/// The declared object that a derived one goes back to, if it can be named.
pub fn ancestor(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Option<ObjectKey> {
    let (mut key, mut object) = (key.clone(), Arc::new(live.clone()));
    for _ in 0..=MAX_DEPTH {
        key = maker(&key, &object, context)?;
        if context.snapshot.is_declared(&key) {
            return Some(key);
        }
        object = context.live.get(&key)?;
    }
    None
}

/// What an object was made for. Most name it; a few are known by their own name.
fn maker(key: &ObjectKey, object: &Value, context: &Context<'_>) -> Option<ObjectKey> {
    if let Some(reference) = object::controller_reference(object) {
        return object::owner_key(reference, &key.namespace);
    }
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "Endpoints") => Some(ObjectKey::new("", "Service", &key.namespace, &key.name)),
        ("", "PersistentVolumeClaim") => set_of_claim(key, context),
        ("", "PersistentVolume") => {
            let claim = |field| text(object, &["spec", "claimRef", field]);
            (!claim("name").is_empty())
                .then(|| ObjectKey::new("", "PersistentVolumeClaim", claim("namespace"), claim("name")))
        }
        // Those that every namespace gets.
        ("", "ServiceAccount" | "ConfigMap") => Some(ObjectKey::new("", "Namespace", "", &key.namespace)),
        _ => None,
    }
}

fn set_of_claim(key: &ObjectKey, context: &Context<'_>) -> Option<ObjectKey> {
    let sets = context.live.list("apps", "StatefulSet", &key.namespace);
    let set = sets.iter().find(|set| {
        let named = |template: &Value| format!("{}-{}", object::name(template), object::name(set));
        list(set, &["spec", "volumeClaimTemplates"])
            .iter()
            .any(|template| stateful_set::ordinal(&key.name, &named(template)).is_some())
    })?;
    Some(ObjectKey::new("apps", "StatefulSet", &key.namespace, object::name(set)))
}

/// The declared object by whose earlier templates one may be explained that is there or that its controller
/// works on: those whose controllers keep no history of their templates in the cluster.
pub fn remembered_by_git_alone(key: &ObjectKey, object: &Value, context: &Context<'_>) -> Option<ObjectKey> {
    let keeps_none = |owner: &ObjectKey| {
        let kind = (owner.group.as_str(), owner.kind.as_str());
        matches!(kind, ("batch", "CronJob") | ("apps", "ReplicaSet") | ("", "ReplicationController"))
    };
    ancestor(key, object, context).filter(|owner| keeps_none(owner) && template_in(key, owner).is_some())
}

/// The template that a live object was made of, as its controller has it now; a Pod's with the amounts
/// that the API server fills in.
pub(crate) fn template_of(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Option<Value> {
    let path = match (key.group.as_str(), key.kind.as_str()) {
        ("", "Pod") => "/spec/template",
        ("batch", "Job") => "/spec/jobTemplate",
        _ => return None,
    };
    let owner = object::owner_key(object::controller_reference(live)?, &key.namespace)?;
    let mut template = context.live.get(&owner)?.pointer(path)?.clone();
    if let Some(Value::Object(spec)) = template.get_mut("spec").filter(|_| key.kind == "Pod") {
        pod_resources::default(spec);
    }
    Some(template)
}

/// Where in its ancestor the template stands that an object of this kind follows.
pub fn template_in(key: &ObjectKey, ancestor: &ObjectKey) -> Option<FieldPath> {
    let from_cron = (ancestor.group.as_str(), ancestor.kind.as_str()) == ("batch", "CronJob");
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "Pod") if from_cron => Some(FieldPath::of(["spec", "jobTemplate", "spec", "template"])),
        ("", "Pod") => Some(FieldPath::of(["spec", "template"])),
        ("batch", "Job") if from_cron => Some(FieldPath::of(["spec", "jobTemplate"])),
        ("apps", "ReplicaSet") => Some(FieldPath::root()),
        _ => None,
    }
}

/// Whether a field is of those that templates give: everything but an object's own names.
pub fn follows_template(path: &FieldPath) -> bool {
    matches!(path.fields().as_slice(), ["spec", ..] | ["metadata", "labels" | "annotations", ..])
}
