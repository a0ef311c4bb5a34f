//! The follower: one task that turns news of Git and of the cluster into snapshots.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gitward_core::additions::{Additions, SHARDS};
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::{Digest, Snapshot};
use gitward_index::environment::EnvironmentSpec;
use gitward_repo::{Credentials, Declaration, Known, Source, Unusable};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::additions::{ahead, in_force};
use super::looker::{Done, Looker, Looks};
use super::past::{Found, Past};
use super::store::SnapshotStore;
use crate::metrics::Metrics;
use crate::state_dir::StateDir;

/// Longest time for one fetch.
const FETCH: Duration = Duration::from_secs(30);

/// At most so many fetches begin within [`FETCH_WINDOW`] because somebody asked for them: a single
/// denial finds Git at once, a flood of them does not become one of fetches. Polling has its own
/// rhythm and takes nothing from this: else a short one would leave denials to wait.
const FETCHES: usize = 5;
const FETCH_WINDOW: Duration = Duration::from_secs(5);

/// After a failed fetch, those who ask are told so at once for this long: a Git host that hangs
/// must not hold every denial.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What the cluster says.
#[derive(Debug)]
pub enum News {
    /// The Environment as it is now.
    Environment(EnvironmentSpec),
    /// One shard of the published additions.
    Shard {
        /// Which.
        shard: u8,
        /// Its JSON.
        entries: String,
        /// The commit that the cluster is held to.
        commit: Option<String>,
    },
}

/// Turns news into snapshots.
pub struct Follower {
    environment: String,
    state: StateDir,
    credentials: Credentials,
    store: Arc<SnapshotStore>,
    metrics: Arc<Metrics>,
    looks: Looks,
    past: Arc<Past>,
    source: Option<Source>,
    published: Additions,
    in_force: Additions,
    /// The commit that the cluster is held to, as the leader published it.
    held: Option<String>,
    /// Whether the snapshot in force follows from the one before it.
    follows: bool,
    fetching: Option<Fetch>,
    began: VecDeque<Instant>,
    failed: Option<Instant>,
    /// The last problem that was logged, so that each is logged once and not at every poll.
    problem: Option<String>,
}

struct Fetch {
    answers: u64,
    source: Source,
    task: JoinHandle<Result<Option<Declaration>, Unusable>>,
}

impl Follower {
    /// A follower and the way to ask it for a fetch.
    pub fn new(
        environment: &str,
        state: StateDir,
        credentials: Credentials,
        store: Arc<SnapshotStore>,
        metrics: Arc<Metrics>,
    ) -> (Self, Looker) {
        let (looker, looks) = Looker::new();
        let follower = Self {
            environment: environment.to_owned(),
            state,
            credentials,
            store,
            metrics,
            looks,
            past: looker.past.clone(),
            source: None,
            published: Additions::default(),
            in_force: Additions::default(),
            held: None,
            follows: false,
            fetching: None,
            began: VecDeque::new(),
            failed: None,
            problem: None,
        };
        (follower, looker)
    }

    /// Puts the last good state in force, from the state directory alone.
    pub async fn restore(&mut self) {
        for shard in 0..SHARDS {
            if let Ok(Some(json)) = self.state.read(&shard_file(&self.environment, shard)) {
                self.load_shard(shard, &json);
            }
        }
        if let Ok(Some(commit)) = self.state.read(&held_file(&self.environment)) {
            self.held = Some(commit).filter(|commit| !commit.is_empty());
        }
        let Ok(Some(json)) = self.state.read(&environment_file(&self.environment)) else { return };
        let Ok(spec) = serde_json::from_str(&json) else { return };
        self.look_at(spec);
        self.load_accepted().await;
    }

