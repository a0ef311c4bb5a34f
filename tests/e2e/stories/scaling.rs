//! Replicas: an autoscaler's, and Git's.

use super::manifests::{deployment, image};
use super::scene::Scene;

pub(super) async fn autoscaler(scene: Scene<'_>) {
    let scaler = |min, max| {
        format!(
            "{}---\n{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {{name: scaled, namespace: \
             scales}}, spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: scaled}}, minReplicas: \
             {min}, maxReplicas: {max}, metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: \
             Utilization, averageUtilization: 50}}}}}}]}}}}\n",
            deployment("scales", "scaled").container("resources: {requests: {cpu: 10m}}").text()
        )
    };
    scene.declare("scaled", &scaler(2, 4)).await;
    scene.runs("scaled", &image(1), 2).await;
    scene.declare("scaled", &scaler(4, 6)).await;
    scene.runs("scaled", &image(1), 4).await;
    scene.declare("scaled", &scaler(1, 3)).await;
    scene.runs("scaled", &image(1), 3).await;
    // Between the bounds anybody may scale.
    scene.kubectl(crate::edits::MALLORY, "scale deployment/scaled --replicas=2").await.checked().unwrap();
    scene.runs("scaled", &image(1), 2).await;
}

pub(super) async fn through_git(scene: Scene<'_>) {
    let plain = |replicas| deployment("scales", "plain").replicas(replicas).text();
    for replicas in [1, 5, 0, 2] {
        scene.declare("plain", &plain(replicas)).await;
        scene
            .until(&format!("{replicas} replicas"), "deployment/plain", |d| {
                d["spec"]["replicas"] == replicas && super::scene::is_rolled_out(d, replicas.into())
            })
            .await;
    }
}
