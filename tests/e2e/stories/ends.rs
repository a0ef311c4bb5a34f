//! Parts of the control plane, and of gitward, end and begin again in the middle of it all.

use std::time::Duration;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use gitward_test_cluster::Component;
use serde_json::Value;

use super::daemons::everywhere;
use super::manifests::{deployment, image, job, stateful_set};
use super::scene::{Scene, is_rolled_out};
use super::theatre::Theatre;
use crate::edits::{MALLORY, SRE};
use crate::seen::Person;

type Act = for<'a> fn(&'a mut Theatre) -> LocalBoxFuture<'a, ()>;

/// What only one story at a time can do.
pub(super) const ACTS: &[(&str, Act)] = &[
    ("the controller manager is killed in the middle", |theatre| controllers(theatre).boxed_local()),
    ("the webhook is killed in the middle", |theatre| webhook(theatre).boxed_local()),
    ("the reconciler is killed in the middle", |theatre| reconciler(theatre).boxed_local()),
    ("a Job outlives its template and gitward", |theatre| outliving(theatre).boxed_local()),
    ("a node comes", |theatre| node(theatre).boxed_local()),
];

/// A Deployment and a StatefulSet of this version and size.
async fn declare(scene: &Scene<'_>, version: u32, replicas: u32) {
    let web = deployment("ends", "web").replicas(3).version(version).spec("minReadySeconds: 1");
    let web = web.spec("strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}").text();
    let store = stateful_set("ends", "store").replicas(replicas).version(version).text();
    scene.declare_all(&[("web", Some(&web)), ("store", Some(&store))]).await;
}

/// Waits until that is what runs.
async fn reached(scene: &Scene<'_>, version: u32, replicas: u32) {
    scene.runs("web", &image(version), 3).await;
    scene
        .until("the StatefulSet is there", "statefulset/store", |s| {
            s["spec"]["template"]["spec"]["containers"][0]["image"] == image(version)
                && is_rolled_out(s, replicas.into())
                && s["status"]["currentRevision"] == s["status"]["updateRevision"]
        })
        .await;
}

/// Waits until a rollout to this version has begun.
async fn begun(scene: &Scene<'_>, version: u32) {
    scene
        .until("the rollout has begun", "deployment/web", |d| {
            d["spec"]["template"]["spec"]["containers"][0]["image"] == image(version)
                && d["status"]["updatedReplicas"].as_i64() >= Some(1)
                && !is_rolled_out(d, 3)
        })
        .await;
}

async fn controllers(theatre: &mut Theatre) {
    let scene = theatre.scene("ends");
    declare(&scene, 1, 1).await;
    reached(&scene, 1, 1).await;
    declare(&scene, 2, 3).await;
    begun(&scene, 2).await;
    theatre.stage.cluster.kill(Component::ControllerManager);
    tokio::time::sleep(Duration::from_secs(1)).await;
    theatre.stage.cluster.start_component(Component::ControllerManager).await.unwrap();
    reached(&theatre.scene("ends"), 2, 3).await;
}

/// All that controllers and the reconciler try meanwhile fails, and is tried again.
async fn webhook(theatre: &mut Theatre) {
    let scene = theatre.scene("ends");
    declare(&scene, 3, 2).await;
    begun(&scene, 3).await;
    theatre.keep_figures().await;
    theatre.stage.kill_webhook();
    let refused = theatre.scene("ends").kubectl("mallory", "create configmap mine").await;
    assert!(!refused.success(), "with the webhook away a write got in");
    declare(&theatre.scene("ends"), 4, 1).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    theatre.stage.start_webhook().await.unwrap();
    remove_what_is_to_go(theatre).await;
    reached(&theatre.scene("ends"), 4, 1).await;
}

