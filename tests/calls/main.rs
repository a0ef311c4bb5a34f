//! What a quiet and a busy cluster ask: `cargo bench -p gitward --bench calls [-- SECONDS]`.
//!
//! A real control plane with simulated nodes runs a shop that gitward governs. Beside gitward's own
//! registration stand three others, of a webhook that counts and lets pass: a copy of gitward's; the
//! same rules without any condition; and everything. Printed, for a quiet and for a busy while: calls a
//! minute, by operation, resource and account.

#![allow(clippy::print_stdout, reason = "a program that prints figures")]

use std::path::Path;
use std::time::{Duration, Instant};

use gitward_test_cluster::{Options, Stage};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, EvictParams, ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

mod shop;
mod spy;

use spy::Spy;

const WITHIN: Duration = Duration::from_secs(180);

/// An API server learns of a changed registration within moments; controllers come to rest after a
/// commit.
const REST: Duration = Duration::from_secs(20);

/// Between two things that somebody does in a busy cluster.
const STEP: Duration = Duration::from_secs(5);

fn main() {
    let seconds = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(180);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(Duration::from_secs(seconds)));
}

async fn measure(each: Duration) {
    let mut stage = Stage::set(Path::new(env!("CARGO_BIN_EXE_gitward")), Options::with_nodes(3)).await.unwrap();
    let alice = empowered(&stage).await;
    for (file, text) in shop::files() {
        stage.work.write(&file, text).unwrap();
    }
    stage.open("Open the shop", WITHIN).await.unwrap();
    stage.wait_condition("Ready", "True", WITHIN).await.unwrap();
    let spy = Spy::start(stage.cluster.folder()).await;
    spy.register(&stage).await;
    tokio::time::sleep(REST).await;

    spy.forget();
    let before = decided(&stage).await;
    tokio::time::sleep(each).await;
    spy.tell("quiet", each, decided(&stage).await - before);

    spy.forget();
    let (before, began) = (decided(&stage).await, Instant::now());
    let deeds = keep_busy(&stage, &alice, each).await;
    println!("\nin {} s: {deeds}", began.elapsed().as_secs());
    spy.tell("busy", began.elapsed(), decided(&stage).await - before);
}

/// Alice, whom RBAC lets do everything.
async fn empowered(stage: &Stage) -> Client {
    let alice = stage.cluster.person_kubeconfig("alice", &[]).unwrap();
    let bound = ["create", "clusterrolebinding", "alice", "--clusterrole=cluster-admin", "--user=alice"];
    stage.cluster.kubectl(&bound).await.unwrap().checked().unwrap();
    stage.cluster.client_for(alice).await.unwrap()
}

/// Reviews that gitward has answered.
async fn decided(stage: &Stage) -> u64 {
    let text = stage.webhook_metrics().await.unwrap();
    let counts = text.lines().filter(|l| l.starts_with("gitward_webhook_decisions_total"));
    counts.filter_map(|l| l.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// Commits, evictions and edits in turn; how many of each.
async fn keep_busy(stage: &Stage, alice: &Client, each: Duration) -> String {
    let began = Instant::now();
    let (mut commits, mut evicted, mut edits) = (0, 0, 0);
    for turn in 0.. {
        if began.elapsed() >= each {
            break;
        }
        match turn % 4 {
            0 | 2 => {
                let (file, text) = shop::changed(commits);
                stage.work.write(&file, text).unwrap();
                stage.push(&format!("Change {commits}")).unwrap().1.checked().unwrap();
                commits += 1;
            }
            1 => evicted += usize::from(evict(alice).await),
            _ => {
                let patch = Patch::Merge(json!({"data": {"colour": format!("red-{turn}")}}));
                let settings: Api<k8s_openapi::api::core::v1::ConfigMap> = Api::namespaced(alice.clone(), shop::SHOP);
                let denied = settings.patch("settings-0", &PatchParams::default(), &patch).await.is_err();
                assert!(denied, "an edit behind Git's back got in");
                edits += 1;
            }
        }
        tokio::time::sleep(STEP).await;
    }
    format!("{commits} commits with a rollout each, {evicted} Pods evicted, {edits} edits denied, Jobs every minute")
}

/// Evicts the first Pod of the shop's that runs.
async fn evict(alice: &Client) -> bool {
    let pods: Api<Pod> = Api::namespaced(alice.clone(), shop::SHOP);
    let all = pods.list(&ListParams::default().labels("tier=front")).await.unwrap();
    let runs = |pod: &&Pod| {
        pod.metadata.deletion_timestamp.is_none()
            && pod.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Running")
    };
    let Some(name) = all.iter().find(runs).and_then(|p| p.metadata.name.clone()) else { return false };
    let eviction = EvictParams { delete_options: Some(DeleteParams::default()), ..EvictParams::default() };
    pods.evict(&name, &eviction).await.is_ok()
}
