//! The guard: every watch event is compared whole with what Git says; what differs is told, then
//! brought back.

mod telling;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gitward_core::adoption::stays_because;
use gitward_core::break_glass;
use gitward_core::change::Change;
use gitward_core::config::Mode;
use gitward_core::derived::{Context, is_adoptable, without_strange_finalizers};
use gitward_core::lookup::{Lookup, Recording};
use gitward_core::object::{self, ObjectKey};
use gitward_core::path::FieldPath;
use gitward_core::snapshot::{Declared, Snapshot};
use gitward_core::trace::{Judged, judge_live, lingers};
use gitward_index::{Event, EventKind, environment, read_live};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use crate::api::{ApiError, Effect};
use crate::broken_glass;
use crate::departed;
use crate::fight::Memory;
use crate::lanes;
use crate::learn::{Action, Learnt, learn};
use crate::mutators;
use crate::prune::served;
use crate::report::Reason;
use crate::runs;
use crate::settling;
use crate::state::State;
use crate::traces;
use crate::watch;
use crate::write::{release, write, write_over};
use telling::{fields, tell_divergence, tell_left};

/// Time for the live reads behind one comparison.
const READ_BUDGET: Duration = Duration::from_secs(2);

/// How long an orphan that is what a controller would make may take to be adopted.
const ADOPTED_WITHIN: Duration = Duration::from_secs(10);

/// The whole is compared again after this time, whatever the watches said.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(600);

/// Asks the guard to look at objects again.
#[derive(Clone)]
pub struct Poke(mpsc::UnboundedSender<Look>);

enum Look {
    At(Vec<ObjectKey>),
    Everything,
}

impl Poke {
    /// Looks at these objects again.
    pub fn at(&self, keys: Vec<ObjectKey>) {
        let _ = self.0.send(Look::At(keys));
    }

    /// Looks at everything again.
    pub fn everything(&self) {
        let _ = self.0.send(Look::Everything);
    }
}

/// Starts guarding. Must be called within a tokio runtime.
pub fn start(state: Arc<State>) -> Poke {
    let (poke, looks) = mpsc::unbounded_channel();
    let (guarded, memory) = (state.clone(), Arc::new(Memory::default()));
    let remembered = memory.clone();
    let lanes = lanes::start(move |event| look_at(guarded.clone(), remembered.clone(), event));
    let poke = Poke(poke);
    tokio::spawn(distribute(state, lanes, looks, memory, poke.clone()));
    poke
}

type Lanes = mpsc::UnboundedSender<Event>;

async fn distribute(
    state: Arc<State>,
    lanes: Lanes,
    mut looks: mpsc::UnboundedReceiver<Look>,
    memory: Arc<Memory>,
    poke: Poke,
) {
    let mut events = state.index.subscribe();
    let looking = Arc::new(AtomicBool::new(false));
    let mut sweep = tokio::time::interval_at(Instant::now() + SWEEP_INTERVAL, SWEEP_INTERVAL);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) => {
                    if event.key.kind == "CustomResourceDefinition" {
                        watch_new_kinds(&state, &looking);
                    }
                    if mutators::is_mutator(&event.key) {
                        mutators::came_or_went(&state, &event, &memory, &poke);
                    }
                    departed::look_again_later(&state, &event, &poke);
                    hand_over(&lanes, event);
                }
                // Too slow: what was missed is found by looking at everything.
                Err(broadcast::error::RecvError::Lagged(_)) => sweep_all(&state, &lanes),
                Err(broadcast::error::RecvError::Closed) => return,
            },
            look = looks.recv() => match look {
                Some(Look::At(keys)) => keys.into_iter().for_each(|key| hand_over(&lanes, applied(key))),
                Some(Look::Everything) => sweep_all(&state, &lanes),
                None => return,
            },
            _ = sweep.tick() => sweep_all(&state, &lanes),
        }
    }
}

/// A definition that came or changed may serve a kind that is not watched yet.
fn watch_new_kinds(state: &Arc<State>, looking: &Arc<AtomicBool>) {
    if looking.swap(true, Ordering::SeqCst) {
        return;
    }
    let (state, looking) = (state.clone(), looking.clone());
    tokio::spawn(async move {
        // Its kind is served a moment after it is established.
        for pause in [1, 3] {
            sleep(Duration::from_secs(pause)).await;
            looking.store(false, Ordering::SeqCst);
            if let (Some(held), Ok(())) = (state.held(), state.index.discovery().refresh().await) {
                let declared = held.declared.values().map(AsRef::as_ref);
                watch::everything_governed(&state, &held.environment, declared).await;
            }
        }
    });
}

