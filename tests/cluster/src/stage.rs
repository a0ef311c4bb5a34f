//! The whole of gitward on a stage: a control plane, a Git host with a repository, and the real
//! binary as webhook and reconciler under exactly the accounts that `deploy/` gives them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{self, Process};
use crate::{Cluster, ControlPlane, Error, GitHost, Options, Output, Repository, Result, WorkTree, ports};

/// What `deploy/` holds, in the order in which it is applied.
pub const DEPLOY: [&str; 5] = [
    include_str!("../../../deploy/namespace.yaml"),
    include_str!("../../../deploy/crd-environments.yaml"),
    include_str!("../../../deploy/crd-breakglasses.yaml"),
    include_str!("../../../deploy/webhook-rbac.yaml"),
    include_str!("../../../deploy/reconciler-rbac.yaml"),
];

/// Name of the environment that a stage with a control plane of its own plays.
pub const ENVIRONMENT: &str = "prod";

/// Branch that the environment follows.
pub const BRANCH: &str = "main";

/// How often the reconciler asks Git. Short, so that a stage needs no notification.
const POLL: &str = "500ms";

/// How often the webhook asks Git without a reason. It has one with every denial.
const WEBHOOK_POLL: &str = "2s";

/// Where gitward's accounts are, and what they are called.
const NAMESPACE: &str = "gitward-system";
const WEBHOOK: &str = "gitward-webhook";
const RECONCILER: &str = "gitward-reconciler";

/// gitward and everything around it. Dropping the stage ends and removes all of it, save what it
/// put into a cluster `C` that was there before.
pub struct Stage<C = ControlPlane> {
    webhook: Option<Process>,
    reconciler: Option<Process>,
    /// A clone of the repository to work in.
    pub work: WorkTree,
    /// The repository that the environment follows.
    pub repository: Repository,
    /// The Git host.
    pub host: GitHost,
    /// The cluster.
    pub cluster: C,
    environment: String,
    gitward: PathBuf,
    port: u16,
    keeps_fence: bool,
    broader_after: Option<String>,
    traces: Option<String>,
    webhook_address: IpAddr,
    folder: PathBuf,
}

impl Stage {
    /// Starts a control plane and a Git host with an empty repository, and installs `deploy/`.
    /// Neither webhook nor reconciler run yet, and there is no Environment.
    ///
    /// # Errors
    /// Where a part cannot be started.
    pub async fn set(gitward: &Path, options: Options) -> Result<Self> {
        Self::set_on(ControlPlane::start(options).await?, gitward, ENVIRONMENT).await
    }

    /// Kills everything: webhook, reconciler, the Git host and the control plane.
    pub fn kill_everything(&mut self) {
        self.kill_webhook();
        self.kill_reconciler();
        self.host.stop();
        self.cluster.kill_all();
    }

    /// Starts everything again after [`kill_everything`](Self::kill_everything), gitward first, as
    /// machines come back in any order.
    ///
    /// # Errors
    /// Where a part does not come back.
    pub async fn start_everything(&mut self) -> Result<()> {
        self.start_gitward_alone()?;
        self.cluster.start_again().await?;
        self.host.start_again()
    }

    /// Starts webhook and reconciler with the credentials of before, whatever else runs, and waits
    /// for neither.
    ///
    /// # Errors
    /// Where a process cannot be started.
    pub fn start_gitward_alone(&mut self) -> Result<()> {
        let kubeconfig = self.cluster.service_account_kubeconfig(NAMESPACE, RECONCILER);
        self.reconciler = Some(self.launch_reconciler(&kubeconfig)?);
        let kubeconfig = self.cluster.service_account_kubeconfig(NAMESPACE, WEBHOOK);
        self.webhook = Some(self.launch_webhook(&kubeconfig)?);
        Ok(())
    }
}

