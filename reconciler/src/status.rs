//! What the Environment says of itself: its status, written by one at a time, and written again where
//! it could not be, or where somebody else wrote something else.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use gitward_core::object::{Gvk, ObjectKey};
use gitward_core::report::harmless;
use gitward_index::environment::DeclarationUse;
use gitward_index::pauses::Pauses;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, Notify};
use tokio::time::{sleep, timeout};

use crate::api::{Api, ApiError};

/// Longest message of a condition, in characters.
const LONGEST: usize = 2000;

/// How often it is looked whether the status is what was said.
const LOOK: Duration = Duration::from_secs(10);

/// The status of one Environment.
pub(crate) struct Status {
    api: Api,
    environment: String,
    said: Mutex<Said>,
    /// Something could not be written.
    unwritten: Notify,
}

/// All that was said since the start.
#[derive(Default)]
struct Said {
    fields: Map<String, Value>,
    /// By type.
    conditions: BTreeMap<String, Value>,
}

impl Status {
    /// The status of the Environment of that name, and the task that keeps it. Must be called within a
    /// tokio runtime.
    pub(crate) fn start(api: Api, environment: &str) -> Arc<Self> {
        let environment = environment.to_owned();
        let status = Arc::new(Self { api, environment, said: Mutex::default(), unwritten: Notify::new() });
        tokio::spawn(keep(Arc::downgrade(&status)));
        status
    }

    /// Its name.
    pub(crate) fn environment(&self) -> &str {
        &self.environment
    }

    /// What was written of the uses of exemptions; `None` if it cannot be read now.
    pub(crate) async fn uses(&self) -> Option<Vec<DeclarationUse>> {
        let (gvk, key) = environment(&self.environment);
        let live = self.api.get(&gvk, &key).await.ok()??;
        let uses = live.pointer("/status/uses").cloned().unwrap_or_else(|| json!([]));
        Some(serde_json::from_value(uses).unwrap_or_default())
    }

    /// Says something in fields of the status.
    pub(crate) async fn set<const N: usize>(&self, fields: [(&str, Value); N]) {
        let mut said = self.said.lock().await;
        said.fields.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        self.write_or_later(&said).await;
    }

    /// Sets one condition to `True`, `False` or `Unknown`, keeping the others and, if its status is the same, its time.
    pub(crate) async fn set_condition(&self, kind: &str, status: &str, reason: &str, message: &str) {
        let message: String = harmless(message).chars().take(LONGEST).collect();
        let condition = json!({"type": kind, "status": status, "reason": reason, "message": message});
        let mut said = self.said.lock().await;
        said.conditions.insert(kind.to_owned(), condition);
        self.write_or_later(&said).await;
    }

    async fn write_or_later(&self, said: &Said) {
        if let Err(error) = self.write(said).await {
            tracing::warn!(%error, "the Environment's status could not be written; it is tried again");
            self.unwritten.notify_one();
        }
    }

    /// Writes what the status lacks of what was said; whether that was anything.
    async fn write(&self, said: &Said) -> Result<bool, ApiError> {
        let (gvk, key) = environment(&self.environment);
        let Some(live) = self.api.get(&gvk, &key).await? else { return Ok(false) };
        let lacking = said.lacking(&live, Timestamp::now());
        if lacking.is_empty() {
            return Ok(false);
        }
        self.api.patch_status(&gvk, &key, &json!({"status": lacking})).await?;
        Ok(true)
    }

    /// The same of all that was said before. That the status was another is somebody else's doing.
    async fn write_again(&self, is_late: bool) -> Result<(), ApiError> {
        let said = self.said.lock().await;
        if self.write(&said).await? && !is_late {
            tracing::warn!("somebody else changed the Environment's status; what was said of it is written again");
        }
        Ok(())
    }
}

