//! What Git declares: compared whole, told where it differs, and brought back.

use std::sync::Arc;
use std::time::Duration;

use gitward_core::break_glass;
use gitward_core::change::Change;
use gitward_core::config::Mode;
use gitward_core::lookup::Lookup;
use gitward_core::object;
use gitward_core::path::FieldPath;
use gitward_core::snapshot::{Declared, Snapshot};
use gitward_core::trace::{Judged, judge_live};
use gitward_index::{Event, apart};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use super::afresh::judge_afresh;
use super::again::{again_after, look_anew, pauses, try_later};
use super::telling::{fields, tell_divergence, tell_left};
use crate::api::ApiError;
use crate::broken_glass;
use crate::fight::Memory;
use crate::learn::{Action, Learnt, learn};
use crate::mutators;
use crate::report::Reason;
use crate::runs;
use crate::settling;
use crate::state::State;
use crate::traces;
use crate::write::{release, write, write_over};

pub(super) async fn declared_event(
    state: &Arc<State>,
    held: &Snapshot,
    declared: &Declared,
    event: &Event,
    memory: &Arc<Memory>,
) -> Result<(), ApiError> {
    let key = &event.key;
    let judge = |live: Arc<Value>| apart::judging(held, || judge_live(key, &live, &state.context(held)));
    let judged = state.index.get(key).map(judge);
    match judged {
        Some(Judged::Diverged(_)) => {}
        // As expected, but made anew by others: what creation sets is known of the old one only.
        Some(Judged::Converged) if is_another(state, declared) => return adopt(state, held, declared).await,
        None if declared.expected.is_some() => {}
        _ => {
            memory.forget(key);
            return Ok(());
        }
    }
    // Before anything is told or written: the object and what the rules ask about it, read afresh.
    let mut live = state.api.get(declared.gvk(), key).await?;
    let began = Instant::now();
    while let Some(seen) = &live
        && let Judged::Diverged(changes) = judge_afresh(state, held, key, seen).await
        && settling::follows_its_children(key, &changes)
        && began.elapsed() < settling::patience(seen, &state.index)
    {
        sleep(settling::TIME).await;
        live = state.api.get(declared.gvk(), key).await?;
    }
    let Some(live) = live else { return deleted(state, held, declared, event, memory).await };
    let Judged::Diverged(changes) = judge_afresh(state, held, key, &live).await else { return Ok(()) };
    // What was read may be what a new commit has written meanwhile.
    if !state.holds(held, key) {
        return look_anew(state, event);
    }
    if let Some(glass) = break_glass::over(key, None, &state.context(held)) {
        let what = format!("is not what Git declares: {}", fields(&changes));
        let api_version = declared.gvk().api_version();
        broken_glass::tell_left(state, (key, &api_version, object::uid(&live)), &what, &glass, memory);
        return Ok(());
    }
    if object::is_terminating(&live) {
        return released(state, held, declared, &live, &changes, memory).await;
    }
    let learnt = match relearn(state, held, declared, Action::Replace).await {
        Ok(learnt) => learnt,
        Err(error) if error.is_invalid() => {
            // What is said of a Secret may quote its data.
            let why = if key.kind == "Secret" { "the API server refuses it".to_owned() } else { error.to_string() };
            let message = format!("{key} cannot be brought back by a write: {why}");
            // What refuses it may be somebody's policy, which goes as it came.
            try_later(state, held, memory, event, &message);
            tell_left(state, declared, &live, &changes, message, memory);
            return Ok(());
        }
        Err(error) => {
            tell_divergence(state, declared, &live, &changes, memory);
            return Err(error);
        }
    };
    if let Some(stuck) = &learnt.stuck {
        let message = format!("{key} cannot be brought back in full, only the rest of it: {}", stuck.message);
        tell_left(state, declared, &live, &changes, message, memory);
        if learnt.action == Action::Keep {
            return Ok(());
        }
    } else if learnt.action == Action::Keep {
        // The API server makes something else of the same content by now (an upgrade, a mutator).
        state.put_entry_of(held, learnt.entry);
        state.take_in(&declared.manifest.key).await;
        return Ok(());
    }
    if learnt.stuck.is_none() {
        tell_divergence(state, declared, &live, &changes, memory);
    }
    if held.environment.mode == Mode::Enforce {
        if pauses(state, declared, &live, event, memory) {
            return Ok(());
        }
        let Some(_turn) = state.turn_of(held).await else { return look_anew(state, event) };
        let revert = traces::revert(key, &held.commit.id, "write back");
        match write_over(state, held, declared, &learnt, &live).instrument(revert).await {
            // Somebody changed more of it: that is looked at, and told, for itself.
            Err(error) if error.is_conflict() => {
                again_after(state, event.clone(), Duration::ZERO);
                return Ok(());
            }
            other => other?,
        }
        state.take_in(&declared.manifest.key).await;
        if !mutators::unknown(state, held).is_empty() && !is_brought_back(state, held, declared).await {
            // Everything is looked at again when no such mutator is in force any more.
            return Ok(());
        }
        let message = format!("brought back to {} of {}", held.commit.short(), declared.place(&FieldPath::root()));
        state.reporter.about(key, &declared.gvk().api_version(), object::uid(&live), Reason::Reverted, message);
        if learnt.stuck.is_none() {
            // The same edit once more is news.
            memory.forget(key);
        }
    }
    Ok(())
}

