//! Which exemptions, delegations and break-glass declarations of Git are over, and which nobody needs: told in the
//! Environment, so that a hole does not stay longer than what it was made for.

mod admitted;
mod bounds;
mod ledger;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gitward_core::config::{Configuration, Delegation, Exemption};
use gitward_core::finding::Finding;
use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use gitward_core::snapshot::Snapshot;
use gitward_core::trace::{self, Excuse};
use gitward_core::{break_glass, exemption};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::guard::Poke;
use crate::report::Reason;
use crate::state::State;
use crate::status::Status;

use admitted::Bounds;
use bounds::{Told, Watch};
use ledger::{Declaration, Kind, Ledger};

/// Condition of the Environment that says whether every exemption and delegation holds and is needed.
const CONDITION: &str = "ExemptionsInUse";

/// How often it is looked whether one is over or Git says something else.
const TICK: Duration = Duration::from_secs(1);

/// How often it is looked what they are used for.
const LOOK: Duration = Duration::from_secs(30);

/// How often it is looked what the cluster shows of the bounds of delegations.
const LOOK_AT_BOUNDS: Duration = Duration::from_secs(300);

/// Tells what is over and what is not used, as long as the process runs.
///
/// In what delegations are broader than what was seen is told of those that were watched for as long as
/// `broader_after`.
pub(crate) async fn watch(state: Arc<State>, status: Arc<Status>, poke: Poke, broader_after: Duration) {
    let (mut ledger, mut watched) = loop {
        match status.uses().await {
            Some(uses) => break (Ledger::restored(&uses), Watch::restored(&uses)),
            None => sleep(LOOK).await,
        }
    };
    let (mut before, mut looked, mut over) = (None, Instant::now(), BTreeSet::new());
    let (mut told, mut written) = (None, None);
    let (mut looked_at_bounds, mut broader) = (None, Broader::default());
    loop {
        if let Some(held) = state.held() {
            let now = Timestamp::now();
            announce(&state, &held, now, &mut over, &poke);
            let declared = ledger::declared(&held, now);
            if before.as_ref() != Some(&declared) || looked.elapsed() >= LOOK {
                ledger.keep(&declared, now);
                watched.keep(&held, now);
                let asked = notice(&state, &held, status.environment(), &mut ledger, &declared, now).await;
                let unasked = asked.as_ref().err().map(String::as_str);
                let sound = ledger.sound(&declared, unasked);
                if told.as_ref() != Some(&sound) {
                    status.set_condition(CONDITION, sound.status, sound.reason, &sound.message).await;
                    told = Some(sound);
                }
                let bounds =
                    asked.as_ref().map_or_else(|why| Err(why.as_str()), |b| b.as_deref().map_err(String::as_str));
                bounds.iter().copied().flatten().for_each(|of_replica| watched.admitted(of_replica));
                let is_due = looked_at_bounds.is_none_or(|at: Instant| at.elapsed() >= LOOK_AT_BOUNDS);
                if is_due || before.as_ref() != Some(&declared) {
                    watched = look_at_bounds(&state, &held, watched).await;
                    looked_at_bounds = Some(Instant::now());
                }
                broader.tell(&state, &status, watched.told(&held, broader_after, bounds.err(), now)).await;
                let mut uses = ledger.uses();
                for declaration in uses.iter_mut().filter(|u| u.kind == Kind::Delegation.name()) {
                    declaration.bounds = watched.of(&declaration.name);
                }
                if written.as_ref() != Some(&uses) {
                    status.set([("uses", json!(uses))]).await;
                    written = Some(uses);
                }
                (before, looked) = (Some(declared), Instant::now());
            }
        }
        sleep(TICK).await;
    }
}

