//! The reconciler's main loop: look at Git, converge, report, again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gitward_core::additions::Additions;
use gitward_core::config::Mode;
use gitward_core::finding::{Finding, Severity};
use gitward_core::snapshot::Snapshot;
use gitward_index::environment::Environment;
use gitward_index::pauses::Pauses;
use gitward_index::{Discovery, LiveIndex};
use gitward_repo::{Credentials, Declaration, Source, Unusable};
use jiff::Timestamp;
use kube::{Api as KubeApi, Client};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::converge::{Outcome, Refusal, converge};
use crate::fence;
use crate::guard::{self, Poke};
use crate::health::not_ready;
use crate::publish::Channel;
use crate::report::{Reason, Reporter};
use crate::state::State;
use crate::status::Status;
use crate::watch;

/// What the process is told at its start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the Environment resource.
    pub environment: String,
    /// Directory for the mirror of Git.
    pub state_dir: PathBuf,
    /// How often Git is asked.
    pub poll: Duration,
    /// How Git is told who asks.
    pub credentials: Credentials,
    /// Whether the fence of `deploy/fence.yaml` is put up and put back.
    pub keep_fence: bool,
}

/// Longest time for one fetch.
const FETCH_TIMEOUT: Duration = Duration::from_secs(60);

/// How long workloads may take to get ready before that is reported.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(300);

/// Longest pause between two tries of a commit that did not converge.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What keeps it from starting, for now.
#[derive(Debug, thiserror::Error)]
enum NotYet {
    #[error("the API server cannot be asked: {0}")]
    Api(#[from] kube::Error),
    #[error("there is no Environment {0} in the cluster; create it (see deploy/)")]
    NoEnvironment(String),
}

/// Runs until `stop`. Nothing ends it before: after a full stop the API server, Git and this
/// process come back in any order, so whatever is missing is waited for.
pub async fn run(client: Client, options: Options, stop: CancellationToken) {
    let Some(start) = stop.run_until_cancelled(wait_to_start(&client, &options.environment)).await else { return };
    let Start { environment, discovery, channel, additions } = start;
    let index = LiveIndex::start(client.clone(), discovery.clone(), &[], &[]);
    let reporter = Reporter::start(client.clone(), &options.environment);
    let state = Arc::new(State::new(Api::new(client, discovery), index, reporter, channel));
    *state.additions() = additions;
    let adopted = environment.status.as_ref().and_then(|s| s.adopted_at.as_deref()).and_then(|t| t.parse().ok());
    if let Some(at) = adopted {
        state.set_adopted(at);
    }
    let source = Source {
        environment: options.environment.clone(),
        repository: environment.spec.repository.clone(),
        git_ref: environment.spec.git_ref.clone(),
        path: environment.spec.path.clone(),
        mirror: options.state_dir.join("mirror"),
        credentials: options.credentials.clone(),
    };
    let poke = guard::start(state.clone());
    let status = Arc::new(Status::new(state.api.clone(), &options.environment));
    let mut looper =
        Loop { state, status, source, poke, options, current: None, due: None, tries: 0, told: None, fenced: false };
    looper.turn_until(stop).await;
}

/// What the API server has to have said before anything can begin.
struct Start {
    environment: Environment,
    discovery: Discovery,
    channel: Channel,
    additions: Additions,
}

async fn wait_to_start(client: &Client, environment: &str) -> Start {
    let mut pauses = Pauses::default();
    let mut told = None;
    loop {
        match ask_to_start(client, environment).await {
            Ok(start) => return start,
            Err(not_yet) => {
                let message = not_yet.to_string();
                if told.as_ref() != Some(&message) {
                    tracing::warn!(%message, "waiting to start");
                    told = Some(message);
                }
            }
        }
        sleep(pauses.next().unwrap_or_default()).await;
    }
}

async fn ask_to_start(client: &Client, name: &str) -> Result<Start, NotYet> {
    let environments: KubeApi<Environment> = KubeApi::all(client.clone());
    let environment = environments.get_opt(name).await?;
    let environment = environment.ok_or_else(|| NotYet::NoEnvironment(name.to_owned()))?;
    let discovery = Discovery::new(client.clone());
    discovery.refresh().await?;
    let channel = Channel::new(client.clone(), name);
    let additions = channel.load().await?;
    Ok(Start { environment, discovery, channel, additions })
}

struct Loop {
    state: Arc<State>,
    status: Arc<Status>,
    source: Source,
    poke: Poke,
    options: Options,
    current: Option<Declaration>,
    /// When the current commit is tried again; `None` once it converged.
    due: Option<Instant>,
    tries: u32,
    /// The last trouble that was told, so that it is told once.
    told: Option<String>,
    /// Whether the fence is watched by now.
    fenced: bool,
}

impl Loop {
    async fn turn_until(&mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.turn() => {}
            }
            let poll = Instant::now() + self.options.poll;
            let next = self.due.map_or(poll, |due| due.min(poll));
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    async fn turn(&mut self) {
        self.look().await;
        let due = self.due.is_some_and(|at| at <= Instant::now());
        if let (true, Some(current)) = (due, self.current.clone()) {
            self.converge(current).await;
        }
    }

