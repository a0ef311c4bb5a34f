//! Finalizers: which the control plane sets on which kind, who removes them, and when.

use serde_json::Value;

use super::accounts::Account::{self, ApiServer, Controller, Scheduler};
use super::case::Case;
use super::compare::{list, text};
use super::{Judged, Proof, Refusal, job};
use crate::change::Change;
use crate::object::{self, ObjectKey};

pub(super) const JOB_TRACKING: &str = "batch.kubernetes.io/job-tracking";
pub(super) const CLAIM_PROTECTION: &str = "kubernetes.io/pvc-protection";

const PROVISIONER: &str = "external-provisioner.volume.kubernetes.io/finalizer";

struct Known {
    group: &'static str,
    kind: &'static str,
    finalizer: &'static str,
    /// Who removes it; empty if that rests on content alone.
    removed_by: &'static [Account],
}

#[rustfmt::skip]
const KNOWN: &[Known] = &[
    Known { group: "", kind: "PersistentVolumeClaim", finalizer: CLAIM_PROTECTION, removed_by: &[Controller("pvc-protection-controller")] },
    Known { group: "", kind: "PersistentVolume", finalizer: "kubernetes.io/pv-protection", removed_by: &[Controller("pv-protection-controller")] },
    Known { group: "", kind: "PersistentVolume", finalizer: "kubernetes.io/pv-controller", removed_by: &[Controller("persistent-volume-binder")] },
    Known { group: "", kind: "PersistentVolume", finalizer: PROVISIONER, removed_by: &[] },
    Known { group: "apiextensions.k8s.io", kind: "CustomResourceDefinition", finalizer: "customresourcecleanup.apiextensions.k8s.io", removed_by: &[ApiServer] },
    Known { group: "networking.k8s.io", kind: "ServiceCIDR", finalizer: "networking.k8s.io/service-cidr-finalizer", removed_by: &[Controller("service-cidrs-controller")] },
    Known { group: "storage.k8s.io", kind: "VolumeAttributesClass", finalizer: "kubernetes.io/vac-protection", removed_by: &[Controller("volumeattributesclass-protection-controller")] },
    Known { group: "scheduling.k8s.io", kind: "PodGroup", finalizer: "scheduling.k8s.io/podgroup-protection", removed_by: &[] },
    Known { group: "resource.k8s.io", kind: "ResourceClaim", finalizer: "resource.kubernetes.io/delete-protection", removed_by: &[Controller("resource-claim-controller"), Scheduler] },
];

/// Finalizers that the garbage collector works with, on any kind.
const COLLECTING: [&str; 2] = ["foregroundDeletion", "orphan"];

/// The list of finalizers changes.
pub(super) fn changed(case: &Case<'_>, _change: &Change) -> Judged {
    let (old, new) = (case.old()?, case.object()?);
    let mut proof = Proof::Content;
    for finalizer in object::finalizers(new).filter(|f| !object::finalizers(old).any(|o| o == *f)) {
        added(case, new, finalizer)?;
    }
    for finalizer in object::finalizers(old).filter(|f| !object::finalizers(new).any(|n| n == *f)) {
        proof = proof.and(removed(case, old, finalizer)?);
    }
    Ok(proof)
}

fn known(case: &Case<'_>, finalizer: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|k| k.finalizer == finalizer && k.kind == case.kind && k.group == case.group)
}

/// Whether a finalizer on an object is neither the control plane's nor of its kind: it would keep the
/// object for good.
fn is_strange(key: &ObjectKey, object: &Value, finalizer: &str) -> bool {
    let collects = object::is_terminating(object) && COLLECTING.contains(&finalizer);
    let tracks = finalizer == JOB_TRACKING && (key.group.as_str(), key.kind.as_str()) == ("", "Pod");
    let known = KNOWN.iter().any(|k| k.finalizer == finalizer && k.kind == key.kind && k.group == key.group);
    !(collects || tracks || known)
}

/// The first finalizer of an object that Git does not declare and that no controller sets.
pub(super) fn strange<'a>(key: &ObjectKey, object: &'a Value) -> Option<&'a str> {
    object::finalizers(object).find(|f| is_strange(key, object, f))
}

/// An object that Git does not declare without such finalizers; `None` if it has none.
pub(super) fn without_strange(key: &ObjectKey, object: &Value) -> Option<Value> {
    strange(key, object)?;
    let kept: Vec<Value> =
        object::finalizers(object).filter(|f| !is_strange(key, object, f)).map(Value::from).collect();
    let mut without = object.clone();
    without["metadata"]["finalizers"] = Value::Array(kept);
    Some(without)
}

/// A finalizer blocks an object's removal for good if nobody answers for it.
fn added(case: &Case<'_>, new: &Value, finalizer: &str) -> Result<(), Refusal> {
    if COLLECTING.contains(&finalizer) {
        ensure!(object::is_terminating(new), "the finalizer {finalizer} is put on an object that is not being deleted");
        return Ok(());
    }
    let Some(known) = known(case, finalizer) else {
        return Err(Refusal::new(format!("no controller puts the finalizer {finalizer} on a {}", case.kind)));
    };
    let is_declared = case.is_declared(case.group, case.kind, case.namespace, case.name);
    // On what Git declares it is put by those who take it off again, or by the binder for them. Who takes
    // off some is not known.
    if is_declared && (!known.removed_by.is_empty() || finalizer == PROVISIONER) {
        let writers = [known.removed_by, &[ApiServer, Controller("persistent-volume-binder")]].concat();
        case.by(&writers)?;
    }
    Ok(())
}

fn removed(case: &Case<'_>, old: &Value, finalizer: &str) -> Judged {
    if finalizer == JOB_TRACKING && (case.group, case.kind) == ("", "Pod") {
        ensure!(
            object::is_terminating(old) || is_finished(old) || job::lets_go(case, old),
            "the Pod still counts for an unfinished Job"
        );
        return Ok(Proof::Content);
    }
    let is_declared = case.is_declared(case.group, case.kind, case.namespace, case.name);
    if !is_declared && !object::holds_data(case.group, case.kind) && is_strange(&case.key(), old, finalizer) {
        return Ok(Proof::Content);
    }
    ensure!(
        object::is_terminating(old),
        "the finalizer {finalizer} is removed from an object that is not being deleted"
    );
    if COLLECTING.contains(&finalizer) {
        return case.by(&[Controller("generic-garbage-collector")]);
    }
    let Some(known) = known(case, finalizer) else {
        return Err(Refusal::new(format!("the finalizer {finalizer} is not a built-in controller's")));
    };
    if finalizer == CLAIM_PROTECTION {
        ensure!(!is_claim_used(case), "a Pod still uses the claim {}", case.name);
    }
    if known.removed_by.is_empty() { Ok(Proof::Content) } else { case.by(known.removed_by) }
}

/// Whether a Pod has run to its end.
pub(super) fn is_finished(pod: &Value) -> bool {
    matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed")
}

fn is_claim_used(case: &Case<'_>) -> bool {
    case.list("", "Pod", case.namespace).iter().filter(|pod| !is_finished(pod)).any(|pod| {
        list(pod, &["spec", "volumes"]).iter().any(|v| text(v, &["persistentVolumeClaim", "claimName"]) == case.name)
    })
}
