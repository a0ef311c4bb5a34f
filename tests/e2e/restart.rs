//! Everything is killed and started again, and nobody lends a hand.

use std::time::Duration;

use crate::fleet::converged;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stop_and_start_needs_no_human() {
    let (mut stage, commit) = converged().await.unwrap();
    stage.kill_everything();
    stage.start_everything().await.unwrap();
    stage.wait_converged(&commit, Duration::from_secs(60)).await.unwrap();
    stage
        .wait_for("an edit that is denied again", Duration::from_secs(60), async || {
            let edit =
                stage.cluster.kubectl(&["-n", "shop", "label", "--overwrite", "configmap/web", "owner=me"]).await?;
            Ok((!edit.success() && edit.stderr.contains("prod/shop/web.yaml")).then_some(()))
        })
        .await
        .unwrap();
    let label = ["-n", "shop", "get", "configmap/web", "-o", "jsonpath={.metadata.labels.owner}"];
    let left = stage.cluster.kubectl(&label).await.unwrap();
    assert_eq!(left.stdout, "", "what got in before the webhook was back has been reverted");
}
