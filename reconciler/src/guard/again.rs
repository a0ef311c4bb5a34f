//! Looking again: after a failure, after a pause, by a commit that took over meanwhile.

use std::sync::Arc;
use std::time::Duration;

use gitward_core::lookup::Lookup;
use gitward_core::object;
use gitward_core::snapshot::{Declared, Snapshot};
use gitward_index::Event;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::ApiError;
use crate::fight::Memory;
use crate::report::Reason;
use crate::state::State;

/// What could not be brought back is told once.
pub(super) fn not_yet(state: &Arc<State>, held: &Snapshot, memory: &Arc<Memory>, event: &Event, error: &ApiError) {
    let key = &event.key;
    // The API server's message about a refused Secret may quote its data.
    let why = if key.kind == "Secret" { "the API server refuses it".to_owned() } else { error.to_string() };
    let message = format!("{key} could not be brought back yet and is tried again and again: {why}");
    if try_later(state, held, memory, event, &message) {
        let live = state.index.get(key);
        let api_version = live.as_ref().and_then(|l| l["apiVersion"].as_str()).unwrap_or_default();
        let uid = live.as_ref().map(|l| object::uid(l)).unwrap_or_default();
        state.reporter.about(key, api_version, uid, Reason::Failed, message);
    }
}

/// Tries again, ever more slowly as long as neither the object nor what Git says of it changes.
/// Whatever happens to the object is looked at at once. Returns whether `message` is news.
pub(super) fn try_later(
    state: &Arc<State>,
    held: &Snapshot,
    memory: &Arc<Memory>,
    event: &Event,
    message: &str,
) -> bool {
    let key = &event.key;
    let live = state.index.get(key);
    let metadata = |field| live.as_ref().and_then(|l| object::metadata_str(l, field)).unwrap_or_default();
    let digest = held.declared(key).map(|d| d.digest.to_string()).unwrap_or_default();
    let what = format!("{} {} {digest}", metadata("uid"), metadata("resourceVersion"));
    let retry = memory.failed(key, what, message.to_owned());
    let (state, memory, event) = (state.clone(), memory.clone(), event.clone());
    tokio::spawn(async move {
        sleep(retry.pause).await;
        if memory.is_due(&event.key, retry.turn) {
            state.index.tell_again(event);
        }
    });
    retry.is_news
}

/// The object is looked at again after a pause, which holds up no other.
pub(super) fn again_after(state: &Arc<State>, event: Event, pause: Duration) {
    let state = state.clone();
    tokio::spawn(async move {
        sleep(pause).await;
        state.index.tell_again(event);
    });
}

/// A new commit took over: the object is looked at again by that one.
pub(super) fn look_anew(state: &Arc<State>, event: &Event) -> Result<(), ApiError> {
    again_after(state, event.clone(), Duration::ZERO);
    Ok(())
}

/// Whether the write against Git is let be for now, since others write against it again and again.
pub(super) fn pauses(state: &Arc<State>, declared: &Declared, live: &Value, event: &Event, memory: &Memory) -> bool {
    let Some(fight) = memory.fight(&event.key, live, Instant::now()) else { return false };
    let api_version = declared.gvk().api_version();
    state.reporter.about(&event.key, &api_version, object::uid(live), Reason::Fight, fight.message);
    again_after(state, event.clone(), fight.pause);
    true
}
