//! Claims, volumes, claims for devices.

use serde_json::{Value, json};

use super::world::{KUBELET, PERSON, SCHEDULER, World, check, object, owner, with};

const BINDER: &str = "@persistent-volume-binder";

fn stateful_set() -> Value {
    object(
        "apps/v1",
        "StatefulSet",
        "db",
        json!({"spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "db"}},
        "volumeClaimTemplates": [{"metadata": {"name": "data", "labels": {"tier": "gold"}}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}}),
    )
}

fn claim() -> Value {
    object(
        "v1",
        "PersistentVolumeClaim",
        "data-db-1",
        json!({
        "metadata": {"labels": {"tier": "gold", "app": "db"}, "finalizers": ["kubernetes.io/pvc-protection"]},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "standard", "volumeMode": "Filesystem"}}),
    )
}

fn world() -> World {
    let mut world = World::new();
    world.declare(stateful_set());
    let class = |name: &str, default: &str| {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default}}})
    };
    world.declare(class("standard", "true"));
    world.put(class("strange", "true"));
    world.put(class("fast", "false"));
    world
}

#[test]
fn a_claim_follows_the_sets_template() {
    let world = world();
    let rule = check(
        &claim(),
        &[
            ("another size", |o| o["spec"]["resources"]["requests"]["storage"] = "100Gi".into()),
            ("another class", |o| o["spec"]["storageClassName"] = "fast".into()),
            ("a default that Git does not know", |o| o["spec"]["storageClassName"] = "strange".into()),
            ("a volume of its choice", |o| o["spec"]["volumeName"] = "pv-1".into()),
            ("a source", |o| o["spec"]["dataSource"] = json!({"kind": "PersistentVolumeClaim", "name": "x"})),
            ("an ordinal out of range", |o| o["metadata"]["name"] = "data-db-2".into()),
            ("another name", |o| o["metadata"]["name"] = "data-web-0".into()),
            ("a label", |o| o["metadata"]["labels"]["x"] = "y".into()),
            ("an annotation", |o| o["metadata"]["annotations"] = json!({"x": "y"})),
            ("a finalizer", |o| o["metadata"]["finalizers"] = json!(["x/y"])),
            ("an owner", |o| {
                o["metadata"]["ownerReferences"] =
                    json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y"}]);
            }),
        ],
        |o| world.create("@statefulset-controller", o),
    );
    assert_eq!(rule, "Derived claim.create");
    let amount = with(&claim(), json!({"spec": {"resources": {"requests": {"storage": "1024Mi"}}}}));
    assert!(world.create("@statefulset-controller", &amount).is_ok(), "the same amount, written otherwise");
    // A set that shrank leaves its claims, and they are bound by then.
    let left = with(
        &claim(),
        json!({"metadata": {"name": "data-db-7", "annotations": {
        "pv.kubernetes.io/bind-completed": "yes"}}, "spec": {"volumeName": "pv-1"}}),
    );
    assert!(world.there(&left).is_ok());
}

#[test]
fn an_ephemeral_claim_follows_its_pods_volume() {
    let template = json!({"spec": {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", "storageClassName": "fast",
        "resources": {"requests": {"storage": "1Gi"}}}});
    let pod = object(
        "v1",
        "Pod",
        "job",
        json!({"spec": {"volumes": [
        {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}]}}),
    );
    let mut world = world();
    world.declare(pod.clone());
    let claim = object(
        "v1",
        "PersistentVolumeClaim",
        "job-scratch",
        json!({
        "metadata": {"ownerReferences": owner(&pod)}, "spec": template["spec"]}),
    );
    check(
        &claim,
        &[
            ("another volume", |o| o["metadata"]["name"] = "job-other".into()),
            ("another class", |o| o["spec"]["storageClassName"] = "standard".into()),
            ("another Pod", |o| o["metadata"]["ownerReferences"][0]["uid"] = "x".into()),
        ],
        |o| world.create("@ephemeral-volume-controller", o),
    );
}

fn volume(claim_uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1", "uid": "pv-uid"},
        "spec": {"persistentVolumeReclaimPolicy": "Delete",
            "claimRef": {"namespace": "shop", "name": "data-db-1", "uid": claim_uid}}})
}

