//! The reconciler's main loop: look at Git, converge, report, again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gitward_core::additions::Additions;
use gitward_core::config::Mode;
use gitward_core::finding::{Finding, Severity};
use gitward_core::snapshot::Snapshot;
use gitward_index::additions;
use gitward_index::environment::{self, Environment};
use gitward_index::pauses::Pauses;
use gitward_index::trouble::{Told, explain};
use gitward_index::{Discovery, LiveIndex};
use gitward_repo::{Credentials, Declaration, Source, Unusable};
use jiff::Timestamp;
use kube::{Api as KubeApi, Client};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use crate::adopted::Noted;
use crate::api::Api;
use crate::broken_glass;
use crate::converge::{Outcome, Refusal, converge};
use crate::exemptions;
use crate::fence;
use crate::guard::{self, Poke};
use crate::history::History;
use crate::metrics::{Convergence, Metrics};
use crate::publish::Channel;
use crate::published;
use crate::ready::{Ready, Standing};
use crate::report::{Reason, Reporter};
use crate::reshaped::Reshaped;
use crate::state::State;
use crate::status::Status;
use crate::surroundings::surroundings;
use crate::traces;
use crate::watch;

/// What the process is told at its start.
#[derive(Clone)]
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
    /// How long a delegation is watched before it is told in what it is broader than what was seen.
    pub broader_after: Duration,
    /// What it shows of itself.
    pub metrics: Arc<Metrics>,
}

/// Longest time for one fetch.
const FETCH_TIMEOUT: Duration = Duration::from_secs(60);

/// Longest pause between two tries of a commit that did not converge.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What keeps it from starting, for now.
#[derive(Debug, thiserror::Error)]
enum NotYet {
    #[error("{}", explain(.0))]
    Api(#[from] kube::Error),
    #[error("{}", environment::missing(.0))]
    NoEnvironment(String),
    #[error("{}", environment::NOT_INSTALLED)]
    NotInstalled,
}

/// Waits until everything is there that a reconciler needs to start: after a full stop the API
/// server, Git and this process come back in any order.
pub(crate) async fn can_start(client: &Client, environment: &str) {
    wait_to_start(client, environment).await;
}

/// Converges and guards, as the one that leads. It has no end of its own: whatever is missing is
/// waited for.
pub(crate) async fn run(client: Client, options: Options) {
    let start = wait_to_start(&client, &options.environment).await;
    let Start { environment, discovery, channel, additions } = start;
    let index = LiveIndex::start(client.clone(), discovery.clone(), &[], &[]);
    let reporter = Reporter::start(client.clone(), &options.environment, options.metrics.clone());
    let source = Source {
        environment: options.environment.clone(),
        repository: environment.spec.repository.clone(),
        git_ref: environment.spec.git_ref.clone(),
        path: environment.spec.path.clone(),
        mirror: options.state_dir.join("mirror"),
        credentials: options.credentials.clone(),
    };
    let state =
        Arc::new(State::new(Api::new(client, discovery), index, reporter, channel, History::new(source.clone())));
    state.take_published(additions);
    let poke = guard::start(state.clone());
    let status = Status::start(state.api.clone(), &options.environment);
    let noted = Noted::begin(&state, &status, &environment.status.unwrap_or_default()).await;
    let ready = Ready::start(state.clone(), status.clone());
    let mut looper = Loop {
        state,
        status,
        ready,
        source,
        poke,
        options,
        current: None,
        begun: false,
        due: None,
        tries: 0,
        unusable: Told::default(),
        unconverged: Told::default(),
        watching: false,
        noted,
        reshaped: Reshaped::default(),
    };
    looper.turn_for_ever().await;
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
    let told = Told::default();
    loop {
        match ask_to_start(client, environment).await {
            Ok(start) => return start,
            Err(not_yet) => {
                let line = not_yet.to_string();
                if told.is_news(&line) {
                    tracing::warn!("waiting to start: {line}");
                }
            }
        }
        sleep(pauses.next().unwrap_or_default()).await;
    }
}

async fn ask_to_start(client: &Client, name: &str) -> Result<Start, NotYet> {
    let environments: KubeApi<Environment> = KubeApi::all(client.clone());
    let environment = environments.get(name).await.map_err(|error| match &error {
        unknown if environment::is_unknown_kind(unknown) => NotYet::NotInstalled,
        kube::Error::Api(status) if status.code == 404 => NotYet::NoEnvironment(name.to_owned()),
        _ => NotYet::Api(error),
    })?;
    let discovery = Discovery::new(client.clone());
    discovery.refresh().await?;
    let channel = Channel::new(client.clone(), name);
    // What cannot be read is learnt anew.
    let additions = additions::load(client, name).await?;
    Ok(Start { environment, discovery, channel, additions })
}

struct Loop {
    state: Arc<State>,
    status: Arc<Status>,
    ready: Ready,
    source: Source,
    poke: Poke,
    options: Options,
    current: Option<Declaration>,
    /// Whether something of the current commit was written: what it brings may have been needed to find
    /// out that the rest is refused.
    begun: bool,
    /// When the current commit is tried again; `None` once it converged.
    due: Option<Instant>,
    tries: u32,
    /// Why the ref's commit cannot be used, so that it is told once.
    unusable: Told,
    /// Why the current commit did not converge, so that it is told once.
    unconverged: Told,
    /// Whether the fence, broken glasses and exemptions are watched by now.
    watching: bool,
    noted: Noted,
    reshaped: Reshaped,
}

impl Loop {
    async fn turn_for_ever(&mut self) {
        loop {
            self.turn().await;
            let poll = Instant::now() + self.options.poll;
            let next = self.due.map_or(poll, |due| due.min(poll));
            tokio::time::sleep_until(next).await;
        }
    }

