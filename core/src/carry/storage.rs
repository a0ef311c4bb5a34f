//! Claims and volumes: who is bound to whom, proven from both ends.

use serde_json::{Map, Value, json};

use super::{Subject, annotation, at, remove, set, str_at};
use crate::derived::Context;
use crate::object::{self, ObjectKey};

/// The binder's note on what it bound, where nobody had chosen it.
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

/// The binder's note that a claim and its volume name each other.
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";

pub(super) fn claim(target: &mut Value, subject: &Subject<'_>, context: &Context<'_>) {
    default_class(target, subject, context);
    let class_name = str_at(target, &["spec", "storageClassName"]).map(str::to_owned);
    let class = class_name
        .as_deref()
        .and_then(|name| context.live.get(&ObjectKey::new("storage.k8s.io", "StorageClass", "", name)));
    let provisioner = class.as_deref().and_then(|c| c.get("provisioner")).and_then(Value::as_str).unwrap_or_default();
    let waits = class.as_deref().and_then(|c| str_at(c, &["volumeBindingMode"])) == Some("WaitForFirstConsumer");

    let bound = bound_volume(subject, context, provisioner);
    let path = ["spec", "volumeName"];
    if !subject.declares(&path) {
        match &bound {
            Some(name) => set(target, &path, Value::String(name.clone())),
            None => remove(target, &path),
        }
    }
    // Of a claim that names a volume nobody can take that back. Without its binder's notes it would not
    // be put right either, when the volume names it again.
    let names_one = str_at(subject.live, &path).is_some_and(|name| !name.is_empty());
    for name in [BIND_COMPLETED, BOUND_BY_CONTROLLER] {
        annotation(target, subject, name, |v| v == "yes" && (bound.is_some() || names_one));
    }
    for name in ["volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"] {
        note(target, subject, name, Some(provisioner).filter(|name| !name.is_empty()));
    }
    annotation(target, subject, "volume.kubernetes.io/selected-node", |node| {
        waits && context.live.get(&ObjectKey::new("", "Node", "", node)).is_some()
    });
}

/// A note that is there says this, if it may be there at all. Another value is not just taken out: of what
/// is bound nobody would write it again.
fn note(target: &mut Value, subject: &Subject<'_>, name: &str, says: Option<&str>) {
    let path = ["metadata", "annotations", name];
    annotation(target, subject, name, |_| says.is_some());
    if let Some(says) = says.filter(|_| !subject.declares(&path) && at(target, &path).is_some()) {
        set(target, &path, says.into());
    }
}

/// The class that was the default when the claim was made; a claim made without one takes the
/// default class that Git declares. Anyone may set a class while there is none, for good.
fn default_class(target: &mut Value, subject: &Subject<'_>, context: &Context<'_>) {
    let path = ["spec", "storageClassName"];
    if subject.declares(&path) {
        return;
    }
    if let Some(class) = subject.recorded(&path) {
        set(target, &path, class.clone());
        return;
    }
    let Some(live) = str_at(subject.live, &path) else { return };
    let key = ObjectKey::new("storage.k8s.io", "StorageClass", "", live);
    let declared_default =
        context.snapshot.declared(&key).is_some_and(|class| object::is_default_class(&key.kind, &class.canonical));
    if declared_default {
        set(target, &path, Value::String(live.to_owned()));
    } else if subject.record.is_some() {
        remove(target, &path);
    }
}

/// The volume that a claim names, if the volume is reserved for exactly this claim and is either
/// declared or made by the class's provisioner. A stranger's volume with a claimRef to a pending
/// claim gets bound too; only where the volume comes from tells them apart.
fn bound_volume(subject: &Subject<'_>, context: &Context<'_>, provisioner: &str) -> Option<String> {
    let name = str_at(subject.live, &["spec", "volumeName"]).filter(|n| !n.is_empty())?;
    let key = ObjectKey::new("", "PersistentVolume", "", name);
    let volume = context.live.get(&key)?;
    let uid = str_at(&volume, &["spec", "claimRef", "uid"])?;
    if uid.is_empty() || uid != object::uid(subject.live) {
        return None;
    }
    let made_by = object::annotation(&volume, "pv.kubernetes.io/provisioned-by");
    let provisioned = !provisioner.is_empty() && made_by == Some(provisioner);
    // Where the environment does not govern volumes, Git has nothing to say about them.
    let governed = context.snapshot.governs(&key);
    (context.snapshot.is_declared(&key) || provisioned || !governed).then(|| name.to_owned())
}

/// A volume's `claimRef` is the binder's if the claim has that uid and names this volume. A write
/// without it would unbind a bound volume.
pub(super) fn volume(target: &mut Value, subject: &Subject<'_>, context: &Context<'_>) {
    let path = ["spec", "claimRef"];
    let named = || at(subject.live, &path).filter(|r| claims_this(r, subject, context)).map(as_bound);
    let proven = bound_claim(subject, context).or_else(named).or_else(|| released_claim(subject, context));
    match &proven {
        Some(reference) => set(target, &path, reference.clone()),
        None if !subject.declares(&path) => remove(target, &path),
        None => {}
    }
    note(target, subject, BOUND_BY_CONTROLLER, proven.as_ref().map(|_| "yes"));
}

