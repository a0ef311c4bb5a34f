//! Deletions: what goes because it was to go already, what its controller clears away, and what Git
//! does not declare.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::accounts::Account::{self, ApiServer, Controller, Node, Scheduler};
use super::case::{Act, Case};
use super::compare::{at, list, text};
use super::owner::{self, Fate};
use super::{Proof, Refusal, bootstrap, origin, replica_set, table};
use crate::carry;
use crate::delegation;
use crate::object;
use crate::trace::Judged::Diverged;
use crate::trace::judge_declared;
use crate::verdict::Origin;

/// Accounts that delete Pods: controllers, and whoever clears nodes.
const POD_REMOVERS: &[Account] = &[
    Controller("replicaset-controller"),
    Controller("statefulset-controller"),
    Controller("daemon-set-controller"),
    Controller("job-controller"),
    Controller("replication-controller"),
    Controller("node-controller"),
    Controller("pod-garbage-collector"),
    Controller("taint-eviction-controller"),
    Controller("device-taint-eviction-controller"),
    Controller("persistent-volume-binder"),
    Node,
    Scheduler,
];

/// Accounts that delete Pods which no controller stands for.
const NODE_CLEARERS: &[Account] = &[
    Controller("node-controller"),
    Controller("pod-garbage-collector"),
    Controller("taint-eviction-controller"),
    Controller("device-taint-eviction-controller"),
    Controller("persistent-volume-binder"),
    Node,
    Scheduler,
];

type Deleted = Result<Origin, Refusal>;

/// An object is deleted.
pub(super) fn judge(case: &Case<'_>) -> Deleted {
    let old = case.old()?;
    if object::is_terminating(old) {
        return Ok(origin("delete.terminating", Proof::Content));
    }
    if !case.namespace.is_empty()
        && case.get("", "Namespace", "", case.namespace).is_some_and(|n| object::is_terminating(&n))
    {
        return Ok(origin("delete.namespace", Proof::Content));
    }
    if is_of_dying_kind(case) {
        return Ok(origin("delete.crd-instance", Proof::Content));
    }
    if matches!((case.group, case.kind), ("" | "events.k8s.io", "Event") | ("coordination.k8s.io", "Lease")) {
        return bootstrap::outside(case).map(|proof| origin("outside.event", proof));
    }
    if case.context.snapshot.is_declared(&case.key()) {
        return declared(case, old);
    }
    match object::owner_references(old) {
        [] => ownerless(case, old),
        references if is_orphaned(case, references) => orphaned(case),
        _ => owned(case, old),
    }
}

/// Instances of a CustomResourceDefinition go with it.
fn is_of_dying_kind(case: &Case<'_>) -> bool {
    case.group.contains('.')
        && case
            .get("apiextensions.k8s.io", "CustomResourceDefinition", "", &format!("{}.{}", case.resource, case.group))
            .is_some_and(|definition| object::is_terminating(&definition))
}

/// What Git declares stays, but for Jobs that are over, Pods whose node is cleared, and what is not
/// as Git says and which gitward makes anew to put it right.
fn declared(case: &Case<'_>, old: &Value) -> Deleted {
    if is_to_be_made_anew(case, old) {
        return Ok(Origin::Removal);
    }
    match (case.group, case.kind) {
        ("batch", "Job") => {
            ttl_over(case, old)?;
            by(case, "delete.job.ttl", &[Controller("ttl-after-finished-controller")])
        }
        ("", "Pod") => {
            own_node(case, old)?;
            by(case, "delete.pod", NODE_CLEARERS)
        }
        ("certificates.k8s.io", "CertificateSigningRequest") => {
            by(case, "delete.csr", &[Controller("certificate-controller")])
        }
        _ => Err(Refusal::new(format!("{} is declared in Git", case.key()))),
    }
}

fn is_to_be_made_anew(case: &Case<'_>, old: &Value) -> bool {
    // Nobody else makes it again.
    case.user.is_some_and(|user| user.is_reconciler)
        && (object::is_made_anew(case.group, case.kind) || object::may_take_the_place(&case.key(), old))
        && case
            .context
            .snapshot
            .declared(&case.key())
            .is_some_and(|declared| matches!(judge_declared(declared, old, case.context), Diverged(_)))
}

