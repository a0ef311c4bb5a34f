//! The story: converge, stay, deny, bring back.

use std::path::Path;
use std::time::{Duration, Instant};

use gitward_test_cluster::{Options, Stage};

use crate::data;

type Result<T> = std::result::Result<T, String>;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A stage whose repository declares every manifest, webhook and reconciler running.
async fn stage(folder: &Path) -> Result<(Stage, String)> {
    let options = Options {
        runtime_config: vec!["certificates.k8s.io/v1beta1/clustertrustbundles=true".to_owned()],
        feature_gates: vec!["ClusterTrustBundle=true".to_owned()],
        ..Options::with_nodes(2)
    };
    let mut stage = Stage::set(Path::new(env!("CARGO_BIN_EXE_gitward")), options).await.map_err(text)?;
    for (node, zone) in [("node-0", "za"), ("node-1", "zb")] {
        let labels = ["topology.kubernetes.io/region=ra", &format!("topology.kubernetes.io/zone={zone}")];
        let labelled = stage.cluster.kubectl(&[&["label", "node", node][..], &labels].concat()).await.map_err(text)?;
        if !labelled.success() {
            return Err(labelled.stderr);
        }
    }
    let documents = data::documents(folder, &stage.cluster.authority().map_err(text)?);
    stage.work.write("gitward.yaml", data::configuration(&documents)).map_err(text)?;
    let all: Vec<&str> = documents.iter().map(|d| d.text.trim_end()).collect();
    stage.work.write("prod/all.yaml", all.join("\n---\n") + "\n").map_err(text)?;
    let (commit, pushed) = stage.push("Every kind").map_err(text)?;
    if !pushed.success() {
        return Err(pushed.stderr);
    }
    stage.create_environment().await.map_err(text)?;
    stage.start_reconciler().await.map_err(text)?;
    stage.start_webhook().await.map_err(text)?;
    Ok((stage, commit))
}

/// Plays the whole story.
///
/// # Errors
/// What went otherwise than it should.
pub(crate) async fn play(folder: &Path) -> Result<()> {
    let began = Instant::now();
    let (stage, commit) = stage(folder).await?;
    let converged = stage.wait_converged(&commit, Duration::from_secs(60)).await;
    if let (Err(_), Ok(keep)) = (&converged, std::env::var("GITWARD_KEEP")) {
        let _ = std::fs::copy(stage.reconciler_log(), format!("{keep}/reconciler.log"));
        let _ = std::fs::copy(stage.webhook_log(), format!("{keep}/webhook.log"));
    }
    println!("{:?}: {}", began.elapsed(), converged.map_err(text)?);
    Ok(())
}
