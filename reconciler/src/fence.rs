//! The fence (`deploy/fence.yaml`): admission policies that guard what no webhook is asked about.
//! Nothing in the cluster guards the policies themselves, so they are watched, told of, and, where
//! that is asked for, put back. With them it is watched what else gitward's sight rests on: the
//! webhook's registration, and that the API server itself answers for what Git declares.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gitward_core::lookup::Lookup;
use gitward_core::manifest::{self, Limits};
use gitward_core::object::{self, Gvk, ObjectKey};
use gitward_index::{Event, EventKind, next_about, registration};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::api::{ApiError, Effect};
use crate::fight::Memory;
use crate::hidden::{self, Hidden};
use crate::report::Reason;
use crate::state::State;
use crate::status::Status;

const GROUP: &str = "admissionregistration.k8s.io";

/// The fence as it is shipped.
const SHIPPED: &str = include_str!("../../deploy/fence.yaml");

/// Condition of the Environment that says which guards hold.
const CONDITION: &str = "Guarded";

/// How often all of it is looked at, whatever the watches said.
const INTERVAL: Duration = Duration::from_secs(60);

/// One object of the fence.
struct Part {
    key: ObjectKey,
    gvk: Gvk,
    /// As shipped, with the API server's defaults.
    object: Value,
}

static PARTS: LazyLock<Vec<Part>> = LazyLock::new(|| {
    let (manifests, _) = manifest::read(&Arc::from("deploy/fence.yaml"), SHIPPED.as_bytes(), &Limits::default());
    let part = |m: manifest::Manifest| Part { key: m.key, gvk: m.gvk, object: with_defaults(m.value.as_ref().clone()) };
    manifests.into_iter().map(part).collect()
});

/// What the API server adds to a policy. Source: `SetDefaults_*` of
/// pkg/apis/admissionregistration/v1/defaults.go.
fn with_defaults(mut object: Value) -> Value {
    if let Some(constraints) = object.pointer_mut("/spec/matchConstraints").and_then(Value::as_object_mut) {
        constraints.entry("matchPolicy").or_insert_with(|| json!("Equivalent"));
        constraints.entry("namespaceSelector").or_insert_with(|| json!({}));
        constraints.entry("objectSelector").or_insert_with(|| json!({}));
    }
    object
}

/// How one guard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Holds,
    Missing,
    Changed,
}

fn standing(part: &Part, live: Option<&Value>) -> Standing {
    match live {
        None => Standing::Missing,
        Some(live) if live.get("spec") == part.object.get("spec") => Standing::Holds,
        Some(_) => Standing::Changed,
    }
}

/// Watches the fence and the webhook's registration, and says in the Environment which of them hold.
/// With `keep`, the fence is put up and put back as it was shipped.
pub(crate) async fn watch(state: Arc<State>, status: Arc<Status>, keep: bool) {
    state.index.wait_synced().await;
    let mut events = state.index.subscribe();
    let (mut told, memory) = (None, Memory::default());
    loop {
        let sound = look(&state, status.environment(), keep, &memory).await;
        if told.as_ref() != Some(&sound) {
            let (holds, reason) = if sound.holds { ("True", "AllHold") } else { ("False", "NotAllHold") };
            status.set_condition(CONDITION, holds, reason, &sound.message).await;
            told = Some(sound);
        }
        if timeout(INTERVAL, next_about(&mut events, is_guard)).await == Ok(false) {
            return;
        }
    }
}

fn is_guard(key: &ObjectKey) -> bool {
    let registers = key.group == GROUP && key.kind == "ValidatingWebhookConfiguration";
    registers || hidden::may_hide(key) || PARTS.iter().any(|p| p.key == *key)
}

/// What is said in the Environment.
#[derive(PartialEq, Eq)]
struct Sound {
    holds: bool,
    message: String,
}

