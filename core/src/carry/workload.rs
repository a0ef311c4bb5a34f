//! Deployments, autoscaled workloads, Jobs and bare Pods.

use serde_json::{Value, json};

use super::{Subject, annotation, at, remove, set, str_at};
use crate::additions::overlay;
use crate::change::is_empty;
use crate::derived::Context;
use crate::object::{self, ObjectKey};
use crate::snapshot::Digest;
use crate::trace::rename_token_volume;

/// The revision is the highest of the Deployment's own ReplicaSets; a forged one is none of them.
/// While there are none, between the last one's removal and the next, it is what it was: with the next
/// one its controller writes it anew.
pub(super) fn revision(target: &mut Value, subject: &Subject<'_>, context: &Context<'_>) {
    annotation(target, subject, "deployment.kubernetes.io/revision", |value| {
        let uid = object::uid(subject.live);
        let sets = context.live.list("apps", "ReplicaSet", &subject.key.namespace);
        let own = sets.iter().filter(|s| object::controller_reference(s).is_some_and(|r| r["uid"] == uid));
        let highest =
            own.filter_map(|s| object::annotation(s, "deployment.kubernetes.io/revision")?.parse::<u64>().ok()).max();
        value.parse::<u64>().is_ok_and(|revision| highest.is_none_or(|highest| revision == highest))
    });
}

/// `replicas` belong to an autoscaler that Git declares for this object, within its bounds; 0 would
/// switch the autoscaler off and is outside them. Where Git moved them a moment ago, it has yet to act.
pub(super) fn autoscaled_replicas(target: &mut Value, subject: &Subject<'_>, context: &Context<'_>) {
    let Some((min, max)) = context.snapshot.autoscaled(subject.key) else { return };
    let path = ["spec", "replicas"];
    let Some(n) = at(subject.live, &path).and_then(Value::as_i64) else { return };
    if (min..=max).contains(&n) || context.snapshot.was_autoscaled(subject.key, n, context.now) {
        set(target, &path, json!(n));
    } else if at(target, &path).is_none() {
        // A write without a number would make it one: it takes the nearest, as the autoscaler would.
        set(target, &path, json!(n.clamp(min, max.max(min))));
    }
}

/// A counter that only goes up; any number may stand there.
pub(super) fn template_generation(target: &mut Value, subject: &Subject<'_>) {
    annotation(target, subject, "deprecated.daemonset.template.generation", |v| v.parse::<u64>().is_ok());
}

/// Selector and labels that the API server generates from a Job's uid and name.
pub(super) fn job_selector(target: &mut Value, subject: &Subject<'_>) {
    let uid = object::uid(subject.live);
    if uid.is_empty() || at(subject.declared, &["spec", "manualSelector"]) == Some(&Value::Bool(true)) {
        return;
    }
    set(target, &["spec", "selector"], json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}));
    let name = &subject.key.name;
    let unlabelled = |job: &Value| at(job, &["metadata", "labels"]).is_none_or(is_empty);
    // A Job without labels of its own is read with its template's, generated ones included, but
    // for its creation.
    if unlabelled(subject.declared) && unlabelled(subject.live) {
        remove(target, &["metadata", "labels"]);
    }
    // Its creation shares one map between its own labels and its template's, unless a generated name
    // parts the two: there are generated labels on the Job itself, or none.
    let shares_labels = unlabelled(subject.declared) && !unlabelled(target);
    let generated = [
        ("batch.kubernetes.io/controller-uid", uid),
        ("controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
        ("job-name", name),
    ];
    for (label, value) in generated {
        set(target, &["spec", "template", "metadata", "labels", label], json!(value));
        let own = ["metadata", "labels", label];
        if shares_labels && at(subject.live, &own).is_none() {
            remove(target, &own);
        } else if (shares_labels || at(target, &own).is_some()) && !subject.declares(&own) {
            set(target, &own, json!(value));
        }
    }
}

fn is_made_of(record: &Value, declared: &Value) -> bool {
    record.get(super::MADE_OF) == Some(&json!(Digest::of(declared)))
}

/// A bare Pod is what admission made of it when it was created; it is scheduled once, and its node
/// decides the topology labels.
pub(super) fn pod(target: &mut Value, subject: &Subject<'_>, context: &Context<'_>) {
    if let Some(created) = subject.record {
        for part in ["spec", "metadata"] {
            if let (Some(there), Some(recorded)) = (target.get_mut(part), created.get(part)) {
                overlay(there, recorded);
            }
        }
        // The whole of it, lists included, where it was made of what Git declares now.
        if let Some(spec) = created.get("spec").filter(|_| is_made_of(created, subject.declared)) {
            set(target, &["spec"], spec.clone());
            rename_token_volume(target, subject.live);
        }
    }
    let Some(node) = str_at(subject.live, &["spec", "nodeName"]).filter(|n| !n.is_empty()) else { return };
    if !subject.declares(&["spec", "nodeName"]) {
        set(target, &["spec", "nodeName"], json!(node));
    }
    let node = context.live.get(&ObjectKey::new("", "Node", "", node));
    for label in ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"] {
        let of_node = node.as_deref().and_then(|n| object::label(n, label));
        let path = ["metadata", "labels", label];
        if subject.declares(&path) {
            continue;
        }
        match of_node.filter(|_| at(subject.live, &path).is_some()) {
            Some(value) => set(target, &path, json!(value)),
            None => remove(target, &path),
        }
    }
}
