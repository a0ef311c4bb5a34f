//! Starts a control plane with simulated nodes and a Git host, says how to reach them, and keeps
//! them until it is interrupted: `cargo run -p gitward-test-cluster --example up`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::time::Instant;

use gitward_test_cluster::{ControlPlane, GitHost, Options, Progress};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let progress = Progress::to(|line| eprintln!("{line}"));
    let control_plane = ControlPlane::start(Options { progress, ..Options::with_nodes(2) }).await?;
    let host = GitHost::start(control_plane.folder().join("repositories"))?;
    let repository = host.create_repository("demo")?;
    println!("ready after {:.1?}", started.elapsed());
    println!("export KUBECONFIG={}", control_plane.admin_kubeconfig().display());
    println!("git clone {}", repository.url());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