/// Whether a write was not in vain: a mutator may have changed it.
async fn is_brought_back(state: &State, held: &Snapshot, declared: &Declared) -> bool {
    let key = &declared.manifest.key;
    let live = state.api.get(declared.gvk(), key).await;
    live.is_ok_and(|l| l.is_some_and(|l| judge_live(key, &l, &state.context(held)) == Judged::Converged))
}

/// What is being deleted is made anew when it is gone; a stranger's finalizer would keep it for good.
async fn released(
    state: &State,
    held: &Snapshot,
    declared: &Declared,
    live: &Value,
    changes: &[Change],
    memory: &Memory,
) -> Result<(), ApiError> {
    if held.environment.mode == Mode::Enforce && release(state, held, declared, live).await? {
        tell_divergence(state, declared, live, changes, memory);
    }
    Ok(())
}

fn is_another(state: &State, declared: &Declared) -> bool {
    let live = state.index.get(&declared.manifest.key);
    let known = declared.expected.as_deref().and_then(|e| e.uid.as_deref());
    known.zip(live).is_some_and(|(uid, live)| uid != object::uid(&live) && !object::is_terminating(&live))
}

async fn adopt(state: &State, held: &Snapshot, declared: &Declared) -> Result<(), ApiError> {
    let learnt = relearn(state, held, declared, Action::Keep).await?;
    if learnt.action == Action::Keep {
        state.put_entry_of(held, learnt.entry);
    } else {
        write(state, held, declared, &learnt).await?;
    }
    state.take_in(&declared.manifest.key).await;
    Ok(())
}

/// Learns afresh, unless a mutator that Git does not know is in force: it changes nothing of what
/// is expected, and `otherwise` is done by what was learnt before.
async fn relearn(state: &State, held: &Snapshot, declared: &Declared, otherwise: Action) -> Result<Learnt, ApiError> {
    let unknown = mutators::unknown(state, held);
    let before = state.entry(&declared.manifest.key).filter(|e| e.digest == declared.digest);
    match (unknown.first(), before) {
        (Some(mutator), Some(entry)) => {
            let message = format!("{mutator} is in force and not as Git declares it: nothing is learnt from it");
            state.reporter.about(mutator, "v1", "", Reason::UnknownMutator, message);
            Ok(Learnt::new(entry, otherwise))
        }
        (Some(mutator), None) => Err(ApiError::Unreachable(format!("{mutator} is in force"))),
        (None, before) => match (learn(state, held, declared).await, before) {
            // What no list shows teaches nothing either, and keeps nothing from being put right.
            (Err(error @ ApiError::Altered { .. }), Some(entry)) => {
                tracing::warn!(object = %declared.manifest.key, %error, "what was learnt before goes on counting");
                Ok(Learnt::new(entry, otherwise))
            }
            (learnt, _) => learnt,
        },
    }
}

async fn deleted(
    state: &Arc<State>,
    held: &Snapshot,
    declared: &Declared,
    event: &Event,
    memory: &Memory,
) -> Result<(), ApiError> {
    let key = &declared.manifest.key;
    if !state.holds(held, key) {
        return look_anew(state, event);
    }
    if runs::was_running(event) {
        runs::again(state, key);
    }
    let api_version = declared.gvk().api_version();
    if let Some(glass) = break_glass::over(key, None, &state.context(held)) {
        broken_glass::tell_left(state, (key, &api_version, ""), "was deleted", &glass, memory);
        return Ok(());
    }
    let tell = || {
        if memory.is_news(key, "deleted".to_owned()) {
            let message = format!("{key} was deleted; Git declares it at {}", declared.place(&FieldPath::root()));
            state.reporter.about(key, &api_version, "", Reason::Diverged, message);
        }
    };
    let learnt = relearn(state, held, declared, Action::Create).await.inspect_err(|_| tell())?;
    if learnt.action == Action::Keep {
        state.put_entry_of(held, learnt.entry);
        state.take_in(&declared.manifest.key).await;
        return Ok(());
    }
    tell();
    if held.environment.mode == Mode::Enforce {
        if pauses(state, declared, &Value::Null, event, memory) {
            return Ok(());
        }
        let Some(_turn) = state.turn_of(held).await else { return look_anew(state, event) };
        let revert = traces::revert(key, &held.commit.id, "make again");
        write(state, held, declared, &learnt).instrument(revert).await?;
        state.take_in(&declared.manifest.key).await;
        let message = format!("made again from {} of {}", held.commit.short(), declared.place(&FieldPath::root()));
        state.reporter.about(key, &api_version, "", Reason::Reverted, message);
        memory.forget(key);
    }
    Ok(())
}
