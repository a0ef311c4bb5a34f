//! A sidecar injector: what the declared one adds to Pods stays, with values of its own making; what
//! another adds under the same names does not get in.

use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Traps;
use super::mutator::Served;

const ID: &str = "injector.example.org/id";

const CONFIGURATION: &str = "delegations:
- name: proxies
  reason: every Pod has a proxy beside it
  injects:
  - mutator: MutatingWebhookConfiguration/proxies
    namespaces: [traps]
    containers: [proxy, proxy-init]
    volumes: [proxy-state]
    env: [PROXY]
    annotations: [injector.example.org/id]
    images: [\"registry.example.org/proxy:*\"]
    podSecurity: baseline
";

const WORKLOADS: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: traps}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: \"registry.example.org/web:1\", env: [{name: OWN, value: \"1\"}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: traps}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: \"registry.example.org/db:1\"}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_injector_works_and_another_does_not() {
    let injector = Served::start(Router::new().route("/mutate", post(inject)).route("/evil", post(inject_evil))).await;
    let gitward = format!("{}{CONFIGURATION}", include_str!("../fixtures/traps/gitward.yaml"));
    let declared = registration(&injector, "proxies", "/mutate").to_string();
    let files = [("gitward.yaml", gitward.as_str()), ("prod/injector.json", declared.as_str())];
    let mut traps = Traps::set(&files).await;
    // Admission configuration is written last of a commit.
    traps.stage.work.write("prod/workloads.yaml", WORKLOADS).unwrap();
    traps.push("Workloads").await;

    has_proxies(&traps, "registry.example.org/web:1").await;
    traps.stage.wait_condition("Ready", "True", super::GIVE_UP).await.unwrap();
    traps.in_peace(&["deployment/web -n traps", "statefulset/db -n traps"]).await;
    let metrics = traps.stage.webhook_metrics().await.unwrap();
    let used = metrics.lines().find(|l| l.contains(r#"kind="Delegated",name="proxies""#)).unwrap();
    assert!(!used.ends_with(" 0"), "{used}");
    traps.replace("prod/workloads.yaml", "web:1", "web:2");
    traps.push("Another version").await;
    has_proxies(&traps, "registry.example.org/web:2").await;
    assert!(!denied(&traps), "{}", traps.stage.log_tails());

    // Nobody removes it while another injector adds an image of its own under the same names.
    traps.stage.kill_reconciler();
    let evil = registration(&injector, "evil", "/evil").to_string();
    traps.attack("create -f -", &evil).await;
    traps.attack("delete mutatingwebhookconfiguration/proxies", "").await;
    traps.replace("prod/workloads.yaml", "web:2", "web:3");
    traps.stage.start_reconciler().await.unwrap();
    traps.push("One more").await;
    traps.until("mutatingwebhookconfiguration/evil", "the other injector is gone", Value::is_null).await;
    has_proxies(&traps, "registry.example.org/web:3").await;

    // Without the gate what it adds gets in, and goes.
    traps.without_webhook().await;
    traps.stage.kill_reconciler();
    traps.attack("create -f -", &evil).await;
    traps.attack("delete mutatingwebhookconfiguration/proxies", "").await;
    traps.attack("delete pod/db-0 -n traps --wait=false", "").await;
    traps.until("pod/db-0 -n traps", "it gets in", |p| p.to_string().contains("evil:1")).await;
    let told = traps.divergences().len();
    traps.stage.start_reconciler().await.unwrap();
    traps.until("mutatingwebhookconfiguration/evil", "it is gone again", Value::is_null).await;
    let is_clean = |p: &Value| p["status"]["phase"] == "Running" && !p.to_string().contains("evil:1");
    traps.until("pod/db-0 -n traps", "what it added is gone", is_clean).await;
    assert!(traps.divergences().split_off(told).iter().any(|l| l.contains("none of the images allowed")));
}

fn denied(traps: &Traps) -> bool {
    std::fs::read_to_string(traps.stage.webhook_log()).unwrap().contains("decision=Denied")
}

/// Every Pod runs with a proxy, each with an id of its own.
async fn has_proxies(traps: &Traps, image: &str) {
    let proxied = |pod: &Value| {
        let containers = pod["spec"]["containers"].as_array();
        pod["status"]["phase"] == "Running"
            && containers.is_some_and(|all| all.iter().any(|c| c["image"] == "registry.example.org/proxy:1"))
    };
    traps.until("pod/db-0 -n traps", "the set's Pod has a proxy", proxied).await;
    let rolled = traps.stage.wait_for("Pods with proxies", super::GIVE_UP, async || {
        let pods = crate::picture::list(&traps.client, "", "v1", "Pod").await?;
        let web: Vec<&Value> = pods.iter().filter(|p| p["metadata"]["labels"]["app"] == "web").collect();
        let new = web.iter().all(|p| p["spec"]["containers"].to_string().contains(image) && proxied(p));
        Ok((web.len() == 2 && new).then(|| {
            web.iter().map(|p| p["metadata"]["annotations"][ID].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        }))
    });
    let ids = rolled.await.unwrap();
    assert_ne!(ids[0], ids[1], "the values are random");
}

fn registration(injector: &Served, name: &str, path: &str) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [{
            "name": "proxy.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "clientConfig": injector.client_config(path),
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "traps"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        }],
    })
}

async fn inject(Json(review): Json<Value>) -> Json<Value> {
    Json(answer(&review, "registry.example.org/proxy:1"))
}

async fn inject_evil(Json(review): Json<Value>) -> Json<Value> {
    Json(answer(&review, "registry.example.org/evil:1"))
}

fn answer(review: &Value, image: &str) -> Value {
    let request = &review["request"];
    let mut pod = request["object"].clone();
    let id = format!("{:016x}", rand::random::<u64>());
    let mounts = json!([{"name": "proxy-state", "mountPath": "/state"}]);
    let proxy = |name: &str| json!({"name": name, "image": image, "env": [{"name": "SEED", "value": id}], "volumeMounts": mounts});
    let spec = &mut pod["spec"];
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        push(container, "env", json!({"name": "PROXY", "value": id}));
        push(container, "volumeMounts", json!({"name": "proxy-state", "mountPath": "/proxy"}));
    }
    push(spec, "initContainers", proxy("proxy-init"));
    push(spec, "containers", proxy("proxy"));
    push(spec, "volumes", json!({"name": "proxy-state", "emptyDir": {}}));
    let mut annotations = pod["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.insert(ID.to_owned(), json!(id));
    let patch = json!([
        {"op": "add", "path": "/spec", "value": pod["spec"]},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]);
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {"uid": request["uid"], "allowed": true, "patchType": "JSONPatch",
            "patch": STANDARD.encode(patch.to_string())},
    })
}

fn push(object: &mut Value, list: &str, item: Value) {
    let mut items = object[list].as_array().cloned().unwrap_or_default();
    items.push(item);
    object[list] = Value::Array(items);
}
