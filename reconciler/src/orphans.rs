//! Orphans: objects without an owner that a controller would adopt as soon as its workload is made.
//! Whoever put them there while nobody looked would have them run under a declared name, and since
//! the gate denies the adoption, they would keep the workload from getting ready.

use std::time::Duration;

use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use gitward_core::snapshot::{Declared, Snapshot};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use crate::api::ApiError;
use crate::prune::served;
use crate::report::Reason;
use crate::state::State;

/// What controllers adopt by labels.
const ADOPTABLE: [(&str, &str); 3] = [("apps", "ReplicaSet"), ("apps", "ControllerRevision"), ("", "Pod")];

/// How long removed orphans may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Removes what the workload's controller would adopt, before the workload is made.
///
/// # Errors
/// The API server refused or could not be asked.
pub async fn remove(state: &State, snapshot: &Snapshot, workload: &Declared) -> Result<(), ApiError> {
    let found = adoptable_by(&state.index, snapshot, workload);
    let mut removed = Vec::new();
    for key in found {
        let Some(gvk) = served(state, &key).await else { continue };
        let Some(live) = state.api.get(&gvk, &key).await? else { continue };
        if object::controller_reference(&live).is_some() || object::is_terminating(&live) {
            continue;
        }
        let (uid, version) = (object::uid(&live), gvk.api_version());
        if !state.adoption().is_older_than(&key, &live) {
            let message = format!(
                "{key} was there before this environment took over and keeps {} from its own",
                workload.manifest.key
            );
            state.reporter.about(&key, &version, uid, Reason::LeftAlone, message);
            continue;
        }
        let message = format!("{key} has no owner and {} would adopt it; it is removed first", workload.manifest.key);
        state.reporter.about(&key, &version, uid, Reason::Diverged, message);
        state.api.delete(&gvk, &key, uid).await?;
        removed.push(key);
    }
    let deadline = Instant::now() + GONE_WITHIN;
    while removed.iter().any(|key| state.index.get(key).is_some()) && Instant::now() < deadline {
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn adoptable_by(live: &dyn Lookup, snapshot: &Snapshot, workload: &Declared) -> Vec<ObjectKey> {
    let key = &workload.manifest.key;
    if !matches!(
        (key.group.as_str(), key.kind.as_str()),
        ("apps", _) | ("batch", "Job") | ("", "ReplicationController")
    ) {
        return Vec::new();
    }
    let selector = workload.canonical.pointer("/spec/selector/matchLabels").or_else(|| {
        // A ReplicationController's selector is the labels themselves.
        workload.canonical.pointer("/spec/selector").filter(|_| key.group.is_empty())
    });
    let Some(selector) = selector.and_then(Value::as_object).filter(|s| !s.is_empty()) else { return Vec::new() };
    let mut found = Vec::new();
    for (group, kind) in ADOPTABLE {
        for object in live.list(group, kind, &key.namespace) {
            let orphan = ObjectKey::new(group, kind, &key.namespace, object::name(&object));
            let ownerless = object::controller_reference(&object).is_none();
            if ownerless && selects(selector, &object) && !snapshot.is_declared(&orphan) {
                found.push(orphan);
            }
        }
    }
    found
}

fn selects(selector: &Map<String, Value>, object: &Value) -> bool {
    selector.iter().all(|(name, value)| object::label(object, name) == value.as_str())
}
