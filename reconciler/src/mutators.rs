//! Mutators in force. A dry run learns an attacker's mutator as readily as a friend's, so nothing
//! is learnt while one is in force that Git does not know.

use std::sync::Arc;
use std::time::Duration;

use gitward_core::derived::Context;
use gitward_core::lookup::{Lookup, Question};
use gitward_core::object::{self, ObjectKey};
use gitward_core::snapshot::Snapshot;
use gitward_core::trace::{Judged, judge_declared};
use gitward_index::read_live;
use serde_json::Value;

use crate::fight::Memory;
use crate::report::Reason;
use crate::state::State;

/// Time for reading all mutators.
const READ_BUDGET: Duration = Duration::from_secs(5);

/// Kinds that change other objects as they are written: group, kind, whether only the governed
/// namespaces matter.
const KINDS: [(&str, &str, bool); 4] = [
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", false),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", false),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", false),
    ("", "LimitRange", true),
];

/// Whether an object changes others as they are written. Such objects are learnt first, whatever
/// is in force.
pub fn is_mutator(key: &ObjectKey) -> bool {
    KINDS.iter().any(|(group, kind, _)| key.group == *group && key.kind == *kind)
}

fn in_force(context: &Context<'_>) -> Vec<(ObjectKey, Arc<Value>)> {
    let mut found = Vec::new();
    for (group, kind, governed) in KINDS {
        for object in context.live.list(group, kind, "") {
            let key = ObjectKey::new(group, kind, object::namespace(&object), object::name(&object));
            if !governed || context.snapshot.governs(&key) {
                found.push((key, object));
            }
        }
    }
    found
}

/// The same, read afresh: an index that lags behind would let a mutator in unseen.
pub async fn unknown_now(state: &State, snapshot: &Snapshot) -> Vec<ObjectKey> {
    let list = |(group, kind, _): (&str, &str, bool)| Question::List(group.to_owned(), kind.to_owned(), String::new());
    let questions = KINDS.into_iter().map(list).collect();
    let fresh = read_live(state.api.client(), state.index.discovery(), &questions, READ_BUDGET).await;
    let overlay = fresh.over(&state.index);
    unknown(&Context { live: &overlay, ..state.context(snapshot) })
}

/// Mutators in force that are neither as Git declares them nor known by name in `gitward.yaml`.
pub fn unknown(context: &Context<'_>) -> Vec<ObjectKey> {
    let known = &context.snapshot.configuration.known_mutators;
    in_force(context)
        .into_iter()
        .filter(|(key, live)| !is_known(context.snapshot, key, live, context) && !is_listed(known, key))
        .map(|(key, _)| key)
        .collect()
}

/// Tells of a mutator that came into force at once, not only with the next thing to be learnt.
pub(crate) fn tell_unknown(state: &State, held: &Snapshot, key: &ObjectKey, memory: &Memory) {
    if !unknown(&state.context(held)).contains(key) {
        return;
    }
    let Some(live) = state.index.get(key) else { return };
    let version = object::metadata_str(&live, "resourceVersion").unwrap_or_default();
    if memory.is_news(key, format!("{} {version}", object::uid(&live))) {
        state.reporter.about(key, "v1", object::uid(&live), Reason::UnknownMutator, what_it_is(key));
    }
}

/// What is said of a mutator that Git does not know.
pub(crate) fn what_it_is(key: &ObjectKey) -> String {
    format!(
        "{key} changes objects as they are written and is not as Git declares it: nothing is learnt while it is in force"
    )
}

fn is_listed(known: &[String], key: &ObjectKey) -> bool {
    known.iter().any(|k| k.split_once('/').is_some_and(|(kind, name)| kind == key.kind && name == key.name))
}

fn is_known(snapshot: &Snapshot, key: &ObjectKey, live: &Value, context: &Context<'_>) -> bool {
    snapshot.declared(key).is_some_and(|declared| {
        // Not learnt yet: it is about to be, before anything that it could change.
        matches!(judge_declared(declared, live, context), Judged::Converged | Judged::NotLearnt)
    })
}

/// Whether webhooks or policies that mutate are in force at all: only then can a creation set
/// fields that no built-in rule foretells.
pub fn any_in_force(context: &Context<'_>) -> bool {
    in_force(context).iter().any(|(key, _)| key.kind != "LimitRange")
}