/// Large clusters hold many objects of a kind.
async fn look_at_bounds(state: &Arc<State>, held: &Arc<Snapshot>, watched: Watch) -> Watch {
    let (state, held) = (state.clone(), held.clone());
    let look = move || {
        let mut watched = watched;
        watched.look(&state, &held);
        watched
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

/// What was told of bounds.
#[derive(Default)]
struct Broader {
    told: Option<Told>,
    /// The delegations that an Event speaks of.
    named: BTreeSet<String>,
}

impl Broader {
    /// Says what is new in the Environment's condition, in the metrics, and of each delegation once in an Event.
    async fn tell(&mut self, state: &State, status: &Status, told: Told) {
        if self.told.as_ref() == Some(&told) {
            return;
        }
        let sound = &told.sound;
        status.set_condition(bounds::CONDITION, sound.status, sound.reason, &sound.message).await;
        for (name, (sentence, _)) in told.broader.iter().filter(|(name, _)| !self.named.contains(*name)) {
            state.reporter.about_environment(Reason::Broader, sentence.clone());
            tracing::debug!(delegation = name, "it is told once that it is broader than what was seen");
        }
        let counts = told.broader.iter().map(|(name, (_, count))| (name.clone(), *count));
        state.reporter.metrics.unneeded_bounds(counts);
        self.named = told.broader.keys().cloned().collect();
        self.told = Some(told);
    }
}

/// Tells once of each exemption and delegation that is over. What it left in the cluster is brought back from now on.
fn announce(state: &State, held: &Snapshot, now: Timestamp, over: &mut BTreeSet<String>, poke: &Poke) {
    let expired: Vec<String> = exemption::expired(&held.configuration, now).iter().map(Finding::line).collect();
    let mut is_news = false;
    for line in expired.iter().filter(|line| !over.contains(*line)) {
        state.reporter.about_environment(Reason::Expired, line.clone());
        is_news = true;
    }
    if is_news {
        poke.everything();
    }
    *over = expired.into_iter().collect();
}

/// Notes what is used, by what differs in the cluster, by the glasses that are broken, and by what
/// the webhook let through; what its replicas saw of the bounds of delegations.
///
/// # Errors
/// Why the webhook could not be asked.
async fn notice(
    state: &Arc<State>,
    held: &Arc<Snapshot>,
    environment: &str,
    ledger: &mut Ledger,
    declared: &[Declaration],
    now: Timestamp,
) -> Result<Bounds, String> {
    if declared.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    for glass in break_glass::broken(&state.context(held)) {
        ledger.used(Kind::BreakGlass, &glass.declaration, now);
    }
    let open = |d: &&Declaration| d.kind != Kind::BreakGlass && d.over.is_none() && ledger.is_open(d, now);
    let open: BTreeSet<(Kind, String)> = declared.iter().filter(open).map(|d| (d.kind, d.name.clone())).collect();
    if !open.is_empty() {
        let (state, held) = (state.clone(), held.clone());
        // Large clusters hold many objects of a kind.
        let found = tokio::task::spawn_blocking(move || in_the_cluster(&state, &held, open)).await;
        found.unwrap_or_default().iter().for_each(|(kind, name)| ledger.used(*kind, name, now));
    }
    let (counts, bounds) = admitted::ask(state, environment).await?;
    ledger.counted(declared, |declaration| counts.of(declaration), now);
    Ok(bounds)
}

/// Those of the exemptions and delegations named without which a live object would not be as Git says.
fn in_the_cluster(state: &State, held: &Snapshot, mut open: BTreeSet<(Kind, String)>) -> BTreeSet<(Kind, String)> {
    let (context, configuration) = (state.context(held), &held.configuration);
    let mut found = BTreeSet::new();
    for served in state.index.discovery().table().all() {
        let (group, kind) = (&served.resource.group, &served.resource.kind);
        let of_kind = ObjectKey::new(group, kind, "", "");
        if !speak_of(configuration, &open, |e| e.names_kind_of(&of_kind), |d| d.names_kind_of(&of_kind)) {
            continue;
        }
        for live in state.index.list(group, kind, "") {
            let key = ObjectKey::new(group, kind, object::namespace(&live), object::name(&live));
            if !held.governs(&key) || !speak_of(configuration, &open, |e| e.concerns(&key), |d| d.concerns(&key)) {
                continue;
            }
            for excuse in trace::excuses(&key, &live, &context) {
                let used = match excuse {
                    Excuse::Exemption(name) => (Kind::Exemption, name),
                    Excuse::Delegation(name) => (Kind::Delegation, name),
                };
                open.remove(&used);
                found.insert(used);
            }
        }
    }
    found
}

/// Whether any of those that are open speaks of something.
fn speak_of(
    configuration: &Configuration,
    open: &BTreeSet<(Kind, String)>,
    exempts: impl Fn(&Exemption) -> bool,
    delegates: impl Fn(&Delegation) -> bool,
) -> bool {
    open.iter().any(|(kind, name)| match kind {
        Kind::Exemption => configuration.exemptions.iter().any(|e| e.name == *name && exempts(e)),
        Kind::Delegation => configuration.delegations.iter().any(|d| d.name == *name && delegates(d)),
        Kind::BreakGlass => false,
    })
}
