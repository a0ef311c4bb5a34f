//! Owners: an object that a controller made has exactly one, which is declared or itself derived.

use std::sync::Arc;

use serde_json::Value;

use super::accounts::Account::Controller;
use super::case::{Case, has_uid};
use super::compare::text;
use super::{Judged, Proof, Refusal, claim, selector, table};
use crate::break_glass;
use crate::carry;
use crate::change::{self, Change, is_empty};
use crate::delegation;
use crate::object::{self, Gvk, ObjectKey};

/// How many owners up a chain is followed: CronJob, Job, Pod, claim, and one to spare.
pub(super) const MAX_DEPTH: u8 = 5;

/// A living owner and what its being right rests on.
pub(super) struct Owner {
    pub(super) key: ObjectKey,
    pub(super) object: Arc<Value>,
    pub(super) proof: Proof,
}

/// How an object refers to its owner.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    /// As controllers do: the owner's removal waits for the object.
    Blocking,
    /// As the controller of ResourceClaims does.
    NonBlocking,
}

/// The one owner of an object, of one of the given kinds (group and kind, all of version v1),
/// alive under that uid, declared or itself derived.
pub(super) fn of(case: &Case<'_>, kinds: &[(&str, &str)], reference: Reference) -> Result<Owner, Refusal> {
    let owner = living(case, kinds, reference)?;
    let proof = traced(case, &owner.key, &owner.object)?;
    Ok(Owner { proof, ..owner })
}

/// As [`of`], but the owner need not be right itself.
pub(super) fn living(case: &Case<'_>, kinds: &[(&str, &str)], reference: Reference) -> Result<Owner, Refusal> {
    let object = case.object()?;
    let references = object::owner_references(object);
    ensure!(!references.is_empty(), "{} is not declared in Git and has no owner", case.key());
    ensure!(references.len() == 1, "{} has {} owners, controllers set one", case.key(), references.len());
    let Some(found) = object::controller_reference(object) else {
        return Err(Refusal::new(format!("the owner of {} is not its controller", case.key())));
    };
    let gvk = Gvk::of(found).filter(|g| g.version == "v1" && kinds.contains(&(g.group.as_str(), g.kind.as_str())));
    ensure!(gvk.is_some(), "no {} makes a {}", text(found, &["kind"]), case.kind);
    ensure!(
        reference == Reference::NonBlocking || found["blockOwnerDeletion"] == Value::Bool(true),
        "the owner reference of {} does not block the owner's removal",
        case.key()
    );
    let (key, object) = resolve(case, found)?;
    Ok(Owner { key, object, proof: Proof::Content })
}

/// The living object that a reference points to.
fn resolve(case: &Case<'_>, reference: &Value) -> Result<(ObjectKey, Arc<Value>), Refusal> {
    let Some(key) = object::owner_key(reference, case.namespace) else {
        return Err(Refusal::new("an owner reference names nothing"));
    };
    let Some(owner) = case.context.live.get(&key) else {
        return Err(Refusal::new(format!("the owner {key} does not exist")));
    };
    ensure!(has_uid(&owner, text(reference, &["uid"])), "the owner {key} has another uid");
    Ok((key, owner))
}

/// Whether a live owner is declared, exempted as a whole, or derived itself.
pub(super) fn traced(case: &Case<'_>, key: &ObjectKey, owner: &Value) -> Judged {
    let snapshot = case.context.snapshot;
    if snapshot.is_declared(key) || snapshot.is_leaving(key, owner) {
        return Ok(Proof::Content);
    }
    // What people made while the glass is broken is theirs until it ends, with what follows from it.
    if break_glass::over(key, None, case.context).is_some() {
        return Ok(Proof::Content);
    }
    // What Git lets others make, controllers may work on: who made it was asked when it was made.
    if case.is_exempted(key) {
        return Ok(Proof::Identity);
    }
    if delegation::of_live(key, owner, case.context, case.depth).is_some() {
        return Ok(Proof::Identity);
    }
    let derivable =
        matches!((key.group.as_str(), key.kind.as_str()), ("apps", "ReplicaSet") | ("batch", "Job") | ("", "Pod"));
    ensure!(derivable, "the owner {key} is not declared in Git");
    let judge = |owner: &Value| table::judge_owner(&Case::live(key, owner, case.context, case.depth + 1));
    judge(owner).or_else(|refusal| {
        let is_right = |kept: &Value| judge(kept).is_ok();
        let right = carry::without_given_away(key, owner, case.context).iter().any(is_right);
        right.then_some(Proof::Identity).ok_or(refusal)
    })
}

