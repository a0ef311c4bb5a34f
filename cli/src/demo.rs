//! `gitward demo`: the whole of gitward at work, on a control plane of its own or in a cluster that
//! is there.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;
use gitward_test_cluster::{ControlPlane, Options, Progress, Stage, TestCluster};
use tokio_util::sync::CancellationToken;

use crate::Outcome;
use crate::fault::Fault;
use crate::webhook::stop_at_signal;

use self::fleet::Fleet;
use self::guest::Guest;
use self::narrator::Narrator;
use self::play::Play;

mod afterwards;
mod edits;
mod fleet;
mod guest;
mod narrator;
mod play;
mod sight;

/// Arguments of `gitward demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// End after the play instead of staying up; the exit code says whether all went as told.
    #[arg(long)]
    once: bool,
    /// Play in the cluster of this kubeconfig, in namespaces of its own, and take everything back
    /// at the end.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Do not ask before the cluster of --kubeconfig is written to.
    #[arg(long, requires = "kubeconfig")]
    yes: bool,
}

/// Somebody who may do everything, and is judged as everybody is.
const ALICE: &str = "alice";
/// Her group, which is bound to cluster-admin.
const PEOPLE: &str = "gitward-demo-people";

/// Nodes that run the Pods, in a control plane of the demo's own.
const NODES: usize = 2;

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let done = runtime.block_on(demo(args));
    // What was interrupted may still wait for a build or an answer; nobody waits for that.
    runtime.shutdown_background();
    done
}

async fn demo(args: &Args) -> anyhow::Result<Outcome> {
    let say = Narrator::new();
    needs_git()?;
    let stop = CancellationToken::new();
    stop_at_signal(stop.clone())?;
    let Some(kubeconfig) = &args.kubeconfig else {
        return play(args, Fleet::Own, own_stage(say), say, &stop).await;
    };
    let Some(guest) = stop.run_until_cancelled(Guest::arrive(kubeconfig, args.yes, say)).await else {
        return Ok(interrupted(say));
    };
    let guest = guest?;
    let outcome = play(args, Fleet::Guest, guest.stage(), say, &stop).await;
    // However it went, the cluster gets back what was taken.
    let left = guest.leave(say).await;
    let outcome = outcome?;
    left.map(|()| outcome)
}

/// Sets the stage, plays, and stays up if that is wanted. When this ends, or is interrupted, every
/// process and every file of the demo is gone.
async fn play(
    args: &Args,
    fleet: Fleet,
    stage: impl Future<Output = anyhow::Result<Stage<TestCluster>>>,
    say: Narrator,
    stop: &CancellationToken,
) -> anyhow::Result<Outcome> {
    let Some(stage) = stop.run_until_cancelled(stage).await else { return Ok(interrupted(say)) };
    let mut stage = stage?;
    let mut play = Play::new(&mut stage, fleet, say).await?;
    match stop.run_until_cancelled(play.all()).await {
        None => return Ok(interrupted(say)),
        Some(Err(error)) => {
            say.fails("the demo did not do what it says");
            say.quote(&format!("{error:#}\n{}", stage.log_tails()));
            return Ok(Outcome::Findings);
        }
        Some(Ok(())) => {}
    }
    if args.once {
        say.act("Everything went as told.");
        return Ok(Outcome::Clean);
    }
    afterwards::tell(&play);
    stop.run_until_cancelled(afterwards::alerts(&play)).await;
    say.act("Stopping, and removing what the demo made.");
    Ok(Outcome::Clean)
}

fn interrupted(say: Narrator) -> Outcome {
    say.fails("interrupted before the end");
    Outcome::Findings
}

/// A control plane of the demo's own, with everything that gitward consists of.
async fn own_stage(say: Narrator) -> anyhow::Result<Stage<TestCluster>> {
    say.act("Preparing a control plane: etcd, the API server, its controllers, two simulated nodes");
    let options = Options {
        people: vec![(ALICE.to_owned(), vec![PEOPLE.to_owned()])],
        progress: Progress::to(move |line| say.progress(line)),
        ..Options::with_nodes(NODES)
    };
    let control_plane = TestCluster::Own(Box::new(ControlPlane::start(options).await?));
    Ok(Stage::set_on(control_plane, &gitward()?, Fleet::Own.environment()).await?)
}

/// This program: the hooks, the webhook and the reconciler of the demo are it, too.
fn gitward() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("cannot tell where this program is")
}

/// Better said before minutes are spent on building a control plane.
fn needs_git() -> anyhow::Result<()> {
    let asked = Command::new("git").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if asked.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Fault::new("there is no working git on PATH", "install Git (https://git-scm.com) and try again").into())
}
