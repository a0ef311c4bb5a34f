//! Nodes and what kubelets say of themselves: identity is all there is.

use serde_json::Value;

use super::accounts::Account::{Controller, Node};
use super::case::Case;
use super::compare::text;
use super::{Judged, Proof, Refusal, metadata};
use crate::change::Change;

const ANNOTATIONS: [&str; 3] = [
    "node.alpha.kubernetes.io/ttl",
    "volumes.kubernetes.io/controller-managed-attach-detach",
    "csi.volume.kubernetes.io/nodeid",
];

const LABELS: [&str; 5] = [
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
];

/// A kubelet registers its node.
pub(super) fn created(case: &Case<'_>) -> Judged {
    own(case, case.name)?;
    Ok(Proof::Identity)
}

/// A kubelet publishes its devices.
pub(super) fn resource_slice(case: &Case<'_>) -> Judged {
    own(case, text(case.object()?, &["spec", "nodeName"]))?;
    Ok(Proof::Identity)
}

/// Demands that a kubelet speaks for its own node. Simulated nodes share an account.
pub(super) fn own(case: &Case<'_>, node: &str) -> Result<(), Refusal> {
    ensure!(case.writing_node().is_none_or(|n| n == node), "a kubelet speaks for its own node only");
    Ok(())
}

/// An annotation changes.
pub(super) fn annotation_changed(case: &Case<'_>, change: &Change) -> Judged {
    let key = metadata::key(&change.path)?;
    ensure!(ANNOTATIONS.contains(&key), "no controller sets the annotation {key} of a node");
    own(case, case.name)?;
    case.by(&[Controller("ttl-controller"), Controller("attachdetach-controller"), Node])
}

/// A label changes.
pub(super) fn label_changed(case: &Case<'_>, change: &Change) -> Judged {
    let key = metadata::key(&change.path)?;
    let known = key.starts_with("kubernetes.io/") || key.starts_with("beta.kubernetes.io/") || LABELS.contains(&key);
    ensure!(known, "no controller sets the label {key} of a node");
    own(case, case.name)?;
    case.by(&[Controller("node-controller"), Controller("cloud-node-controller"), Node])
}

/// Taints change: the control plane's own only.
pub(super) fn taints_changed(case: &Case<'_>, change: &Change) -> Judged {
    let list = |value: &Option<Value>| value.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    let (old, new) = (list(&change.old), list(&change.new));
    let differing = old.iter().filter(|t| !new.contains(t)).chain(new.iter().filter(|t| !old.contains(t)));
    for taint in differing {
        let key = text(taint, &["key"]);
        let known = key.starts_with("node.kubernetes.io/") || key.starts_with("node.cloudprovider.kubernetes.io/");
        ensure!(known, "no controller sets the taint {key} of a node");
    }
    own(case, case.name)?;
    case.by(&[Controller("node-controller"), Controller("cloud-node-controller"), Node])
}

/// A node is given its addresses, once.
pub(super) fn pod_cidr_set(case: &Case<'_>, change: &Change) -> Judged {
    ensure!(change.old.is_none(), "the node has its addresses already");
    case.by(&[Controller("node-controller")])
}
