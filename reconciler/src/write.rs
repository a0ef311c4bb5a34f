//! Writing one object: the request that was dry-run, sent for real, and its answer checked.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use gitward_core::additions::Entry;
use gitward_core::carry;
use gitward_core::change::{normalised, object_changes};
use gitward_core::created::create_only;
use gitward_core::object;
use gitward_core::snapshot::{Declared, Snapshot};
use gitward_core::trace::{Judged, drawn, judge_declared};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::{ApiError, Effect};
use crate::foreseen::hold_to_list;
use crate::learn::{
    ATTEMPTS, Action, Learnt, alias, creation_record, current, learn, record_additions, record_after, with_entry,
    write_body,
};
use crate::mutators;
use crate::orphans;
use crate::report::Reason;
use crate::settling;
use crate::state::State;
use crate::stuck::leave;

/// How long a write is tried again when it is denied (a webhook replica has not seen the commit
/// yet), conflicts, or the API server is away.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Brings one object to what was learnt of it.
///
/// # Errors
/// What the API server said last.
pub fn write<'a>(
    state: &'a State,
    snapshot: &'a Snapshot,
    declared: &'a Declared,
    learnt: &'a Learnt,
) -> BoxFuture<'a, Result<(), ApiError>> {
    write_with_attempts(state, snapshot, declared, learnt, None).boxed()
}

/// Brings one object back from the state in which it was seen, and from no other: what changed
/// since has yet to be looked at, and told.
///
/// # Errors
/// What the API server said last; a conflict if the object changed since.
pub fn write_over<'a>(
    state: &'a State,
    snapshot: &'a Snapshot,
    declared: &'a Declared,
    learnt: &'a Learnt,
    seen: &'a Value,
) -> BoxFuture<'a, Result<(), ApiError>> {
    write_with_attempts(state, snapshot, declared, learnt, Some(seen)).boxed()
}

async fn write_with_attempts(
    state: &State,
    snapshot: &Snapshot,
    declared: &Declared,
    learnt: &Learnt,
    seen: Option<&Value>,
) -> Result<(), ApiError> {
    let deadline = Instant::now() + WRITE_TIMEOUT;
    let mut pause = Duration::from_millis(10);
    let mut learnt = learnt.clone();
    loop {
        let result = match learnt.action {
            Action::Keep => return Ok(()),
            Action::Create => create(state, snapshot, declared, &learnt.entry).await,
            Action::Replace => replace(state, snapshot, declared, &learnt, seen).await,
            Action::Recreate => recreate(state, snapshot, declared, &learnt.entry).await,
        };
        let Err(error) = result else { return Ok(()) };
        let changed_since = seen.is_some() && error.is_conflict();
        let passes = may_pass(&error) || waits_for_range(snapshot, &error);
        if Instant::now() >= deadline || changed_since || !passes {
            return Err(error);
        }
        tracing::debug!(object = %declared.manifest.key, %error, "the write is tried again");
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
        if !is_denied(&error) {
            // The object came, went or changed in between: look again before writing.
            learnt = learn(state, snapshot, declared).await?;
        } else if let Some(otherwise) = learnt_otherwise(state, snapshot, declared, &learnt).await {
            learnt = otherwise;
        }
    }
}

/// An address of a range that the same commit brings is known to the API server a moment later.
fn waits_for_range(snapshot: &Snapshot, error: &ApiError) -> bool {
    error.is_out_of_range() && snapshot.declared.keys().any(|k| k.kind == "ServiceCIDR")
}

fn is_denied(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused { message, .. } if message.contains("admission webhook"))
}

/// The gate denies what differs from what was learnt. That may be outdated: the API server takes a
/// moment to go by what the same commit brought (a default class, a definition).
async fn learnt_otherwise(state: &State, snapshot: &Snapshot, declared: &Declared, before: &Learnt) -> Option<Learnt> {
    let fresh = learn(state, snapshot, declared).await.ok().filter(|fresh| fresh.entry.patch != before.entry.patch)?;
    if !mutators::unknown_now(state, snapshot).await.is_empty() {
        return None;
    }
    state.put_entry(fresh.entry.clone());
    state.refresh_held();
    state.publish().await;
    Some(fresh)
}

