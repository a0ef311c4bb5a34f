//! What Git declared before this process began. Jobs and Pods run to their end by the template that they
//! were made of; where nobody remembers it any more, the history of Git does.

use std::collections::HashSet;

use gitward_core::derived::remembered_by_git_alone;
use gitward_core::object::{self, ObjectKey};
use gitward_core::snapshot::{Declared, Expected, Snapshot};
use gitward_repo::Source;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::learn::learn;
use crate::state::State;

/// Where earlier contents are found, and of which objects they were looked for.
pub struct History {
    source: Source,
    /// From when on this process remembers itself.
    began: Timestamp,
    looked_for: Mutex<HashSet<ObjectKey>>,
}

impl History {
    /// The history of a ref before now.
    pub fn new(source: Source) -> Self {
        Self { source, began: Timestamp::now(), looked_for: Mutex::default() }
    }
}

/// Looks for the template that a live object, which was judged by `held`, may have been made of before this
/// process began: once for each owner. Whether more of its owner is known now than was then.
pub(crate) async fn recall(state: &State, held: &Snapshot, key: &ObjectKey, live: &Value) -> bool {
    let made = object::metadata_str(live, "creationTimestamp").and_then(|t| t.parse::<Timestamp>().ok());
    if made.is_none_or(|made| made > state.history.began) {
        return false;
    }
    let owner = remembered_by_git_alone(key, live, &state.context(held));
    let Some(declared) = owner.and_then(|owner| held.declared(&owner)) else { return false };
    let owner = &declared.manifest.key;
    // Whoever asks for the same owner meanwhile waits for what is found.
    let mut looked_for = state.history.looked_for.lock().await;
    if !looked_for.contains(owner) && remember(state, held, declared).await {
        looked_for.insert(owner.clone());
    }
    let known = |snapshot: &Snapshot| snapshot.former.get(owner).map_or(0, Vec::len);
    state.held().is_some_and(|now| known(&now) > known(held))
}

/// Holds objects to what earlier commits say as well. Whether it could be looked for.
async fn remember(state: &State, held: &Snapshot, declared: &Declared) -> bool {
    let owner = &declared.manifest.key;
    let Some(earlier) = expected_before(state, held, declared).await else { return false };
    tracing::info!(%owner, found = earlier.len(), "what Git declared before was looked for");
    let Some(_turn) = state.turn_of(held).await else { return false };
    if let Some(held) = state.held().filter(|_| !earlier.is_empty()) {
        state.hold(held.remembering(owner, earlier, state.history.began));
    }
    true
}

/// What the API server would make of the earlier contents of an object, the oldest first; `None` if Git
/// could not be read.
async fn expected_before(state: &State, held: &Snapshot, declared: &Declared) -> Option<Vec<Expected>> {
    let (source, commit, now) = (state.history.source.clone(), held.commit.id.clone(), declared.clone());
    let before = tokio::task::spawn_blocking(move || source.before(&commit, &now)).await;
    let before = before.ok()?.ok()?;
    let mut expected = Vec::new();
    for earlier in &before {
        // What an API server refuses by now it cannot complete either.
        if let Ok(learnt) = learn(state, held, earlier).await {
            expected.extend(learnt.entry.expected(earlier));
        }
    }
    Some(expected)
}
