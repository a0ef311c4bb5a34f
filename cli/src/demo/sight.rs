//! An object of the cluster seen with the administrator's eyes: as it is, and each change of it at
//! the moment at which the API server tells it.

use std::time::{Duration, Instant};

use anyhow::Context;
use futures::{StreamExt, TryStreamExt};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, WatchEvent, WatchParams};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Such as `apps/v1`.
    pub(super) api_version: &'static str,
    /// Such as `Deployment`.
    pub(super) kind: &'static str,
    /// Empty for a cluster-scoped object.
    pub(super) namespace: String,
    /// Its name.
    pub(super) name: String,
}

impl Target {
    fn api(&self, client: &Client) -> Api<DynamicObject> {
        let (group, version) = self.api_version.split_once('/').unwrap_or(("", self.api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, self.kind));
        match self.namespace.as_str() {
            "" => Api::all_with(client.clone(), &resource),
            namespace => Api::namespaced_with(client.clone(), namespace, &resource),
        }
    }

    /// The object as it is, if it is there.
    pub(super) async fn get(&self, client: &Client) -> anyhow::Result<Option<Value>> {
        let found = self.api(client).get_opt(&self.name).await;
        let found = found.with_context(|| format!("cannot read {} {}", self.kind, self.name))?;
        Ok(found.map(serde_json::to_value).transpose()?)
    }
}

/// A look at one object that lasts.
pub(super) struct Sight {
    seen: mpsc::UnboundedReceiver<(Instant, Option<Value>)>,
    task: JoinHandle<()>,
    /// The object as it was when the look began.
    pub(super) before: Option<Value>,
}

impl Sight {
    /// Begins to look.
    pub(super) async fn of(target: &Target, client: &Client) -> anyhow::Result<Self> {
        let api = target.api(client);
        let field = format!("metadata.name={}", target.name);
        let list = api.list(&ListParams::default().fields(&field)).await?;
        let before = list.items.into_iter().next().map(serde_json::to_value).transpose()?;
        let version = list.metadata.resource_version.unwrap_or_default();
        let mut events = api.watch(&WatchParams::default().fields(&field), &version).await?.boxed();
        let (tell, seen) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok(Some(event)) = events.try_next().await {
                let object = match event {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => serde_json::to_value(object).ok(),
                    WatchEvent::Deleted(_) => None,
                    WatchEvent::Bookmark(_) => continue,
                    WatchEvent::Error(_) => return,
                };
                if tell.send((Instant::now(), object)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { seen, task, before })
    }

    /// The moment of the next change after which the object is so; `None` where there is none in
    /// time.
    pub(super) async fn next(&mut self, within: Duration, is_so: impl Fn(Option<&Value>) -> bool) -> Option<Instant> {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let (at, object) = tokio::time::timeout_at(deadline, self.seen.recv()).await.ok()??;
            if is_so(object.as_ref()) {
                return Some(at);
            }
        }
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Annotation in which the Deployment controller counts.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// What people and Git say of an object: all but its kind, its status and what the API server and
/// the controllers keep in its metadata.
pub(super) fn content(object: &Value) -> Value {
    let mut content = object.clone();
    let metadata = &object["metadata"];
    if let Some(fields) = content.as_object_mut() {
        // The items of a list do not say what kind they are.
        for field in ["apiVersion", "kind", "status"] {
            fields.remove(field);
        }
        let mut annotations = metadata["annotations"].clone();
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.remove(REVISION);
        }
        let annotations = Some(annotations).filter(|a| a.as_object().is_some_and(|a| !a.is_empty()));
        fields.insert("metadata".to_owned(), json!({ "labels": metadata["labels"], "annotations": annotations }));
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_what_people_say() {
        let object = |revision: &str, label: &str| {
            json!({
                "kind": "Deployment", "spec": {"replicas": 2}, "status": {"observed": revision},
                "metadata": {"generation": revision, "labels": {"app": label}, "annotations": {REVISION: revision}},
            })
        };
        assert_eq!(content(&object("1", "web")), content(&object("2", "web")));
        assert_ne!(content(&object("1", "web")), content(&object("1", "other")));
        let bare = json!({"spec": {"replicas": 2}, "metadata": {"labels": {"app": "web"}}});
        assert_eq!(content(&object("1", "web")), content(&bare));
    }
}
