//! Edits out of band, and how long they last.

use std::time::{Duration, Instant};

use gitward_test_cluster::Stage;
use serde_json::{Value, json};

use crate::kube_prometheus::equal::{declared, identity};
use crate::kube_prometheus::figures::{Figures, seconds};
use crate::kube_prometheus::live::Live;

/// How long an edit may last.
const REVERTED_WITHIN: Duration = Duration::from_secs(60);

/// Edits every declared object, one after another, then the content of some, then all at once.
pub(crate) async fn all_come_back(stage: &Stage) -> Result<(), String> {
    let live = Live::of(stage).await?;
    let objects = declared(stage).await?;
    let mut labels = Figures::default();
    let mut slowest = (Duration::ZERO, String::new());
    for object in &objects {
        let took = comes_back(&live, object, &by_hand()).await?;
        labels.add(took);
        slowest = slowest.max((took, identity(object)));
    }
    println!("a label added to each object, until it is gone: {labels} ({})", slowest.1);
    let mut contents = Figures::default();
    for (kind, name, patch) in content_edits() {
        let is_it = |o: &&Value| o["kind"] == kind && o["metadata"]["name"] == name;
        let Some(object) = objects.iter().find(is_it) else { return Err(format!("{kind} {name} is not declared")) };
        let took = comes_back(&live, object, &patch).await?;
        println!("  {}: {}", identity(object), seconds(took));
        contents.add(took);
    }
    println!("content changed, until it is as before: {contents}");
    all_at_once(&live, &objects).await
}

fn by_hand() -> Value {
    json!({"metadata": {"labels": {"by": "hand"}}})
}

async fn comes_back(live: &Live, object: &Value, patch: &Value) -> Result<Duration, String> {
    let before = content(live.get(object).await?);
    let began = Instant::now();
    live.edit(object, patch).await.map_err(|e| format!("{}: {e}", identity(object)))?;
    until_back(live, object, &before, began).await
}

async fn until_back(live: &Live, object: &Value, before: &Value, began: Instant) -> Result<Duration, String> {
    loop {
        let now = content(live.get(object).await?);
        if now == *before {
            return Ok(began.elapsed());
        }
        if began.elapsed() > REVERTED_WITHIN {
            return Err(format!("{} was not brought back: {now}", identity(object)));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// An object without what every write changes, and without what controllers observe or count.
fn content(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(field);
        }
    }
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.remove("deployment.kubernetes.io/revision");
        annotations.remove("deprecated.daemonset.template.generation");
    }
    object
}

/// Everything is edited before the first of it has to be back.
async fn all_at_once(live: &Live, objects: &[Value]) -> Result<(), String> {
    let mut before = Vec::new();
    for object in objects {
        before.push(content(live.get(object).await?));
    }
    let began = Instant::now();
    for object in objects {
        live.edit(object, &by_hand()).await.map_err(|e| format!("{}: {e}", identity(object)))?;
    }
    let edited = began.elapsed();
    for (object, before) in objects.iter().zip(&before) {
        until_back(live, object, before, began).await?;
    }
    let took = began.elapsed();
    println!("{} objects edited within {}: all back after {}", objects.len(), seconds(edited), seconds(took));
    Ok(())
}

/// Edits of content, of each sort of object: kind, name, merge patch.
fn content_edits() -> Vec<(&'static str, &'static str, Value)> {
    let port = json!([{"name": "backdoor", "port": 4444, "targetPort": 4444}]);
    vec![
        ("Deployment", "grafana", json!({"spec": {"replicas": 3}})),
        ("Deployment", "grafana", json!({"spec": {"template": {"spec": {"serviceAccountName": "default"}}}})),
        ("Deployment", "kube-state-metrics", json!({"spec": {"template": {"metadata": {"labels": {"by": "hand"}}}}})),
        ("DaemonSet", "node-exporter", json!({"spec": {"template": {"spec": {"hostIPC": true}}}})),
        ("ConfigMap", "adapter-config", json!({"data": {"config.yaml": "rules: []"}})),
        ("ConfigMap", "grafana-dashboard-alertmanager-overview", json!({"data": {"more.json": "{}"}})),
        ("Secret", "alertmanager-main", json!({"data": {"alertmanager.yaml": "Z29uZQ=="}})),
        ("Service", "grafana", json!({"spec": {"ports": port}})),
        ("Service", "prometheus-k8s", json!({"spec": {"type": "NodePort"}})),
        ("ServiceAccount", "grafana", json!({"automountServiceAccountToken": true})),
        ("ClusterRole", "node-exporter", json!({"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]})),
        (
            "RoleBinding",
            "resource-metrics-auth-reader",
            json!({"subjects": [{"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"}]}),
        ),
        ("NetworkPolicy", "grafana", json!({"spec": {"ingress": [{}]}})),
        ("PodDisruptionBudget", "prometheus-k8s", json!({"spec": {"minAvailable": 0}})),
        ("Prometheus", "k8s", json!({"spec": {"replicas": 1}})),
        ("PrometheusRule", "grafana-rules", json!({"spec": {"groups": []}})),
        ("ServiceMonitor", "grafana", json!({"spec": {"endpoints": [{"interval": "1s", "port": "http"}]}})),
        ("APIService", "v1beta1.metrics.k8s.io", json!({"spec": {"versionPriority": 1}})),
        (
            "CustomResourceDefinition",
            "probes.monitoring.coreos.com",
            json!({"spec": {"names": {"shortNames": ["mine"]}}}),
        ),
        ("Namespace", "monitoring", json!({"metadata": {"labels": {"pod-security.kubernetes.io/warn": null}}})),
    ]
}
