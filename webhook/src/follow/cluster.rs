//! What the cluster tells the follower: the Environment, and the additions that the leader
//! publishes.

use futures::StreamExt;
use gitward_index::additions::{COMMIT, LABEL, NAMESPACE, entries, shard_of_name};
use gitward_index::environment::{self, Environment};
use gitward_index::pauses::Pauses;
use gitward_index::trouble::{Told, Trouble, explain};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event};
use kube::{Api, Client, ResourceExt};
use tokio::sync::mpsc;

use super::News;

/// Passes on the Environment of that name and its published additions, for ever.
///
/// What is deleted is not passed on: the last that was known goes on counting.
pub async fn watch_cluster(client: Client, environment: String, news: mpsc::Sender<News>, trouble: Trouble) {
    tokio::join!(
        watch_environment(client.clone(), &environment, news.clone(), &trouble),
        watch_additions(client, &environment, news, &trouble)
    );
}

async fn watch_environment(client: Client, name: &str, news: mpsc::Sender<News>, trouble: &Trouble) {
    let config = Config::default().fields(&format!("metadata.name={name}"));
    let mut stream = watcher::watcher(Api::<Environment>::all(client), config).backoff(Pauses::default()).boxed();
    let told = Told::default();
    let mut is_there = false;
    while let Some(event) = stream.next().await {
        let found = match event {
            Ok(Event::Init) => {
                is_there = false;
                continue;
            }
            Ok(Event::InitDone) => {
                trouble.over();
                if is_there {
                    told.is_over();
                } else if told.is_news(&environment::missing(name)) {
                    tracing::warn!("waiting for the Environment: {}", environment::missing(name));
                }
                continue;
            }
            Ok(Event::Delete(_)) => {
                tracing::warn!("the Environment was deleted; the last that was known goes on counting");
                continue;
            }
            Ok(Event::InitApply(found) | Event::Apply(found)) => found,
            Err(error) => {
                tell("waiting for the Environment", &error, trouble, &told);
                continue;
            }
        };
        is_there = true;
        if news.send(News::Environment(found.spec)).await.is_err() {
            return;
        }
    }
}

async fn watch_additions(client: Client, environment: &str, news: mpsc::Sender<News>, trouble: &Trouble) {
    let config = Config::default().labels(&format!("{LABEL}={environment}"));
    let stream = watcher::watcher(Api::<ConfigMap>::namespaced(client, NAMESPACE), config).backoff(Pauses::default());
    let mut stream = stream.applied_objects().boxed();
    let told = Told::default();
    while let Some(event) = stream.next().await {
        match event {
            Ok(found) => {
                told.is_over();
                let Some(news_of) = shard_in(environment, &found) else { continue };
                if news.send(news_of).await.is_err() {
                    return;
                }
            }
            Err(error) => tell("cannot watch the published additions", &error, trouble, &told),
        }
    }
}

/// Tells an error of a watch once, and what all watches share once for all of them.
fn tell(what: &str, error: &watcher::Error, trouble: &Trouble, told: &Told) {
    let line = match error {
        watcher::Error::InitialListFailed(e) | watcher::Error::WatchStartFailed(e) | watcher::Error::WatchFailed(e) => {
            if trouble.tell(e) {
                return;
            }
            if environment::is_unknown_kind(e) { environment::NOT_INSTALLED.to_owned() } else { explain(e) }
        }
        // It lists anew, as a watch does from time to time.
        other => return tracing::debug!(error = %other, "{what}"),
    };
    if told.is_news(&line) {
        tracing::warn!("{what}: {line}");
    }
}

fn shard_in(environment: &str, found: &ConfigMap) -> Option<News> {
    let shard = shard_of_name(environment, &found.name_any())?;
    let value = serde_json::json!({"data": found.data});
    let entries = entries(&value)?.to_owned();
    Some(News::Shard { shard, entries, commit: found.annotations().get(COMMIT).cloned() })
}