fn applied(key: ObjectKey) -> Event {
    Event { key, kind: EventKind::Applied, last: None }
}

fn hand_over(lanes: &Lanes, event: Event) {
    let _ = lanes.send(event);
}

fn sweep_all(state: &State, lanes: &Lanes) {
    let Some(held) = state.held() else { return };
    for served in state.index.discovery().table().all() {
        let (group, kind) = (&served.resource.group, &served.resource.kind);
        for object in state.index.list(group, kind, "") {
            let key = ObjectKey::new(group, kind, object::namespace(&object), object::name(&object));
            if held.governs(&key) {
                hand_over(lanes, applied(key));
            }
        }
    }
    for key in held.declared.keys().filter(|k| state.index.get(k).is_none()) {
        hand_over(lanes, Event { key: key.clone(), kind: EventKind::Deleted, last: None });
    }
}

async fn look_at(state: Arc<State>, memory: Arc<Memory>, event: Event) {
    let Some(held) = state.held() else { return };
    if held.environment.mode == Mode::Suspended || !held.governs(&event.key) || state.busy().contains(&event.key) {
        return;
    }
    if memory.is_paused(&event.key, Instant::now()) {
        return;
    }
    let handled = match held.declared(&event.key) {
        Some(declared) => declared_event(&state, &held, declared, &event, &memory).await,
        None if event.kind == EventKind::Applied => undeclared_event(&state, &held, &event, &memory).await,
        None => {
            memory.forget(&event.key);
            Ok(())
        }
    };
    if let Err(error) = handled {
        not_yet(&state, &held, &memory, &event, &error);
    }
}

/// What could not be brought back is told once.
fn not_yet(state: &Arc<State>, held: &Snapshot, memory: &Arc<Memory>, event: &Event, error: &ApiError) {
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
fn try_later(state: &Arc<State>, held: &Snapshot, memory: &Arc<Memory>, event: &Event, message: &str) -> bool {
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
fn again_after(state: &Arc<State>, event: Event, pause: Duration) {
    let state = state.clone();
    tokio::spawn(async move {
        sleep(pause).await;
        state.index.tell_again(event);
    });
}

/// A new commit took over: the object is looked at again by that one.
fn look_anew(state: &Arc<State>, event: &Event) -> Result<(), ApiError> {
    again_after(state, event.clone(), Duration::ZERO);
    Ok(())
}

/// Whether the write against Git is let be for now, since others write against it again and again.
fn pauses(state: &Arc<State>, declared: &Declared, live: &Value, event: &Event, memory: &Memory) -> bool {
    let Some(fight) = memory.fight(&event.key, live, Instant::now()) else { return false };
    let api_version = declared.gvk().api_version();
    state.reporter.about(&event.key, &api_version, object::uid(live), Reason::Fight, fight.message);
    again_after(state, event.clone(), fight.pause);
    true
}

async fn declared_event(
    state: &Arc<State>,
    held: &Snapshot,
    declared: &Declared,
    event: &Event,
    memory: &Arc<Memory>,
) -> Result<(), ApiError> {
    let key = &event.key;
    let judged = state.index.get(key).map(|live| judge_live(key, &live, &state.context(held)));
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
    if let Some(seen) = &live
        && let Judged::Diverged(changes) = judge_afresh(state, held, key, seen).await
        && settling::follows_its_children(key, &changes)
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
        state.put_entry(learnt.entry);
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
        state.put_entry(learnt.entry);
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
        state.put_entry(learnt.entry);
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

async fn judge_afresh(state: &State, held: &Snapshot, key: &ObjectKey, live: &Value) -> Judged {
    let questions = {
        let recording = Recording::new(&state.index);
        let context = Context { snapshot: held, live: &recording, now: Timestamp::now() };
        let judged = judge_live(key, live, &context);
        let questions = recording.into_questions();
        if questions.is_empty() || !matches!(judged, Judged::Diverged(_) | Judged::Undeclared(_)) {
            return judged;
        }
        questions
    };
    let fresh = read_live(state.api.client(), state.index.discovery(), &questions, READ_BUDGET).await;
    let overlay = fresh.over(&state.index);
    judge_live(key, live, &Context { snapshot: held, live: &overlay, now: Timestamp::now() })
}

async fn undeclared_event(state: &Arc<State>, held: &Snapshot, event: &Event, memory: &Memory) -> Result<(), ApiError> {
    let key = &event.key;
    let Some(live) = state.index.get(key) else { return Ok(()) };
    let Judged::Undeclared(_) = judge_live(key, &live, &state.context(held)) else {
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
    match stays_because(held.environment.mode, key, &live, state.adopted()) {
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
