//! Classes, claims, Pods, Services, replicas, finalizers and owners.

use serde_json::{Value, json};

use super::Traps;
use crate::edits::KEEPER;

const VOLUME: &str = "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: disk}\nspec:\n  capacity: {storage: 1Gi}\n  \
                      accessModes: [ReadWriteOnce]\n  storageClassName: fast\n  hostPath: {path: /srv/disk}\n";

const QUIET_ONES: [&str; 7] = [
    "ingress/classless -n traps",
    "pvc/claim -n traps",
    "pvc/pending -n traps",
    "service/plain -n traps",
    "service/door -n traps",
    "pod/lonely -n traps",
    "configmap/held -n traps",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cluster_adds_stays_and_what_looks_like_it_goes() {
    let mut traps = Traps::set(&[("prod/objects.yaml", include_str!("../fixtures/traps/objects.yaml"))]).await;
    let added = what_is_added(&traps).await;
    others_add_what_is_exempted(&traps).await;
    writes_keep_it(&traps, &added).await;

    traps.without_webhook().await;
    classes(&traps, &added).await;
    addresses(&traps, &added).await;
    claims(&traps).await;
    bare_pod(&traps).await;
    replicas(&traps).await;
    finalizers_and_owners(&traps).await;
}

/// What was allocated or chosen at creation.
struct Added {
    plain: Value,
    door: Value,
}

/// Everything is added by the API server and its controllers, and nothing of it is a divergence.
async fn what_is_added(traps: &Traps) -> Added {
    traps
        .until("ingress/classless -n traps", "the default ingress class", |i| i["spec"]["ingressClassName"] == "inner")
        .await;
    traps.until("pvc/claim -n traps", "the default storage class", |c| c["spec"]["storageClassName"] == "fast").await;
    traps.until("pod/lonely -n traps", "the bare Pod runs", |p| p["status"]["phase"] == "Running").await;
    traps.until("deployment/scaled -n traps", "the autoscaler scaled", |d| d["status"]["readyReplicas"] == 2).await;
    traps.in_peace(&QUIET_ONES).await;

    // The claim is bound only now, by a volume that a later commit brings.
    traps.stage.work.write("prod/volume.yaml", VOLUME).unwrap();
    traps.push("A volume").await;
    traps.until("pvc/claim -n traps", "the claim is bound", |c| c["status"]["phase"] == "Bound").await;
    traps.until("pv/disk", "the volume is bound", |v| v["spec"]["claimRef"]["name"] == "claim").await;
    traps.in_peace(&QUIET_ONES).await;

    let plain = traps.get("service/plain -n traps").await["spec"].clone();
    let door = traps.get("service/door -n traps").await["spec"].clone();
    assert!(plain["clusterIP"].as_str().is_some_and(|ip| ip.contains('.')), "{plain}");
    assert!(door["ports"][0]["nodePort"].as_u64() > Some(0), "{door}");
    Added { plain, door }
}

/// Another controller's finalizer and owner reference, exempted in Git for its account alone.
async fn others_add_what_is_exempted(traps: &Traps) {
    let owner = traps.get("configmap/free -n traps").await["metadata"]["uid"].clone();
    let owned = json!({"metadata": {"finalizers": ["example.org/keep"], "ownerReferences":
        [{"apiVersion": "v1", "kind": "ConfigMap", "name": "free", "uid": owner}]}});
    let patch = format!("patch configmap/held -n traps --type=merge -p '{owned}'");
    let denied = traps.kubectl_as("mallory", &patch, "").await;
    assert!(denied.stderr.contains("metadata.finalizers") && denied.stderr.contains("denied"), "{}", denied.stderr);
    traps.kubectl_as(KEEPER, &patch, "").await.checked().unwrap();
    traps.in_peace(&QUIET_ONES).await;
}

/// A commit changes the objects: what was added stays through the writes.
async fn writes_keep_it(traps: &Traps, added: &Added) {
    let file = "prod/objects.yaml";
    for name in ["classless", "plain", "door", "claim", "pending"] {
        traps.replace(
            file,
            &format!("{{name: {name}, namespace: traps}}"),
            &format!("{{name: {name}, namespace: traps, labels: {{round: two}}}}"),
        );
    }
    traps.replace("prod/base.yaml", "a: \"1\"", "a: \"2\"");
    traps.replace(file, "registry.example.org/scaled:1", "registry.example.org/scaled:2");
    traps.replace(file, "registry.example.org/lonely:1", "registry.example.org/lonely:2");
    let message = traps.push("Everything changes").await;
    assert!(message.contains("8 changed"), "{message}");
    let ingress = traps.get("ingress/classless -n traps").await;
    assert_eq!(
        (&ingress["spec"]["ingressClassName"], &ingress["metadata"]["labels"]["round"]),
        (&json!("inner"), &json!("two"))
    );
    assert_eq!(traps.get("service/plain -n traps").await["spec"], added.plain);
    assert_eq!(traps.get("service/door -n traps").await["spec"], added.door);
    assert_eq!(traps.get("pvc/claim -n traps").await["spec"]["volumeName"], "disk");
    assert_eq!(
        traps.get("pod/lonely -n traps").await["spec"]["containers"][0]["image"],
        "registry.example.org/lonely:2"
    );
    let held = traps.get("configmap/held -n traps").await;
    assert_eq!(held["data"]["a"], "2");
    assert_eq!(held["metadata"]["finalizers"], json!(["example.org/keep"]));
    assert_eq!(held["metadata"]["ownerReferences"][0]["name"], "free");
    let scaled = traps.get("deployment/scaled -n traps").await;
    assert_eq!(scaled["spec"]["replicas"], 2, "the write took the autoscaler's replicas away");
    traps
        .until("deployment/scaled -n traps", "the rollout is done", |d| {
            d["status"]["updatedReplicas"] == 2 && d["status"]["replicas"] == 2 && d["status"]["readyReplicas"] == 2
        })
        .await;
    traps.until("pod/lonely -n traps", "the bare Pod runs again", |p| p["status"]["phase"] == "Running").await;
    traps.in_peace(&QUIET_ONES).await;
}

async fn classes(traps: &Traps, _: &Added) {
    traps.attack("patch ingress/classless -n traps -p '{\"spec\":{\"ingressClassName\":\"evil\"}}'", "").await;
    traps
        .until("ingress/classless -n traps", "another ingress class", |i| i["spec"]["ingressClassName"] == "inner")
        .await;
    traps.told("Diverged", "classless").await;
    // Taken away, the field would stay empty: the default comes with the creation alone.
    traps.attack("patch ingress/classless -n traps --type=json -p '[{\"op\":\"remove\",\"path\":\"/spec/ingressClassName\"}]'", "").await;
    traps.until("ingress/classless -n traps", "no ingress class", |i| i["spec"]["ingressClassName"] == "inner").await;
}

async fn addresses(traps: &Traps, added: &Added) {
    traps.attack("patch service/door -n traps --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/ports/0/nodePort\",\"value\":30998}]'", "").await;
    traps.until("service/door -n traps", "a swapped node port", |s| s["spec"] == added.door).await;
    traps.told("Diverged", "door").await;
    // An address is let go by a type without one; the next type draws another.
    let gone = json!({"spec": {"type": "ExternalName", "externalName": "evil.example.com", "clusterIP": null,
        "clusterIPs": null, "ipFamilies": null, "ipFamilyPolicy": null, "internalTrafficPolicy": null}});
    traps.attack(&format!("patch service/plain -n traps --type=merge -p '{gone}'"), "").await;
    traps.until("service/plain -n traps", "an address that was let go", |s| s["spec"] == added.plain).await;
    traps.told("Diverged", "plain").await;
}

async fn claims(traps: &Traps) {
    traps.attack("annotate pvc/claim -n traps volume.kubernetes.io/selected-node=node-0", "").await;
    traps
        .until("pvc/claim -n traps", "a forged node of a claim", |c| {
            c["metadata"]["annotations"]["volume.kubernetes.io/selected-node"].is_null()
        })
        .await;
    traps.told("Diverged", "claim").await;
    // A stranger's volume takes the claim that waits: that cannot be undone without losing the claim,
    // so both are told and nothing is deleted.
    let claim = traps.get("pvc/pending -n traps").await;
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "stranger"}, "spec": {
        "capacity": {"storage": "7Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": "fast",
        "hostPath": {"path": "/evil"}, "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "namespace": "traps", "name": "pending", "uid": claim["metadata"]["uid"]}}});
    traps.attack("create -f -", &volume.to_string()).await;
    traps
        .until("pvc/pending -n traps", "the stranger's volume took the claim", |c| c["status"]["phase"] == "Bound")
        .await;
    let told = traps.told("Diverged", "pending").await;
    assert!(told.contains("spec.volumeName"), "{told}");
    traps.told("LeftAlone", "stranger").await;
    let now = traps.get("pvc/pending -n traps").await;
    assert_eq!(now["metadata"]["uid"], claim["metadata"]["uid"]);
    assert!(now["metadata"]["deletionTimestamp"].is_null());
}

async fn bare_pod(traps: &Traps) {
    traps.attack("set image pod/lonely -n traps main=evil", "").await;
    traps
        .until("pod/lonely -n traps", "another image in a bare Pod", |p| {
            p["spec"]["containers"][0]["image"] == "registry.example.org/lonely:2"
        })
        .await;
    traps.told("Diverged", "lonely").await;
    let uid = traps.get("pod/lonely -n traps").await["metadata"]["uid"].clone();
    // What no update can take back: the Pod is made anew.
    traps.attack("patch pod/lonely -n traps -p '{\"spec\":{\"activeDeadlineSeconds\":3600}}'", "").await;
    traps
        .until("pod/lonely -n traps", "a deadline in a bare Pod", |p| {
            p["metadata"]["uid"] != uid
                && p["spec"]["activeDeadlineSeconds"].is_null()
                && p["status"]["phase"] == "Running"
        })
        .await;
    traps.attack("delete pod/lonely -n traps --wait=false", "").await;
    traps
        .until("pod/lonely -n traps", "a bare Pod deleted", |p| {
            p["status"]["phase"] == "Running" && p["metadata"]["deletionTimestamp"].is_null()
        })
        .await;
}

async fn replicas(traps: &Traps) {
    // What was told of the attacks before is written a moment after.
    tokio::time::sleep(super::QUIET).await;
    let before = traps.divergences().len();
    // Within the bounds nobody minds.
    traps.attack("scale deployment/scaled -n traps --replicas=3", "").await;
    traps.until("deployment/scaled -n traps", "scaled within the bounds", |d| d["status"]["readyReplicas"] == 3).await;
    tokio::time::sleep(super::QUIET).await;
    assert_eq!(traps.get("deployment/scaled -n traps").await["spec"]["replicas"], 3);
    assert_eq!(traps.divergences().len(), before, "{:?}", traps.divergences().last());
    traps.attack("scale deployment/scaled -n traps --replicas=9", "").await;
    traps
        .until("deployment/scaled -n traps", "scaled past the bounds", |d| {
            (2..=4).contains(&d["spec"]["replicas"].as_i64().unwrap_or(0))
        })
        .await;
    traps.told("Diverged", "scaled").await;
}

async fn finalizers_and_owners(traps: &Traps) {
    let owner = traps.get("configmap/free -n traps").await["metadata"]["uid"].clone();
    let stray = json!({"metadata": {"finalizers": ["evil.example.com/stay"], "ownerReferences":
        [{"apiVersion": "v1", "kind": "ConfigMap", "name": "free", "uid": owner}]}});
    for object in ["service/plain -n traps", "pvc/claim -n traps"] {
        traps.attack(&format!("patch {object} --type=merge -p '{stray}'"), "").await;
        traps
            .until(object, "a stranger's finalizer and owner", |o| {
                let finalizers = o["metadata"]["finalizers"].to_string();
                !finalizers.contains("evil") && o["metadata"]["ownerReferences"].is_null()
            })
            .await;
    }
    let claim = traps.get("pvc/claim -n traps").await;
    assert_eq!(claim["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
    let held = traps.get("configmap/held -n traps").await;
    assert_eq!(held["metadata"]["finalizers"], json!(["example.org/keep"]));
}
