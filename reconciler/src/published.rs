//! Keeping what was published: webhooks judge by it, so what others made of it is put back at once.

use std::sync::Arc;

use futures::StreamExt;
use gitward_core::object::ObjectKey;
use gitward_index::additions::NAMESPACE;
use gitward_index::pauses::Pauses;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::fight::Memory;
use crate::report::Reason;
use crate::state::State;

/// Puts back published shards that others changed or removed, as long as the process runs.
pub(crate) async fn keep(state: Arc<State>) {
    let config = Config::default().labels(&state.channel.label());
    let mut events = watcher(state.channel.api().clone(), config).backoff(Pauses::default()).boxed();
    let memory = Memory::default();
    while let Some(event) = events.next().await {
        // What cannot be watched now is tried again, and told by whatever else asks the API server.
        let (Ok(Event::Apply(map) | Event::InitApply(map)) | Ok(Event::Delete(map))) = event else { continue };
        let name = map.metadata.name.unwrap_or_default();
        match state.channel.put_back(&name).await {
            Ok(true) => tell(&state, &memory, &name, &map.metadata.uid.unwrap_or_default()).await,
            Ok(false) => {}
            Err(error) => tracing::warn!(%name, %error, "what was published could not be put back yet"),
        }
    }
}

/// Tells of it, and slows down where somebody does it again and again.
async fn tell(state: &State, memory: &Memory, name: &str, uid: &str) {
    let key = ObjectKey::new("", "ConfigMap", NAMESPACE, name);
    let message = format!("others changed what was learnt and published in {key}; it is put back");
    state.reporter.about(&key, "v1", uid, Reason::Reverted, message);
    if let Some(fight) = memory.fight(&key, &Value::Null, Instant::now()) {
        state.reporter.about(&key, "v1", uid, Reason::Fight, fight.message);
        sleep(fight.pause).await;
    }
}
