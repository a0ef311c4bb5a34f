//! Bringing a commit to the cluster: precheck everything, then write wave by wave, then prune, and
//! say object by object what became of it.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use gitward_core::break_glass;
use gitward_core::config::Mode;
use gitward_core::finding::Finding;
use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use gitward_core::path::FieldPath;
use gitward_core::snapshot::{Declared, Snapshot};
use gitward_core::trace::{Judged, judge_declared};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use crate::api::ApiError;
use crate::curable::Brings;
use crate::elsewhere;
use crate::health::has_condition;
use crate::learn::{Action, Learnt, learn};
use crate::mutators;
use crate::order::Wave;
use crate::prune::prune;
use crate::publish::shards;
use crate::report::Reason;
use crate::shaped;
use crate::state::State;
use crate::surroundings::surroundings;
use crate::traces;
use crate::watch;
use crate::write::write;

/// Requests under way at once.
const CONCURRENT: usize = 8;

/// How long an object of a later wave waits for what the same commit brings.
const CURE_TIMEOUT: Duration = Duration::from_secs(30);

/// What became of a commit.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Objects created.
    pub created: usize,
    /// Objects replaced.
    pub changed: usize,
    /// Objects removed because Git stopped declaring them.
    pub pruned: usize,
    /// Objects that were as Git says already.
    pub unchanged: usize,
    /// Objects that differ from Git and are left as they are, since the environment is only
    /// observed.
    pub observed: usize,
    /// What could not be written, with the place in Git.
    pub failures: Vec<Finding>,
}

/// Why nothing of a commit was applied.
#[derive(Debug)]
pub enum Refusal {
    /// The commit is bad: every finding names its place.
    Findings(Vec<Finding>),
    /// The API server could not be asked; the same commit is tried again.
    Passing(String),
}

/// Brings the cluster to `target`.
///
/// # Errors
/// The commit was refused as a whole before its first write.
pub async fn converge(state: &State, target: Snapshot) -> Result<Outcome, Refusal> {
    refuse_unknown_mutators(state, &target).await?;
    let (learnt, deferred) = precheck(state, &target).instrument(traces::part("precheck")).await?;
    // One that came into force while we learnt taught us its changes.
    refuse_unknown_mutators(state, &target).await?;
    let mut run = Run { state, target, learnt, outcome: Outcome::default() };
    let turn = state.turn_of_commit().await;
    run.hold(&deferred);
    run.publish().await.map_err(|e| Refusal::Passing(e.to_string()))?;
    drop(turn);
    taken_over(state).await;
    if run.target.environment.mode != Mode::Enforce {
        run.only_look();
        return Ok(run.outcome);
    }
    let waves = async {
        for wave in Wave::ALL {
            run.wave(wave, &deferred).await;
        }
        run.finish().await;
    };
    waves.instrument(traces::part("write")).await;
    Ok(run.outcome)
}

/// Waits out the second in which something was taken over. What is made in it counts as what was there
/// before; nothing that follows from this commit may.
async fn taken_over(state: &State) {
    let until = state.adoption().latest().map(|at| at.duration_since(Timestamp::now()));
    if let Some(Ok(rest)) = until.map(Duration::try_from) {
        sleep(rest.min(Duration::from_secs(1))).await;
    }
}

async fn refuse_unknown_mutators(state: &State, target: &Snapshot) -> Result<(), Refusal> {
    let unknown = mutators::unknown_now(state, target).await;
    if unknown.is_empty() {
        return Ok(());
    }
    let findings = unknown.into_iter().map(|key| {
        let message = mutators::what_it_is(&key);
        state.reporter.about(&key, "v1", "", Reason::UnknownMutator, message.clone());
        Finding::error("runtime/unknown-mutator", message)
            .with_object(key)
            .with_hint("declare it in Git, or name it under knownMutators in gitward.yaml, or remove it")
    });
    Err(Refusal::Findings(findings.collect()))
}

type Deferred = HashMap<ObjectKey, String>;