#[test]
fn a_claim_is_bound_to_the_volume_that_is_reserved_for_it() {
    let mut world = world();
    let bound = with(
        &claim(),
        json!({"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
        "spec": {"volumeName": "pv-1"}}),
    );
    world.put(volume("another"));
    assert!(world.update(BINDER, &claim(), &bound).is_err());
    world.put(volume("PersistentVolumeClaim-data-db-1"));
    check(
        &bound,
        &[
            ("another volume", |o| o["spec"]["volumeName"] = "pv-2".into()),
            ("another value", |o| o["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = "no".into()),
            ("another size", |o| o["spec"]["resources"]["requests"]["storage"] = "2Gi".into()),
            ("a label", |o| o["metadata"]["labels"]["x"] = "y".into()),
        ],
        |o| world.update(BINDER, &claim(), o),
    );
    // A claim that is declared: change by change.
    assert!(world.changes(BINDER, &claim(), &bound).is_ok());
    assert!(world.changes(PERSON, &claim(), &bound).is_err());
    let rebound = with(&bound, json!({"spec": {"volumeName": "pv-2"}}));
    assert!(world.update(BINDER, &bound, &rebound).is_err());
}

#[test]
fn a_claim_without_a_class_gets_the_default_one_once() {
    let world = world();
    let classless = with(&claim(), json!({"spec": {"storageClassName": null}}));
    let other = with(&claim(), json!({"spec": {"storageClassName": "fast"}}));
    assert!(world.update(BINDER, &classless, &claim()).is_ok());
    assert!(world.update(BINDER, &classless, &other).is_err());
    assert!(world.update(BINDER, &claim(), &other).is_err());
}

#[test]
fn a_volume_is_reserved_for_a_claim_that_is_there() {
    let mut world = world();
    let free = with(&volume(""), json!({"spec": {"claimRef": null}}));
    let reserved = volume("PersistentVolumeClaim-data-db-1");
    assert!(world.changes(BINDER, &free, &reserved).is_err());
    world.put(claim());
    for (who, recognised) in [(BINDER, true), (SCHEDULER, true), (PERSON, false), (KUBELET, false)] {
        assert_eq!(world.changes(who, &free, &reserved).is_ok(), recognised, "{who}");
    }
    assert!(world.changes(BINDER, &free, &volume("another")).is_err());
}

#[test]
fn a_set_takes_its_claims_with_it_only_if_it_is_told_to() {
    let adopted = with(&claim(), json!({"metadata": {"ownerReferences": owner(&stateful_set())}}));
    let mut world = world();
    assert!(world.update("@statefulset-controller", &claim(), &adopted).is_err());
    world.declare(with(
        &stateful_set(),
        json!({"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}}),
    ));
    assert!(world.update("@statefulset-controller", &claim(), &adopted).is_ok());
    assert!(world.update(PERSON, &claim(), &adopted).is_err());
    assert!(world.update("@statefulset-controller", &adopted, &claim()).is_ok());
    assert!(world.update(PERSON, &adopted, &claim()).is_err());
}

#[test]
fn a_claim_in_use_stays_protected() {
    let mut world = world();
    let dying = with(&claim(), json!({"metadata": {"deletionTimestamp": "2026-05-01T10:00:00Z"}}));
    let free = with(&dying, json!({"metadata": {"finalizers": []}}));
    let unprotected = with(&claim(), json!({"metadata": {"finalizers": []}}));
    let controller = "@pvc-protection-controller";
    assert!(world.update(controller, &claim(), &unprotected).is_err(), "it is not being deleted");
    assert!(world.update(controller, &dying, &free).is_ok());
    assert!(world.update(PERSON, &dying, &free).is_err());
    world.put(object(
        "v1",
        "Pod",
        "db-1",
        json!({"spec": {"volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}]}, "status": {"phase": "Running"}}),
    ));
    assert!(world.update(controller, &dying, &free).is_err(), "a Pod uses it");
}

#[test]
fn a_claim_for_devices_follows_a_declared_template() {
    let pod = object(
        "v1",
        "Pod",
        "train",
        json!({"spec": {"resourceClaims": [
        {"name": "gpu", "resourceClaimTemplateName": "one-gpu"}]}}),
    );
    let template = object(
        "resource.k8s.io/v1",
        "ResourceClaimTemplate",
        "one-gpu",
        json!({"spec": {
        "metadata": {"labels": {"team": "a"}}, "spec": {"devices": {"requests": [{"name": "gpu"}]}}}}),
    );
    let mut owners = owner(&pod);
    owners[0].as_object_mut().unwrap().remove("blockOwnerDeletion");
    let claim = object(
        "resource.k8s.io/v1",
        "ResourceClaim",
        "train-gpu-xk7lp",
        json!({
        "metadata": {"generateName": "train-gpu-", "labels": {"team": "a"}, "ownerReferences": owners,
            "annotations": {"resource.kubernetes.io/pod-claim-name": "gpu"}},
        "spec": {"devices": {"requests": [{"name": "gpu"}]}}}),
    );
    let mut world = world();
    world.declare(pod);
    world.put(template.clone());
    let controller = "@resource-claim-controller";
    assert!(world.create(controller, &claim).is_err(), "the template is not declared");
    world.declare(template);
    check(
        &claim,
        &[
            ("more devices", |o| o["spec"]["devices"]["requests"].as_array_mut().unwrap().push(json!({"name": "x"}))),
            ("another claim", |o| o["metadata"]["annotations"]["resource.kubernetes.io/pod-claim-name"] = "x".into()),
            ("a label", |o| o["metadata"]["labels"]["x"] = "y".into()),
            ("an annotation", |o| o["metadata"]["annotations"]["x"] = "y".into()),
            ("another name", |o| o["metadata"]["generateName"] = "x-".into()),
            ("a finalizer", |o| o["metadata"]["finalizers"] = json!(["x/y"])),
        ],
        |o| world.create(controller, o),
    );
    let protected = with(&claim, json!({"metadata": {"finalizers": ["resource.kubernetes.io/delete-protection"]}}));
    assert!(world.update(SCHEDULER, &claim, &protected).is_ok());
    assert!(world.update(PERSON, &claim, &protected).is_err());
}