/// Whether all owners are gone or going. The garbage collector is believed about owners of kinds
/// that nobody else watches.
fn is_orphaned(case: &Case<'_>, references: &[Value]) -> bool {
    let collected = case.written_by(&[Controller("generic-garbage-collector")]);
    references.iter().all(|r| match owner::fate(case, r) {
        Fate::Living => false,
        Fate::Gone => true,
        Fate::Unknown => collected,
    })
}

/// All owners are gone or going. The garbage collector takes a namespaced owner of a
/// cluster-scoped object for gone without looking for it, so that only few such objects count.
fn orphaned(case: &Case<'_>) -> Deleted {
    let collected = !case.namespace.is_empty() || matches!(case.kind, "VolumeAttachment" | "CSINode" | "ResourceSlice");
    ensure!(collected, "{} is cluster-scoped and is not deleted for want of an owner", case.key());
    Ok(origin("delete.ownerless", Proof::Content))
}

/// An owner lives: its controller clears away what it no longer needs.
fn owned(case: &Case<'_>, old: &Value) -> Deleted {
    match (case.group, case.kind) {
        ("", "Pod") if case.written_by(POD_REMOVERS) => {
            own_node(case, old)?;
            by(case, "delete.pod", POD_REMOVERS)
        }
        ("batch", "Job") if case.written_by(&[Controller("ttl-after-finished-controller")]) => {
            ttl_over(case, old)?;
            Ok(origin("delete.job.ttl", Proof::Identity))
        }
        ("batch", "Job") if case.written_by(&[Controller("cronjob-controller")]) => {
            let cron_job = object::controller_reference(old)
                .and_then(|r| case.get("batch", "CronJob", case.namespace, text(r, &["name"])))
                .unwrap_or_default();
            let replaces = text(&cron_job, &["spec", "concurrencyPolicy"]) == "Replace";
            ensure!(finished(old).is_some() || replaces, "the Job is not finished");
            Ok(origin("delete.job.history", Proof::Identity))
        }
        ("apps", "ReplicaSet") if case.written_by(&[Controller("deployment-controller")]) => {
            ensure!(replica_set::is_empty(old), "the ReplicaSet still has Pods");
            Ok(origin("delete.replica-set.history", Proof::Identity))
        }
        ("apps", "ControllerRevision") => {
            let writers = &[Controller("statefulset-controller"), Controller("daemon-set-controller")];
            derived_or_stray(case, old, "delete.revision.history", writers)
        }
        ("discovery.k8s.io", "EndpointSlice") => {
            let writers = &[Controller("endpointslice-controller"), Controller("endpointslicemirroring-controller")];
            derived_or_stray(case, old, "delete.endpoint-slice", writers)
        }
        ("resource.k8s.io", "ResourceClaim") => {
            derived_or_stray(case, old, "delete.resource-claim", &[Controller("resource-claim-controller")])
        }
        _ => derived_or_stray(case, old, "delete.derived", &[]),
    }
}