fn may_pass(error: &ApiError) -> bool {
    error.is_conflict() || error.is_already_there() || error.is_not_found() || error.is_passing() || is_denied(error)
}

async fn create(state: &State, snapshot: &Snapshot, declared: &Declared, foretold: &Entry) -> Result<(), ApiError> {
    let (gvk, key) = (declared.gvk(), &declared.manifest.key);
    orphans::remove(state, snapshot, declared).await?;
    let created = state.api.create(gvk, key, &declared.canonical, Effect::Stored).await?;
    let uid = object::uid(&created);
    let judged = judge_declared(&with_entry(declared, foretold), &created, &state.context(snapshot));
    if let Judged::Diverged(changes) = judged
        && !is_made_so_now(state, snapshot, declared, &created).await
    {
        let fields: Vec<String> = changes.iter().take(5).map(|c| c.path.to_string()).collect();
        let message = format!("its creation came out otherwise than its dry run in {}", fields.join(", "));
        state.reporter.about(key, &gvk.api_version(), uid, Reason::Diverged, message);
        state.put_entry_of(snapshot, Entry { uid: Some(uid.to_owned()), ..foretold.clone() });
        return Ok(());
    }
    let mut record = creation_record(declared, &created);
    let mutated = mutators::any_in_force(&state.context(snapshot));
    if mutated {
        record_create_only(state, snapshot, declared, &created, &mut record).await;
    }
    let answer = normalised(&created, declared.has_status_subresource);
    state.put_entry_of(snapshot, Entry::learnt(declared, &answer, Some(uid), record));
    Ok(())
}

/// Whether the API server makes just this of the content by now, though the dry run before the
/// creation came out otherwise: it takes a moment to go by what the same commit brought.
async fn is_made_so_now(state: &State, snapshot: &Snapshot, declared: &Declared, created: &Value) -> bool {
    if hold_to_list(state, snapshot, declared, &declared.canonical, created).await.is_err() {
        return false;
    }
    let Ok(answer) = alias(&state.api, declared).await else { return false };
    let now = Entry::learnt(declared, &answer, None, Value::Null);
    judge_declared(&with_entry(declared, &now), created, &state.context(snapshot)) == Judged::Converged
        && mutators::unknown_now(state, snapshot).await.is_empty()
}

/// What a declared mutator set at the creation alone is kept with the object's uid: an update would
/// not set it again.
async fn record_create_only(
    state: &State,
    snapshot: &Snapshot,
    declared: &Declared,
    created: &Value,
    record: &mut Value,
) {
    let (gvk, key) = (declared.gvk(), &declared.manifest.key);
    let mut live = created.clone();
    for _ in 0..ATTEMPTS {
        let body = write_body(declared, &live, record, &state.context(snapshot));
        match state.api.replace(gvk, key, &body, Effect::DryRun).await {
            Ok(updated) => {
                let status = declared.has_status_subresource;
                let (created, updated) = (normalised(created, status), normalised(&updated, status));
                record_additions(record, create_only(&declared.canonical, &created, &updated));
                return;
            }
            // Its controller writes to it already.
            Err(error) if error.is_conflict() => match state.api.get(gvk, key).await {
                Ok(Some(now)) => live = now,
                _ => return,
            },
            Err(_) => return,
        }
    }
}

