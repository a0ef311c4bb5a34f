//! Numbers with a least and a greatest, and numbers that may be percentages.

use serde_json::Value;

use super::object::Object;
use super::webhooks::CONFIGURATIONS;
use super::{Containers, Kinds, On, Pods, look};
use crate::path::FieldPath;

const RULE: &str = "valid/bounds";

/// No greatest, but for the one of the field's type.
const ANY: i64 = i64::MAX;

const REPLICATED: &[&str] = &["Deployment", "ReplicaSet", "StatefulSet"];
const JOB: On = Kinds("batch", &["Job"]);
const CRON_JOB: On = Kinds("batch", &["CronJob"]);
const AUTOSCALER: On = Kinds("autoscaling", &["HorizontalPodAutoscaler"]);

/// Which objects, which fields, the least and the greatest.
const NUMBERS: &[(On, &str, i64, i64)] = &[
    (Kinds("", &["ReplicationController"]), "spec.replicas|minReadySeconds", 0, ANY),
    (Kinds("apps", REPLICATED), "spec.replicas|minReadySeconds", 0, ANY),
    (Kinds("apps", &["DaemonSet"]), "spec.minReadySeconds", 0, ANY),
    (Kinds("apps", &["Deployment", "DaemonSet"]), "spec.revisionHistoryLimit", 0, ANY),
    (Kinds("apps", &["Deployment"]), "spec.progressDeadlineSeconds", 0, ANY),
    (Kinds("apps", &["StatefulSet"]), "spec.ordinals.start", 0, ANY),
    (Kinds("apps", &["StatefulSet"]), "spec.updateStrategy.rollingUpdate.partition", 0, ANY),
    (JOB, "spec.parallelism|completions|backoffLimit|activeDeadlineSeconds", 0, ANY),
    (JOB, "spec.ttlSecondsAfterFinished|backoffLimitPerIndex|maxFailedIndexes", 0, ANY),
    (CRON_JOB, "spec.successfulJobsHistoryLimit|failedJobsHistoryLimit|startingDeadlineSeconds", 0, ANY),
    (CRON_JOB, "spec.jobTemplate.spec.parallelism|completions|backoffLimit|activeDeadlineSeconds", 0, ANY),
    (CRON_JOB, "spec.jobTemplate.spec.ttlSecondsAfterFinished|backoffLimitPerIndex|maxFailedIndexes", 0, ANY),
    (Pods, "spec.activeDeadlineSeconds", 1, 2_147_483_647),
    (Pods, "spec.securityContext.runAsUser|runAsGroup|fsGroup", 0, 2_147_483_647),
    (Pods, "spec.topologySpreadConstraints[].maxSkew|minDomains", 1, ANY),
    (Pods, "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[].weight", 1, 100),
    (
        Pods,
        "spec.affinity.podAffinity|podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[].weight",
        1,
        100,
    ),
    (Pods, "spec.volumes[].projected.sources[].serviceAccountToken.expirationSeconds", 600, ANY),
    (Containers, "securityContext.runAsUser|runAsGroup", 0, 2_147_483_647),
    (Containers, "livenessProbe|readinessProbe|startupProbe.initialDelaySeconds|timeoutSeconds|periodSeconds", 0, ANY),
    (Containers, "livenessProbe|readinessProbe|startupProbe.successThreshold|failureThreshold", 0, ANY),
    (AUTOSCALER, "spec.behavior.scaleUp|scaleDown.stabilizationWindowSeconds", 0, 3600),
    (AUTOSCALER, "spec.behavior.scaleUp|scaleDown.policies[].periodSeconds", 1, 1800),
    (AUTOSCALER, "spec.behavior.scaleUp|scaleDown.policies[].value", 1, ANY),
    (AUTOSCALER, "spec.metrics[].resource|containerResource.target.averageUtilization", 1, ANY),
    (CONFIGURATIONS, "webhooks[].timeoutSeconds", 1, 30),
    (Kinds("coordination.k8s.io", &["Lease"]), "spec.leaseDurationSeconds", 1, ANY),
];

/// Modes of files in volumes.
const MODES: [&str; 3] = [
    "spec.volumes[].configMap|secret|downwardAPI|projected.defaultMode",
    "spec.volumes[].configMap|secret|downwardAPI.items[].mode",
    "spec.volumes[].projected.sources[].configMap|secret|downwardAPI.items[].mode",
];

pub(super) fn bounds(object: &mut Object<'_>) {
    for (on, path, least, most) in NUMBERS {
        look(object, on, path, |object, value, at| within(object, value, at, *least, *most));
    }
}

