//! Status: what controllers observed. It rests on who writes it; that it changes nothing else does
//! not.

use super::accounts::Account::{self, ApiServer, Controller, Node, Scheduler};
use super::case::Case;
use super::compare::{at, text};
use super::{Judged, Proof, Refusal, fields, node};
use crate::change;

struct Row {
    group: &'static str,
    kind: &'static str,
    writers: &'static [Account],
}

#[rustfmt::skip]
const WRITERS: &[Row] = {
    const fn row(group: &'static str, kind: &'static str, writers: &'static [Account]) -> Row {
        Row { group, kind, writers }
    }
    &[
        row("apps", "Deployment", &[Controller("deployment-controller")]),
        row("apps", "ReplicaSet", &[Controller("replicaset-controller")]),
        row("apps", "StatefulSet", &[Controller("statefulset-controller")]),
        row("apps", "DaemonSet", &[Controller("daemon-set-controller")]),
        row("batch", "Job", &[Controller("job-controller")]),
        row("batch", "CronJob", &[Controller("cronjob-controller")]),
        row("policy", "PodDisruptionBudget", &[Controller("disruption-controller"), ApiServer]),
        row("autoscaling", "HorizontalPodAutoscaler", &[Controller("horizontal-pod-autoscaler")]),
        row("", "ReplicationController", &[Controller("replication-controller")]),
        row("", "Pod", &[
            Node, Scheduler, Controller("node-controller"), Controller("disruption-controller"), Controller("pod-garbage-collector"),
            Controller("resource-claim-controller"), Controller("device-taint-eviction-controller"), Controller("job-controller"),
            Controller("taint-eviction-controller"),
        ]),
        row("", "Node", &[
            Node, Controller("node-controller"), Controller("attachdetach-controller"), Controller("route-controller"),
            Controller("cloud-node-controller"),
        ]),
        row("", "Namespace", &[Controller("namespace-controller")]),
        row("", "Service", &[Controller("service-controller")]),
        row("", "PersistentVolumeClaim", &[
            Controller("persistent-volume-binder"), Controller("pvc-protection-controller"), Controller("expand-controller"), Node,
        ]),
        row("", "PersistentVolume", &[Controller("persistent-volume-binder")]),
        row("", "ResourceQuota", &[Controller("resourcequota-controller"), ApiServer]),
        row("apiextensions.k8s.io", "CustomResourceDefinition", &[ApiServer]),
        row("apiregistration.k8s.io", "APIService", &[ApiServer]),
        row("certificates.k8s.io", "CertificateSigningRequest", &[Controller("certificate-controller")]),
        row("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", &[Controller("validatingadmissionpolicy-status-controller")]),
        row("networking.k8s.io", "ServiceCIDR", &[Controller("service-cidrs-controller"), ApiServer]),
        row("flowcontrol.apiserver.k8s.io", "FlowSchema", &[ApiServer]),
        row("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", &[ApiServer]),
        row("resource.k8s.io", "ResourceClaim", &[Controller("resource-claim-controller"), Scheduler, Node]),
        row("storage.k8s.io", "VolumeAttachment", &[Controller("attachdetach-controller")]),
        row("storagemigration.k8s.io", "StorageVersionMigration", &[Controller("storage-version-migrator-controller")]),
    ]
};

/// Group and kind of every status, with an account that writes it.
pub(super) fn writers() -> impl Iterator<Item = (&'static str, &'static str, Account)> {
    WRITERS.iter().flat_map(|row| row.writers.iter().map(|account| (row.group, row.kind, *account)))
}

/// A status changes, and through it perhaps metadata: API servers let most kinds' labels,
/// annotations, finalizers and owners be changed through it.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let (old, new) = (case.old()?, case.object()?);
    let mut proof = Proof::Content;
    for change in case.changes(false)? {
        ensure!(!matches!((case.group, case.kind), ("", "Pod")), "{} changes through a Pod's status", change.path);
        proof = proof.and(fields::judge(case, &change)?.1);
    }
    if change::same(at(old, &["status"]), at(new, &["status"])) {
        return Ok(proof);
    }
    let Some(row) = WRITERS.iter().find(|row| row.kind == case.kind && row.group == case.group) else {
        return Err(Refusal::new(format!("no built-in controller writes the status of a {}", case.kind)));
    };
    case.by(row.writers)?;
    match (case.group, case.kind) {
        ("", "Pod") => node::own(case, text(old, &["spec", "nodeName"]))?,
        ("", "Node") => node::own(case, case.name)?,
        _ => {}
    }
    Ok(Proof::Identity)
}
