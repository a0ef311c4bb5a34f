//! Owners go: what they owned is orphaned and adopted, collected, or made anew.

use std::collections::BTreeSet;

use serde_json::Value;

use super::manifests::{deployment, image, service};
use super::scene::Scene;
use crate::edits::{MALLORY, SRE};

fn uids(objects: &[Value]) -> BTreeSet<String> {
    objects.iter().map(|o| o["metadata"]["uid"].to_string()).collect()
}

/// A ReplicaSet is taken from under its Pods; the next one adopts them.
pub(super) async fn orphaned(scene: Scene<'_>) {
    scene.declare("kept", &deployment("orphans", "kept").replicas(3).text()).await;
    scene.runs("kept", &image(1), 3).await;
    let (sets, pods) = (scene.all("replicaset", "kept-").await, scene.all("pod", "kept-").await);
    let name = sets[0]["metadata"]["name"].as_str().unwrap();
    scene.kubectl(SRE, &format!("delete replicaset/{name} --cascade=orphan")).await.checked().unwrap();
    let new = scene
        .until_all("another ReplicaSet is there", "replicaset", "kept-", |new| {
            new.len() == 1 && uids(new) != uids(&sets)
        })
        .await;
    let owner = &new[0]["metadata"]["uid"];
    scene
        .until_all("it has adopted the Pods", "pod", "kept-", |pods| {
            pods.iter().all(|p| p["metadata"]["ownerReferences"][0]["uid"] == *owner)
        })
        .await;
    scene.quiet().await;
    let after = scene.all("pod", "kept-").await;
    assert_eq!(uids(&after), uids(&pods), "Pods were made anew");
    scene.runs("kept", &image(1), 3).await;
}

pub(super) async fn collected(scene: Scene<'_>) {
    let text = deployment("orphans", "tree").replicas(2).text() + &service("orphans", "tree");
    scene.declare("tree", &text).await;
    scene.runs("tree", &image(1), 2).await;
    let sets = scene.all("replicaset", "tree-").await;
    let name = sets[0]["metadata"]["name"].as_str().unwrap();
    // First the Pods, then the ReplicaSet; the Deployment makes another.
    scene.kubectl(SRE, &format!("delete replicaset/{name} --cascade=foreground")).await.checked().unwrap();
    scene.until_all("another is there", "replicaset", "tree-", |new| new.len() == 1 && uids(new) != uids(&sets)).await;
    scene.runs("tree", &image(1), 2).await;
    scene.declare_all(&[("tree", None)]).await;
    for kind in ["deployment", "replicaset", "pod", "service", "endpointslice"] {
        scene.until_all("it is gone", kind, "tree", <[Value]>::is_empty).await;
    }
}

pub(super) async fn replaced(scene: Scene<'_>) {
    scene.declare("app", &deployment("spare", "app").replicas(2).text()).await;
    scene.runs("app", &image(1), 2).await;
    let pods = scene.all("pod", "app-").await;
    let name = pods[0]["metadata"]["name"].as_str().unwrap();
    let denied = scene.kubectl(MALLORY, &format!("delete pod/{name} --wait=false")).await;
    assert!(!denied.success() && denied.stderr.contains("gitward.dev"), "{}{}", denied.stdout, denied.stderr);
    scene.kubectl(SRE, &format!("delete pod/{name} --wait=false")).await.checked().unwrap();
    scene.until("it is gone", &format!("pod/{name}"), Value::is_null).await;
    scene.runs("app", &image(1), 2).await;
}
