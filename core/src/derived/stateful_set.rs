//! Pods of StatefulSets. Source: `pkg/controller/statefulset/stateful_set_utils.go`.

use serde_json::{Value, json};

use super::case::{Act, Case};
use super::compare::{at, list, text};
use super::expected_pod::ExpectedPod;
use super::owner::{self, Owner};
use super::{Judged, Refusal, controller_revision, pod_admission, template};
use crate::object;

pub(super) const REVISION_LABEL: &str = "controller-revision-hash";

/// A Pod of a StatefulSet follows the revision that its label names: the set's current or update
/// revision, or the newest, which the status may not name yet.
pub(super) fn judge_pod(case: &Case<'_>, pod: &Value, owner: &Owner) -> Judged {
    let set = owner.object.as_ref();
    let name = object::label(pod, REVISION_LABEL).unwrap_or_default();
    let Some(revision) = case.get("apps", "ControllerRevision", case.namespace, name) else {
        return Err(Refusal::new(format!("its revision {name:?} does not exist")));
    };
    ensure!(owner::controller_uid(&revision) == object::uid(set), "its revision belongs to another owner");
    let key = crate::object::ObjectKey::new("apps", "ControllerRevision", case.namespace, name);
    let revision_case = Case::live(&key, &revision, case.context, case.depth + 1);
    let proof = controller_revision::judge(&revision_case)?;
    let revised = controller_revision::template(&revision);
    let named = |field| text(set, &["status", field]);
    if case.is(Act::Create) {
        let unnamed = named("currentRevision").is_empty();
        let newest = template::same(at(set, &["spec", "template"]), &revised, &[]);
        ensure!(
            unnamed || newest || name == named("currentRevision") || name == named("updateRevision"),
            "its revision is neither the current nor the update revision of {}",
            owner.key
        );
    }
    let expected = expected(case, pod, set, &revised)?;
    pod_admission::compare(case, expected, pod)?;
    Ok(owner.proof.and(proof))
}

fn expected(case: &Case<'_>, pod: &Value, set: &Value, template: &Value) -> Result<ExpectedPod, Refusal> {
    let name = object::name(pod);
    let Some(ordinal) = ordinal(name, object::name(set)) else {
        return Err(Refusal::new(format!("{name} is no name that the StatefulSet gives")));
    };
    ensure!(case.is(Act::Live) || in_range(set, ordinal), "the ordinal {ordinal} is out of the set's range");
    let mut pod = ExpectedPod::of(template, object::name(set));
    pod.name = Some(name.to_owned());
    pod.labels.insert("statefulset.kubernetes.io/pod-name".to_owned(), name.into());
    pod.labels.insert("apps.kubernetes.io/pod-index".to_owned(), ordinal.to_string().into());
    let revision = object::label(case.object()?, REVISION_LABEL).unwrap_or_default();
    pod.labels.insert(REVISION_LABEL.to_owned(), revision.into());
    pod.spec.insert("hostname".to_owned(), name.into());
    match text(set, &["spec", "serviceName"]) {
        "" => pod.spec.remove("subdomain"),
        service => pod.spec.insert("subdomain".to_owned(), service.into()),
    };
    let mut volumes: Vec<Value> = Vec::new();
    for claim in list(set, &["spec", "volumeClaimTemplates"]).iter().map(object::name) {
        let claim_name = format!("{claim}-{name}");
        volumes.push(json!({"name": claim, "persistentVolumeClaim": {"claimName": claim_name}}));
    }
    let own = list(template, &["spec", "volumes"]);
    let replaced = |v: &&Value| volumes.iter().any(|c| c["name"] == v["name"]);
    let kept: Vec<Value> = own.iter().filter(|v| !replaced(v)).cloned().collect();
    volumes.extend(kept);
    pod.spec.insert("volumes".to_owned(), Value::Array(volumes));
    Ok(pod)
}

/// The ordinal at the end of a Pod's name, as the set itself writes it.
pub(super) fn ordinal(name: &str, set: &str) -> Option<i64> {
    let digits = name.strip_prefix(set)?.strip_prefix('-')?;
    let ordinal = digits.parse::<u32>().ok()?;
    (ordinal.to_string() == digits).then_some(ordinal.into())
}

/// Whether the set is to have a Pod of that ordinal.
pub(super) fn in_range(set: &Value, ordinal: i64) -> bool {
    let start = at(set, &["spec", "ordinals", "start"]).as_i64().unwrap_or(0);
    let replicas = at(set, &["spec", "replicas"]).as_i64().unwrap_or(1);
    ordinal >= start && ordinal.saturating_sub(start) < replicas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_read_as_the_set_writes_them() {
        let cases = [
            ("web-0", Some(0)),
            ("web-12", Some(12)),
            ("web-01", None),
            ("web--1", None),
            ("web-", None),
            ("web-0-1", None),
            ("other-0", None),
            ("web-99999999999", None),
            ("web-+1", None),
        ];
        for (name, wanted) in cases {
            assert_eq!(ordinal(name, "web"), wanted, "{name}");
        }
    }
}
