//! What a bystander sees: every declared object as it is now, and every Event of gitward's, by
//! watches of their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::runtime::watcher;
use kube::{Client, discovery};
use serde_json::Value;
use tokio::sync::watch;

use crate::kinds::Result;

/// Kind, namespace and name of an object.
pub(crate) type Key = (String, String, String);

/// One Event that gitward wrote.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) reason: String,
    pub(crate) about: Key,
    pub(crate) message: String,
}

/// The view.
#[derive(Clone)]
pub(crate) struct View {
    client: Client,
    seen: Arc<Mutex<Seen>>,
    tick: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
struct Seen {
    objects: HashMap<Key, Arc<Value>>,
    kinds: HashMap<String, (String, bool)>,
    alerts: Vec<Alert>,
}

impl View {
    /// Watches these kinds, given as `apiVersion` and `kind`, and gitward's Events.
    pub(crate) async fn open(client: Client, kinds: &[(String, String)]) -> Result<Self> {
        let (tick, _) = watch::channel(0);
        let view = Self { client, seen: Arc::default(), tick: Arc::new(tick) };
        view.follow("v1", "Event").await?;
        // Where a kind is declared in several versions, the last stands for all.
        let versions: HashMap<&str, &str> = kinds.iter().map(|(v, k)| (k.as_str(), v.as_str())).collect();
        for (kind, version) in versions {
            view.follow(version, kind).await?;
        }
        Ok(view)
    }

    async fn follow(&self, version: &str, kind: &str) -> Result<()> {
        let (group, bare) = version.split_once('/').unwrap_or(("", version));
        let gvk = GroupVersionKind::gvk(group, bare, kind);
        let (resource, capabilities) =
            discovery::pinned_kind(&self.client, &gvk).await.map_err(|e| format!("{gvk:?}: {e}"))?;
        let base = if group.is_empty() { format!("/api/{bare}") } else { format!("/apis/{group}/{bare}") };
        let namespaced = capabilities.scope == discovery::Scope::Namespaced;
        let path = format!("{base} {}", resource.plural);
        self.seen.lock().unwrap().kinds.insert(kind.to_owned(), (path, namespaced));
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        // What is there now, before anything else is done.
        let list = api.list(&ListParams::default()).await.map_err(|e| format!("{kind}: {e}"))?;
        list.items.into_iter().for_each(|o| self.take(kind, o, true));
        let (view, kind) = (self.clone(), kind.to_owned());
        tokio::spawn(async move {
            let watching = watcher(api, watcher::Config::default()).try_for_each(|event| {
                match event {
                    watcher::Event::Apply(o) | watcher::Event::InitApply(o) => view.take(&kind, o, true),
                    watcher::Event::Delete(o) => view.take(&kind, o, false),
                    watcher::Event::Init | watcher::Event::InitDone => {}
                }
                std::future::ready(Ok(()))
            });
            let _ = watching.await;
        });
        Ok(())
    }

    fn take(&self, kind: &str, object: DynamicObject, there: bool) {
        let mut object = serde_json::to_value(object).unwrap();
        let mut seen = self.seen.lock().unwrap();
        if kind == "Event" {
            let ours = object["source"]["component"] == "gitward" && there;
            if ours {
                let about = &object["involvedObject"];
                let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
                let about = (text(&about["kind"]), text(&about["namespace"]), text(&about["name"]));
                seen.alerts.push(Alert { reason: text(&object["reason"]), about, message: text(&object["message"]) });
            }
        } else {
            object["metadata"].as_object_mut().unwrap().remove("managedFields");
            let key = key_of(kind, &object);
            if there {
                let newer =
                    seen.objects.get(&key).is_none_or(|o| version(o) <= version(&object) || uid(o) != uid(&object));
                if newer {
                    seen.objects.insert(key, Arc::new(object));
                }
            } else {
                seen.objects.remove(&key);
            }
        }
        drop(seen);
        self.tick.send_modify(|n| *n += 1);
    }

    /// An object as it was seen last.
    pub(crate) fn object(&self, key: &Key) -> Option<Arc<Value>> {
        self.seen.lock().unwrap().objects.get(key).cloned()
    }

    /// How many Events there are by now.
    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().alerts.len()
    }

    /// Events since there were `from`.
    pub(crate) fn alerts(&self, from: usize) -> Vec<Alert> {
        self.seen.lock().unwrap().alerts[from..].to_vec()
    }

    /// Events about one object since there were `from`.
    pub(crate) fn alerts_about(&self, from: usize, key: &Key) -> Vec<Alert> {
        let seen = self.seen.lock().unwrap();
        seen.alerts[from..].iter().filter(|a| a.about == *key).cloned().collect()
    }

    /// Waits until `holds`; how long that took, `None` if it did not come in time.
    pub(crate) async fn until(&self, within: Duration, mut holds: impl FnMut() -> bool) -> Option<Duration> {
        let began = Instant::now();
        let mut ticks = self.tick.subscribe();
        loop {
            if holds() {
                return Some(began.elapsed());
            }
            let left = within.checked_sub(began.elapsed())?;
            let _ = tokio::time::timeout(left.min(Duration::from_millis(500)), ticks.changed()).await;
        }
    }

    /// The path of an object's main resource.
    pub(crate) fn path(&self, key: &Key) -> String {
        let (kind, namespace, name) = key;
        let (path, namespaced) = self.seen.lock().unwrap().kinds[kind].clone();
        let (base, plural) = path.split_once(' ').unwrap();
        if namespaced {
            format!("{base}/namespaces/{namespace}/{plural}/{name}")
        } else {
            format!("{base}/{plural}/{name}")
        }
    }
}

/// The key of an object.
pub(crate) fn key_of(kind: &str, object: &Value) -> Key {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (kind.to_owned(), text("namespace"), text("name"))
}

fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse().ok()).unwrap_or(0)
}

/// The uid of an object.
pub(crate) fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}