/// The one governed claim that is bound to this volume, whatever the volume itself names or no longer
/// names: to unbind it would leave its data to whoever comes first.
fn bound_claim(subject: &Subject<'_>, context: &Context<'_>) -> Option<Value> {
    let live = at(subject.live, &["spec", "claimRef"]).unwrap_or(&Value::Null);
    let claims = context.live.list("", "PersistentVolumeClaim", "");
    let bound = claims.iter().filter(|claim| {
        let key = ObjectKey::new("", "PersistentVolumeClaim", object::namespace(claim), object::name(claim));
        str_at(claim, &["spec", "volumeName"]) == Some(&subject.key.name)
            && was_bound(claim)
            && context.snapshot.governs(&key)
    });
    let bound: Vec<_> = bound.collect();
    let is_named = |claim: &Value| {
        str_at(live, &["name"]) == Some(object::name(claim))
            && str_at(live, &["namespace"]) == Some(object::namespace(claim))
    };
    // One that lost its volume names it still.
    let claim = match bound.as_slice() {
        [claim] => claim,
        several => several.iter().find(|claim| is_named(claim))?,
    };
    // As it stands there, with the claim's version at that time.
    if is_named(claim) && str_at(live, &["uid"]) == Some(object::uid(claim)) {
        return claims_this(live, subject, context).then(|| as_bound(live));
    }
    let reference = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": object::namespace(claim),
        "name": object::name(claim), "uid": object::uid(claim),
    });
    claims_this(&reference, subject, context).then_some(reference)
}

/// Whether a claim was bound once. Of its binder's three traces one is enough: they come back only
/// while the volume names the claim, so to take one away and edit the volume at the same moment would
/// leave neither to prove the other.
fn was_bound(claim: &Value) -> bool {
    let noted = |name| object::annotation(claim, name) == Some("yes");
    noted(BIND_COMPLETED)
        || noted(BOUND_BY_CONTROLLER)
        || matches!(str_at(claim, &["status", "phase"]), Some("Bound" | "Lost"))
}

/// The claim that is gone, of a volume that its binder calls released: without it the volume, with all
/// that the claim left on it, would be given to whoever asks next. Who forges the binder's note as well
/// can take a volume out of use that way, but opens none.
fn released_claim(subject: &Subject<'_>, context: &Context<'_>) -> Option<Value> {
    let reference = at(subject.live, &["spec", "claimRef"])?;
    let released = matches!(str_at(subject.live, &["status", "phase"]), Some("Released" | "Failed"));
    let uid = str_at(reference, &["uid"]).filter(|u| !u.is_empty())?;
    let key =
        ObjectKey::new("", "PersistentVolumeClaim", str_at(reference, &["namespace"])?, str_at(reference, &["name"])?);
    // The binder notes whom it bound; a reference without its note is not its own.
    let noted = object::annotation(subject.live, BOUND_BY_CONTROLLER) == Some("yes");
    let by_binder = noted || subject.declares(&["spec", "claimRef"]);
    let gone = context.live.get(&key).is_none_or(|claim| object::uid(&claim) != uid);
    (released && by_binder && gone && matches_declared(reference, subject)).then(|| as_bound(reference))
}

/// Whether a volume's reference names the claim that Git reserves it for, if Git does.
fn matches_declared(reference: &Value, subject: &Subject<'_>) -> bool {
    at(subject.declared, &["spec", "claimRef"])
        .is_none_or(|d| d.get("name") == reference.get("name") && d.get("namespace") == reference.get("namespace"))
}

/// What the binder writes of a claim, and nothing else.
fn as_bound(reference: &Value) -> Value {
    let mut bound = Map::new();
    for (field, value) in reference.as_object().into_iter().flatten() {
        let value = match field.as_str() {
            "apiVersion" => json!("v1"),
            "kind" => json!("PersistentVolumeClaim"),
            "namespace" | "name" | "uid" => value.clone(),
            // The claim's version at that time, which tells nothing any more.
            "resourceVersion" if value.as_str().is_some_and(is_number) => value.clone(),
            _ => continue,
        };
        bound.insert(field.clone(), value);
    }
    Value::Object(bound)
}

fn is_number(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}

fn claims_this(reference: &Value, subject: &Subject<'_>, context: &Context<'_>) -> bool {
    let field = |f: &str| reference.get(f).and_then(Value::as_str).unwrap_or_default();
    let key = ObjectKey::new("", "PersistentVolumeClaim", field("namespace"), field("name"));
    let Some(claim) = context.live.get(&key) else { return false };
    matches_declared(reference, subject)
        && object::uid(&claim) == field("uid")
        && str_at(&claim, &["spec", "volumeName"]).is_none_or(|v| v.is_empty() || v == subject.key.name)
}
