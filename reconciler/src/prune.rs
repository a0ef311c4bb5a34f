//! Pruning: removing what Git used to declare, bounded and in reverse order.

use gitward_core::finding::Finding;
use gitward_core::object::{self, Gvk, ObjectKey};
use gitward_core::snapshot::Snapshot;

use crate::order::Wave;
use crate::report::Reason;
use crate::state::State;

/// What became of what Git stopped declaring.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Objects removed.
    pub removed: usize,
    /// What stays, and why.
    pub failures: Vec<Finding>,
}

/// Removes every object that was written for a former commit and is not declared any more.
pub async fn prune(state: &State, target: &Snapshot) -> Pruned {
    let mut gone: Vec<(ObjectKey, Option<String>)> = {
        let additions = state.additions();
        let undeclared = additions.entries.values().filter(|e| !target.is_declared(&e.key));
        undeclared.map(|e| (e.key.clone(), e.uid.clone())).collect()
    };
    let mut pruned = Pruned::default();
    let bounds = &target.environment.prune;
    if gone.len() > bounds.max {
        let message = format!(
            "Git stopped declaring {} objects at once, more than the bound of {}: none of them is removed",
            gone.len(),
            bounds.max
        );
        state.reporter.about_environment(Reason::LeftAlone, message.clone());
        let hint = "raise prune.max of the environment in gitward.yaml if this is meant";
        pruned.failures.push(Finding::error("runtime/prune-bound", message).with_hint(hint));
        return pruned;
    }
    gone.sort_by_key(|(key, _)| std::cmp::Reverse(Wave::of(key)));
    for (key, uid) in gone {
        match prune_one(state, target, &key, uid.as_deref()).await {
            Ok(true) => pruned.removed += 1,
            Ok(false) => {}
            Err(finding) => pruned.failures.push(finding),
        }
    }
    pruned
}

/// Whether an object was removed; one that is another by now, or holds data, stays.
async fn prune_one(state: &State, target: &Snapshot, key: &ObjectKey, uid: Option<&str>) -> Result<bool, Finding> {
    let forget = || state.additions().entries.remove(key);
    let Some(gvk) = served(state, key).await else {
        forget();
        return Ok(false);
    };
    let live = state.api.get(&gvk, key).await.map_err(|e| failure(key, &e.to_string()))?;
    let Some(live) = live.filter(|l| Some(object::uid(l)) == uid) else {
        forget();
        return Ok(false);
    };
    if object::holds_data(&key.group, &key.kind) && !target.environment.prune.data_kinds.contains(&key.kind) {
        let message = format!("Git stopped declaring {key}; it holds data and is left alone");
        state.reporter.about(key, &gvk.api_version(), object::uid(&live), Reason::LeftAlone, message);
        forget();
        return Ok(false);
    }
    if !object::is_terminating(&live) {
        state.api.delete(&gvk, key, object::uid(&live)).await.map_err(|e| failure(key, &e.to_string()))?;
        let message = format!("removed: Git does not declare {key} at {}", target.commit.short());
        state.reporter.about(key, &gvk.api_version(), object::uid(&live), Reason::Pruned, message);
    }
    forget();
    Ok(true)
}

/// The version in which the API server serves a kind.
pub async fn served(state: &State, key: &ObjectKey) -> Option<Gvk> {
    let served = state.index.discovery().resolve(&key.group, &key.kind).await.ok().flatten()?;
    Some(Gvk { group: key.group.clone(), version: served.resource.version, kind: key.kind.clone() })
}

fn failure(key: &ObjectKey, message: &str) -> Finding {
    Finding::error("runtime/not-pruned", format!("{key} could not be removed: {message}"))
        .with_object(key.clone())
        .with_hint("it is tried again with the next round")
}
