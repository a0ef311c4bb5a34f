//! What Helm installed and upgraded: it comes under Git as it is, and Helm's own notes stay behind.

use std::path::Path;

use gitward_test_cluster::{Helm, Progress, Sources};
use serde_json::Value;

use super::scene::Scene;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/e2e/fixtures/adopt/chart");

/// What Helm writes down for itself, and what the API server adds.
const NOBODYS: [&str; 6] =
    ["meta.helm.sh", "sh.helm.release", "uid:", "status:", "terminationMessagePath", "clusterIP"];

#[tokio::test(flavor = "multi_thread")]
async fn what_helm_installed_comes_under_git_as_it_is() {
    let mut scene = Scene::set(&[], Vec::new()).await;
    installed(&scene).await;
    let before = scene.pods().await;

    let report = scene.json(&["adopt", "-n", "shop", "--environment", "prod", "--secrets"], 0);
    of_each_object_helms_notes_go(&report);
    manifests_are_a_persons(&scene);

    let observed = scene.merged("observe");
    scene.gates().await;
    scene.observed(&observed).await;
    scene.differs_as_it_was_told(&report);
    let labels = scene.get("deployment/notes").await["metadata"]["labels"].clone();
    assert_eq!(labels["app.kubernetes.io/managed-by"], "Helm", "something was written");

    let commit = scene.govern("enforce");
    scene.converges(&commit).await;
    let told = scene.told();
    assert_eq!(scene.pods().await, before, "Pods were replaced");
    scene.in_peace(told).await;
    // Helm's memory is left alone, and is all that Git does not say.
    assert_eq!(scene.differing(), ["sh.helm.release.v1.notes.v1", "sh.helm.release.v1.notes.v2"]);
}

async fn installed(scene: &Scene) {
    let provided =
        tokio::task::spawn_blocking(|| Helm::provide(&Sources::from_env(), &Progress::to(|line| println!("{line}"))));
    let helm = provided.await.unwrap().unwrap();
    let cluster = &scene.stage.cluster;
    let run = |arguments: &[&str]| {
        let output = helm.run(cluster.admin_kubeconfig(), cluster.folder(), arguments).unwrap();
        output.checked().unwrap();
    };
    assert!(Path::new(CHART).is_dir());
    run(&["install", "notes", CHART, "--namespace", "shop", "--set", "tag=2.3.9"]);
    run(&["upgrade", "notes", CHART, "--namespace", "shop"]);
    scene
        .until("the release runs", async || {
            let notes = scene.get("deployment/notes").await;
            let rolled = notes["status"]["observedGeneration"] == notes["metadata"]["generation"]
                && ["replicas", "updatedReplicas", "readyReplicas"].iter().all(|n| notes["status"][n] == 2);
            Ok((rolled && scene.pods().await.len() == 2).then_some(()))
        })
        .await;
}

fn of_each_object_helms_notes_go(report: &Value) {
    let taken = report["taken"].as_array().unwrap();
    let names: Vec<&str> = taken.iter().map(|t| t["object"]["kind"].as_str().unwrap()).collect();
    let expected =
        ["ConfigMap", "Namespace", "Secret", "Service", "ServiceAccount", "Deployment", "PodDisruptionBudget"];
    assert_eq!(names, expected, "{report:#}");
    let notes = [
        "metadata.annotations[\"meta.helm.sh/release-name\"]",
        "metadata.annotations[\"meta.helm.sh/release-namespace\"]",
        "metadata.labels[\"app.kubernetes.io/managed-by\"]",
        "metadata.labels[\"helm.sh/chart\"]",
    ];
    for one in taken.iter().filter(|t| t["object"]["kind"] != "Namespace") {
        let paths: Vec<&str> = one["effects"].as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap()).collect();
        assert_eq!(paths, notes, "{one:#}");
    }
    let left: Vec<&str> = report["left"].as_array().unwrap().iter().map(|l| l["why"].as_str().unwrap()).collect();
    assert_eq!(left, ["Helm keeps its releases in it"; 2]);
    let installers = report["installers"].as_array().unwrap();
    assert_eq!(installers.len(), 1, "{report:#}");
    assert_eq!(installers[0]["installer"], "Helm's release shop/notes");
    assert_eq!(installers[0]["objects"], 6);
}

fn manifests_are_a_persons(scene: &Scene) {
    let show = |name: &str| scene.git(&["show", &format!("adopt/shop:prod/shop/{name}-notes.yaml")]);
    for name in ["configmap", "secret", "service", "serviceaccount", "deployment", "poddisruptionbudget"] {
        let text = show(name);
        for word in NOBODYS {
            assert!(!text.contains(word), "{name} has {word}:\n{text}");
        }
    }
    // An update would inherit the type, a creation would not.
    assert!(show("secret").contains("type: kubernetes.io/basic-auth"), "{}", show("secret"));
    // The template's labels are the running Pods'.
    assert!(show("deployment").contains("        app.kubernetes.io/managed-by: Helm\n"), "{}", show("deployment"));
    assert!(show("configmap").contains("  notes.conf: |\n    listen = 8080\n"), "{}", show("configmap"));
}
