//! DaemonSets.

use serde_json::Value;

use super::manifests::{daemon_set, image};
use super::scene::Scene;

/// Whether a DaemonSet has so many daemons of this version, all of them ready.
fn on_all(set: &Value, version: u32, nodes: i64) -> bool {
    let status = &set["status"];
    set["spec"]["template"]["spec"]["containers"][0]["image"] == image(version)
        && status["observedGeneration"] == set["metadata"]["generation"]
        && ["desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberReady"]
            .iter()
            .all(|f| status[*f] == nodes)
}

pub(super) fn everywhere(name: &str, version: u32) -> String {
    daemon_set("daemons", name).version(version).pod("tolerations: [{key: for, operator: Exists}]").text()
}

pub(super) async fn updated(scene: Scene<'_>) {
    let some = |version| daemon_set("daemons", "some").version(version).text();
    scene.declare("some", &some(1)).await;
    scene.until("it runs", "daemonset/some", |d| on_all(d, 1, 1)).await;
    scene.declare("some", &some(2)).await;
    scene.until("it is updated", "daemonset/some", |d| on_all(d, 2, 1)).await;
    scene.declare("some", &some(1)).await;
    scene.until("it is taken back", "daemonset/some", |d| on_all(d, 1, 1)).await;
    scene.declare_all(&[("some", None)]).await;
    scene.until_all("it is gone, with its Pods", "pod", "some-", <[Value]>::is_empty).await;
    scene.until_all("and its revisions", "revision", "some-", <[Value]>::is_empty).await;
}
