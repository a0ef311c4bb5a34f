//! Replicas that a declared HorizontalPodAutoscaler bounds.

use serde_json::Value;

use super::case::Case;
use super::compare::{at, text};
use super::{Judged, Proof, Refusal};
use crate::change::Change;
use crate::object::{self, Gvk};

/// The scale of an object changes.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    for change in case.changes(false)? {
        ensure!(
            change.path.fields() == ["spec", "replicas"] || change.path.fields() == ["spec"],
            "{} changes through its scale",
            change.path
        );
    }
    within_bounds(case, at(case.object()?, &["spec", "replicas"]).as_i64().unwrap_or(0))
}

/// The replicas of an object change in the object itself.
pub(super) fn replicas_changed(case: &Case<'_>, change: &Change) -> Judged {
    within_bounds(case, change.new.as_ref().and_then(Value::as_i64).unwrap_or(0))
}

fn within_bounds(case: &Case<'_>, replicas: i64) -> Judged {
    for scaler in case.list("autoscaling", "HorizontalPodAutoscaler", case.namespace) {
        let target = at(&scaler, &["spec", "scaleTargetRef"]);
        let is_target = Gvk::of(target).is_some_and(|g| g.group == case.group && g.kind == case.kind)
            && text(target, &["name"]) == case.name;
        let name = object::name(&scaler);
        if !is_target || !case.is_declared("autoscaling", "HorizontalPodAutoscaler", case.namespace, name) {
            continue;
        }
        let min = at(&scaler, &["spec", "minReplicas"]).as_i64().unwrap_or(1);
        let max = at(&scaler, &["spec", "maxReplicas"]).as_i64().unwrap_or(0);
        ensure!(
            (min..=max).contains(&replicas),
            "{replicas} replicas are not within {min} and {max} of the HorizontalPodAutoscaler {name}"
        );
        return Ok(Proof::Content);
    }
    Err(Refusal::new(format!("Git declares no HorizontalPodAutoscaler for {}", case.key())))
}
