//! Orphans: objects without an owner that are, word for word, what a controller would make, so that
//! one adopts them in a moment. They are left behind when their owner is deleted and its dependents
//! are to stay (`--cascade=orphan`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::case::Case;
use super::compare::{at, map};
use super::owner::Owner;
use super::replica_set::HASH_LABEL;
use super::{Context, Proof, pod_admission, selector, table};
use crate::object::{self, ObjectKey};

/// A group and a kind.
type Kind = (&'static str, &'static str);

/// What is adopted, and by whom.
const ADOPTERS: [(Kind, &[Kind]); 3] = [
    (("", "Pod"), &[("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("apps", "DaemonSet")]),
    (("apps", "ReplicaSet"), &[("apps", "Deployment")]),
    (("apps", "ControllerRevision"), &[("apps", "StatefulSet"), ("apps", "DaemonSet")]),
];

/// Whether an object without an owner is what a living workload, or a declared one, would adopt and
/// would have made itself. It says nothing of whether it is adopted: that shows in a moment.
pub fn is_adoptable(key: &ObjectKey, orphan: &Value, context: &Context<'_>) -> bool {
    if !object::owner_references(orphan).is_empty() || object::is_terminating(orphan) {
        return false;
    }
    let case = Case::live(key, orphan, context, 0);
    let adopters = ADOPTERS.iter().find(|(orphaned, _)| *orphaned == (key.group.as_str(), key.kind.as_str()));
    let by_living = adopters.into_iter().flat_map(|(_, owners)| *owners).any(|(group, kind)| {
        case.list(group, kind, &key.namespace).iter().any(|owner| is_adoptable_by(&case, orphan, group, kind, owner))
    });
    by_living || (key.kind == "Pod" && key.group.is_empty() && is_of_declared(&case, orphan))
}

/// The workload of Git's that would take an object for one of its own: the object says that it controls it,
/// or nobody does and its labels are selected. What controllers do with such an object is not what its maker
/// wants.
pub(crate) fn counted_by(key: &ObjectKey, object: &Value, context: &Context<'_>) -> Option<ObjectKey> {
    let (_, owners) = ADOPTERS.iter().find(|(kind, _)| *kind == (key.group.as_str(), key.kind.as_str()))?;
    let case = Case::live(key, object, context, 0);
    let controller = object::controller_reference(object).map(|r| r["uid"].as_str().unwrap_or_default());
    owners.iter().find_map(|(group, kind)| {
        let counts = |owner: &&Arc<Value>| match controller {
            Some(uid) => object::uid(owner) == uid,
            None => selects(owner, object),
        };
        let is_gits = |owner: &&Arc<Value>| {
            let key = ObjectKey::new(group, kind, &key.namespace, object::name(owner));
            context.snapshot.is_declared(&key) || super::recognise_live(&key, owner, context).is_ok()
        };
        let living = case.list(group, kind, &key.namespace);
        let owner = living.iter().filter(counts).find(is_gits)?;
        Some(ObjectKey::new(group, kind, &key.namespace, object::name(owner)))
    })
}

fn selects(owner: &Value, orphan: &Value) -> bool {
    map(owner, &["spec", "selector"]).is_some_and(|s| !s.is_empty())
        && selector::matches(at(owner, &["spec", "selector"]), object::labels(orphan))
}

/// Whether the orphan, once it is owned by this, is what its owner makes.
fn is_adoptable_by(case: &Case<'_>, orphan: &Value, group: &str, kind: &str, owner: &Value) -> bool {
    if object::is_terminating(owner) || !selects(owner, orphan) {
        return false;
    }
    let mut owned = orphan.clone();
    owned["metadata"]["ownerReferences"] = json!([{
        "apiVersion": format!("{group}/v1"), "kind": kind, "name": object::name(owner), "uid": object::uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    }]);
    table::judge_owner(&case.as_live(&owned)).is_ok()
}

/// Whether the orphan is a Pod of the ReplicaSet that a declared Deployment is about to make: its
/// hash has to be consistent, and all else is the Deployment's template.
fn is_of_declared(case: &Case<'_>, pod: &Value) -> bool {
    let Some(hash) = object::label(pod, HASH_LABEL) else { return false };
    let deployments = case.list("apps", "Deployment", case.namespace);
    let mut declared = deployments.iter().filter(|d| case.is_of_git("apps", "Deployment", d) && selects(d, pod));
    declared.any(|deployment| {
        let mut template = at(deployment, &["spec", "template"]).clone();
        template["metadata"]["labels"][HASH_LABEL] = hash.into();
        let name = format!("{}-{hash}", object::name(deployment));
        let set = json!({"metadata": {"name": name}, "spec": {"template": template}});
        let key = ObjectKey::new("apps", "ReplicaSet", case.namespace, &name);
        let owner = Owner { key, object: Arc::new(set), proof: Proof::Content };
        let expected = super::pod::expected(case, pod, &owner, at(&owner.object, &["spec", "template"]));
        expected.is_ok_and(|e| pod_admission::compare(case, e, pod).is_ok())
    })
}
