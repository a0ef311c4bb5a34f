//! Judging a request: at once from memory, and on a denial again with fresh reads, then with a
//! fresh fetch of Git. Stale is not wrong.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use gitward_core::break_glass::{self, Receipt};
use gitward_core::config::Mode;
use gitward_core::derived::{Context, remembered_by_git_alone};
use gitward_core::finding::Finding;
use gitward_core::lookup::{Lookup, Question, Recording};
use gitward_core::request::{Request, User};
use gitward_core::snapshot::Snapshot;
use gitward_core::trace;
use gitward_core::verdict::Verdict;
use gitward_index::{FreshReads, LiveIndex, apart, read_live};
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument;

use crate::follow::{Looker, SnapshotStore};
use crate::metrics::{Metrics, Second};
use crate::second_look::SecondLooks;
use crate::traces;

/// Longest time for the fresh reads of one decision.
const FRESH_READS: Duration = Duration::from_secs(2);

/// Second looks at a time, and those of one account.
const SECOND_LOOKS: usize = 64;
const SECOND_LOOKS_EACH: usize = 8;

/// A verdict with what it was given by.
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// The snapshot that gave it.
    pub snapshot: Arc<Snapshot>,
    /// What else to say on a denial.
    pub note: Option<&'static str>,
}

/// Everything that decides.
pub struct Gate {
    snapshots: Arc<SnapshotStore>,
    index: LiveIndex,
    looker: Looker,
    second_looks: SecondLooks,
    metrics: Arc<Metrics>,
    /// The account that brings commits to the cluster.
    reconciler: String,
}

impl Gate {
    /// A gate over a snapshot and an index, for commits that `reconciler` (a user name) brings to the
    /// cluster.
    pub fn new(
        snapshots: Arc<SnapshotStore>,
        index: LiveIndex,
        looker: Looker,
        metrics: Arc<Metrics>,
        reconciler: &str,
    ) -> Self {
        let second_looks = SecondLooks::new(SECOND_LOOKS, SECOND_LOOKS_EACH);
        Self { snapshots, index, looker, second_looks, metrics, reconciler: reconciler.to_owned() }
    }

    /// Whether an account is the one that brings commits to the cluster: a service account is believed by
    /// its own token alone.
    pub fn is_reconciler(&self, user: &User) -> bool {
        user.is_among(std::slice::from_ref(&self.reconciler))
    }

