//! Jobs run once for their content.

use gitward_core::additions::Entry;
use gitward_core::object::ObjectKey;
use gitward_index::Event;

use crate::health::has_condition;
use crate::state::State;

/// Whether a Job was not done when it was removed.
pub(crate) fn was_running(event: &Event) -> bool {
    let Some(last) = event.last.as_deref() else { return false };
    let is_job = event.key.group == "batch" && event.key.kind == "Job";
    is_job && !has_condition(last, "Complete") && !has_condition(last, "Failed")
}

/// A Job that was removed before its end has not run for its content, whatever it asks for.
pub(crate) fn again(state: &State, key: &ObjectKey) {
    if let Some(entry) = state.entry(key) {
        state.put_entry(Entry { uid: None, finished: false, ..entry });
    }
}
