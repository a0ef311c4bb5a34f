//! Pruning: removing what Git used to declare, bounded and in reverse order.

use std::collections::BTreeMap;

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
    /// Objects let go of as they are.
    pub let_go: usize,
    /// What stays, and why.
    pub failures: Vec<Finding>,
}

/// Removes every object that was written for a former commit and is not declared any more. What the
/// environment does not govern any more either is let go of as it is: it may be somebody else's by now.
pub async fn prune(state: &State, target: &Snapshot) -> Pruned {
    let mut pruned = Pruned { let_go: let_go(state, target), ..Pruned::default() };
    let mut gone: Vec<(ObjectKey, Option<String>)> = {
        let additions = state.additions();
        let undeclared = additions.entries.values().filter(|e| !target.is_declared(&e.key));
        undeclared.map(|e| (e.key.clone(), e.uid.clone())).collect()
    };
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

/// Forgets what is not governed any more, and tells where that was; how many objects.
fn let_go(state: &State, target: &Snapshot) -> usize {
    let is_foreign = |key: &ObjectKey| !target.environment.governs(key) && !target.environment.shares(key);
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    state.additions().entries.retain(|key, _| {
        let stays = target.is_declared(key) || !is_foreign(key);
        if !stays {
            *places.entry(place(key)).or_default() += 1;
        }
        stays
    });
    if !places.is_empty() {
        let told: Vec<String> = places.iter().map(|(place, objects)| format!("{place} ({objects})")).collect();
        let message = format!("objects that are not governed any more are left as they are: {}", told.join(", "));
        state.reporter.about_environment(Reason::LeftAlone, message);
    }
    places.values().sum()
}

/// What of the environment an object belonged to: its namespace, or its kind.
fn place(key: &ObjectKey) -> String {
    match (key.namespace.as_str(), key.group.as_str(), key.kind.as_str()) {
        ("", "", "Namespace") => key.name.clone(),
        ("", "", kind) => kind.to_owned(),
        ("", group, kind) => format!("{kind}.{group}"),
        (namespace, ..) => namespace.to_owned(),
    }
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
