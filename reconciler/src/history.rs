//! What Git declared before this process began. Jobs and Pods run to their end by the template that they
//! were made of; where nobody remembers it any more, the history of Git does.

use std::collections::HashMap;

use gitward_core::derived::remembered_by_git_alone;
use gitward_core::object::{self, ObjectKey};
use gitward_core::snapshot::{Declared, Expected, Snapshot};
use gitward_repo::Source;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::api::ApiError;
use crate::learn::learn;
use crate::state::State;

/// Where earlier contents are found, and what was found of which objects.
pub struct History {
    source: Source,
    /// From when on this process remembers itself.
    began: Timestamp,
    found: Mutex<HashMap<ObjectKey, Vec<Expected>>>,
}

impl History {
    /// The history of a ref before now.
    pub fn new(source: Source) -> Self {
        Self { source, began: Timestamp::now(), found: Mutex::default() }
    }
}

/// Looks for the template that a live object, which was judged by `held`, may have been made of before this
/// process began: once for each owner. Whether more of its owner is known now than was then.
///
/// # Errors
/// The API server could not be asked: it is not known yet. A history that cannot be read counts as none.
pub(crate) async fn recall(state: &State, held: &Snapshot, key: &ObjectKey, live: &Value) -> Result<bool, ApiError> {
    let history = &state.history;
    if object::made(live).is_none_or(|made| made > history.began) {
        return Ok(false);
    }
    let owner = remembered_by_git_alone(key, live, &state.context(held));
    let Some(declared) = owner.and_then(|owner| held.declared(&owner)) else { return Ok(false) };
    let owner = &declared.manifest.key;
    // Whoever asks for the same owner meanwhile waits for what is found.
    let mut found = history.found.lock().await;
    if !found.contains_key(owner) {
        let earlier = expected_before(state, held, declared).await?;
        tracing::info!(%owner, found = earlier.len(), "what Git declared before was looked for");
        found.insert(owner.clone(), earlier);
    }
    let Some(earlier) = found.get(owner).filter(|earlier| !earlier.is_empty()) else { return Ok(false) };
    // A commit that was on its way meanwhile knows nothing of it.
    let turn = state.turn_of(held).await;
    if let Some(now) = state.held().filter(|now| turn.is_some() && !now.remembers(owner, history.began)) {
        state.hold(now.remembering(owner, earlier.clone(), history.began));
    }
    Ok(!held.remembers(owner, history.began))
}

/// What the API server would make of the earlier contents of an object, the oldest first.
async fn expected_before(state: &State, held: &Snapshot, declared: &Declared) -> Result<Vec<Expected>, ApiError> {
    let (source, commit, now) = (state.history.source.clone(), held.commit.id.clone(), declared.clone());
    let before = tokio::task::spawn_blocking(move || source.before(&commit, &now)).await;
    let before = match before {
        Ok(Ok(before)) => before,
        failed => {
            tracing::warn!(?failed, "the history of Git cannot be read");
            return Ok(Vec::new());
        }
    };
    let mut expected = Vec::new();
    for earlier in &before {
        match learn(state, held, earlier).await {
            Ok(learnt) => expected.extend(learnt.entry.expected(earlier)),
            Err(error) if error.is_passing() || error.is_conflict() => return Err(error),
            // What an API server refuses by now it cannot complete either.
            Err(_) => {}
        }
    }
    Ok(expected)
}