async fn look(state: &State, environment: &str, keep: bool, memory: &Memory) -> Sound {
    let (mut holding, mut lacking) = (Vec::new(), Vec::new());
    for part in PARTS.iter() {
        let before = standing(part, state.index.get(&part.key).as_deref());
        let after = if before != Standing::Holds && keep { put_back(state, part, before).await } else { before };
        let name = format!("{}/{}", part.gvk.kind, part.key.name);
        state.reporter.metrics.guard(&name, after == Standing::Holds);
        match after {
            Standing::Holds => holding.push(name),
            Standing::Missing => lacking.push(format!("{name} is not there")),
            Standing::Changed => lacking.push(format!("{name} is not as shipped")),
        }
    }
    let registration = registration::key(environment);
    let name = format!("{}/{}", registration.kind, registration.name);
    let live = state.index.get(&registration);
    let is_sound = live.as_deref().is_some_and(registration::is_as_written);
    state.reporter.metrics.guard(&name, is_sound);
    match live {
        None => lacking.push(format!("{name} is not there")),
        Some(_) if is_sound => holding.push(name),
        Some(_) => lacking.push(format!("{name} is not what gitward's webhook wrote")),
    }
    for Hidden { key, uid, message } in hidden::by_others(state) {
        if memory.is_news(&key, uid.clone()) {
            state.reporter.about(&key, "apiregistration.k8s.io/v1", &uid, Reason::Diverged, message.clone());
        }
        lacking.push(message);
    }
    let held = if holding.is_empty() { "none".to_owned() } else { holding.join(", ") };
    if lacking.is_empty() {
        return Sound { holds: true, message: format!("all guards hold: {held}") };
    }
    let message = format!("guards that do not hold: {}; guards that hold: {held}", lacking.join(", "));
    Sound { holds: false, message }
}

/// Puts one object of the fence back; how it stands then.
async fn put_back(state: &State, part: &Part, before: Standing) -> Standing {
    match try_to_put_back(state, part).await {
        Ok(None) => Standing::Holds,
        Ok(Some(uid)) => {
            let what = if before == Standing::Missing { "was not there" } else { "was not as shipped" };
            let message = format!("the fence's {} {what}; it is as in deploy/fence.yaml again", part.key.name);
            state.reporter.about(&part.key, &part.gvk.api_version(), &uid, Reason::Reverted, message);
            Standing::Holds
        }
        Err(error) => {
            tracing::warn!(object = %part.key, %error, "the fence could not be put back yet");
            before
        }
    }
}

/// The uid of what had to be written, if anything.
async fn try_to_put_back(state: &State, part: &Part) -> Result<Option<String>, ApiError> {
    let live = state.api.get(&part.gvk, &part.key).await?;
    if standing(part, live.as_ref()) == Standing::Holds {
        return Ok(None);
    }
    let message = format!("the fence's {} is not as in deploy/fence.yaml", part.key.name);
    let uid = live.as_ref().map(|l| object::uid(l).to_owned()).unwrap_or_default();
    state.reporter.about(&part.key, &part.gvk.api_version(), &uid, Reason::Diverged, message);
    let written = match live {
        None => state.api.create(&part.gvk, &part.key, &part.object, Effect::Stored).await?,
        Some(live) => {
            let mut body = part.object.clone();
            for field in ["resourceVersion", "uid"] {
                body["metadata"][field] = live["metadata"][field].clone();
            }
            state.api.replace(&part.gvk, &part.key, &body, Effect::Stored).await?
        }
    };
    // The watch has yet to tell of it.
    state.index.tell_again(Event { key: part.key.clone(), kind: EventKind::Applied, last: None });
    Ok(Some(object::uid(&written).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_fence_is_policies_with_their_bindings() {
        let kinds = |kind: &str| PARTS.iter().filter(|p| p.gvk.kind == kind).count();
        assert_eq!(
            (PARTS.len(), kinds("ValidatingAdmissionPolicy"), kinds("ValidatingAdmissionPolicyBinding")),
            (10, 5, 5)
        );
    }

    #[test]
    fn whatever_loosens_a_policy_is_a_change() {
        let part = &PARTS[0];
        assert_eq!(standing(part, Some(&part.object)), Standing::Holds);
        assert_eq!(standing(part, None), Standing::Missing);
        for (pointer, value) in [
            ("/spec/failurePolicy", json!("Ignore")),
            ("/spec/matchConstraints/excludeResourceRules", json!([{"resources": ["*"]}])),
            ("/spec/matchConditions/0/expression", json!("false")),
            ("/spec/validations", json!([])),
        ] {
            let mut live = part.object.clone();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            live.pointer_mut(parent).unwrap()[field] = value;
            assert_eq!(standing(part, Some(&live)), Standing::Changed, "{pointer}");
        }
        let binding = PARTS.iter().find(|p| p.gvk.kind.ends_with("Binding")).unwrap();
        let mut narrowed = binding.object.clone();
        narrowed["spec"]["matchResources"] = json!({"namespaceSelector": {"matchLabels": {"a": "b"}}});
        assert_eq!(standing(binding, Some(&narrowed)), Standing::Changed);
    }
}