    /// The snapshot in force, if any commit is known.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshots.load()
    }

    /// The index that requests are judged by.
    pub fn index(&self) -> &LiveIndex {
        &self.index
    }

    /// Where a fetch of Git can be asked for.
    pub fn looker(&self) -> &Looker {
        &self.looker
    }

    /// What is to be written into a `BreakGlass` that was let in, if the request creates one.
    pub fn receipt(&self, request: &Request<'_>, snapshot: &Snapshot) -> Option<Receipt> {
        break_glass::receipt(request, &Context { snapshot, live: &self.index, now: Timestamp::now() })
    }

    /// Judges a request before `deadline`; `None` if no commit is known.
    pub async fn judge(&self, request: &Request<'_>, deadline: Instant) -> Option<Judged> {
        let snapshot = self.snapshots.load()?;
        let (verdict, questions) = self.decide(request, &snapshot, &self.index);
        if settled(&verdict, &snapshot) {
            return Some(Judged { verdict, snapshot, note: None });
        }
        let Some(_look) = self.second_looks.begin(&request.user.name) else {
            self.metrics.second(Second::Refused);
            let note =
                "many requests of this account were denied at the same time, so this one was not looked at again";
            return Some(Judged { verdict, snapshot, note: Some(note) });
        };
        Some(self.look_again(request, deadline, questions, verdict, snapshot).await)
    }

    async fn look_again(
        &self,
        request: &Request<'_>,
        deadline: Instant,
        questions: BTreeSet<Question>,
        verdict: Verdict,
        snapshot: Arc<Snapshot>,
    ) -> Judged {
        let mut last = (verdict, snapshot);
        let mut asked = questions;
        // What a rule asks next may follow from a fresh answer: an owner's owner, for example.
        for _ in 0..ROUNDS {
            let fresh = self.read(&asked, deadline).await;
            if fresh.is_empty() {
                break;
            }
            let snapshot = self.snapshots.load().unwrap_or(last.1);
            let (verdict, questions) = self.decide(request, &snapshot, &fresh.over(&self.index));
            last = (verdict, snapshot);
            if settled(&last.0, &last.1) {
                return self.explained(Second::ExplainedByCluster, last);
            }
            if questions.is_subset(&asked) {
                break;
            }
            asked.extend(questions);
        }
        let reached = self.looker.look(deadline).instrument(traces::part("look at Git")).await;
        let note = (!reached).then_some("Git could not be asked for a newer commit in time");
        if let Some(snapshot) = self.snapshots.load().filter(|s| !Arc::ptr_eq(s, &last.1)) {
            let (verdict, questions) = self.decide(request, &snapshot, &self.index);
            last = (verdict, snapshot);
            if !settled(&last.0, &last.1) {
                let fresh = self.read(&questions, deadline).await;
                last.0 = self.decide(request, &last.1, &fresh.over(&self.index)).0;
            }
            if settled(&last.0, &last.1) {
                return self.explained(Second::ExplainedByGit, last);
            }
        }
        if let Some(judged) = self.once_learnt(request, deadline, &last).await {
            return judged;
        }
        if let Some(judged) = self.once_remembered(request, deadline, &last).await {
            return judged;
        }
        self.metrics.second(Second::Denied);
        Judged { verdict: last.0, snapshot: last.1, note }
    }

    /// A controller may be at work on what it made of a template that only Git's history knows any more.
    async fn once_remembered(
        &self,
        request: &Request<'_>,
        deadline: Instant,
        (_, last): &(Verdict, Arc<Snapshot>),
    ) -> Option<Judged> {
        let object = request.object.or(request.old_object)?;
        let owner = {
            let context = Context { snapshot: last, live: &self.index, now: Timestamp::now() };
            remembered_by_git_alone(&request.key, object, &context)?
        };
        if !self.looker.recall(last, owner, deadline).await {
            return None;
        }
        let snapshot = self.snapshots.load().filter(|now| !Arc::ptr_eq(now, last))?;
        let (verdict, _) = self.decide(request, &snapshot, &self.index);
        settled(&verdict, &snapshot).then(|| self.explained(Second::ExplainedByGit, (verdict, snapshot)))
    }

    /// The leader publishes what it learnt and then writes: the write may be here first.
    async fn once_learnt(
        &self,
        request: &Request<'_>,
        deadline: Instant,
        last: &(Verdict, Arc<Snapshot>),
    ) -> Option<Judged> {
        if !last.0.findings.iter().any(|f| f.rule == NOT_LEARNT) {
            return None;
        }
        let deadline = deadline.min(Instant::now() + LEARNING);
        let mut swaps = self.snapshots.subscribe();
        loop {
            let snapshot = self.snapshots.load().filter(|s| !Arc::ptr_eq(s, &last.1));
            if let Some(snapshot) = snapshot {
                let (verdict, _) = self.decide(request, &snapshot, &self.index);
                if settled(&verdict, &snapshot) {
                    return Some(self.explained(Second::ExplainedByLearning, (verdict, snapshot)));
                }
            }
            tokio::time::timeout_at(deadline, swaps.changed()).await.ok()?.ok()?;
        }
    }

    fn explained(&self, by: Second, (verdict, snapshot): (Verdict, Arc<Snapshot>)) -> Judged {
        self.metrics.second(by);
        Judged { verdict, snapshot, note: None }
    }

    /// One decision, with the questions that it asked of the cluster.
    fn decide(&self, request: &Request<'_>, snapshot: &Snapshot, live: &dyn Lookup) -> (Verdict, BTreeSet<Question>) {
        let recording = Recording::new(live);
        let context = Context { snapshot, live: &recording, now: Timestamp::now() };
        // A rule that fails on an object it was not made for must not take the process with it.
        let judge = || apart::judging(snapshot, || trace::judge(request, &context));
        let verdict = catch_unwind(AssertUnwindSafe(judge)).unwrap_or_else(|_| {
            tracing::error!(object = %request.key, "judging failed");
            Verdict::deny(
                Finding::error("webhook/internal", format!("{}: gitward failed to judge this", request.key))
                    .with_hint("please report it: the log of the webhook has the place"),
            )
        });
        // Whether it can be noted decides nothing.
        let _ = catch_unwind(AssertUnwindSafe(|| self.metrics.bounds.note(request, &verdict, &context)));
        (verdict, recording.into_questions())
    }

    async fn read(&self, questions: &BTreeSet<Question>, deadline: Instant) -> FreshReads {
        let budget = deadline.saturating_duration_since(Instant::now()).min(FRESH_READS);
        read_live(self.index.client(), self.index.discovery(), questions, budget)
            .instrument(traces::part("read the cluster"))
            .await
    }
}

/// The rule of a denial for want of what the leader has yet to publish.
const NOT_LEARNT: &str = "trace/not-learnt";

/// Longest wait for it.
const LEARNING: Duration = Duration::from_secs(2);

/// Rounds of fresh reads for one decision.
const ROUNDS: usize = 3;

/// Whether a second look could change nothing: it passes, or nothing is enforced or observed.
fn settled(verdict: &Verdict, snapshot: &Snapshot) -> bool {
    match snapshot.environment.mode {
        Mode::Observe => verdict.findings.is_empty(),
        Mode::Enforce | Mode::Suspended => verdict.allowed(),
    }
}
