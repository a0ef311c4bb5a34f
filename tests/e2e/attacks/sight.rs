//! Seeing in the cluster whether an attack is in effect: a collection, watched from before the attack.

use std::collections::{BTreeMap, HashSet};
use std::pin::Pin;

use futures::{Stream, StreamExt};
use gitward_core::bounded::{self, Bounded};
use kube::Client;
use kube::core::WatchEvent;
use serde_json::Value;

use crate::Result;
use crate::case::When;

type Events = Pin<Box<dyn Stream<Item = kube::Result<WatchEvent<Bounded>>> + Send>>;

/// A collection as it was, as it is, and as it changes.
pub(crate) struct Sight {
    client: Client,
    path: String,
    before: BTreeMap<String, Value>,
    now: BTreeMap<String, Value>,
    events: Events,
}

impl Sight {
    /// Lists a collection and watches it from then on.
    pub(crate) async fn open(client: &Client, path: &str) -> Result<Self> {
        let (now, version) = list(client, path).await?;
        let events = watch(client, path, &version).await?;
        Ok(Self { client: client.clone(), path: path.to_owned(), before: now.clone(), now, events })
    }

    /// Waits for the next change.
    pub(crate) async fn change(&mut self) -> Result<()> {
        loop {
            match self.events.next().await {
                Some(Ok(WatchEvent::Added(Bounded(object)) | WatchEvent::Modified(Bounded(object)))) => {
                    self.now.insert(key(&object), object);
                    return Ok(());
                }
                Some(Ok(WatchEvent::Deleted(Bounded(object)))) => {
                    self.now.remove(&key(&object));
                    return Ok(());
                }
                Some(Ok(WatchEvent::Bookmark(_))) => {}
                // The kind is not served any more, or the watch ended: what is there is listed again.
                Some(Ok(WatchEvent::Error(_)) | Err(_)) | None => {
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                    return self.look().await;
                }
            }
        }
    }

    /// Lists the collection afresh.
    pub(crate) async fn look(&mut self) -> Result<()> {
        let (now, version) = list(&self.client, &self.path).await?;
        self.now = now;
        self.events = match watch(&self.client, &self.path, &version).await {
            Ok(events) => events,
            Err(_) => Box::pin(futures::stream::empty()),
        };
        Ok(())
    }

    /// Whether the effect is there.
    pub(crate) fn shows(&self, when: &When) -> bool {
        let field = |pointer: &str| self.now.values().find_map(|o| o.pointer(pointer));
        let is_going = |o: &Value| !o["metadata"]["deletionTimestamp"].is_null();
        match when {
            When::Is(pointer, value) => self.now.values().any(|o| o.pointer(pointer) == Some(value)),
            When::Set(pointer) => field(pointer).is_some_and(|v| !v.is_null()),
            When::Unset(pointer) => self.now.values().any(|o| o.pointer(pointer).is_none_or(Value::is_null)),
            When::Says(text) => self.tells(text),
            When::Tells(text) => self.tells(text),
            When::Exists => self.now.values().any(|o| !is_going(o)),
            When::New => {
                let before: HashSet<&Value> = self.before.values().map(|o| &o["metadata"]["uid"]).collect();
                self.now.values().any(|o| !is_going(o) && !before.contains(&o["metadata"]["uid"]))
            }
            When::Gone => self.before.keys().any(|key| self.now.get(key).is_none_or(is_going)),
            When::Answer(_) => false,
        }
    }

    fn tells(&self, text: &str) -> bool {
        self.now.values().any(|o| without_managed_fields(o).contains(text))
    }

    /// What is there, for a message.
    pub(crate) fn text(&self) -> String {
        self.now.values().map(without_managed_fields).collect::<Vec<_>>().join("\n")
    }

    /// Whether nothing was there when it was opened.
    pub(crate) fn was_empty(&self) -> bool {
        self.before.is_empty()
    }
}

fn without_managed_fields(object: &Value) -> String {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object.to_string()
}

fn key(object: &Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text("namespace"), text("name"))
}

async fn list(client: &Client, path: &str) -> Result<(BTreeMap<String, Value>, String)> {
    let request = http::Request::get(path).body(Vec::new()).map_err(|e| e.to_string())?;
    let text = match client.request_text(request).await {
        Ok(text) => text,
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok((BTreeMap::new(), "0".to_owned())),
        Err(error) => return Err(format!("list {path}: {error}")),
    };
    let list = bounded::read(&text).map_err(|e| format!("list {path}: {e}"))?;
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let version = list["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_owned();
    Ok((items.into_iter().map(|o| (key(&o), o)).collect(), version))
}

async fn watch(client: &Client, path: &str, version: &str) -> Result<Events> {
    let sign = if path.contains('?') { '&' } else { '?' };
    let uri = format!("{path}{sign}watch=1&resourceVersion={version}");
    let request = http::Request::get(uri).body(Vec::new()).map_err(|e| e.to_string())?;
    let events = client.request_events::<Bounded>(request).await.map_err(|e| format!("watch {path}: {e}"))?;
    Ok(Box::pin(events))
}
