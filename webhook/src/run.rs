//! Putting it together: from options to a running webhook.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gitward_core::config::EnvironmentConfig;
use gitward_index::{Discovery, LiveIndex, kinds};
use gitward_repo::Credentials;
use kube::Client;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::certificate::{Certificate, CertificateError, CertificateSource, Files, Shared};
use crate::follow::{Follower, SnapshotStore, watch_cluster};
use crate::judge::Gate;
use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::register::{Address, Conversions, Keeper, keep};
use crate::serve::{App, Draining, Limits, listen, router};
use crate::state_dir::StateDir;

/// How a webhook is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the environment.
    pub environment: String,
    /// Where the last good state is kept.
    pub state_dir: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where the API server reaches it.
    pub address: Address,
    /// How often Git is asked without a reason.
    pub poll: Duration,
    /// Certificate, key and CA, if it is not to be its own authority.
    pub certificate: Option<Files>,
    /// Whether its own authority is shared with other replicas, through a Secret.
    pub shares_authority: bool,
    /// How Git is told who asks.
    pub credentials: Credentials,
    /// Whether it registers itself with the API server.
    pub register: bool,
    /// Account whose dry runs of whole objects are let through.
    pub learner: String,
    /// How long it goes on answering after it was asked to end, until nobody sends it more.
    pub drain: Duration,
}

/// Why the webhook ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state directory cannot be used.
    #[error("the state directory {path} cannot be used: {error}")]
    StateDir {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// It cannot listen or serve.
    #[error("cannot serve at {listen}: {error}")]
    Serve {
        /// Where.
        listen: SocketAddr,
        /// Why.
        error: io::Error,
    },
}

impl RunError {
    /// How to put it right, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            RunError::StateDir { .. } => Some("name a directory that this account may write with --state-dir"),
            RunError::Serve { error, .. } => Some(match error.kind() {
                io::ErrorKind::AddrInUse => {
                    "something listens there already, perhaps another webhook: stop it, or name another address with --listen"
                }
                io::ErrorKind::AddrNotAvailable => "name an address of this machine with --listen",
                _ => "name an address that this account may listen at with --listen",
            }),
            RunError::Certificate(_) => None,
        }
    }
}

/// Runs the webhook until `shutdown`.
///
/// # Errors
/// It cannot start, or it stopped serving.
pub async fn run(client: Client, options: Options, shutdown: CancellationToken) -> Result<(), RunError> {
    let environment = options.environment.clone();
    let not_served = |error| RunError::Serve { listen: options.listen, error };
    // Before anything else: what cannot be reached must not be registered.
    let listener = TcpListener::bind(options.listen).map_err(not_served)?;
    let state = StateDir::open(&options.state_dir)
        .map_err(|error| RunError::StateDir { path: options.state_dir.clone(), error })?;
    let source = match &options.certificate {
        Some(files) => CertificateSource::Files(files.clone()),
        None if options.shares_authority => {
            let shared = Shared::new(client.clone(), &environment);
            CertificateSource::shared(state.clone(), options.address.names(), shared)
        }
        None => CertificateSource::own(state.clone(), options.address.names()),
    };
    let awaited = shutdown.run_until_cancelled(Certificate::awaited(source)).await;
    let Some(certificate) = awaited.transpose()? else { return Ok(()) };
    let (tls, bundle) = (certificate.server_config()?, certificate.bundle());
    let draining = Arc::new(Draining::default());
    let shutdown = drained(draining.clone(), options.drain, shutdown);
    let metrics = Arc::new(Metrics::default());
    let snapshots = Arc::new(SnapshotStore::default());
    let credentials = options.credentials.clone();
    let (mut follower, looker) = Follower::new(&environment, state, credentials, snapshots.clone(), metrics.clone());
    follower.restore().await;

    let index = LiveIndex::start(client.clone(), Discovery::new(client.clone()), &[], &[]);
    let readiness = Arc::new(Readiness::new(snapshots.clone(), index.clone()));
    let gate = Gate::new(snapshots.clone(), index.clone(), looker.clone(), metrics.clone(), &options.learner);
    let tasks = TaskTracker::new();
    let (news, news_of) = mpsc::channel(64);
    spawn(&tasks, &shutdown, watch_cluster(client.clone(), environment.clone(), news, index.trouble().clone()));
    tasks.spawn(follower.run(news_of, options.poll, shutdown.clone()));
    tasks.spawn(certificate.keep_fresh(shutdown.clone()));
    spawn(&tasks, &shutdown, keep_scope(snapshots.clone(), index.clone(), readiness.clone()));
    let conversions = Arc::new(Conversions::default());
    if options.register {
        let keeper = Keeper {
            client,
            index: index.clone(),
            conversions: conversions.clone(),
            discovery: index.discovery().clone(),
            snapshots,
            looker,
            bundle,
            address: options.address.clone(),
            learner: options.learner.clone(),
            metrics: metrics.clone(),
        };
        let ready = readiness.clone();
        let (name, until) = (environment.clone(), shutdown.clone());
        spawn(&tasks, &shutdown, async move {
            until_ready(&ready).await;
            keep(keeper, name, until).await;
        });
    }
    tasks.close();

    let app = App { gate, readiness, metrics, environment, limits: Limits::default(), conversions, draining };
    let served = listen(listener, tls, router(app), shutdown.clone()).await;
    shutdown.cancel();
    tasks.wait().await;
    served.map_err(not_served)
}

/// From `asked` on whoever sends requests here is told to send them elsewhere; the token that is
/// returned is cancelled when they have had the time to.
fn drained(draining: Arc<Draining>, within: Duration, asked: CancellationToken) -> CancellationToken {
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        asked.cancelled().await;
        draining.begin();
        tokio::time::sleep(within).await;
        stopping.cancel();
    });
    stop
}

/// Runs a task that has no end of its own until `shutdown`.
fn spawn(tasks: &TaskTracker, shutdown: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
    let shutdown = shutdown.clone();
    tasks.spawn(async move {
        shutdown.run_until_cancelled(task).await;
    });
}

/// Keeps the index watching what the snapshot in force governs.
async fn keep_scope(snapshots: Arc<SnapshotStore>, index: LiveIndex, readiness: Arc<Readiness>) {
    let mut swaps = snapshots.subscribe();
    let mut watched: Option<EnvironmentConfig> = None;
    loop {
        if let Some(snapshot) = snapshots.load() {
            let environment = &snapshot.environment;
            if watched.as_ref().is_none_or(|w| w.namespaces != environment.namespaces) {
                index.rescope(&kinds::for_derived_rules(), &environment.namespaces);
                watched = Some(environment.clone());
                readiness.scoped();
            }
        }
        if swaps.changed().await.is_err() {
            return;
        }
    }
}

async fn until_ready(readiness: &Readiness) {
    while readiness.check().is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
