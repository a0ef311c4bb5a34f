//! Everything is killed and started again, in any order, and nobody lends a hand.

use std::time::Duration;

use gitward_test_cluster::{Error, Result, Stage};

use crate::edits::{self, Editor, MALLORY};
use crate::fleet::converged_with;
use crate::picture::{self, Picture};

const NAMESPACES: [&str; 2] = ["shop", "data"];
const SCALE: &str = "scale deployment/web -n shop --replicas=7";

const LATER: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: later, namespace: shop}
data: {life: goes on}
";

/// gitward comes back first, where neither API server nor Git host are; then the control plane; the
/// Git host last. At each step what can be judged is judged by what was known before the stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_stop_and_start_needs_no_human() {
    let (mut stage, commit) = converged_with(edits::options(), |_| Ok(())).await.unwrap();
    edits::empower(&stage).await.unwrap();
    stage.wait_condition("Ready", "True", Duration::from_secs(120)).await.unwrap();
    autoscaled(&stage).await.unwrap();
    let before = declared(&stage).await.unwrap();
    stage.kill_everything();

    stage.start_gitward_alone().unwrap();
    ready(&stage).await.unwrap();

    stage.cluster.start_again().await.unwrap();
    denied(&stage, &commit).await.unwrap();
    stage.kill_webhook();
    reverted_without_git(&stage).await.unwrap();

    stage.host.start_again().unwrap();
    stage.start_webhook().await.unwrap();
    denied(&stage, &commit).await.unwrap();
    stage.wait_condition("Ready", "True", Duration::from_secs(120)).await.unwrap();
    let after = declared(&stage).await.unwrap();
    assert_eq!(picture::differences(&before, &after), Vec::<String>::new());

    stage.work.write("prod/shop/later.yaml", LATER).unwrap();
    let (commit, pushed) = stage.push("Life goes on").unwrap();
    assert!(pushed.success(), "{}", pushed.stderr);
    stage.wait_converged(&commit, Duration::from_secs(60)).await.unwrap();
    let mallory = Editor::new(&stage, MALLORY).unwrap();
    assert_eq!(mallory.get("configmap later -n shop").await.unwrap()["data"]["life"], "goes on");
}

/// The autoscaler has raised what it scales to its lower bound.
async fn autoscaled(stage: &Stage) -> Result<()> {
    let mallory = Editor::new(stage, MALLORY)?;
    let raised = async || {
        Ok((mallory.get("rs -n shop -l app=checkout").await?["items"][0]["status"]["readyReplicas"] == 2).then_some(()))
    };
    stage.wait_for("two replicas of checkout", Duration::from_secs(90), raised).await
}

/// What the cluster holds, without the Pods, which come and go with their nodes, without Jobs, which go by
/// themselves when their time is over, and without the counters that an edit and its revert leave behind.
async fn declared(stage: &Stage) -> Result<Picture> {
    let mut picture = picture::take(&stage.cluster.client().await?, &NAMESPACES).await?;
    picture.retain(|key, _| !key.starts_with("Pod/") && !key.starts_with("Job/"));
    for object in picture.values_mut() {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("generation");
        }
    }
    Ok(picture)
}

/// The webhook is ready by its state directory alone.
async fn ready(stage: &Stage) -> Result<()> {
    for _ in 0..600 {
        if stage.webhook_ready().await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let last = stage.webhook_ready().await;
    Err(Error::Invalid(format!("the webhook is not ready: {last:?}\n{}", stage.log_tails())))
}

async fn denied(stage: &Stage, commit: &str) -> Result<()> {
    let output = Editor::new(stage, MALLORY)?.kubectl(SCALE, "").await?;
    let text = &output.stderr;
    if !output.success() && text.contains("prod/shop/web.yaml:") && text.contains(&commit[..12]) {
        return Ok(());
    }
    Err(Error::Invalid(format!("not denied as it must be: {}{text}\n{}", output.stdout, stage.log_tails())))
}

/// With the webhook gone the edit gets in; the reconciler, which has not reached Git since the stop,
/// brings it back.
async fn reverted_without_git(stage: &Stage) -> Result<()> {
    let mallory = Editor::new(stage, MALLORY)?;
    stage.unregister_webhook().await?;
    mallory.kubectl(SCALE, "").await?.checked()?;
    let reverted = async || Ok((mallory.get("deployment web -n shop").await?["spec"]["replicas"] == 2).then_some(()));
    stage.wait_for("the revert of the edit", Duration::from_secs(60), reverted).await
}
