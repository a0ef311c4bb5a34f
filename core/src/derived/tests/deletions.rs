//! Deletions.

use serde_json::{Value, json};

use super::world::{API_SERVER, KUBELET, PERSON, SCHEDULER, World, object, owner, with};

const COLLECTOR: &str = "@generic-garbage-collector";

fn dying(object: &Value) -> Value {
    with(object, json!({"metadata": {"deletionTimestamp": "2026-05-01T10:00:00Z"}}))
}

fn settings() -> Value {
    object("v1", "ConfigMap", "settings", json!({"data": {"a": "b"}}))
}

#[test]
fn what_git_declares_stays() {
    let mut world = World::new();
    world.declare(settings());
    for who in [PERSON, COLLECTOR, API_SERVER, "@namespace-controller"] {
        assert!(world.delete(who, &settings()).is_err(), "{who}");
    }
    // Not even if it is made to look like an orphan.
    let gone = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "none"}]);
    let orphan = with(&settings(), json!({"metadata": {"ownerReferences": gone}}));
    assert!(world.delete(COLLECTOR, &orphan).is_err());
    assert_eq!(world.delete(PERSON, &dying(&settings())).unwrap(), "Derived delete.terminating");
    world.put(dying(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})));
    assert_eq!(world.delete("@namespace-controller", &settings()).unwrap(), "Derived delete.namespace");
}

#[test]
fn what_git_does_not_declare_may_go() {
    let world = World::new();
    assert_eq!(world.delete(PERSON, &settings()).unwrap(), "Removal");
    // But for what the control plane would only make anew.
    let own = [
        object("v1", "ServiceAccount", "default", json!({})),
        object("v1", "ConfigMap", "kube-root-ca.crt", json!({"data": {"ca.crt": "CA"}})),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubernetes", "namespace": "default"}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", "metadata": {"name": "10.0.0.1"},
            "spec": {"parentRef": {"resource": "services"}}}),
    ];
    for object in own {
        assert!(world.delete(PERSON, &object).is_err(), "{object}");
    }
}

#[test]
fn what_holds_data_goes_only_if_git_let_go_of_it() {
    let mut world = World::new();
    let secret = object("v1", "Secret", "s", json!({}));
    let claim = object("v1", "PersistentVolumeClaim", "c", json!({}));
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "d"}});
    for object in [&secret, &claim, &namespace, &definition] {
        assert!(world.delete(PERSON, object).is_err(), "{object}");
    }
    world.declared_until(secret.clone(), 3600);
    world.declared_until(claim.clone(), 3600);
    assert_eq!(world.delete("gitward", &secret).unwrap(), "Removal");
    assert!(world.delete("gitward", &claim).is_err(), "Git does not say that claims may be pruned");
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"},
        "spec": {"persistentVolumeReclaimPolicy": "Retain"}});
    world.declared_until(volume.clone(), 3600);
    assert!(world.delete("gitward", &volume).is_err());
    world.snapshot.environment.prune.data_kinds.push("PersistentVolume".to_owned());
    assert_eq!(world.delete("gitward", &volume).unwrap(), "Removal");
}

#[test]
fn orphans_go_with_their_owners() {
    let mut world = World::new();
    let parent = settings();
    let child = object("v1", "ConfigMap", "child", json!({"metadata": {"ownerReferences": owner(&parent)}}));
    assert_eq!(world.delete(COLLECTOR, &child).unwrap(), "Derived delete.ownerless");
    // Nobody knows of the owner: it may be of a kind that is not watched.
    let claim = object("v1", "PersistentVolumeClaim", "c", json!({"metadata": {"ownerReferences": owner(&parent)}}));
    assert!(world.delete(COLLECTOR, &claim).is_ok());
    assert!(world.delete(PERSON, &claim).is_err());
    world.declare(dying(&parent));
    assert_eq!(world.delete(COLLECTOR, &child).unwrap(), "Derived delete.ownerless");
    world.declare(with(&parent, json!({"metadata": {"uid": "new"}})));
    assert_eq!(world.delete(COLLECTOR, &child).unwrap(), "Derived delete.ownerless");
    // Cluster-scoped objects with a namespaced owner always look orphaned.
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "r", "ownerReferences": owner(&parent)}});
    assert!(world.delete(COLLECTOR, &role).is_err());
}

fn replica_set() -> Value {
    object("apps/v1", "ReplicaSet", "web", json!({"spec": {"replicas": 1, "template": {"spec": {}}}}))
}

#[test]
fn pods_of_controllers_are_deleted_by_those_who_run_them() {
    let mut world = World::new();
    world.declare(replica_set());
    let pod = object(
        "v1",
        "Pod",
        "web-xk7lp",
        json!({"metadata": {"ownerReferences": owner(&replica_set())},
        "spec": {"nodeName": "n1"}}),
    );
    let cases = [
        ("@replicaset-controller", true),
        ("@taint-eviction-controller", true),
        ("@pod-garbage-collector", true),
        (SCHEDULER, true),
        (KUBELET, true),
        ("system:node:n2", false),
        ("as:@replicaset-controller", false),
    ];
    for (who, recognised) in cases {
        let decided = world.delete(who, &pod);
        assert_eq!(decided.as_deref() == Ok("Derived delete.pod (by identity)"), recognised, "{who}: {decided:?}");
    }
    // A Pod that its owner would not have made is in Git's way.
    assert_eq!(world.delete(PERSON, &pod).unwrap(), "Removal");
}

