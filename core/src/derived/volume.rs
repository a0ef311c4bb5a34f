//! PersistentVolumes: which claim a volume is bound to.

use serde_json::Value;

use super::Judged;
use super::accounts::Account::{Controller, Scheduler};
use super::case::{Case, has_uid};
use super::compare::{at, text};
use crate::change::Change;

/// A volume is reserved for a claim, or freed. Which volume a claim gets is the writer's choice.
pub(super) fn claim_bound(case: &Case<'_>, _change: &Change) -> Judged {
    let reserved = at(case.object()?, &["spec", "claimRef"]);
    if !reserved.is_null() {
        let namespace = text(reserved, &["namespace"]);
        let claim = case.get("", "PersistentVolumeClaim", namespace, text(reserved, &["name"]));
        ensure!(
            claim.is_some_and(|c: std::sync::Arc<Value>| has_uid(&c, text(reserved, &["uid"]))),
            "the claim that the volume is reserved for does not exist"
        );
    }
    case.by(&[Controller("persistent-volume-binder"), Scheduler])
}
