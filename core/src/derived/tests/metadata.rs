//! Metadata and status: what every kind has, and what every kind of attack goes through.

use serde_json::{Value, json};

use super::world::{API_SERVER, KUBELET, PERSON, SCHEDULER, World, object, owner, with};

fn deployment() -> Value {
    object("apps/v1", "Deployment", "web", json!({"spec": {"replicas": 2}, "status": {"replicas": 1}}))
}

fn status_of(object: &Value) -> Value {
    with(object, json!({"status": {"replicas": 2}}))
}

#[test]
fn a_status_is_written_by_its_own_controller() {
    let world = World::new();
    let cases = [
        ("@deployment-controller", true),
        ("system:kube-controller-manager", true),
        ("as:@deployment-controller", false),
        ("@replicaset-controller", false),
        (KUBELET, false),
        (PERSON, false),
    ];
    for (who, recognised) in cases {
        assert_eq!(world.status(who, &deployment(), &status_of(&deployment())).is_ok(), recognised, "{who}");
    }
    let ingress = object("networking.k8s.io/v1", "Ingress", "web", json!({}));
    let widget = object("example.com/v1", "Widget", "web", json!({}));
    for stranger in [ingress, widget] {
        assert!(world.status("@deployment-controller", &stranger, &status_of(&stranger)).is_err(), "{stranger}");
    }
}

#[test]
fn a_kubelet_writes_the_status_of_its_own_pods() {
    let world = World::new();
    let pod = |node: &str| object("v1", "Pod", "p", json!({"spec": {"nodeName": node}}));
    let write = |who: &str, node: &str| world.status(who, &pod(node), &status_of(&pod(node))).is_ok();
    assert!(write(KUBELET, "n1") && write("kwok", "n2") && write(SCHEDULER, "n1"));
    assert!(!write(KUBELET, "n2") && !write(PERSON, "n1"));
    let annotated = with(&status_of(&pod("n1")), json!({"metadata": {"annotations": {"x": "y"}}}));
    assert!(world.status(KUBELET, &pod("n1"), &annotated).is_err());
}

#[test]
fn a_status_carries_nothing_else() {
    let world = World::new();
    let nothing = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "none"}]);
    let forgeries = [
        json!({"spec": {"replicas": 9}}),
        json!({"metadata": {"labels": {"x": "y"}}}),
        json!({"metadata": {"annotations": {"x": "y"}}}),
        json!({"metadata": {"finalizers": ["x/y"]}}),
        json!({"metadata": {"finalizers": ["foregroundDeletion"]}}),
        json!({"metadata": {"ownerReferences": nothing}}),
    ];
    for forgery in forgeries {
        let forged = with(&status_of(&deployment()), forgery.clone());
        assert!(world.status("@deployment-controller", &deployment(), &forged).is_err(), "{forgery}");
    }
    // An owner that is not there would have the garbage collector delete the namespace.
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let orphaned = with(&namespace, json!({"metadata": {"ownerReferences": nothing}}));
    assert!(world.status("@namespace-controller", &namespace, &orphaned).is_err());
    let revised = with(
        &status_of(&deployment()),
        json!({"metadata": {"annotations": {
        "deployment.kubernetes.io/revision": "2"}}}),
    );
    assert!(world.status("@deployment-controller", &deployment(), &revised).is_ok());
}

#[test]
fn annotations_have_their_writers_values_and_ways() {
    let world = World::new();
    let annotate = |kind: &str, key: &str, value: &str| {
        let api_version = if kind == "PersistentVolumeClaim" { "v1" } else { "apps/v1" };
        let old = object(api_version, kind, "x", json!({}));
        let new = with(&old, json!({"metadata": {"annotations": {key: value}}}));
        (old, new)
    };
    let revision = "deployment.kubernetes.io/revision";
    let generation = "deprecated.daemonset.template.generation";
    let cases = [
        ("@deployment-controller", "Deployment", revision, "7", true),
        ("@deployment-controller", "Deployment", revision, "x", false),
        ("@deployment-controller", "StatefulSet", revision, "7", false),
        (PERSON, "Deployment", revision, "7", false),
        (PERSON, "DaemonSet", generation, "3", true),
        (PERSON, "DaemonSet", generation, "x", false),
        (SCHEDULER, "PersistentVolumeClaim", "volume.kubernetes.io/selected-node", "n1", true),
        (PERSON, "PersistentVolumeClaim", "volume.kubernetes.io/selected-node", "n1", false),
        ("@deployment-controller", "Deployment", "deprecated.deployment.rollback.to", "1", false),
        ("@deployment-controller", "Deployment", "x", "y", false),
    ];
    for (who, kind, key, value, recognised) in cases {
        let (old, new) = annotate(kind, key, value);
        assert_eq!(world.changes(who, &old, &new).is_ok(), recognised, "{who} {kind} {key}={value}");
    }
    let (old, new) = annotate("PersistentVolumeClaim", "volume.kubernetes.io/selected-node", "n1");
    assert!(world.status(SCHEDULER, &old, &new).is_err(), "not through the status");
}

