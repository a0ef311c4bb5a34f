//! `gitward reconcile`: the runtime gate.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use gitward_reconciler::run::Options;
use gitward_reconciler::{lead, probes};
use tokio_util::sync::CancellationToken;

use crate::fault::Fault;
use crate::webhook::{GitArgs, credentials, poll, stop_at_signal};
use crate::{Outcome, start, telemetry};

/// Arguments of `gitward reconcile`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the Environment resource that says which repository and ref are followed.
    #[arg(long, env = "GITWARD_ENVIRONMENT", value_parser = start::environment)]
    environment: String,
    /// Kubeconfig file; without it the account of the Pod, or what kubectl would use.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Directory for the mirror of Git.
    #[arg(long, value_name = "DIR")]
    state_dir: PathBuf,
    /// How often Git is asked for a newer commit.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = poll)]
    poll: Duration,
    /// Put the fence (deploy/fence.yaml) up, and back whenever somebody changes or removes it.
    #[arg(long)]
    keep_fence: bool,
    /// How long a delegation is watched before it is told which of its bounds nobody was seen to need.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = long)]
    broader_after: Duration,
    /// Where it shows over HTTP that it lives, and its metrics; nowhere unless this is given.
    #[arg(long, value_name = "ADDRESS")]
    show: Option<SocketAddr>,
    /// How to reach Git.
    #[command(flatten)]
    git: GitArgs,
    /// What it tells about itself.
    #[command(flatten)]
    telemetry: telemetry::TelemetryArgs,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let _telemetry = telemetry::begin(&args.telemetry, "gitward-reconciler", &args.environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    runtime.block_on(serve(args))?;
    Ok(Outcome::Clean)
}

async fn serve(args: &Args) -> anyhow::Result<()> {
    let _held = start::state_dir(&args.state_dir)?;
    let connect = start::clients(args.kubeconfig.as_deref()).await?;
    let options = Options {
        environment: args.environment.clone(),
        state_dir: args.state_dir.clone(),
        poll: args.poll,
        credentials: credentials(&args.git)?,
        keep_fence: args.keep_fence,
        broader_after: args.broader_after,
        metrics: Arc::default(),
    };
    let shutdown = CancellationToken::new();
    stop_at_signal(shutdown.clone())?;
    if let Some(address) = args.show {
        let listener = TcpListener::bind(address).map_err(|error| {
            Fault::new(
                format!("cannot listen at {address}: {error}"),
                "name a free address of this machine with --show",
            )
        })?;
        tokio::spawn(probes::serve(listener, options.metrics.clone(), shutdown.clone()));
    }
    lead::run(Box::new(connect), options, shutdown).await?;
    Ok(())
}

/// Reads `30s`, `5m`, `12h` or `7d`.
fn long(text: &str) -> Result<Duration, String> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let read = |(unit, seconds): (char, u64)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(seconds);
    let seconds = units.into_iter().find_map(read);
    seconds.map(Duration::from_secs).ok_or_else(|| "takes a time, such as 12h or 7d".to_owned())
}