/// Kubelets try again to remove Pods that are to go; simulated ones do not, and are helped.
async fn remove_what_is_to_go(theatre: &Theatre) {
    let kubelet = theatre.stage.cluster.folder().join("node-0.kubeconfig");
    for pod in theatre.scene("ends").all("pod", "").await {
        let name = pod["metadata"]["name"].as_str().unwrap();
        if !pod["metadata"]["deletionTimestamp"].is_null() {
            // Without --force kubectl asks for one second, and leaves the removal to the kubelet.
            let delete = ["delete", "pod", name, "-n", "ends", "--grace-period=0", "--force", "--ignore-not-found"];
            theatre.stage.cluster.kubectl_as(&kubelet, &delete, "").await.unwrap().checked().unwrap();
        }
    }
}

async fn reconciler(theatre: &mut Theatre) {
    let scene = theatre.scene("ends");
    declare(&scene, 5, 3).await;
    begun(&scene, 5).await;
    theatre.stage.kill_reconciler();
    theatre.stage.start_reconciler().await.unwrap();
    let scene = theatre.scene("ends");
    reached(&scene, 5, 3).await;
    declare(&scene, 4, 2).await;
    reached(&scene, 4, 2).await;
}

/// What a CronJob made before its template changed runs on, though nobody remembers that template but Git.
async fn outliving(theatre: &mut Theatre) {
    let scene = theatre.scene("spare");
    // Its Pods wait for a node that there is not.
    let old =
        |version| job("spare", "old").version(version).pod("nodeSelector: {un: known}").cron_job("suspend: false");
    scene.declare("old", &old(1)).await;
    let running = scene.until_all("it has fired", "job", "old-", |jobs| !jobs.is_empty()).await;
    let name = running[0]["metadata"]["name"].as_str().unwrap();
    for version in [2, 3] {
        let number = scene.declare("old", &old(version)).await;
        scene.theatre.converged(number).await;
    }
    theatre.keep_figures().await;
    theatre.stage.kill_webhook();
    theatre.stage.kill_reconciler();
    theatre.stage.start_webhook().await.unwrap();
    theatre.stage.start_reconciler().await.unwrap();

    // Its controller may make another Pod of it.
    let scene = theatre.scene("spare");
    let pods = scene.until_all("it has a Pod", "pod", name, |pods| pods.len() == 1).await;
    let pod = pods[0]["metadata"]["name"].as_str().unwrap();
    scene.kubectl(SRE, &format!("delete pod/{pod} --wait=false")).await.checked().unwrap();
    let is_another = |pods: &[Value]| pods.iter().any(|p| p["metadata"]["name"] != pod);
    let pods = scene.until_all("it has another Pod", "pod", name, is_another).await;
    let former = pods.iter().all(|p| p["spec"]["containers"][0]["image"] == image(1));
    assert!(former, "it goes on by the image that it was made with: {pods:?}");

    // And the reconciler lets it be, also when the next commit comes.
    let number = scene.declare("old", &old(4)).await;
    scene.theatre.converged(number).await;
    scene.quiet().await;
    scene.quiet().await;
    let still = scene.get(&format!("job/{name}")).await;
    assert_eq!(still["metadata"]["uid"], running[0]["metadata"]["uid"], "what ran by a former image was stopped");
    let seen = Person::new(&theatre.stage, MALLORY).run(&["diff", &format!("job/{name}"), "-n", "spare"], 0);
    assert!(!seen.contains("not declared"), "whoever looks sees a controller's own: {seen}");
}

async fn node(theatre: &mut Theatre) {
    let scene = theatre.scene("daemons");
    scene.declare("everywhere", &everywhere("everywhere", 1)).await;
    let nodes = theatre.nodes().await;
    scene.until("it is on all nodes", "daemonset/everywhere", |d| d["status"]["numberReady"] == nodes).await;
    theatre.stage.cluster.start_component(super::LATE).await.unwrap();
    let scene = theatre.scene("daemons");
    scene.until("it is on the new node too", "daemonset/everywhere", |d| d["status"]["numberReady"] == nodes + 1).await;
}
