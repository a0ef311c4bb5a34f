//! What gitward costs at rest and under edits: `cargo bench -p gitward --bench scale [-- OBJECTS]`.
//!
//! So many ConfigMaps in 20 namespaces are declared, converged and left alone; then edited a hundred times a
//! second, first with the admission gate, which denies every edit, then without, so that the reconciler
//! brings every one back. Printed: how long it took, and memory and CPU of both processes meanwhile.

#![allow(clippy::print_stdout, reason = "a program that prints figures")]

use std::path::Path;
use std::time::{Duration, Instant};

use futures::StreamExt;
use gitward_test_cluster::{Options, Stage};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

const NAMESPACES: usize = 20;
const AN_HOUR: Duration = Duration::from_secs(3600);
const REST: Duration = Duration::from_secs(30);
const EDITS_A_SECOND: u32 = 100;
const EDITING: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() {
    let objects = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(10_000);
    let mut stage = Stage::set(Path::new(env!("CARGO_BIN_EXE_gitward")), Options::default()).await.unwrap();
    plant(&stage, objects);
    let began = Instant::now();
    stage.open("Everything", AN_HOUR).await.unwrap();
    println!("{objects} objects pushed and converged after {:.1} s", began.elapsed().as_secs_f64());

    let measured = Measured::begin(&stage);
    tokio::time::sleep(REST).await;
    measured.end(&stage, "at rest");

    let client = stage.cluster.client().await.unwrap();
    let measured = Measured::begin(&stage);
    let (made, denied) = edit(&client, objects).await;
    measured.end(&stage, &format!("while {denied} of {made} edits are denied"));

    stage.remove_webhook().await.unwrap();
    let measured = Measured::begin(&stage);
    let (made, denied) = edit(&client, objects).await;
    let began = Instant::now();
    while differing(&client).await > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let last = began.elapsed().as_secs_f64();
    measured.end(&stage, &format!("while {} edits get in and are brought back", made - denied));
    println!("the last one was back {last:.1} s after the last edit");
}

fn plant(stage: &Stage, objects: usize) {
    let names: Vec<String> = (0..NAMESPACES).map(|n| format!("scale-{n}")).collect();
    let configuration = format!(
        "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nstarterPolicies: false\nenvironments:\n\
         - {{name: prod, ref: refs/heads/main, path: prod, namespaces: [{}]}}\n",
        names.join(", ")
    );
    stage.work.write("gitward.yaml", configuration).unwrap();
    for (i, namespace) in names.iter().enumerate() {
        let mut text = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}).to_string();
        for n in (i..objects).step_by(NAMESPACES) {
            let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": format!("settings-{n}"), "namespace": namespace, "labels": {"app": "scale"}},
                "data": {"colour": "blue", "text": "x".repeat(400)}});
            text.push_str(&format!("\n---\n{object}"));
        }
        stage.work.write(&format!("prod/{namespace}.yaml"), text).unwrap();
    }
}

/// Edits one object after the other, so many a second; how many were made, and how many of them denied.
async fn edit(client: &Client, objects: usize) -> (u32, u32) {
    let edits = EDITS_A_SECOND * u32::try_from(EDITING.as_secs()).unwrap_or(u32::MAX);
    let began = Instant::now();
    let answers = (0..edits).map(|edit| async move {
        tokio::time::sleep_until((began + edit * Duration::from_secs(1) / EDITS_A_SECOND).into()).await;
        let n = edit as usize % objects;
        let api: Api<ConfigMap> = Api::namespaced(client.clone(), &format!("scale-{}", n % NAMESPACES));
        let patch = Patch::Merge(json!({"data": {"colour": format!("red-{edit}")}}));
        api.patch_metadata(&format!("settings-{n}"), &PatchParams::default(), &patch).await.is_err()
    });
    let denied = futures::stream::iter(answers).buffer_unordered(64).filter(|denied| std::future::ready(*denied));
    let denied = denied.count().await;
    (edits, u32::try_from(denied).unwrap_or(u32::MAX))
}

async fn differing(client: &Client) -> usize {
    let api: Api<ConfigMap> = Api::all(client.clone());
    let all = api.list(&kube::api::ListParams::default().labels("app=scale")).await.unwrap();
    all.iter().filter(|c| c.data.as_ref().and_then(|d| d.get("colour")).is_none_or(|c| c != "blue")).count()
}

/// CPU time of both processes since a moment.
struct Measured {
    began: Instant,
    webhook: f64,
    reconciler: f64,
}

impl Measured {
    fn begin(stage: &Stage) -> Self {
        Self { began: Instant::now(), webhook: cpu(stage.webhook_pid()), reconciler: cpu(stage.reconciler_pid()) }
    }

    fn end(self, stage: &Stage, what: &str) {
        let percent = |before: f64, pid| 100.0 * (cpu(pid) - before).max(0.0) / self.began.elapsed().as_secs_f64();
        println!(
            "{what}, {:.0} s: webhook {} MiB, {:.1} % of a core; reconciler {} MiB, {:.1} % of a core",
            self.began.elapsed().as_secs_f64(),
            memory(stage.webhook_pid()),
            percent(self.webhook, stage.webhook_pid()),
            memory(stage.reconciler_pid()),
            percent(self.reconciler, stage.reconciler_pid()),
        );
    }
}

/// Resident memory in MiB; 0 where there is no process.
fn memory(pid: Option<u32>) -> u64 {
    let status = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok()).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// User and system time in seconds; 0 where there is no process.
fn cpu(pid: Option<u32>) -> f64 {
    let stat = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()).unwrap_or_default();
    // The fields after the name, which may hold anything: the 12th and 13th of them, in ticks.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = fields.iter().skip(11).take(2).filter_map(|f| f.parse::<f64>().ok()).sum();
    ticks / 100.0
}
