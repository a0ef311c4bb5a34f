//! `gitward webhook`: the admission gate.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use gitward_repo::Credentials;
use gitward_webhook::Options;
use gitward_webhook::certificate::Files;
use gitward_webhook::register::Address;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{Outcome, start, telemetry};

/// Arguments of `gitward webhook`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the Environment resource that says which repository and ref are followed.
    #[arg(long, env = "GITWARD_ENVIRONMENT", value_parser = start::environment)]
    environment: String,
    /// Kubeconfig file; without it the account of the Pod, or what kubectl would use.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Directory for the last good state: with it a restart needs neither API server nor Git.
    #[arg(long, value_name = "DIR")]
    state_dir: PathBuf,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9443")]
    listen: SocketAddr,
    /// Where the API server reaches this webhook, up to the path. Without it and without
    /// --service: https://ADDRESS of --listen.
    #[arg(long, conflicts_with = "service")]
    url: Option<String>,
    /// The Service by which the API server reaches this webhook.
    #[arg(long, value_name = "NAMESPACE/NAME[:PORT]")]
    service: Option<String>,
    /// How often Git is asked for a newer commit without a reason to.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = poll)]
    poll: Duration,
    /// Certificate chain (PEM), read again when it changes; without it the webhook is its own
    /// authority.
    #[arg(long, value_name = "FILE", requires_all = ["tls_key", "ca"])]
    tls_cert: Option<PathBuf>,
    /// Private key of --tls-cert (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// CA certificates that the API server is to trust --tls-cert by (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    ca: Option<PathBuf>,
    /// Share its own authority with other replicas, through the Secret gitward-webhook-ENVIRONMENT of
    /// gitward-system.
    #[arg(long, conflicts_with = "tls_cert")]
    share_authority: bool,
    /// Do not register with the API server, nor put the registration right when others change it.
    #[arg(long)]
    no_register: bool,
    /// Account whose dry runs of whole objects are let through: nothing comes of them, and it
    /// learns by them what the API server makes of each declared object.
    #[arg(long, value_name = "USER", default_value = "system:serviceaccount:gitward-system:gitward-reconciler")]
    learner: String,
    /// How long to go on answering after the word to end, until a Service sends nothing more here.
    #[arg(long, value_name = "TIME", value_parser = time)]
    drain: Option<Duration>,
    /// How to reach Git.
    #[command(flatten)]
    git: GitArgs,
    /// What it tells about itself.
    #[command(flatten)]
    telemetry: telemetry::TelemetryArgs,
}

/// How Git is told who asks.
#[derive(Debug, clap::Args)]
pub(crate) struct GitArgs {
    /// User name for Git over HTTPS.
    #[arg(long, value_name = "USER", requires = "git_password_file")]
    git_user: Option<String>,
    /// File with the password or token for Git over HTTPS.
    #[arg(long, value_name = "FILE", requires = "git_user")]
    git_password_file: Option<PathBuf>,
    /// File with the private key for Git over SSH.
    #[arg(long, value_name = "FILE", requires = "git_known_hosts", conflicts_with = "git_user")]
    git_ssh_key: Option<PathBuf>,
    /// File with the public keys of the Git host.
    #[arg(long, value_name = "FILE", requires = "git_ssh_key")]
    git_known_hosts: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let _telemetry = telemetry::begin(&args.telemetry, "gitward-webhook", &args.environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    runtime.block_on(serve(args))?;
    Ok(Outcome::Clean)
}

async fn serve(args: &Args) -> anyhow::Result<()> {
    let _held = start::state_dir(&args.state_dir)?;
    let client = start::client(args.kubeconfig.as_deref()).await?;
    let options = Options {
        environment: args.environment.clone(),
        state_dir: args.state_dir.clone(),
        listen: args.listen,
        address: address(args)?,
        poll: args.poll,
        certificate: match (&args.tls_cert, &args.tls_key, &args.ca) {
            (Some(certificate), Some(key), Some(ca)) => Some(Files::new(certificate.clone(), key.clone(), ca.clone())),
            _ => None,
        },
        shares_authority: args.share_authority,
        credentials: credentials(&args.git)?,
        register: !args.no_register,
        learner: args.learner.clone(),
        drain: args.drain.unwrap_or_default(),
    };
    let shutdown = CancellationToken::new();
    stop_at_signal(shutdown.clone())?;
    gitward_webhook::run(client, options, shutdown).await?;
    Ok(())
}

fn address(args: &Args) -> anyhow::Result<Address> {
    if let Some(service) = &args.service {
        let (namespace, rest) = service.split_once('/').context("--service takes NAMESPACE/NAME[:PORT]")?;
        let (name, port) = match rest.split_once(':') {
            Some((name, port)) => (name, port.parse().context("--service has a port that is none")?),
            None => (rest, 443),
        };
        return Ok(Address::Service { namespace: namespace.to_owned(), name: name.to_owned(), port });
    }
    let url = args.url.clone().unwrap_or_else(|| format!("https://{}", args.listen));
    if !url.starts_with("https://") {
        bail!("--url has to begin with https://, since the API server speaks nothing else");
    }
    Ok(Address::Url(url))
}

pub(crate) fn credentials(args: &GitArgs) -> anyhow::Result<Credentials> {
    Ok(match (&args.git_user, &args.git_password_file, &args.git_ssh_key, &args.git_known_hosts) {
        (Some(user), Some(file), ..) => {
            let password = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            Credentials::Basic { user: user.clone(), password: password.trim_end().to_owned() }
        }
        (_, _, Some(identity), Some(known_hosts)) => {
            Credentials::Ssh { identity: identity.clone(), known_hosts: known_hosts.clone() }
        }
        _ => Credentials::None,
    })
}

pub(crate) fn stop_at_signal(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        shutdown.cancel();
    });
    Ok(())
}

/// The shortest time between two questions that nobody has a reason for.
const SHORTEST_POLL: Duration = Duration::from_millis(100);

/// Reads `30s`, `5m` or `500ms`.
fn time(text: &str) -> Result<Duration, String> {
    gitward_webhook::serve::parse_duration(text)
        .ok_or_else(|| "takes a time up to an hour, such as 30s or 5m".to_owned())
}

/// Reads how often to ask.
pub(crate) fn poll(text: &str) -> Result<Duration, String> {
    let time = time(text)?;
    if time < SHORTEST_POLL {
        return Err(format!("is at least {} ms: every poll is a fetch from the Git host", SHORTEST_POLL.as_millis()));
    }
    Ok(time)
}
