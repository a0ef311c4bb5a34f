//! What the cluster tells the follower: the Environment, and the additions that the leader
//! publishes.

use futures::StreamExt;
use gitward_index::additions::{LABEL, NAMESPACE, entries, shard_of_name};
use gitward_index::environment::Environment;
use gitward_index::pauses::Pauses;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config};
use kube::{Api, Client, ResourceExt};
use tokio::sync::mpsc;

use super::News;

/// Passes on the Environment of that name and its published additions, for ever.
///
/// What is deleted is not passed on: the last that was known goes on counting.
pub async fn watch_cluster(client: Client, environment: String, news: mpsc::Sender<News>) {
    tokio::join!(
        watch_environment(client.clone(), &environment, news.clone()),
        watch_additions(client, &environment, news)
    );
}

async fn watch_environment(client: Client, name: &str, news: mpsc::Sender<News>) {
    let config = Config::default().fields(&format!("metadata.name={name}"));
    let stream = watcher::watcher(Api::<Environment>::all(client), config).backoff(Pauses::default());
    let mut stream = stream.applied_objects().boxed();
    while let Some(event) = stream.next().await {
        match event {
            Ok(found) => {
                if news.send(News::Environment(found.spec)).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, "cannot watch the Environment"),
        }
    }
}

async fn watch_additions(client: Client, environment: &str, news: mpsc::Sender<News>) {
    let config = Config::default().labels(&format!("{LABEL}={environment}"));
    let stream = watcher::watcher(Api::<ConfigMap>::namespaced(client, NAMESPACE), config).backoff(Pauses::default());
    let mut stream = stream.applied_objects().boxed();
    while let Some(event) = stream.next().await {
        match event {
            Ok(found) => {
                let Some(news_of) = shard_in(environment, &found) else { continue };
                if news.send(news_of).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, "cannot watch the published additions"),
        }
    }
}

fn shard_in(environment: &str, found: &ConfigMap) -> Option<News> {
    let shard = shard_of_name(environment, &found.name_any())?;
    let value = serde_json::json!({"data": found.data});
    Some(News::Shard(shard, entries(&value)?.to_owned()))
}