async fn replace(
    state: &State,
    snapshot: &Snapshot,
    declared: &Declared,
    learnt: &Learnt,
    seen: Option<&Value>,
) -> Result<(), ApiError> {
    let (gvk, key) = (declared.gvk(), &declared.manifest.key);
    let entry = &learnt.entry;
    let body_over = |live: &Value| {
        let mut body = write_body(declared, live, &entry.record, &state.context(snapshot));
        leave(&mut body, live, learnt.stuck.as_ref());
        body
    };
    let live = match seen {
        Some(seen) => Some(seen.clone()),
        None => current(state, declared).await?,
    };
    let mut live = match live {
        Some(live) if Some(object::uid(&live)) == entry.uid.as_deref() => live,
        _ => return Err(other_object(declared)),
    };
    let mut attempts = 1..ATTEMPTS;
    let answer = loop {
        let error = match state.api.replace(gvk, key, &body_over(&live), Effect::Stored).await {
            Err(error) if error.is_conflict() && attempts.next().is_some() => error,
            other => break other?,
        };
        // The index lags behind, or its controller reported something: the object as it is now.
        let now = state.api.get(gvk, key).await?.filter(|now| object::uid(now) == object::uid(&live));
        live = now.ok_or_else(|| other_object(declared))?;
        if let Some(seen) = seen {
            let since = object_changes(seen, &live, declared.has_status_subresource);
            if !since.is_empty() && !settling::follows_its_children(key, &since) {
                return Err(error);
            }
        }
    };
    let answer = finalized(state, declared, entry, answer).await?;
    let context = state.context(snapshot);
    let entry = entry_after(declared, entry, &live, &answer);
    if let Judged::Diverged(changes) = judge_declared(&with_entry(declared, &entry), &answer, &context) {
        let fields: Vec<String> = changes.iter().take(5).map(|c| c.path.to_string()).collect();
        tracing::warn!(object = %key, ?fields, "the write came out otherwise than its dry run");
    }
    state.put_entry_of(snapshot, entry);
    Ok(())
}

/// What is known of an object after a write of ours over `before`: a dry run of a Service's update names
/// addresses and ports that stand for those which the update itself draws.
fn entry_after(declared: &Declared, entry: &Entry, before: &Value, answer: &Value) -> Entry {
    match entry.expected(declared) {
        Some(mut expected) if object::is_service(&declared.manifest.key) => {
            drawn(&mut expected.object, &declared.canonical, before, answer);
            let record = record_after(declared, &entry.record, answer);
            Entry::learnt(declared, &expected.object, entry.uid.as_deref(), record)
        }
        _ => entry.clone(),
    }
}

/// A Namespace's `spec.finalizers` are written through a subresource alone: a plain write leaves them
/// as others set them.
async fn finalized(state: &State, declared: &Declared, entry: &Entry, answer: Value) -> Result<Value, ApiError> {
    const FINALIZERS: &str = "/spec/finalizers";
    let (gvk, key) = (declared.gvk(), &declared.manifest.key);
    let wanted = entry.record.pointer(FINALIZERS);
    let is_namespace = key.group.is_empty() && key.kind == "Namespace";
    match wanted {
        Some(wanted) if is_namespace && answer.pointer(FINALIZERS) != Some(wanted) => {
            let mut body = answer;
            body["spec"]["finalizers"] = wanted.clone();
            state.api.finalize(gvk, key, &body).await
        }
        _ => Ok(answer),
    }
}

/// Takes finalizers off an object that are neither declared nor its controller's: they would keep it
/// from going. Whether there were any.
///
/// # Errors
/// What the API server said.
pub async fn release(state: &State, snapshot: &Snapshot, declared: &Declared, live: &Value) -> Result<bool, ApiError> {
    let mut body = live.clone();
    carry::only_known_finalizers(&mut body, &declared.manifest.key, &declared.canonical, &state.context(snapshot));
    if body == *live {
        return Ok(false);
    }
    state.api.replace(declared.gvk(), &declared.manifest.key, &body, Effect::Stored).await?;
    Ok(true)
}

async fn recreate(state: &State, snapshot: &Snapshot, declared: &Declared, entry: &Entry) -> Result<(), ApiError> {
    let (gvk, key) = (declared.gvk(), &declared.manifest.key);
    if let Some(live) = state.api.get(gvk, key).await? {
        release(state, snapshot, declared, &live).await?;
        state.api.delete(gvk, key, object::uid(&live)).await?;
        let deadline = Instant::now() + WRITE_TIMEOUT;
        while state.api.get(gvk, key).await?.is_some_and(|o| object::uid(&o) == object::uid(&live)) {
            if Instant::now() >= deadline {
                return Err(ApiError::Unreachable(format!("{key} is still being deleted")));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
    create(state, snapshot, declared, entry).await
}

fn other_object(declared: &Declared) -> ApiError {
    ApiError::Unreachable(format!("{} was made anew by others", declared.manifest.key))
}
