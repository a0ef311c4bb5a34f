//! What the reconciler's tasks share.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use gitward_core::additions::{Additions, Entry};
use gitward_core::derived::Context;
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::Snapshot;
use gitward_index::LiveIndex;
use jiff::Timestamp;

use crate::api::Api;
use crate::report::Reporter;

/// Shared by the task that converges and the one that guards.
pub struct State {
    /// Requests under the environment's account.
    pub api: Api,
    /// What the cluster holds.
    pub index: LiveIndex,
    /// Who tells people.
    pub reporter: Reporter,
    /// What every object is held to now. While a commit is being applied it holds the old content
    /// of what is still to be written and the new content of the rest.
    held: ArcSwapOption<Snapshot>,
    additions: Mutex<Additions>,
    busy: Mutex<HashSet<ObjectKey>>,
    adopted: Mutex<Option<Timestamp>>,
}

impl State {
    /// Nothing known yet.
    pub fn new(api: Api, index: LiveIndex, reporter: Reporter) -> Self {
        Self {
            api,
            index,
            reporter,
            held: ArcSwapOption::empty(),
            additions: Mutex::default(),
            busy: Mutex::default(),
            adopted: Mutex::default(),
        }
    }

    /// What every object is held to now.
    pub fn held(&self) -> Option<Arc<Snapshot>> {
        self.held.load_full()
    }

    /// Holds every object to this from now on.
    pub fn hold(&self, snapshot: Snapshot) {
        self.held.store(Some(Arc::new(snapshot)));
    }

    /// The rules' context with this snapshot, now.
    pub fn context<'a>(&'a self, snapshot: &'a Snapshot) -> Context<'a> {
        Context { snapshot, live: &self.index, now: Timestamp::now() }
    }

    /// What was learnt, locked.
    pub fn additions(&self) -> MutexGuard<'_, Additions> {
        self.additions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was learnt of one object.
    pub fn entry(&self, key: &ObjectKey) -> Option<Entry> {
        self.additions().entries.get(key).cloned()
    }

    /// Replaces what was learnt of one object.
    pub fn put_entry(&self, entry: Entry) {
        self.additions().entries.insert(entry.key.clone(), entry);
    }

    /// Objects that are being written: the guard leaves them alone until the writing is done.
    pub fn busy(&self) -> MutexGuard<'_, HashSet<ObjectKey>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When this environment took over its namespaces; what was there before is only reported.
    pub fn adopted(&self) -> Option<Timestamp> {
        *self.adopted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the time of adoption.
    pub fn set_adopted(&self, at: Timestamp) {
        *self.adopted.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }
}
