//! Pods of controllers: the expected Pod of the owner's template.

use std::borrow::Cow;

use serde_json::Value;

use super::accounts::Account::Controller;
use super::case::{Act, Case};
use super::compare::{at, is_number};
use super::expected_pod::ExpectedPod;
use super::owner::{self, Owner, Reference};
use super::{Judged, Refusal, daemon_set, job, metadata, pod_admission, stateful_set, template};
use crate::change::Change;
use crate::object;

const OWNERS: &[(&str, &str)] = &[
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("batch", "Job"),
    ("", "ReplicationController"),
];

const MIRROR: &str = "kubernetes.io/config.mirror";

/// A Pod is made, or is there.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let pod = case.object()?;
    // The kubelet runs its static Pod all the same; it only logs that its mirror was refused.
    ensure!(object::annotation(pod, MIRROR).is_none(), "mirror Pods do not come from Git");
    ensure!(
        super::compare::only(
            at(pod, &["metadata"]),
            &[
                "name",
                "namespace",
                "generateName",
                "labels",
                "annotations",
                "finalizers",
                "ownerReferences",
                "uid",
                "resourceVersion",
                "generation",
                "creationTimestamp",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
                "managedFields",
            ]
        ),
        "its metadata has a field that no controller sets"
    );
    let owner = owner::of(case, OWNERS, Reference::Blocking)?;
    if owner.key.kind == "StatefulSet" {
        return stateful_set::judge_pod(case, pod, &owner);
    }
    let mut refusal = None;
    for template in templates(case, pod, &owner) {
        match expected(case, pod, &owner, template.as_ref()).and_then(|e| pod_admission::compare(case, e, pod)) {
            Ok(()) => return Ok(owner.proof),
            Err(r) => refusal = refusal.or(Some(r)),
        }
    }
    Err(refusal.unwrap_or_else(|| Refusal::new(format!("{} has no template", owner.key))))
}

/// The Pod that an owner makes of a template.
pub(super) fn expected(case: &Case<'_>, pod: &Value, owner: &Owner, template: &Value) -> Result<ExpectedPod, Refusal> {
    let base = ExpectedPod::of(template, &owner.key.name);
    match owner.key.kind.as_str() {
        "DaemonSet" => daemon_set::expected(case, pod, owner, base),
        "Job" => job::expected_pod(pod, owner, base),
        _ => Ok(base),
    }
}

/// Templates that the Pod may follow, the likeliest first.
fn templates<'a>(case: &Case<'a>, pod: &Value, owner: &'a Owner) -> Vec<Cow<'a, Value>> {
    let known = template::candidates(case, owner, &["spec", "template"]);
    let mut found: Vec<Cow<'a, Value>> = known.into_iter().map(Cow::Borrowed).collect();
    if case.is(Act::Live) {
        found.extend(daemon_set::revised_template(case, pod, owner).map(Cow::Owned));
    }
    found
}

/// A label changes: only a StatefulSet completes its identity labels on Pods that it adopts.
pub(super) fn label_changed(case: &Case<'_>, change: &Change) -> Judged {
    let value = change.new.as_ref().and_then(Value::as_str).unwrap_or_default();
    let right = match metadata::key(&change.path)? {
        "statefulset.kubernetes.io/pod-name" => value == case.name,
        "apps.kubernetes.io/pod-index" => {
            is_number(value) && case.name.rsplit_once('-').is_some_and(|(_, ordinal)| ordinal == value)
        }
        _ => false,
    };
    ensure!(right, "no controller sets {}", change.path);
    case.by(&[Controller("statefulset-controller")])
}
