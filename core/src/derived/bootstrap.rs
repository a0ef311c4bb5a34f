//! What kube-apiserver makes for itself when it starts, and what lies outside the rules.

use super::accounts::Account::{ApiServer, Node};
use super::case::{Act, Case};
use super::compare::text;
use super::{Judged, Proof};
use crate::object;

/// The rule by which an object is one of the API server's own; nobody else is believed about them.
/// An API server that is denied one of these does not start.
pub(super) fn rule(case: &Case<'_>) -> Option<&'static str> {
    let writes = matches!(case.act, Act::Create | Act::Update) && case.written_by(&[ApiServer]);
    let object = case.object.filter(|_| case.subresource.is_empty() && (writes || case.is(Act::Live)))?;
    let named = |names: &[&str]| names.contains(&case.name);
    match (case.group, case.kind) {
        ("rbac.authorization.k8s.io", _) => {
            let bootstraps = object::label(object, "kubernetes.io/bootstrapping") == Some("rbac-defaults");
            let own = case.name.starts_with("system:") || named(&["cluster-admin", "admin", "edit", "view"]);
            (bootstraps && own).then_some("bootstrap.rbac")
        }
        ("flowcontrol.apiserver.k8s.io", _) => {
            object::annotation(object, "apf.kubernetes.io/autoupdate-spec").map(|_| "bootstrap.flow-control")
        }
        ("scheduling.k8s.io", "PriorityClass") => {
            named(&["system-node-critical", "system-cluster-critical"]).then_some("bootstrap.priority")
        }
        ("", "Namespace") => {
            named(&["default", "kube-system", "kube-public", "kube-node-lease"]).then_some("bootstrap.namespace")
        }
        ("networking.k8s.io", "ServiceCIDR") => named(&["kubernetes"]).then_some("bootstrap.service"),
        ("", "Service") => (case.namespace == "default" && named(&["kubernetes"])).then_some("bootstrap.service"),
        ("", "ConfigMap") => {
            let own =
                named(&["extension-apiserver-authentication", "kube-apiserver-legacy-service-account-token-tracking"]);
            (case.namespace == "kube-system" && own).then_some("bootstrap.configuration")
        }
        _ => None,
    }
}

/// An address that a Service was given.
pub(super) fn ip_address(case: &Case<'_>) -> Judged {
    let parent = text(case.object()?, &["spec", "parentRef", "resource"]);
    ensure!(parent == "services", "it belongs to no Service");
    Ok(Proof::Identity)
}

/// Events and Leases decide nothing that Git declares: any account of the cluster may write them.
pub(super) fn outside(case: &Case<'_>) -> Judged {
    let system = case.user.is_none_or(|u| u.name.starts_with("system:"));
    ensure!(system || case.written_by(&[Node]), "only accounts of the cluster write a {}", case.kind);
    Ok(Proof::Identity)
}
