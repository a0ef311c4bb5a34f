//! One watch: from the API server's events to the store.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::StreamExt;
use gitward_core::object::{self, ObjectKey};
use kube::api::{DynamicObject, PartialObjectMeta};
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config};
use kube::{Api, Client};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{broadcast, watch};

use crate::discovery::Discovery;
use crate::fresh::api;
use crate::kinds::{Content, Span, Target};
use crate::pauses::Pauses;
use crate::raw;
use crate::store::{Event, Store};
use crate::trouble::{Told, Trouble, explain};
use crate::whole::Whole;

/// How far a watch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Progress {
    /// Nothing heard yet.
    Starting = 0,
    /// The API server cannot be reached, and nothing was listed yet.
    Unreachable = 1,
    /// Listed once; kept up to date since, as far as the API server can be reached.
    Synced = 2,
    /// The API server does not serve the kind.
    Absent = 3,
}

/// A [`Progress`] that a watch writes and the index reads.
#[derive(Default)]
pub(crate) struct ProgressCell(AtomicU8);

impl ProgressCell {
    pub(crate) fn get(&self) -> Progress {
        match self.0.load(Ordering::Acquire) {
            1 => Progress::Unreachable,
            2 => Progress::Synced,
            3 => Progress::Absent,
            _ => Progress::Starting,
        }
    }

    fn set(&self, progress: Progress) {
        self.0.store(progress as u8, Ordering::Release);
    }
}

/// What all watches of an index share.
pub(crate) struct Shared {
    pub(crate) store: RwLock<Store>,
    pub(crate) events: broadcast::Sender<Event>,
    /// Told whenever a watch's progress changes.
    pub(crate) progress: watch::Sender<()>,
    /// That the API server cannot be asked is told once for all watches.
    pub(crate) trouble: Trouble,
}

impl Shared {
    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        change(&mut self.store.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, event: Event) {
        // Nobody listening is no error.
        let _ = self.events.send(event);
    }
}

/// How often a kind that is not served is asked for again.
const ABSENT_INTERVAL: Duration = Duration::from_secs(30);

/// Pause after the API server could not be asked which kinds it serves.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Follows one watch for ever.
pub(crate) async fn follow(
    shared: Arc<Shared>,
    client: Client,
    discovery: Discovery,
    target: Target,
    progress: Arc<ProgressCell>,
) {
    let watch = Watch { shared, target, progress, told: Told::default() };
    loop {
        match discovery.resolve(&watch.target.group, &watch.target.kind).await {
            Ok(Some(served)) => match watch.target.content {
                Content::Whole => watch.run::<Whole>(&client, &served.resource).await,
                Content::Metadata => watch.run::<PartialObjectMeta<DynamicObject>>(&client, &served.resource).await,
            },
            Ok(None) => {
                watch.reached(Progress::Absent);
                for event in watch.shared.write(|s| s.replace(&watch.target, Vec::new())) {
                    watch.shared.tell(event);
                }
                tokio::time::sleep(ABSENT_INTERVAL).await;
            }
            Err(error) => {
                watch.failed(&error);
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        }
    }
}

struct Watch {
    shared: Arc<Shared>,
    target: Target,
    progress: Arc<ProgressCell>,
    told: Told,
}

impl Watch {
    fn reached(&self, progress: Progress) {
        if self.progress.get() != progress {
            self.progress.set(progress);
            self.shared.progress.send_replace(());
        }
    }

    /// What was listed stays valid as far as it goes; only a watch that never listed is worse off.
    fn failed(&self, error: &kube::Error) {
        let answered = matches!(error, kube::Error::Api(_));
        if !self.shared.trouble.tell(error) {
            let line = explain(error);
            if self.told.is_news(&line) {
                tracing::warn!(kind = %self.target.kind, "cannot watch: {line}");
            }
        }
        if !answered && self.progress.get() == Progress::Starting {
            self.reached(Progress::Unreachable);
        }
    }

    /// Follows the watch until the kind is no longer served.
    async fn run<K>(&self, client: &Client, resource: &ApiResource)
    where
        K: kube::Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Serialize
            + Send
            + 'static,
    {
        let (namespace, config) = match &self.target.span {
            Span::All | Span::Namespaces(_) => ("", Config::default()),
            Span::Namespace(namespace) => (namespace.as_str(), Config::default()),
            Span::One(namespace, name) => {
                (namespace.as_str(), Config::default().fields(&format!("metadata.name={name}")))
            }
        };
        let api: Api<K> = api(client, resource, namespace);
        let mut stream = watcher::watcher(api, config).backoff(Pauses::default()).boxed();
        let mut listed = Vec::new();
        while let Some(event) = stream.next().await {
            match event {
                Ok(event) => self.fold(event, resource, &mut listed),
                Err(error) if is_gone(&error) => {
                    tracing::info!(kind = %self.target.kind, "the API server no longer serves this kind");
                    self.reached(Progress::Starting);
                    tokio::time::sleep(RETRY_INTERVAL).await;
                    return;
                }
                Err(error) => match source(&error) {
                    Some(error) => self.failed(error),
                    None => tracing::debug!(kind = %self.target.kind, %error, "watch interrupted"),
                },
            }
        }
    }

    fn fold<K: Serialize>(
        &self,
        event: watcher::Event<K>,
        resource: &ApiResource,
        listed: &mut Vec<(ObjectKey, Arc<Value>)>,
    ) {
        match event {
            watcher::Event::Init => listed.clear(),
            watcher::Event::InitApply(object) => listed.extend(self.admit(&object, resource)),
            watcher::Event::InitDone => {
                let events = self.shared.write(|s| s.replace(&self.target, std::mem::take(listed)));
                events.into_iter().for_each(|e| self.shared.tell(e));
                self.shared.trouble.over();
                self.told.is_over();
                self.reached(Progress::Synced);
            }
            watcher::Event::Apply(object) => {
                if let Some((key, object)) = self.admit(&object, resource) {
                    let event = self.shared.write(|s| s.apply(&key, object));
                    self.shared.tell(event);
                }
            }
            watcher::Event::Delete(object) => {
                if let Some((key, _)) = self.admit(&object, resource)
                    && let Some(event) = self.shared.write(|s| s.delete(&key))
                {
                    self.shared.tell(event);
                }
            }
        }
    }

    /// The object with its key, if this watch covers it.
    fn admit<K: Serialize>(&self, object: &K, resource: &ApiResource) -> Option<(ObjectKey, Arc<Value>)> {
        let value = raw::object(object, resource)?;
        let (namespace, name) = (object::namespace(&value), object::name(&value));
        if !self.target.span.covers(namespace, name) {
            return None;
        }
        let key = ObjectKey::new(&self.target.group, &self.target.kind, namespace, name);
        Some((key, Arc::new(value)))
    }
}

fn source(error: &watcher::Error) -> Option<&kube::Error> {
    match error {
        watcher::Error::InitialListFailed(e) | watcher::Error::WatchStartFailed(e) | watcher::Error::WatchFailed(e) => {
            Some(e)
        }
        _ => None,
    }
}

/// The resource itself is unknown: a CRD was removed.
fn is_gone(error: &watcher::Error) -> bool {
    matches!(source(error), Some(kube::Error::Api(status)) if status.code == 404)
}