#[test]
fn a_declared_pod_goes_only_with_its_node() {
    let mut world = World::new();
    let pod = object("v1", "Pod", "tool", json!({"spec": {"nodeName": "n1"}}));
    world.declare(pod.clone());
    for (who, recognised) in [
        ("@pod-garbage-collector", true),
        (SCHEDULER, true),
        (KUBELET, true),
        (PERSON, false),
        ("@replicaset-controller", false),
    ] {
        assert_eq!(world.delete(who, &pod).is_ok(), recognised, "{who}");
    }
}

fn job(condition: &str) -> Value {
    object(
        "batch/v1",
        "Job",
        "j",
        json!({"spec": {"ttlSecondsAfterFinished": 60}, "status": {"conditions": [
        {"type": condition, "status": "True", "lastTransitionTime": "2026-05-01T09:59:30Z"}]}}),
    )
}

#[test]
fn a_job_lives_as_long_as_it_says() {
    let mut world = World::new();
    world.declare(job("Complete"));
    let controller = "@ttl-after-finished-controller";
    assert_eq!(world.delete(controller, &job("Complete")).unwrap(), "Derived delete.job.ttl (by identity)");
    let cases = [
        (controller, job("Suspended")),
        (controller, with(&job("Complete"), json!({"spec": {"ttlSecondsAfterFinished": 90}}))),
        (controller, with(&job("Complete"), json!({"spec": {"ttlSecondsAfterFinished": null}}))),
        (PERSON, job("Complete")),
    ];
    for (who, job) in cases {
        assert!(world.delete(who, &job).is_err(), "{who} {job}");
    }
}

#[test]
fn controllers_clear_their_history() {
    let mut world = World::new();
    let cron_job = object("batch/v1", "CronJob", "tick", json!({"spec": {"concurrencyPolicy": "Allow"}}));
    let deployment = object("apps/v1", "Deployment", "web", json!({}));
    world.declare(cron_job.clone());
    world.declare(deployment.clone());
    let of = |object: Value, parent: &Value| with(&object, json!({"metadata": {"ownerReferences": owner(parent)}}));
    let finished = of(job("Failed"), &cron_job);
    let running = of(job("Suspended"), &cron_job);
    assert!(world.delete("@cronjob-controller", &finished).is_ok());
    assert!(world.delete("@cronjob-controller", &running).is_err());
    world.declare(with(&cron_job, json!({"spec": {"concurrencyPolicy": "Replace"}})));
    assert!(world.delete("@cronjob-controller", &running).is_ok());
    let sized =
        |n: i64| of(with(&replica_set(), json!({"spec": {"replicas": n}, "status": {"replicas": n}})), &deployment);
    assert!(world.delete("@deployment-controller", &sized(0)).is_ok());
    assert!(world.delete("@deployment-controller", &sized(1)).is_err());
}

#[test]
fn endpoints_go_with_their_service_alone() {
    let mut world = World::new();
    let endpoints = object("v1", "Endpoints", "web", json!({}));
    let service = object("v1", "Service", "web", json!({"spec": {"selector": {"app": "web"}}}));
    assert!(world.delete("@endpoint-controller", &endpoints).is_ok());
    world.declare(service.clone());
    assert!(world.delete(PERSON, &endpoints).is_err());
    world.declare(dying(&service));
    assert!(world.delete(PERSON, &endpoints).is_ok());
}

#[test]
fn volumes_go_when_they_are_released_and_may() {
    let mut world = World::new();
    let volume = |policy: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "p"},
        "spec": {"persistentVolumeReclaimPolicy": policy, "claimRef": {"namespace": "shop", "name": "c"}}})
    };
    assert!(world.delete("@persistent-volume-binder", &volume("Delete")).is_ok());
    assert!(world.delete("@persistent-volume-binder", &volume("Retain")).is_err());
    world.put(object("v1", "PersistentVolumeClaim", "c", json!({})));
    assert!(world.delete("@persistent-volume-binder", &volume("Delete")).is_err());
}

#[test]
fn instances_go_with_their_definition() {
    let mut world = World::new();
    let widget = object("example.com/v1", "Widget", "w", json!({}));
    world.declare(widget.clone());
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"}});
    // That the definition is not known is no reason.
    assert!(world.delete(API_SERVER, &widget).is_err());
    world.put(definition.clone());
    assert!(world.delete(API_SERVER, &widget).is_err());
    world.put(dying(&definition));
    assert!(world.delete(API_SERVER, &widget).is_ok());
}
