//! What controllers change of objects that they did not make: one rule a field.

use super::case::Case;
use super::{
    Judged, Proof, Refusal, claim, cluster_role, controller_revision, finalizers, metadata, node, owner, pod,
    replica_set, resource_claim, scale, token, volume,
};
use crate::change::Change;

struct Row {
    group: &'static str,
    kind: &'static str,
    path: &'static [&'static str],
    name: &'static str,
    rule: fn(&Case<'_>, &Change) -> Judged,
}

/// Any group and kind.
const ANY: &str = "*";

#[rustfmt::skip]
const MAIN: &[Row] = {
    const fn row(group: &'static str, kind: &'static str, path: &'static [&'static str], name: &'static str, rule: fn(&Case<'_>, &Change) -> Judged) -> Row {
        Row { group, kind, path, name, rule }
    }
    &[
        row("apps", "ReplicaSet", &["metadata", "annotations"],                    "replica-set.update",   replica_set::annotation_changed),
        row("apps", "ReplicaSet", &["spec", "replicas"],                           "replica-set.scale",    replica_set::replicas_changed),
        row("apps", "ReplicaSet", &["spec", "minReadySeconds"],                    "replica-set.update",   replica_set::min_ready_changed),
        row("", "Pod", &["metadata", "labels"],                                    "pod.adopt",            pod::label_changed),
        row("apps", "ControllerRevision", &["revision"],                           "revision.number",      controller_revision::number_changed),
        row("apps", "ControllerRevision", &["metadata", "labels"],                 "revision.label",       controller_revision::label_changed),
        row("", "PersistentVolumeClaim", &["spec", "volumeName"],                  "claim.bind",           claim::volume_bound),
        row("", "PersistentVolumeClaim", &["spec", "storageClassName"],            "claim.class",          claim::class_chosen),
        row("", "PersistentVolume", &["spec", "claimRef"],                         "volume.bind",          volume::claim_bound),
        row("", "Secret", &["data"],                                               "token.secret",         token::secret_data_changed),
        row("", "Secret", &["metadata", "annotations"],                            "token.secret",         token::secret_annotation_changed),
        row("", "Secret", &["metadata", "labels"],                                 "token.secret",         token::secret_label_changed),
        row("rbac.authorization.k8s.io", "ClusterRole", &["rules"],                "cluster-role.aggregate", cluster_role::rules_changed),
        row("", "Node", &["metadata", "annotations"],                              "node.update",          node::annotation_changed),
        row("", "Node", &["metadata", "labels"],                                   "node.update",          node::label_changed),
        row("", "Node", &["spec", "taints"],                                       "node.update",          node::taints_changed),
        row("", "Node", &["spec", "podCIDR"],                                      "node.update",          node::pod_cidr_set),
        row("", "Node", &["spec", "podCIDRs"],                                     "node.update",          node::pod_cidr_set),
        row("resource.k8s.io", "ResourceClaim", &["metadata", "finalizers"],       "resource-claim.update", resource_claim::finalizers_changed),
        row(ANY, ANY, &["spec", "replicas"],                                       "scale.hpa",            scale::replicas_changed),
    ]
};

/// Metadata that any object may have changed, through its status too.
#[rustfmt::skip]
const METADATA: &[Row] = &[
    Row { group: ANY, kind: ANY, path: &["metadata", "annotations"],     name: "metadata.annotation", rule: metadata::annotation_changed },
    Row { group: ANY, kind: ANY, path: &["metadata", "finalizers"],      name: "metadata.finalizer",  rule: finalizers::changed },
    Row { group: ANY, kind: ANY, path: &["metadata", "ownerReferences"], name: "metadata.owner",      rule: owner::references_changed },
];

impl Row {
    fn matches(&self, case: &Case<'_>, change: &Change) -> bool {
        (self.group == ANY || self.group == case.group)
            && (self.kind == ANY || self.kind == case.kind)
            && change.path.starts_with(self.path)
    }
}

/// Judges one change; the name of the rule that recognised it comes with the proof.
pub(super) fn judge(case: &Case<'_>, change: &Change) -> Result<(&'static str, Proof), Refusal> {
    let main = if case.subresource.is_empty() { MAIN } else { &[] };
    match main.iter().chain(METADATA).find(|row| row.matches(case, change)) {
        Some(row) => (row.rule)(case, change).map(|proof| (row.name, proof)),
        None => Err(Refusal::new(format!("no controller changes {}", change.path))),
    }
}

/// Judges all changes of an update; the rule is that of the first.
pub(super) fn all(case: &Case<'_>) -> Result<(&'static str, Proof), Refusal> {
    let mut found = ("unchanged", Proof::Content);
    for (position, change) in case.changes(true)?.iter().enumerate() {
        let (rule, proof) = judge(case, change)?;
        found = (if position == 0 { rule } else { found.0 }, found.1.and(proof));
    }
    Ok(found)
}
