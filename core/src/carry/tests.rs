use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Subject, carry};
use crate::config::{Configuration, EnvironmentConfig};
use crate::derived::Context;
use crate::lookup::Overlay;
use crate::manifest::Manifest;
use crate::object::{Gvk, ObjectKey};
use crate::path::FieldPath;
use crate::snapshot::{Declared, Digest, Expected, Former, Snapshot};

fn snapshot() -> Snapshot {
    let environment = EnvironmentConfig { namespaces: vec!["n".into()], ..EnvironmentConfig::default() };
    Snapshot { environment, ..Snapshot::of_nothing() }
}

fn carried(declared: &Value, live: &Value, record: Option<&Value>, cluster: &[Value]) -> Value {
    let snapshot = snapshot();
    let mut index = Overlay::default();
    for object in cluster {
        index.set(ObjectKey::of(object).unwrap(), Some(Arc::new(object.clone())));
    }
    let context = Context { snapshot: &snapshot, live: &index, now: Timestamp::UNIX_EPOCH };
    let key = ObjectKey::of(declared).unwrap();
    let mut target = declared.clone();
    carry(&mut target, &Subject { key: &key, declared, live, record }, &context);
    target
}

#[test]
fn a_service_keeps_its_recorded_address_not_the_live_one() {
    let declared = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "n"},
        "spec": {"type": "NodePort", "ports": [{"port": 80}]}});
    let live = json!({"metadata": {"uid": "1"}, "spec": {"clusterIP": "10.0.0.66", "ports": [{"port": 80, "protocol": "TCP", "nodePort": 31999}]}});
    let record =
        json!({"spec": {"clusterIP": "10.0.0.7", "ports": [{"port": 80, "protocol": "TCP", "nodePort": 30001}]}});
    let body = carried(&declared, &live, Some(&record), &[]);
    assert_eq!(body["spec"]["clusterIP"], "10.0.0.7");
    assert_eq!(body["spec"]["ports"][0]["nodePort"], 30001);
}

#[test]
fn an_ingress_class_set_afterwards_is_not_carried() {
    let declared = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i", "namespace": "n"}, "spec": {}});
    let live = json!({"spec": {"ingressClassName": "evil"}});
    assert_eq!(carried(&declared, &live, Some(&json!({})), &[])["spec"].get("ingressClassName"), None);
    let record = json!({"spec": {"ingressClassName": "default"}});
    assert_eq!(carried(&declared, &live, Some(&record), &[])["spec"]["ingressClassName"], "default");
}

#[test]
fn a_claim_is_bound_only_to_a_volume_that_says_so() {
    let declared = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "n"},
        "spec": {"storageClassName": "std"}});
    let live = json!({"metadata": {"uid": "u1", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}}, "spec": {"volumeName": "v"}});
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "std"}, "provisioner": "x"});
    let volume = |uid: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": "v", "annotations": {"pv.kubernetes.io/provisioned-by": "x"}}, "spec": {"claimRef": {"uid": uid}}})
    };
    let good = carried(&declared, &live, None, &[class.clone(), volume("u1")]);
    assert_eq!(good["spec"]["volumeName"], "v");
    assert_eq!(good["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"], "yes");
    let bad = carried(&declared, &live, None, &[class, volume("other")]);
    assert_eq!(bad["spec"].get("volumeName"), None);
    let mut pending = live;
    pending["spec"] = json!({});
    let noted = carried(&declared, &pending, None, &[]);
    assert_eq!(noted["metadata"]["annotations"].get("pv.kubernetes.io/bind-completed"), None);
}

#[test]
fn a_revision_is_the_highest_of_its_own_replica_sets() {
    let declared =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}, "spec": {}});
    let set = |revision: &str, uid: &str| {
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": format!("d-{revision}"), "namespace": "n", "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"controller": true, "uid": uid}]}})
    };
    let cluster = [set("1", "u"), set("2", "u"), set("9", "stranger")];
    let live = |revision: &str| json!({"metadata": {"uid": "u", "annotations": {"deployment.kubernetes.io/revision": revision}}});
    let annotation = |body: &Value| body["metadata"]["annotations"].get("deployment.kubernetes.io/revision").cloned();
    assert_eq!(annotation(&carried(&declared, &live("2"), None, &cluster)), Some(json!("2")));
    for forged in ["1", "9", "99", "x"] {
        assert_eq!(annotation(&carried(&declared, &live(forged), None, &cluster)), None);
    }
    // The last ReplicaSet is gone and the next has yet to come; another's say nothing.
    let strangers = [set("9", "stranger")];
    assert_eq!(annotation(&carried(&declared, &live("2"), None, &strangers)), Some(json!("2")));
    assert_eq!(annotation(&carried(&declared, &live("x"), None, &strangers)), None);
}