    /// Follows until `shutdown`.
    pub async fn run(mut self, mut news: mpsc::Receiver<News>, poll: Duration, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(poll);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => self.poll(),
                changed = self.looks.wanted.changed() => match changed {
                    Ok(()) => self.look_wanted(),
                    // Nobody can ask any more.
                    Err(_) => return,
                },
                Some(found) = self.looks.found.recv() => self.remember(found),
                Some(one) = news.recv() => self.take_all(one, &mut news).await,
                outcome = ended(&mut self.fetching) => self.end_fetch(outcome).await,
            }
        }
    }

    /// Puts earlier contents in force, unless another commit is in force by now.
    fn remember(&self, found: Found) {
        let Found { commit, owner, earlier, until, done } = found;
        let snapshot = self.store.load().filter(|snapshot| snapshot.commit.id == commit);
        if let Some(snapshot) = &snapshot {
            self.swap(snapshot.remembering(&owner, earlier, until));
        }
        // Who asked may have gone.
        let _ = done.send(snapshot.is_some());
    }

    /// Takes what has come so far together: the leader publishes many shards at a time.
    async fn take_all(&mut self, one: News, more: &mut mpsc::Receiver<News>) {
        let mut learnt = self.take(one).await;
        while let Ok(one) = more.try_recv() {
            learnt |= self.take(one).await;
        }
        if learnt {
            self.additions_changed();
            self.look_back().await;
        }
    }

    /// Whether a shard was loaded.
    async fn take(&mut self, news: News) -> bool {
        match news {
            News::Environment(spec) => {
                self.take_environment(spec).await;
                false
            }
            News::Shard { shard, entries, commit } => {
                let loaded = self.load_shard(shard, &entries);
                if loaded {
                    self.keep(&shard_file(&self.environment, shard), entries.as_bytes());
                    self.hold(commit);
                }
                loaded
            }
        }
    }

    async fn take_environment(&mut self, spec: EnvironmentSpec) {
        let same = |s: &Source| s.repository == spec.repository && s.git_ref == spec.git_ref && s.path == spec.path;
        if self.source.as_ref().is_some_and(same) {
            return;
        }
        tracing::info!(repository = %spec.repository, git_ref = %spec.git_ref, "following");
        if let Ok(json) = serde_json::to_vec(&spec) {
            self.keep(&environment_file(&self.environment), &json);
        }
        // What the cluster was held to is a commit of the other repository.
        if self.source.is_some() && self.held.take().is_some() {
            self.keep(&held_file(&self.environment), b"");
        }
        self.look_at(spec);
        self.failed = None;
        if self.store.load().is_none() {
            self.load_accepted().await;
        }
        self.begin_fetch();
    }

    fn look_at(&mut self, spec: EnvironmentSpec) {
        let source = self.source_of(spec);
        self.past.source.store(Some(Arc::new(source.clone())));
        self.source = Some(source);
    }

    fn source_of(&self, spec: EnvironmentSpec) -> Source {
        // Another repository is another mirror: nothing of the one can be taken for the other's.
        let name = Digest::of(&serde_json::json!([spec.repository, spec.git_ref]));
        let mirror: PathBuf = self.state.path(&format!("{}/mirror-{name}", self.environment));
        let credentials = self.credentials.clone();
        Source {
            environment: self.environment.clone(),
            repository: spec.repository,
            git_ref: spec.git_ref,
            path: spec.path,
            mirror,
            credentials,
        }
    }

    fn hold(&mut self, commit: Option<String>) {
        let Some(commit) = commit.filter(|commit| self.held.as_ref() != Some(commit)) else { return };
        self.keep(&held_file(&self.environment), commit.as_bytes());
        self.held = Some(commit);
    }

    /// Puts what the cluster is held to before the first commit that this process knows: that one may
    /// be refused, or not be learnt yet, and until it is written the one before goes on counting.
    async fn look_back(&mut self) {
        let Some(snapshot) = self.store.load().filter(|_| !self.follows) else { return };
        let (Some(source), Some(held)) = (self.source.clone(), self.held.clone()) else { return };
        if held == snapshot.commit.id {
            return;
        }
        match tokio::task::spawn_blocking(move || source.at(&held)).await {
            Ok(Ok(before)) => {
                self.follows = true;
                let before = assemble(before, &self.published, None);
                tracing::info!(commit = %before.commit.id, "counts until the commit in force is written");
                self.swap(snapshot.as_ref().clone().following(&before, Timestamp::now()));
            }
            Ok(Err(error)) => tracing::warn!(%error, "the commit that the cluster is held to cannot be loaded"),
            Err(error) => tracing::error!(%error, "loading the commit that the cluster is held to failed"),
        }
    }

    async fn load_accepted(&mut self) {
        let Some(source) = self.source.clone() else { return };
        match tokio::task::spawn_blocking(move || source.accepted()).await {
            Ok(Ok(Some(declaration))) => {
                self.put_in_force(declaration);
                self.look_back().await;
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last good commit cannot be loaded"),
            Err(error) => tracing::error!(%error, "loading the last good commit failed"),
        }
    }

    /// Someone asked: answered by a fetch that begins now or, if one was made just before, soon.
    fn look_wanted(&mut self) {
        if self.fetching.is_some() {
            // The one under way may have begun before the push; `end_fetch` begins another.
            return;
        }
        if self.failed.is_some_and(|at| at.elapsed() < AFTER_FAILURE) || self.source.is_none() {
            let upto = *self.looks.wanted.borrow_and_update();
            self.looks.done.send_replace(Done { upto, reached: false });
            return;
        }
        self.begin_fetch();
    }

    /// A fetch that nobody asked for.
    fn poll(&mut self) {
        self.begin_fetch_after(|_| Duration::ZERO);
    }

    fn begin_fetch(&mut self) {
        self.begin_fetch_after(Self::pause);
    }

    fn begin_fetch_after(&mut self, pause: impl FnOnce(&mut Self) -> Duration) {
        let Some(source) = self.source.clone().filter(|_| self.fetching.is_none()) else { return };
        let pause = pause(self);
        let known = self
            .store
            .load()
            .map(|s| Known { commit: s.commit.id.clone(), allows_rewinding: s.environment.allow_force_push });
        let answers = *self.looks.wanted.borrow_and_update();
        let fetched = source.clone();
        let task = tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let fetch = tokio::task::spawn_blocking(move || fetched.fetch(known.as_ref(), FETCH));
            match fetch.await {
                Ok(outcome) => outcome,
                Err(failed) => std::panic::resume_unwind(failed.into_panic()),
            }
        });
        self.fetching = Some(Fetch { answers, source, task });
    }

    /// How long the next fetch has to wait; notes that it will begin then.
    fn pause(&mut self) -> Duration {
        let now = Instant::now();
        let mut pause = Duration::ZERO;
        if self.began.len() >= FETCHES
            && let Some(oldest) = self.began.pop_front()
        {
            pause = (oldest + FETCH_WINDOW).saturating_duration_since(now);
        }
        self.began.push_back(now + pause);
        pause
    }

    async fn end_fetch(&mut self, outcome: Ended) {
        let Some(fetch) = self.fetching.take() else { return };
        let current = self.source.as_ref().is_some_and(|s| s.mirror == fetch.source.mirror);
        let mut reached = true;
        match outcome {
            Ok(_) if !current => reached = false,
            Ok(Ok(declaration)) => {
                self.failed = None;
                self.problem = None;
                if let Some(declaration) = declaration {
                    self.put_in_force(declaration);
                    self.look_back().await;
                }
            }
            Ok(Err(error @ Unusable::Git(_))) => {
                reached = false;
                self.failed = Some(Instant::now());
                self.metrics.fetch_failures.inc();
                self.log_once(&error.to_string());
            }
            Ok(Err(error)) => {
                self.failed = None;
                self.metrics.unusable_commits.inc();
                self.log_once(&error.to_string());
            }
            Err(error) => {
                reached = false;
                self.failed = Some(Instant::now());
                self.log_once(&format!("evaluating failed: {error}"));
            }
        }
        if reached {
            self.metrics.reached_git(Timestamp::now());
        }
        self.looks.done.send_replace(Done { upto: fetch.answers, reached });
        if !current {
            self.begin_fetch();
        } else if *self.looks.wanted.borrow() > fetch.answers {
            self.look_wanted();
        }
    }

    fn log_once(&mut self, problem: &str) {
        if self.problem.as_deref() != Some(problem) {
            tracing::warn!(problem, "no newer commit is put in force");
            self.problem = Some(problem.to_owned());
        }
    }

    fn put_in_force(&mut self, new: Declaration) {
        let declared: Vec<_> = new.declared.iter().map(|d| (&d.manifest.key, &d.digest)).collect();
        self.in_force = in_force(declared.into_iter(), &self.published, &self.in_force);
        let before = self.store.load();
        self.follows |= before.is_some();
        let (commit, objects) = (new.commit.id.clone(), new.declared.len());
        let snapshot = assemble(new, &self.in_force, before.as_deref());
        tracing::info!(%commit, objects, learnt = self.in_force.entries.len(), "commit in force");
        self.swap(snapshot);
    }

    fn additions_changed(&mut self) {
        let Some(snapshot) = self.store.load() else { return };
        let declared = || contents(&snapshot);
        let chosen = in_force(declared(), &self.published, &self.in_force);
        if chosen != self.in_force {
            self.in_force = chosen;
            self.swap(snapshot.with_additions(&self.in_force));
        }
        if ahead(declared(), &self.published) {
            self.begin_fetch();
        }
    }

    fn swap(&self, snapshot: Snapshot) {
        self.metrics.in_force(&snapshot, Timestamp::now());
        self.store.swap(snapshot);
    }

    fn load_shard(&mut self, shard: u8, json: &str) -> bool {
        match self.published.load_shard(shard, json) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(shard, %error, "published additions cannot be read; the last ones stay");
                false
            }
        }
    }

    fn keep(&self, name: &str, content: &[u8]) {
        if let Err(error) = self.state.write(name, content) {
            tracing::warn!(name, %error, "the state directory cannot be written: a restart needs API server and Git");
        }
    }
}

type Ended = Result<Result<Option<Declaration>, Unusable>, tokio::task::JoinError>;

/// Waits for the fetch under way; for ever if there is none.
async fn ended(fetching: &mut Option<Fetch>) -> Ended {
    match fetching {
        Some(fetch) => (&mut fetch.task).await,
        None => std::future::pending().await,
    }
}

fn assemble(new: Declaration, additions: &Additions, before: Option<&Snapshot>) -> Snapshot {
    let Declaration { environment, configuration, commit, declared, .. } = new;
    Snapshot::assemble(environment, configuration, commit, declared, additions, before, Timestamp::now())
}

fn contents(snapshot: &Snapshot) -> impl Iterator<Item = (&ObjectKey, &Digest)> {
    snapshot.declared.iter().map(|(key, declared)| (key, &declared.digest))
}

fn environment_file(environment: &str) -> String {
    format!("{environment}/environment.json")
}

fn held_file(environment: &str) -> String {
    format!("{environment}/held-commit")
}

fn shard_file(environment: &str, shard: u8) -> String {
    format!("{environment}/additions-{shard}.json")
}

#[cfg(test)]
mod tests;