fn within(object: &mut Object<'_>, value: &Value, at: &FieldPath, least: i64, most: i64) {
    let Some(number) = value.as_i64().filter(|number| !(least..=most).contains(number)) else { return };
    let hint = if number < least { "raise it" } else { "lower it" };
    match most {
        ANY => object.say(RULE, at, format!("must be at least {least}"), hint),
        _ => object.say(RULE, at, format!("must be from {least} to {most}"), hint),
    }
}

pub(super) fn modes(object: &mut Object<'_>) {
    for path in MODES {
        look(object, &Pods, path, |object, mode, at| {
            if mode.as_i64().is_some_and(|mode| !(0..=0o777).contains(&mode)) {
                let hint = "write it in octal with a zero before it, from 0 to 0777, such as 0644";
                object.say(RULE, at, "is no mode of a file", hint);
            }
        });
    }
}

/// Which objects, which fields, and whether they may be more than all (`150%`).
const PERCENTAGES: &[(On, &str, bool)] = &[
    (Kinds("apps", &["Deployment"]), "spec.strategy.rollingUpdate.maxSurge", true),
    (Kinds("apps", &["DaemonSet"]), "spec.updateStrategy.rollingUpdate.maxSurge", true),
    (Kinds("apps", &["Deployment"]), "spec.strategy.rollingUpdate.maxUnavailable", false),
    (Kinds("apps", &["DaemonSet"]), "spec.updateStrategy.rollingUpdate.maxUnavailable", false),
    (Kinds("policy", &["PodDisruptionBudget"]), "spec.minAvailable|maxUnavailable", false),
];

pub(super) fn percentages(object: &mut Object<'_>) {
    for (on, path, more) in PERCENTAGES {
        look(object, on, path, |object, value, at| {
            within(object, value, at, 0, ANY);
            let Some(text) = value.as_str() else { return };
            match percent(text) {
                None => object.say(RULE, at, "is no percentage", "write a number without quotes, or one with `%`"),
                Some(percent) if percent > 100 && !more => object.say(RULE, at, "is more than 100%", "lower it"),
                Some(_) => {}
            }
        });
    }
}

/// `25%`; what is too large to count is large.
fn percent(text: &str) -> Option<u64> {
    let number = text.strip_suffix('%').filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))?;
    Some(number.parse().unwrap_or(u64::MAX))
}

/// Pods that a rollout may take away or add: without either it could not begin. A DaemonSet does only one of the two.
pub(super) fn rollout(object: &mut Object<'_>) {
    let is_daemon = object.is("DaemonSet");
    let strategy = if is_daemon { "updateStrategy" } else { "strategy" };
    if object.value["spec"][strategy]["type"].as_str().is_some_and(|name| name != "RollingUpdate") {
        return;
    }
    let update = &object.value["spec"][strategy]["rollingUpdate"];
    let at = FieldPath::of(["spec", strategy, "rollingUpdate"]);
    let none = |field: &str, left_out: bool| if update[field].is_null() { left_out } else { is_none(&update[field]) };
    // What is left out counts as something, but for the surge of a DaemonSet.
    match (none("maxUnavailable", false), none("maxSurge", is_daemon)) {
        (true, true) => {
            object.say(RULE, &at.field("maxUnavailable"), "must not be 0 while `maxSurge` is", "raise one of the two");
        }
        (false, false) if is_daemon => {
            let hint = "write `maxUnavailable: 0` beside it; what is left out counts as 1";
            object.say(RULE, &at.field("maxSurge"), "may not be set while `maxUnavailable` is not 0", hint);
        }
        _ => {}
    }
}

fn is_none(value: &Value) -> bool {
    value.as_i64() == Some(0) || value.as_str().and_then(percent) == Some(0)
}

/// A rollout that counts a Pod as ready later than it has failed.
pub(super) fn progress(object: &mut Object<'_>) {
    let spec = &object.value["spec"];
    let ready = spec["minReadySeconds"].as_i64().unwrap_or(0);
    // What is left out counts as ten minutes.
    let deadline = spec["progressDeadlineSeconds"].as_i64().unwrap_or(600);
    if ready > 0 && deadline <= ready {
        let field =
            if spec["progressDeadlineSeconds"].is_null() { "minReadySeconds" } else { "progressDeadlineSeconds" };
        let at = FieldPath::of(["spec", field]);
        let hint = "raise `progressDeadlineSeconds` (600 if left out), or lower `minReadySeconds`";
        object.say(RULE, &at, "leaves no time: `progressDeadlineSeconds` must be more than `minReadySeconds`", hint);
    }
}
