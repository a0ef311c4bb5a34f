//! The runtime gate in whatever cluster there is: a control plane of the test's own, or with
//! `GITWARD_TEST_CLUSTER=external` the one that `KUBECONFIG` names. It takes back all that it brought.

use std::time::Duration;

use gitward_test_cluster::{DEPLOY, Options, Stage, TestCluster};
use serde_json::Value;

use crate::fleet::gitward;

const WITHIN: Duration = Duration::from_secs(120);

/// Nothing cluster-scoped but a namespace: others may live in the cluster.
const NAME: &str = "gitward-test-elsewhere";

const CONFIGURATION: &str = "apiVersion: gitward.dev/v1alpha1
kind: Configuration
environments:
- {name: gitward-test-elsewhere, ref: refs/heads/main, path: prod, namespaces: [gitward-test-elsewhere]}
";

const MANIFESTS: &str = "apiVersion: v1
kind: Namespace
metadata: {name: gitward-test-elsewhere}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: gitward-test-elsewhere}
data: {colour: blue}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_there_is_held_to_git() {
    let cluster = TestCluster::start(Options::default()).await.unwrap();
    let was_there = cluster.kubectl(&["get", "namespace", "gitward-system"]).await.unwrap().success();
    let mut stage = Stage::set_on(cluster, gitward(), NAME).await.unwrap();
    stage.install_hooks().unwrap();
    stage.work.write("gitward.yaml", CONFIGURATION).unwrap();
    stage.work.write("prod/all.yaml", MANIFESTS).unwrap();
    let (commit, pushed) = stage.push("Settings").unwrap();
    pushed.checked().unwrap();
    stage.create_environment().await.unwrap();
    stage.start_reconciler().await.unwrap();
    let held = is_held(&stage, &commit).await;
    leave(&mut stage, was_there).await;
    held.unwrap();
}

async fn is_held(stage: &Stage<TestCluster>, commit: &str) -> gitward_test_cluster::Result<()> {
    stage.wait_converged(commit, WITHIN).await?;
    let edit = ["patch", "configmap", "settings", "-n", NAME, "-p", r#"{"data":{"colour":"red"}}"#];
    stage.cluster.kubectl(&edit).await?.checked()?;
    stage
        .wait_for("the colour that Git says", WITHIN, async || {
            let output = stage.cluster.kubectl(&["get", "configmap", "settings", "-n", NAME, "-o", "json"]).await?;
            let live: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
            Ok((live["data"]["colour"] == "blue").then_some(()))
        })
        .await
}

/// Takes back what was brought, and gitward itself if it was not there before.
async fn leave(stage: &mut Stage<TestCluster>, gitward_was_there: bool) {
    stage.kill_reconciler();
    let delete = |what: &'static [&'static str]| [&["delete", "--ignore-not-found"], what].concat();
    for what in [&["environments.gitward.dev", NAME] as &[&str], &["namespace", NAME]] {
        stage.cluster.kubectl(&delete(what)).await.unwrap();
    }
    if gitward_was_there {
        return;
    }
    for manifest in DEPLOY.iter().rev() {
        let arguments = ["delete", "--ignore-not-found", "-f", "-"];
        let admin = stage.cluster.admin_kubeconfig().to_owned();
        stage.cluster.kubectl_as(&admin, &arguments, manifest).await.unwrap();
    }
}
