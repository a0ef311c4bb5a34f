//! Nodes are drained and lost, and Pods make way.

use serde_json::Value;

use super::manifests::{deployment, image};
use super::scene::{Scene, is_rolled_out};
use crate::edits::{MALLORY, SRE};

fn budget(name: &str, available: u32) -> String {
    format!(
        "---\n{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: {name}, namespace: nodes}}, spec: \
         {{minAvailable: {available}, selector: {{matchLabels: {{app: {name}}}}}}}}}\n"
    )
}

fn on(node: &str, reason: &str) -> [String; 2] {
    [
        format!(
            "tolerations: [{{key: for, operator: Equal, value: {reason}}}, {{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1}}]"
        ),
        format!(
            "affinity: {{nodeAffinity: {{preferredDuringSchedulingIgnoredDuringExecution: [{{weight: 100, preference: \
             {{matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [{node}]}}]}}}}]}}}}"
        ),
    ]
}

/// What runs on the node that is to be lost, from the first commit on.
pub(super) fn to_be_lost() -> String {
    let [tolerations, affinity] = on("node-2", "loss");
    deployment("nodes", "lost").replicas(2).pod(&tolerations).pod(&affinity).text()
}

/// Waits until it runs there.
pub(super) async fn to_be_lost_runs(scene: Scene<'_>) {
    scene.until_all("it runs on the node", "pod", "lost-", |pods| places(pods) == ["node-2", "node-2"]).await;
}

/// The nodes that a Deployment's Pods run on, those left out that are going.
fn places(pods: &[Value]) -> Vec<&str> {
    let staying =
        pods.iter().filter(|p| p["metadata"]["deletionTimestamp"].is_null() && p["status"]["phase"] == "Running");
    staying.filter_map(|p| p["spec"]["nodeName"].as_str()).collect()
}

pub(super) async fn evicted(scene: Scene<'_>) {
    let text = deployment("nodes", "budgeted").replicas(3).text() + &budget("budgeted", 2);
    scene.declare("budgeted", &text).await;
    scene.runs("budgeted", &image(1), 3).await;
    scene.until("one may be disrupted", "pdb/budgeted", |b| b["status"]["disruptionsAllowed"] == 1).await;
    let pods = scene.all("pod", "budgeted-").await;
    let name = pods[0]["metadata"]["name"].as_str().unwrap();
    let eviction = serde_json::json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "nodes"}});
    let path = format!("create --raw /api/v1/namespaces/nodes/pods/{name}/eviction -f -");
    let editor = crate::edits::Editor::new(&scene.theatre.stage, MALLORY).unwrap();
    editor.kubectl(&path, &eviction.to_string()).await.unwrap().checked().unwrap();
    scene.until("it is gone", &format!("pod/{name}"), Value::is_null).await;
    scene.runs("budgeted", &image(1), 3).await;
}

pub(super) async fn drained(scene: Scene<'_>) {
    let [tolerations, affinity] = on("node-1", "drain");
    let text =
        deployment("nodes", "drained").replicas(3).pod(&tolerations).pod(&affinity).text() + &budget("drained", 2);
    scene.declare("drained", &text).await;
    scene.runs("drained", &image(1), 3).await;
    scene.until_all("it runs on the node", "pod", "drained-", |pods| places(pods).contains(&"node-1")).await;
    let editor = crate::edits::Editor::new(&scene.theatre.stage, SRE).unwrap();
    let drain = "drain node-1 --ignore-daemonsets --delete-emptydir-data --timeout=60s";
    editor.kubectl(drain, "").await.unwrap().checked().unwrap();
    scene
        .until_all("nothing of it runs there", "pod", "drained-", |pods| {
            places(pods).len() == 3 && !places(pods).contains(&"node-1")
        })
        .await;
    scene.runs("drained", &image(1), 3).await;
    editor.kubectl("uncordon node-1", "").await.unwrap().checked().unwrap();
    scene
        .until("it takes Pods again", "node/node-1", |n| {
            n["spec"]["unschedulable"].is_null() && !n["spec"]["taints"].to_string().contains("unschedulable")
        })
        .await;
}

/// Its node answers no more; the Pods are made anew elsewhere. Then it is removed for good.
pub(super) async fn lost(scene: Scene<'_>) {
    scene
        .until_all("it runs elsewhere", "pod", "lost-", |pods| {
            places(pods).len() == 2 && !places(pods).contains(&"node-2")
        })
        .await;
    scene.theatre.admin("delete node node-2").await;
    scene.until_all("what was left there is collected", "pod", "lost-", |pods| pods.len() == 2).await;
    scene.runs("lost", &image(1), 2).await;
}

pub(super) async fn preempted(scene: Scene<'_>) {
    let large = |class| {
        deployment("nodes", class)
            .replicas(1)
            .pod(&format!("priorityClassName: {class}"))
            .pod("nodeSelector: {kubernetes.io/hostname: node-0}")
            .container("resources: {requests: {cpu: 20}}")
    };
    scene.declare("low", &large("low").text()).await;
    scene.runs("low", &image(1), 1).await;
    scene.declare("high", &large("high").text()).await;
    scene.runs("high", &image(1), 1).await;
    scene.until("the other waits", "deployment/low", |d| d["status"]["unavailableReplicas"] == 1).await;
    scene.declare_all(&[("high", None)]).await;
    scene.until("and runs again", "deployment/low", |d| is_rolled_out(d, 1)).await;
}