/// Without its protection a claim goes while Pods use it.
#[test]
fn a_protection_that_the_creation_set_does_not_just_go() {
    let claim = |finalizers: Value| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "c", "namespace": "n", "finalizers": finalizers}})
    };
    let (declared, bare) = (claim(json!(null)), claim(json!([])));
    let record = json!({"metadata": {"finalizers": ["kubernetes.io/pvc-protection"]}});
    let kept =
        |live: &Value, record: Option<&Value>| carried(&declared, live, record, &[])["metadata"]["finalizers"].clone();
    assert_eq!(kept(&bare, Some(&record)), json!(["kubernetes.io/pvc-protection"]));
    assert_eq!(kept(&bare, None), Value::Null);
    let mut going = bare.clone();
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(kept(&going, Some(&record)), Value::Null);
}

#[test]
fn a_strange_finalizer_is_dropped_and_a_known_one_kept() {
    let declared = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "n", "finalizers": ["mine/x"]}, "spec": {}});
    let live = json!({"metadata": {"finalizers": ["evil/x", "kubernetes.io/pvc-protection", "mine/x"]}});
    assert_eq!(
        carried(&declared, &live, None, &[])["metadata"]["finalizers"],
        json!(["kubernetes.io/pvc-protection", "mine/x"])
    );
}

#[test]
fn a_job_gets_its_generated_selector_from_its_uid() {
    let declared = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "n"}, "spec": {"template": {"spec": {}}}});
    let body = carried(&declared, &json!({"metadata": {"uid": "u1"}}), None, &[]);
    assert_eq!(body["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"], "u1");
    assert_eq!(body["spec"]["template"]["metadata"]["labels"]["job-name"], "j");
}

#[test]
fn a_job_without_labels_has_generated_ones_or_none() {
    let declared = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "n"},
        "spec": {"template": {"metadata": {"labels": {"app": "a"}}, "spec": {}}}});
    let labels = |carried: Value| carried["metadata"]["labels"].clone();
    let (parted, shared) = (json!({"app": "a"}), json!({"app": "a", "job-name": "j", "controller-uid": "other"}));
    for learnt in [parted, shared] {
        let mut target = declared.clone();
        target["metadata"]["labels"] = learnt;
        let live = |labels: Value| json!({"metadata": {"uid": "u1", "labels": labels}});
        let over = |live: &Value| labels(carried_over(&declared, target.clone(), live, &snapshot()));
        assert_eq!(over(&live(json!({"app": "a"}))), json!({"app": "a"}));
        let generated = json!({"app": "a", "job-name": "j", "controller-uid": "u1"});
        assert_eq!(over(&live(generated.clone())), generated);
        // Whatever value stands there, the proven one is expected.
        assert_eq!(over(&live(json!({"app": "a", "job-name": "x", "controller-uid": "x"}))), generated);
    }
}

#[test]
fn a_released_volume_keeps_the_claim_that_is_gone() {
    let declared = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {}});
    let live = |phase: &str| {
        json!({"metadata": {"annotations": {"pv.kubernetes.io/bound-by-controller": "yes"}},
            "spec": {"claimRef": {"kind": "PersistentVolumeClaim", "namespace": "n", "name": "c", "uid": "u1", "x": "y"}},
            "status": {"phase": phase}})
    };
    let claim = |uid: &str, volume: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "n", "uid": uid},
            "spec": {"volumeName": volume}})
    };
    let reference =
        |live: &Value, cluster: &[Value]| carried(&declared, live, None, cluster)["spec"]["claimRef"].clone();
    let kept = reference(&live("Released"), &[]);
    assert_eq!((&kept["uid"], &kept["x"]), (&json!("u1"), &Value::Null));
    assert_eq!(reference(&live("Released"), &[claim("u2", "w")])["uid"], "u1");
    let mut forged = live("Released");
    forged["metadata"] = json!({});
    assert_eq!(reference(&forged, &[]), Value::Null, "the binder notes whom it bound");
    // Nobody released it, or the claim is there and another volume's.
    for (phase, cluster) in [("Available", vec![]), ("Bound", vec![]), ("Released", vec![claim("u1", "w")])] {
        assert_eq!(reference(&live(phase), &cluster), Value::Null, "{phase}");
    }
}

