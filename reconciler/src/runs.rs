//! Jobs run once for their content.

use gitward_core::additions::Entry;
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::Declared;
use gitward_index::Event;

use crate::health::has_condition;
use crate::state::State;

/// A Job runs once for its content: one that was made, asks to be removed when it is done, and is
/// gone, has run.
pub(crate) fn ran_to_its_end(entry: &Entry, declared: &Declared) -> bool {
    let key = &declared.manifest.key;
    let removes_itself = declared.canonical.pointer("/spec/ttlSecondsAfterFinished").is_some();
    key.group == "batch" && key.kind == "Job" && (entry.finished || (entry.uid.is_some() && removes_itself))
}

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