/// No owner: what the control plane keeps for itself stays, the rest is what Git does not declare.
fn ownerless(case: &Case<'_>, old: &Value) -> Deleted {
    match (case.group, case.kind) {
        ("", "Endpoints") => {
            let service = case.get("", "Service", case.namespace, case.name);
            match service {
                Some(service) if !object::is_terminating(&service) => {
                    derived_or_stray(case, old, "delete.endpoints", &[Controller("endpoint-controller")])
                }
                _ => Ok(origin("delete.endpoints", Proof::Content)),
            }
        }
        ("networking.k8s.io", "IPAddress") => by(case, "delete.ip-address", &[ApiServer]),
        ("apiregistration.k8s.io", "APIService") if case.written_by(&[ApiServer]) => {
            ensure!(at(old, &["spec", "service"]).is_null(), "the API has a backend");
            Ok(origin("delete.api-service", Proof::Identity))
        }
        ("", "PersistentVolume") if is_prunable(case) => Ok(Origin::Removal),
        ("", "PersistentVolume") => {
            let claim = at(old, &["spec", "claimRef"]);
            let held = case.get("", "PersistentVolumeClaim", text(claim, &["namespace"]), text(claim, &["name"]));
            ensure!(
                held.is_none() && text(old, &["spec", "persistentVolumeReclaimPolicy"]) == "Delete",
                "the volume is not released, or is to be kept"
            );
            Ok(origin("delete.volume", Proof::Content))
        }
        ("certificates.k8s.io", "CertificateSigningRequest")
            if case.written_by(&[Controller("certificate-controller")]) =>
        {
            Ok(origin("delete.csr", Proof::Identity))
        }
        ("", "Pod") if case.written_by(NODE_CLEARERS) => {
            own_node(case, old)?;
            Ok(origin("delete.pod", Proof::Identity))
        }
        ("", "Secret") if case.written_by(&[Controller("legacy-service-account-token-cleaner")]) => {
            let unused = object::label(old, "kubernetes.io/legacy-token-invalid-since").is_some();
            ensure!(unused && text(old, &["type"]) == "kubernetes.io/service-account-token", "the token is in use");
            Ok(origin("delete.token", Proof::Identity))
        }
        _ => derived_or_stray(case, old, "delete.derived", &[]),
    }
}

/// What a controller would have made is its own to delete; anything else that Git does not declare
/// moves the cluster towards Git by going. What holds data does so only if Git once declared it and
/// says that such objects may go.
fn derived_or_stray(case: &Case<'_>, old: &Value, rule: &'static str, writers: &[Account]) -> Deleted {
    if !writers.is_empty() && case.written_by(writers) {
        return Ok(origin(rule, Proof::Identity));
    }
    if object::holds_data(case.group, case.kind) {
        ensure!(is_prunable(case), "{} holds data and is not deleted because Git does not declare it", case.key());
        return Ok(Origin::Removal);
    }
    if let Some(origin) = delegation::of_live(&case.key(), old, case.context, case.depth) {
        return Err(Refusal::new(format!("{} is an operator's: {origin}", case.key())));
    }
    let is_a_controllers =
        |old: &Value| table::judge(&Case { act: Act::Live, object: Some(old), old: None, user: None, ..*case }).is_ok();
    let key = case.key();
    let given = || carry::without_given_away(&key, old, case.context);
    ensure!(
        !is_a_controllers(old) && !given().iter().any(is_a_controllers),
        "{key} is a controller's, which would only make it anew"
    );
    Ok(Origin::Removal)
}

/// Whether Git once declared an object that holds data, and says that such may go.
fn is_prunable(case: &Case<'_>) -> bool {
    let snapshot = case.context.snapshot;
    snapshot.environment.prune.data_kinds.iter().any(|k| k == case.kind) && snapshot.former.contains_key(&case.key())
}

fn by(case: &Case<'_>, rule: &'static str, accounts: &[Account]) -> Deleted {
    case.by(accounts).map(|proof| origin(rule, proof))
}

/// A kubelet deletes Pods of its own node only.
fn own_node(case: &Case<'_>, pod: &Value) -> Result<(), Refusal> {
    super::node::own(case, text(pod, &["spec", "nodeName"]))
}

/// When a Job finished.
fn finished(job: &Value) -> Option<&Value> {
    list(job, &["status", "conditions"])
        .iter()
        .find(|c| matches!(text(c, &["type"]), "Complete" | "Failed") && text(c, &["status"]) == "True")
}

fn ttl_over(case: &Case<'_>, job: &Value) -> Result<(), Refusal> {
    const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(1);
    let Some(seconds) = at(job, &["spec", "ttlSecondsAfterFinished"]).as_i64() else {
        return Err(Refusal::new("the Job has no time to live"));
    };
    let Some(at) = finished(job).and_then(|c| text(c, &["lastTransitionTime"]).parse::<Timestamp>().ok()) else {
        return Err(Refusal::new("the Job is not finished"));
    };
    let over = at.checked_add(SignedDuration::from_secs(seconds)).is_ok_and(|end| end <= case.now() + CLOCK_SKEW);
    ensure!(over, "the Job's time to live is not over");
    Ok(())
}
