//! `deploy/` as a user applies it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gitward_test_cluster::{Options, Result, Stage};
use serde_json::Value;

use crate::fleet::gitward;

const WITHIN: Duration = Duration::from_secs(90);

fn deploy() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").display().to_string()
}

async fn list(stage: &Stage, kind: &str) -> Result<Vec<Value>> {
    let output = stage.cluster.kubectl(&["get", kind, "-n", "gitward-system", "-o", "json"]).await?.checked()?;
    let list: Value = serde_json::from_str(&output).unwrap_or_default();
    Ok(list["items"].as_array().cloned().unwrap_or_default())
}

const OF_THE_WORKLOADS: &[&str] = &["deployments", "poddisruptionbudgets", "networkpolicies"];
const OF_THE_FENCE: &[&str] = &["validatingadmissionpolicies", "validatingadmissionpolicybindings"];

/// How often what is specified was changed, by object.
async fn generations(stage: &Stage, kinds: &[&str]) -> Result<Vec<(String, Value)>> {
    let mut found = Vec::new();
    for kind in kinds {
        for object in list(stage, kind).await? {
            found.push((format!("{kind}/{}", object["metadata"]["name"]), object["metadata"]["generation"].clone()));
        }
    }
    assert!(found.len() >= 2 * kinds.len(), "{found:?}");
    Ok(found)
}

/// The stage has installed the accounts and definitions by single files before; applying all of it
/// once more must change nothing of them.
#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_applies_without_a_warning_and_its_pods_are_let_in_and_become_ready() {
    let stage = Stage::set(gitward(), Options::with_nodes(2)).await.unwrap();
    let file = format!("{}/fence.yaml", deploy());
    stage.cluster.kubectl(&["apply", "-f", &file]).await.unwrap().checked().unwrap();
    let fence = generations(&stage, OF_THE_FENCE).await.unwrap();
    for more in [&["--dry-run=server"][..], &[]] {
        let applied = stage.cluster.kubectl(&[&["apply", "-k", &deploy()], more].concat()).await.unwrap();
        assert!(applied.success(), "{more:?}: {}", applied.stderr);
        assert_eq!(applied.stderr, "", "{more:?}: no warning, that of Pod Security included");
    }
    // kustomize writes manifests anew, and what it makes of a folded text is another text: the
    // reconciler would take it for somebody's change.
    assert_eq!(generations(&stage, OF_THE_FENCE).await.unwrap(), fence, "the fence is as shipped");
    // kubectl says of some kinds that it configured them whenever it looks at them.
    let before = generations(&stage, OF_THE_WORKLOADS).await.unwrap();
    stage.cluster.kubectl(&["apply", "-k", &deploy()]).await.unwrap().checked().unwrap();
    assert_eq!(generations(&stage, OF_THE_WORKLOADS).await.unwrap(), before, "applied again it changes nothing");

    // The Pods are made by the controllers, in a namespace that enforces the restricted profile and
    // behind the fence, and the simulated nodes say that they run.
    let available = async || {
        let ready = |d: &Value| d["status"]["availableReplicas"] == 2;
        let deployments = list(&stage, "deployments").await?;
        Ok((deployments.len() == 2 && deployments.iter().all(ready)).then_some(()))
    };
    stage.wait_for("two replicas of each", WITHIN, available).await.unwrap();
    let budget = async || {
        let budgets = list(&stage, "poddisruptionbudgets").await?;
        Ok((budgets.len() == 2 && budgets.iter().all(|b| b["status"]["disruptionsAllowed"] == 1)).then_some(()))
    };
    stage.wait_for("one of each may be disrupted", WITHIN, budget).await.unwrap();
    let slices = async || {
        let slices = list(&stage, "endpointslices").await?;
        let endpoints: Vec<&Value> = slices.iter().filter_map(|s| s["endpoints"].as_array()).flatten().collect();
        let ports = slices.iter().all(|s| s["ports"][0]["port"] == 9443);
        Ok((endpoints.len() == 2 && ports).then_some(()))
    };
    stage.wait_for("the Service to have both", WITHIN, slices).await.unwrap();
}

/// The documents of a file of `deploy/`, read by the API server's own client.
fn workloads(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(PathBuf::from(deploy()).join(file)).unwrap();
    let (manifests, findings) = gitward_core::manifest::read(
        &std::sync::Arc::from(file),
        text.as_bytes(),
        &gitward_core::manifest::Limits::default(),
    );
    assert!(findings.is_empty(), "{findings:?}");
    manifests.into_iter().map(|m| m.value.as_ref().clone()).collect()
}

/// The binary takes the arguments that the manifests give it: it fails for want of a cluster, and
/// for nothing before that.
#[test]
fn the_binary_understands_the_arguments_of_the_manifests() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["webhook.yaml", "reconciler.yaml"] {
        let workloads = workloads(file);
        let deployment = workloads.iter().find(|w| w["kind"] == "Deployment").unwrap();
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let arguments = container["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap());
        let state = format!("--state-dir={}", folder.path().join(file).display());
        let here = |a: &str| if a.starts_with("--state-dir=") { state.clone() } else { a.to_owned() };
        let mut command = Command::new(gitward());
        command.args(arguments.map(here)).env_remove("KUBECONFIG").env("HOME", folder.path());
        for variable in container["env"].as_array().unwrap() {
            command.env(variable["name"].as_str().unwrap(), variable["value"].as_str().unwrap());
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("no cluster is named"), "{file}: {said}");
        let port = &container["ports"][0];
        let (name, number) = (port["name"].as_str().unwrap(), port["containerPort"].to_string());
        assert!(
            command.get_args().any(|a| a.to_string_lossy().ends_with(&format!(":{number}"))),
            "{file}: it listens there"
        );
        for probe in ["livenessProbe", "readinessProbe"] {
            assert_eq!(container[probe]["httpGet"]["port"], name, "{file}: {probe}");
        }
    }
}
