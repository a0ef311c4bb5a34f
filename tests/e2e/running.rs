//! A process of gitward that a story starts by itself, beside those of the stage.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::fleet::gitward;

const SOON: Duration = Duration::from_secs(60);

/// A process of gitward, killed at the end.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a subcommand under a name of its own, which its log and its state directory have too.
    pub(crate) fn start(command: &str, kubeconfig: &Path, folder: &Path, name: &str, more: &[&str]) -> Self {
        let log = folder.join(format!("{name}-{command}.log"));
        let state = folder.join(format!("{name}-{command}"));
        let mut gitward = Command::new(gitward());
        gitward
            .args([command, "--environment=prod", "--poll=200ms", "--kubeconfig"])
            .arg(kubeconfig)
            .arg("--state-dir")
            .arg(state)
            .args(more)
            .env("NO_PROXY", "*")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap());
        Self { child: gitward.spawn().unwrap(), log }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < SOON, "it does not end: {}", self.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has said so far.
    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Lines with this in them.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.text().lines().filter(|line| line.contains(part)).count()
    }

    /// Waits until it has said this more often.
    pub(crate) async fn says_more(&mut self, part: &str, times: usize) {
        let started = Instant::now();
        while self.count(part) <= times {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {}", self.text());
            assert!(started.elapsed() < SOON, "{part:?} is not said: {}", self.text());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until it has said this as often.
    pub(crate) async fn says(&mut self, part: &str, times: usize) {
        self.says_more(part, times - 1).await;
        assert_eq!(self.count(part), times, "{part:?}: {}", self.text());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
