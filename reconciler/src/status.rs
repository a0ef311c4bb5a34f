//! What the Environment says of itself: its status, written by one at a time.

use gitward_core::object::{Gvk, ObjectKey};
use gitward_core::report::harmless;
use gitward_index::environment::DeclarationUse;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::api::Api;

/// Longest message of a condition, in characters.
const LONGEST: usize = 2000;

/// The status of one Environment.
pub(crate) struct Status {
    api: Api,
    environment: String,
    /// Conditions are read, changed and written whole.
    turn: Mutex<()>,
}

impl Status {
    /// The status of the Environment of that name.
    pub(crate) fn new(api: Api, environment: &str) -> Self {
        Self { api, environment: environment.to_owned(), turn: Mutex::default() }
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

    /// Writes fields of the status. What cannot be written is logged.
    pub(crate) async fn set(&self, status: &Value) {
        let _turn = self.turn.lock().await;
        self.patch(status).await;
    }

    /// Sets one condition to `True`, `False` or `Unknown`, keeping the others and, if its status is the same, its time.
    pub(crate) async fn set_condition(&self, kind: &str, status: &str, reason: &str, message: &str) {
        let _turn = self.turn.lock().await;
        let (gvk, key) = environment(&self.environment);
        let Ok(Some(live)) = self.api.get(&gvk, &key).await else { return };
        let mut conditions = live.pointer("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default();
        let before = conditions.iter().find(|c| c["type"] == kind && c["status"] == status);
        let since = before.map_or_else(|| json!(Timestamp::now().to_string()), |c| c["lastTransitionTime"].clone());
        let message: String = harmless(message).chars().take(LONGEST).collect();
        conditions.retain(|c| c["type"] != kind);
        conditions.push(json!({
            "type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since,
            "observedGeneration": live.pointer("/metadata/generation"),
        }));
        self.patch(&json!({"conditions": conditions})).await;
    }

    async fn patch(&self, status: &Value) {
        let (gvk, key) = environment(&self.environment);
        if let Err(error) = self.api.patch_status(&gvk, &key, &json!({"status": status})).await {
            tracing::warn!(%error, "the Environment's status could not be written");
        }
    }
}

/// Kind and key of an Environment.
pub(crate) fn environment(name: &str) -> (Gvk, ObjectKey) {
    let gvk = Gvk::new("gitward.dev/v1alpha1", "Environment");
    let key = ObjectKey::new(&gvk.group, &gvk.kind, "", name);
    (gvk, key)
}
