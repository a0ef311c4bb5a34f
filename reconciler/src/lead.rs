//! Who writes: of all reconcilers of an environment the one that holds its Lease. It learns, writes,
//! publishes and reports; the others stand by.
//!
//! A leader that could not renew its Lease writes nothing from before the moment at which another
//! may take it: everything it sends goes through one client that sees to that (`writes`). When
//! another took it, all tasks of the lead end with the runtime that they run in.

mod elector;
mod identity;
mod sight;
mod writes;

use std::io;

use kube::Client;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::{Duration, sleep, timeout};
use tokio_util::sync::CancellationToken;

pub use elector::Leadership;

use crate::run::{self, Options};
use elector::Elector;

/// Makes a client. Called within the runtime that is going to use it.
pub type Connect = Box<dyn Fn() -> Result<Client, kube::Error> + Send + Sync>;

/// After a failure of this machine.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs until `stop`: stands by, leads, and stands by again when another took the lead.
///
/// # Errors
/// The state directory cannot be used, or no client can be made.
pub async fn run(connect: Connect, options: Options, stop: CancellationToken) -> Result<(), LeadError> {
    let me = identity::of(&options.state_dir).map_err(LeadError::StateDir)?;
    let client = connect()?;
    if stop.run_until_cancelled(run::can_start(&client, &options.environment)).await.is_none() {
        return Ok(());
    }
    let mut elector = Elector::new(client, &options.environment, &me);
    while stop.run_until_cancelled(elector.elected()).await.is_some() {
        let mut lead = match Lead::begin(&connect, &options, elector.leadership()) {
            Ok(lead) => lead,
            Err(error) => {
                tracing::error!(%error, "cannot lead");
                elector.resign();
                sleep(PAUSE).await;
                continue;
            }
        };
        options.metrics.leads(true);
        let ended = tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = elector.superseded() => Ok(()),
            () = lead.failed() => Err(LeadError::Failed),
        };
        elector.resign();
        lead.end().await;
        options.metrics.leads(false);
        if ended.is_err() {
            elector.give_back().await;
            return ended;
        }
    }
    elector.give_back().await;
    Ok(())
}

/// Why the reconciler ended.
#[derive(Debug, thiserror::Error)]
pub enum LeadError {
    /// The state directory cannot be used.
    #[error("the state directory cannot be used: {0}")]
    StateDir(io::Error),
    /// No client of the API server can be made.
    #[error("no client of the API server can be made: {0}")]
    Client(#[from] kube::Error),
    /// A defect: what has no end ended.
    #[error("leading failed; the log has the place")]
    Failed,
}

/// One lead: everything that the reconciler does, in a runtime of its own that ends it as a whole.
struct Lead {
    end: CancellationToken,
    ended: oneshot::Receiver<()>,
}

impl Lead {
    fn begin(connect: &Connect, options: &Options, leadership: Leadership) -> Result<Self, BeginError> {
        let runtime = Builder::new_multi_thread().enable_all().thread_name("gitward-lead").build()?;
        let within = runtime.enter();
        // Connections live in the runtime that opened them: the Lease's must outlive these.
        let client = writes::while_leading(connect()?, leadership);
        drop(within);
        let (end, options) = (CancellationToken::new(), options.clone());
        let until = end.clone();
        let (alive, ended) = oneshot::channel::<()>();
        std::thread::Builder::new().name("gitward-lead".to_owned()).spawn(move || {
            let _alive = alive;
            runtime.block_on(until.run_until_cancelled(run::run(client, options)));
            runtime.shutdown_background();
        })?;
        Ok(Self { end, ended })
    }

    /// Waits for what never comes, unless there is a defect: then the log has the panic.
    async fn failed(&mut self) {
        let _ = (&mut self.ended).await;
    }

    async fn end(self) {
        self.end.cancel();
        if !self.ended.is_terminated() {
            let _ = timeout(PAUSE, self.ended).await;
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error("no threads can be started: {0}")]
    Runtime(#[from] io::Error),
    #[error(transparent)]
    Client(#[from] kube::Error),
}
