//! What Git does not declare: a controller's own, or told and taken away.

use std::sync::Arc;
use std::time::Duration;

use gitward_core::adoption::stays_because;
use gitward_core::break_glass;
use gitward_core::derived::{is_adoptable, without_strange_finalizers};
use gitward_core::lookup::Lookup;
use gitward_core::object;
use gitward_core::snapshot::Snapshot;
use gitward_core::trace::{Judged, judge_live, lingers};
use gitward_index::{Event, apart, environment, registration};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use super::afresh::judge_afresh;
use super::again::{again_after, look_anew};
use crate::api::{ApiError, Effect};
use crate::broken_glass;
use crate::fight::Memory;
use crate::history;
use crate::prune::served;
use crate::report::Reason;
use crate::settling;
use crate::state::State;
use crate::traces;

/// How long an orphan that is what a controller would make may take to be adopted.
const ADOPTED_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn undeclared_event(
    state: &Arc<State>,
    held: &Snapshot,
    event: &Event,
    memory: &Memory,
) -> Result<(), ApiError> {
    let key = &event.key;
    let Some(live) = state.index.get(key) else { return Ok(()) };
    // The webhook keeps it, and the condition `Guarded` says how it stands.
    if *key == registration::key(&held.environment.name) {
        return Ok(());
    }
    let Judged::Undeclared(_) = apart::judging(held, || judge_live(key, &live, &state.context(held))) else {
        memory.forget(key);
        return Ok(());
    };
    // What Git used to declare is the pruning's business.
    if state.additions().entries.get(key).is_some_and(|e| e.uid.as_deref() == Some(object::uid(&live))) {
        return Ok(());
    }
    let Some(gvk) = served(state, key).await else { return Ok(()) };
    let Some(mut live) = state.api.get(&gvk, key).await? else { return Ok(()) };
    let mut judged = judge_afresh(state, held, key, &live).await;
    if matches!(judged, Judged::Undeclared(_)) && settling::may_be_a_controllers(key, &live) {
        // A controller's child may be seen before what explains it, or follow it a moment later.
        sleep(settling::TIME).await;
        match state.api.get(&gvk, key).await? {
            Some(now) => live = now,
            None => return Ok(()),
        }
        judged = judge_afresh(state, held, key, &live).await;
    }
    if matches!(judged, Judged::Undeclared(_)) && history::recall(state, held, key, &live).await? {
        return look_anew(state, event);
    }
    let Judged::Undeclared(reason) = judged else { return Ok(()) };
    if !state.holds(held, key) {
        return look_anew(state, event);
    }
    let uid = object::uid(&live).to_owned();
    if let Some(glass) = break_glass::over(key, None, &state.context(held)) {
        broken_glass::tell_left(state, (key, &gvk.api_version(), &uid), "is not declared in Git", &glass, memory);
        return Ok(());
    }
    if is_adoptable(key, &live, &state.context(held))
        && memory.awaits_adoption(key, &uid, ADOPTED_WITHIN, Instant::now())
    {
        again_after(state, event.clone(), ADOPTED_WITHIN);
        return Ok(());
    }
    match stays_because(held.environment.mode, key, &live, &state.adoption()) {
        // Installed with deploy/, by those who installed gitward: nothing to tell. Only its content
        // says that it is gitward's own; under that name anything else is told like any other.
        Some(_) if environment::is_shipped_definition(&live) => {}
        Some(why) => {
            let message = format!("{key} is not declared in Git ({reason}); it is left alone: {why}");
            if memory.is_news(key, uid.clone()) {
                state.reporter.about(key, &gvk.api_version(), &uid, Reason::LeftAlone, message);
            }
        }
        None => {
            let message = format!("{key} is not declared in Git at {}: {reason}", held.commit.short());
            if memory.is_news(key, format!("undeclared {uid}")) {
                state.reporter.about(key, &gvk.api_version(), &uid, Reason::Diverged, message);
            }
            if let Some(released) = without_strange_finalizers(key, &live) {
                // Without them it may be a controller's own; and what is deleted has to be able to go.
                state.api.replace(&gvk, key, &released, Effect::Stored).await?;
                let message = format!("finalizers that no controller sets were taken off {key}");
                state.reporter.about(key, &gvk.api_version(), &uid, Reason::Reverted, message);
                return Ok(());
            }
            let revert = traces::revert(key, &held.commit.id, "remove");
            if lingers(key, &live, Timestamp::now()) {
                state.api.end(&gvk, key, &uid).instrument(revert).await?;
            } else {
                state.api.delete(&gvk, key, &uid).instrument(revert).await?;
            }
            state.reporter.about(key, &gvk.api_version(), &uid, Reason::Reverted, format!("{key} was removed"));
        }
    }
    Ok(())
}
