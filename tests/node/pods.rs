//! The webhook's Pods on the node, from outside and from within.

use std::fs;
use std::path::{Path, PathBuf};

use gitward_test_cluster::Cluster;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::sandbox::{self, Within};

/// One of the webhook's Pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) name: String,
    /// The running container's id; another after every start.
    pub(crate) container: String,
    pub(crate) is_ready: bool,
}

/// The webhook's Pods that are not being deleted, by name.
pub(crate) async fn of_the_webhook(cluster: &Cluster) -> Vec<Pod> {
    let selector = "--selector=app.kubernetes.io/name=gitward-webhook";
    let output = cluster.kubectl(&["get", "pods", "-n", "gitward-system", selector, "-o", "json"]).await.unwrap();
    let list: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    let staying = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
    list["items"].as_array().into_iter().flatten().filter(staying).map(pod).collect()
}

fn pod(pod: &Value) -> Pod {
    let status = &pod["status"]["containerStatuses"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Pod {
        name: text(&pod["metadata"]["name"]),
        container: text(&status["containerID"]).trim_start_matches("containerd://").to_owned(),
        is_ready: status["ready"] == true,
    }
}

/// Kills the processes of a container without asking them.
pub(crate) fn kill(within: &Within, container: &str) {
    let cgroups = cgroups(within).into_iter().filter(|cgroup| cgroup.ends_with(container));
    let killed = kill_those_in(cgroups);
    assert!(killed > 0, "{container} has no process");
}

/// Kills every container, and what stands beside each.
pub(crate) fn kill_all(within: &Within) {
    for process in sandbox::folders(Path::new("/proc")) {
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        // The kernel keeps fifteen bytes of it.
        if name.starts_with("containerd-shim")
            && let Some(id) = process.file_name().and_then(|id| id.to_str()?.parse().ok()).and_then(Pid::from_raw)
        {
            let _ = kill_process(id, Signal::KILL);
        }
    }
    // What was just being started is there at the next look.
    while kill_those_in(cgroups(within).into_iter()) > 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn kill_those_in(cgroups: impl Iterator<Item = PathBuf>) -> usize {
    let processes = cgroups.filter_map(|cgroup| fs::read_to_string(cgroup.join("cgroup.procs")).ok());
    let ids: Vec<Pid> = processes
        .flat_map(|text| text.lines().filter_map(|l| l.parse().ok()).collect::<Vec<i32>>())
        .filter_map(Pid::from_raw)
        .collect();
    for &id in &ids {
        // It may have ended by itself.
        let _ = kill_process(id, Signal::KILL);
    }
    ids.len()
}

/// All cgroups of the sandbox.
fn cgroups(within: &Within) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        sandbox::hierarchies().iter().map(|hierarchy| hierarchy.join(&within.cgroup)).collect();
    let mut next = 0;
    while let Some(cgroup) = found.get(next) {
        let children = sandbox::folders(cgroup);
        found.extend(children);
        next += 1;
    }
    found
}

/// The logs of the containers of gitward's Pods.
pub(crate) fn logs() -> Vec<PathBuf> {
    let pods = sandbox::folders(Path::new("/var/log/pods"));
    let containers = pods
        .iter()
        .filter(|pod| pod.to_string_lossy().contains("gitward-system_"))
        .flat_map(|pod| sandbox::folders(pod));
    let files = containers.flat_map(|container| fs::read_dir(container).into_iter().flatten().flatten());
    files.map(|file| file.path()).collect()
}
