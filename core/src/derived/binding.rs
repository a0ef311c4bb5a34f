//! Bindings: the scheduler puts a Pod on a node. Source: `pkg/registry/core/pod/storage`.

use super::case::Case;
use super::compare::{at, entries, list, map, only, text};
use super::{Judged, Proof, Refusal, selector};
use crate::object;

/// Labels of a binding, which are copied to the Pod: these may repeat the node's.
const COPIED: [&str; 2] = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/// A Pod is bound.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let binding = case.object()?;
    // Both are copied to the Pod.
    ensure!(only(at(binding, &["metadata", "annotations"]), &[]), "a binding carries no annotations");
    let target = text(binding, &["target", "name"]);
    let node = case.get("", "Node", "", target).filter(|_| text(binding, &["target", "kind"]) == "Node");
    let Some(node) = node else {
        return Err(Refusal::new(format!("{target:?} is no node")));
    };
    let node_labels = object::labels(&node);
    for (key, value) in entries(object::labels(binding)) {
        let copied = COPIED.contains(&key) && node_labels.and_then(|l| l.get(key)) == Some(value);
        ensure!(copied, "the label {key} would be put on the Pod");
    }
    let Some(pod) = case.get("", "Pod", case.namespace, case.name) else {
        return Err(Refusal::new(format!("the Pod {} does not exist", case.name)));
    };
    let wanted = map(&pod, &["spec", "nodeSelector"]);
    ensure!(selector::contains(wanted, node_labels), "the node {target} does not match the Pod's node selector");
    let unschedulable = at(&node, &["spec", "unschedulable"]).as_bool() == Some(true);
    let tolerates = list(&pod, &["spec", "tolerations"]).iter().any(|t| {
        text(t, &["key"]) == "node.kubernetes.io/unschedulable"
            || (text(t, &["key"]).is_empty() && text(t, &["operator"]) == "Exists")
    });
    ensure!(!unschedulable || tolerates, "the node {target} is cordoned");
    Ok(Proof::Identity)
}
