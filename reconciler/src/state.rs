//! What the reconciler's tasks share.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use gitward_core::additions::{Additions, Entry};
use gitward_core::adoption::Adoption;
use gitward_core::derived::Context;
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::Snapshot;
use gitward_index::LiveIndex;
use jiff::Timestamp;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::time::{Instant, timeout};

use crate::api::Api;
use crate::history::History;
use crate::publish::{Channel, shards};
use crate::report::Reporter;
use crate::surroundings::Surroundings;

/// How long a new commit waits for the guard's writes by the old one.
const TURN_TIMEOUT: Duration = Duration::from_secs(2);

/// Shared by the task that converges and the one that guards.
pub struct State {
    /// Requests under the environment's account.
    pub api: Api,
    /// What the cluster holds.
    pub index: LiveIndex,
    /// Who tells people.
    pub reporter: Reporter,
    /// Where what was learnt is published.
    pub channel: Channel,
    /// What Git declared before this process began.
    pub history: History,
    /// What every object is held to now. While a commit is being applied it holds the old content
    /// of what is still to be written and the new content of the rest.
    held: ArcSwapOption<Snapshot>,
    additions: Mutex<Additions>,
    /// Whether something that was learnt could not be published.
    unpublished: AtomicBool,
    busy: Mutex<HashSet<ObjectKey>>,
    /// Shared while the guard writes, held alone while a new commit takes over.
    turn: RwLock<()>,
    adoption: Mutex<Adoption>,
    learnt_in: Mutex<Option<Surroundings>>,
    /// Objects whose record was read and not made by this process: the cluster may have said anything.
    unproven: Mutex<HashSet<ObjectKey>>,
    strangers: Mutex<HashMap<ObjectKey, Instant>>,
    /// Whether somebody waits for the last of the strangers to be gone.
    pub waits_for_strangers: AtomicBool,
}

impl State {
    /// Nothing known yet.
    pub fn new(api: Api, index: LiveIndex, reporter: Reporter, channel: Channel, history: History) -> Self {
        Self {
            api,
            index,
            reporter,
            channel,
            history,
            held: ArcSwapOption::empty(),
            additions: Mutex::default(),
            unpublished: AtomicBool::default(),
            busy: Mutex::default(),
            turn: RwLock::default(),
            adoption: Mutex::default(),
            learnt_in: Mutex::default(),
            unproven: Mutex::default(),
            strangers: Mutex::default(),
            waits_for_strangers: AtomicBool::default(),
        }
    }

    /// What every object is held to now.
    pub fn held(&self) -> Option<Arc<Snapshot>> {
        self.held.load_full()
    }

    /// Holds every object to this from now on, and takes over what it governs that was not governed before.
    pub fn hold(&self, snapshot: Snapshot) {
        let now = Timestamp::now();
        // The API server's times have whole seconds; what was made in this second came before.
        let at = Timestamp::from_second(now.as_second() + 1).unwrap_or(now);
        self.adopting().take_over(&snapshot.environment, at);
        self.held.store(Some(Arc::new(snapshot)));
    }

