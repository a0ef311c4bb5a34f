//! Publishing what was learnt, so that every replica of the webhook judges alike: one ConfigMap a
//! shard, in gitward's own namespace, which only the leader may write.

use std::collections::BTreeMap;
use std::sync::Mutex;

use gitward_core::additions::{Additions, SHARDS};
use gitward_index::additions::{COMMIT, KEY, LABEL, NAMESPACE, config_map_name, shard_of_name};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::RwLock;

use crate::api::FIELD_MANAGER;

/// The published shards of one environment.
pub struct Channel {
    api: Api<ConfigMap>,
    environment: String,
    published: Mutex<BTreeMap<u8, (String, String)>>,
    /// Shared while shards are published, held alone while one is compared with what was.
    turn: RwLock<()>,
}

impl Channel {
    /// The channel of an environment.
    pub fn new(client: Client, environment: &str) -> Self {
        let api = Api::namespaced(client, NAMESPACE);
        Self { api, environment: environment.to_owned(), published: Mutex::default(), turn: RwLock::default() }
    }

    /// Where shards are.
    pub fn api(&self) -> &Api<ConfigMap> {
        &self.api
    }

    /// Selects the shards of the environment.
    pub fn label(&self) -> String {
        format!("{LABEL}={}", self.environment)
    }

    /// Publishes the shards that changed since they were last published, for a commit.
    ///
    /// # Errors
    /// The API server refused or could not be asked; what was not published is tried again with
    /// the next call.
    pub async fn publish(&self, shards: Vec<(u8, String)>, commit: &str) -> Result<(), kube::Error> {
        let dirty: Vec<_> = {
            let published = self.published.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let is_new = |shard: &u8, json: &String| published.get(shard).is_none_or(|(j, c)| j != json || c != commit);
            shards.into_iter().filter(|(shard, json)| is_new(shard, json)).collect()
        };
        let _turn = self.turn.read().await;
        let writes = dirty.into_iter().map(|(shard, json)| self.publish_shard(shard, json, commit));
        futures::future::try_join_all(writes).await.map(|_| ())
    }

    async fn publish_shard(&self, shard: u8, entries: String, commit: &str) -> Result<(), kube::Error> {
        let name = config_map_name(&self.environment, shard);
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {LABEL: self.environment}, "annotations": {COMMIT: commit}},
            "data": {KEY: entries},
        });
        let (ours, map) = (PatchParams::apply(FIELD_MANAGER).force(), Patch::Apply(&map));
        let apply = || self.api.patch(&name, &ours, &map);
        match apply().await {
            // Nothing that is published is refused, unless somebody made the ConfigMap immutable.
            Err(kube::Error::Api(status)) if status.code == 422 => {
                self.api.delete(&name, &DeleteParams::default()).await?;
                apply().await?
            }
            applied => applied?,
        };
        let mut published = self.published.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        published.insert(shard, (entries, commit.to_owned()));
        Ok(())
    }
}

impl Channel {
    /// Publishes a shard again if it is not as it was published last; whether it was not.
    ///
    /// # Errors
    /// See [`publish`](Self::publish).
    pub async fn put_back(&self, name: &str) -> Result<bool, kube::Error> {
        let _turn = self.turn.write().await;
        let Some(shard) = shard_of_name(&self.environment, name) else { return Ok(false) };
        let published = self.published.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&shard).cloned();
        let Some((entries, commit)) = published else { return Ok(false) };
        let live = self.api.get_opt(name).await?;
        match live {
            Some(live) if live.immutable == Some(true) => {
                self.api.delete(name, &DeleteParams::default()).await?;
            }
            Some(live) if self.is_published(&live, &entries, &commit) => return Ok(false),
            _ => {}
        }
        self.publish_shard(shard, entries, &commit).await?;
        Ok(true)
    }

    /// Whether a ConfigMap says what was published, to those that read it.
    fn is_published(&self, live: &ConfigMap, entries: &str, commit: &str) -> bool {
        let is = |map: Option<&BTreeMap<String, String>>, key: &str, value: &str| {
            map.and_then(|m| m.get(key)).is_some_and(|v| v == value)
        };
        let metadata = &live.metadata;
        is(live.data.as_ref(), KEY, entries)
            && is(metadata.annotations.as_ref(), COMMIT, commit)
            && is(metadata.labels.as_ref(), LABEL, &self.environment)
    }
}

/// All shards as they are now.
pub fn shards(additions: &Additions) -> Vec<(u8, String)> {
    (0..SHARDS).map(|shard| (shard, additions.shard(shard))).collect()
}