/// The binder calls a volume released whose reference was forged, and so its forged claim gone.
#[test]
fn a_volume_goes_back_to_its_claim_whatever_is_edited_beside_it() {
    let declared = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {}});
    let live = json!({"metadata": {"annotations": {"pv.kubernetes.io/bound-by-controller": "yes"}},
        "spec": {"claimRef": {"kind": "PersistentVolumeClaim", "namespace": "n", "name": "c", "uid": "forged"}},
        "status": {"phase": "Released"}});
    let uid = |annotations: Value, phase: &str| {
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "c", "namespace": "n", "uid": "u1", "annotations": annotations},
            "spec": {"volumeName": "v"}, "status": {"phase": phase}});
        carried(&declared, &live, None, &[claim])["spec"]["claimRef"]["uid"].clone()
    };
    assert_eq!(uid(json!({"pv.kubernetes.io/bind-completed": "yes"}), "Pending"), "u1");
    assert_eq!(uid(json!({"pv.kubernetes.io/bound-by-controller": "yes"}), "Pending"), "u1");
    for phase in ["Bound", "Lost"] {
        assert_eq!(uid(json!({}), phase), "u1");
    }
    // A claim that was never bound, made anew under the name of one that is gone, gets nothing of it.
    assert_eq!(uid(json!({}), "Pending"), "forged");
}

#[test]
fn replicas_stay_while_their_bounds_move() {
    let declared =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}, "spec": {}});
    let scaler = |min: i64, max: i64| {
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h", "namespace": "n"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
                "minReplicas": min, "maxReplicas": max}})
    };
    let moved = |seconds: i64| {
        let mut snapshot = snapshot();
        let (now, before) = (scaler(1, 3), scaler(4, 6));
        let key = ObjectKey::of(&now).unwrap();
        snapshot.declared.insert(key.clone(), Arc::new(as_declared(&now)));
        let replaced = Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_secs(seconds);
        let expected = Arc::new(Expected { object: before, uid: None, record: None });
        snapshot.former.insert(key, vec![Former { replaced, expected }]);
        snapshot
    };
    let live = |n: i64| json!({"spec": {"replicas": n}});
    let mut expected = declared.clone();
    expected["spec"]["replicas"] = json!(1);
    let judged =
        |n, seconds| carried_over(&declared, expected.clone(), &live(n), &moved(seconds))["spec"]["replicas"].clone();
    assert_eq!((judged(3, 60), judged(5, 5)), (json!(3), json!(5)));
    assert_eq!((judged(5, 60), judged(7, 5)), (json!(1), json!(1)), "out of bounds for good");
    let written = |n| carried_over(&declared, declared.clone(), &live(n), &moved(60))["spec"]["replicas"].clone();
    assert_eq!((written(9), written(0)), (json!(3), json!(1)), "a write takes the nearest");
}

fn carried_over(declared: &Value, mut target: Value, live: &Value, snapshot: &Snapshot) -> Value {
    let (index, key) = (Overlay::default(), ObjectKey::of(declared).unwrap());
    let context = Context { snapshot, live: &index, now: Timestamp::UNIX_EPOCH };
    carry(&mut target, &Subject { key: &key, declared, live, record: None }, &context);
    target
}

fn as_declared(object: &Value) -> Declared {
    let manifest = Manifest {
        gvk: Gvk::of(object).unwrap(),
        key: ObjectKey::of(object).unwrap(),
        value: object.clone().into(),
        file: "a.yaml".into(),
        spans: Arc::default(),
        base: FieldPath::root(),
    };
    let (canonical, digest) = (object.clone().into(), Digest::of(object));
    Declared { manifest, canonical, digest, has_status_subresource: true, expected: None, learnt: None, before: None }
}

#[test]
fn a_field_of_list_elements_is_left_in_each_of_them() {
    let mut target =
        json!({"webhooks": [{"name": "a", "clientConfig": {"url": "x"}}, {"name": "b", "clientConfig": {}}]});
    let live = json!({"webhooks": [
        {"name": "c", "clientConfig": {"caBundle": "C"}},
        {"name": "b", "clientConfig": {"caBundle": "B"}, "sideEffects": "Some"},
        {"name": "a", "clientConfig": {"url": "y", "caBundle": "A"}},
    ]});
    super::copy_in_each(&mut target, &live, None, &["webhooks", "clientConfig", "caBundle"]);
    let wanted = json!({"webhooks": [
        {"name": "a", "clientConfig": {"url": "x", "caBundle": "A"}},
        {"name": "b", "clientConfig": {"caBundle": "B"}},
    ]});
    assert_eq!(target, wanted);
    super::copy_in_each(&mut target, &json!({}), None, &["webhooks", "clientConfig", "caBundle"]);
    assert_eq!(target, wanted, "there is nothing to leave it as");
}

