//! Pods of DaemonSets. Source: `pkg/controller/daemon/util/daemonset_util.go`.

use serde_json::{Value, json};

use super::case::Case;
use super::compare::{at, is_hash, is_number, list, text};
use super::container::{list_in, map_in};
use super::expected_pod::ExpectedPod;
use super::owner::{self, Owner};
use super::stateful_set::REVISION_LABEL;
use super::{Refusal, controller_revision};
use crate::object;

const GENERATION_LABEL: &str = "pod-template-generation";
const GENERATION: &str = "deprecated.daemonset.template.generation";

/// Taints that daemons live with for ever.
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// Completes the template of a daemon's Pod: two labels, tolerations, and one node.
pub(super) fn expected(
    case: &Case<'_>,
    pod: &Value,
    owner: &Owner,
    mut expected: ExpectedPod,
) -> Result<ExpectedPod, Refusal> {
    let hash = object::label(pod, REVISION_LABEL).unwrap_or_default();
    ensure!(is_hash(hash), "{REVISION_LABEL} is no hash");
    if let Some(revision) = revision(case, owner, hash) {
        ensure!(
            owner::controller_uid(&revision) == object::uid(&owner.object),
            "its revision belongs to another owner"
        );
    }
    expected.labels.insert(REVISION_LABEL.to_owned(), hash.into());
    match object::label(pod, GENERATION_LABEL) {
        Some(generation) => {
            ensure!(is_number(generation), "{GENERATION_LABEL} is no number");
            expected.labels.insert(GENERATION_LABEL.to_owned(), generation.into());
        }
        None => ensure!(object::annotation(&owner.object, GENERATION).is_none(), "{GENERATION_LABEL} is missing"),
    }
    tolerate(&mut expected);
    let terms = node_terms(case, pod)?;
    let affinity = map_in(map_in(&mut expected.spec, "affinity"), "nodeAffinity");
    map_in(affinity, "requiredDuringSchedulingIgnoredDuringExecution").insert("nodeSelectorTerms".to_owned(), terms);
    Ok(expected)
}

fn tolerate(expected: &mut ExpectedPod) {
    let host_network = expected.spec.get("hostNetwork") == Some(&Value::Bool(true));
    let tolerations = list_in(&mut expected.spec, "tolerations");
    let network = host_network.then_some(("node.kubernetes.io/network-unavailable", "NoSchedule"));
    for (key, effect) in TOLERATED.into_iter().chain(network) {
        // The same toleration for a limited time gives way to the unlimited one.
        tolerations.retain(|t| {
            (text(t, &["key"]), text(t, &["effect"]), text(t, &["operator"])) != (key, effect, "Exists")
                || !text(t, &["value"]).is_empty()
        });
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": effect}));
    }
}

/// The affinity that pins the Pod to one node, which has to exist.
fn node_terms(case: &Case<'_>, pod: &Value) -> Result<Value, Refusal> {
    let terms = at(
        pod,
        &["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"],
    );
    let name = list(terms, &[])
        .first()
        .and_then(|term| list(term, &["matchFields"]).first())
        .and_then(|field| list(field, &["values"]).first())
        .and_then(Value::as_str)
        .unwrap_or_default();
    let wanted = json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]}]);
    ensure!(!name.is_empty() && *terms == wanted, "it is not pinned to one node by name");
    ensure!(case.get("", "Node", "", name).is_some(), "the node {name} does not exist");
    Ok(wanted)
}

fn revision(case: &Case<'_>, owner: &Owner, hash: &str) -> Option<std::sync::Arc<Value>> {
    case.get("apps", "ControllerRevision", case.namespace, &format!("{}-{hash}", owner.key.name))
}

/// The template of the revision that a living daemon was made from: a DaemonSet may leave old
/// Pods alone for as long as it likes.
pub(super) fn revised_template(case: &Case<'_>, pod: &Value, owner: &Owner) -> Option<Value> {
    if owner.key.kind != "DaemonSet" {
        return None;
    }
    let revision = revision(case, owner, object::label(pod, REVISION_LABEL)?)?;
    let key = object::ObjectKey::new("apps", "ControllerRevision", case.namespace, object::name(&revision));
    controller_revision::judge(&Case::live(&key, &revision, case.context, case.depth + 1)).ok()?;
    Some(controller_revision::template(&revision))
}