/// Dry-runs every object of the commit. What fails for want of something that the commit itself
/// brings, or may come out otherwise when it is there, is deferred; anything else that fails refuses
/// the commit.
async fn precheck(state: &State, target: &Snapshot) -> Result<(HashMap<ObjectKey, Learnt>, Deferred), Refusal> {
    let brings = Brings::of(target.declared.values().map(AsRef::as_ref));
    let now = surroundings(state).await;
    let before = state.learnt_in();
    let same = |key: &ObjectKey| now.as_ref().zip(before.as_ref()).is_some_and(|(n, b)| n.same_for(b, key));
    let same = &same;
    let mut results = futures::stream::iter(target.declared.values())
        .map(|declared| async move {
            let known = known(state, target, declared).filter(|k| same(&k.entry.key));
            match known.or_else(|| in_repair(state, target, declared)) {
                Some(known) => (declared, Ok(known)),
                None => {
                    let learnt = match learn(state, target, declared).await {
                        Ok(learnt) => Ok(after_the_repair(state, target, declared, learnt)),
                        Err(error) => Err(elsewhere::refused_anyway(state, declared, error).await),
                    };
                    (declared, learnt)
                }
            }
        })
        .buffer_unordered(CONCURRENT);
    let (mut learnt, mut deferred, mut findings) = (HashMap::new(), Deferred::new(), Vec::new());
    let mut passing = None;
    while let Some((declared, result)) = results.next().await {
        let key = declared.manifest.key.clone();
        match result {
            Ok(found) => {
                learnt.insert(key, found);
            }
            Err(error) => match brings.cure(declared, &error) {
                Some(cure) => {
                    deferred.insert(key, cure);
                }
                None if error.is_passing() => passing = Some(format!("{key}: {error}")),
                None => findings.push(refused(declared, &error)),
            },
        }
    }
    if !findings.is_empty() {
        findings.sort_by(|a, b| a.place.cmp(&b.place));
        return Err(Refusal::Findings(findings));
    }
    if let Some(message) = passing {
        return Err(Refusal::Passing(message));
    }
    // What is made of these is known only when what shapes them is there.
    for (key, shape) in shaped::to_wait(target, &learnt, deferred.keys()) {
        learnt.remove(&key);
        deferred.insert(key, shape);
    }
    state.set_learnt_in(now.clone());
    Ok((learnt, deferred))
}

/// What is known of an object that did not change in Git and that people are at work on by hand:
/// when they are done it is undone.
fn in_repair(state: &State, target: &Snapshot, declared: &Declared) -> Option<Learnt> {
    let entry = state.entry(&declared.manifest.key).filter(|e| e.digest == declared.digest)?;
    break_glass::over(&declared.manifest.key, None, &state.context(target))?;
    Some(Learnt::new(entry, Action::Keep))
}

/// What was learnt of an object that Git changes while people are at work on it by hand: what they made
/// of it stays until they are done, and only then Git's new content is written.
fn after_the_repair(state: &State, target: &Snapshot, declared: &Declared, learnt: Learnt) -> Learnt {
    let key = &declared.manifest.key;
    let was_changed = || {
        let (held, live) = (state.held()?, state.index.get(key)?);
        Some(judge_declared(held.declared(key)?, &live, &state.context(&held)) != Judged::Converged)
    };
    let is_under_repair = break_glass::over(key, None, &state.context(target)).is_some();
    if is_under_repair && was_changed().unwrap_or(false) { Learnt { action: Action::Keep, ..learnt } } else { learnt }
}

/// What is known of an object that neither changed in Git nor differs in the cluster.
fn known(state: &State, target: &Snapshot, declared: &Declared) -> Option<Learnt> {
    let entry = state.entry(&declared.manifest.key).filter(|e| e.digest == declared.digest)?;
    if entry.finished {
        return Some(Learnt::new(entry, Action::Keep));
    }
    let live = state.index.get(&declared.manifest.key)?;
    let unchanged = judge_declared(declared, &live, &state.context(target)) == Judged::Converged;
    let same_object = entry.uid.as_deref() == Some(object::uid(&live));
    (unchanged && same_object && !object::is_terminating(&live)).then_some(Learnt::new(entry, Action::Keep))
}

