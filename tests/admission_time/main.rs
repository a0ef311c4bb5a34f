//! What a write to a governed kind costs through a real API server:
//! `cargo bench -p gitward --bench api-server [-- WRITES]`.
//!
//! The same PUT of a Deployment of some kilobytes, one after the other over one connection, with no
//! webhook, with one that does nothing, and with gitward; in rounds, so that all three see the
//! same machine.

#![allow(clippy::print_stdout, reason = "a program that prints figures")]

use std::path::Path;
use std::time::{Duration, Instant};

use gitward_test_cluster::{Options, Stage};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::PostParams;

mod noop;
mod repository;

use noop::Noop;

const ROUNDS: usize = 3;

const WITHIN: Duration = Duration::from_secs(60);

/// An API server learns of a changed registration within moments.
const MOMENT: Duration = Duration::from_secs(1);

fn main() {
    let writes = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(300);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(writes));
}

async fn measure(writes: usize) {
    let (mut stage, alice) = open().await;
    let noop = Noop::start(stage.cluster.folder()).await;
    let mut found: [Vec<Duration>; 3] = Default::default();
    for _ in 0..ROUNDS {
        found[2].extend(write(&alice, writes).await);
        let gitward = stage.webhook_configuration();
        stage.kill_webhook();
        unregister(&stage, &gitward).await;
        found[0].extend(write(&alice, writes).await);
        let registered = stage.cluster.apply(&noop.registration()).await.unwrap();
        assert!(registered.success(), "{}", registered.stderr);
        tokio::time::sleep(MOMENT).await;
        found[1].extend(write(&alice, writes).await);
        unregister(&stage, noop::NAME).await;
        stage.start_webhook().await.unwrap();
        tokio::time::sleep(MOMENT).await;
    }
    println!("PUT of a Deployment    median       p99   times no webhook");
    let base = quantile(&mut found[0], 0.5);
    for (name, latencies) in ["no webhook", "a no-op webhook", "gitward"].iter().zip(&mut found) {
        let median = quantile(latencies, 0.5);
        println!(
            "{name:20} {:>6} µs {:>6} µs   {:.2}",
            median.as_micros(),
            quantile(latencies, 0.99).as_micros(),
            median.as_secs_f64() / base.as_secs_f64()
        );
    }
}

/// A converged environment, and alice's way to its Deployments. The reconciler and the controllers
/// are away, so that the writes are all there is.
async fn open() -> (Stage, Api<Deployment>) {
    let options = Options { controller_manager: false, ..Options::default() };
    let mut stage = Stage::set(Path::new(env!("CARGO_BIN_EXE_gitward")), options).await.unwrap();
    let alice = stage.cluster.person_kubeconfig("alice", &[]).unwrap();
    let bound = ["create", "clusterrolebinding", "alice", "--clusterrole=cluster-admin", "--user=alice"];
    assert!(stage.cluster.kubectl(&bound).await.unwrap().success());
    for (file, content) in repository::files() {
        stage.work.write(file, content).unwrap();
    }
    stage.open("Open the shop", WITHIN).await.unwrap();
    stage.kill_reconciler();
    let client = stage.cluster.client_for(alice).await.unwrap();
    (stage, Api::namespaced(client, "shop"))
}

async fn unregister(stage: &Stage, name: &str) {
    let deleted = stage.cluster.kubectl(&["delete", "validatingwebhookconfiguration", name]).await.unwrap();
    assert!(deleted.success(), "{}", deleted.stderr);
    tokio::time::sleep(MOMENT).await;
}

/// Writes that Git exempts: each changes an annotation.
async fn write(deployments: &Api<Deployment>, writes: usize) -> Vec<Duration> {
    let mut object = deployments.get("web").await.unwrap();
    let mut latencies = Vec::new();
    for i in 0..writes {
        let annotations = object.metadata.annotations.get_or_insert_default();
        annotations.insert("written".to_owned(), format!("{i} of {writes}"));
        let began = Instant::now();
        object = deployments.replace("web", &PostParams::default(), &object).await.unwrap();
        latencies.push(began.elapsed());
    }
    latencies
}

fn quantile(latencies: &mut [Duration], q: f64) -> Duration {
    latencies.sort_unstable();
    latencies[((latencies.len() - 1) as f64 * q) as usize]
}