    /// The guard's turn to write by `snapshot`, which no new commit takes over meanwhile; `None` if one
    /// did already.
    pub async fn turn_of(&self, snapshot: &Snapshot) -> Option<RwLockReadGuard<'_, ()>> {
        let turn = self.turn.read().await;
        self.held().is_some_and(|held| held.commit.id == snapshot.commit.id).then_some(turn)
    }

    /// Whether an object is still held to `snapshot`: no new commit took over, and nobody writes it.
    pub fn holds(&self, snapshot: &Snapshot, key: &ObjectKey) -> bool {
        self.held().is_some_and(|held| held.commit.id == snapshot.commit.id) && !self.busy().contains(key)
    }

    /// The turn of a new commit, once the guard has written what it was about to write by the old one.
    /// A write that drags on is not waited for: at worst the gate denies it.
    pub async fn turn_of_commit(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        timeout(TURN_TIMEOUT, self.turn.write()).await.ok()
    }

    /// The rules' context with this snapshot, now.
    pub fn context<'a>(&'a self, snapshot: &'a Snapshot) -> Context<'a> {
        Context { snapshot, live: &self.index, now: Timestamp::now() }
    }

    /// What was learnt, locked.
    pub fn additions(&self) -> MutexGuard<'_, Additions> {
        self.additions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was published before this process began.
    pub fn take_published(&self, additions: Additions) {
        let recorded = additions.entries.values().filter(|e| !e.record.is_null()).map(|e| e.key.clone());
        *self.unproven() = recorded.collect();
        *self.additions() = additions;
    }

    /// Objects whose record is still to be held against the closed list, locked.
    pub fn unproven(&self) -> MutexGuard<'_, HashSet<ObjectKey>> {
        self.unproven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was learnt of one object.
    pub fn entry(&self, key: &ObjectKey) -> Option<Entry> {
        self.additions().entries.get(key).cloned()
    }

    /// Replaces what was learnt of one object.
    pub fn put_entry(&self, entry: Entry) {
        self.additions().entries.insert(entry.key.clone(), entry);
    }

    /// The same for what was learnt by a write of `snapshot`, unless a newer commit says something else of the
    /// object by now: what was learnt of that is not lost to a write that took its time.
    pub fn put_entry_of(&self, snapshot: &Snapshot, entry: Entry) {
        let is_outdated = self.held().is_some_and(|held| {
            held.commit.id != snapshot.commit.id && held.declared(&entry.key).is_some_and(|d| d.digest != entry.digest)
        });
        if !is_outdated {
            self.put_entry(entry);
        }
    }

    /// Publishes what was learnt, for the commit that objects are held to. What cannot be published
    /// now is published with the next call.
    pub async fn publish(&self) {
        let all = shards(&self.additions());
        self.publish_shards(all).await;
    }

    async fn publish_shards(&self, shards: Vec<(u8, String)>) {
        let Some(held) = self.held() else { return };
        let published = self.channel.publish(shards, &held.commit.id).await;
        self.unpublished.store(published.is_err(), Ordering::Release);
        if let Err(error) = published {
            tracing::warn!(%error, "what was learnt could not be published yet");
        }
    }

    /// Takes what was learnt of one object into what objects are held to, and publishes it. Where
    /// nothing is new, as after most reverts, it costs nothing, however many objects there are.
    pub async fn take_in(&self, key: &ObjectKey) {
        let held = self.held().and_then(|held| held.declared(key)?.learnt.clone());
        if held.as_deref() == self.entry(key).as_ref() && !self.unpublished.load(Ordering::Acquire) {
            return;
        }
        self.refresh_held();
        if self.unpublished.load(Ordering::Acquire) {
            return self.publish().await;
        }
        let number = Additions::shard_of(key);
        let shard = self.additions().shard(number);
        self.publish_shards(vec![(number, shard)]).await;
    }

    /// Takes what was learnt since into what objects are held to.
    pub fn refresh_held(&self) {
        if let Some(held) = self.held() {
            let next = held.with_additions(&self.additions());
            self.hold(next);
        }
    }

    /// Objects that are being written: the guard leaves them alone until the writing is done.
    pub fn busy(&self) -> MutexGuard<'_, HashSet<ObjectKey>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was in force when everything was learnt last.
    pub fn learnt_in(&self) -> Option<Surroundings> {
        self.learnt_in.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything was learnt in these surroundings.
    pub fn set_learnt_in(&self, surroundings: Option<Surroundings>) {
        *self.learnt_in.lock().unwrap_or_else(PoisonError::into_inner) = surroundings;
    }

    /// Mutators that Git does not know, each with when it was seen in force last.
    pub fn strangers(&self) -> MutexGuard<'_, HashMap<ObjectKey, Instant>> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when everything is governed; what was there before is only reported.
    pub fn adoption(&self) -> Adoption {
        self.adopting().clone()
    }

    /// Says since when everything is governed, before anything is held.
    pub fn set_adoption(&self, adoption: Adoption) {
        *self.adopting() = adoption;
    }

    fn adopting(&self) -> MutexGuard<'_, Adoption> {
        self.adoption.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
