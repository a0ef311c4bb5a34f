//! Deployments: rolled forth and back, restarted, overtaken, paused, recreated.

use std::collections::BTreeSet;

use serde_json::Value;

use super::manifests::{deployment, image, service};
use super::scene::Scene;
use crate::edits::SRE;

pub(super) async fn there_and_back(scene: Scene<'_>) {
    let web = |version| deployment("rolls", "web").replicas(3).version(version).spec("revisionHistoryLimit: 1").text();
    scene.declare_all(&[("web", Some(&web(1))), ("service", Some(&service("rolls", "web")))]).await;
    scene.runs("web", &image(1), 3).await;
    reached(&scene, "web").await;
    let first = running(&scene, "web").await;

    scene.declare("web", &web(2)).await;
    scene.runs("web", &image(2), 3).await;
    reached(&scene, "web").await;

    // The commit is taken back: the ReplicaSet of before is used again.
    scene.declare("web", &web(1)).await;
    scene.runs("web", &image(1), 3).await;
    reached(&scene, "web").await;
    assert_eq!(running(&scene, "web").await, first, "the old ReplicaSet was not used again");

    // What is older than the history that is kept goes.
    scene.declare("web", &web(3)).await;
    scene.runs("web", &image(3), 3).await;
    scene.until_all("the history is cut", "replicaset", "web-", |sets| sets.len() == 2).await;
}

/// The ReplicaSets that have Pods, by uid.
async fn running(scene: &Scene<'_>, name: &str) -> BTreeSet<String> {
    let sets = scene.all("replicaset", &format!("{name}-")).await;
    let running = sets.iter().filter(|s| s["spec"]["replicas"].as_i64() > Some(0));
    running.map(|s| s["metadata"]["uid"].to_string()).collect()
}

/// The Service's slices list exactly the addresses of the Pods that are ready.
async fn reached(scene: &Scene<'_>, name: &str) {
    let addresses = |items: &[Value]| -> BTreeSet<String> {
        let endpoints = items.iter().flat_map(|s| s["endpoints"].as_array().cloned().unwrap_or_default());
        endpoints.filter(|e| e["conditions"]["ready"] == true).map(|e| e["addresses"][0].to_string()).collect()
    };
    let prefix = format!("{name}-");
    scene
        .theatre
        .wait(&format!("the endpoints of {name}"), async || {
            let pods = scene.all("pod", &prefix).await;
            let pods = pods.iter().filter(|p| p["metadata"]["deletionTimestamp"].is_null());
            let wanted: BTreeSet<String> = pods.map(|p| p["status"]["podIP"].to_string()).collect();
            (!wanted.is_empty() && addresses(&scene.all("endpointslice", &prefix).await) == wanted).then_some(())
        })
        .await;
}

pub(super) async fn restart(scene: Scene<'_>) {
    let api = |version| deployment("rolls", "restarted").replicas(2).version(version).text();
    let restarted =
        |d: &Value| d["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"].clone();
    scene.declare("restarted", &api(1)).await;
    scene.runs("restarted", &image(1), 2).await;
    scene.kubectl(SRE, "rollout restart deployment/restarted").await.checked().unwrap();
    scene
        .until("the restart is done", "deployment/restarted", |d| {
            restarted(d).is_string() && super::scene::is_rolled_out(d, 2)
        })
        .await;
    scene.declare("restarted", &api(2)).await;
    scene.runs("restarted", &image(2), 2).await;
    let live = scene.get("deployment/restarted").await;
    assert!(restarted(&live).is_string(), "the commit took the restart away: {live}");
}

pub(super) async fn debugged(scene: Scene<'_>) {
    let looked_into = |version| deployment("rolls", "debugged").version(version).text();
    scene.declare("debugged", &looked_into(1)).await;
    scene.runs("debugged", &image(1), 1).await;
    let pods = scene.all("pod", "debugged-").await;
    let (name, uid) = (pods[0]["metadata"]["name"].as_str().unwrap(), &pods[0]["metadata"]["uid"]);

    scene.kubectl(SRE, &format!("debug {name} --image=busybox:1 --container=debugger")).await.checked().unwrap();
    scene.kubectl(SRE, &format!("label pod {name} looked-at-by=sre")).await.checked().unwrap();
    scene.quiet().await;
    let pod = scene.get(&format!("pod/{name}")).await;
    assert_eq!((&pod["metadata"]["uid"], &pod["metadata"]["labels"]["looked-at-by"]), (uid, &"sre".into()), "{pod}");
    assert_eq!(pod["spec"]["ephemeralContainers"][0]["name"], "debugger", "{pod}");

    // The next version takes it along like any other Pod.
    scene.declare("debugged", &looked_into(2)).await;
    scene.runs("debugged", &image(2), 1).await;
}

pub(super) async fn overtaken(scene: Scene<'_>) {
    let quick = |version, replicas| {
        let slow = deployment("rolls", "overtaken")
            .spec("minReadySeconds: 2")
            .spec("strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}");
        slow.version(version).replicas(replicas).text()
    };
    scene.declare("overtaken", &quick(1, 3)).await;
    scene.runs("overtaken", &image(1), 3).await;
    scene.declare("overtaken", &quick(2, 4)).await;
    scene.until("the second has begun", "deployment/overtaken", |d| d["status"]["updatedReplicas"] == 2).await;
    scene.declare("overtaken", &quick(3, 5)).await;
    scene
        .until("the third has begun", "deployment/overtaken", |d| {
            d["spec"]["template"]["spec"]["containers"][0]["image"] == image(3) && d["status"]["updatedReplicas"] == 1
        })
        .await;
    scene.declare("overtaken", &quick(1, 2)).await;
    scene.runs("overtaken", &image(1), 2).await;
}

pub(super) async fn paused(scene: Scene<'_>) {
    let careful = |version, paused| {
        deployment("rolls", "paused").replicas(2).version(version).spec(&format!("paused: {paused}")).text()
    };
    scene.declare("paused", &careful(1, false)).await;
    scene.runs("paused", &image(1), 2).await;
    scene.declare("paused", &careful(2, true)).await;
    scene
        .until("it is paused", "deployment/paused", |d| {
            d["spec"]["paused"] == true && d["status"]["observedGeneration"] == d["metadata"]["generation"]
        })
        .await;
    scene.declare("paused", &careful(2, false)).await;
    scene.runs("paused", &image(2), 2).await;
}

pub(super) async fn recreated(scene: Scene<'_>) {
    let single =
        |version| deployment("rolls", "single").replicas(2).version(version).spec("strategy: {type: Recreate}").text();
    scene.declare("single", &single(1)).await;
    scene.runs("single", &image(1), 2).await;
    scene.declare("single", &single(2)).await;
    scene.runs("single", &image(2), 2).await;
}
