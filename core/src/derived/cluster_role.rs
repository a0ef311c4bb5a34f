//! Aggregated ClusterRoles: the union of the rules of the roles that they select.

use serde_json::Value;

use super::case::Case;
use super::compare::{at, list, same};
use super::{Context, Judged, Proof, selector};
use crate::change::{self, Change, is_empty};
use crate::object::{self, ObjectKey};

/// What the API server itself brings to be selected.
const DEFAULT_PARTS: [&str; 3] = ["system:aggregate-to-admin", "system:aggregate-to-edit", "system:aggregate-to-view"];

/// Whether a role may bring rules into one that selects it: it is judged itself, or a default one. A
/// stranger's label would bring a stranger's rights into what Git declares.
pub(crate) fn counts(role: &str, context: &Context<'_>) -> bool {
    let key = ObjectKey::new("rbac.authorization.k8s.io", "ClusterRole", "", role);
    context.snapshot.is_declared(&key) || context.snapshot.governs(&key) || DEFAULT_PARTS.contains(&role)
}

/// The rules change: each must be one of a selected role's. Fewer than all are harmless, and what
/// the controller writes while roles change.
pub(super) fn rules_changed(case: &Case<'_>, _change: &Change) -> Judged {
    let (old, new) = (case.old()?, case.object()?);
    let aggregation = at(new, &["aggregationRule"]);
    ensure!(!is_empty(aggregation), "the ClusterRole aggregates nothing");
    same("aggregationRule", at(old, &["aggregationRule"]), aggregation)?;
    let roles = case.list("rbac.authorization.k8s.io", "ClusterRole", "");
    let selectors = list(aggregation, &["clusterRoleSelectors"]);
    let selected = roles.iter().filter(|role| {
        object::name(role) != case.name
            && counts(object::name(role), case.context)
            && selectors.iter().any(|s| selector::matches(s, object::labels(role)))
    });
    let union: Vec<&Value> = selected.flat_map(|role| list(role, &["rules"])).collect();
    let strange = list(new, &["rules"]).iter().filter(|r| !union.iter().any(|u| change::same(u, r))).count();
    ensure!(strange == 0, "{strange} of its rules are of no role that it aggregates");
    Ok(Proof::Content)
}
