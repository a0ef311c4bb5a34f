//! StatefulSets and their claims.

use serde_json::Value;

use super::manifests::{image, stateful_set};
use super::scene::{Scene, is_rolled_out};

fn claims(class: &str) -> String {
    format!(
        "volumeClaimTemplates: [{{metadata: {{name: data}}, spec: {{accessModes: [ReadWriteOnce], storageClassName: \
         {class}, resources: {{requests: {{storage: 1Gi}}}}}}}}]"
    )
}

fn bound(claims: &[Value]) -> usize {
    claims.iter().filter(|c| c["status"]["phase"] == "Bound").count()
}

pub(super) async fn up_and_down(scene: Scene<'_>) {
    let store = |replicas, version| {
        stateful_set("sets", "store").spec(&claims("early")).replicas(replicas).version(version).text()
    };
    for (replicas, version) in [(1, 1), (3, 1), (1, 1), (2, 1), (2, 2)] {
        scene.declare("store", &store(replicas, version)).await;
        scene
            .until(&format!("{replicas} of version {version}"), "statefulset/store", |s| {
                s["spec"]["replicas"] == replicas
                    && s["spec"]["template"]["spec"]["containers"][0]["image"] == image(version)
                    && is_rolled_out(s, replicas.into())
                    && s["status"]["currentRevision"] == s["status"]["updateRevision"]
            })
            .await;
    }
    // A set that shrank leaves its claims.
    scene.until_all("three claims are bound", "pvc", "data-store-", |c| c.len() == 3 && bound(c) == 3).await;
}

pub(super) async fn claims_go(scene: Scene<'_>) {
    let cache = |replicas| {
        let set = stateful_set("sets", "cache").spec(&claims("late")).spec("podManagementPolicy: Parallel");
        set.spec("persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Delete}")
            .replicas(replicas)
            .text()
    };
    scene.declare("cache", &cache(2)).await;
    scene.until("two run", "statefulset/cache", |s| is_rolled_out(s, 2)).await;
    scene.until_all("two claims are bound", "pvc", "data-cache-", |c| c.len() == 2 && bound(c) == 2).await;
    scene.declare("cache", &cache(1)).await;
    scene.until_all("its claim goes with a Pod", "pvc", "data-cache-", |c| c.len() == 1).await;
    scene.declare("cache", &cache(2)).await;
    scene.until("two run again", "statefulset/cache", |s| s["spec"]["replicas"] == 2 && is_rolled_out(s, 2)).await;
    scene.declare_all(&[("cache", None)]).await;
    scene.until("the set is gone", "statefulset/cache", Value::is_null).await;
    scene.until_all("its claims go with it", "pvc", "data-cache-", <[Value]>::is_empty).await;
}

pub(super) async fn partition(scene: Scene<'_>) {
    let staged = |version, partition: u32| {
        let strategy = format!("updateStrategy: {{rollingUpdate: {{partition: {partition}}}}}");
        stateful_set("sets", "staged").replicas(3).version(version).spec(&strategy).text()
    };
    scene.declare("staged", &staged(1, 0)).await;
    scene.until("three run", "statefulset/staged", |s| is_rolled_out(s, 3)).await;
    scene.declare("staged", &staged(2, 2)).await;
    scene
        .until("one is updated", "statefulset/staged", |s| {
            s["status"]["updatedReplicas"] == 1
                && s["status"]["readyReplicas"] == 3
                && s["status"]["updateRevision"] != s["status"]["currentRevision"]
        })
        .await;
    scene.declare("staged", &staged(2, 0)).await;
    scene
        .until("all are updated", "statefulset/staged", |s| {
            s["status"]["updateRevision"] == s["status"]["currentRevision"] && is_rolled_out(s, 3)
        })
        .await;
    // Back: the revision of before is the newest again.
    scene.declare("staged", &staged(1, 0)).await;
    scene
        .until("all are back", "statefulset/staged", |s| {
            s["spec"]["template"]["spec"]["containers"][0]["image"] == image(1)
                && s["status"]["updateRevision"] == s["status"]["currentRevision"]
                && is_rolled_out(s, 3)
        })
        .await;
}
