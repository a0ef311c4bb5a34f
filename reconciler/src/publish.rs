//! Publishing what was learnt, so that every replica of the webhook judges alike: one ConfigMap a
//! shard, in gitward's own namespace, which only the leader may write.

use std::collections::BTreeMap;
use std::sync::Mutex;

use gitward_core::additions::{Additions, SHARDS};
use gitward_index::additions::{COMMIT, KEY, LABEL, NAMESPACE, config_map_name};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

use crate::api::FIELD_MANAGER;

/// The published shards of one environment.
pub struct Channel {
    api: Api<ConfigMap>,
    environment: String,
    published: Mutex<BTreeMap<u8, (String, String)>>,
}

impl Channel {
    /// The channel of an environment.
    pub fn new(client: Client, environment: &str) -> Self {
        let api = Api::namespaced(client, NAMESPACE);
        Self { api, environment: environment.to_owned(), published: Mutex::default() }
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
        self.api.patch(&name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(&map)).await?;
        let mut published = self.published.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        published.insert(shard, (entries, commit.to_owned()));
        Ok(())
    }
}

/// All shards as they are now.
pub fn shards(additions: &Additions) -> Vec<(u8, String)> {
    (0..SHARDS).map(|shard| (shard, additions.shard(shard))).collect()
}