/// What others may set stays as they set it; what only Git set goes where Git moves it.
#[test]
fn a_new_value_of_git_goes_into_a_field_that_others_may_set() {
    let object = |one: &str, two: &str| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"},
            "spec": {"template": {"spec": {"initContainers": [{"name": "one", "image": one}, {"name": "two", "image": two}]}}}})
    };
    let key = ObjectKey::new("apps", "Deployment", "n", "d");
    let mut snapshot = snapshot();
    let exemption = crate::config::Exemption {
        name: "sre".into(),
        accounts: vec!["sre".into()],
        kinds: vec!["Deployment.apps".into()],
        namespaces: Vec::new(),
        fields: vec!["spec.template.spec.initContainers.image".into()],
        until: None,
        reason: "hotfixes".into(),
    };
    snapshot.configuration = Arc::new(Configuration { exemptions: vec![exemption], ..Configuration::default() });
    let before = Expected { object: object("one:1", "two:1"), uid: None, record: None };
    let former = Former { replaced: Timestamp::UNIX_EPOCH, expected: Arc::new(before) };
    snapshot.former.insert(key.clone(), vec![former]);
    let index = Overlay::default();
    let over = |live: &Value, seconds: i64| {
        let declared = object("one:2", "two:1");
        let now = Timestamp::from_second(seconds).unwrap();
        let context = Context { snapshot: &snapshot, live: &index, now };
        let mut target = declared.clone();
        super::exempted(&mut target, &Subject { key: &key, declared: &declared, live, record: None }, &context);
        target
    };
    assert_eq!(over(&object("one:1", "two:ex"), 1), object("one:2", "two:ex"));
    // Much later it is somebody who goes back to it.
    assert_eq!(over(&object("one:1", "two:ex"), 60), object("one:1", "two:ex"));
    let context = Context { snapshot: &snapshot, live: &index, now: Timestamp::UNIX_EPOCH };
    let mut answer = object("one:2", "two:ex");
    super::without_exempted(&mut answer, &key, &object("one:2", "two:1"), &context);
    assert_eq!(answer, object("one:2", "two:1"));
}

#[test]
fn a_record_is_held_against_what_a_creation_could_answer() {
    use crate::additions::unexplained;
    use crate::object::Gvk;
    let gvk = Gvk::new("v1", "Pod");
    let declared = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"},
        "spec": {"containers": [{"name": "a", "image": "a:1"}]}});
    let strange = |record: &Value| {
        let created = super::as_recorded(&declared, record);
        unexplained(&gvk, &declared, &declared, &created, None)
    };
    let spec = |more: &Value| {
        let mut containers = vec![json!({"name": "a", "image": "a:1", "imagePullPolicy": "IfNotPresent"})];
        containers.extend(more.as_array().cloned().unwrap_or_default());
        json!({"madeOf": "x", "spec": {"containers": containers, "dnsPolicy": "ClusterFirst"}})
    };
    assert_eq!(strange(&spec(&json!([]))), Vec::<String>::new());
    assert!(!strange(&spec(&json!([{"name": "evil", "image": "evil"}]))).is_empty());
    let added = json!({"createOnly": [{"path": ["spec", "hostNetwork"], "value": true}]});
    assert!(!strange(&added).is_empty());
}

#[test]
fn a_bound_volume_is_its_claims_whomever_it_names() {
    let declared = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {}});
    let claim = |namespace: &str, name: &str, phase: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"volumeName": "v"},
            "metadata": {"name": name, "namespace": namespace, "uid": name}, "status": {"phase": phase}})
    };
    let (own, thiefs) = (claim("n", "own", "Bound"), claim("elsewhere", "thiefs", "Pending"));
    let reference = |claim: &Value| {
        let metadata = &claim["metadata"];
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": metadata["namespace"],
            "name": metadata["name"], "uid": metadata["uid"]})
    };
    let over = |claim_ref: Value| {
        let live = json!({"spec": {"claimRef": claim_ref}});
        carried(&declared, &live, None, &[own.clone(), thiefs.clone()])["spec"]["claimRef"].clone()
    };
    assert_eq!(over(reference(&thiefs)), reference(&own));
    assert_eq!(over(Value::Null), reference(&own));
    let mut with_version = reference(&own);
    with_version["resourceVersion"] = json!("7");
    assert_eq!(over(with_version.clone()), with_version);
}