    async fn turn(&mut self) {
        self.look().await;
        if self.due.is_none() {
            self.notice_reshaping().await;
        }
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
            Ok(found) => (found, None),
            // At the start the last good commit goes on.
            Err(error) if first => (source.accepted().ok().flatten(), Some(error)),
            Err(error) => (None, Some(error)),
        });
        let (found, unusable) = match looked.await {
            Ok(looked) => looked,
            Err(panic) => {
                tracing::error!(%panic, "evaluating a commit failed");
                return;
            }
        };
        if let Some(declaration) = found {
            let message = format!("commit {} is being brought to the cluster", declaration.commit.short());
            self.ready.stands(Standing::Coming(message));
            self.current = Some(declaration);
            self.begun = false;
            self.due = Some(Instant::now());
            self.tries = 0;
            self.unconverged.is_over();
        }
        match unusable {
            Some(error) => self.tell_unusable(&error).await,
            None if self.unusable.is_over() => {
                self.ready.usable();
                self.status.set_condition("CommitUsable", "True", "Evaluated", "the ref's commit can be used").await;
            }
            None => {}
        }
    }

    /// The same content may become another object in another version of the API server, which may serve other
    /// kinds besides, or where a CRD or a mutator changed. What a stranger changes is not to be learnt.
    async fn notice_reshaping(&mut self) {
        let is_suspended = |held: Arc<Snapshot>| held.environment.mode == Mode::Suspended;
        let Some(before) = self.state.learnt_in().filter(|_| !self.state.held().is_some_and(is_suspended)) else {
            return;
        };
        let Some(now) = surroundings(&self.state).await.filter(|_| self.state.strangers().is_empty()) else { return };
        let version = now.version.clone();
        if !self.reshaped.is_certain(&before, now) || self.state.index.discovery().refresh().await.is_err() {
            return;
        }
        if before.version == version {
            tracing::info!("what shapes objects changed: what it concerns is learnt anew");
        } else {
            tracing::info!(before = %before.version, now = %version, "the API server is of another version: everything is learnt anew");
        }
        self.due = Some(Instant::now());
    }

    async fn tell_unusable(&mut self, error: &Unusable) {
        let to_do = error.hint().map(|hint| format!("; to do: {hint}")).unwrap_or_default();
        let stays = match &self.current {
            Some(current) => format!("commit {} stays in force", current.commit.short()),
            None => "there is no commit to go on with".to_owned(),
        };
        let message = format!("{error}{to_do}; {stays}");
        if !self.unusable.is_news(&message) {
            return;
        }
        self.options.metrics.unusable.inc();
        let (reason, event, status) = match error {
            // What runs may well be the ref's commit.
            Unusable::Git(_) => ("GitUnreachable", None, "Unknown"),
            Unusable::Findings { findings, .. } => {
                findings.iter().skip(1).for_each(log_finding);
                ("Refused", Some(Reason::Refused), "False")
            }
            Unusable::Rewound { .. } => ("Rewound", Some(Reason::Rewound), "False"),
        };
        if status == "False" {
            self.ready.refused(reason, format!("the ref's commit is not what runs: {message}"));
        }
        match event {
            Some(event) => self.state.reporter.about_environment(event, message.clone()),
            None => tracing::warn!("{message}"),
        }
        self.status.set_condition("CommitUsable", status, reason, &message).await;
    }

    async fn converge(&mut self, declaration: Declaration) {
        let started = Instant::now();
        let commit = declaration.commit.clone();
        watch::everything_governed(&self.state, &declaration.environment, declaration.declared.iter()).await;
        if !std::mem::replace(&mut self.watching, true) {
            tokio::spawn(fence::watch(self.state.clone(), self.status.clone(), self.options.keep_fence));
            tokio::spawn(published::keep(self.state.clone()));
            tokio::spawn(broken_glass::watch(self.state.clone(), self.status.clone(), self.poke.clone()));
            tokio::spawn(exemptions::watch(
                self.state.clone(),
                self.status.clone(),
                self.poke.clone(),
                self.options.broader_after,
            ));
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
            self.noted.note(&self.state, &self.status).await;
            self.due = None;
            self.remember_held(&commit.id).await;
            let message = format!("commit {} suspends the environment: nothing is judged or written", commit.short());
            self.status.set_condition("Converged", "False", "Suspended", &message).await;
            self.ready.stands(Standing::Short("Suspended", message));
            return;
        }
        let count = target.declared.len();
        let span = traces::convergence(&commit.id, count);
        let ended = converge(&self.state, target).instrument(span.clone()).await;
        self.noted.note(&self.state, &self.status).await;
        traces::converged(&span, &ended);
        drop(span);
        match ended {
            Ok(outcome) => {
                self.begun = true;
                self.poke.everything();
                self.show_held();
                let done = if outcome.failures.is_empty() { Convergence::Converged } else { Convergence::Failing };
                self.options.metrics.convergence(done);
                self.remember_held(&commit.id).await;
                self.report(&commit.id, commit.short(), &commit.author, count, &outcome, started).await;
            }
            Err(Refusal::Passing(why)) => {
                self.options.metrics.convergence(Convergence::Failing);
                let message = format!("commit {} waits and is tried again and again: {why}", commit.short());
                if self.unconverged.is_news(&message) {
                    tracing::warn!("{message}");
                    self.status.set_condition("Converged", "False", "Waiting", &message).await;
                    self.ready.stands(Standing::Coming(message));
                }
                self.hold_last().await;
                self.again();
            }
            Err(Refusal::Findings(findings)) => {
                self.options.metrics.convergence(Convergence::Refused);
                self.refused(commit.short(), &findings).await;
                self.hold_last().await;
            }
        }
    }

    fn show_held(&self) {
        if let Some(held) = self.state.held() {
            let learnt = held.declared.values().filter(|d| d.learnt.is_some()).count();
            self.options.metrics.held(&held.commit.id, held.declared.len(), learnt);
        }
    }

    async fn remember_held(&self, commit: &str) {
        let (source, commit) = (self.source.clone(), commit.to_owned());
        let remembered = tokio::task::spawn_blocking(move || source.hold(&commit)).await;
        if let Ok(Err(error)) = remembered {
            tracing::warn!(%error, "which commit is in force cannot be remembered");
        }
    }

    /// After a restart, while the ref's commit is refused: the cluster is held to what it was held
    /// to before.
    async fn hold_last(&mut self) {
        if self.state.held().is_some() {
            return;
        }
        let source = self.source.clone();
        let held = tokio::task::spawn_blocking(move || source.held()).await;
        let Ok(Ok(Some(last))) = held else { return };
        watch::everything_governed(&self.state, &last.environment, last.declared.iter()).await;
        tracing::info!(commit = %last.commit.short(), objects = last.declared.len(), "the commit of before stays in force");
        let (additions, now) = (self.state.additions().clone(), Timestamp::now());
        let (environment, configuration) = (last.environment, last.configuration);
        let snapshot =
            Snapshot::assemble(environment, configuration, last.commit, last.declared, &additions, None, now);
        self.state.hold(snapshot);
        self.noted.note(&self.state, &self.status).await;
        self.show_held();
        self.poke.everything();
    }

    /// What schemas and policies say of a commit that is in Git all the same.
    async fn tell_findings(&self, findings: &[Finding]) {
        let errors = findings.iter().filter(|f| f.severity == Severity::Error).count();
        let Some(first) = findings.iter().max_by_key(|f| f.severity) else {
            self.status.set_condition("Valid", "True", "NoFindings", "schemas and policies find nothing").await;
            return;
        };
        let message = format!("{errors} errors, {} findings in all, the first: {}", findings.len(), first.line());
        self.status.set_condition("Valid", if errors == 0 { "True" } else { "False" }, "Findings", &message).await;
    }

    fn again(&mut self) {
        self.tries = self.tries.saturating_add(1);
        let pause = Duration::from_millis(500 << self.tries.min(7)).min(LONGEST_PAUSE);
        self.due = Some(Instant::now() + pause);
    }

    async fn refused(&mut self, commit: &str, findings: &[Finding]) {
        let first = findings.first().map(Finding::line).unwrap_or_default();
        let more = match findings.len().saturating_sub(1) {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let what = if self.begun {
            "is refused now; what the rest of it needs first had been applied"
        } else {
            "is refused as a whole, nothing of it was applied"
        };
        let message = format!("commit {commit} {what}: {first}{more}");
        if self.unconverged.is_news(&message) {
            findings.iter().skip(1).for_each(log_finding);
            self.state.reporter.about_environment(Reason::Refused, message.clone());
            self.status.set_condition("Converged", "False", "Refused", &message).await;
            self.ready.stands(Standing::Short("Refused", message));
        }
        // What stands in its way may be the cluster's: a right, a mutator, a webhook.
        self.again();
    }

    async fn report(&mut self, id: &str, short: &str, author: &str, count: usize, outcome: &Outcome, started: Instant) {
        if !outcome.failures.is_empty() {
            let first = outcome.failures.first().map(Finding::line).unwrap_or_default();
            let message = format!(
                "commit {short}: {} of {count} objects could not be brought to it, the first: {first}",
                outcome.failures.len()
            );
            if self.unconverged.is_news(&message) {
                outcome.failures.iter().skip(1).for_each(log_finding);
                self.state.reporter.about_environment(Reason::Failed, message.clone());
                self.status.set_condition("Converged", "False", "Failed", &message).await;
                self.ready.stands(Standing::Short("Failed", message));
            }
            self.again();
            return;
        }
        self.due = None;
        self.unconverged.is_over();
        self.status.set([("commit", json!(id)), ("objects", json!(count))]).await;
        if !self.unusable.is_told() {
            self.status.set_condition("CommitUsable", "True", "Evaluated", "the ref's commit can be used").await;
        }
        if outcome.observed > 0 {
            let message = format!(
                "commit {short} by {author}: {} of {count} objects differ and are left as they are: the environment is observed",
                outcome.observed
            );
            self.state.reporter.about_environment(Reason::LeftAlone, message.clone());
            self.status.set_condition("Converged", "False", "Observed", &message).await;
            self.ready.stands(Standing::Short("Observed", message));
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
        self.status.set_condition("Converged", "True", "Converged", &message).await;
        self.ready.stands(Standing::Applied(id.to_owned()));
    }
}

fn log_finding(finding: &Finding) {
    tracing::warn!("{}", finding.line());
}
