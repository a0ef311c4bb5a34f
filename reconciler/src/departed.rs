//! Pods and Services that went: for a while endpoints may still name them, and no longer.

use std::sync::Arc;
use std::time::Duration;

use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use gitward_index::{Event, EventKind, GONE_FOR};
use serde_json::Value;
use tokio::time::sleep;

use crate::guard::Poke;
use crate::state::State;

/// What is known of an object that went is forgotten; only then is it looked again.
const AFTER: Duration = GONE_FOR.saturating_add(Duration::from_secs(1));

const SERVICE_NAME: &str = "kubernetes.io/service-name";

const ENDPOINTS: [(&str, &str); 2] = [("discovery.k8s.io", "EndpointSlice"), ("", "Endpoints")];

/// Endpoints in a namespace are looked at again when a Pod or Service that went there is forgotten:
/// no event will tell that what they say is true no longer.
pub(crate) fn look_again_later(state: &Arc<State>, event: &Event, poke: &Poke) {
    let key = &event.key;
    let is_named = key.group.is_empty() && matches!(key.kind.as_str(), "Pod" | "Service");
    if event.kind != EventKind::Deleted || !is_named {
        return;
    }
    let (state, poke, namespace, name) = (state.clone(), poke.clone(), key.namespace.clone(), key.name.clone());
    tokio::spawn(async move {
        sleep(AFTER).await;
        let all = ENDPOINTS.iter().flat_map(|(group, kind)| {
            let listed = state.index.list(group, kind, &namespace);
            listed.into_iter().map(|object| (ObjectKey::new(group, kind, &namespace, object::name(&object)), object))
        });
        let keys: Vec<ObjectKey> = all.filter(|(_, object)| names(object, &name)).map(|(key, _)| key).collect();
        if !keys.is_empty() {
            poke.at(keys);
        }
    });
}

/// Whether an EndpointSlice or Endpoints name a Pod or Service so.
fn names(object: &Value, name: &str) -> bool {
    let list = |value: &Value, field: &str| value.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let subsets = list(object, "subsets");
    let addresses = subsets.iter().flat_map(|s| [list(s, "addresses"), list(s, "notReadyAddresses")].concat());
    let mut targets = list(object, "endpoints").into_iter().chain(addresses);
    object::name(object) == name
        || object::label(object, SERVICE_NAME) == Some(name)
        || targets.any(|t| t.pointer("/targetRef/name").and_then(Value::as_str) == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn endpoints_name_pods_and_their_service() {
        let target = json!({"targetRef": {"kind": "Pod", "name": "web-1"}});
        let slice = json!({"metadata": {"name": "web-abc", "labels": {SERVICE_NAME: "web"}}, "endpoints": [target]});
        let endpoints = json!({"metadata": {"name": "web"}, "subsets": [{"notReadyAddresses": [target]}]});
        for object in [slice, endpoints] {
            assert!(names(&object, "web") && names(&object, "web-1") && !names(&object, "web-2"));
        }
    }
}