    /// Asks Git. A commit that cannot be used is told once; the last good one stays in force.
    async fn look(&mut self) {
        let (source, known) = (self.source.clone(), self.current.as_ref().map(Declaration::known));
        let first = self.current.is_none();
        let looked = tokio::task::spawn_blocking(move || match source.fetch(known.as_ref(), FETCH_TIMEOUT) {
            // Git is away at the start: the last good commit goes on.
            Err(Unusable::Git(error)) if first => match source.accepted() {
                Ok(Some(declaration)) => Ok(Some(declaration)),
                _ => Err(Unusable::Git(error)),
            },
            Err(error) if first => match source.accepted() {
                Ok(Some(declaration)) => {
                    tracing::warn!(%error, "the last good commit stays in force");
                    Ok(Some(declaration))
                }
                _ => Err(error),
            },
            other => other,
        })
        .await;
        match looked {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(declaration))) => {
                self.current = Some(declaration);
                self.due = Some(Instant::now());
                self.tries = 0;
            }
            Ok(Err(error)) => self.tell_unusable(&error).await,
            Err(panic) => tracing::error!(%panic, "evaluating a commit failed"),
        }
    }

    async fn tell_unusable(&mut self, error: &Unusable) {
        let message = error.to_string();
        if self.told.as_ref() == Some(&message) {
            return;
        }
        self.told = Some(message.clone());
        let reason = match error {
            Unusable::Git(_) => {
                tracing::warn!(%message, "Git could not be asked; the last good commit stays in force");
                return;
            }
            Unusable::Findings { findings, .. } => {
                findings.iter().for_each(log_finding);
                Reason::Refused
            }
            Unusable::Rewound { .. } => Reason::Rewound,
        };
        self.state.reporter.about_environment(reason, message.clone());
        self.status.set_condition("CommitUsable", false, &format!("{reason:?}"), &message).await;
    }

    async fn converge(&mut self, declaration: Declaration) {
        let started = Instant::now();
        let commit = declaration.commit.clone();
        watch::everything_governed(&self.state, &declaration.environment, declaration.declared.iter()).await;
        if !std::mem::replace(&mut self.fenced, true) {
            tokio::spawn(fence::watch(self.state.clone(), self.status.clone(), self.options.keep_fence));
        }
        if self.state.adopted().is_none() {
            self.adopt().await;
        }
        self.tell_findings(&declaration.findings).await;
        let previous = self.state.held();
        let target = Snapshot::assemble(
            declaration.environment,
            declaration.configuration,
            declaration.commit,
            declaration.declared,
            &self.state.additions(),
            previous.as_deref(),
            Timestamp::now(),
        );
        if target.environment.mode == Mode::Suspended {
            self.state.hold(target);
            self.due = None;
            let message = format!("commit {} suspends the environment: nothing is judged or written", commit.short());
            self.status.set_condition("Converged", false, "Suspended", &message).await;
            return;
        }
        let count = target.declared.len();
        match converge(&self.state, target).await {
            Ok(outcome) => {
                self.poke.everything();
                self.report(&commit.id, commit.short(), &commit.author, count, &outcome, started).await;
            }
            Err(Refusal::Passing(message)) => {
                tracing::warn!(%message, "the commit is prechecked again in a moment");
                self.again();
            }
            Err(Refusal::Findings(findings)) => self.refused(commit.short(), &findings).await,
        }
    }

    /// What schemas and policies say of a commit that is in Git all the same.
    async fn tell_findings(&self, findings: &[Finding]) {
        let errors = findings.iter().filter(|f| f.severity == Severity::Error).count();
        let Some(first) = findings.iter().max_by_key(|f| f.severity) else {
            self.status.set_condition("Valid", true, "NoFindings", "schemas and policies find nothing").await;
            return;
        };
        let message = format!("{errors} errors, {} findings in all, the first: {}", findings.len(), describe(first));
        self.status.set_condition("Valid", errors == 0, "Findings", &message).await;
    }

    fn again(&mut self) {
        self.tries = self.tries.saturating_add(1);
        let pause = Duration::from_millis(500 << self.tries.min(7)).min(LONGEST_PAUSE);
        self.due = Some(Instant::now() + pause);
    }

    async fn refused(&mut self, commit: &str, findings: &[Finding]) {
        findings.iter().for_each(log_finding);
        let first = findings.first().map(describe).unwrap_or_default();
        let more = findings.len().saturating_sub(1);
        let message =
            format!("commit {commit} is refused as a whole, nothing of it was applied: {first} (and {more} more)");
        if self.told.as_ref() != Some(&message) {
            self.told = Some(message.clone());
            self.state.reporter.about_environment(Reason::Refused, message.clone());
            self.status.set_condition("Converged", false, "Refused", &message).await;
        }
        // What stands in its way may be the cluster's: a right, a mutator, a webhook.
        self.again();
    }

    async fn report(&mut self, id: &str, short: &str, author: &str, count: usize, outcome: &Outcome, started: Instant) {
        if !outcome.failures.is_empty() {
            outcome.failures.iter().for_each(log_finding);
            let first = outcome.failures.first().map(describe).unwrap_or_default();
            let message = format!(
                "commit {short}: {} of {count} objects could not be brought to it, the first: {first}",
                outcome.failures.len()
            );
            self.state.reporter.about_environment(Reason::Failed, message.clone());
            self.status.set_condition("Converged", false, "Failed", &message).await;
            self.again();
            return;
        }
        self.due = None;
        self.told = None;
        self.status.set(&json!({"commit": id, "objects": count})).await;
        self.status.set_condition("CommitUsable", true, "Evaluated", "the ref's commit can be used").await;
        if outcome.observed > 0 {
            let message = format!(
                "commit {short} by {author}: {} of {count} objects differ and are left as they are: the environment is observed",
                outcome.observed
            );
            self.state.reporter.about_environment(Reason::LeftAlone, message.clone());
            self.status.set_condition("Converged", false, "Observed", &message).await;
            return;
        }
        let took = started.elapsed();
        let message = format!(
            "commit {short} by {author}: {count} objects as Git says ({} created, {} changed, {} pruned, {} unchanged) in {} ms",
            outcome.created,
            outcome.changed,
            outcome.pruned,
            outcome.unchanged,
            took.as_millis()
        );
        self.state.reporter.about_environment(Reason::Converged, message.clone());
        self.status.set_condition("Converged", true, "Converged", &message).await;
        self.watch_health(id.to_owned());
    }

    /// Reports in the background when everything of the commit runs, or what does not.
    fn watch_health(&self, commit: String) {
        let (state, status) = (self.state.clone(), self.status.clone());
        tokio::spawn(async move {
            let deadline = Instant::now() + HEALTH_TIMEOUT;
            let mut waiting;
            loop {
                let Some(held) = state.held().filter(|h| h.commit.id == commit) else { return };
                waiting = not_ready(&held, &state.index);
                if waiting.is_empty() || Instant::now() >= deadline {
                    break;
                }
                sleep(Duration::from_millis(250)).await;
            }
            let short = commit.get(..12).unwrap_or(&commit);
            let (ready, reason, message) = match waiting.first() {
                None => (true, "Ready", format!("everything of commit {short} is ready")),
                Some((key, why)) => {
                    (false, "NotReady", format!("{} objects are not ready, the first: {key}: {why}", waiting.len()))
                }
            };
            status.set_condition("Ready", ready, reason, &message).await;
            tracing::info!(%message, "health");
        });
    }

    /// Marks the time from which on undeclared objects are removed.
    async fn adopt(&self) {
        let now = Timestamp::now();
        // The API server's times have whole seconds; what was made in this second came before.
        let at = Timestamp::from_second(now.as_second() + 1).unwrap_or(now);
        self.state.set_adopted(at);
        self.status.set(&json!({"adoptedAt": at.to_string()})).await;
    }
}

fn describe(finding: &Finding) -> String {
    match &finding.place {
        Some(place) => format!("{place}: {} [{}]", finding.message, finding.rule),
        None => format!("{} [{}]", finding.message, finding.rule),
    }
}

fn log_finding(finding: &Finding) {
    tracing::warn!(rule = %finding.rule, hint = finding.hint.as_deref(), "{}", describe(finding));
}