impl<C: Deref<Target = Cluster>> Stage<C> {
    /// Sets the stage of an environment of this name on a cluster that runs: a Git host with an
    /// empty repository, and `deploy/`.
    ///
    /// # Errors
    /// Where a part cannot be started.
    pub async fn set_on(cluster: C, gitward: &Path, environment: &str) -> Result<Self> {
        let host = GitHost::start(cluster.folder().join("repositories"))?;
        let repository = host.create_repository("fleet")?;
        let work = WorkTree::clone(repository.url(), cluster.folder().join("work"))?;
        let folder = cluster.folder().to_owned();
        let stage = Self {
            webhook: None,
            reconciler: None,
            work,
            repository,
            host,
            environment: environment.to_owned(),
            gitward: gitward.to_owned(),
            port: ports::free()?,
            keeps_fence: false,
            broader_after: None,
            traces: None,
            webhook_address: Ipv4Addr::LOCALHOST.into(),
            folder,
            cluster,
        };
        for manifest in DEPLOY {
            stage.apply_deploy(manifest).await?;
        }
        Ok(stage)
    }

    /// Kinds that a manifest brings may take a moment until they are served.
    async fn apply_deploy(&self, manifest: &str) -> Result<()> {
        let started = Instant::now();
        loop {
            let applied = self.cluster.apply(manifest).await?;
            if applied.success() {
                return Ok(());
            }
            if started.elapsed() > Duration::from_secs(20) {
                return Err(Error::Invalid(format!("deploy/ cannot be applied: {}", applied.stderr)));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Installs the hooks in the repository, as `gitward hook install` does.
    ///
    /// # Errors
    /// Where the binary cannot be run or refuses.
    pub fn install_hooks(&self) -> Result<()> {
        let output = std::process::Command::new(&self.gitward)
            .args(["hook", "install", "--repo"])
            .arg(self.repository.path())
            .output()
            .map_err(Error::io("run gitward hook install"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Invalid(format!("gitward hook install: {}", String::from_utf8_lossy(&output.stderr))))
    }

    /// Creates the Environment.
    ///
    /// # Errors
    /// Where the API server refuses it.
    pub async fn create_environment(&self) -> Result<()> {
        self.apply_deploy(&format!(
            "apiVersion: gitward.dev/v1alpha1\nkind: Environment\nmetadata:\n  name: {}\nspec:\n  \
             repository: {}\n  ref: refs/heads/{BRANCH}\n",
            self.environment,
            self.repository.url()
        ))
        .await
    }

    /// Pushes what stands in the work tree, starts both gates and waits until the cluster is as it
    /// says; the commit.
    ///
    /// # Errors
    /// Where the push is rejected, or something does not come in time.
    pub async fn open(&mut self, message: &str, within: Duration) -> Result<String> {
        let (commit, pushed) = self.push(message)?;
        pushed.checked()?;
        self.create_environment().await?;
        self.start_reconciler().await?;
        self.start_webhook().await?;
        self.wait_converged(&commit, within).await?;
        Ok(commit)
    }

    /// Takes the admission gate away: the webhook, and what the API server asks it by.
    ///
    /// # Errors
    /// Where the API server refuses it.
    pub async fn remove_webhook(&mut self) -> Result<()> {
        self.kill_webhook();
        self.unregister_webhook().await
    }

    /// Deletes the webhook's registration.
    ///
    /// # Errors
    /// Where the API server refuses it.
    pub async fn unregister_webhook(&self) -> Result<()> {
        let name = self.webhook_configuration();
        self.cluster.kubectl(&["delete", "validatingwebhookconfiguration", &name]).await?.checked().map(drop)
    }

    /// Starts the webhook and waits until it is ready.
    ///
    /// # Errors
    /// Where it ends, or is not ready in time, with the end of its log.
    pub async fn start_webhook(&mut self) -> Result<()> {
        let kubeconfig = self.cluster.kubeconfig_for_service_account(NAMESPACE, WEBHOOK).await?;
        let mut process = self.launch_webhook(&kubeconfig)?;
        let name = self.webhook_configuration();
        let registered = self.wait_for("the webhook's registration", Duration::from_secs(60), async || {
            if let Some(status) = process.ended() {
                return Err(ended("gitward webhook", status, &process));
            }
            let found = self.cluster.kubectl(&["get", "validatingwebhookconfiguration", &name]).await?;
            Ok(found.success().then_some(()))
        });
        registered.await?;
        self.webhook = Some(process);
        Ok(())
    }

    fn launch_webhook(&self, kubeconfig: &Path) -> Result<Process> {
        let mut arguments = vec![
            "webhook".to_owned(),
            format!("--environment={}", self.environment),
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--state-dir={}", self.folder.join("webhook").display()),
            format!("--listen={}", self.webhook_at()),
            format!("--poll={WEBHOOK_POLL}"),
        ];
        arguments.extend(self.traces.iter().map(|endpoint| format!("--otlp-endpoint={endpoint}")));
        Process::start(&self.gitward, &arguments, &self.folder, &self.webhook_log())
    }

    /// Where the webhook listens.
    pub fn webhook_at(&self) -> SocketAddr {
        SocketAddr::new(self.webhook_address, self.port)
    }

    /// What the webhook answers to the question whether it is ready.
    ///
    /// # Errors
    /// What it still lacks, or that it cannot be reached.
    pub async fn webhook_ready(&self) -> std::result::Result<String, String> {
        self.ask_webhook("/readyz").await
    }

    /// The webhook's metrics, as Prometheus reads them.
    ///
    /// # Errors
    /// Where it cannot be reached.
    pub async fn webhook_metrics(&self) -> std::result::Result<String, String> {
        self.ask_webhook("/metrics").await
    }

    async fn ask_webhook(&self, path: &str) -> std::result::Result<String, String> {
        let uri = format!("https://{}", self.webhook_at()).parse::<http::Uri>().map_err(|e| e.to_string())?;
        let mut config = kube::Config::new(uri);
        // Its certificate is for the API server to check.
        config.accept_invalid_certs = true;
        // "Not ready" is an answer.
        config.default_retry = false;
        let client = kube::Client::try_from(config).map_err(|e| e.to_string())?;
        let request = http::Request::get(path).body(Vec::new()).map_err(|e| e.to_string())?;
        client.request_text(request).await.map_err(|e| e.to_string())
    }

    /// Lets the webhook listen at this address of this machine from its next start on, for an API
    /// server on another.
    pub fn reach_webhook_at(&mut self, address: IpAddr) {
        self.webhook_address = address;
    }

    /// Whether the reconciler keeps the fence up from its next start on.
    pub fn keep_fence(&mut self, keep: bool) {
        self.keeps_fence = keep;
    }

    /// How long the reconciler watches delegations before it tells in what they are broader than what was
    /// seen, from its next start on; such as `0s`.
    pub fn tell_of_bounds_after(&mut self, time: &str) {
        self.broader_after = Some(time.to_owned());
    }

    /// Lets webhook and reconciler send traces to this endpoint from their next start on.
    pub fn send_traces_to(&mut self, endpoint: &str) {
        self.traces = Some(endpoint.to_owned());
    }

    /// Name of the webhook's registration.
    pub fn webhook_configuration(&self) -> String {
        format!("gitward-{}", self.environment)
    }

    /// Starts the reconciler.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub async fn start_reconciler(&mut self) -> Result<()> {
        let kubeconfig = self.cluster.kubeconfig_for_service_account(NAMESPACE, RECONCILER).await?;
        self.reconciler = Some(self.launch_reconciler(&kubeconfig)?);
        Ok(())
    }

    fn launch_reconciler(&self, kubeconfig: &Path) -> Result<Process> {
        let mut arguments = vec![
            "reconcile".to_owned(),
            format!("--environment={}", self.environment),
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--state-dir={}", self.folder.join("reconciler").display()),
            format!("--poll={POLL}"),
        ];
        if self.keeps_fence {
            arguments.push("--keep-fence".to_owned());
        }
        arguments.extend(self.broader_after.iter().map(|time| format!("--broader-after={time}")));
        arguments.extend(self.traces.iter().map(|endpoint| format!("--otlp-endpoint={endpoint}")));
        Process::start(&self.gitward, &arguments, &self.folder, &self.reconciler_log())
    }

    /// The webhook's process id, if it was started.
    pub fn webhook_pid(&self) -> Option<u32> {
        self.webhook.as_ref().map(Process::id)
    }

    /// The reconciler's process id, if it was started.
    pub fn reconciler_pid(&self) -> Option<u32> {
        self.reconciler.as_ref().map(Process::id)
    }

    /// Kills the webhook without asking it.
    pub fn kill_webhook(&mut self) {
        self.webhook = None;
    }

    /// Kills the reconciler without asking it.
    pub fn kill_reconciler(&mut self) {
        self.reconciler = None;
    }

    /// Where the webhook's log is.
    pub fn webhook_log(&self) -> PathBuf {
        self.folder.join("webhook.log")
    }

    /// Where the reconciler's log is.
    pub fn reconciler_log(&self) -> PathBuf {
        self.folder.join("reconciler.log")
    }

    /// Commits the work tree and pushes it: the commit's id, and what `git push` said.
    ///
    /// # Errors
    /// Where nothing can be committed.
    pub fn push(&self, message: &str) -> Result<(String, Output)> {
        let commit = self.work.commit(message)?;
        Ok((commit, self.work.push()?))
    }

    /// Waits until the Environment says that the cluster was brought to a commit; its message.
    ///
    /// # Errors
    /// Where that does not come in time, with what the Environment and the log say.
    pub async fn wait_converged(&self, commit: &str, within: Duration) -> Result<String> {
        self.wait_for(&format!("convergence to {commit}"), within, async || {
            let environment = self.environment().await?;
            let condition = condition(&environment, "Converged");
            let message = condition.map(|c| c["message"].as_str().unwrap_or_default().to_owned()).unwrap_or_default();
            let done = environment["status"]["commit"] == commit
                && condition.is_some_and(|c| c["status"] == "True")
                && message.contains(commit.get(..12).unwrap_or(commit));
            Ok(done.then_some(message))
        })
        .await
    }

    /// Waits for a condition of the Environment; its message.
    ///
    /// # Errors
    /// Where it does not come in time.
    pub async fn wait_condition(&self, kind: &str, status: &str, within: Duration) -> Result<String> {
        self.wait_for(&format!("condition {kind}={status}"), within, async || {
            let environment = self.environment().await?;
            let found = condition(&environment, kind).filter(|c| c["status"] == status);
            Ok(found.map(|c| c["message"].as_str().unwrap_or_default().to_owned()))
        })
        .await
    }

    /// The Environment as it is, `null` if there is none.
    ///
    /// # Errors
    /// Where kubectl cannot be run.
    pub async fn environment(&self) -> Result<Value> {
        let output = self.cluster.kubectl(&["get", "environment.gitward.dev", &self.environment, "-o", "json"]).await?;
        Ok(serde_json::from_str(&output.stdout).unwrap_or(Value::Null))
    }

    /// Asks again and again until there is an answer.
    ///
    /// # Errors
    /// Where none comes in time, with what the Environment and the logs say.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        within: Duration,
        mut ask: impl AsyncFnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let started = Instant::now();
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            if started.elapsed() > within {
                return Err(Error::Invalid(self.in_vain(what, within).await));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn in_vain(&self, what: &str, within: Duration) -> String {
        let status = self.environment().await.map(|e| e["status"].to_string()).unwrap_or_default();
        let waited = within.as_secs();
        format!("waited {waited} s in vain for {what}\nthe Environment's status: {status}\n{}", self.log_tails())
    }

    /// The ends of the logs of reconciler and webhook, for whoever looks for a reason.
    pub fn log_tails(&self) -> String {
        format!(
            "the reconciler's log ends with:\n{}\nthe webhook's log ends with:\n{}",
            process::tail(&self.reconciler_log()),
            process::tail(&self.webhook_log())
        )
    }
}

fn ended(component: &str, status: std::process::ExitStatus, process: &Process) -> Error {
    let log = process.log().to_owned();
    Error::Ended { component: component.to_owned(), status, log_tail: process::tail(&log), log }
}

/// A condition of an object's status.
fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|c| c["type"] == kind)
}