/// What became of the owner that a reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It lives under that uid.
    Living,
    /// It is being deleted, or another object has its name.
    Gone,
    /// Nobody knows of it: it is gone, or of a kind that is not watched.
    Unknown,
}

/// What became of the owner that a reference names.
pub(super) fn fate(case: &Case<'_>, reference: &Value) -> Fate {
    let owner = object::owner_key(reference, case.namespace).and_then(|key| case.context.live.get(&key));
    match owner {
        None => Fate::Unknown,
        Some(owner) if has_uid(&owner, text(reference, &["uid"])) && !object::is_terminating(&owner) => Fate::Living,
        Some(_) => Fate::Gone,
    }
}

/// Whether an owner reference's owner does not exist under that uid.
pub(super) fn is_absent(case: &Case<'_>, reference: &Value) -> bool {
    resolve(case, reference).is_err()
}

/// The controller's uid, if the object has one controller.
pub(super) fn controller_uid(object: &Value) -> &str {
    object::controller_reference(object).map_or("", |r| text(r, &["uid"]))
}

/// Owner references change when a controller adopts or releases, and when the garbage collector
/// orphans.
pub(super) fn references_changed(case: &Case<'_>, _change: &Change) -> Judged {
    let (old, new) = (object::owner_references(case.old()?), object::owner_references(case.object()?));
    let find = |list: &'_ [Value], uid: &str| list.iter().position(|r| text(r, &["uid"]) == uid);
    let mut proof = Proof::Content;
    for reference in new {
        proof = proof.and(match find(old, text(reference, &["uid"])) {
            Some(before) => altered(case, &old[before], reference)?,
            None => added(case, reference)?,
        });
    }
    for reference in old.iter().filter(|r| find(new, text(r, &["uid"])).is_none()) {
        proof = proof.and(removed(case, reference)?);
    }
    Ok(proof)
}

/// Adoption: the owner lives, and the object is what the owner would have made.
fn added(case: &Case<'_>, reference: &Value) -> Judged {
    let (_, owner) = resolve(case, reference)?;
    ensure!(!object::is_terminating(&owner), "the new owner is being deleted");
    match (case.group, case.kind) {
        ("", "PersistentVolumeClaim") => claim::adopted(case, reference, &owner),
        ("", "Pod") | ("apps", "ReplicaSet" | "ControllerRevision") => {
            table::judge_owner(&case.as_live(case.object()?))
        }
        _ => Err(Refusal::new(format!("no controller adopts a {}", case.kind))),
    }
}

fn removed(case: &Case<'_>, reference: &Value) -> Judged {
    match fate(case, reference) {
        Fate::Gone => return Ok(Proof::Content),
        Fate::Unknown => return case.by(&[Controller("generic-garbage-collector")]),
        Fate::Living => {}
    }
    if (case.group, case.kind) == ("", "PersistentVolumeClaim") {
        return case.by(&[Controller("statefulset-controller")]);
    }
    let (key, owner) = resolve(case, reference)?;
    let selects = owner.pointer("/spec/selector").filter(|s| !is_empty(s));
    let labels = object::labels(case.object()?);
    let released = selects.is_some_and(|s| match s.get("matchLabels").or_else(|| s.get("matchExpressions")) {
        Some(_) => !selector::matches(s, labels),
        // A ReplicationController's selector is a plain map.
        None => !selector::contains(s.as_object(), labels),
    });
    ensure!(released, "the living owner {key} still selects {}", case.key());
    Ok(Proof::Content)
}

fn altered(case: &Case<'_>, old: &Value, new: &Value) -> Judged {
    let mut proof = Proof::Content;
    for change in change::changes(old, new) {
        proof = proof.and(match change.path.fields().as_slice() {
            ["blockOwnerDeletion"] if new["blockOwnerDeletion"] != Value::Bool(true) => {
                case.by(&[Controller("generic-garbage-collector")])?
            }
            ["controller"] => case.by(&[Controller("statefulset-controller")])?,
            _ => return Err(Refusal::new(format!("an owner reference changes in {}", change.path))),
        });
    }
    Ok(proof)
}