async fn keep(status: Weak<Status>) {
    let (mut pauses, mut is_late) = (Pauses::default(), false);
    while let Some(status) = status.upgrade() {
        if is_late {
            sleep(pauses.next().unwrap_or(LOOK)).await;
        } else {
            is_late = timeout(LOOK, status.unwritten.notified()).await.is_ok();
        }
        match status.write_again(is_late).await {
            Ok(()) => is_late = false,
            Err(error) => tracing::debug!(%error, "the Environment's status cannot be kept now"),
        }
    }
}

impl Said {
    /// The fields of a status that are not as was said, as they are to be.
    fn lacking(&self, live: &Value, now: Timestamp) -> Map<String, Value> {
        let status = &live["status"];
        let mut lacking = self.fields.clone();
        lacking.retain(|field, value| status.get(field) != Some(value));
        let there = status["conditions"].as_array().map_or(&[][..], Vec::as_slice);
        let ours = self.conditions.values().map(|said| whole(said, there, &live["metadata"]["generation"], now));
        let others = there.iter().filter(|c| c["type"].as_str().is_none_or(|t| !self.conditions.contains_key(t)));
        let all: Vec<Value> = others.cloned().chain(ours).collect();
        if !self.conditions.is_empty() && all != there {
            lacking.insert("conditions".to_owned(), Value::Array(all));
        }
        lacking
    }
}

/// A condition as it is to stand among those that are there: as it is if it says the same already, and
/// with its time if only reason or message are new.
fn whole(said: &Value, there: &[Value], generation: &Value, now: Timestamp) -> Value {
    let before = there.iter().find(|c| c["type"] == said["type"]);
    let since = before.filter(|c| c["status"] == said["status"]).map(|c| c["lastTransitionTime"].clone());
    let mut whole = said.clone();
    whole["lastTransitionTime"] = since.unwrap_or_else(|| json!(now.to_string()));
    whole["observedGeneration"] = generation.clone();
    whole
}

/// Kind and key of an Environment.
pub(crate) fn environment(name: &str) -> (Gvk, ObjectKey) {
    let gvk = Gvk::new("gitward.dev/v1alpha1", "Environment");
    let key = ObjectKey::new(&gvk.group, &gvk.kind, "", name);
    (gvk, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        let fields = json!({"commit": "new", "objects": 3}).as_object().cloned().unwrap_or_default();
        let condition = json!({"type": "Ready", "status": "True", "reason": "Ready", "message": "all is"});
        Said { fields, conditions: BTreeMap::from([("Ready".to_owned(), condition)]) }
    }

    fn after(live: &Value) -> Value {
        let mut live = live.clone();
        let lacking = said().lacking(&live, "2026-01-02T00:00:00Z".parse().unwrap());
        for (field, value) in lacking {
            live["status"][field] = value;
        }
        live
    }

    #[test]
    fn what_was_said_is_written_until_it_stands_there() {
        let live = json!({"metadata": {"generation": 1}, "status": {"commit": "old", "adoptedAt": "then"}});
        let written = after(&live);
        assert_eq!(written["status"]["commit"], "new");
        assert_eq!(written["status"]["adoptedAt"], "then");
        assert_eq!(written["status"]["conditions"][0]["lastTransitionTime"], "2026-01-02T00:00:00Z");
        assert!(said().lacking(&written, Timestamp::UNIX_EPOCH).is_empty(), "nothing is written twice");
    }

    #[test]
    fn what_others_made_of_it_is_put_back_and_what_others_say_besides_stays() {
        let mut live = after(&json!({"metadata": {"generation": 1}, "status": {}}));
        let mine = json!({"type": "Mine", "status": "True"});
        live["status"]["commit"] = json!("forged");
        live["status"]["conditions"][0]["message"] = json!("all is well, believe me");
        live["status"]["conditions"].as_array_mut().unwrap().insert(0, mine.clone());
        let written = after(&live);
        assert_eq!(written["status"]["commit"], "new");
        assert_eq!(written["status"]["conditions"][0], mine);
        assert_eq!(written["status"]["conditions"][1]["message"], "all is");
        assert_eq!(written["status"]["conditions"][1]["lastTransitionTime"], "2026-01-02T00:00:00Z");
    }
}
