//! Objects of no sensible shape are refused, and nothing worse.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::{CONTROLLER_MANAGER, World, object, owner, with};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9-]{0,6}".prop_map(Value::from),
    ];
    let names = prop_oneof![
        Just("template"),
        Just("metadata"),
        Just("spec"),
        Just("labels"),
        Just("containers"),
        Just("name"),
        Just("replicas"),
        Just("subsets"),
        Just("endpoints"),
        Just("ports"),
        Just("resources"),
        Just("limits"),
        Just("tolerations"),
        Just("volumes"),
        Just("affinity"),
        Just("selector"),
        Just("matchLabels"),
        Just("jobTemplate"),
        Just("schedule"),
        Just("ordinals"),
        Just("start"),
        Just("serviceAccountName"),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_panics(own in value(), parents in value(), status in value()) {
        let kinds = [
            ("apps/v1", "ReplicaSet", "apps/v1", "Deployment"),
            ("apps/v1", "ControllerRevision", "apps/v1", "StatefulSet"),
            ("v1", "Pod", "apps/v1", "ReplicaSet"),
            ("v1", "Pod", "apps/v1", "DaemonSet"),
            ("v1", "Pod", "batch/v1", "Job"),
            ("v1", "Pod", "apps/v1", "StatefulSet"),
            ("batch/v1", "Job", "batch/v1", "CronJob"),
            ("discovery.k8s.io/v1", "EndpointSlice", "v1", "Service"),
            ("v1", "Endpoints", "v1", "Service"),
            ("v1", "PersistentVolumeClaim", "v1", "Pod"),
            ("resource.k8s.io/v1", "ResourceClaim", "v1", "Pod"),
            ("v1", "Node", "v1", "Node"),
            ("v1", "Secret", "v1", "Secret"),
        ];
        for (api_version, kind, parent_version, parent_kind) in kinds {
            let parent = object(parent_version, parent_kind, "p", json!({"spec": parents, "status": status}));
            let labels = json!({"pod-template-hash": "b", "controller-revision-hash": "p-b"});
            let child = object(api_version, kind, "p-b", json!({"spec": own, "status": status, "data": own,
                "metadata": {"labels": labels, "ownerReferences": owner(&parent), "annotations": own}}));
            let mut world = World::new();
            world.declare(parent);
            world.put(child.clone());
            let changed = with(&child, json!({"spec": parents, "metadata": {"labels": parents}}));
            let _ = world.create(CONTROLLER_MANAGER, &child);
            let _ = world.update(CONTROLLER_MANAGER, &child, &changed);
            let _ = world.status(CONTROLLER_MANAGER, &child, &changed);
            let _ = world.changes(CONTROLLER_MANAGER, &child, &changed);
            let _ = world.delete(CONTROLLER_MANAGER, &child);
            let _ = world.there(&child);
        }
    }
}