#[test]
fn finalizers_come_from_a_closed_list_and_go_with_the_object() {
    let world = World::new();
    let volume = |finalizers: Value, dying: bool| {
        let timestamp = if dying { json!("2026-05-01T10:00:00Z") } else { Value::Null };
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "p", "uid": "u",
            "finalizers": finalizers, "deletionTimestamp": timestamp}})
    };
    let protection = "kubernetes.io/pv-protection";
    let collector = "@generic-garbage-collector";
    let controller = "@pv-protection-controller";
    let cases = [
        (controller, json!([]), json!([protection]), false, true),
        (PERSON, json!([]), json!(["x/y"]), false, false),
        (PERSON, json!([]), json!(["foregroundDeletion"]), false, false),
        (collector, json!([]), json!(["foregroundDeletion"]), true, true),
        (controller, json!([protection]), json!([]), false, false),
        (controller, json!([protection]), json!([]), true, true),
        (PERSON, json!([protection]), json!([]), true, false),
        (collector, json!(["orphan"]), json!([]), true, true),
        (PERSON, json!(["orphan"]), json!([]), true, false),
        (PERSON, json!(["x/y"]), json!([]), true, false),
        (PERSON, json!(["x/y"]), json!([]), false, false),
    ];
    for (who, before, after, dying, recognised) in cases {
        let (old, new) = (volume(before.clone(), dying), volume(after.clone(), dying));
        assert_eq!(world.update(who, &old, &new).is_ok(), recognised, "{who} {before} to {after}, dying: {dying}");
    }
    let definition = |finalizers: Value| {
        json!({"apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition", "metadata": {"name": "c", "finalizers": finalizers,
        "deletionTimestamp": "2026-05-01T10:00:00Z"}})
    };
    let cleanup = definition(json!(["customresourcecleanup.apiextensions.k8s.io"]));
    assert!(world.status(API_SERVER, &cleanup, &definition(json!([]))).is_ok());
    assert!(world.status(PERSON, &cleanup, &definition(json!([]))).is_err());
}

#[test]
fn owners_are_taken_off_by_those_who_may() {
    let set = object("apps/v1", "ReplicaSet", "web", json!({"spec": {"selector": {"matchLabels": {"app": "web"}}}}));
    let pod = |labels: Value, owners: Value| {
        object("v1", "Pod", "p", json!({"metadata": {"labels": labels, "ownerReferences": owners}}))
    };
    let app = json!({"app": "web"});
    let owned = pod(app.clone(), owner(&set));
    let free = pod(app, json!([]));
    let mut world = World::new();
    let collector = "@generic-garbage-collector";
    assert!(world.update(collector, &owned, &free).is_ok(), "the owner is gone");
    world.declare(set.clone());
    assert!(world.update(collector, &owned, &free).is_err(), "the owner lives and selects it");
    let released = pod(json!({"app": "db"}), owner(&set));
    let (old, new) = (released, pod(json!({"app": "db"}), json!([])));
    assert!(world.update("@replicaset-controller", &old, &new).is_ok(), "the owner selects it no more");
    world.declare(with(&set, json!({"metadata": {"deletionTimestamp": "2026-05-01T10:00:00Z"}})));
    assert!(world.update(collector, &owned, &free).is_ok(), "the owner is going");
    let mut unblocked = owned.clone();
    unblocked["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] = false.into();
    assert!(world.update(collector, &owned, &unblocked).is_ok());
    assert!(world.update(PERSON, &owned, &unblocked).is_err());
    let mut renamed = owned.clone();
    renamed["metadata"]["ownerReferences"][0]["name"] = "other".into();
    assert!(world.update(collector, &owned, &renamed).is_err());
}

#[test]
fn only_what_follows_its_new_owner_is_adopted() {
    let mut world = World::new();
    let set = object("apps/v1", "ReplicaSet", "web", json!({"spec": {"template": {"spec": {"containers": []}}}}));
    world.declare(set.clone());
    let stray = object("v1", "Pod", "web-xk7lp", json!({"spec": {"containers": [{"name": "evil"}]}}));
    let adopted = with(&stray, json!({"metadata": {"ownerReferences": owner(&set)}}));
    assert!(world.update("@replicaset-controller", &stray, &adopted).is_err());
    let map = object("v1", "ConfigMap", "c", json!({}));
    let owned = with(&map, json!({"metadata": {"ownerReferences": owner(&set)}}));
    assert!(world.changes("@replicaset-controller", &map, &owned).is_err(), "no controller adopts a ConfigMap");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let orphaned = with(&namespace, json!({"metadata": {"ownerReferences": owner(&set)}}));
    assert!(world.changes(PERSON, &namespace, &orphaned).is_err());
}

#[test]
fn owners_that_own_each_other_end_somewhere() {
    let mut world = World::new();
    let mut job = object("batch/v1", "Job", "a", json!({}));
    let pod = object("v1", "Pod", "b", json!({"metadata": {"ownerReferences": owner(&job)}}));
    job["metadata"]["ownerReferences"] = owner(&pod);
    world.put(job.clone());
    world.put(pod.clone());
    assert!(world.create("@job-controller", &pod).is_err());
    assert!(world.there(&job).is_err());
}
