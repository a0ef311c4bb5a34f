//! The guard: every watch event is compared whole with what Git says; what differs is told, then
//! brought back.

mod afresh;
mod again;
mod declared;
mod selected;
mod telling;
mod undeclared;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gitward_core::config::Mode;
use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use gitward_index::{Event, EventKind};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, sleep};

use crate::departed;
use crate::fight::Memory;
use crate::lanes;
use crate::mutators;
use crate::state::State;
use crate::watch;
use again::not_yet;
use declared::declared_event;
use selected::tell_stranger;
use undeclared::undeclared_event;

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
                    tell_stranger(&state, &event, &memory);
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
