//! Telling people of a divergence: once each, at the line of Git that says most, never with a value that
//! may be a Secret's.

use gitward_core::carry::strangers_selected;
use gitward_core::change::Change;
use gitward_core::object;
use gitward_core::path::FieldPath;
use gitward_core::snapshot::{Declared, Digest};
use serde_json::{Value, json};

use crate::fight::Memory;
use crate::report::Reason;
use crate::state::State;

/// Tells what cannot be changed any more (a claim bound to a stranger's volume, or grown by hand),
/// where making the object anew would cost its data: once for each such difference.
pub(super) fn tell_left(
    state: &State,
    declared: &Declared,
    live: &Value,
    changes: &[Change],
    message: String,
    memory: &Memory,
) {
    let key = &declared.manifest.key;
    if !memory.is_news(key, format!("left {}", difference(live, changes))) {
        return;
    }
    divergence(state, declared, live, changes);
    state.reporter.about(key, &declared.gvk().api_version(), object::uid(live), Reason::LeftAlone, message);
}

/// Names a difference without its values, which may be a Secret's.
fn difference(live: &Value, changes: &[Change]) -> String {
    let values: Vec<_> = changes.iter().map(|c| (c.path.to_string(), &c.new)).collect();
    format!("{} {}", object::uid(live), Digest::of(&json!(values)))
}

/// Tells a difference once, however often bringing it back is tried.
pub(super) fn tell_divergence(state: &State, declared: &Declared, live: &Value, changes: &[Change], memory: &Memory) {
    if memory.is_news(&declared.manifest.key, format!("diverged {}", difference(live, changes))) {
        divergence(state, declared, live, changes);
    }
}

fn divergence(state: &State, declared: &Declared, live: &Value, changes: &[Change]) {
    let key = &declared.manifest.key;
    let place = telling(changes, &declared.canonical)
        .map_or_else(|| declared.place(&FieldPath::root()), |c| declared.place(&c.path));
    let message = format!("{key} is not what Git declares at {place}: {}{}", fields(changes), because(state, declared));
    state.reporter.about(key, &declared.gvk().api_version(), object::uid(live), Reason::Diverged, message);
}

/// Whose objects bring the difference about again and again, where that can be told.
fn because(state: &State, declared: &Declared) -> String {
    let Some(held) = state.held() else { return String::new() };
    let strangers = strangers_selected(declared, &state.context(&held));
    if strangers.is_empty() {
        return String::new();
    }
    let named: Vec<String> = strangers.iter().take(3).map(|name| format!("ClusterRole/{name}")).collect();
    format!("; it selects what Git does not declare: {}; to do: delete that, or take its labels off", named.join(", "))
}

/// The first fields that changed, and how many more.
pub(super) fn fields(changes: &[Change]) -> String {
    let fields: Vec<String> = changes.iter().take(8).map(|c| c.path.to_string()).collect();
    let more = changes.len().saturating_sub(fields.len());
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{tail}", fields.join(", "))
}

/// The change whose place says most: the one that lies deepest in what Git declares.
fn telling<'a>(changes: &'a [Change], declared: &Value) -> Option<&'a Change> {
    let depth = |change: &&Change| {
        let steps = &change.path.0;
        (0..=steps.len()).rev().find(|n| FieldPath(steps[..*n].to_vec()).get(declared).is_some())
    };
    // Of several, the first.
    changes.iter().rev().max_by_key(depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_divergence_is_told_at_the_line_that_lies_nearest_to_it() {
        let change = |path| Change { path, old: None, new: None };
        let revision = FieldPath::of(["metadata", "annotations", "revision"]);
        let replicas = FieldPath::of(["spec", "replicas"]);
        let strategy = FieldPath::of(["spec", "strategy", "type"]);
        let changes = [change(revision), change(strategy), change(replicas)];
        let place = |declared: Value| telling(&changes, &declared).map(|c| c.path.to_string());
        assert_eq!(place(json!({"metadata": {}, "spec": {"replicas": 2}})).as_deref(), Some("spec.replicas"));
        assert_eq!(place(json!({"metadata": {}, "spec": {"strategy": {}}})).as_deref(), Some("spec.strategy.type"));
        assert_eq!(place(json!({})).as_deref(), Some("metadata.annotations.revision"));
        assert_eq!(telling(&[], &json!({})), None);
    }
}