/// An API server's refusal as a finding at the field it names.
pub fn refused(declared: &Declared, error: &ApiError) -> Finding {
    let key = &declared.manifest.key;
    if let ApiError::Altered { fields, .. } = error {
        return altered(declared, fields);
    }
    let field = match error {
        ApiError::Refused { field, .. } => as_declared(FieldPath::from_api(field), declared),
        _ => FieldPath::root(),
    };
    let place = declared.place(&field);
    let hint = match error {
        ApiError::NotServed(_) => "add its CustomResourceDefinition to the environment, or install it first",
        ApiError::Refused { status: 404, kind, .. } if kind == "namespaces" => {
            "declare the Namespace in the environment, or create it first"
        }
        ApiError::Refused { message, .. } if message.contains("gitward.dev\" denied the request") => {
            "gitward's webhook denies what gitward writes: report it, with the log of both"
        }
        ApiError::Refused { status: 403, .. } => "give the environment's account the right, or change the object",
        _ => "correct it and push again",
    };
    // The message of a refused Secret may quote its data.
    let message = if key.kind == "Secret" { "the API server refuses it".to_owned() } else { error.to_string() };
    Finding::error("runtime/refused", format!("{key}: {message}"))
        .with_object(key.clone())
        .with_field(field)
        .with_place(Some(place))
        .with_hint(hint)
}

/// A mutator that no list shows, known by what it does.
fn altered(declared: &Declared, fields: &[String]) -> Finding {
    let key = &declared.manifest.key;
    let message = format!(
        "{key}: something that Git does not know changes it as it is written, in {}: nothing is learnt from that",
        fields.join(", ")
    );
    Finding::error("runtime/unknown-mutator", message)
        .with_object(key.clone())
        .with_place(Some(declared.place(&FieldPath::root())))
        .with_hint(
            "find what changes it: a file or a plugin of the API server, or its version, which may not know a field yet or \
             leave it out; if it is meant to be, name ControlPlane/RESOURCE under knownMutators in gitward.yaml",
        )
}

/// The API server speaks of a Service's list of addresses where Git declares the one.
fn as_declared(field: FieldPath, declared: &Declared) -> FieldPath {
    let (one, all) = (FieldPath::of(["spec", "clusterIP"]), FieldPath::of(["spec", "clusterIPs"]));
    let names_all = field.0.starts_with(&all.0) && all.get(&declared.canonical).is_none();
    if names_all && one.get(&declared.canonical).is_some() { one } else { field }
}

struct Run<'a> {
    state: &'a State,
    target: Snapshot,
    learnt: HashMap<ObjectKey, Learnt>,
    outcome: Outcome,
}

