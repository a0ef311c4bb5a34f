//! What a starter that is killed leaves behind: nothing that runs.

use std::process::Command;
use std::time::{Duration, Instant};

use gitward_test_cluster::{ControlPlane, Options};

/// Set in the process that is to be killed; it names the file to say in that it is ready.
const STARTER: &str = "GITWARD_TEST_STARTER";

fn running(word: &str) -> usize {
    let output = Command::new("ps").args(["-eo", "stat=,args="]).output().unwrap();
    let listing = String::from_utf8_lossy(&output.stdout).into_owned();
    listing.lines().filter(|line| !line.starts_with('Z') && line.contains(word)).count()
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn nothing_runs_on_when_the_starter_is_killed() {
    if let Some(ready) = std::env::var_os(STARTER) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let cluster = runtime.block_on(ControlPlane::start(Options::default())).unwrap();
        std::fs::write(ready, cluster.folder().display().to_string()).unwrap();
        std::thread::sleep(Duration::from_secs(600));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let mut starter = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nothing_runs_on_when_the_starter_is_killed"])
        .env(STARTER, &ready)
        // The control plane's folder, which nobody is left to remove, goes with this one.
        .env("TMPDIR", folder.path())
        .spawn()
        .unwrap();
    let its_folder = || std::fs::read_to_string(&ready).unwrap_or_default();
    wait_for("the control plane did not start", || !its_folder().is_empty());
    assert!(running(&its_folder()) >= 3);
    starter.kill().unwrap();
    starter.wait().unwrap();
    wait_for("processes are left", || running(&its_folder()) == 0);
}
