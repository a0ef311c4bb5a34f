//! The demo, as a reader of the README runs it, and as a guest in a cluster of others.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use gitward_test_cluster::{Cluster, ControlPlane, Options};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::fleet::gitward;

/// What has to be told, in this order: each line was checked before it was printed.
const TOLD: [&str; 12] = [
    "converged: commit",
    "prod/shop/basket.yaml:8:3",
    "fix: Did you mean `replicas`?",
    "✓ rejected: main is still at",
    "✓ accepted: main is at",
    "✓ denied: Deployment web is as it was",
    "✓ denied: there is no ConfigMap backdoor",
    "after the deletion: the webhook watches its own configuration",
    "✓ reverted",
    "and edits are denied again",
    "✓ the Deployment web runs registry.example.org/shop/web:1.5.0",
    "✓ pruned: the basket's Deployment and Service are gone from the cluster",
];

/// Everything in a cluster that has no namespace, and what gitward told about it.
const INVENTORY: [&str; 4] = [
    "get",
    "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,storageclasses,\
     persistentvolumes,validatingwebhookconfigurations,events",
    "--namespace=default",
    "--output=name",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_does_what_it_says_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(&[], folder.path()).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    told(&said);
    assert_eq!(said.matches("✓ denied").count(), 7, "{said}");
    assert_eq!(said.matches("✓ reverted").count(), 6, "{said}");
    assert_eq!(said.matches("Warning Diverged").count(), 6, "{said}");
    assert!(!said.contains('\x1b'), "colours, though nobody sees them");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_asks_and_takes_everything_back() {
    let cluster = ControlPlane::start(Options::with_nodes(1)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = cluster.admin_kubeconfig().to_str().unwrap();
    let before = inventory(&cluster).await;

    let unasked = demo(&["--kubeconfig", kubeconfig], folder.path()).output().await.unwrap();
    assert_eq!(unasked.status.code(), Some(2), "{unasked:?}");
    assert!(String::from_utf8_lossy(&unasked.stderr).contains("--yes"), "{unasked:?}");
    assert_eq!(inventory(&cluster).await, before);

    let arguments = ["--kubeconfig", kubeconfig, "--yes"];
    let output = demo(&arguments, folder.path()).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    told(&said);
    assert_eq!(inventory(&cluster).await, before);

    let mut interrupted = demo(&arguments, folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(interrupted.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("3.1 ") {
            let process = interrupted.id().unwrap().to_string();
            Command::new("kill").args(["-INT", &process]).status().await.unwrap();
        }
        said.push_str(&line);
        said.push('\n');
    }
    assert_eq!(interrupted.wait().await.unwrap().code(), Some(1), "{said}");
    assert!(said.contains("interrupted before the end"), "{said}");
    assert_eq!(inventory(&cluster).await, before, "{said}");
}

fn demo(arguments: &[&str], temporary: &Path) -> Command {
    let mut command = Command::new(gitward());
    command.args(["demo", "--once"]).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command.env("TMPDIR", temporary).env_remove("KUBECONFIG");
    command
}

fn told(said: &str) {
    let mut rest = said;
    for line in TOLD {
        let Some((_, after)) = rest.split_once(line) else { panic!("{line:?} is not told in its turn in\n{said}") };
        rest = after;
    }
}

/// What is in the cluster; what is on its way out is waited for.
async fn inventory(cluster: &Cluster) -> Vec<String> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let listed = cluster.kubectl(&INVENTORY).await.unwrap().checked().unwrap();
    let mut names: Vec<String> = listed.lines().map(str::to_owned).collect();
    // The nodes come and tell so themselves.
    names.retain(|name| !name.starts_with("event/node-"));
    names.sort();
    names
}