impl Run<'_> {
    /// From here on every object is held to the new commit, and those that are still to be written
    /// are the convergence's alone.
    fn hold(&mut self, deferred: &Deferred) {
        let mut busy = self.state.busy();
        for (key, found) in &self.learnt {
            self.state.put_entry(found.entry.clone());
            if found.action != Action::Keep {
                busy.insert(key.clone());
            }
        }
        busy.extend(deferred.keys().cloned());
        drop(busy);
        self.refresh_held();
    }

    fn refresh_held(&mut self) {
        self.target = self.target.with_additions(&self.state.additions());
        self.state.hold(self.target.clone());
    }

    async fn publish(&self) -> Result<(), kube::Error> {
        let now = shards(&self.state.additions());
        self.state.channel.publish(now, &self.target.commit.id).await
    }

    async fn wave(&mut self, wave: Wave, deferred: &Deferred) {
        let in_wave = |key: &&ObjectKey| Wave::of(key) == wave;
        let waiting: Vec<ObjectKey> = deferred.keys().filter(in_wave).cloned().collect();
        if !waiting.is_empty() {
            self.learn_deferred(waiting).await;
        }
        let todo: Vec<ObjectKey> = self.learnt.keys().filter(in_wave).cloned().collect();
        let writing: Vec<_> = todo.iter().filter(|k| self.learnt[*k].action != Action::Keep).cloned().collect();
        self.outcome.unchanged += todo.len() - writing.len();
        if writing.is_empty() {
            return;
        }
        self.write_all(&writing).await;
        self.settle(wave, &writing).await;
    }

    /// Objects whose prerequisites were written in an earlier wave of this commit.
    async fn learn_deferred(&mut self, mut waiting: Vec<ObjectKey>) {
        let deadline = Instant::now() + CURE_TIMEOUT;
        let mut pause = Duration::from_millis(20);
        loop {
            let (state, target) = (self.state, &self.target);
            let results: Vec<_> = futures::stream::iter(waiting.drain(..))
                .filter_map(|key| async move { target.declared(&key) })
                .map(|declared| async move { (declared, learn(state, target, declared).await) })
                .buffer_unordered(CONCURRENT)
                .collect()
                .await;
            let brings = Brings::of(target.declared.values().map(AsRef::as_ref));
            let mut still = Vec::new();
            for (declared, result) in results {
                let key = declared.manifest.key.clone();
                match result {
                    Ok(found) => {
                        self.state.put_entry(found.entry.clone());
                        self.learnt.insert(key, found);
                    }
                    Err(error)
                        if Instant::now() < deadline
                            && (error.is_passing() || brings.cure(declared, &error).is_some()) =>
                    {
                        still.push(key);
                    }
                    Err(error) => {
                        self.outcome.failures.push(refused(declared, &error));
                        self.state.busy().remove(&key);
                    }
                }
            }
            if still.is_empty() {
                break;
            }
            waiting = still;
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
            let _ = self.state.index.discovery().refresh().await;
        }
        self.refresh_held();
        self.state.publish().await;
    }

    async fn write_all(&mut self, keys: &[ObjectKey]) {
        let (state, target, learnt) = (self.state, &self.target, &self.learnt);
        let results: Vec<_> =
            futures::stream::iter(keys)
                .filter_map(|key| async move { target.declared(key).zip(learnt.get(key)) })
                .map(|(declared, found)| async move {
                    (declared, found.action, write(state, target, declared, found).await)
                })
                .buffer_unordered(CONCURRENT)
                .collect()
                .await;
        for (declared, action, result) in results {
            tracing::debug!(object = %declared.manifest.key, ?action, ok = result.is_ok(), "written");
            match result {
                Ok(()) if action == Action::Create => self.outcome.created += 1,
                Ok(()) => self.outcome.changed += 1,
                Err(error) => {
                    let finding = refused(declared, &error);
                    let key = &declared.manifest.key;
                    self.state.reporter.about(
                        key,
                        &declared.gvk().api_version(),
                        "",
                        Reason::Failed,
                        finding.message.clone(),
                    );
                    self.outcome.failures.push(finding);
                }
            }
        }
        self.refresh_held();
        self.state.publish().await;
        let mut busy = self.state.busy();
        for key in keys {
            busy.remove(key);
        }
    }

    /// Later waves may count on what this one brought.
    async fn settle(&self, wave: Wave, written: &[ObjectKey]) {
        if wave != Wave::Definitions {
            return;
        }
        let deadline = Instant::now() + CURE_TIMEOUT;
        while Instant::now() < deadline {
            let established = |key: &&ObjectKey| {
                self.state
                    .index
                    .get(key)
                    .is_some_and(|crd| has_condition(&crd, "Established") && !object::is_terminating(&crd))
            };
            if written.iter().filter(|k| !self.failed(k)).all(|k| established(&k)) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        let _ = self.state.index.discovery().refresh().await;
        let declared = self.target.declared.values().map(AsRef::as_ref);
        watch::everything_governed(self.state, &self.target.environment, declared).await;
    }

    fn failed(&self, key: &ObjectKey) -> bool {
        self.outcome.failures.iter().any(|f| f.object.as_ref() == Some(key))
    }

    /// Nothing is written: the guard tells what differs.
    fn only_look(&mut self) {
        let differ = self.learnt.values().filter(|l| l.action != Action::Keep).count();
        self.outcome.unchanged = self.learnt.len() - differ;
        self.outcome.observed = self.target.declared.len() - self.outcome.unchanged;
        self.state.busy().clear();
    }

    /// What the API server lets nobody bring to the commit.
    fn stuck(&self) -> Vec<Finding> {
        let stuck = self.learnt.iter().filter_map(|(key, found)| Some((key, found.stuck.as_ref()?)));
        let findings = stuck.filter_map(|(key, stuck)| {
            let declared = self.target.declared(key)?;
            let field = stuck.fields.first().cloned().unwrap_or_else(FieldPath::root);
            let place = declared.place(&field);
            let message = format!("{key}: the API server lets nobody bring it back: {}", stuck.message);
            let hint = "declare in Git what it has become, or delete it so that it is made anew";
            let finding = Finding::error("runtime/stuck", message).with_object(key.clone());
            Some(finding.with_field(field).with_place(Some(place)).with_hint(hint))
        });
        findings.collect()
    }

    async fn finish(&mut self) {
        self.outcome.failures.extend(self.stuck());
        let pruned = prune(self.state, &self.target).await;
        self.outcome.pruned = pruned.removed;
        self.outcome.failures.extend(pruned.failures);
        if pruned.removed + pruned.let_go > 0 {
            self.state.publish().await;
        }
        self.state.busy().clear();
    }
}
