//! The index: all watches together.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gitward_core::lookup::Lookup;
use gitward_core::object::ObjectKey;
use kube::Client;
use serde_json::Value;
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;

use crate::discovery::Discovery;
use crate::kinds::{Target, WatchedKind, targets};
use crate::store::{Event, Store};
use crate::trouble::Trouble;
use crate::watching::{Progress, ProgressCell, Shared, follow};

/// Events kept for a slow subscriber; one that falls behind further is told so by the channel and
/// has to look at everything again.
const EVENTS: usize = 8192;

/// How much the index knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Some watch has not listed yet.
    Starting,
    /// Every watch has listed at least once, or its kind is not served.
    Synced,
    /// Some watch has not listed since the API server cannot be reached.
    Unreachable,
}

/// What the cluster holds, kept up to date by watches. Clones share one index; the watches end
/// with the last of them.
#[derive(Clone)]
pub struct LiveIndex {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    discovery: Discovery,
    shared: Arc<Shared>,
    watches: Mutex<HashMap<Target, Running>>,
}

struct Running {
    task: AbortHandle,
    progress: Arc<ProgressCell>,
}

impl LiveIndex {
    /// Starts watching these kinds, those in governed namespaces in `namespaces`. Returns at once;
    /// must be called within a tokio runtime.
    pub fn start(client: Client, discovery: Discovery, kinds: &[WatchedKind], namespaces: &[String]) -> Self {
        let shared = Shared {
            store: RwLock::new(Store::default()),
            events: broadcast::channel(EVENTS).0,
            progress: watch::channel(()).0,
            trouble: Trouble::default(),
        };
        let inner = Inner { client, discovery, shared: Arc::new(shared), watches: Mutex::default() };
        let index = Self { inner: Arc::new(inner) };
        index.rescope(kinds, namespaces);
        index
    }

    /// Changes what is watched. Watches that stay go on undisturbed; what is no longer covered is
    /// forgotten.
    pub fn rescope(&self, kinds: &[WatchedKind], namespaces: &[String]) {
        let namespaces: BTreeSet<String> = namespaces.iter().cloned().collect();
        let wanted: HashMap<Target, ()> = targets(kinds, &namespaces).into_iter().map(|t| (t, ())).collect();
        let mut watches = self.inner.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ended = Vec::new();
        watches.retain(|target, running| {
            let stays = wanted.contains_key(target);
            if !stays {
                running.task.abort();
                ended.push(target.clone());
            }
            stays
        });
        for target in wanted.into_keys() {
            watches.entry(target).or_insert_with_key(|target| self.launch(target.clone()));
        }
        // What another watch covers from now on stays until that one has listed.
        for target in ended {
            let of_kind = |t: &&Target| (&t.group, &t.kind) == (&target.group, &target.kind);
            let others: Vec<_> = watches.keys().filter(of_kind).map(|t| &t.span).collect();
            self.inner.shared.write(|s| s.forget(&target, &others));
        }
        self.inner.shared.progress.send_replace(());
    }

    fn launch(&self, target: Target) -> Running {
        let progress = Arc::new(ProgressCell::default());
        let inner = &self.inner;
        let watch =
            follow(inner.shared.clone(), inner.client.clone(), inner.discovery.clone(), target, progress.clone());
        Running { task: tokio::spawn(watch).abort_handle(), progress }
    }

    /// How much the index knows now.
    pub fn health(&self) -> Health {
        let watches = self.inner.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let mut health = Health::Synced;
        for running in watches.values() {
            match running.progress.get() {
                Progress::Unreachable => return Health::Unreachable,
                Progress::Starting => health = Health::Starting,
                Progress::Synced | Progress::Absent => {}
            }
        }
        health
    }

    /// Whether every watch has listed at least once.
    pub fn synced(&self) -> bool {
        self.health() == Health::Synced
    }

    /// Waits until every watch has listed at least once.
    pub async fn wait_synced(&self) {
        let mut progress = self.inner.shared.progress.subscribe();
        while !self.synced() {
            if progress.changed().await.is_err() {
                return;
            }
        }
    }

    /// Changes from now on. What was there before is not told; subscribe first, then list.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.inner.shared.events.subscribe()
    }

    /// Tells an event to the subscribers once more, for one of them that could not finish with it.
    pub fn tell_again(&self, event: Event) {
        let _ = self.inner.shared.events.send(event);
    }

    /// The cache of served kinds.
    pub fn discovery(&self) -> &Discovery {
        &self.inner.discovery
    }

    /// Where it is told that the API server cannot be asked.
    pub fn trouble(&self) -> &Trouble {
        &self.inner.shared.trouble
    }

    /// The client that the watches use.
    pub fn client(&self) -> &Client {
        &self.inner.client
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let watches = self.watches.get_mut().unwrap_or_else(PoisonError::into_inner);
        watches.values().for_each(|running| running.task.abort());
    }
}

impl Lookup for LiveIndex {
    fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.inner.shared.store.read().unwrap_or_else(PoisonError::into_inner).get(key)
    }

    fn list(&self, group: &str, kind: &str, namespace: &str) -> Vec<Arc<Value>> {
        self.inner.shared.store.read().unwrap_or_else(PoisonError::into_inner).list(group, kind, namespace)
    }

    fn gone(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.inner.shared.store.read().unwrap_or_else(PoisonError::into_inner).gone(key)
    }
}
