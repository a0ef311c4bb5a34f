//! A stranger's ClusterRole that an aggregated one of Git selects: its controller would bring a stranger's
//! rules into what Git declares. The gate keeps them out, and with them whatever that controller writes.

use gitward_core::carry::strangers_selected;
use gitward_core::lookup::Lookup;
use gitward_core::object;
use gitward_index::Event;

use crate::fight::Memory;
use crate::report::Reason;
use crate::state::State;

/// Tells once of such a role.
pub(super) fn tell_stranger(state: &State, event: &Event, memory: &Memory) {
    let key = &event.key;
    if key.group != "rbac.authorization.k8s.io" || key.kind != "ClusterRole" {
        return;
    }
    let (Some(held), Some(live)) = (state.held(), state.index.get(key)) else { return memory.forget(key) };
    if held.is_declared(key) || held.governs(key) {
        return;
    }
    let context = state.context(&held);
    let selects = |declared: &_| strangers_selected(declared, &context).contains(&key.name);
    let Some(declared) = held.declared.values().find(|declared| selects(declared)) else { return memory.forget(key) };
    let uid = object::uid(&live);
    if memory.is_news(key, format!("selected {uid}")) {
        let message = format!(
            "{key} is selected by {} and not declared in Git: none of its rules get in, and that role takes in \
             no others until it is gone or its labels are",
            declared.manifest.key
        );
        state.reporter.about(key, "rbac.authorization.k8s.io/v1", uid, Reason::Diverged, message);
    }
}
